//! Values of a JSON answer that may be of any type.

use std::fmt;

use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A number, as such or as text; `None` for any other text.
pub(super) struct Number(pub(super) Option<f64>);

impl<'de> de::Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        struct AnyNumber;

        impl Visitor<'_> for AnyNumber {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a string that holds one")
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Number, E> {
                Ok(Number(Some(number)))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(Some(number as f64)))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(Some(number as f64)))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Number, E> {
                Ok(Number(Some(f64::NAN)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                Ok(Number(text.parse().ok()))
            }
        }

        deserializer.deserialize_any(AnyNumber)
    }
}

/// A text; `None` for what is none, which is skipped; numbers and truth values as text.
pub(super) struct Lenient(pub(super) Option<String>);

impl<'de> de::Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Lenient, D::Error> {
        struct AnyText;

        impl<'de> Visitor<'de> for AnyText {
            type Value = Lenient;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Lenient, E> {
                Ok(Lenient(Some(text.to_owned())))
            }

            fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Lenient, E> {
                Ok(Lenient(Some(truth.to_string())))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Lenient, E> {
                Ok(Lenient(Some(number.to_string())))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Lenient, E> {
                Ok(Lenient(Some(number.to_string())))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Lenient, E> {
                Ok(Lenient(Some(number.to_string())))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Lenient, E> {
                Ok(Lenient(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Lenient, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Lenient(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Lenient, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Lenient(None))
            }
        }

        deserializer.deserialize_any(AnyText)
    }
}

/// An array of strings; anything else is empty.
pub(super) struct LenientList(pub(super) Vec<String>);

impl<'de> de::Deserialize<'de> for LenientList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LenientList, D::Error> {
        struct AnyList;

        impl<'de> Visitor<'de> for AnyList {
            type Value = LenientList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of strings")
            }

            fn visit_unit<E: de::Error>(self) -> Result<LenientList, E> {
                Ok(LenientList(Vec::new()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<LenientList, E> {
                Ok(LenientList(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<LenientList, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = items.next_element::<Lenient>()? {
                    texts.extend(text.0);
                }
                Ok(LenientList(texts))
            }
        }

        deserializer.deserialize_any(AnyList)
    }
}
