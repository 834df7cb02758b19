//! How the answers of single commands are told to people.

use serde_json::Value;

use super::client::{Client, reads_japanese};
use super::print::{cell, moment, table, timed, words};
use crate::say::say;

/// Who changed what, newest first.
pub(crate) fn audit(answer: &Value) {
    let rows: Vec<Vec<String>> = items(answer).map(audit_row).collect();
    table(&["time", "who", "operation", "object", "what"], &rows);
    notes(answer);
    more(answer);
}

fn audit_row(row: &Value) -> Vec<String> {
    let object = match (row["kind"].as_str(), row["name"].as_str()) {
        (Some(kind), Some(name)) => format!("{kind} {name}"),
        (Some(kind), None) => kind.to_owned(),
        (None, Some(name)) => name.to_owned(),
        (None, None) => row["object"].as_u64().map_or_else(String::new, |id| format!("id:{id}")),
    };
    // Whoever has the machine has no account.
    let who = row["detail"]["by"].as_str().map_or_else(|| actor(&row["actor"]), str::to_owned);
    vec![moment(&row["time"]), who, cell(&row["operation"]), object, change(row)]
}

fn actor(actor: &Value) -> String {
    let names = ["user_id", "device", "name"];
    let name = names.iter().find_map(|name| actor[*name].as_str());
    let name = name.or_else(|| actor["actor"].as_str()).unwrap_or("-");
    match actor["address"].as_str() {
        Some(address) => format!("{name} from {address}"),
        None => name.to_owned(),
    }
}

/// The fields that differ; for what was made or deleted, that.
fn change(row: &Value) -> String {
    match (row["before"].as_object(), row["after"].as_object()) {
        (None, Some(_)) => "made".into(),
        (Some(_), None) => "deleted".into(),
        (Some(_), Some(_)) => {
            let mut told = Vec::new();
            differences("", &row["before"], &row["after"], &mut told);
            told.join("; ")
        }
        (None, None) => {
            let fields = row["detail"].as_object().into_iter().flatten();
            let plain = fields.filter(|(name, value)| {
                (!value.is_object() || is_link(value)) && !value.is_null() && *name != "by"
            });
            let mut told = plain
                .map(|(name, value)| format!("{}: {}", words(name), timed(name, value)))
                .collect::<Vec<_>>();
            if row["detail"]["old"].is_object() {
                differences("", &row["detail"]["old"], &row["detail"]["new"], &mut told);
            }
            told.join("; ")
        }
    }
}

/// Each value that differs, with the way to it.
fn differences(path: &str, before: &Value, after: &Value, told: &mut Vec<String>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(old), Value::Object(new)) if !is_link(before) && !is_link(after) => {
            let gone = old.keys().filter(|name| !new.contains_key(*name));
            for name in new.keys().chain(gone) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                differences(&path, &before[name], &after[name], told);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                differences(&format!("{path}[{index}]"), old, new, told);
            }
        }
        _ => told.push(format!("{path}: {} -> {}", shown(before), shown(after))),
    }
}

/// A reference as it is shown: `{id, name}`.
fn is_link(value: &Value) -> bool {
    value.get("id").is_some() && value.get("name").is_some()
}

fn shown(value: &Value) -> String {
    let text = cell(value);
    if text.is_empty() { "\"\"".into() } else { text }
}

/// Finished calls, newest first.
pub(crate) fn calls(answer: &Value) {
    let rows: Vec<Vec<String>> = items(answer)
        .map(|call| {
            let seconds = match (call["answered"].as_u64(), call["ended"].as_u64()) {
                (Some(answered), Some(ended)) => {
                    format!("{} s", ended.saturating_sub(answered).div_ceil(1000))
                }
                _ => "-".into(),
            };
            let from = format!("{} ({})", cell(&call["calling"]), cell(&call["calling_device"]));
            let answered_by = cell(&call["answering_device"]);
            vec![
                moment(&call["began"]),
                from,
                cell(&call["dialled"]),
                cell(&call["reached"]),
                answered_by,
                seconds,
                cell(&call["cause"]),
            ]
        })
        .collect();
    let columns = ["began", "from", "dialled", "reached", "answered by", "talked", "cause"];
    table(&columns, &rows);
    more(answer);
}

