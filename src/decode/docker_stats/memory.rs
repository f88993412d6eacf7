//! What a row says of memory, in bytes.

use memchr::memchr;

use super::super::amount;
use crate::account::Rejection;
use crate::units::{MIB, WrittenAmount};

/// The memory of a row as it was printed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Figure<'a> {
    /// `16.18MiB / 1GiB`, four digits each, with a limit or without one.
    Rounded(&'a str),
    /// `34Mi`, cut to whole units.
    Whole(&'a str),
    /// Bytes, exactly, and the limit.
    Exact(f64, Option<f64>),
}

/// What the memory of a row means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Memory {
    Gap,
    Used { used: WrittenAmount, limit: Option<f64> },
}

impl Memory {
    pub(super) fn of(figure: Figure<'_>) -> Result<Memory, Rejection> {
        match figure {
            Figure::Rounded(cell) => Memory::rounded(cell),
            Figure::Whole("<unknown>") => Ok(Memory::Gap),
            Figure::Whole(cell) => {
                let used = amount::read(cell).map_err(Rejection::amount)?;
                let unit = WrittenAmount { bytes: used.bytes, resolution: MIB };
                Ok(Memory::Used { used: unit, limit: None })
            }
            Figure::Exact(bytes, limit) if (0.0..=amount::LARGEST_EXACT).contains(&bytes) => {
                let limit = limit.filter(|limit| 0.0 < *limit && *limit <= amount::LARGEST_EXACT);
                if bytes == 0.0 && limit.is_none() {
                    return Ok(Memory::Gap);
                }
                Ok(Memory::Used { used: WrittenAmount { bytes, resolution: 1.0 }, limit })
            }
            Figure::Exact(bytes, _) => Err(Rejection::out_of_range(&bytes.to_string())),
        }
    }

    /// Whether a cell is `USED / LIMIT`.
    pub(super) fn is_pair(cell: &str) -> bool {
        cell.contains('/') && Memory::rounded(cell).is_ok()
    }

    fn rounded(cell: &str) -> Result<Memory, Rejection> {
        let (used, limit) = match memchr(b'/', cell.as_bytes()) {
            Some(slash) => (cell[..slash].trim_ascii(), cell[slash + 1..].trim_ascii()),
            None => (cell, ""),
        };
        if used == "--" {
            return Ok(Memory::Gap);
        }
        let used = amount::read(used).map_err(Rejection::amount)?;
        let limit = match limit {
            // nerdctl prints 2^64 bytes where there is none.
            "" | "--" | "16EiB" => None,
            limit => Some(amount::read(limit).map_err(Rejection::amount)?),
        };
        if used.bytes == 0.0 && limit.is_some_and(|limit| limit.bytes == 0.0) {
            return Ok(Memory::Gap);
        }
        Ok(Memory::Used { used, limit: limit.map(|limit| limit.bytes).filter(|bytes| *bytes > 0.0) })
    }
}

/// The two amounts of a cell such as `1.09kB / 0B`, in bytes; NaN where there is none.
pub(super) fn pair(cell: &str) -> [f64; 2] {
    let Some(slash) = memchr(b'/', cell.as_bytes()) else { return [f64::NAN; 2] };
    [&cell[..slash], &cell[slash + 1..]].map(|text| amount::read_bytes(text.trim_ascii()).unwrap_or(f64::NAN))
}
