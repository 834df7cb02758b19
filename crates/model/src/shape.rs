//! What the schemas say of bodies, compiled once: which fields there are, which are required,
//! what values they take, and which of them refer to what. Bodies are judged against this before
//! they are read, so that a refusal names the field and what it allows.

use std::sync::LazyLock;

use jackfield_vocabulary::{Code, ObjectId, Refusal};
use serde_json::{Map, Value};

use crate::sign::{refuse_blank, refuse_hidden};
use crate::{Directory, Kind, Pattern, clause, closest};

/// What a value is.
#[derive(Debug)]
enum Shape {
    Struct(Vec<Field>),
    /// The minimum is told; the rules refuse what is below it, in words of their own.
    List {
        entry: Box<Shape>,
        minimum: u64,
        maximum: Option<u64>,
        nullable: bool,
    },
    Reference {
        kind: Kind,
        nullable: bool,
        default: Option<Box<str>>,
    },
    Integer {
        minimum: i64,
        maximum: i64,
        nullable: bool,
    },
    Text {
        minimum: u64,
        maximum: u64,
        nullable: bool,
    },
    Pattern {
        nullable: bool,
    },
    Choice(Vec<Box<str>>),
    Flag,
    Other,
}

#[derive(Debug)]
struct Field {
    name: Box<str>,
    required: bool,
    shape: Shape,
}

impl Field {
    fn is_needed(&self) -> bool {
        self.required || self.shape.default().is_some()
    }
}

struct Compiled {
    schema: Value,
    shape: Shape,
}

static COMPILED: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    Kind::ALL
        .iter()
        .map(|kind| {
            let mut schema = Value::from(kind.schema());
            clause::take_out(&mut schema);
            let shape = Shape::compile(&schema, &schema["$defs"]);
            Compiled { schema, shape }
        })
        .collect()
});

fn compiled(kind: Kind) -> &'static Compiled {
    let at = Kind::ALL.iter().position(|one| *one == kind);
    &COMPILED[at.expect("every kind is in the registry")]
}

impl Kind {
    /// The JSON Schema of the kind, made once.
    pub fn schema_value(self) -> &'static Value {
        &compiled(self).schema
    }
}

/// The references in a body of this kind: (field path, object).
pub fn references_of(kind: Kind, body: &Value) -> Vec<(String, ObjectId)> {
    let mut found = Vec::new();
    compiled(kind).shape.references(body, &mut String::new(), &mut found);
    found
}

/// Whether bodies of `from` can refer to objects of `to`.
pub(crate) fn refers_to(from: Kind, to: Kind) -> bool {
    compiled(from).shape.refers_to(to)
}

/// Judges a body's fields by the schema and turns references by name into ids.
pub(crate) fn judge(kind: Kind, body: &mut Value, directory: &Directory) -> Result<(), Refusal> {
    compiled(kind).shape.judge(body, &mut String::new(), directory)
}

/// What a text means as a value of the field at this path, where values are compared: the object,
/// where the field is a reference. Refuses what no object of the kind can have there.
pub fn meant(
    kind: Kind,
    path: &[String],
    text: &str,
    directory: &Directory,
) -> Result<Option<ObjectId>, Refusal> {
    let (shape, below) = walk(kind, path)?;
    // Nothing at all is a value everywhere; below a reference are its id and name.
    if text.is_empty() || !below.is_empty() {
        return Ok(None);
    }
    let mut value = match shape {
        Shape::Reference { .. } => Value::from(text),
        Shape::Choice(_) => Value::from(text.to_lowercase()),
        Shape::Flag | Shape::Integer { .. } => {
            serde_json::from_str(&text.to_lowercase()).unwrap_or_else(|_| text.into())
        }
        _ => return Ok(None),
    };
    shape.judge(&mut value, &mut path.join("."), directory)?;
    let is_reference = matches!(shape, Shape::Reference { .. });
    let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
    Ok(id.map(ObjectId).filter(|_| is_reference))
}

/// The path by which values are compared. Where a path ends at objects that name something, as the
/// lines of a phone, that is the field by which they do. Refuses what has no such field.
pub fn compared(kind: Kind, path: &[String]) -> Result<Vec<String>, Refusal> {
    let (Shape::Struct(fields), _) = walk(kind, path)? else { return Ok(path.to_vec()) };
    let below = |field: &Field| [path, &[field.name.to_string()]].concat();
    let names = |field: &&Field| field.required && matches!(field.shape, Shape::Reference { .. });
    fields.iter().find(names).map(below).ok_or_else(|| {
        let allowed = fields.iter().map(|field| below(field).join(".")).collect::<Vec<_>>();
        let refusal = Refusal::new(Code::InvalidValue).field(path.join("."));
        refusal.value("rule", "fields-of").value("allowed", allowed.join(", "))
    })
}

