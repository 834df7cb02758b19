//! What one line of a script means.

use std::path::PathBuf;
use std::time::Duration;

use jackfield_vocabulary::Digit;

use crate::interface::{DigitWay, PhoneCommand, Softkey};

/// One thing to do or to wait for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Command(PhoneCommand),
    Press(Vec<Digit>),
    SayFile(PathBuf),
    SayTone { frequency: f32, millis: Option<u32> },
    SayNothing,
    Listen,
    Record(PathBuf),
    Pause(Duration),
    Wait { what: Awaited, timeout: Duration },
    ExpectDisplay(String),
    ExpectTone(f32),
    ExpectSound(bool),
    Show,
}

/// What a script waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    Service,
    Registered(String),
    Ringing,
    Connected,
    Held,
    Ended,
    Restart,
    Digits(String),
    Display(String),
}

impl Step {
    pub(super) fn parse(verb: &str, rest: &[&str]) -> Result<Self, String> {
        if let Some(command) = plain_command(verb) {
            none(verb, rest)?;
            return Ok(Self::Command(command));
        }
        match verb {
            "dial" => Ok(Self::Command(PhoneCommand::Dial(one(verb, "a number", rest)?.into()))),
            "line" => {
                Ok(Self::Command(PhoneCommand::LineKey(number(one(verb, "a number", rest)?)?)))
            }
            "speed-dial" => {
                Ok(Self::Command(PhoneCommand::SpeedDial(number(one(verb, "a number", rest)?)?)))
            }
            "press" => Ok(Self::Press(keys(one(verb, "keys", rest)?)?)),
            "digits" => digits_by(one(verb, "event, tone or info", rest)?),
            "say" => say(rest),
            "listen" => none(verb, rest).map(|()| Self::Listen),
            "record" => Ok(Self::Record(one(verb, "a file", rest)?.into())),
            "services" => services(rest),
            "open" => Ok(Self::Command(PhoneCommand::Open(one(verb, "an address", rest)?.into()))),
            "select" => {
                Ok(Self::Command(PhoneCommand::Select(number(one(verb, "a number", rest)?)?)))
            }
            "fill" => {
                let text = one(verb, "a text", rest)?.into();
                Ok(Self::Command(PhoneCommand::Fill { field: None, text }))
            }
            "pause" => Ok(Self::Pause(time(one(verb, "a time", rest)?)?)),
            "wait" => wait(rest),
            "expect" => expect(rest),
            "show" => none(verb, rest).map(|()| Self::Show),
            other => Err(format!("`{other}` is nothing I know; see the help of scripts")),
        }
    }
}

/// Lines of one word.
fn plain_command(verb: &str) -> Option<PhoneCommand> {
    Some(match verb {
        "boot" => PhoneCommand::PowerOn,
        "off" => PhoneCommand::PowerOff,
        "restart" => PhoneCommand::Restart,
        "answer" => PhoneCommand::Softkey(Softkey::Answer),
        "reject" => PhoneCommand::Softkey(Softkey::Reject),
        "hangup" => PhoneCommand::Softkey(Softkey::EndCall),
        "hold" => PhoneCommand::Softkey(Softkey::Hold),
        "resume" => PhoneCommand::Softkey(Softkey::Resume),
        "transfer" => PhoneCommand::Softkey(Softkey::Transfer),
        "conference" => PhoneCommand::Softkey(Softkey::Conference),
        "exit" => PhoneCommand::Softkey(Softkey::Exit),
        "submit" => PhoneCommand::Submit,
        _ => return None,
    })
}

fn digits_by(word: &str) -> Result<Step, String> {
    let way = match word {
        "event" => DigitWay::Event,
        "tone" => DigitWay::Tone,
        "info" => DigitWay::Info,
        other => return Err(format!("`{other}` is none of event, tone and info")),
    };
    Ok(Step::Command(PhoneCommand::DigitsBy(way)))
}

