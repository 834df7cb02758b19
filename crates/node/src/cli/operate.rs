//! What one does with a running server besides keeping objects: sign in, set up, operate services
//! and phones, and ask why.

use std::io::IsTerminal;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::json;

use super::client::Client;
use super::import;
use super::object::encode;
use super::print::{self, Form, shown, told};
use super::report;
use super::secret::read_secret;
use super::self_provisioning;
use super::text;
use super::when::moment;
use crate::say::say;

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
        self_provisioning::command(),
        Command::new("explain")
            .about("Why can't this phone or user … ? Who has this number?")
            .arg(needed("KIND", "`phone` or `user`; or a number alone"))
            .arg(Arg::new("NAME").help("Device name, user ID, number, or a phone's address"))
            .after_help(
                "Examples:\n  jackfield explain phone SEP001122AABB01\n  jackfield explain user \
                 tanaka\n  jackfield explain 3001",
            ),
        Command::new("quick-add")
            .about("A new user with an extension, ready to self-provision")
            .arg(needed("USER", "The new user ID"))
            .arg(option("template", "NAME", "Feature group template").required(true))
            .arg(option("extension", "NUMBER", "The user's number").required(true))
            .arg(option("first-name", "TEXT", "First name"))
            .arg(option("last-name", "TEXT", "Last name"))
            .arg(
                Arg::new("own-pin")
                    .long("own-pin")
                    .action(ArgAction::SetTrue)
                    .help("Read the PIN from the terminal, or from standard input; else one is made up"),
            )
            .after_help("Example: jackfield quick-add tanaka --template Default --extension 3001 \
                 --first-name Hanako --last-name Tanaka"),
        import::command(),
        Command::new("quick-remove")
            .about("Remove a user who leaves: the phones are open for the next one, the number is free")
            .arg(needed("USER", "User ID"))
            .after_help(
                "The user's phones are unassigned, as by `jackfield unassign`; the extension goes \
                 with the user unless somebody else has it too. All of it or, when one thing is \
                 refused, nothing.\nExample: jackfield quick-remove tanaka",
            ),
        secret("password", "Set a user's password"),
        secret("pin", "Set a user's PIN"),
        Command::new("unlock")
            .about("Unlock an account after too many failures")
            .arg(needed("USER", "User ID"))
            .args(super::serve::place_on_the_machine())
            .after_help(
                "Examples:\n  jackfield unlock tanaka\n  jackfield unlock admin --data \
                 /var/lib/jackfield    (on the node's machine, without signing in)",
            ),
        Command::new("alarms").about("What an administrator should look at: which alarm, when, and what to do"),
        Command::new("locks")
            .about("Accounts that are locked after too many failures, and until when"),
        Command::new("assign")
            .about("Make a phone a user's own, as self-provisioning does")
            .arg(needed("PHONE", "Device name"))
            .arg(needed("USER", "User ID"))
            .after_help(
                "A phone that somebody else owns must be unassigned first, unless its owner's \
                 profile allows reassignment.\nExample: jackfield assign SEP001122AABB01 tanaka",
            ),
        Command::new("unassign")
            .about("Take a phone from its owner; it is open for self-provisioning again")
            .arg(needed("PHONE", "Device name"))
            .after_help("Example: jackfield unassign SEP001122AABB01"),
        Command::new("replace")
            .about("Put a new phone in the place of an old one")
            .arg(needed("OLD", "The old phone's device name"))
            .arg(needed("NEW", "The new phone's device name"))
            .after_help(
                "Plug the new phone in first, so that it registers by itself.\n\
                 Example: jackfield replace SEP001122AABB01 SEP001122AABB03",
            ),
        Command::new("restart")
            .about("Tell a phone to restart")
            .arg(needed("PHONE", "Device name"))
            .arg(
                option("how", "HOW", "restart, reset or resync")
                    .value_parser(["restart", "reset", "resync"])
                    .default_value("restart"),
            )
            .after_help("Example: jackfield restart SEP001122AABB01 --how reset"),
        Command::new("device")
            .about("What the server knows of a device at this moment")
            .arg(needed("NAME", "Device name"))
            .after_help("Example: jackfield device SEP001122AABB01"),
        Command::new("status").about("What is going on: registrations, calls, services"),
        Command::new("calls")
            .about("Finished calls, newest first")
            .arg(limit())
            .arg(option("number", "NUMBER", "Only calls from or to this number"))
            .args(between())
            .after_help("Example: jackfield calls --number 3001 --since 2h --limit 10"),
        Command::new("audit")
            .about("Who changed what, newest first")
            .arg(limit())
            .arg(option("actor", "USER", "Only what this user or device did"))
            .arg(option("operation", "NAME", "Only these, as in assign, update or auto-register"))
            .arg(option("object", "NAME", "Only what concerns what has, or had, this name"))
            .args(between())
            .arg(
                Arg::new("failed")
                    .long("failed")
                    .action(ArgAction::SetTrue)
                    .help("Only what was refused: sign-ins, self-provisioning"),
            )
            .after_help(
                "Examples:\n  jackfield audit --actor admin --operation assign\n  \
                 jackfield audit --object SEP001122AABB01 --since 7d\n  \
                 jackfield audit --failed --since 2026-11-30\n\
                 With --json every row has the whole object before and after.",
            ),
        Command::new("languages").about("Installed language packs").arg(
            Arg::new("rescan")
                .long("rescan")
                .action(ArgAction::SetTrue)
                .help("Look for packs that were added or removed"),
        )
        .after_help(
            "Choose some for callers:\n  jackfield self-provisioning set --languages en-US,ja-JP",
        ),
    ]
}

