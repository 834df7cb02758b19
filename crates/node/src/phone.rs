//! `jackfield phone`: a virtual phone on the command line, by hand or by a script, and fleets of
//! them.

use std::io::{stdin, stdout};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use jackfield_phone::fleet::{
    Fleet, FleetSettings, IvrLoad, Newcomer, Percentiles, SelfProvision, ivr_load, self_provision,
};
use jackfield_phone::{
    Door, Make, PhoneSettings, RunError, SCRIPT_HELP, Script, Transport, run_interactive,
    run_script,
};
use jackfield_vocabulary::Mac;

use crate::say::{self, say};

/// Failures that are told one by one.
const TOLD: usize = 10;

/// The command.
pub(crate) fn command() -> Command {
    Command::new("phone")
        .about("A virtual phone: by hand, by a script, or thousands at once")
        .args(phone_options())
        .arg(
            Arg::new("script")
                .long("script")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Do what the file says, then end"),
        )
        .arg(
            Arg::new("auto-answer")
                .long("auto-answer")
                .action(ArgAction::SetTrue)
                .help("Answer calls by itself"),
        )
        .subcommand(
            Command::new("fleet")
                .about("Plug many phones in, and tell how long until all are in service")
                .args(phone_options())
                .args(fleet_options())
                .after_help(
                    "Example: jackfield phone fleet --count 5000 --fetch tftp --transport tcp",
                ),
        )
        .subcommand(
            Command::new("ivr-load")
                .about("Call one number with many phones at once, with sound both ways")
                .args(phone_options())
                .args(fleet_options())
                .arg(pilot())
                .arg(number("seconds", "30", "How long the calls last")),
        )
        .subcommand(
            Command::new("self-provision")
                .about("Let many new phones provision themselves over calls")
                .args(phone_options())
                .args(fleet_options())
                .arg(pilot())
                .arg(number("at-once", "100", "Calls at the same time"))
                .arg(
                    Arg::new("users")
                        .long("users")
                        .value_name("FILE")
                        .required(true)
                        .value_parser(value_parser!(PathBuf))
                        .help("Lines of self-service ID and PIN; the ID is the extension"),
                ),
        )
        .args_conflicts_with_subcommands(true)
        .after_help(format!("By hand and in scripts, a line each:\n\n{SCRIPT_HELP}"))
}

/// Carries it out.
pub(crate) fn run(matches: &ArgMatches) -> Result<()> {
    match matches.subcommand() {
        Some(("fleet", matches)) => boot(matches),
        Some(("ivr-load", matches)) => load(matches),
        Some(("self-provision", matches)) => provision(matches),
        _ => one(matches),
    }
}

fn one(matches: &ArgMatches) -> Result<()> {
    let mut settings = settings(matches)?;
    settings.auto_answer = matches.get_flag("auto-answer");
    let out = &mut stdout();
    let outcome = match matches.get_one::<PathBuf>("script") {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("reading {}", file.display()))?;
            let script = Script::parse(&text).with_context(|| file.display().to_string())?;
            run_script(settings, &script, out)
        }
        None => run_interactive(settings, &mut stdin().lock(), out),
    };
    match outcome {
        // Nobody looks at the phone any more.
        Err(RunError::Output(error)) if say::is_left(&error) => Ok(()),
        outcome => Ok(outcome?),
    }
}

fn boot(matches: &ArgMatches) -> Result<()> {
    let fleet = fleet(matches)?;
    let report = Fleet::start(&fleet)?;
    say!(
        "{} of {} phones in service after {:.2} s ({} boots, {} refusals on the way)",
        report.in_service,
        fleet.count,
        report.elapsed.as_secs_f32(),
        report.boots,
        report.refusals
    );
    say!("time to service: {}", times(&report.times));
    for (mac, reason) in report.failed.iter().take(TOLD) {
        say!("failed: {mac}: {reason}");
    }
    ensure!(report.failed.is_empty(), "{} phones failed", report.failed.len());
    Ok(())
}

fn load(matches: &ArgMatches) -> Result<()> {
    let mut load = IvrLoad::new(fleet(matches)?, text(matches, "pilot"));
    load.length = Duration::from_secs(value(matches, "seconds")?);
    let report = ivr_load(&load)?;
    say!(
        "{} of {} calls answered, {} there at the end, {:.1} s together",
        report.answered,
        load.fleet.count,
        report.survived,
        report.measured.as_secs_f32()
    );
    say!("{} RTP packets received, {} sent", report.received, report.sent);
    say!("deviation from the 20 ms clock: {}", report.deviation);
    say!("before all calls were up: {}", report.deviation_before);
    if let Some((rank, deviation)) = report.timer_alone {
        say!("timer alone: {deviation}, of rank {rank}");
    }
    report.troubles.iter().take(TOLD).for_each(|trouble| say!("trouble: {trouble}"));
    ensure!(report.survived == load.fleet.count, "calls were lost");
    Ok(())
}

