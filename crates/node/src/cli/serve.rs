//! The commands that need no server: run one, show one, be a phone, back up and restore, get back
//! in.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::builder::ValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use jackfield_store::SHORTEST_PASSPHRASE;

use super::secret::read_secret;
use crate::server::{DatabaseChoice, Sample, ServeSettings, Server};
use crate::{backup, demo, phone, recover};

/// The commands.
pub(crate) fn commands() -> Vec<Command> {
    vec![
        Command::new("serve")
            .about("Run a node until it is told to stop (Ctrl-C)")
            .args(place_options())
            .arg(
                Arg::new("address")
                    .long("address")
                    .value_name("IP")
                    .help(
                        "The address by which phones reach this node; it is written into the \
                         node's settings [default: that of the settings, else found out]",
                    ),
            )
            .arg(socket("sip", "0.0.0.0:5060", "SIP over UDP and TCP; a port that you name is written into the node's settings, else theirs is taken"))
            .arg(socket("http", "0.0.0.0:8080", "REST, phone pages, phone files"))
            .arg(socket("files", "0.0.0.0:6970", "Phone files by HTTP, where phones look first"))
            .arg(socket("tftp", "0.0.0.0:69", "Phone files by TFTP"))
            .arg(
                Arg::new("media-ports")
                    .long("media-ports")
                    .value_name("FIRST-LAST")
                    .default_value("24576-32767")
                    .help("UDP ports for the node's own media"),
            )
            .arg(
                Arg::new("prompts")
                    .long("prompts")
                    .value_name("FOLDER")
                    .help("Where the language packs are [default: found beside the program]"),
            )
            .arg(
                Arg::new("node")
                    .long("node")
                    .value_name("NAME")
                    .default_value("node1")
                    .help("This node's name in the cluster"),
            )
            .arg(
                Arg::new("log")
                    .long("log")
                    .value_parser(["text", "json"])
                    .default_value("text")
                    .help("Form of the log on standard error; JACKFIELD_LOG sets its level"),
            )
            .arg(
                Arg::new("sample-company")
                    .long("sample-company")
                    .value_name("PEOPLE")
                    .num_args(0..=1)
                    .default_missing_value("5")
                    .value_parser(value_parser!(u32).range(1..=100_000))
                    .help("On the first start, make a company of so many people to try things on"),
            )
            .arg(
                Arg::new("sample-phones")
                    .long("sample-phones")
                    .value_name("MODEL")
                    .num_args(0..=1)
                    .default_missing_value("Generic SIP phone")
                    .help("The people of the sample company have phones of this model already"),
            )
            .after_help(
                "Examples:\n  jackfield serve --data data\n  jackfield serve --address 192.0.2.10 \
                 --database postgres://jackfield@db/jackfield\n\nPorts below 1024 (TFTP) need the \
                 right to bind them; without it the server goes on and says so.",
            ),
        Command::new("demo")
            .about("Watch a phone provision itself: a node, a sample company, two virtual phones")
            .arg(
                Arg::new("keep")
                    .long("keep")
                    .action(ArgAction::SetTrue)
                    .help("Keep the demo's data and say where"),
            ),
        phone::command(),
        Command::new("backup")
            .about("Write everything the server keeps into one file")
            .args(place_options())
            .arg(Arg::new("FILE").help("The backup").required(true).value_parser(path()))
            .arg(passphrase("Protect the key in the backup by a passphrase, read from the terminal"))
            .after_help(backup::EXPLAINED),
        Command::new("restore")
            .about("Read a backup into an empty database")
            .args(place_options())
            .arg(Arg::new("FILE").help("The backup").required(true).value_parser(path()))
            .arg(passphrase("The backup was made with a passphrase: read it from the terminal"))
            .after_help(backup::EXPLAINED),
        Command::new("recover")
            .about("Get back in: a one-time password for an administrator")
            .args(place_options())
            .arg(Arg::new("USER").help("Its user ID").default_value("admin"))
            .arg(
                Arg::new("administrator")
                    .long("administrator")
                    .action(ArgAction::SetTrue)
                    .help("Also make or make good an account that is no administrator now"),
            )
            .after_help(recover::EXPLAINED),
    ]
}

/// Unlocks on the machine itself, where that is wanted.
pub(crate) fn unlock(matches: &ArgMatches, user_id: &str) -> Option<Result<()>> {
    let given = |name| matches.contains_id(name);
    let here = given("data") || given("database");
    here.then(|| place(matches).and_then(|place| recover::unlock(&place, user_id)))
}

/// Where the database is, for those who want it opened without a server.
pub(crate) fn place_on_the_machine() -> [Arg; 2] {
    place_options().map(|option| option.default_value(None))
}

/// Whether a command needs no server.
pub(crate) fn is_local(name: &str) -> bool {
    matches!(name, "serve" | "demo" | "phone" | "backup" | "restore" | "recover")
}

/// Carries out one of them.
pub(crate) fn run(name: &str, matches: &ArgMatches) -> Result<()> {
    match name {
        "serve" => serve(matches),
        "demo" => demo::run(matches.get_flag("keep")),
        "phone" => phone::run(matches),
        "backup" => {
            let passphrase = secret(matches)?;
            long_enough(passphrase.as_deref())?;
            backup::back_up(&place(matches)?, file(matches)?, passphrase)
        }
        "recover" => {
            let user = matches.get_one::<String>("USER").map_or("admin", String::as_str);
            recover::recover(&place(matches)?, user, matches.get_flag("administrator"))
        }
        _ => backup::restore(&place(matches)?, file(matches)?, secret(matches)?),
    }
}

