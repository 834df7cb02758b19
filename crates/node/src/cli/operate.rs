//! What one does with a running server besides keeping objects: sign in, set up, operate services
//! and phones, and ask why.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use super::client::Client;
use super::object::encode;
use super::print::{self, Form};
use super::text;

/// The commands.
pub(crate) fn commands() -> Vec<Command> {
    vec![
        Command::new("login")
            .about("Sign in; the token is kept for the commands that follow")
            .arg(needed("USER", "User ID of an application user or end user"))
            .after_help("The password is read from the terminal, or from standard input."),
        Command::new("logout").about("Sign out"),
        Command::new("setup")
            .about("What is done and what is missing until phones provision themselves")
            .after_help("Shows the task flow step by step, and how phones find the server."),
        services(),
        self_provisioning(),
        Command::new("explain")
            .about("Why can't this phone or user … ?")
            .arg(needed("KIND", "What").value_parser(["phone", "user"]))
            .arg(needed("NAME", "Device name or user ID"))
            .after_help("Example: jackfield explain user tanaka"),
        Command::new("quick-add")
            .about("A new user with an extension, ready to self-provision")
            .arg(needed("USER", "The new user ID"))
            .arg(option("template", "NAME", "Feature group template").required(true))
            .arg(option("extension", "NUMBER", "The user's number").required(true))
            .arg(option("first-name", "TEXT", "First name"))
            .arg(option("last-name", "TEXT", "Last name"))
            .after_help("Example: jackfield quick-add tanaka --template Standard --extension 1001"),
        secret("password", "Set a user's password"),
        secret("pin", "Set a user's PIN"),
        Command::new("unlock")
            .about("Unlock an account after too many failures")
            .arg(needed("USER", "User ID")),
        Command::new("assign")
            .about("Make a phone a user's own, as self-provisioning does")
            .arg(needed("PHONE", "Device name"))
            .arg(needed("USER", "User ID")),
        Command::new("unassign")
            .about("Take a phone from its owner; it is open for self-provisioning again")
            .arg(needed("PHONE", "Device name")),
        Command::new("replace")
            .about("Put a new phone in the place of an old one")
            .arg(needed("OLD", "The old phone's device name"))
            .arg(needed("NEW", "The new phone's device name")),
        Command::new("restart")
            .about("Tell a phone to restart")
            .arg(needed("PHONE", "Device name"))
            .arg(
                option("how", "HOW", "restart, reset or resync")
                    .value_parser(["restart", "reset", "resync"])
                    .default_value("restart"),
            ),
        Command::new("device")
            .about("What the server knows of a device at this moment")
            .arg(needed("NAME", "Device name")),
        Command::new("status").about("What is going on: registrations, calls, services"),
        Command::new("calls")
            .about("Finished calls, newest first")
            .arg(option("limit", "NUMBER", "At most so many").default_value("50")),
        Command::new("audit")
            .about("Who changed what, newest first")
            .arg(option("limit", "NUMBER", "At most so many").default_value("50"))
            .arg(option("actor", "USER", "Only what this user or device did"))
            .arg(option("operation", "NAME", "Only these, as in assign")),
        Command::new("languages").about("Installed language packs").arg(
            Arg::new("rescan")
                .long("rescan")
                .action(ArgAction::SetTrue)
                .help("Look for packs that were added or removed"),
        ),
    ]
}

/// Carries out one of them.
pub(crate) fn run(name: &str, matches: &ArgMatches, client: &mut Client, form: Form) -> Result<()> {
    match name {
        "login" => login(text(matches, "USER"), client),
        "logout" => client.sign_out(),
        "setup" => setup(client, form),
        "services" => operate_services(matches, client, form),
        "self-provisioning" => operate_self_provisioning(matches, client, form),
        "explain" => explain(matches, client, form),
        "quick-add" => quick_add(matches, client, form),
        "password" | "pin" => set_secret(name, matches, client),
        "unlock" => {
            let path = format!("/users/{}/unlock", encode(text(matches, "USER")));
            client.post(&path, &json!({})).map(|_| println!("unlocked"))
        }
        "assign" => {
            let path = format!("/phones/{}/assign", encode(text(matches, "PHONE")));
            shown(form, client.post(&path, &json!({"user": text(matches, "USER")})))
        }
        "unassign" => {
            let path = format!("/phones/{}/unassign", encode(text(matches, "PHONE")));
            shown(form, client.post(&path, &json!({})))
        }
        "replace" => {
            let path = format!("/phones/{}/replace", encode(text(matches, "OLD")));
            shown(form, client.post(&path, &json!({"new": text(matches, "NEW")})))
        }
        "restart" => {
            let path = format!("/phones/{}/restart", encode(text(matches, "PHONE")));
            client
                .post(&path, &json!({"restart": text(matches, "how")}))
                .map(|_| println!("the phone is told to {}", text(matches, "how")))
        }
        "device" => shown(form, client.get(&format!("/devices/{}", encode(text(matches, "NAME"))))),
        "status" => shown(form, client.get("/status")),
        "calls" => shown(form, client.get(&format!("/calls?limit={}", text(matches, "limit")))),
        "audit" => audit(matches, client, form),
        "languages" => languages(matches, client, form),
        other => bail!("no such command: {other}"),
    }
}

