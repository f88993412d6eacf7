//! What must be said about one file.

use super::super::timestamps::TimeNotes;
use crate::account::{AmountWarning, ContentWarning, Format, Input, NameWarning, TimeWarning, cleaned};

/// Names that nerdctl cuts have this length, in characters.
const NERDCTL_NAME: usize = 12;

/// Notes of one file, for warnings.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) n_rows: u64,
    pub(super) times: TimeNotes,
    prefix: Option<(u64, String)>,
    other_text: Option<(u64, String)>,
    n_other_text: u64,
    namesake: Option<String>,
    cut_name: Option<String>,
}

impl Notes {
    /// What stands before a container and looks like a time, but was not read as one.
    pub(super) fn note_prefix(&mut self, prefix: &str, number: u64) {
        if self.prefix.is_none() {
            self.prefix = Some((number, cleaned(prefix, 40)));
        }
    }

    /// A line of other text.
    pub(super) fn note_prose(&mut self, text: &str, number: u64) {
        self.n_other_text += 1;
        if self.other_text.is_none() {
            self.other_text = Some((number, cleaned(text, 60)));
        }
    }

    /// A second container of one name in one call.
    pub(super) fn note_namesake(&mut self, name: &str) {
        if self.namesake.is_none() {
            self.namesake = Some(cleaned(name, 80));
        }
    }

    /// A name that the tool may have cut.
    pub(super) fn note_name(&mut self, format: Format, name: &str) {
        if format == Format::NerdctlStats && self.cut_name.is_none() && name.chars().count() == NERDCTL_NAME {
            self.cut_name = Some(cleaned(name, 80));
        }
    }

    pub(super) fn warn(self, format: Format, input: &mut Input) {
        self.times.warn(input);
        if let Some((line, text)) = self.prefix {
            input.warn(TimeWarning::NotATimestamp { line, text });
        }
        if let Some(example) = self.namesake {
            input.warn(NameWarning::Namesakes { example });
        }
        if let Some(example) = self.cut_name {
            input.warn(NameWarning::Cut { length: NERDCTL_NAME, example });
        }
        if let Some((line, text)) = self.other_text {
            input.warn(ContentWarning::OtherText { n: self.n_other_text, line, text });
        }
        if input.samples == 0 && input.gaps > 0 {
            input.warn(ContentWarning::NoValues);
        }
        if format == Format::KubectlTop && input.samples > 0 {
            input.warn(AmountWarning::WholeMib);
        }
    }
}