/// The shape to which a path leads past lists, and what of the path is left below it.
fn walk(kind: Kind, path: &[String]) -> Result<(&'static Shape, &[String]), Refusal> {
    let (mut shape, mut rest) = (&compiled(kind).shape, path);
    loop {
        match (shape, rest) {
            (Shape::List { entry, .. }, _) => shape = entry,
            (Shape::Struct(fields), [name, below @ ..]) => {
                let found = fields.iter().find(|field| *field.name == **name);
                let Some(field) = found else { return Err(unknown_field(fields, name, path)) };
                (shape, rest) = (&field.shape, below);
            }
            _ => return Ok((shape, rest)),
        }
    }
}

fn unknown_field(fields: &[Field], name: &str, path: &[String]) -> Refusal {
    let names = || fields.iter().map(|field| &*field.name);
    let refusal = Refusal::new(Code::UnknownField).field(path.join("."));
    let refusal = refusal.value("allowed", names().collect::<Vec<_>>().join(", "));
    similar(refusal, closest(name, names()))
}

/// Names what was meant, where something is near.
fn similar(refusal: Refusal, meant: Option<&str>) -> Refusal {
    match meant {
        Some(meant) => refusal.value("similar", meant),
        None => refusal,
    }
}

impl Shape {
    fn compile(schema: &Value, definitions: &Value) -> Self {
        let nullable =
            schema["type"].as_array().is_some_and(|types| types.contains(&"null".into()));
        if let Some(definition) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            return Self::compile(&definitions[definition], definitions);
        }
        if let Some(kind) = schema["x-reference"].as_str() {
            let kind = kind.parse().expect("schemas name kinds of the registry");
            let default = schema["default"].as_str().map(Box::from);
            return Self::Reference { kind, nullable, default };
        }
        if let Some(choices) = choices(schema) {
            return Self::Choice(choices);
        }
        match kind_of_type(schema) {
            Some("object") => Self::of_object(schema, definitions),
            Some("array") => Self::List {
                entry: Self::compile(&schema["items"], definitions).into(),
                minimum: schema["minItems"].as_u64().unwrap_or(0),
                maximum: schema["maxItems"].as_u64(),
                nullable,
            },
            Some("integer") => Self::Integer {
                minimum: schema["minimum"].as_i64().unwrap_or(i64::MIN),
                maximum: schema["maximum"].as_i64().unwrap_or(limit(schema["format"].as_str())),
                nullable,
            },
            Some("string") if schema["x-form"] == "pattern" => Self::Pattern { nullable },
            Some("string") => Self::Text {
                minimum: schema["minLength"].as_u64().unwrap_or(0),
                maximum: schema["maxLength"].as_u64().unwrap_or(u64::MAX),
                nullable,
            },
            Some("boolean") => Self::Flag,
            _ => Self::Other,
        }
    }

    fn of_object(schema: &Value, definitions: &Value) -> Self {
        let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        let field = |(name, schema): (&String, &Value)| Field {
            name: name.as_str().into(),
            required: required.contains(&Value::from(name.as_str())),
            shape: Self::compile(schema, definitions),
        };
        let properties = schema["properties"].as_object();
        Self::Struct(properties.into_iter().flatten().map(field).collect())
    }

    fn references(&self, value: &Value, path: &mut String, found: &mut Vec<(String, ObjectId)>) {
        match (self, value) {
            (Self::Struct(fields), Value::Object(object)) => {
                for field in fields.iter().filter(|field| field.shape.has_references()) {
                    if let Some(value) = object.get(&*field.name) {
                        below(path, &field.name, |path| field.shape.references(value, path, found));
                    }
                }
            }
            (Self::List { entry, .. }, Value::Array(entries)) if entry.has_references() => {
                for (index, value) in entries.iter().enumerate() {
                    at(path, index, |path| entry.references(value, path, found));
                }
            }
            (Self::Reference { .. }, value) => {
                let id = value.as_u64().and_then(|id| u32::try_from(id).ok());
                found.extend(id.map(|id| (path.clone(), ObjectId(id))));
            }
            _ => {}
        }
    }

    fn has_references(&self) -> bool {
        match self {
            Self::Struct(fields) => fields.iter().any(|field| field.shape.has_references()),
            Self::List { entry, .. } => entry.has_references(),
            shape => matches!(shape, Self::Reference { .. }),
        }
    }

    fn refers_to(&self, to: Kind) -> bool {
        match self {
            Self::Struct(fields) => fields.iter().any(|field| field.shape.refers_to(to)),
            Self::List { entry, .. } => entry.refers_to(to),
            Self::Reference { kind, .. } => *kind == to,
            _ => false,
        }
    }

    fn judge(
        &self,
        value: &mut Value,
        path: &mut String,
        known: &Directory,
    ) -> Result<(), Refusal> {
        if value.is_null() && self.is_nullable() {
            return Ok(());
        }
        if let (Self::Text { minimum, .. }, Value::String(text)) = (self, &*value) {
            refuse_hidden(path, text)?;
            if *minimum > 0 {
                refuse_blank(path, text)?;
            }
        }
        let fits = match (self, &mut *value) {
            (Self::Struct(fields), Value::Object(object)) => {
                return judge_struct(fields, object, path, known);
            }
            (Self::List { entry, maximum, .. }, Value::Array(entries)) => {
                for (index, value) in entries.iter_mut().enumerate() {
                    at(path, index, |path| entry.judge(value, path, known))?;
                }
                if matches!(**entry, Self::Reference { .. }) {
                    refuse_twice(entries, path, known)?;
                }
                maximum.is_none_or(|maximum| entries.len() as u64 <= maximum)
            }
            (Self::Reference { kind, .. }, value) => return refer(*kind, value, path, known),
            (Self::Integer { minimum, maximum, .. }, Value::Number(number)) => {
                number.as_i64().is_some_and(|number| (*minimum..=*maximum).contains(&number))
            }
            (Self::Text { minimum, maximum, .. }, Value::String(text)) => {
                (*minimum..=*maximum).contains(&(text.chars().count() as u64))
            }
            (Self::Pattern { .. }, Value::String(text)) => text.parse::<Pattern>().is_ok(),
            (Self::Choice(choices), Value::String(text)) => {
                choices.iter().any(|choice| **choice == **text)
            }
            (Self::Flag, Value::Bool(_)) | (Self::Other, _) => true,
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let refusal = invalid(path, value, &self.allowed());
        Err(match (self, value.as_str()) {
            (Self::Choice(choices), Some(text)) => {
                similar(refusal, closest(text, choices.iter().map(|choice| &**choice)))
            }
            _ => refusal,
        })
    }

    fn is_nullable(&self) -> bool {
        match self {
            Self::List { nullable, .. }
            | Self::Reference { nullable, .. }
            | Self::Integer { nullable, .. }
            | Self::Pattern { nullable }
            | Self::Text { nullable, .. } => *nullable,
            Self::Other => true,
            Self::Struct(_) | Self::Choice(_) | Self::Flag => false,
        }
    }

    /// The object that a reference means where nobody chooses: its kind and name.
    fn default(&self) -> Option<(Kind, &str)> {
        match self {
            Self::Reference { kind, default: Some(name), .. } => Some((*kind, name)),
            _ => None,
        }
    }

    /// What the value may be, in a form without language: `1..20`, `length 1..64`, `a | b`.
    fn allowed(&self) -> String {
        match self {
            Self::Struct(_) => "{ }".into(),
            Self::List { minimum, maximum: Some(maximum), .. } => {
                format!("[ ] {minimum}..{maximum}")
            }
            Self::List { maximum: None, .. } => "[ ]".into(),
            Self::Reference { kind, .. } => kind.to_string(),
            Self::Integer { minimum: i64::MIN, maximum: i64::MAX, .. } => "integer".into(),
            Self::Integer { minimum, maximum: i64::MAX, .. } => format!("{minimum}.."),
            Self::Integer { minimum, maximum, .. } => format!("{minimum}..{maximum}"),
            Self::Text { minimum, maximum: u64::MAX, .. } => format!("length {minimum}.."),
            Self::Text { minimum, maximum, .. } => format!("length {minimum}..{maximum}"),
            Self::Pattern { .. } => Pattern::FORM.into(),
            Self::Choice(choices) => choices.join(" | "),
            Self::Flag => "true | false".into(),
            Self::Other => "*".into(),
        }
    }
}

