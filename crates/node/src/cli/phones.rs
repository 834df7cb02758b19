//! What one does with a phone that is there: let it fetch its file, and no longer, give it another
//! secret, show something on it.

use anyhow::Result;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use super::client::Client;
use super::object::encode;
use super::print::{Form, cell, told};
use super::report;
use super::text;
use crate::say::say;

/// The commands.
pub(crate) fn commands() -> [Command; 3] {
    let phone = || Arg::new("PHONE").help("Device name").required(true);
    [
        window(),
        Command::new("secret")
            .about("Give a phone a new secret, and show it once")
            .arg(phone())
            .after_help(
                "For a phone that reads no files, such as a soft phone: what to enter in it is \
                 printed, once.\nThe registration with the old secret ends, and what was open to the \
                 address it came from. A phone that reads its file finds the new one there, in a \
                 provisioning network or through a new window that names its address.\n\
                 Example: jackfield secret CSFTANAKA",
            ),
        Command::new("text")
            .about("Show a text on a phone")
            .arg(phone())
            .arg(Arg::new("TEXT").help("Up to 128 characters").required(true))
            .after_help("Example: jackfield text SEP001122AABB01 \"The lift is being repaired\""),
    ]
}

fn window() -> Command {
    let option = |name: &'static str| Arg::new(name).long(name).requires("PHONE");
    Command::new("window")
        .about("For some minutes, let a phone fetch its file with its secret; see and close that")
        .arg(Arg::new("PHONE").help("Device name [default: list what is open]"))
        .arg(
            option("minutes")
                .value_name("NUMBER")
                .value_parser(value_parser!(u32).range(1..=60))
                .default_value("10")
                .help("For so long, 1 to 60"),
        )
        .arg(
            option("address")
                .value_name("IP|NETWORK")
                .help("From there [default: where the phone is, as far as that is known]"),
        )
        .arg(
            option("close")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["minutes", "address"])
                .help("Close it at once"),
        )
        .after_help(
            "It closes when the phone registers with its secret; until then `jackfield window` lists \
             it. It is open at every node, after a second or two.\n\
             Examples:\n  jackfield window SEP001122AABB01 --address 192.0.2.77 --minutes 5\n  \
             jackfield window\n  jackfield window SEP001122AABB01 --close",
        )
}

/// Carries out one of them.
pub(crate) fn run(name: &str, matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    if name == "window" && !matches.contains_id("PHONE") {
        return told(form, client.get("/windows?limit=1000"), report::windows);
    }
    let phone = text(matches, "PHONE");
    let path = format!("/phones/{}/{name}", encode(phone));
    match name {
        "window" if matches.get_flag("close") => {
            told(form, client.delete(&path), |_| say!("the window of {phone} is closed"))
        }
        "window" => {
            let body = json!({
                "minutes": matches.get_one::<u32>("minutes"),
                "address": matches.get_one::<String>("address"),
            });
            told(form, client.post(&path, &without_nothing(body)), |answer| opened(phone, answer))
        }
        "text" => {
            let answer = client.post(&path, &json!({ "text": text(matches, "TEXT") }));
            told(form, answer, |_| say!("{phone} is told to show it"))
        }
        _ => told(form, client.post(&path, &json!({})), account),
    }
}

fn opened(phone: &str, answer: &Value) {
    let (addresses, minutes) = (cell(&answer["addresses"]), &answer["minutes"]);
    say!("{phone} may fetch its file with its secret from {addresses} for {minutes} minutes");
    report::plain_warnings(answer);
}

/// What somebody enters into a phone that reads no files.
fn account(answer: &Value) {
    for (label, field) in [
        ("server", "server"),
        ("number (user)", "user"),
        ("user for authentication", "auth_user"),
        ("password", "password"),
    ] {
        say!("{label}: {}", cell(&answer[field]));
    }
    say!("The password is shown this once. What was registered with the old one is so no more.");
}

fn without_nothing(mut body: Value) -> Value {
    if let Value::Object(fields) = &mut body {
        fields.retain(|_, value| !value.is_null());
    }
    body
}
