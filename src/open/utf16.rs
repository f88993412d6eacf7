//! Turns text into UTF-8 without a mark while it is read: spreadsheets and PowerShell's `>` write UTF-16, or a mark.

use std::io::{self, Read};

/// Where a text begins with a byte order mark of UTF-16, gives its UTF-8; otherwise the same bytes, but for the mark
/// of UTF-8.
pub(crate) fn decoded(mut reader: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut mark = Vec::with_capacity(3);
    reader.by_ref().take(2).read_to_end(&mut mark)?;
    if mark == [0xef, 0xbb] {
        reader.by_ref().take(1).read_to_end(&mut mark)?;
    }
    Ok(match mark.as_slice() {
        [0xef, 0xbb, 0xbf] => reader,
        [0xff, 0xfe] => Box::new(Utf16 { reader, unit: u16::from_le_bytes, high: None, text: Vec::new(), given: 0 }),
        [0xfe, 0xff] => Box::new(Utf16 { reader, unit: u16::from_be_bytes, high: None, text: Vec::new(), given: 0 }),
        _ => Box::new(io::Cursor::new(mark).chain(reader)),
    })
}

/// How much is decoded at once, in bytes.
const BLOCK: u64 = 64 << 10;

struct Utf16 {
    reader: Box<dyn Read + Send>,
    unit: fn([u8; 2]) -> u16,
    /// The first half of a character whose second half was not read yet.
    high: Option<u16>,
    /// Decoded text, and how much of it was given.
    text: Vec<u8>,
    given: usize,
}

impl Utf16 {
    /// Decodes the next block; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        let mut block = Vec::with_capacity(BLOCK as usize);
        self.reader.by_ref().take(BLOCK).read_to_end(&mut block)?;
        let at_end = (block.len() as u64) < BLOCK;
        let (pairs, odd) = block.as_chunks::<2>();
        let mut units: Vec<u16> =
            self.high.take().into_iter().chain(pairs.iter().map(|pair| (self.unit)(*pair))).collect();
        if !at_end {
            self.high = units.pop_if(|unit| (0xd800..0xdc00).contains(unit));
        }
        let mut text: String =
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        if !odd.is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        self.text = text.into_bytes();
        self.given = 0;
        Ok(!self.text.is_empty())
    }
}

impl Read for Utf16 {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.text.len() && !self.fill()? {
            return Ok(0);
        }
        let n = buffer.len().min(self.text.len() - self.given);
        buffer[..n].copy_from_slice(&self.text[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: Vec<u8>) -> String {
        let mut text = String::new();
        decoded(Box::new(io::Cursor::new(bytes))).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn both_byte_orders_are_read_across_blocks() {
        // Four bytes each, of which blocks of even length cut none, and after one letter cut every block's last.
        let long = "😀".repeat(40_000);
        for text in ["time,web\n1795464400,1MiB\n".to_owned(), "Größe\n".to_owned(), long.clone(), format!("a{long}")]
        {
            let units: Vec<u16> = text.encode_utf16().collect();
            let little: Vec<u8> = [0xff, 0xfe].into_iter().chain(units.iter().flat_map(|u| u.to_le_bytes())).collect();
            let big: Vec<u8> = [0xfe, 0xff].into_iter().chain(units.iter().flat_map(|u| u.to_be_bytes())).collect();
            assert!(decode(little) == text && decode(big) == text);
            assert!(decode(text.clone().into_bytes()) == text);
        }
    }

    #[test]
    fn a_mark_of_utf_8_is_no_text() {
        assert_eq!(decode(b"\xef\xbb\xbf{}".to_vec()), "{}");
        assert_eq!(decode("\u{feee}".as_bytes().to_vec()), "\u{feee}");
    }

    #[test]
    fn what_is_broken_is_marked() {
        assert_eq!(decode(vec![0xff, 0xfe, b'a', 0, 0x00, 0xd8, b'b', 0, b'c']), "a\u{fffd}b\u{fffd}");
    }
}
