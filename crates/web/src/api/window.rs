//! For whom phones' files hold passwords for a few minutes, and from where.

use core::time::Duration;

use jackfield_model::{Message, Network};
use jackfield_vocabulary::{Code, ObjectId, Refusal};
use serde_json::{Value, json};

use super::phone::phone;
use crate::app::not_found;
use crate::call::{Answer, Call};
use crate::fault::Fault;
use crate::files::Window;
use crate::object::{link, warn};

/// Those that are open, the first to close before the others.
pub(crate) async fn list(call: Call) -> Result<Answer, Fault> {
    let (windows, total) = call.app.files().windows(call.limit()?);
    let directory = call.app.directory();
    let row = |window: &Window| {
        let mut row = shown(window);
        row["phone"] = link(&directory, window.device);
        row
    };
    let items: Value = windows.iter().map(row).collect();
    Ok(Answer::ok(json!({ "items": items, "total": total })))
}

/// Closes the one of a phone. What went out through it stays out.
pub(crate) async fn close(call: Call) -> Result<Answer, Fault> {
    let name = call.param("name");
    let device = phone(&call, name)?;
    let window = call.app.files().close_window(device);
    let window = window.ok_or_else(|| not_found("window", name))?;
    let detail = json!({ "closed": named(&window.networks) });
    call.app.store().note_behind(call.actor(), call.deed, Some(device), detail);
    Ok(Answer::nothing())
}

/// Opens one: for the address or network that is named, else for where the phone is expected.
pub(crate) async fn open(call: Call) -> Result<Answer, Fault> {
    let minutes = call.body["minutes"].as_u64().unwrap_or(10);
    if !(1..=60).contains(&minutes) {
        return Err(Refusal::new(Code::InvalidValue)
            .field("minutes")
            .value("found", minutes)
            .value("allowed", "1..60")
            .into());
    }
    let device = phone(&call, call.param("name"))?;
    let networks = match network(&call.body["address"])? {
        Some(network) => [network].into(),
        None => expected_at(&call, device)?,
    };
    let told = json!({ "addresses": named(&networks), "minutes": minutes });
    let (actor, deed, detail) = (call.actor(), call.deed, told.clone());
    call.app.blocking(move |store| store.note(actor, deed, Some(device), detail)).await?;
    let wide = networks.iter().filter(|network| network.is_wide()).map(|network| {
        let network = network.to_string();
        Message::WideWindow
            .with(call.language, &[("network", &network), ("name", call.param("name"))])
    });
    let mut answer = told;
    warn(&mut answer, wide.collect());
    call.app.files().open_window(device, networks, Duration::from_secs(minutes * 60));
    Ok(Answer::ok(answer))
}

/// Where the phone was last or is expected. Where somebody tried in vain to register in its name says
/// nothing: that may be anybody, and only an administrator can name it.
fn expected_at(call: &Call, device: ObjectId) -> Result<Box<[Network]>, Refusal> {
    let known = call.app.files().whereabouts(device);
    if !known.is_empty() {
        return Ok(known);
    }
    // For whom, then?
    let name = call.app.directory().label(device).unwrap_or_default();
    let refusal = Refusal::new(Code::MissingField).field("address").value("rule", "nowhere");
    Err(refusal.value("name", name).value("node", call.app.node()))
}

/// The address or network that a body names; everybody is none.
fn network(found: &Value) -> Result<Option<Network>, Refusal> {
    if found.is_null() {
        return Ok(None);
    }
    let refusal = Refusal::new(Code::InvalidValue).field("address");
    let refusal = refusal.value("found", found.as_str().unwrap_or_default());
    match found.as_str().and_then(|text| text.parse::<Network>().ok()) {
        None => Err(refusal.value("allowed", "192.0.2.7 | 192.0.2.0/24")),
        Some(network) if network.is_everywhere() => Err(refusal.value("rule", "everybody")),
        Some(network) => Ok(Some(network)),
    }
}

/// One that is open, as clients read it.
pub(super) fn shown(window: &Window) -> Value {
    json!({ "addresses": named(&window.networks), "until": window.until })
}

pub(super) fn named(networks: &[Network]) -> Value {
    networks.iter().map(ToString::to_string).collect()
}
