//! `list`, `show`, `add`, `set` and `delete` of every kind of object, made from the declarations.

use anyhow::{Context, Result, bail};
use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use jackfield_model::{Kind, number_in};
use serde_json::{Map, Value};

mod many;

use super::client::Client;
use super::field::fields;
use super::print::{self, Form};
use crate::say::say;
use many::Deed;
pub(crate) use many::rows as refused_rows;

/// Rows asked for at once.
const PAGE: usize = 500;

/// The five verbs.
pub(crate) fn commands() -> [Command; 5] {
    [
        verb("list", "List the objects of a kind", list_options),
        verb("show", "Show one object", named),
        verb("add", "Make an object", |kind, command| with_fields(kind, command, true)),
        verb("set", "Change fields of an object", |kind, command| {
            many_options(kind, with_fields(kind, named_or_many(kind, command), false))
        }),
        verb("delete", "Delete objects that nothing refers to", |kind, command| {
            many_options(kind, named_or_many(kind, command))
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
            let fields = typed(kind, matches)?;
            if fields.as_object().is_none_or(Map::is_empty) {
                bail!("nothing to change: name a field; `jackfield set {kind} --help` shows them");
            }
            if name.is_none() && !kind.is_singleton() {
                return many::run(kind, matches, &Deed::Change(&fields), client, form);
            }
            let saved = client.patch(&one(kind, name), &kept(kind, name, fields, client)?)?;
            report(form, "changed", kind, &saved);
            Ok(())
        }
        "delete" if name.is_none() => many::run(kind, matches, &Deed::Delete, client, form),
        "delete" => {
            let answer = client.delete(&one(kind, name))?;
            if form == Form::Text {
                say!("deleted {kind} {}", name.unwrap_or_default());
                super::report::plain_warnings(&answer);
            }
            Ok(())
        }
        other => bail!("no such verb: {other}"),
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
        let command = if named { command } else { command.alias(kind.plural()) };
        // What everybody calls them.
        let user = kind == Kind::EndUser;
        shape(kind, if user { command.aliases(["user", "users"]) } else { command })
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
        "set" => {
            "set user-profile Default --allow-self-provisioning true\n         \
             jackfield set phone --where device-pool=Default --device-pool Upstairs"
        }
        _ => {
            "delete line 2001\n         \
             jackfield delete phone --where name~SEP0200 --where auto-registered=true"
        }
    }
}

fn name_argument() -> Arg {
    let help = "Its name, user ID, number or pattern, as in its list (a number that several have \
                with \" in PARTITION\" or \" in no partition\"), or id:NUMBER";
    Arg::new("NAME").help(help).required(true).value_parser(NonEmptyStringValueParser::new())
}

/// There is only one of some kinds; the others are named.
fn named(kind: Kind, command: Command) -> Command {
    if kind.is_singleton() { command } else { command.arg(name_argument()) }
}

/// What is changed is named, or many are chosen at once.
fn named_or_many(kind: Kind, command: Command) -> Command {
    if kind.is_singleton() {
        return command;
    }
    let many = ["all", "where", "search"];
    let name = name_argument().value_name("NAME, --where, --search or --all");
    let name = name.required(false).required_unless_present_any(many);
    command.arg(name.conflicts_with_all(many))
}

fn many_options(kind: Kind, command: Command) -> Command {
    if kind.is_singleton() { command } else { command.args(many::options()) }
}

fn list_options(kind: Kind, command: Command) -> Command {
    let example = fields(kind).first().map(super::field::Field::name).unwrap_or_default();
    let command = if kind == Kind::Phone { command.arg(registered()) } else { command };
    command
        .arg(
            Arg::new("filter")
                .long("filter")
                .value_name("FIELD=VALUE")
                .action(ArgAction::Append)
                .help(format!(
                    "Only those with this value, as in {example}=…; != for others, ~ for a part"
                )),
        )
        .arg(Arg::new("search").long("search").value_name("TEXT").help(SEARCHED))
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("NUMBER")
                .value_parser(value_parser!(u32).range(1..))
                .help("At most so many [default: all]"),
        )
}

/// What a search finds.
const SEARCHED: &str = "Only those with each of these words in their names, numbers and texts; phones by \
    lines and owner, too";