/// In a list of objects each stands once.
fn refuse_twice(entries: &[Value], path: &mut String, known: &Directory) -> Result<(), Refusal> {
    let twice = (1..entries.len()).find(|index| entries[..*index].contains(&entries[*index]));
    let Some(index) = twice else { return Ok(()) };
    let id = entries[index].as_u64().and_then(|id| u32::try_from(id).ok()).map(ObjectId);
    let name = id.and_then(|id| known.label(id)).unwrap_or_default();
    let refusal = Refusal::new(Code::Duplicate).value("rule", "twice").value("name", name);
    at(path, index, |path| Err(refusal.field(&**path)))
}

fn judge_struct(
    fields: &[Field],
    object: &mut Map<String, Value>,
    path: &mut String,
    known: &Directory,
) -> Result<(), Refusal> {
    for name in object.keys() {
        if !fields.iter().any(|field| *field.name == **name) {
            return below(path, name, |path| {
                Err(unknown_field(fields, name, core::slice::from_ref(path)))
            });
        }
    }
    for field in fields {
        if let Some(default) = field.shape.default().filter(|_| !object.contains_key(&*field.name))
        {
            // When nothing has that name, the field is missing after all.
            let (kind, name) = default;
            let id = known.find(kind, name).map(|id| Value::from(id.0));
            object.extend(id.map(|id| (field.name.to_string(), id)));
        }
        match object.get_mut(&*field.name) {
            Some(value) => {
                below(path, &field.name, |path| field.shape.judge(value, path, known))?;
            }
            None if field.is_needed() => {
                return below(path, &field.name, |path| {
                    Err(Refusal::new(Code::MissingField).field(path.as_str()))
                });
            }
            None => {}
        }
    }
    Ok(())
}