fn serve(matches: &ArgMatches) -> Result<()> {
    let json = matches.get_one::<String>("log").is_some_and(|form| form == "json");
    crate::log::start(json);
    let address = matches.get_one::<String>("address");
    let address = address
        .map(|address| {
            address.parse().with_context(|| format!("--address {address}: no IP address"))
        })
        .transpose()?;
    let settings = ServeSettings {
        place: place(matches)?,
        node: matches.get_one::<String>("node").map_or("node1", String::as_str).into(),
        address,
        sip: bind(matches, "sip"),
        sip_is_given: matches.value_source("sip") == Some(ValueSource::CommandLine),
        http: bind(matches, "http"),
        files: bind(matches, "files"),
        tftp: bind(matches, "tftp"),
        media_ports: ports(matches)?,
        until_terminated: true,
        prompts: matches.get_one::<String>("prompts").map(PathBuf::from),
        sample: matches.get_one::<u32>("sample-company").map(|people| Sample {
            people: *people,
            phones: matches.get_one::<String>("sample-phones").map(|model| model.as_str().into()),
            start_delay_seconds: None,
        }),
    };
    let mut server = Server::start(settings)?;
    server.say_ready();
    let outcome = server.wait_for_signal();
    server.stop();
    outcome
}

fn place_options() -> [Arg; 2] {
    [
        Arg::new("data")
            .long("data")
            .value_name("FOLDER")
            .default_value("data")
            .value_parser(path())
            .help("Folder of the built-in database and the key file"),
        Arg::new("database")
            .long("database")
            .value_name("URL")
            .help("A PostgreSQL server in place of the built-in database, as postgres://…"),
    ]
}

/// Where a command finds the data.
fn place(matches: &ArgMatches) -> Result<DatabaseChoice> {
    let folder = matches.get_one::<PathBuf>("data").cloned().unwrap_or_else(|| "data".into());
    let given = matches.get_one::<String>("database").cloned();
    let given = given.map(|url| ("--database", url));
    let set = || std::env::var("JACKFIELD_DATABASE").ok().filter(|url| !url.is_empty());
    let url = given.or_else(|| set().map(|url| ("JACKFIELD_DATABASE", url)));
    let url = url.map(|(name, url)| on_server(&url).with_context(|| name.to_owned()).map(|()| url));
    Ok(DatabaseChoice { folder, url: url.transpose()? })
}

/// Refuses what names no PostgreSQL server: mistyped, it would be a folder with a new system in it.
/// The rest of an address may hold a password, and is not repeated.
fn on_server(url: &str) -> Result<()> {
    match url.split_once("://") {
        Some(("postgres" | "postgresql", _)) => Ok(()),
        Some((scheme, _)) => {
            bail!("{scheme}:// is no database that is known here; as in {EXAMPLE}")
        }
        None => bail!("the address of a PostgreSQL server is missing its scheme; as in {EXAMPLE}"),
    }
}

const EXAMPLE: &str =
    "postgres://jackfield@db/jackfield. The built-in database takes --data FOLDER";

fn socket(name: &'static str, default: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("IP:PORT")
        .default_value(default)
        .value_parser(value_parser!(SocketAddr))
        .help(help)
}

fn bind(matches: &ArgMatches, name: &str) -> SocketAddr {
    let bound = matches.get_one::<SocketAddr>(name).copied();
    bound.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
}

fn ports(matches: &ArgMatches) -> Result<core::ops::RangeInclusive<u16>> {
    let text = matches.get_one::<String>("media-ports").map_or("", String::as_str);
    let range = text
        .split_once('-')
        .and_then(|(first, last)| Some(first.trim().parse().ok()?..=last.trim().parse().ok()?));
    range
        .filter(|range: &core::ops::RangeInclusive<u16>| {
            *range.start() >= 1024 && range.end() > range.start()
        })
        .with_context(|| format!("--media-ports {text}: as in 24576-32767, from 1024 on"))
}

fn path() -> ValueParser {
    value_parser!(PathBuf)
}

fn passphrase(help: &'static str) -> Arg {
    Arg::new("passphrase").long("passphrase").action(ArgAction::SetTrue).help(help)
}

fn file(matches: &ArgMatches) -> Result<&PathBuf> {
    matches.get_one::<PathBuf>("FILE").context("a file is needed")
}

fn secret(matches: &ArgMatches) -> Result<Option<String>> {
    if !matches.get_flag("passphrase") {
        return Ok(None);
    }
    let passphrase = read_secret("Passphrase: ")?;
    if passphrase.is_empty() {
        bail!("the passphrase is empty: it would protect nothing. Nothing was done");
    }
    Ok(Some(passphrase))
}

/// Whoever has the file tries short ones out.
fn long_enough(passphrase: Option<&str>) -> Result<()> {
    if passphrase.is_some_and(|one| one.chars().count() < SHORTEST_PASSPHRASE) {
        bail!("the passphrase has fewer than {SHORTEST_PASSPHRASE} characters. Nothing was done");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::on_server;

    #[test]
    fn another_database_than_a_known_one_is_refused_by_its_name() {
        for url in ["postgres://jackfield@db/jackfield", "postgresql://db/j?host=/run"] {
            assert!(on_server(url).is_ok(), "{url}");
        }
        for (url, named) in [
            ("mysql://root:secret@db/j", "mysql://"),
            ("Postgres://root:secret@db/j", "Postgres://"),
            ("postgress://root:secret@db/j", "postgress://"),
            ("sqlite:///root:secret", "sqlite://"),
            ("host=db password=secret", "scheme"),
            ("data", "scheme"),
            ("", "scheme"),
        ] {
            let error = on_server(url).unwrap_err().to_string();
            assert!(error.contains(named) && error.contains("postgres://"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