/// Phones are chosen by what they do, too.
fn registered() -> Arg {
    Arg::new("registered")
        .long("registered")
        .value_name("true|false")
        .value_parser(["true", "false"])
        .num_args(0..=1)
        .default_missing_value("true")
        .help("Only those that are registered now, or that are not")
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

/// What is typed of a list says which entries there shall be; one that stays keeps its settings.
fn kept(kind: Kind, name: Option<&str>, mut typed: Value, client: &Client) -> Result<Value> {
    let fields = fields(kind);
    if fields.iter().any(|field| field.keeps(&typed)) {
        let before = client.get(&one(kind, name))?;
        fields.iter().for_each(|field| field.keep(&mut typed, &before));
        // What was kept is what was read: nobody changed it in between.
        typed["version"] = before["version"].clone();
    }
    Ok(typed)
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
    if kind.is_singleton() {
        return client.get(&one(kind, None)).map(|object| print::show(form, &object));
    }
    let limit = matches.get_one::<u32>("limit").and_then(|limit| usize::try_from(*limit).ok());
    let limit = limit.unwrap_or(usize::MAX);
    let mut query = chosen(matches, "filter");
    if kind == Kind::Phone {
        query.push_str("&state=true");
        if let Some(registered) = matches.get_one::<String>("registered") {
            query.push_str(&format!("&registered={registered}"));
        }
    }
    let (mut objects, mut cursor) = (Vec::new(), String::new());
    let more = loop {
        let size = PAGE.min(limit - objects.len());
        let page = client.get(&format!("/{}?limit={size}{query}{cursor}", kind.plural()))?;
        objects.extend(page["items"].as_array().cloned().unwrap_or_default());
        match page["next"].as_str() {
            Some(next) if objects.len() < limit => cursor = format!("&cursor={}", encode(next)),
            next => break next.is_some(),
        }
    };
    match form {
        Form::Json => print::show(form, &Value::Array(objects)),
        Form::Text => table(kind, &objects, more),
    }
    Ok(())
}

fn table(kind: Kind, objects: &[Value], more: bool) {
    let mut columns = columns(kind);
    let mut rows: Vec<Vec<String>> = objects
        .iter()
        .map(|object| columns.iter().map(|column| print::cell(&object[*column])).collect())
        .collect();
    if kind == Kind::Phone {
        columns.extend(["state", "address"]);
        for (row, object) in rows.iter_mut().zip(objects) {
            row.extend(state(&object["state"]));
        }
    }
    print::table(&columns, &rows);
    if more {
        say!("There is more: the list ends with --limit {}.", objects.len());
    }
}

/// Whether a phone is there, and where.
fn state(state: &Value) -> [String; 2] {
    match (&state["registered"], state["registered_at"].as_str()) {
        (Value::Bool(true), _) => ["registered".into(), print::cell(&state["address"])],
        (_, Some(node)) => [format!("registered at {node}"), "-".into()],
        (Value::Bool(false), None) => ["not registered".into(), "-".into()],
        _ => ["unknown".into(), "-".into()],
    }
}

/// Which objects are meant, as a query.
fn chosen(matches: &ArgMatches, filters: &str) -> String {
    let mut query = String::new();
    for filter in matches.get_many::<String>(filters).into_iter().flatten() {
        query.push_str(&format!("&filter={}", encode(&filter_of(filter))));
    }
    if let Some(text) = matches.get_one::<String>("search") {
        query.push_str(&format!("&search={}", encode(text)));
    }
    query
}

/// A filter may name its field as the options do: `alerting-name=…`.
fn filter_of(typed: &str) -> String {
    let end = typed.find(['=', '!', '~']).unwrap_or(typed.len());
    let (field, rest) = typed.split_at(end);
    format!("{}{rest}", field.replace('-', "_"))
}

/// What a list shows: what one looks for in it, else the first plain fields of the kind.
fn columns(kind: Kind) -> Vec<&'static str> {
    match kind {
        Kind::Phone => return vec!["name", "description", "model", "owner", "lines"],
        Kind::EndUser => {
            let looked_for = ["user_id", "first_name", "last_name", "primary_extension"];
            return [&looked_for[..], &["controlled_phones", "enabled"]].concat();
        }
        Kind::ApplicationUser => return vec!["user_id", "description", "groups", "enabled"],
        Kind::CtiRoutePoint => return vec!["name", "description", "device_pool", "lines"],
        Kind::AutoRegistration => {
            return vec!["name", "disabled", "starting_number", "ending_number", "device_template"];
        }
        Kind::UserProfile => {
            let looked_for = ["name", "system_default", "allow_self_provisioning", "desk_phones"];
            return [&looked_for[..], &["line_template", "device_limit"]].concat();
        }
        _ => {}
    }
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
            say!("{}", format!("{done} {kind} {}", name_of(saved)).trim_end());
            if let Some(effect) = saved["takes"].as_str() {
                say!("{effect}");
            }
            super::report::plain_warnings(saved);
        }
    }
}

/// What an object that is shown is called; a number with its place.
fn name_of(shown: &Value) -> String {
    let number = shown["number"].as_str().or_else(|| shown["pattern"].as_str());
    match number.filter(|_| shown.get("partition").is_some()) {
        Some(number) => number_in(number, shown["partition"]["name"].as_str()),
        None => {
            let name = shown["name"].as_str().or_else(|| shown["user_id"].as_str());
            name.unwrap_or_default().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_done_with_a_number_says_in_which_partition() {
        for (shown, name) in [
            (json!({"number": "2000", "partition": null}), "2000 in no partition"),
            (json!({"number": "2000", "partition": {"id": 7, "name": "A"}}), "2000 in A"),
            (json!({"pattern": "9X", "partition": null}), "9X in no partition"),
            (json!({"name": "node1", "number": 1}), "node1"),
            (json!({"user_id": "tanaka"}), "tanaka"),
            (json!({}), ""),
        ] {
            assert_eq!(name_of(&shown), name);
        }
    }

    #[test]
    fn a_filter_names_its_field_as_the_options_do() {
        assert_eq!(filter_of("alerting-name~front-desk"), "alerting_name~front-desk");
        assert_eq!(filter_of("owner!=u-1"), "owner!=u-1");
        assert_eq!(filter_of("auto-registered"), "auto_registered");
    }

    #[test]
    fn every_column_of_every_list_is_a_field() {
        for kind in Kind::ALL {
            let fields = &kind.schema_value()["properties"];
            for column in columns(*kind) {
                assert!(fields[column].is_object(), "{kind} has no {column}");
            }
        }
    }
}
