//! What one does with a phone that is there: let it fetch its file, give it another secret, show
//! something on it.

use anyhow::Result;
use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use super::client::Client;
use super::object::encode;
use super::print::{self, Form, cell};
use super::report;
use super::text;
use crate::say::say;

/// The commands.
pub(crate) fn commands() -> [Command; 3] {
    let phone = || Arg::new("PHONE").help("Device name").required(true);
    [
        Command::new("window")
            .about("For some minutes, let a phone fetch its file with its secret")
            .arg(phone())
            .arg(
                Arg::new("minutes")
                    .long("minutes")
                    .value_name("NUMBER")
                    .value_parser(value_parser!(u32).range(1..=60))
                    .default_value("10")
                    .help("For so long, 1 to 60"),
            )
            .arg(
                Arg::new("address")
                    .long("address")
                    .value_name("IP|NETWORK")
                    .help("From there [default: where the phone is, as far as that is known]"),
            )
            .after_help(
                "It closes when the phone registers with its secret; until then `jackfield device` \
                 shows it.\n\
                 Example: jackfield window SEP001122AABB01 --address 192.0.2.77 --minutes 5",
            ),
        Command::new("secret")
            .about("Give a phone a new secret, and show it once")
            .arg(phone())
            .after_help(
                "For a phone that reads no files, such as a soft phone: what to enter in it is \
                 printed, once.\nThe registration with the old secret ends. A phone that reads its \
                 file finds the new one there.\nExample: jackfield secret CSFTANAKA",
            ),
        Command::new("text")
            .about("Show a text on a phone")
            .arg(phone())
            .arg(Arg::new("TEXT").help("Up to 128 characters").required(true))
            .after_help("Example: jackfield text SEP001122AABB01 \"The lift is being repaired\""),
    ]
}

/// Carries out one of them.
pub(crate) fn run(name: &str, matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    let phone = text(matches, "PHONE");
    let path = format!("/phones/{}/{name}", encode(phone));
    let body = match name {
        "window" => json!({
            "minutes": matches.get_one::<u32>("minutes"),
            "address": matches.get_one::<String>("address"),
        }),
        "text" => json!({ "text": text(matches, "TEXT") }),
        _ => json!({}),
    };
    let answer = client.post(&path, &without_nothing(body))?;
    match (form, name) {
        (Form::Json, _) => print::show(form, &answer),
        (_, "window") => {
            say!(
                "{phone} may fetch its file with its secret from {} for {} minutes",
                cell(&answer["addresses"]),
                answer["minutes"]
            );
            report::plain_warnings(&answer);
        }
        (_, "secret") => account(&answer),
        _ => say!("{phone} is told to show it"),
    }
    Ok(())
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