fn more(answer: &Value) {
    if !answer["next"].is_null() {
        say!("There is more: --limit shows up to 1000, --json and REST page through all.");
    }
}

/// The states of the services.
pub(crate) fn services(answer: &Value) {
    let columns = ["node", "service", "activated", "running", "state", "restart_needed"];
    let row = |row: &Value| columns.iter().map(|column| cell(&row[*column])).collect();
    let rows: Vec<Vec<String>> = items(answer).map(row).collect();
    table(&columns, &rows);
    for row in items(answer).filter(|row| row["state"] == "waiting") {
        say!("{} on {}: {}", cell(&row["service"]), cell(&row["node"]), waiting(row));
    }
    for row in items(answer).filter(|row| row["detail"].is_string()) {
        say!("{} on {}: {}", cell(&row["service"]), cell(&row["node"]), cell(&row["detail"]));
    }
}

/// What is said where "Ready" is not.
pub(crate) fn not_ready(client: &Client) -> String {
    if client.is_japanese() { "準備ができていません" } else { "Not ready" }.into()
}

/// What is off, and the commands that mend it.
pub(crate) fn off(answer: &Value) {
    for off in answer["off"].as_array().into_iter().flatten() {
        say!("  {}", cell(&off["message"]));
        say!("    {}", cell(&off["remedy"]));
    }
}

/// For which phones a window is open, from where and until when.
pub(crate) fn windows(answer: &Value) {
    let row =
        |row: &Value| vec![cell(&row["phone"]), cell(&row["addresses"]), moment(&row["until"])];
    let rows: Vec<Vec<String>> = items(answer).map(row).collect();
    if rows.is_empty() {
        say!("no window is open");
        return;
    }
    table(&["phone", "from", "until"], &rows);
    match answer["total"].as_u64() {
        Some(total) if total > rows.len() as u64 => say!("These close first, of {total}."),
        _ => {}
    }
}

/// Alarms that were raised, and what to do.
pub(crate) fn alarms(answer: &Value) {
    let mut alarms = items(answer).peekable();
    if alarms.peek().is_none() {
        say!("no alarm was raised since this node was started");
    }
    for alarm in alarms {
        say!("{}  {}", moment(&alarm["at"]), cell(&alarm["message"]));
        if let Some(remedy) = alarm["remedy"].as_str() {
            say!("    {remedy}");
        }
    }
}

/// Accounts that are locked, until when, and the commands that unlock them.
pub(crate) fn locks(answer: &Value) {
    let until = |lock: &Value| match lock["until"].is_null() {
        true => "somebody unlocks it".to_owned(),
        false => moment(&lock["until"]),
    };
    let row = |lock: &Value| {
        let [account, credential] = [&lock["account"], &lock["credential"]].map(cell);
        vec![account, credential, cell(&lock["source"]), until(lock), cell(&lock["remedy"])]
    };
    let rows: Vec<Vec<String>> = items(answer).map(row).collect();
    if rows.is_empty() {
        say!("no account is locked");
        return;
    }
    table(&["account", "credential", "only from", "until", "what ends it"], &rows);
}

/// When the number of a service that waits answers.
pub(crate) fn waiting(service: &Value) -> String {
    match service["in_service_in_seconds"].as_u64() {
        Some(seconds) => format!("its number answers in {seconds} s"),
        None => "its number answers when `jackfield services` says in-service".into(),
    }
}

/// A user who is there no more.
pub(crate) fn removed(answer: &Value) {
    say!("removed {}", cell(&answer["user"]));
    match answer["extension"].as_str() {
        Some(extension) if answer["extension_kept"] == true => {
            let users = answer["extension_users"].as_array().into_iter().flatten();
            let users =
                users.map(|user| format!("{} {}", cell(&user["kind"]), cell(&user["name"])));
            say!("{extension} stays: so have it {}", users.collect::<Vec<_>>().join(", "));
        }
        Some(extension) => say!("{extension} is free"),
        None => {}
    }
    answer["phones"].as_array().into_iter().flatten().for_each(moved);
    plain_warnings(answer);
}

