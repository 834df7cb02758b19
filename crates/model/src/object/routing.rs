use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::registry::declare;
use crate::{Pattern, Ref, Text};

/// A set of dialable numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Partition {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// What it is for, up to 128 characters.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub description: Text,
}

declare!(
    Partition,
    |partition| partition.name.clone(),
    sought | partition | vec![(&partition.description).into()]
);

/// An ordered list of partitions that a caller may reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct CallingSearchSpace {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// What it is for, up to 128 characters.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub description: Text,
    /// The partitions, up to 64; of equally good matches the one in the first partition wins.
    #[garde(length(max = 64))]
    pub partitions: Box<[Ref<Partition>]>,
}

declare!(
    CallingSearchSpace,
    |css| css.name.clone(),
    sought | css | vec![(&css.description).into()]
);

/// What a route pattern does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PatternUse {
    /// Refuses it: the caller hears reorder.
    Block,
    /// Sends it to another internal number, in the calling search space of the pattern.
    Redirect,
}

/// A pattern of dialled numbers that are no lines; no digit is translated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct RoutePattern {
    /// The pattern: digits, `X` for any digit, `[1-4]`, `[^5]`, and `!` for one or more digits at the
    /// end.
    #[garde(skip)]
    pub pattern: Pattern,
    /// Its partition; none means that every calling search space reaches it.
    #[serde(default)]
    #[garde(skip)]
    pub partition: Option<Ref<Partition>>,
    /// What it is for, up to 128 characters.
    #[serde(default)]
    #[garde(length(chars, max = 128))]
    pub description: Text,
    /// What is done with the call.
    #[garde(skip)]
    pub does: PatternUse,
    /// Where `redirect` sends it, 1 to 32 digits.
    #[serde(default)]
    #[garde(length(chars, max = 32))]
    pub destination: Text,
    /// The calling search space in which `destination` is looked up.
    #[serde(default)]
    #[garde(skip)]
    pub css: Option<Ref<CallingSearchSpace>>,
    /// A number for emergencies: new phones may dial it too (SP-43).
    #[serde(default)]
    #[garde(skip)]
    pub emergency: bool,
}

declare!(
    RoutePattern,
    |route| crate::pattern_name(route.pattern.as_str(), route.partition.map(Ref::id)),
    unique | route | vec![crate::number_key(route.pattern.as_str(), route.partition.map(Ref::id))],
    sought | route | vec![(&route.description).into(), (&route.destination).into()]
);
