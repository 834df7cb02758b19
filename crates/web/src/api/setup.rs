//! What is done and what is missing until phones provision themselves (SP-54, SP-59).

use jackfield_model::setup::{self, Running, Step, StepState};
use jackfield_model::{Directory, Language, Message};
use serde_json::{Value, json};

use super::self_provisioning::Seen;
use super::setup_commands::commands;
use super::status::{ask_the_others, misplaced, shown};
use crate::call::{Answer, Call};
use crate::fault::Fault;
use crate::say::either;

/// The checklists.
pub(crate) async fn setup(call: Call) -> Result<Answer, Fault> {
    let seen = Seen::now(&call.app).await?;
    let (directory, language) = (call.app.directory(), call.language);
    let status = setup::status(&directory, seen.running(), language);
    let six = setup::flow_of_six(&directory, seen.running(), language);
    let nine = setup::flow_of_nine(&directory, seen.running(), language);
    let optional = setup::optional_steps(&directory, seen.running(), language);
    let address = directory.publisher().map(|(_, node)| node.address.clone());
    let finding = address.map(|address| finding(&address, &call, language)).unwrap_or_default();
    let flow = |title, steps: &[Step]| flow(title, steps, &directory, &seen.running());
    Ok(Answer::ok(json!({
        "status": status.text,
        "ready": status.ready,
        "off": shown(&status.off),
        "in_service": status.in_service,
        "detail": status.detail,
        "notices": status.notices,
        "warnings": shown(&misplaced(&call).await),
        "notes": ask_the_others(&call).as_slice(),
        "flows": [
            flow(either(language, "Configuration task flow", "設定のタスクフロー"), &six),
            flow(
                either(language, "From the templates to the first call", "テンプレートから最初の通話まで"),
                &nine,
            ),
        ],
        "optional": flow(either(language, "Optional", "任意"), &optional),
        "finding": finding,
    })))
}

fn flow(title: &str, steps: &[Step], directory: &Directory, running: &Running<'_>) -> Value {
    let step = |step: &Step| {
        json!({
            "number": step.number,
            "title": step.title,
            "done": step.state == StepState::Done,
            "object": step.object,
            "remedy": step.remedy,
            "commands": commands(directory, running, step),
        })
    };
    json!({ "title": title, "steps": steps.iter().map(step).collect::<Vec<_>>() })
}

/// How phones find the server.
fn finding(address: &str, call: &Call, language: Language) -> Vec<String> {
    let mut lines = vec![Message::PhonesFindTheServer.with(language, &[("address", address)])];
    lines.push("DHCP (ISC): option tftp150 code 150 = array of ip-address;".to_owned());
    lines.push(format!("DHCP (ISC): option tftp150 {address};"));
    lines.push(format!("DHCP (ISC): option tftp-server-name \"{address}\";"));
    let (files, web) = (call.app.files().port(), call.app.web_port());
    lines.push(format!("HTTP: http://{address}:{files}/  http://{address}:{web}/"));
    lines
}
