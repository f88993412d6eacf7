//! The values in JSON output. Their types say what the schema says of them.

use serde::{Serialize, Serializer};

use crate::named::Named;

/// A number: whole where it is whole, else with six significant digits; null when it is not finite.
///
/// No estimate here is known better, and the last digits of a double differ between machines.
pub(crate) struct Number(pub(crate) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.0.is_finite() {
            serializer.serialize_none()
        } else if self.0.fract() == 0.0 && self.0.abs() < 1e15 {
            serializer.serialize_i64(self.0 as i64)
        } else if self.0.abs() >= 1e6 {
            serializer.serialize_i64(self.0.round() as i64)
        } else {
            serializer.serialize_f64(format!("{:.5e}", self.0).parse().unwrap_or(self.0))
        }
    }
}

/// A number from 0 to 1.
pub(crate) struct Fraction(pub(crate) f64);

impl Serialize for Fraction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Number(self.0).serialize(serializer)
    }
}

/// A time, RFC 3339 in UTC.
#[derive(Serialize)]
pub(crate) struct Time(pub(crate) String);

/// The name of a value, one of a closed list.
pub(crate) struct Name<T>(pub(crate) T);

impl<T: Named> Serialize for Name<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}
