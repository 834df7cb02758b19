//! Phones with what they do at this moment beside their settings.

use std::collections::HashMap;
use std::time::Duration;

use jackfield_model::Node;
use jackfield_store::StoreError;
use jackfield_vocabulary::{Code, ObjectId, Refusal};
use serde_json::{Value, json};

use super::read::Wanted;
use crate::app::App;
use crate::call::{Answer, Call};
use crate::clock::wall;
use crate::fault::Fault;
use crate::operator::{Order, Reply, Whereabouts, mismatch};

/// Whether a list is to show states, and of which phones: all, or those registered or not.
pub(super) fn asked(call: &Call) -> Result<Option<Option<bool>>, Refusal> {
    let flag = |name: &str| match call.query(name) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(found) => {
            let refusal = Refusal::new(Code::InvalidValue).field(name).value("found", found);
            Err(refusal.value("allowed", "true | false"))
        }
    };
    let (state, registered) = (flag("state")?, flag("registered")?);
    Ok((state == Some(true) || registered.is_some()).then_some(registered))
}

/// A page of phones with their states. Where only some states are wanted, as many phones are looked
/// at as it takes.
pub(super) async fn page(
    app: &App,
    mut wanted: Wanted,
    registered: Option<bool>,
) -> Result<Answer, Fault> {
    let (directory, mut items, limit) = (app.directory(), Vec::new(), wanted.limit);
    loop {
        let (looked, with) = (directory.clone(), wanted.clone());
        let mut page = app.blocking(move |_| Ok::<_, StoreError>(with.page(&looked))).await?;
        let rows = page["items"].as_array_mut().map(core::mem::take).unwrap_or_default();
        let next = page["next"].as_str().map(str::to_owned);
        let states = States::of(app, rows.iter().filter_map(id).collect()).await?;
        for mut row in rows {
            let state = states.of_phone(id(&row));
            let is_there = state["registered"] == true || state["registered_at"].is_string();
            if registered.is_none_or(|wanted| wanted == is_there) {
                if items.len() == limit {
                    let last = items.last().map(|row: &Value| row["name"].clone());
                    return Ok(Answer::ok(json!({ "items": items, "next": last })));
                }
                row["state"] = state;
                items.push(row);
            }
        }
        match next {
            Some(next) if items.len() < limit => wanted.cursor = next,
            // A full page may have a further one behind it, and the row that it ends with.
            Some(next) => {
                let last = items.last().map_or(json!(next), |row| row["name"].clone());
                return Ok(Answer::ok(json!({ "items": items, "next": last })));
            }
            None => return Ok(Answer::ok(json!({ "items": items, "next": null }))),
        }
    }
}

fn id(row: &Value) -> Option<ObjectId> {
    row["id"].as_u64().and_then(|id| u32::try_from(id).ok()).map(ObjectId)
}

/// Where phones are registered.
struct States {
    here: HashMap<ObjectId, Whereabouts>,
    elsewhere: HashMap<ObjectId, Box<str>>,
}

impl States {
    async fn of(app: &App, devices: Box<[ObjectId]>) -> Result<Self, Refusal> {
        let here = match app.operate(Order::Whereabouts { devices: devices.clone() }).await? {
            Reply::Whereabouts(found) => found.into_iter().map(|one| (one.device, one)).collect(),
            other => return Err(mismatch(&other)),
        };
        Ok(Self { here, elsewhere: elsewhere(app, devices).await })
    }

    fn of_phone(&self, phone: Option<ObjectId>) -> Value {
        let found = |phone: ObjectId| {
            if let Some(Whereabouts { address, since, .. }) = self.here.get(&phone) {
                return Some(json!({ "registered": true, "address": address, "since": since }));
            }
            let node = self.elsewhere.get(&phone)?;
            Some(json!({ "registered": false, "registered_at": node }))
        };
        phone.and_then(found).unwrap_or_else(|| json!({ "registered": false }))
    }
}

/// The other nodes at which phones are registered; none where the database can't say.
async fn elsewhere(app: &App, devices: Box<[ObjectId]>) -> HashMap<ObjectId, Box<str>> {
    if app.directory().all::<Node>().nth(1).is_none() {
        return HashMap::new();
    }
    let asked = app.blocking(move |store| store.registered_nodes(&devices, wall()));
    let Ok(Ok(found)) = tokio::time::timeout(PATIENCE, asked).await else {
        return HashMap::new();
    };
    found.into_iter().filter(|(_, node)| **node != *app.node()).collect()
}

/// A database that does not say in time where phones are need not be waited for.
const PATIENCE: Duration = Duration::from_secs(2);
