//! Reads what a row is made of, eight bytes at a time.
//!
//! Gives what the general readings give; whatever is not exactly as containers print it is `None`, and left to those.
//! Words of eight bytes make it quick (Lamport, "Multiple byte processing with full-word instructions", 1975): where a
//! number ends is counted and not branched on, since its length is what no processor foresees.

use super::amount::{self, Number};
use crate::units::{GIB, KIB, MIB, WrittenAmount};

const ZEROS: u64 = u64::from_ne_bytes(*b"00000000");
const BLANKS: u64 = u64::from_ne_bytes(*b"        ");
/// One in every byte.
const ONES: u64 = u64::from_ne_bytes([1; 8]);

/// Powers of ten.
const TENS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// What a prefix of a unit stands for before `B`, by its letter; 0 where it is none.
const DECIMAL: [f64; 256] = {
    let mut scales = [0.0; 256];
    scales[b'B' as usize] = 1.0;
    scales[b'k' as usize] = 1e3;
    scales[b'K' as usize] = 1e3;
    scales[b'M' as usize] = 1e6;
    scales[b'G' as usize] = 1e9;
    scales
};

/// The same before `iB`.
const BINARY: [f64; 256] = {
    let mut scales = [0.0; 256];
    scales[b'K' as usize] = KIB;
    scales[b'M' as usize] = MIB;
    scales[b'G' as usize] = GIB;
    scales
};

/// What was not looked at yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a>(pub(super) &'a [u8]);

#[expect(clippy::inline_always, reason = "the place in the text stays in registers: a third of the time")]
impl<'a> Scan<'a> {
    /// Steps over so many bytes and gives them.
    #[inline(always)]
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Steps over these bytes.
    #[inline(always)]
    pub(super) fn literal(&mut self, literal: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(())
    }

    /// The next eight bytes, the first of them lowest; NUL behind the end.
    #[inline(always)]
    fn word(self) -> u64 {
        match self.0.first_chunk() {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => short_word(self.0),
        }
    }

    /// Steps over blanks, and counts them.
    #[inline(always)]
    pub(super) fn blanks(&mut self) -> usize {
        let mut count = 0;
        loop {
            let length = ((self.word() ^ BLANKS).trailing_zeros() / 8) as usize;
            self.0 = &self.0[length..];
            count += length;
            if length < 8 {
                return count;
            }
        }
    }

    /// Everything before the next blank.
    #[inline(always)]
    pub(super) fn until_blank(&mut self) -> Option<&'a [u8]> {
        let mut length = 0;
        loop {
            let word = Scan(self.0.get(length..)?).word() ^ BLANKS;
            // The lowest bit that is set is in the first byte that is 0: those above it may be by the borrow.
            let zeros = word.wrapping_sub(ONES) & !word & (ONES << 7);
            length += (zeros.trailing_zeros() / 8) as usize;
            if zeros != 0 {
                return self.take(length);
            }
        }
    }

    /// One to seven digits, with or without one point between them: the number without its point, and how many digits
    /// follow it.
    #[inline(always)]
    pub(super) fn decimal(&mut self) -> Option<(u64, usize)> {
        let (number, decimals, length) = decimal(self.word())?;
        self.0 = &self.0[length..];
        Some((number, decimals))
    }

    /// Ten digits, of which the first is not 0: seconds since 1970, from 2001 to 2286.
    #[inline(always)]
    pub(super) fn epoch(&mut self) -> Option<u64> {
        let (ten, rest) = self.0.split_first_chunk::<10>()?;
        let [first @ .., ninth, tenth] = *ten;
        let hundreds = eight_digits(u64::from_le_bytes(first))?;
        let (ninth, tenth) = (ninth.wrapping_sub(b'0'), tenth.wrapping_sub(b'0'));
        if first[0] == b'0' || 9 < ninth.max(tenth) {
            return None;
        }
        self.0 = rest;
        Some(hundreds * 100 + u64::from(ninth) * 10 + u64::from(tenth))
    }

    /// One to sixteen digits: their number, and how many they are.
    #[inline(always)]
    pub(super) fn digits(&mut self) -> Option<(u64, usize)> {
        let (first, n_first) = self.eight_digits();
        if n_first < 8 {
            return (n_first > 0).then_some((first, n_first));
        }
        let (second, n_second) = self.eight_digits();
        let is_end = n_second < 8 || !self.0.first().is_some_and(u8::is_ascii_digit);
        is_end.then_some((first * TENS[n_second] + second, 8 + n_second))
    }

    /// Up to eight digits: their number, and how many they are.
    #[inline(always)]
    fn eight_digits(&mut self) -> (u64, usize) {
        let digits = self.word() ^ ZEROS;
        let others = (digits | digits.wrapping_add(6 * ONES)) & (0xf0 * ONES);
        let n_bits = others.trailing_zeros() & !7;
        if n_bits == 0 {
            return (0, 0);
        }
        self.0 = &self.0[(n_bits / 8) as usize..];
        (value_of(digits << (64 - n_bits)), (n_bits / 8) as usize)
    }

    #[inline(always)]
    fn number(&mut self) -> Option<Number> {
        let (mantissa, decimals) = self.decimal()?;
        let word = self.word();
        let [prefix, second, third, ..] = word.to_le_bytes();
        let is_binary = second == b'i';
        let scale = if is_binary { &BINARY } else { &DECIMAL }[prefix as usize];
        let last = if is_binary { third } else { second };
        let is_bytes = prefix == b'B';
        if scale == 0.0 || !(is_bytes || last == b'B') {
            return None;
        }
        self.0 = &self.0[1 + usize::from(!is_bytes) + usize::from(is_binary)..];
        Number::new(mantissa, decimals, scale)
    }

    /// An amount of memory with its unit at once behind the digits.
    #[inline(always)]
    pub(super) fn amount(&mut self) -> Option<WrittenAmount> {
        self.number().map(amount::Number::with_resolution)
    }

    /// The same, in bytes.
    #[inline(always)]
    pub(super) fn bytes(&mut self) -> Option<f64> {
        self.number().map(|number| number.bytes)
    }
}

