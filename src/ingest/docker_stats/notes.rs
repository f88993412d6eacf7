//! What must be said about the times of one file.

use super::super::clock::Stamp;
use super::super::{Input, cleaned};
use crate::units::time_text;

/// Notes of one file, for warnings.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) no_zone: Option<String>,
    pub(super) no_year: Option<String>,
    pub(super) unusable_year: bool,
    pub(super) prefix: Option<String>,
    pub(super) n_rows: u64,
}

impl Notes {
    pub(super) fn note(&mut self, stamp: Stamp, text: &str) {
        if !stamp.has_zone && self.no_zone.is_none() {
            self.no_zone = Some(cleaned(text.trim_end(), 40));
        }
        if !stamp.has_year && self.no_year.is_none() {
            self.no_year = stamp.time_ms.and_then(time_text);
            self.unusable_year |= stamp.time_ms.is_none();
        }
    }

    pub(super) fn warn(self, input: &mut Input) {
        if self.unusable_year {
            input.warnings.push(
                "its times have no year, and neither a modification time nor `--end` gives it: they are not used"
                    .to_owned(),
            );
        } else if let Some(text) = self.no_zone {
            input.warnings.push(format!("times without a known zone are read as UTC, such as `{text}`"));
        }
        if let Some(time) = self.no_year {
            input.warnings.push(format!(
                "times without a year: it is taken from the file's modification time, so that the first is {time}"
            ));
        }
        if let Some(prefix) = self.prefix {
            input.warnings.push(format!("what stands before the container was not read as a time ({prefix})"));
        }
    }
}