/// Installed language packs.
pub(crate) fn languages(answer: &Value) {
    let row = |row: &Value| vec![cell(&row["locale"]), cell(&row["name"])];
    let rows: Vec<Vec<String>> = items(answer).map(row).collect();
    table(&["tag", "name"], &rows);
    let problems = answer["problems"].as_array().into_iter().flatten();
    let mut problems = problems.peekable();
    if problems.peek().is_some() {
        say!("{} not installed, or not whole and therefore not offered:", warning());
    }
    problems.for_each(|problem| say!("  {}", cell(problem)));
}

/// What is going on.
pub(crate) fn status(answer: &Value) {
    let told = [
        ("node", "node"),
        ("phones registered", "registered"),
        ("phones without an owner", "phones_without_owner"),
        ("other phones, not registered", "phones_not_registered"),
        ("calls", "calls"),
        ("calls answered", "calls_connected"),
        ("self-provisioning calls", "ivr_calls"),
        ("CTI sessions", "sessions"),
        ("objects", "objects"),
    ];
    for (label, name) in told {
        say!("{label}: {}", cell(&answer[name]));
        if name == "phones_not_registered" && answer[name].as_u64().is_some_and(|count| count > 0) {
            say!("  which: jackfield list phone --filter auto-registered=false --registered false");
        }
    }
    warnings(answer);
    notes(answer);
    say!("services:");
    for service in answer["services"].as_array().into_iter().flatten() {
        let restart = if service["restart_needed"] == true { ", restart needed" } else { "" };
        say!("  {}: {}{restart}", cell(&service["service"]), cell(&service["state"]));
    }
    let lists = [("at this moment", "gauges"), ("counted since the start", "counters")];
    for (label, name) in lists {
        say!("{label} (0 is left out):");
        for one in answer[name].as_array().into_iter().flatten().filter(|one| one[1] != 0) {
            say!("  {}: {}", cell(&one[0]), cell(&one[1]));
        }
    }
}

/// What is wrong with the whole of it, and what would change it.
pub(crate) fn warnings(answer: &Value) {
    for warning in answer["warnings"].as_array().into_iter().flatten() {
        say!("{} {}", self::warning(), cell(&warning["message"]));
        if let Some(remedy) = warning["remedy"].as_str() {
            say!("  {remedy}");
        }
    }
}

/// What the answer does not know.
pub(crate) fn notes(answer: &Value) {
    for note in answer["notes"].as_array().into_iter().flatten() {
        say!("{}", cell(note));
    }
}

/// Before what the server warns of, in its language.
fn warning() -> &'static str {
    if reads_japanese() { "警告:" } else { "Warning:" }
}

/// What was most likely not meant.
pub(crate) fn plain_warnings(answer: &Value) {
    for warning in answer["warnings"].as_array().into_iter().flatten() {
        say!("{} {}", self::warning(), cell(warning));
    }
}

/// Settings of self-provisioning that were saved.
pub(crate) fn saved(answer: &Value) {
    say!("{}", cell(&answer["message"]));
    plain_warnings(answer);
    if let Some(why) = answer["restart_failure"]["message"].as_str() {
        say!("{why} {}", cell(&answer["restart_failure"]["remedy"]));
    }
    if answer["restart_needed"] == true {
        say!("They take effect with: jackfield services restart self-provisioning-ivr");
    }
    say!("The settings: jackfield show self-provisioning");
}

/// A user who was added, and what still keeps them from self-provisioning.
pub(crate) fn added(answer: &Value) {
    let user = cell(&answer["user_id"]);
    say!("added {user} with extension {}", cell(&answer["primary_extension"]));
    plain_warnings(answer);
    if let Some(pin) = answer["pin"].as_str() {
        say!("PIN, told this once: {pin}");
    }
    let mut obstacles = answer["obstacles"].as_array().into_iter().flatten().peekable();
    if obstacles.peek().is_none() {
        say!("{user} can self-provision now.");
    }
    for obstacle in obstacles {
        say!("Not yet: {} {}", cell(&obstacle["message"]), cell(&obstacle["remedy"]));
    }
}

