//! What must be said about one file.

use super::super::numbers::Numbers;
use super::super::timestamps::TimeNotes;
use crate::account::{AmountWarning, ContentWarning, Input, cleaned};

/// Notes of one file, for warnings.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) times: TimeNotes,
    pub(super) bare: Numbers,
    other_text: Option<(u64, String)>,
    n_other_text: u64,
    decimal: Option<String>,
}

impl Notes {
    /// A line of other text.
    pub(super) fn note_prose(&mut self, text: &str, number: u64) {
        self.n_other_text += 1;
        if self.other_text.is_none() {
            self.other_text = Some((number, cleaned(text, 60)));
        }
    }

    /// A unit that would be a power of 1000 elsewhere, where it stands.
    pub(super) fn note_decimal(&mut self, example: &str) {
        if self.decimal.is_none() {
            self.decimal = Some(cleaned(example, 40));
        }
    }

    /// Says it; may say that the file cannot be used.
    pub(super) fn warn(self, input: &mut Input) {
        self.times.warn(input);
        if let Some(example) = self.decimal {
            input.warn(AmountWarning::Binary { example });
        }
        if let Some((line, text)) = self.other_text {
            input.warn(ContentWarning::OtherText { n: self.n_other_text, line, text });
        }
        self.bare.judge(input);
    }
}
