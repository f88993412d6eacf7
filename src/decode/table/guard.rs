//! Damaged files make the decoders of Parquet and Arrow panic here and there; at this border that becomes a message.
//!
//! They hold no lock and share nothing, so that what they leave behind is dropped with them.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread is caught and becomes a message: then it is not worth one of its own.
pub fn is_guarded() -> bool {
    IS_GUARDED.get()
}

/// Runs a decoder, whose panic is an error like those that it gives.
pub(super) fn guarded<T, E: std::fmt::Display>(decode: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    let before = IS_GUARDED.replace(true);
    let decoded = catch_unwind(AssertUnwindSafe(decode));
    IS_GUARDED.set(before);
    match decoded {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(damaged(&error.to_string())),
        Err(_) => Err(damaged("it cannot be decoded")),
    }
}

/// What a decoder says, which explains at length, in a line.
pub(super) fn damaged(error: &str) -> String {
    let line = error.lines().next().unwrap_or_default().trim_end_matches(':');
    format!(
        "it is truncated or damaged: {} (expected a complete file: copy it again)",
        crate::account::cleaned(line, 200)
    )
}