/// The number at the beginning of eight bytes, as `Scan::decimal` gives it, and its length.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as those of `Scan`")]
pub(super) fn decimal(word: u64) -> Option<(u64, usize, usize)> {
    let digits = word ^ ZEROS;
    // A sum that runs over into the next byte does so behind the first byte that is no digit.
    let others = (digits | digits.wrapping_add(6 * ONES)) & (0xf0 * ONES);
    let whole = others.trailing_zeros() & !7;
    if others == 0 {
        return None;
    }
    let has_point = u64::from((word >> whole) as u8 == b'.');
    let others = others & !((0xff * has_point) << whole);
    let end = others.trailing_zeros() & !7;
    if others == 0 {
        return None;
    }
    let below = (1 << whole) - 1;
    let joined = digits & below | (digits >> (8 * has_point)) & !below;
    let n_bits = end - 8 * has_point as u32;
    let decimals = n_bits.wrapping_sub(whole);
    if whole == 0 || (has_point == 1 && decimals == 0) {
        return None;
    }
    Some((value_of(joined << (64 - n_bits)), (decimals / 8) as usize, (end / 8) as usize))
}

/// Eight digits as a number; `None` where there is anything else.
pub(super) fn eight_digits(word: u64) -> Option<u64> {
    let digits = word ^ ZEROS;
    let others = (digits | digits.wrapping_add(6 * ONES)) & (0xf0 * ONES);
    (others == 0).then(|| value_of(digits))
}

#[cold]
fn short_word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

/// The number of eight digits, the first of them lowest.
fn value_of(digits: u64) -> u64 {
    const MASK: u64 = 0x0000_00ff_0000_00ff;
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & MASK).wrapping_mul(100 + (1_000_000 << 32));
    let high = ((pairs >> 16) & MASK).wrapping_mul(1 + (10_000 << 32));
    low.wrapping_add(high) >> 32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check_decimal(text: &str, expected: Option<(u64, usize, &str)>) {
        let mut scan = Scan(text.as_bytes());
        let found = scan.decimal();
        let rest = str::from_utf8(scan.0).unwrap();
        assert_eq!(found.map(|(number, decimals)| (number, decimals, rest)), expected, "{text}");
    }

    #[test]
    fn numbers_of_up_to_seven_digits_are_read() {
        check_decimal("7", Some((7, 0, "")));
        check_decimal("512.3MiB", Some((5123, 1, "MiB")));
        check_decimal("0.005%", Some((5, 3, "%")));
        check_decimal("1234567 / 1", Some((1_234_567, 0, " / 1")));
        check_decimal("123456.7%", None);
        check_decimal("12345.6%", Some((123_456, 1, "%")));
        check_decimal("12345678", None);
        check_decimal("1.2.3", Some((12, 1, ".3")));
        for text in ["", ".5", "5.", "5.MiB", "x", "-5", "\u{e9}1", "--"] {
            check_decimal(text, None);
        }
        check_decimal("5\u{ff}1", Some((5, 0, "\u{ff}1")));
    }

    #[test]
    fn an_epoch_has_ten_digits() {
        let epoch = |text: &str| Scan(text.as_bytes()).epoch();
        assert_eq!(epoch("1795464398,"), Some(1_795_464_398));
        assert_eq!(epoch("9999999999"), Some(9_999_999_999));
        for text in
            ["0795464398", "179546439", "17954643:8", "1795464/98", "179546439 ", "179546439.", "17954643\u{e9}", ""]
        {
            assert_eq!(epoch(text), None, "{text}");
        }
    }

    #[test]
    fn blanks_are_counted_over_any_length() {
        for n_blanks in [0, 1, 7, 8, 9, 40] {
            let text = format!("{}x", " ".repeat(n_blanks));
            let mut scan = Scan(text.as_bytes());
            assert_eq!((scan.blanks(), scan.0), (n_blanks, &b"x"[..]));
            let text = format!("{} ", "!".repeat(n_blanks));
            assert_eq!(Scan(text.as_bytes()).until_blank().map(<[u8]>::len), Some(n_blanks));
            assert_eq!(Scan(text.trim_ascii().as_bytes()).until_blank(), None);
        }
    }

    proptest! {
        #[test]
        fn an_amount_is_what_the_general_reading_gives(
            whole in "[0-9]{0,9}", point in "(\\.[0-9]{0,4})?", unit in "(B|[kKMGT]?i?B|b|Mi|--)", more in "(x|| )",
        ) {
            let text = format!("{whole}{point}{unit}");
            let after = format!("{text}{more}");
            let mut scan = Scan(after.as_bytes());
            if let Some(amount) = scan.amount() {
                prop_assert_eq!(Some(amount), text.parse().ok());
                prop_assert_eq!(scan.0, more.as_bytes());
            } else {
                // Left to the general reading: long numbers, what is no number, and units that are rare.
                let is_short = whole.len() + point.len() <= 7 && !whole.is_empty() && point != ".";
                let is_usual = matches!(unit.as_str(), "B" | "kB" | "MB" | "MiB" | "GiB");
                prop_assert!(!is_short || !is_usual || text.parse::<WrittenAmount>().is_err());
            }
        }
    }
}