/// Carries out one of them.
pub(crate) fn run(name: &str, matches: &ArgMatches, client: &mut Client, form: Form) -> Result<()> {
    match name {
        "login" => login(text(matches, "USER"), client),
        "logout" => client.sign_out().map(|()| say!("signed out")),
        "setup" => self_provisioning::setup(client, form),
        "services" => operate_services(matches, client, form),
        "self-provisioning" => self_provisioning::run(matches, client, form),
        "explain" => explain(matches, client, form),
        "quick-add" => quick_add(matches, client, form),
        "import" => import::run(matches, client, form),
        "quick-remove" => {
            let body = json!({ "user": text(matches, "USER") });
            told(form, client.post("/quick-remove", &body), report::removed)
        }
        "password" | "pin" => set_secret(name, matches, client),
        "unlock" => {
            let on_the_machine = super::serve::unlock(matches, text(matches, "USER"));
            if let Some(done) = on_the_machine {
                return done;
            }
            let path = format!("/users/{}/unlock", encode(text(matches, "USER")));
            client.post(&path, &json!({})).map(|_| say!("unlocked"))
        }
        "alarms" => told(form, client.get("/alarms"), report::alarms),
        "locks" => told(form, client.get("/locks"), report::locks),
        "assign" => {
            let path = format!("/phones/{}/assign", encode(text(matches, "PHONE")));
            told(form, client.post(&path, &json!({"user": text(matches, "USER")})), report::moved)
        }
        "unassign" => {
            let path = format!("/phones/{}/unassign", encode(text(matches, "PHONE")));
            told(form, client.post(&path, &json!({})), report::moved)
        }
        "replace" => {
            let path = format!("/phones/{}/replace", encode(text(matches, "OLD")));
            told(form, client.post(&path, &json!({"new": text(matches, "NEW")})), report::moved)
        }
        "restart" => {
            let path = format!("/phones/{}/restart", encode(text(matches, "PHONE")));
            client
                .post(&path, &json!({"restart": text(matches, "how")}))
                .map(|_| say!("the phone is told to {}", text(matches, "how")))
        }
        "device" => shown(form, client.get(&format!("/devices/{}", encode(text(matches, "NAME"))))),
        "status" => told(form, client.get("/status"), report::status),
        "calls" => calls(matches, client, form),
        "audit" => audit(matches, client, form),
        "languages" => languages(matches, client, form),
        other => bail!("no such command: {other}"),
    }
}

fn needed(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).help(help).required(true).value_parser(NonEmptyStringValueParser::new())
}

fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

fn limit() -> Arg {
    option("limit", "NUMBER", "At most so many, up to 1000")
        .value_parser(value_parser!(u32).range(1..=1000))
        .default_value("50")
}

fn between() -> [Arg; 2] {
    [
        option("since", "WHEN", "Not earlier: 2026-11-30, \"2026-11-30 14:05\", 90m, 2h, 7d"),
        option("until", "WHEN", "Earlier than this"),
    ]
}

