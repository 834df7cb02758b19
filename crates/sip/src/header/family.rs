//! Families of headers that differ in their name only.

/// A header that is one name and address with parameters.
macro_rules! name_addr_header {
    ($(#[$doc:meta])* $id:ident, list: $list:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $id(pub $crate::header::NameAddr);

        impl $crate::header::Header for $id {
            const NAME: $crate::header::HeaderName = $crate::header::HeaderName::$id;
            const LIST: bool = $list;

            fn parse(value: &str) -> Result<Self, $crate::header::HeaderFault> {
                $crate::header::NameAddr::parse(value).map(Self)
            }
        }

        impl core::ops::Deref for $id {
            type Target = $crate::header::NameAddr;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl core::ops::DerefMut for $id {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.0
            }
        }

        impl core::fmt::Display for $id {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

/// A header that is a challenge of digest authentication, or the answer to one.
macro_rules! digest_header {
    ($(#[$doc:meta])* $id:ident($inner:ty), $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $id(pub $inner);

        impl $crate::header::Header for $id {
            const NAME: $crate::header::HeaderName = $crate::header::HeaderName::$id;

            fn parse(value: &str) -> Result<Self, $crate::header::HeaderFault> {
                $parse(value).map(Self)
            }
        }

        impl core::fmt::Display for $id {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

/// A header that is one number.
macro_rules! number_header {
    ($(#[$doc:meta])* $id:ident, $number:ty) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize,
            serde::Deserialize,
        )]
        pub struct $id(pub $number);

        impl $crate::header::Header for $id {
            const NAME: $crate::header::HeaderName = $crate::header::HeaderName::$id;

            fn parse(value: &str) -> Result<Self, $crate::header::HeaderFault> {
                $crate::text::number($crate::text::trim(value)).map(Self)
            }
        }

        impl core::fmt::Display for $id {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

/// A header that is a list of tokens; the type is one whole line.
macro_rules! tokens_header {
    ($(#[$doc:meta])* $id:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $id(pub Vec<Box<str>>);

        impl $id {
            /// Is the token there?
            #[must_use]
            pub fn has(&self, token: &str) -> bool {
                self.0.iter().any(|other| other.eq_ignore_ascii_case(token))
            }
        }

        impl $crate::header::Header for $id {
            const NAME: $crate::header::HeaderName = $crate::header::HeaderName::$id;

            fn parse(value: &str) -> Result<Self, $crate::header::HeaderFault> {
                $crate::header::family::tokens(value).map(Self)
            }
        }

        impl core::fmt::Display for $id {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&self.0.join(", "))
            }
        }
    };
}

/// A header whose value is kept as text.
macro_rules! text_header {
    ($(#[$doc:meta])* $id:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize,
            serde::Deserialize,
        )]
        pub struct $id(pub Box<str>);

        impl $crate::header::Header for $id {
            const NAME: $crate::header::HeaderName = $crate::header::HeaderName::$id;

            fn parse(value: &str) -> Result<Self, $crate::header::HeaderFault> {
                Ok(Self($crate::text::trim(value).into()))
            }
        }

        impl core::fmt::Display for $id {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Reads the tokens of a line; an empty line has none.
pub(super) fn tokens(value: &str) -> Result<Vec<Box<str>>, super::HeaderFault> {
    if crate::text::trim(value).is_empty() {
        return Ok(Vec::new());
    }
    let mut tokens = Vec::new();
    for token in crate::text::list(value) {
        if !crate::text::is_token(token) {
            return Err(super::HeaderFault::Syntax);
        }
        if tokens.len() == crate::limits::LIST {
            return Err(super::HeaderFault::TooMany);
        }
        tokens.push(token.into());
    }
    Ok(tokens)
}
