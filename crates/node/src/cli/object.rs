//! `list`, `show`, `add`, `set` and `delete` of every kind of object, made from the declarations.

use anyhow::{Context, Result};
use clap::{Arg, ArgAction, ArgMatches, Command};
use jackfield_model::Kind;
use serde_json::{Map, Value};

use super::client::Client;
use super::field::fields;
use super::print::{self, Form};

/// Rows asked for at once.
const PAGE: usize = 500;

/// The five verbs.
pub(crate) fn commands() -> [Command; 5] {
    [
        verb("list", "List the objects of a kind", |kind, command| list_options(kind, command)),
        verb("show", "Show one object", |_, command| command.arg(name_argument())),
        verb("add", "Make an object", |kind, command| with_fields(kind, command, true)),
        verb("set", "Change fields of an object", |kind, command| {
            let command = if kind.is_singleton() { command } else { command.arg(name_argument()) };
            with_fields(kind, command, false)
        }),
        verb("delete", "Delete an object that nothing refers to", |_, command| {
            command.arg(name_argument())
        }),
    ]
}

/// Carries out one of them.
pub(crate) fn run(verb: &str, matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    let (kind_name, matches) = matches.subcommand().context("a kind is needed")?;
    let kind: Kind = kind_name.parse().map_err(|_| anyhow::anyhow!("no such kind"))?;
    let name = matches.try_get_one::<String>("NAME").ok().flatten().map(String::as_str);
    match verb {
        "list" => list(kind, matches, client, form),
        "show" => client.get(&one(kind, name)).map(|object| print::show(form, &object)),
        "add" => {
            let saved = client.post(&format!("/{}", kind.plural()), &typed(kind, matches)?)?;
            report(form, "added", kind, &saved);
            Ok(())
        }
        "set" => {
            let saved = client.patch(&one(kind, name), &typed(kind, matches)?)?;
            report(form, "changed", kind, &saved);
            Ok(())
        }
        "delete" => {
            client.delete(&one(kind, name))?;
            if form == Form::Text {
                println!("deleted {kind} {}", name.unwrap_or_default());
            }
            Ok(())
        }
        other => anyhow::bail!("no such verb: {other}"),
    }
}

fn verb(
    name: &'static str,
    about: &'static str,
    shape: impl Fn(Kind, Command) -> Command,
) -> Command {
    let kinds = Kind::ALL.iter().copied().filter(|kind| match name {
        "add" | "delete" => !kind.is_singleton(),
        _ => true,
    });
    let commands = kinds.map(|kind| {
        let help = kind.schema_value()["description"].as_str().unwrap_or_default();
        let command = Command::new(kind.name()).about(help.replace('\n', " "));
        let named = kind.plural() == kind.name();
        shape(kind, if named { command } else { command.alias(kind.plural()) })
    });
    let example = format!("Example: jackfield {}", example(name));
    Command::new(name)
        .about(about)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand_value_name("KIND")
        .subcommand_help_heading("Kinds")
        .after_help(example)
        .subcommands(commands)
}

fn example(verb: &str) -> &'static str {
    match verb {
        "list" => "list phone --filter owner=tanaka",
        "show" => "show phone SEP001122AABBCC",
        "add" => "add line --number 2001 --alerting-name \"Reception\"",
        "set" => "set user-profile Standard --allow-self-provisioning true",
        _ => "delete line 2001",
    }
}

fn name_argument() -> Arg {
    Arg::new("NAME").help("Its name or its id").required(false)
}

fn list_options(kind: Kind, command: Command) -> Command {
    let example = fields(kind).first().map(super::field::Field::name).unwrap_or_default();
    command
        .arg(
            Arg::new("filter")
                .long("filter")
                .value_name("FIELD=VALUE")
                .action(ArgAction::Append)
                .help(format!("Only those with this value, as in {example}=…; `~` for contains")),
        )
        .arg(Arg::new("search").long("search").value_name("TEXT").help("Only names with this text"))
        .arg(Arg::new("limit").long("limit").value_name("NUMBER").help("At most so many"))
}

fn with_fields(kind: Kind, command: Command, for_new: bool) -> Command {
    fields(kind).iter().fold(command, |command, field| command.arg(field.option(for_new)))
}

fn typed(kind: Kind, matches: &ArgMatches) -> Result<Value> {
    let mut body = Map::new();
    for field in fields(kind) {
        field.fill(matches, &mut body)?;
    }
    Ok(body.into())
}

fn one(kind: Kind, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("/{}/{}", kind.plural(), encode(name)),
        None if kind.is_singleton() => format!("/{}", kind.plural()),
        None => format!("/{}/", kind.plural()),
    }
}

/// Percent-encodes a path segment or query value.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte.into());
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn list(kind: Kind, matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    let limit = matches.get_one::<String>("limit").map(|limit| limit.parse()).transpose()?;
    let limit: usize = limit.unwrap_or(usize::MAX);
    let mut query = String::new();
    for filter in matches.get_many::<String>("filter").into_iter().flatten() {
        query.push_str(&format!("&filter={}", encode(filter)));
    }
    if let Some(text) = matches.get_one::<String>("search") {
        query.push_str(&format!("&search={}", encode(text)));
    }
    let (mut objects, mut cursor) = (Vec::new(), String::new());
    loop {
        let size = PAGE.min(limit - objects.len());
        let page = client.get(&format!("/{}?limit={size}{query}{cursor}", kind.plural()))?;
        objects.extend(page["items"].as_array().cloned().unwrap_or_default());
        match page["next"].as_str() {
            Some(next) if objects.len() < limit => cursor = format!("&cursor={}", encode(next)),
            _ => break,
        }
    }
    match form {
        Form::Json => print::show(form, &Value::Array(objects)),
        Form::Text => {
            let columns = columns(kind);
            let rows: Vec<Vec<String>> = objects
                .iter()
                .map(|object| columns.iter().map(|column| print::cell(&object[*column])).collect())
                .collect();
            print::table(&columns, &rows);
        }
    }
    Ok(())
}

/// What a list shows: the first plain fields of the kind.
fn columns(kind: Kind) -> Vec<&'static str> {
    let properties = kind.schema_value()["properties"].as_object();
    let plain = properties.into_iter().flatten().filter(|(_, schema)| {
        !schema["items"].is_object()
            && !schema["$ref"].as_str().is_some_and(|to| to.ends_with("Forwards"))
    });
    plain.map(|(name, _)| name.as_str()).take(6).collect()
}

fn report(form: Form, done: &str, kind: Kind, saved: &Value) {
    match form {
        Form::Json => print::show(form, saved),
        Form::Text => {
            let name = saved["name"].as_str().or_else(|| saved["user_id"].as_str());
            let name =
                name.or_else(|| saved["number"].as_str()).or_else(|| saved["pattern"].as_str());
            println!("{done} {kind} {}", name.unwrap_or_default());
            if let Some(effect) = saved["takes"].as_str() {
                println!("{effect}");
            }
        }
    }
}
