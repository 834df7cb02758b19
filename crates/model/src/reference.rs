use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;
use std::borrow::Cow;

use jackfield_vocabulary::ObjectId;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::Declared;

/// A reference to an object of one kind; its schema says so (`x-reference`).
pub struct Ref<T> {
    id: ObjectId,
    kind: PhantomData<fn() -> T>,
}

impl<T> Ref<T> {
    /// Refers to the object with this id.
    pub const fn new(id: ObjectId) -> Self {
        Self { id, kind: PhantomData }
    }

    /// The object's id.
    pub const fn id(self) -> ObjectId {
        self.id
    }
}

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ref<T> {}

impl<T> PartialEq for Ref<T> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<T> Eq for Ref<T> {}

impl<T> PartialOrd for Ref<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Ref<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id.cmp(&other.id)
    }
}

impl<T> Hash for Ref<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl<T> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ref({})", self.id)
    }
}

impl<T> Serialize for Ref<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.id.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Ref<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ObjectId::deserialize(deserializer).map(Self::new)
    }
}

/// For the schema of a struct: a reference whose schema names a default need not be given.
pub(crate) fn needless_where_default(schema: &mut Schema) {
    let Some(schema) = schema.as_object_mut() else { return };
    let properties = schema.get("properties").cloned().unwrap_or_default();
    let is_needed = |name: &Value| {
        let name = name.as_str().unwrap_or_default();
        properties[name]["default"].is_null()
    };
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(is_needed);
    }
}

impl<T: Declared> JsonSchema for Ref<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("reference-to-{}", T::KIND.name()).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "minimum": 1,
            "x-reference": T::KIND.name(),
        })
    }
}
