use core::ops::Deref;

use garde::Validate;
use garde::rules::length::simple::HasSimpleLength;
use garde::util::nested_path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A list of nested structs: as lean as a boxed slice, and each entry is validated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct List<T>(Box<[T]>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(entries: Vec<T>) -> Self {
        Self(entries.into())
    }
}

impl<T> HasSimpleLength for List<T> {
    fn length(&self) -> usize {
        self.0.len()
    }
}

impl<T: Validate> Validate for List<T> {
    type Context = T::Context;

    fn validate_into(
        &self,
        context: &T::Context,
        mut parent: &mut dyn FnMut() -> garde::Path,
        report: &mut garde::Report,
    ) {
        for (index, entry) in self.0.iter().enumerate() {
            let mut path = nested_path!(parent, index);
            entry.validate_into(context, &mut path, report);
        }
    }
}