fn say(rest: &[&str]) -> Result<Step, String> {
    match rest {
        ["nothing"] => Ok(Step::SayNothing),
        ["file", file] => Ok(Step::SayFile(PathBuf::from(file))),
        ["tone", frequency] => Ok(Step::SayTone { frequency: number(frequency)?, millis: None }),
        ["tone", frequency, length] => {
            let millis = u32::try_from(time(length)?.as_millis()).unwrap_or(u32::MAX);
            Ok(Step::SayTone { frequency: number(frequency)?, millis: Some(millis) })
        }
        _ => Err("`say` needs `tone HERTZ [TIME]`, `file FILE.wav` or `nothing`".into()),
    }
}

fn services(rest: &[&str]) -> Result<Step, String> {
    let place = match rest {
        [] => None,
        [place] => Some(number(place)?),
        _ => return Err("`services` takes one number at most".into()),
    };
    Ok(Step::Command(PhoneCommand::Services(place)))
}

fn wait(rest: &[&str]) -> Result<Step, String> {
    let (what, rest) = match rest {
        ["registered", number, tail @ ..] if time(number).is_err() && is_number(number) => {
            (Awaited::Registered((*number).to_owned()), tail)
        }
        ["registered", tail @ ..] => (Awaited::Service, tail),
        ["ringing", tail @ ..] => (Awaited::Ringing, tail),
        ["connected", tail @ ..] => (Awaited::Connected, tail),
        ["held", tail @ ..] => (Awaited::Held, tail),
        ["ended", tail @ ..] => (Awaited::Ended, tail),
        ["restart", tail @ ..] => (Awaited::Restart, tail),
        ["digits", digits, tail @ ..] => {
            keys(digits)?;
            (Awaited::Digits((*digits).to_owned()), tail)
        }
        ["display", text, tail @ ..] => (Awaited::Display((*text).to_owned()), tail),
        [other, ..] => return Err(format!("`{other}` is nothing to wait for")),
        [] => return Err("`wait` needs something to wait for".into()),
    };
    let timeout = match rest {
        [] => WAIT,
        [length] => time(length)?,
        [_, other, ..] => return Err(format!("`{other}` is too much")),
    };
    Ok(Step::Wait { what, timeout })
}

fn expect(rest: &[&str]) -> Result<Step, String> {
    match rest {
        ["display", text] => Ok(Step::ExpectDisplay((*text).to_owned())),
        ["tone", frequency] => Ok(Step::ExpectTone(number(frequency)?)),
        ["sound"] => Ok(Step::ExpectSound(true)),
        ["silence"] => Ok(Step::ExpectSound(false)),
        _ => Err("`expect` needs `display TEXT`, `tone HERTZ`, `sound` or `silence`".into()),
    }
}

fn none(verb: &str, rest: &[&str]) -> Result<(), String> {
    if rest.is_empty() { Ok(()) } else { Err(format!("`{verb}` takes nothing more")) }
}

fn one<'a>(verb: &str, what: &str, rest: &[&'a str]) -> Result<&'a str, String> {
    match rest {
        [word] => Ok(word),
        [] => Err(format!("`{verb}` needs {what}")),
        _ => Err(format!("`{verb}` takes {what} and nothing more")),
    }
}

fn number<N: std::str::FromStr>(word: &str) -> Result<N, String> {
    word.parse().map_err(|_| format!("`{word}` is no number"))
}

fn is_number(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '*' | '#'))
}

fn keys(word: &str) -> Result<Vec<Digit>, String> {
    let key = |key| Digit::try_from(key).map_err(|_| format!("`{key}` is no key"));
    word.chars().map(key).collect()
}

fn time(word: &str) -> Result<Duration, String> {
    let wrong = || format!("`{word}` is no time such as 500ms, 10s or 2m");
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let amount: u64 = digits.parse().map_err(|_| wrong())?;
    let millis = match &word[digits.len()..] {
        "ms" => Some(amount),
        "s" => amount.checked_mul(1_000),
        "m" => amount.checked_mul(60_000),
        _ => None,
    };
    millis.filter(|millis| *millis <= LONGEST).map(Duration::from_millis).ok_or_else(wrong)
}

const WAIT: Duration = Duration::from_secs(30);
/// A day.
const LONGEST: u64 = 24 * 3_600_000;