fn limit_of(matches: &ArgMatches) -> u32 {
    matches.get_one::<u32>("limit").copied().unwrap_or(50)
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
            .arg(needed("SERVICE", "Its name, as `jackfield services` lists it"))
            .after_help(format!("Example: jackfield services {name} self-provisioning-ivr"))
            .arg(option("node", "NAME", "The node [default: the one that is asked]"))
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

fn login(user: &str, client: &mut Client) -> Result<()> {
    let password = read_secret("Password: ")?;
    if password.is_empty() {
        bail!("no password was given; nothing was tried");
    }
    let answer = client.sign_in(user, &password)?;
    say!("signed in as {user}");
    if answer["must_change_password"] == true {
        say!("This was a one-time password. Set your own now: jackfield password {user}");
    }
    Ok(())
}

fn operate_services(matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    match matches.subcommand() {
        None | Some(("list", _)) => told(form, client.get("/services"), report::services),
        Some((action, matches)) => {
            let service = text(matches, "SERVICE");
            let body = json!({"node": matches.get_one::<String>("node")});
            let answer = client.post(&format!("/services/{}/{action}", encode(service)), &body);
            told(form, answer, |answer| {
                let state = answer["state"].as_str().unwrap_or("done");
                say!("{service}: {state}");
                if state == "waiting" {
                    say!("{}", report::waiting(answer));
                }
            })
        }
    }
}

fn explain(matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    let name = matches.get_one::<String>("NAME").map(String::as_str);
    let (kind, name) = match (text(matches, "KIND"), name) {
        (kind @ ("phone" | "user"), Some(name)) => (kind, name),
        (number, None) if !["phone", "user"].contains(&number) => ("phone", number),
        _ => bail!("say what: jackfield explain phone NAME, explain user NAME, or explain NUMBER"),
    };
    let path = format!("/explain/{kind}/{}", encode(name));
    let answer = client.get(&path)?;
    if form == Form::Json {
        print::show(form, &answer);
        return Ok(());
    }
    for finding in answer["findings"].as_array().into_iter().flatten() {
        let mark = if finding["good"] == true { "ok " } else { "NO " };
        say!("{mark} {}", print::cell(&finding["message"]));
        if let Some(remedy) = finding["remedy"].as_str().filter(|remedy| !remedy.is_empty()) {
            say!("    {remedy}");
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
    let mut body = json!({
        "user": user,
        "feature_group_template": text(matches, "template"),
        "extension": text(matches, "extension"),
    });
    if matches.get_flag("own-pin") {
        body["pin"] = read_secret("PIN: ")?.into();
    }
    told(form, client.post("/quick-add", &body), report::added)
}

fn set_secret(kind: &str, matches: &ArgMatches, client: &Client) -> Result<()> {
    let user = text(matches, "USER");
    let secret = read_secret(&format!("New {kind} for {user}: "))?;
    // What one could not see, one types twice.
    if std::io::stdin().is_terminal() && secret != read_secret("The same again: ")? {
        bail!("the two differ; nothing was changed");
    }
    client.put(&format!("/users/{}/{kind}", encode(user)), &json!({kind: secret}))?;
    let named = if kind == "pin" { "PIN" } else { kind };
    say!("the {named} of {user} is set");
    Ok(())
}

fn audit(matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    let mut path = format!("/audit?limit={}", limit_of(matches));
    for (option, filter) in [("actor", "actor"), ("operation", "operation"), ("object", "name")] {
        if let Some(value) = matches.get_one::<String>(option) {
            path.push_str(&format!("&{filter}={}", encode(value)));
        }
    }
    path.push_str(&times(matches)?);
    if matches.get_flag("failed") {
        path.push_str("&failed=true");
    }
    told(form, client.get(&path), report::audit)
}

/// Between which moments, as a query.
fn times(matches: &ArgMatches) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let mut query = String::new();
    for (option, filter) in [("since", "from"), ("until", "until")] {
        if let Some(typed) = matches.get_one::<String>(option) {
            let moment = moment(typed, now).with_context(|| format!("--{option}"))?;
            query.push_str(&format!("&{filter}={moment}"));
        }
    }
    Ok(query)
}

fn calls(matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    let mut path = format!("/calls?limit={}", limit_of(matches));
    if let Some(number) = matches.get_one::<String>("number") {
        path.push_str(&format!("&number={}", encode(number)));
    }
    path.push_str(&times(matches)?);
    told(form, client.get(&path), report::calls)
}

fn languages(matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    if matches.get_flag("rescan") {
        return told(form, client.post("/languages/rescan", &json!({})), report::languages);
    }
    told(form, client.get("/languages"), report::languages)
}