/// Turns a name into an id, and sees that the id is of the right kind.
fn refer(kind: Kind, value: &mut Value, path: &str, known: &Directory) -> Result<(), Refusal> {
    let id = match &*value {
        Value::Number(number) => number
            .as_u64()
            .and_then(|id| u32::try_from(id).ok())
            .map(ObjectId)
            .filter(|id| known.entry(*id).is_some_and(|entry| entry.body.kind() == kind)),
        Value::String(name) => known.by_name(kind, name).map_err(|refusal| refusal.field(path))?,
        _ => return Err(invalid(path, value, kind.name())),
    };
    let Some(id) = id else {
        let name = value.as_str().map_or_else(|| value.to_string(), Into::into);
        let refusal = Refusal::new(Code::UnknownReference).field(path);
        let refusal = refusal.value("kind", kind).value("name", &name);
        return Err(similar(refusal, known.similar_name(kind, &name).as_deref()));
    };
    *value = id.0.into();
    Ok(())
}

fn invalid(path: &str, found: &Value, allowed: &str) -> Refusal {
    let found: String = found.to_string().chars().take(100).collect();
    Refusal::new(Code::InvalidValue).field(path).value("found", found).value("allowed", allowed)
}

/// Goes into a field, and comes back.
fn below<R>(path: &mut String, field: &str, inside: impl FnOnce(&mut String) -> R) -> R {
    let length = path.len();
    if length > 0 {
        path.push('.');
    }
    path.push_str(field);
    let result = inside(path);
    path.truncate(length);
    result
}

/// Goes into an entry of a list, and comes back.
fn at<R>(path: &mut String, index: usize, inside: impl FnOnce(&mut String) -> R) -> R {
    let length = path.len();
    path.push_str(&format!("[{index}]"));
    let result = inside(path);
    path.truncate(length);
    result
}

/// The words that an enumeration takes.
fn choices(schema: &Value) -> Option<Vec<Box<str>>> {
    let word = |value: &Value| value.as_str().map(Box::from);
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(word).collect();
    }
    let variants = schema["oneOf"].as_array()?;
    variants
        .iter()
        .map(|variant| match variant["enum"].as_array() {
            Some(words) => words.iter().map(word).collect::<Option<Vec<_>>>(),
            None => word(&variant["const"]).map(|word| vec![word]),
        })
        .collect::<Option<Vec<_>>>()
        .map(|words| words.concat())
}

/// The type of a schema besides `null`.
fn kind_of_type(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::String(name) => Some(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    }
}

fn limit(format: Option<&str>) -> i64 {
    match format {
        Some("uint8") => u8::MAX.into(),
        Some("uint16") => u16::MAX.into(),
        Some("uint32") => u32::MAX.into(),
        _ => i64::MAX,
    }
}
