//! A request as the handlers of the endpoint table see it, and their answer.

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jackfield_model::{Actor, Kind, Language, Privilege};
use jackfield_vocabulary::{Code, OperationId, Refusal, SecretText};
use serde_json::Value;

use crate::app::App;
use crate::fault::Fault;
use crate::session::Signed;

/// A request, checked: whoever makes it may.
pub(crate) struct Call {
    pub(crate) app: App,
    /// The kind that the endpoint's row is about.
    pub(crate) kind: Option<Kind>,
    /// What the endpoint does, as the audit calls it.
    pub(crate) deed: &'static str,
    pub(crate) who: Option<Signed>,
    pub(crate) privileges: BTreeSet<Privilege>,
    pub(crate) address: IpAddr,
    pub(crate) language: Language,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) version: Option<u32>,
    pub(crate) operation: Option<OperationId>,
    pub(crate) body: Value,
}

/// What a handler answers.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    body: Value,
    /// In place of the body: JSON that was written once and is the same for everybody.
    written: Option<Bytes>,
    version: Option<u32>,
    location: Option<String>,
}

impl Call {
    /// A part of the path.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// A parameter of the query; the last of several.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// A number in the query.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let parse = |text: &str| {
            text.parse().map_err(|_| {
                Refusal::new(Code::InvalidValue)
                    .field(name)
                    .value("found", text)
                    .value("allowed", "0, 1, 2, …")
            })
        };
        self.query(name).map(parse).transpose()
    }

    /// How many entries a page shall have.
    pub(crate) fn limit(&self) -> Result<usize, Refusal> {
        let limit = self.number("limit")?.unwrap_or(100);
        match usize::try_from(limit) {
            Ok(limit) if (1..=MOST_ENTRIES).contains(&limit) => Ok(limit),
            _ => Err(Refusal::new(Code::InvalidValue)
                .field("limit")
                .value("found", limit)
                .value("allowed", format!("1..{MOST_ENTRIES}"))),
        }
    }

    /// A text that the body must hold.
    pub(crate) fn text(&self, field: &str) -> Result<&str, Refusal> {
        match &self.body[field] {
            Value::String(text) => Ok(text),
            Value::Null => Err(Refusal::new(Code::MissingField).field(field)),
            found => Err(Refusal::new(Code::InvalidValue)
                .field(field)
                .value("found", found)
                .value("allowed", "text")),
        }
    }

    /// A secret that the body must hold; its value stands in no refusal.
    pub(crate) fn secret(&self, field: &str) -> Result<SecretText, Refusal> {
        match &self.body[field] {
            Value::String(text) => Ok(SecretText::new(text.as_str())),
            Value::Null => Err(Refusal::new(Code::MissingField).field(field)),
            _ => Err(Refusal::new(Code::InvalidValue).field(field).value("allowed", "text")),
        }
    }

    /// May the caller read the configuration?
    pub(crate) fn reads_configuration(&self) -> bool {
        self.privileges.contains(&Privilege::ReadConfiguration)
    }

    /// In whose name changes are made.
    pub(crate) fn actor(&self) -> Actor {
        match &self.who {
            Some(who) => Actor::User {
                user_id: who.user_id.clone(),
                address: Some(self.address.to_string().into()),
            },
            None => Actor::System,
        }
    }

    /// The kind of the endpoint's row.
    pub(crate) fn kind(&self) -> Result<Kind, Fault> {
        self.kind.ok_or(Fault::from(Code::Internal))
    }
}

impl Answer {
    /// 200 with a body.
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body, written: None, version: None, location: None }
    }

    /// 201 with what was made, and where it is.
    pub(crate) fn created(body: Value, location: String) -> Self {
        Self { status: StatusCode::CREATED, location: Some(location), ..Self::ok(body) }
    }

    /// 202: it goes on by itself, and is asked for there.
    pub(crate) fn accepted(body: Value, location: String) -> Self {
        Self { status: StatusCode::ACCEPTED, location: Some(location), ..Self::ok(body) }
    }

    /// 200 with JSON that is kept: whoever asks for it holds no copy of its own.
    pub(crate) fn written(json: Bytes) -> Self {
        Self { written: Some(json), ..Self::ok(Value::Null) }
    }

    /// 204.
    pub(crate) fn nothing() -> Self {
        Self { status: StatusCode::NO_CONTENT, ..Self::ok(Value::Null) }
    }

    /// With the version as entity tag.
    pub(crate) fn version(mut self, version: u32) -> Self {
        self.version = Some(version);
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = match (self.written, self.body) {
            (Some(json), _) => {
                (self.status, [(header::CONTENT_TYPE, "application/json")], json).into_response()
            }
            (None, Value::Null) => self.status.into_response(),
            (None, body) => (self.status, axum::Json(body)).into_response(),
        };
        let headers = response.headers_mut();
        let mut put = |name, value: String| {
            if let Ok(value) = value.try_into() {
                headers.insert(name, value);
            }
        };
        if let Some(version) = self.version {
            put(header::ETAG, format!("\"{version}\""));
        }
        if let Some(location) = self.location {
            put(header::LOCATION, location);
        }
        response
    }
}

/// The version that a client read: `If-Match: "3"`.
pub(crate) fn version_of(headers: &HeaderMap) -> Result<Option<u32>, Refusal> {
    let Some(text) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = text.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let digits = text.strip_prefix("W/").unwrap_or(text).trim_matches('"');
    let refused = || {
        let refusal = Refusal::new(Code::InvalidValue).field("If-Match");
        refusal.value("found", text).value("allowed", "\"1\"")
    };
    digits.parse().map(Some).map_err(|_| refused())
}

/// The idempotency id that a client chose: 32 hexadecimal digits, also with the hyphens of a UUID
/// (RFC 9562, 4). The same id is carried out once.
pub(crate) fn operation_of(headers: &HeaderMap) -> Result<Option<OperationId>, Refusal> {
    let Some(text) = headers.get("idempotency-key") else { return Ok(None) };
    let text = text.to_str().unwrap_or_default();
    let refused = || {
        let refusal = Refusal::new(Code::InvalidValue).field("Idempotency-Key");
        let shown: String = text.chars().take(64).collect();
        refusal.value("found", shown).value("allowed", "UUID, 0123456789abcdef0123456789abcdef")
    };
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let digits = groups.concat();
    let is_key = matches!(&lengths[..], [32] | [8, 4, 4, 4, 12])
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_key {
        return Err(refused());
    }
    u128::from_str_radix(&digits, 16).map(|id| Some(OperationId(id))).map_err(|_| refused())
}

pub(crate) const MOST_ENTRIES: usize = 1000;
