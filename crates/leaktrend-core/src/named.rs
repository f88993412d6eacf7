//! Enumerations whose values have names in reports and files: each name is written once, beside its value and what it
//! means.

/// An enumeration that was made by [`named!`](crate::named!).
pub trait Named: Copy + 'static {
    /// The name of the type, and what it is.
    const TYPE: (&'static str, &'static str);
    /// The names of the values, each with what it means.
    const VALUES: &'static [(&'static str, &'static str)];

    /// The name of a value in reports and files.
    fn name(self) -> &'static str;
}

/// Makes an enumeration of values with names. The doc comments are a part of the JSON Schema.
#[macro_export]
macro_rules! named {
    (
        $(#[doc = $about:literal])+
        $(#[derive($($derived:path),+)])?
        $(#[serde($($serde:tt)+)])?
        pub enum $type:ident {
            $($(#[doc = $meaning:literal])+ $value:ident = $name:literal,)+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $(#[derive($($derived),+)])?
        $(#[serde($($serde)+)])?
        pub enum $type {
            $($(#[doc = $meaning])+ $value,)+
        }

        impl $type {
            /// All of them, in their order.
            pub const ALL: &'static [$type] = &[$($type::$value),+];

            /// The name in reports and files.
            pub const fn name(self) -> &'static str {
                match self {
                    $($type::$value => $name,)+
                }
            }
        }

        impl $crate::named::Named for $type {
            const TYPE: (&'static str, &'static str) = (stringify!($type), concat!($($about),+));
            const VALUES: &'static [(&'static str, &'static str)] = &[$(($name, concat!($($meaning),+))),+];

            fn name(self) -> &'static str {
                $type::name(self)
            }
        }
    };
}
