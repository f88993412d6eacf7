//! Lets a serde visitor read a value into what it borrows.

/// Makes a visitor its own seed: `$method` of the deserializer calls it, after the number of elements of a tuple.
macro_rules! seed {
    ($visitor:ty, $value:ty, $method:ident $(, $n:literal)?) => {
        impl<'de> serde::de::DeserializeSeed<'de> for $visitor {
            type Value = $value;

            fn deserialize<D: serde::de::Deserializer<'de>>(self, deserializer: D) -> Result<$value, D::Error> {
                deserializer.$method($($n,)? self)
            }
        }
    };
}

pub(crate) use seed;
