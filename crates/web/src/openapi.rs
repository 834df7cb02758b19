//! The OpenAPI 3.1 document, made from the endpoint table and the declarations of the kinds. It
//! is checked in as `docs/openapi.json`, for people; a test rewrites it.

use std::sync::LazyLock;

use jackfield_model::{Kind, Privilege};
use serde_json::{Map, Value, json};

use crate::endpoint::{Endpoint, Needs, Shape, endpoints};

/// The document.
pub(crate) fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(build);
    &DOCUMENT
}

fn build() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in endpoints() {
        let path = paths.entry(endpoint.path.clone()).or_insert_with(|| json!({}));
        path[endpoint.method.as_str().to_lowercase()] = operation(endpoint);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Jackfield",
            "version": "1",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": "Administration of Jackfield. References are shown as {id, name} and \
                taken as id, name or that object. Sign in with POST /sessions and send the token \
                as `Authorization: Bearer`. Texts come in the language of `Accept-Language` (en, \
                ja). `Idempotency-Key` (32 hexadecimal digits) makes a change safe to send again.",
        },
        "servers": [{ "url": "/api/v1" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "responses": {
                "Refusal": {
                    "description": "What was refused, by which rule, and what would change it.",
                    "content": content(json!({ "$ref": "#/components/schemas/Refusal" })),
                },
            },
        },
    })
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut operation = json!({
        "operationId": operation_id(endpoint),
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": description(endpoint.needs),
        "parameters": parameters(endpoint),
        "responses": responses(endpoint),
    });
    if let Some(body) = schema(endpoint.body) {
        let patch = endpoint.method == axum::http::Method::PATCH;
        let media = if patch { "application/merge-patch+json" } else { "application/json" };
        operation["requestBody"] =
            json!({ "required": true, "content": { media: { "schema": body } } });
    }
    if endpoint.needs == Needs::Nothing {
        operation["security"] = json!([]);
    }
    operation
}

fn operation_id(endpoint: &Endpoint) -> String {
    let words = endpoint.path.split(['/', '-', '.']).filter(|word| !word.is_empty());
    words.fold(endpoint.method.as_str().to_lowercase(), |id, word| {
        id + "_" + word.trim_matches(['{', '}'])
    })
}

fn description(needs: Needs) -> String {
    let named = |privilege: Privilege| {
        serde_json::to_value(privilege)
            .ok()
            .and_then(|name| name.as_str().map(ToOwned::to_owned))
            .unwrap_or_default()
    };
    match needs {
        Needs::Nothing => "Needs no token.".into(),
        Needs::Account => "Needs a token.".into(),
        Needs::Privilege(privilege) => format!("Needs the privilege `{}`.", named(privilege)),
        Needs::Own(privilege) => {
            format!("Needs the privilege `{}`, or is about the own account.", named(privilege))
        }
    }
}

fn parameters(endpoint: &Endpoint) -> Vec<Value> {
    let in_path = endpoint.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        Some(json!({
            "name": name, "in": "path", "required": true, "schema": { "type": "string" },
        }))
    });
    let in_query = endpoint.query.iter().map(|(name, help)| {
        json!({ "name": name, "in": "query", "description": help, "schema": { "type": "string" } })
    });
    let mut parameters = in_path.chain(in_query).collect::<Vec<_>>();
    let many = endpoint.query.iter().any(|(name, _)| *name == "all");
    if endpoint.kind.is_some() && changes(endpoint) && !many {
        parameters.push(json!({
            "name": "If-Match", "in": "header", "schema": { "type": "string" },
            "description": "The version that was read; a later one refuses the change.",
        }));
    }
    parameters
}

fn changes(endpoint: &Endpoint) -> bool {
    matches!(endpoint.method.as_str(), "PUT" | "PATCH" | "DELETE")
}

fn responses(endpoint: &Endpoint) -> Value {
    let made = endpoint.kind.is_some() && endpoint.method == axum::http::Method::POST;
    let (status, description) = match endpoint.answer {
        Shape::Nothing => ("204", "Done."),
        _ if made => ("201", "Made."),
        _ => ("200", "Done."),
    };
    let mut response = json!({ "description": description });
    if let Some(answer) = schema(endpoint.answer) {
        response["content"] = content(answer);
    }
    json!({ status: response, "default": { "$ref": "#/components/responses/Refusal" } })
}

