//! `Error`: why the job could not be done. One variant per thing a person can fix.

use std::io;
use std::path::PathBuf;

/// The job could not be done.
///
/// What was found and what was expected; the cause is in `source` and not repeated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be opened or read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could be read but nothing in it could be used.
    #[error("cannot use `{}`: {why}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        why: String,
    },
    /// A result could not be written; the previous file is intact.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Arguments that contradict each other.
    #[error("{0}")]
    Usage(String),
    /// Another run is doing the same job.
    #[error("{0}")]
    Busy(String),
    /// An impossible setting.
    #[error("cannot use the settings in `{}`", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// The line, what was found and what is allowed.
        source: SettingsError,
    },
    /// A table without samples.
    #[error("cannot use the table: {0}")]
    Table(String),
    /// None of the inputs had a usable sample.
    #[error("no usable sample in any input")]
    NoSamples,
}

/// An impossible setting: where, what was found, what is allowed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(pub String);
