//! `set KIND --where …`: many objects changed at once, all or none.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Arg, ArgAction, ArgMatches};
use jackfield_model::Kind;
use serde_json::Value;

use super::chosen;
use crate::cli::client::Client;
use crate::cli::print::{self, Form};
use crate::say::{self, say};

/// Which objects, and how.
pub(super) fn options() -> [Arg; 5] {
    let flag = |name, help| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    [
        Arg::new("where").long("where").value_name("FIELD=VALUE").action(ArgAction::Append).help(
            "Change all with this value, in place of one by name; != for others, ~ for a part",
        ),
        Arg::new("search")
            .long("search")
            .value_name("TEXT")
            .help("Change all with this text in their names"),
        flag("all", "Change every one").conflicts_with_all(["where", "search"]),
        flag("skip-refused", "Change the others when some are refused [default: none is changed]"),
        flag("check", "Change nothing; only say what would be refused"),
    ]
}

/// Changes them, and waits for the end.
pub(super) fn change(
    kind: Kind,
    matches: &ArgMatches,
    fields: &Value,
    client: &Client,
    form: Form,
) -> Result<()> {
    let check = matches.get_flag("check");
    let flags = [
        ("all", matches.get_flag("all")),
        ("skip_refused", matches.get_flag("skip-refused")),
        ("check", check),
    ];
    let mut query = chosen(matches, "where");
    for (name, _) in flags.iter().filter(|(_, is_set)| *is_set) {
        query.push_str(&format!("&{name}=true"));
    }
    let path = format!("/{}?{}", kind.plural(), query.trim_start_matches('&'));
    let began = client.patch(&path, fields)?;
    let takes = began["takes"].as_str().map(str::to_owned);
    let end = wait(client, began)?;
    if form == Form::Json {
        print::show(form, &end);
    } else {
        let total = print::cell(&end["total"]);
        match check {
            true => say!("{total} {} would be changed", kind.plural()),
            false => say!("changed {} of {total} {}", end["changed"], kind.plural()),
        }
        rows(&end["refused"]).iter().for_each(|row| say!("{row}"));
        if let Some(takes) = takes.filter(|_| end["changed"] != 0) {
            say!("{takes}");
        }
    }
    match end["failure"]["message"].as_str() {
        Some(why) => bail!("the rest was not changed: {why}"),
        None => Ok(()),
    }
}

/// Waits while a job goes on.
fn wait(client: &Client, mut job: Value) -> Result<Value> {
    let shown = std::io::stderr().is_terminal();
    while job["state"] == "running" {
        if shown {
            say::aside(format_args!("\r{} of {} ", job["done"], job["total"]));
        }
        std::thread::sleep(Duration::from_millis(300));
        job = client.get(&format!("/jobs/{}", job["id"]))?;
    }
    if shown && job["state"].is_string() {
        say::aside(format_args!("\n"));
    }
    Ok(job)
}

/// Rows that are refused, a line each.
pub(crate) fn rows(refused: &Value) -> Vec<String> {
    let row = |row: &Value| {
        let message = print::cell(&row["message"]);
        format!("  refused: {} {}: {message}", print::cell(&row["kind"]), print::cell(&row["name"]))
    };
    let mut rows: Vec<String> = refused.as_array().into_iter().flatten().map(row).collect();
    if rows.len() >= MOST_NAMED {
        rows.push("  There may be more.".into());
    }
    rows
}

/// The server names so many at the most.
const MOST_NAMED: usize = 100;
