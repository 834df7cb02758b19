//! `set KIND --where …` and `delete KIND --where …`: many objects at once, all or none.

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
        Arg::new("where")
            .long("where")
            .value_name("FIELD=VALUE")
            .action(ArgAction::Append)
            .help("All with this value, in place of one by name; != for others, ~ for a part"),
        Arg::new("search")
            .long("search")
            .value_name("TEXT")
            .help("All with each of these words, as `list --search` finds them"),
        flag("all", "Every one").conflicts_with_all(["where", "search"]),
        flag(
            "skip-refused",
            "Go on with the others when some are refused [default: nothing is done]",
        ),
        flag("check", "Do nothing; only say what would be refused"),
    ]
}

/// What is done to them.
pub(super) enum Deed<'a> {
    /// The fields to change.
    Change(&'a Value),
    Delete,
}

impl Deed<'_> {
    fn done(&self) -> &'static str {
        match self {
            Self::Change(_) => "changed",
            Self::Delete => "deleted",
        }
    }

    fn ask(&self, client: &Client, path: &str) -> Result<Value> {
        match self {
            Self::Change(fields) => client.patch(path, fields),
            Self::Delete => client.delete(path),
        }
    }
}

/// Does it to all that are chosen, and waits for the end.
pub(super) fn run(
    kind: Kind,
    matches: &ArgMatches,
    deed: &Deed<'_>,
    client: &Client,
    form: Form,
) -> Result<()> {
    let (check, done) = (matches.get_flag("check"), deed.done());
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
    let began = deed.ask(client, &path)?;
    let takes = began["takes"].as_str().map(str::to_owned);
    let warnings = began["warnings"].clone();
    let mut end = wait(client, began)?;
    // A job, when it ends, tells no more what its beginning told.
    if warnings.is_array() {
        end["warnings"] = warnings;
    }
    let nothing = end["total"] == 0 && end["refused"].as_array().is_none_or(Vec::is_empty);
    if form == Form::Json {
        print::show(form, &end);
    } else if !nothing {
        let total = print::cell(&end["total"]);
        match check {
            true => say!("{total} {} would be {done}", kind.plural()),
            false => say!("{done} {} of {total} {}", end["changed"], kind.plural()),
        }
        rows(&end["refused"], "").iter().for_each(|row| say!("{row}"));
        if let Some(takes) = takes.filter(|_| end["changed"] != 0) {
            say!("{takes}");
        }
        crate::cli::report::plain_warnings(&end);
    }
    if nothing {
        bail!("no {kind} has what was asked for; nothing was {done}");
    }
    match end["failure"]["message"].as_str() {
        Some(why) => bail!("the rest was not {done}: {why}"),
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

/// Rows that are refused: each reason once, with those that it is about; the one that was `said`
/// already not again.
pub(crate) fn rows(refused: &Value, said: &str) -> Vec<String> {
    let refused: Vec<_> = refused.as_array().into_iter().flatten().collect();
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for row in &refused {
        let message = print::cell(&row["message"]);
        let kind = print::cell(&row["kind"]);
        let reason = if message == said { kind } else { format!("{kind}: {message}") };
        let name = print::cell(&row["name"]);
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(name),
            None => reasons.push((reason, vec![name])),
        }
    }
    let mut told: Vec<String> = reasons.iter().map(|(reason, names)| told(reason, names)).collect();
    if refused.len() >= MOST_NAMED {
        told.push("  There may be more.".into());
    }
    told
}

fn told(reason: &str, names: &[String]) -> String {
    let shown = names.iter().take(MOST_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let rest = match names.len().saturating_sub(MOST_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("  refused ({}): {reason}\n    {shown}{rest}", names.len())
}

/// The server names so many at the most.
const MOST_NAMED: usize = 100;
/// Names beside one reason.
const MOST_SHOWN: usize = 20;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::rows;

    #[test]
    fn the_same_reason_is_told_once_with_all_whom_it_is_about() {
        let row = |name: String, message: &str| json!({"kind": "phone", "name": name, "message": message});
        let mut refused: Vec<_> = (0..38).map(|n| row(format!("P{n}"), "Too long.")).collect();
        refused.push(row("Q".into(), "Taken."));
        let told = rows(&refused.clone().into(), "");
        assert_eq!(told.len(), 2);
        assert!(
            told[0].starts_with("  refused (38): phone: Too long.\n    P0, P1, "),
            "{}",
            told[0]
        );
        assert!(told[0].ends_with("P19 and 18 more"), "{}", told[0]);
        let again = rows(&refused.into(), "Too long.");
        assert!(again[0].starts_with("  refused (38): phone\n"), "{}", again[0]);
        assert_eq!(again[1], "  refused (1): phone: Taken.\n    Q");
    }
}
