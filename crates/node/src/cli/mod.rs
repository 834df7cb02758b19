//! The command line. Everything but `serve`, `demo`, `phone`, `backup`, `restore` and `recover` is a REST
//! client: what it can do, any program can do.

mod client;
mod entry;
mod field;
mod import;
mod object;
mod operate;
mod phones;
mod print;
mod report;
mod secret;
mod self_provisioning;
mod serve;
mod when;

use anyhow::Result;
use clap::{Arg, ArgAction, ArgMatches, Command};

pub(crate) use client::Client;
use print::Form;

const AFTER: &str = "\
First steps:
  jackfield serve                       start a server; it prints a one-time password
  jackfield login admin                 sign in with it
  jackfield setup                       what is still missing until phones provision themselves
  jackfield add line --help             every field of a kind, with help and range

Environment: JACKFIELD_SERVER, JACKFIELD_TOKEN (for the client); JACKFIELD_PROMPTS,
JACKFIELD_DATABASE, JACKFIELD_LOG (for the server). With a Japanese locale (LANG=ja_JP.UTF-8) the
server answers in Japanese.";

/// Reads the command line and does what it says.
pub(crate) fn run() -> Result<()> {
    let matches = command().get_matches();
    let form = if matches.get_flag("json") { Form::Json } else { Form::Text };
    let server = matches.get_one::<String>("server").map(String::as_str);
    let Some((name, matches)) = matches.subcommand() else { return Ok(()) };
    if serve::is_local(name) {
        return serve::run(name, matches);
    }
    let mut client = Client::new(server);
    match name {
        "list" | "show" | "add" | "set" | "delete" => object::run(name, matches, &client, form),
        "window" | "secret" | "text" => phones::run(name, matches, &client, form),
        _ => operate::run(name, matches, &mut client, form),
    }
}

/// The whole command, for help, completion and tests.
fn command() -> Command {
    Command::new("jackfield")
        .version(env!("CARGO_PKG_VERSION"))
        .about("The open communications manager: phones that provision themselves, calls, CTI.")
        .after_help(AFTER)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(
            Arg::new("server")
                .long("server")
                .global(true)
                .value_name("URL")
                .display_order(1000)
                .help(format!("The server to speak to [default: {}]", client::SERVER)),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .global(true)
                .display_order(1001)
                .action(ArgAction::SetTrue)
                .help("Answers as JSON, for programs"),
        )
        .subcommands(serve::commands())
        .subcommands(object::commands())
        .subcommands(operate::commands())
        .subcommands(phones::commands())
}

/// A required argument's text.
fn text<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_is_well_formed() {
        super::command().debug_assert();
    }
}