fn needed(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).help(help).required(true)
}

fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

fn secret(name: &'static str, about: &'static str) -> Command {
    Command::new(name)
        .about(about)
        .arg(needed("USER", "User ID"))
        .after_help("It is read from the terminal, or from standard input; never an argument.")
}

fn services() -> Command {
    let one = |name: &'static str, about: &'static str| {
        Command::new(name)
            .about(about)
            .arg(needed("SERVICE", "As in cti-manager or self-provisioning-ivr"))
            .arg(option("node", "NAME", "The node [default: the publisher]"))
    };
    Command::new("services")
        .about("Services of the nodes: activated, running, in service")
        .subcommand(Command::new("list").about("Their states"))
        .subcommand(one("activate", "Activate a service on a node and start it"))
        .subcommand(one("deactivate", "Stop a service and leave it off"))
        .subcommand(one("start", "Start a service that is activated"))
        .subcommand(one("stop", "Stop a service until the next start"))
        .subcommand(one("restart", "Restart a service, so that it takes new settings"))
        .after_help("Example: jackfield services activate self-provisioning-ivr")
}

fn self_provisioning() -> Command {
    Command::new("self-provisioning")
        .about("Status and settings of self-provisioning")
        .subcommand(Command::new("status").about("Ready, or what is off"))
        .subcommand(
            Command::new("set")
                .about("Change settings; they take effect when the service restarts")
                .args(settings_options())
                .arg(
                    option("restart", "WHEN", "Restart the service: now or later")
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
    super::field::fields(jackfield_model::Kind::SelfProvisioning)
        .iter()
        .map(|field| field.option(false))
        .collect()
}

fn login(user: &str, client: &mut Client) -> Result<()> {
    let password = read_secret("Password: ")?;
    let answer = client.sign_in(user, &password)?;
    println!("signed in as {user}");
    if answer["must_change_password"] == true {
        println!("This was a one-time password. Set your own now: jackfield password {user}");
    }
    Ok(())
}

/// Reads a secret without echo from a terminal, else one line of standard input.
pub(crate) fn read_secret(prompt: &str) -> Result<String> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        print!("{prompt}");
        std::io::stdout().flush()?;
    }
    let echo = Echo::off(stdin.is_terminal());
    let mut line = String::new();
    stdin.lock().read_line(&mut line).context("reading the secret")?;
    drop(echo);
    if stdin.is_terminal() {
        println!();
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Switches the terminal's echo off, and on again when dropped.
struct Echo(Option<libc::termios>);

impl Echo {
    fn off(is_terminal: bool) -> Self {
        if !is_terminal {
            return Self(None);
        }
        // SAFETY: plain C structs, and a descriptor that is open.
        unsafe {
            let mut before: libc::termios = core::mem::zeroed();
            if libc::tcgetattr(libc::STDIN_FILENO, &mut before) != 0 {
                return Self(None);
            }
            let mut silent = before;
            silent.c_lflag &= !libc::ECHO;
            libc::tcsetattr(libc::STDIN_FILENO, libc::TCSAFLUSH, &silent);
            Self(Some(before))
        }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // SAFETY: as above.
            unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSAFLUSH, before) };
        }
    }
}

fn shown(form: Form, answer: Result<Value>) -> Result<()> {
    print::show(form, &answer?);
    Ok(())
}

