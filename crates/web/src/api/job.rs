//! Jobs: what takes longer than a request.

use serde_json::json;

use crate::app::not_found;
use crate::call::{Answer, Call};
use crate::fault::Fault;

/// The jobs of this node since its start.
pub(crate) async fn jobs(call: Call) -> Result<Answer, Fault> {
    Ok(Answer::ok(json!({ "items": call.app.jobs().all() })))
}

/// How far one is.
pub(crate) async fn job(call: Call) -> Result<Answer, Fault> {
    let id = call.param("name");
    let found = id.parse().ok().and_then(|id| call.app.jobs().shown(id));
    found.map(Answer::ok).ok_or_else(|| not_found("job", id).into())
}