fn content(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

fn schema(shape: Shape) -> Option<Value> {
    let of = |name: String| json!({ "$ref": format!("#/components/schemas/{name}") });
    match shape {
        Shape::Nothing => None,
        Shape::Object(kind) => Some(of(kind.name().into())),
        Shape::Shown(kind) => Some(of(format!("{kind}-shown"))),
        Shape::Page(kind) => Some(json!({
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": { "type": "array", "items": of(format!("{kind}-shown")) },
                "next": {
                    "type": ["string", "null"],
                    "description": "The `cursor` of the next page; null on the last.",
                },
            },
        })),
        Shape::Schema(text) => serde_json::from_str(text).ok(),
    }
}

fn schemas() -> Value {
    let mut schemas = Map::new();
    for kind in Kind::ALL {
        let object = declared(*kind, &mut schemas);
        schemas.insert(kind.name().into(), object);
        schemas.insert(format!("{kind}-shown"), shown(*kind));
    }
    schemas.insert("Refusal".into(), refusal());
    schemas.insert("Reference".into(), reference());
    schemas.into()
}

/// A kind's declaration, its definitions moved beside it.
fn declared(kind: Kind, schemas: &mut Map<String, Value>) -> Value {
    let mut object = kind.schema_value().clone();
    if let Value::Object(fields) = &mut object {
        fields.shift_remove("$schema");
        if let Some(Value::Object(definitions)) = fields.shift_remove("$defs") {
            for (name, mut definition) in definitions {
                moved(&mut definition);
                schemas.insert(name, definition);
            }
        }
    }
    moved(&mut object);
    object
}

/// Points to where definitions are now; a reference is taken in three forms.
fn moved(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(to)) = fields.get_mut("$ref") {
                *to = to.replace("#/$defs/", "#/components/schemas/");
            }
            if let Some(kind) = fields.get("x-reference").cloned() {
                fields.shift_remove("type");
                fields.shift_remove("minimum");
                fields.shift_remove("format");
                fields.insert("$ref".into(), "#/components/schemas/Reference".into());
                fields.insert("x-reference".into(), kind);
            }
            fields.values_mut().for_each(moved);
        }
        Value::Array(entries) => entries.iter_mut().for_each(moved),
        _ => {}
    }
}

fn shown(kind: Kind) -> Value {
    let mut shown = plainly_shown(kind);
    let properties = &mut shown["allOf"][0]["properties"];
    match kind {
        Kind::EndUser => {
            properties["user_profile_in_force"] = json!({
                "type": ["object", "null"],
                "description": "The user's own profile, or the system's default.",
            });
        }
        Kind::Line => {
            properties["in_use"] = json!({
                "type": "boolean",
                "description": "A device has it, or it is somebody's primary extension.",
            });
        }
        _ => {}
    }
    shown
}

fn plainly_shown(kind: Kind) -> Value {
    json!({
        "allOf": [
            {
                "type": "object",
                "required": ["id", "version", "kind"],
                "properties": {
                    "id": { "type": "integer" },
                    "version": { "type": "integer" },
                    "kind": { "const": kind.name() },
                    "takes": {
                        "type": "string",
                        "description": "What the change needs before it shows.",
                    },
                    "warnings": {
                        "type": "array",
                        "items": { "type": "string" },
                        "description": "What was most likely not meant, and what does nothing yet in this release.",
                    },
                },
            },
            { "$ref": format!("#/components/schemas/{kind}") },
        ],
    })
}

fn refusal() -> Value {
    let text = json!({ "type": "string" });
    let optional = json!({ "type": ["string", "null"] });
    json!({
        "type": "object",
        "required": ["request_id", "code", "message"],
        "properties": {
            "request_id": text, "code": text, "message": text, "field": optional,
            "object": optional, "remedy": text, "values": { "type": "object" },
            "rows": {
                "type": "array",
                "items": { "type": "object" },
                "description": "Where many objects were to be changed: each that is refused.",
            },
            "answers": {
                "type": "array",
                "items": { "type": "object" },
                "description": "Where the refusal is a question: what can be answered.",
            },
        },
    })
}

fn reference() -> Value {
    json!({
        "description": "A reference: shown as {id, name}, taken as id, name or that object.",
        "oneOf": [
            { "type": "integer", "minimum": 1 },
            { "type": "string" },
            {
                "type": "object",
                "properties": { "id": { "type": "integer" }, "name": { "type": "string" } },
            },
            { "type": "null" },
        ],
    })
}