fn setup(client: &Client, form: Form) -> Result<()> {
    let answer = client.get("/setup")?;
    if form == Form::Json {
        print::show(form, &answer);
        return Ok(());
    }
    println!("Self-provisioning: {}", print::cell(&answer["status"]));
    for flow in answer["flows"].as_array().into_iter().flatten() {
        println!("\n{}", print::cell(&flow["title"]));
        for step in flow["steps"].as_array().into_iter().flatten() {
            let mark = if step["done"] == true { "x" } else { " " };
            println!("  [{mark}] {}", print::cell(&step["title"]));
            if step["done"] != true {
                for line in [&step["missing"], &step["remedy"], &step["command"]] {
                    if let Some(line) = line.as_str().filter(|line| !line.is_empty()) {
                        println!("      {line}");
                    }
                }
            }
        }
    }
    if let Some(finding) = answer["finding"].as_array() {
        println!("\nHow phones find the server");
        finding.iter().for_each(|line| println!("  {}", print::cell(line)));
    }
    Ok(())
}

fn operate_services(matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    match matches.subcommand() {
        None | Some(("list", _)) => {
            let answer = client.get("/services")?;
            if form == Form::Json {
                print::show(form, &answer);
                return Ok(());
            }
            let columns = ["node", "service", "activated", "running", "state"];
            let rows: Vec<Vec<String>> = answer["items"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|row| columns.iter().map(|column| print::cell(&row[*column])).collect())
                .collect();
            print::table(&columns, &rows);
            Ok(())
        }
        Some((action, matches)) => {
            let service = text(matches, "SERVICE");
            let body = json!({"node": matches.get_one::<String>("node")});
            let answer = client.post(&format!("/services/{}/{action}", encode(service)), &body)?;
            let state = answer["state"].as_str().unwrap_or("done");
            println!("{service}: {state}");
            Ok(())
        }
    }
}

fn operate_self_provisioning(matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    match matches.subcommand() {
        Some(("set", matches)) => {
            let mut settings = serde_json::Map::new();
            for field in super::field::fields(jackfield_model::Kind::SelfProvisioning) {
                field.fill(matches, &mut settings)?;
            }
            let restart = matches.get_one::<String>("restart");
            let mut body = json!({"settings": settings});
            if let Some(restart) = restart {
                body["restart"] = restart.as_str().into();
            }
            shown(form, client.put("/self-provisioning/settings", &body))
        }
        Some(("code", _)) => {
            let code = read_secret("Authentication code: ")?;
            client.put("/self-provisioning/code", &json!({"code": code}))?;
            println!("the code is set; it can't be read back");
            Ok(())
        }
        _ => shown(form, client.get("/self-provisioning/status")),
    }
}

fn explain(matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    let path = format!("/explain/{}/{}", text(matches, "KIND"), encode(text(matches, "NAME")));
    let answer = client.get(&path)?;
    if form == Form::Json {
        print::show(form, &answer);
        return Ok(());
    }
    for finding in answer["findings"].as_array().into_iter().flatten() {
        let mark = if finding["good"] == true { "ok " } else { "NO " };
        println!("{mark} {}", print::cell(&finding["message"]));
        if let Some(remedy) = finding["remedy"].as_str().filter(|remedy| !remedy.is_empty()) {
            println!("    {remedy}");
        }
    }
    Ok(())
}

fn quick_add(matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    let mut user = json!({"user_id": text(matches, "USER")});
    for (option, field) in [("first-name", "first_name"), ("last-name", "last_name")] {
        if let Some(value) = matches.get_one::<String>(option) {
            user[field] = value.as_str().into();
        }
    }
    let body = json!({
        "user": user,
        "feature_group_template": text(matches, "template"),
        "extension": text(matches, "extension"),
    });
    client.post("/quick-add", &body)?;
    if form == Form::Text {
        let user = text(matches, "USER");
        println!("added {user} with extension {}", text(matches, "extension"));
        println!("Set a PIN, and the user can self-provision: jackfield pin {user}");
    }
    Ok(())
}

fn set_secret(kind: &str, matches: &ArgMatches, client: &Client) -> Result<()> {
    let user = text(matches, "USER");
    let secret = read_secret(&format!("New {kind} for {user}: "))?;
    client.put(&format!("/users/{}/{kind}", encode(user)), &json!({kind: secret}))?;
    println!("the {kind} of {user} is set");
    Ok(())
}

fn audit(matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    let mut path = format!("/audit?limit={}", text(matches, "limit"));
    for filter in ["actor", "operation"] {
        if let Some(value) = matches.get_one::<String>(filter) {
            path.push_str(&format!("&{filter}={}", encode(value)));
        }
    }
    shown(form, client.get(&path))
}

fn languages(matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    if matches.get_flag("rescan") {
        return shown(form, client.post("/languages/rescan", &json!({})));
    }
    shown(form, client.get("/languages"))
}
