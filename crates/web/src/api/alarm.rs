//! What an administrator should look at.

use jackfield_model::setup;
use serde_json::{Map, Value, json};

use crate::call::{Answer, Call};
use crate::fault::Fault;
use crate::operator::{Order, RaisedAlarm, Reply, mismatch};

/// The alarms that this node raised last, newest first: which, when, about what, and what to do.
pub(crate) async fn list(call: Call) -> Result<Answer, Fault> {
    let alarms = match call.app.operate(Order::Alarms).await? {
        Reply::Alarms(alarms) => alarms,
        other => return Err(mismatch(&other).into()),
    };
    let shown = alarms.iter().map(|RaisedAlarm { at, name, values }| {
        let said: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let finding = setup::explain_alarm(name, &said, call.language);
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into()));
        json!({
            "at": at, "name": name, "values": values.collect::<Map<String, Value>>(),
            "message": finding.text, "remedy": finding.remedy,
        })
    });
    Ok(Answer::ok(json!({ "items": shown.collect::<Vec<_>>() })))
}