/// "Ready", or what is off, and what else there is to know.
pub(crate) fn readiness(answer: &Value, client: &Client) {
    let off = |text: &Value| {
        let mut off = answer["off"].as_array().into_iter().flatten();
        off.any(|one| one["message"] == *text)
    };
    match answer["ready"] == true {
        true => say!("{}", cell(&answer["text"])),
        false => say!("{}", not_ready(client)),
    }
    self::off(answer);
    if let Some(detail) = answer["detail"].as_str() {
        say!("{detail}");
    }
    let notices = answer["notices"].as_array().into_iter().flatten();
    for notice in notices.filter(|notice| !off(&notice["text"])) {
        say!("  {}: {}", cell(&notice["severity"]), cell(&notice["text"]));
    }
    if answer["restart_needed"] == true {
        say!("Newer settings wait for: jackfield services restart self-provisioning-ivr");
    }
}

/// A phone that has another owner now, or none.
pub(crate) fn moved(answer: &Value) {
    let phone = cell(&answer["phone"]);
    let extension = answer["extension"].as_str();
    if answer["waits_already"] == true {
        say!("{phone} waits for an owner already; nothing was changed");
        return;
    }
    match (answer.get("user").map(cell), extension) {
        (Some(user), Some(extension)) => {
            say!("{phone} is {user}'s, with extension {extension}");
        }
        (Some(user), None) => say!("{phone} is {user}'s"),
        (None, Some(extension)) => say!("{phone} has the number {extension}"),
        (None, None) => say!("{phone} is nobody's"),
    }
    plain_warnings(answer);
    match answer["restart"].as_str() {
        Some(_) => say!("It was told to restart."),
        None => say!(
            "It could not be told to restart: {} Switch it off and on.",
            cell(&answer["restart"]["message"])
        ),
    }
    if answer["file_addresses"].as_array().is_some_and(Vec::is_empty) {
        say!(
            "Its address is not known: its file has no password in it until a window is opened for \
             the address, or it comes from a provisioning network."
        );
    }
}

fn items(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["items"].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_audit_row_tells_who_and_the_fields_that_changed() {
        let row = audit_row(&json!({
            "time": 0, "operation": "update", "kind": "line", "name": "2000", "object": 7,
            "actor": {"actor": "user", "user_id": "admin", "address": "192.0.2.1"},
            "before": {"number": "2000", "description": ""},
            "after": {"number": "2000", "description": "Reception"},
        }));
        assert_eq!(row[1], "admin from 192.0.2.1");
        assert_eq!(row[3..], ["line 2000", "description: \"\" -> Reception"]);
        let of_lines = |pool: Value, display: &str| {
            json!({
                "device_pool": pool, "lines": [{"line": {"id": 7, "name": "3001"}, "display": display}],
            })
        };
        let row = audit_row(&json!({
            "kind": "phone", "name": "SEP1", "object": 9,
            "before": of_lines(json!({"id": 4, "name": null}), ""),
            "after": of_lines(json!({"id": 5, "name": "Upstairs"}), "Ada"),
        }));
        assert_eq!(row[4], "device_pool: id:4 -> Upstairs; lines[0].display: \"\" -> Ada");
        let refused = audit_row(&json!({
            "kind": null, "name": "SEP1", "object": 9, "operation": "assign",
            "actor": {"actor": "device", "device": "SEP1", "address": "10.0.0.7:5060"},
            "detail": {
                "refused": {"code": "locked"}, "wanted": {"operation": "assign"},
                "user": {"id": 5, "name": "tanaka"}, "reason": "The account is locked.",
            },
        }));
        assert_eq!(refused[3..], ["SEP1", "user: tanaka; reason: The account is locked."]);
        let recovered = audit_row(&json!({
            "actor": {"actor": "system"}, "operation": "recover", "kind": "application-user",
            "name": "admin", "detail": {"by": "uid 0 on the machine", "since": 0, "unlocked": true},
        }));
        assert_eq!(
            (&*recovered[1], &*recovered[3]),
            ("uid 0 on the machine", "application-user admin")
        );
        assert!(recovered[4].starts_with("since: 19") && recovered[4].ends_with("unlocked: yes"));
        let secret = json!({"object": 7, "detail": {"credential": "pin", "set": true}});
        assert_eq!(audit_row(&secret)[3..], ["id:7", "credential: pin; set: yes"]);
    }
}