fn provision(matches: &ArgMatches) -> Result<()> {
    let file = matches.get_one::<PathBuf>("users").context("--users is needed")?;
    let users =
        std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let newcomers = users.lines().filter(|line| !line.trim().is_empty()).map(newcomer);
    let newcomers: Vec<Newcomer> = newcomers.collect::<Result<_>>()?;
    let mut fleet = fleet(matches)?;
    fleet.count = newcomers.len();
    let mut settings = SelfProvision::new(fleet, text(matches, "pilot"), newcomers);
    settings.concurrency = usize::try_from(value(matches, "at-once")?)?;
    let report = self_provision(&settings)?;
    say!(
        "{} of {} phones provisioned in {:.1} s by {} calls, {} failed, {} extensions on more than \
         one phone",
        report.provisioned,
        settings.fleet.count,
        report.elapsed.as_secs_f32(),
        report.calls,
        report.failed.len(),
        report.doubled.len()
    );
    say!("from dialling to the extension: {}", times(&report.times));
    for (reason, calls) in report.ended_early.iter().take(TOLD) {
        say!("calls that ended early: {calls}: {reason}");
    }
    for failure in report.failed.iter().take(TOLD) {
        say!("failed: {} at {:?}: {}", failure.mac, failure.step, failure.reason);
    }
    ensure!(report.failed.is_empty() && report.doubled.is_empty(), "not all were provisioned");
    Ok(())
}

fn newcomer(line: &str) -> Result<Newcomer> {
    let mut words = line.split_whitespace();
    let (Some(id), pin) = (words.next(), words.next().unwrap_or_default()) else {
        bail!("a line of --users is a self-service ID and a PIN, not {line:?}");
    };
    Ok(Newcomer { id: id.to_owned(), pin: pin.to_owned(), extension: id.to_owned() })
}

fn times(times: &Percentiles) -> String {
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f32());
    format!(
        "median {}, p99 {}, last {}",
        seconds(times.p50),
        seconds(times.p99),
        seconds(times.max)
    )
}

fn phone_options() -> Vec<Arg> {
    vec![
        Arg::new("host")
            .long("host")
            .value_name("IP")
            .default_value("127.0.0.1")
            .value_parser(value_parser!(IpAddr))
            .help("The provisioning server's address, as DHCP would give it"),
        number("sip-port", "5060", "SIP port until a file names another"),
        number("tftp-port", "69", "TFTP port"),
        number("http-port", "6970", "Port of files by HTTP"),
        Arg::new("mac")
            .long("mac")
            .value_name("MAC")
            .default_value("02:00:00:00:00:01")
            .help("Hardware address; of the first phone in a fleet"),
        Arg::new("make")
            .long("make")
            .value_name("MAKE")
            .default_value("enterprise")
            .value_parser(["enterprise", "multiplatform", "generic"])
            .help("Whose manners it has"),
        Arg::new("fetch")
            .long("fetch")
            .value_name("WAY")
            .value_parser(["tftp", "http"])
            .help("How files are fetched [default: HTTP, then TFTP]"),
        Arg::new("transport")
            .long("transport")
            .value_name("WAY")
            .value_parser(["udp", "tcp"])
            .help("How SIP is carried [default: the make's]"),
    ]
}

fn fleet_options() -> Vec<Arg> {
    vec![
        number("count", "100", "Phones"),
        number("rate", "0", "Phones plugged in a second; 0 for all at once"),
        number("timeout", "180", "Seconds after which waiting ends"),
    ]
}

fn pilot() -> Arg {
    Arg::new("pilot")
        .long("pilot")
        .value_name("NUMBER")
        .default_value("2000")
        .help("The number called")
}

fn number(name: &'static str, default: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("NUMBER")
        .default_value(default)
        .value_parser(value_parser!(u64))
        .help(help)
}

fn fleet(matches: &ArgMatches) -> Result<FleetSettings> {
    let count = usize::try_from(value(matches, "count")?)?;
    let mut fleet = FleetSettings::new(count, settings(matches)?);
    let rate = value(matches, "rate")?;
    fleet.rate = (rate > 0).then_some(rate as f64);
    fleet.timeout = Duration::from_secs(value(matches, "timeout")?);
    Ok(fleet)
}

fn settings(matches: &ArgMatches) -> Result<PhoneSettings> {
    let mac: Mac = text(matches, "mac").parse().context("--mac")?;
    let make: Make = text(matches, "make").parse().map_err(anyhow::Error::msg)?;
    let host = matches.get_one::<IpAddr>("host").copied().context("--host is needed")?;
    let mut settings = PhoneSettings::new(mac, make, host);
    settings.sip_port = port(matches, "sip-port")?;
    settings.tftp_port = port(matches, "tftp-port")?;
    settings.http_port = port(matches, "http-port")?;
    if let Some(fetch) = matches.get_one::<String>("fetch") {
        settings.fetch = vec![fetch.parse::<Door>().map_err(anyhow::Error::msg)?];
    }
    if let Some(transport) = matches.get_one::<String>("transport") {
        settings.transport = transport.parse::<Transport>().map_err(anyhow::Error::msg)?;
    }
    Ok(settings)
}

fn text<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}

fn value(matches: &ArgMatches, name: &str) -> Result<u64> {
    matches.get_one::<u64>(name).copied().with_context(|| format!("--{name} is needed"))
}

fn port(matches: &ArgMatches, name: &str) -> Result<u16> {
    u16::try_from(value(matches, name)?).with_context(|| format!("--{name}: 1 to 65535"))
}
