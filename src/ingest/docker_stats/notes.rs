//! What must be said about one file.

use super::super::clock::Stamp;
use super::super::{Format, Input, cleaned, counted};
use crate::units::time_text;

/// Names that nerdctl cuts have this length, in characters.
const NERDCTL_NAME: usize = 12;

/// Notes of one file, for warnings.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) n_rows: u64,
    no_zone: Option<String>,
    no_year: Option<String>,
    unusable_year: bool,
    prefix: Option<String>,
    prose: Option<String>,
    n_prose: u64,
    clocks: Vec<(bool, i64)>,
    namesake: Option<String>,
    cut_name: Option<String>,
}

impl Notes {
    /// A stamp, as it was written.
    pub(super) fn note(&mut self, stamp: Stamp, text: &str) {
        if !stamp.has_zone && self.no_zone.is_none() {
            self.no_zone = Some(cleaned(text.trim_end(), 40));
        }
        if !stamp.has_year && self.no_year.is_none() {
            self.no_year = stamp.time_ms.and_then(time_text);
            self.unusable_year |= stamp.time_ms.is_none();
        }
    }

    /// What stands before a container and looks like a time, but was not read as one.
    pub(super) fn note_prefix(&mut self, prefix: &str, number: u64) {
        if self.prefix.is_none() {
            self.prefix = Some(format!("line {number}: `{}`", cleaned(prefix, 40)));
        }
    }

    /// A line of other text.
    pub(super) fn note_prose(&mut self, text: &str, number: u64) {
        self.n_prose += 1;
        if self.prose.is_none() {
            self.prose = Some(format!("line {number}: `{}`", cleaned(text, 60)));
        }
    }

    /// Local clocks were put back, or on, after this time.
    pub(super) fn note_clock(&mut self, back: bool, time_ms: i64) {
        self.clocks.push((back, time_ms));
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
        let warnings = &mut input.warnings;
        if self.unusable_year {
            warnings.push(
                "its times have no year, and neither a modification time nor `--end` gives it: they are not used"
                    .to_owned(),
            );
        } else if let Some(text) = self.no_zone {
            warnings.push(format!("times without a known zone are read as UTC, such as `{text}`"));
        }
        if let Some(time) = self.no_year {
            warnings.push(format!(
                "times without a year: it is taken from the file's modification time, so that the first is {time}"
            ));
        }
        for (back, time_ms) in self.clocks {
            let at = time_text(time_ms).unwrap_or_default();
            let at = at.trim_end_matches('Z');
            warnings.push(if back {
                format!("its clock went back by an hour after {at}, as at the end of summer time: later times are moved on by an hour")
            } else {
                format!("its clock went on by an hour after {at}, as at the beginning of summer time: later times are moved back by an hour")
            });
        }
        if let Some(prefix) = self.prefix {
            warnings.push(format!("what stands before the container was not read as a time ({prefix})"));
        }
        if let Some(name) = self.namesake {
            warnings.push(format!(
                "several containers have one name at the same time, such as `{name}`: they are told apart by ID"
            ));
        }
        if let Some(name) = self.cut_name {
            warnings.push(format!(
                "nerdctl cuts names to {NERDCTL_NAME} characters, such as `{name}` (`--no-trunc` keeps them whole)"
            ));
        }
        if let Some(prose) = self.prose {
            let are = if self.n_prose == 1 { "is" } else { "are" };
            warnings.push(format!("{} {are} no reading but other text ({prose})", counted(self.n_prose, "line")));
        }
        if input.samples == 0 && input.gaps > 0 {
            input.warnings.push(
                "it holds no value at all (`--` or `0B / 0B`): containers that do not run, or memory that the kernel does not count (is its memory cgroup on?)"
                    .to_owned(),
            );
        }
        if format == Format::KubectlTop && input.samples > 0 {
            input.warnings.push(
                "`kubectl top` prints whole MiB of the last minute or so: what is smaller or quicker cannot be seen"
                    .to_owned(),
            );
        }
    }
}
