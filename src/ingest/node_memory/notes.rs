//! What must be said about one file.

use super::super::numbers::Numbers;
use super::super::stamps::TimeNotes;
use super::super::{Input, cleaned, counted};

/// Notes of one file, for warnings.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) times: TimeNotes,
    pub(super) bare: Numbers,
    prose: Option<String>,
    n_prose: u64,
    decimal: Option<String>,
}

impl Notes {
    /// A line of other text.
    pub(super) fn note_prose(&mut self, text: &str, number: u64) {
        self.n_prose += 1;
        if self.prose.is_none() {
            self.prose = Some(format!("line {number}: `{}`", cleaned(text, 60)));
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
            input.warnings.push(format!(
                "kB, MB and GB count powers of 1024 here, as Node programs compute them, such as `{example}`"
            ));
        }
        if let Some(prose) = self.prose {
            let are = if self.n_prose == 1 { "is" } else { "are" };
            input.warnings.push(format!("{} {are} no reading but other text ({prose})", counted(self.n_prose, "line")));
        }
        self.bare.judge(input);
    }
}
