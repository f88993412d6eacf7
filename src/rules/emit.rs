//! Writes what fires as unit tests for `promtool`.
