//! What the declarations say, for programs.

use std::sync::LazyLock;

use axum::body::Bytes;
use jackfield_model::Kind;
use serde_json::json;

use crate::call::{Answer, Call};
use crate::fault::Fault;
use crate::openapi::document;

/// The kinds.
pub(crate) async fn kinds(_: Call) -> Result<Answer, Fault> {
    let items = Kind::ALL
        .iter()
        .map(|kind| {
            json!({
                "kind": kind.name(),
                "plural": kind.plural(),
                "singleton": kind.is_singleton(),
                "help": kind.schema_value()["description"],
            })
        })
        .collect::<Vec<_>>();
    Ok(Answer::ok(json!({ "items": items })))
}

/// The schema of a kind.
pub(crate) async fn schema(call: Call) -> Result<Answer, Fault> {
    let kind: Kind = call.param("name").parse()?;
    Ok(Answer::ok(kind.schema_value().clone()))
}

/// The OpenAPI document.
pub(crate) async fn openapi(_: Call) -> Result<Answer, Fault> {
    // Anybody may ask, and it is long.
    static WRITTEN: LazyLock<Bytes> = LazyLock::new(|| document().to_string().into());
    Ok(Answer::written(WRITTEN.clone()))
}
