//! For the audit: what people order that changes no object, and what they were refused because they
//! may not. What changes an object is in the audit by itself.

use std::net::IpAddr;

use jackfield_model::Actor;
use jackfield_vocabulary::{Code, ObjectId, Refusal};
use serde_json::{Value, json};

use crate::app::App;
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::fault::Fault;
use crate::object::find;
use crate::session::Signed;

/// Writes down an order, about what it was, and what came of it.
pub(crate) fn note<T>(
    call: &Call,
    what: &'static str,
    object: Option<ObjectId>,
    mut detail: Value,
    outcome: &Result<T, Refusal>,
) {
    if let Err(refusal) = outcome {
        detail["refused"] = json!(refusal);
        note_refused(&call.app, call.address, call.actor(), what, object, detail);
    } else {
        call.app.store().note_behind(call.actor(), what, object, detail);
    }
}

/// Who wanted something, and by which request.
pub(crate) struct Wish<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) path: &'a str,
    pub(crate) who: &'a Signed,
    pub(crate) address: IpAddr,
}

impl Wish<'_> {
    /// Writes down that it was refused, where that is because this one may not.
    pub(crate) fn note(&self, app: &App, fault: &Fault) {
        let (Fault::Refused(refusal) | Fault::Rows { refusal, .. }) = fault else { return };
        if !is_beyond(refusal) {
            return;
        }
        let Self { endpoint, path, who, address } = *self;
        let actor =
            Actor::User { user_id: who.user_id.clone(), address: Some(address.to_string().into()) };
        let path: String = path.chars().take(LONGEST_PATH).collect();
        let detail = json!({
            "method": endpoint.method.as_str(), "path": path, "refused": refusal,
        });
        note_refused(app, address, actor, endpoint.deed, self.object(app), detail);
    }

    /// The object that the path names.
    fn object(&self, app: &App) -> Option<ObjectId> {
        let name = crate::door::named(self.endpoint, self.path)?;
        let directory = app.directory();
        match self.endpoint.kind {
            Some(kind) => find(&directory, kind, &name).ok(),
            None if self.endpoint.path.starts_with("/users/") => directory.account(&name),
            None => directory.device(&name),
        }
    }
}

/// It was refused because of what the account may, and not because of what was asked for.
pub(crate) fn is_beyond(refusal: &Refusal) -> bool {
    matches!(refusal.code, Code::Forbidden | Code::BeyondOwnPrivileges | Code::LastAdministrator)
}

/// Whoever tries and tries fills no database: what had no row is counted in the next one.
pub(crate) fn note_refused(
    app: &App,
    address: IpAddr,
    actor: Actor,
    what: &'static str,
    object: Option<ObjectId>,
    mut detail: Value,
) {
    let Some(untold) = app.refused_rows().take(app.now(), address) else { return };
    if untold > 0 {
        detail["untold"] = untold.into();
    }
    app.store().note_behind(actor, what, object, detail);
}

/// Characters of a path that the audit keeps.
const LONGEST_PATH: usize = 200;
