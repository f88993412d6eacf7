//! What must be said about one file.

use super::super::timestamps::TimeNotes;
use crate::account::{Format, Input, cleaned, counted};

/// Names that nerdctl cuts have this length, in characters.
const NERDCTL_NAME: usize = 12;

/// Notes of one file, for warnings.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) n_rows: u64,
    pub(super) times: TimeNotes,
    prefix: Option<String>,
    other_text: Option<String>,
    n_other_text: u64,
    namesake: Option<String>,
    cut_name: Option<String>,
}

/// What is said where containers have one name begins with this.
pub(super) const NAMESAKES: &str = "several containers have the same name at the same time";

/// What is said where containers have one name, such as this.
pub(super) fn namesakes(name: &str) -> String {
    format!("{NAMESAKES}, such as `{}`: they are told apart by ID", cleaned(name, 80))
}

impl Notes {
    /// What stands before a container and looks like a time, but was not read as one.
    pub(super) fn note_prefix(&mut self, prefix: &str, number: u64) {
        if self.prefix.is_none() {
            self.prefix = Some(format!("line {number}: `{}`", cleaned(prefix, 40)));
        }
    }

    /// A line of other text.
    pub(super) fn note_prose(&mut self, text: &str, number: u64) {
        self.n_other_text += 1;
        if self.other_text.is_none() {
            self.other_text = Some(format!("line {number}: `{}`", cleaned(text, 60)));
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
        let warnings = &mut input.warnings;
        if let Some(prefix) = self.prefix {
            warnings.push(format!("the text before the container is not a timestamp ({prefix})"));
        }
        if let Some(name) = self.namesake {
            warnings.push(namesakes(&name));
        }
        if let Some(name) = self.cut_name {
            warnings.push(format!(
                "nerdctl cuts names to {NERDCTL_NAME} characters, such as `{name}` (`--no-trunc` keeps them whole)"
            ));
        }
        if let Some(other_text) = self.other_text {
            let are = if self.n_other_text == 1 { "is not a reading" } else { "are not readings" };
            warnings.push(format!("{} {are} but other text ({other_text})", counted(self.n_other_text, "line")));
        }
        if input.samples == 0 && input.gaps > 0 {
            input.warnings.push(
                "it holds no values (`--` or `0B / 0B`): the containers are not running, or the kernel does not count memory (is the memory cgroup enabled?)"
                    .to_owned(),
            );
        }
        if format == Format::KubectlTop && input.samples > 0 {
            input.warnings.push(
                "`kubectl top` prints whole MiB, updated about once a minute: smaller or faster changes are invisible"
                    .to_owned(),
            );
        }
    }
}
