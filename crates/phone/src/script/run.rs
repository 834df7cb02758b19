//! Does what a script says with a phone on real sockets.

use std::fs;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::{Awaited, Script, ScriptError, Step};
use crate::interface::{CallState, PhoneCommand, PhoneEvent, Sound};
use crate::live::{LiveError, LivePhone};
use crate::settings::PhoneSettings;

/// Where and why a script stopped.
#[derive(Debug, Error)]
pub enum RunError {
    /// The phone can't be started.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// The script can't be read.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// A line could not be carried out.
    #[error("line {line}: {reason}")]
    Failed {
        /// Which line, the first is 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// The output can't be written.
    #[error("can't write: {0}")]
    Output(#[from] std::io::Error),
}

/// Carries out a script, and writes to `out` what happens.
pub fn run_script(
    settings: PhoneSettings,
    script: &Script,
    out: &mut dyn Write,
) -> Result<(), RunError> {
    let mut phone = LivePhone::unplugged(settings)?;
    let mut steps = script.steps.iter();
    let outcome = steps.try_for_each(|(line, step)| {
        let failed = |reason| RunError::Failed { line: *line, reason };
        match step {
            Step::Show => Ok(show(&phone.display(), out)?),
            step => carry_out(&mut phone, step, out).map_err(failed),
        }
    });
    phone.stop();
    outcome
}

/// A phone for a person: reads lines of the script language, does them one by one, shows the
/// display when it changed, and goes on after mistakes. Ends with the input or with `quit`.
pub fn run_interactive(
    settings: PhoneSettings,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<(), RunError> {
    let mut phone = LivePhone::start(settings)?;
    let outcome = converse(&mut phone, input, out);
    phone.stop();
    Ok(outcome?)
}

fn converse(
    phone: &mut LivePhone,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let mut shown = Vec::new();
    writeln!(out, "Type `help` for what can be typed, `quit` to leave.")?;
    let mut line = String::new();
    loop {
        let display = phone.display();
        if display != shown {
            show(&display, out)?;
            shown = display;
        }
        write!(out, "phone> ")?;
        out.flush()?;
        line.clear();
        if input.read_line(&mut line)? == 0 || matches!(line.trim(), "quit" | "exit phone") {
            return Ok(());
        }
        if matches!(line.trim(), "help" | "?") {
            write!(out, "{}", super::SCRIPT_HELP)?;
            continue;
        }
        let done = Script::parse_line(&line).and_then(|step| match step {
            Some(step) => carry_out(phone, &step, out),
            None => Ok(()),
        });
        if let Err(reason) = done {
            writeln!(out, "{reason}")?;
        }
        // What was just done shall be seen.
        std::thread::sleep(SETTLE);
    }
}

fn carry_out(phone: &mut LivePhone, step: &Step, out: &mut dyn Write) -> Result<(), String> {
    match step {
        Step::Command(command) => phone.command(command.clone()),
        Step::Press(keys) => {
            keys.iter().for_each(|key| phone.command(PhoneCommand::Press(*key)));
        }
        Step::SayNothing => phone.play(Sound::Silence),
        Step::SayTone { frequency, millis } => {
            phone.play(Sound::Tone { frequency: *frequency, millis: *millis });
        }
        Step::SayFile(path) => phone.play(sound(path)?),
        Step::Listen => phone.listen(),
        Step::Record(path) => {
            let fault = |error| format!("can't write {}: {error}", path.display());
            fs::write(path, phone.heard().wav()).map_err(fault)?;
        }
        Step::Pause(length) => std::thread::sleep(*length),
        Step::Wait { what, timeout } => {
            return wait(phone, what, *timeout).map_err(|error| error.to_string());
        }
        Step::ExpectDisplay(text) => {
            let display = phone.display();
            if !display.iter().any(|line| line.contains(text)) {
                return Err(format!("the display shows: {}", display.join(" / ")));
            }
        }
        Step::ExpectTone(frequency) => {
            let heard = phone.heard();
            if !heard.has_tone(*frequency) {
                let part = heard.tone(*frequency);
                return Err(format!(
                    "{frequency} Hz was not heard (at most {part:.2} of the energy)"
                ));
            }
        }
        Step::ExpectSound(wanted) => expect_sound(phone, *wanted)?,
        Step::Show => show(&phone.display(), out).map_err(|error| error.to_string())?,
    }
    Ok(())
}

fn wait(phone: &mut LivePhone, what: &Awaited, timeout: Duration) -> Result<(), LiveError> {
    let call = |phone: &mut LivePhone, name: &str, wanted: fn(&CallState) -> bool| {
        phone.wait_call(name, timeout, wanted).map(drop)
    };
    match what {
        Awaited::Service => phone.wait_in_service(timeout).map(drop),
        Awaited::Registered(number) => phone.wait_registered(number, timeout),
        Awaited::Ringing => call(phone, "ringing", |state| {
            matches!(state, CallState::RingingHere { .. } | CallState::RingingThere)
        }),
        Awaited::Connected => phone.wait_connected(timeout).map(drop),
        Awaited::Held => {
            call(phone, "hold", |state| matches!(state, CallState::Held | CallState::HeldThere))
        }
        Awaited::Ended => {
            call(phone, "the end of the call", |state| matches!(state, CallState::Ended { .. }))
        }
        Awaited::Restart => phone
            .wait_for("a restart", timeout, |event| matches!(event, PhoneEvent::Booted { .. }))
            .map(drop),
        Awaited::Digits(digits) => wait_digits(phone, digits, timeout),
        Awaited::Display(text) => phone.wait_display(text, timeout),
    }
}

fn wait_digits(phone: &mut LivePhone, digits: &str, timeout: Duration) -> Result<(), LiveError> {
    let end = Instant::now() + timeout;
    let mut heard = String::new();
    while !heard.ends_with(digits) {
        let left = end.saturating_duration_since(Instant::now());
        let what = format!("the keys {digits} after {heard}");
        let event = phone
            .wait_for(&what, left, |event| matches!(event, PhoneEvent::Digit { .. }))
            .map_err(|error| error.of_wait(timeout))?;
        if let PhoneEvent::Digit { digit, .. } = event {
            heard.push(digit.as_char());
        }
    }
    Ok(())
}

fn expect_sound(phone: &LivePhone, wanted: bool) -> Result<(), String> {
    let energy = phone.heard().energy();
    match (wanted, energy > SOUND) {
        (true, false) => Err(format!("nothing was heard (energy {energy:.0})")),
        (false, true) => Err(format!("something was heard (energy {energy:.0})")),
        _ => Ok(()),
    }
}

fn sound(path: &Path) -> Result<Sound, String> {
    let bytes =
        fs::read(path).map_err(|error| format!("can't read {}: {error}", path.display()))?;
    let samples = jackfield_media::parse_wav(&bytes)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Sound::Samples { samples: samples.into(), rate: 16_000 })
}

fn show(display: &[String], out: &mut dyn Write) -> std::io::Result<()> {
    let width = display.iter().map(|line| line.chars().count()).max().unwrap_or(0).max(24);
    writeln!(out, "+{}+", "-".repeat(width + 2))?;
    for line in display {
        writeln!(out, "| {line:width$} |")?;
    }
    writeln!(out, "+{}+", "-".repeat(width + 2))
}

const SETTLE: Duration = Duration::from_millis(150);
const SOUND: f32 = 100.0;
