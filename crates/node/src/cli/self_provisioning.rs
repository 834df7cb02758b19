//! How far self-provisioning is, and its settings.

use anyhow::{Result, bail};
use clap::{Arg, ArgMatches, Command};
use jackfield_model::Kind;
use serde_json::json;

use super::client::Client;
use super::field::fields;
use super::print::{self, Form, told};
use super::report;
use super::secret::read_secret;
use crate::say::say;

/// Its command.
pub(super) fn command() -> Command {
    Command::new("self-provisioning")
        .about("Status and settings of self-provisioning")
        .subcommand(Command::new("status").about("Ready, or what is off"))
        .subcommand(
            Command::new("set")
                .about("Change settings; they take effect when the service restarts")
                .args(settings_options())
                .arg(
                    Arg::new("restart")
                        .long("restart")
                        .value_name("WHEN")
                        .help("Restart the service: now or later")
                        .value_parser(["now", "later"]),
                ),
        )
        .subcommand(
            Command::new("code")
                .about("Set the administrators' authentication code (1 to 20 digits)")
                .after_help("It is read from the terminal, or from standard input."),
        )
        .after_help(
            "Example: jackfield self-provisioning set --route-point IVR --application-user ivr \
             --restart now",
        )
}

fn settings_options() -> Vec<Arg> {
    fields(Kind::SelfProvisioning).iter().map(|field| field.option(false)).collect()
}

/// What is done and what is missing, step by step.
pub(super) fn setup(client: &Client, form: Form) -> Result<()> {
    let answer = client.get("/setup")?;
    if form == Form::Json {
        print::show(form, &answer);
        return Ok(());
    }
    let (name, finding) = match client.is_japanese() {
        true => ("セルフプロビジョニング", "電話機がサーバを見つける方法"),
        false => ("Self-provisioning", "How phones find the server"),
    };
    let ready = answer["ready"] == true;
    let status = if ready { print::cell(&answer["status"]) } else { report::not_ready(client) };
    say!("{name}: {status}");
    report::off(&answer);
    if let Some(detail) = answer["detail"].as_str() {
        say!("{detail}");
    }
    report::warnings(&answer);
    report::notes(&answer);
    let flows = answer["flows"].as_array().into_iter().flatten();
    for flow in flows.chain(answer.get("optional")) {
        say!("\n{}", print::cell(&flow["title"]));
        let mut commands = Vec::new();
        for step in flow["steps"].as_array().into_iter().flatten() {
            let mark = if step["done"] == true { "x" } else { " " };
            say!("  [{mark}] {}", print::cell(&step["title"]));
            if step["done"] != true {
                if let Some(remedy) = step["remedy"].as_str().filter(|line| !line.is_empty()) {
                    say!("      {remedy}");
                }
                for command in step["commands"].as_array().into_iter().flatten() {
                    // Steps build on each other; a command is shown where it is needed first.
                    if !commands.contains(&command) {
                        say!("        $ {}", print::cell(command));
                        commands.push(command);
                    }
                }
            }
        }
    }
    if let Some(lines) = answer["finding"].as_array() {
        say!("\n{finding}");
        lines.iter().for_each(|line| say!("  {}", print::cell(line)));
    }
    Ok(())
}

/// Carries out a command of self-provisioning.
pub(super) fn run(matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    match matches.subcommand() {
        Some(("set", matches)) => {
            let mut settings = serde_json::Map::new();
            for field in fields(Kind::SelfProvisioning) {
                field.fill(matches, &mut settings)?;
            }
            let restart = matches.get_one::<String>("restart");
            if settings.is_empty() && restart.is_none() {
                bail!(
                    "nothing to set was named; `jackfield self-provisioning set --help` lists it"
                );
            }
            let mut body = json!({"settings": settings});
            if let Some(restart) = restart {
                body["restart"] = restart.as_str().into();
            }
            told(form, client.put("/self-provisioning/settings", &body), report::saved)
        }
        Some(("code", _)) => {
            let code = read_secret("Authentication code: ")?;
            let answer = client.put("/self-provisioning/code", &json!({"code": code}))?;
            say!("the code is set; it can't be read back");
            report::plain_warnings(&answer);
            Ok(())
        }
        _ => {
            let answer = client.get("/self-provisioning/status");
            told(form, answer, |answer| report::readiness(answer, client))
        }
    }
}
