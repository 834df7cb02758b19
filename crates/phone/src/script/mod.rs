//! The script language of `jackfield phone`: one line, one thing to do or to wait for.

mod run;
mod step;

use thiserror::Error;

pub use run::{RunError, run_interactive, run_script};
pub(crate) use step::{Awaited, Step};

/// A script, read and understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    steps: Vec<(usize, Step)>,
}

/// Why a script is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct ScriptError {
    /// Which line, the first is 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl Script {
    /// Reads a whole script.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let mut steps = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let step =
                Self::parse_line(line).map_err(|reason| ScriptError { line: index + 1, reason })?;
            steps.extend(step.map(|step| (index + 1, step)));
        }
        Ok(Self { steps })
    }

    /// How many things it does.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Does it do nothing?
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Reads one line; none when it is empty or a comment.
    pub(crate) fn parse_line(line: &str) -> Result<Option<Step>, String> {
        let words = words(line)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.split_first() {
            None => Ok(None),
            Some((verb, rest)) => Step::parse(verb, rest).map(Some),
        }
    }
}

/// Cuts a line into words; quotes hold words together, `#` between words begins a comment.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !is_comment(rest) {
        let (word, tail) = match rest.strip_prefix('"') {
            Some(quoted) => {
                quoted.split_once('"').ok_or_else(|| "a quote is not closed".to_owned())?
            }
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                rest.split_at(end)
            }
        };
        words.push(word.to_owned());
        rest = tail.trim_start();
    }
    Ok(words)
}

/// `# text` is a comment, `#` and `#1` are keys.
fn is_comment(rest: &str) -> bool {
    rest.starts_with("# ") || rest.starts_with("//")
}

/// What the script language can say.
pub const SCRIPT_HELP: &str = "\
One thing a line. Times are 500ms, 10s or 2m. Texts with spaces stand in double quotes.
A line that begins with `# ` or `//` is a comment. Every wait ends the script when time is up.

  boot | off | restart          plug in, unregister and switch off, restart
  dial NUMBER                   make a call
  line N | speed-dial N         choose a line, press a speed dial key
  press KEYS                    press keys (0-9 * # A-D): in a call they are sent
  digits event|tone|info        how keys are sent (RFC 4733, tones, SIP INFO)
  answer | reject | hangup      take, refuse or end a call
  hold | resume                 put the call on hold, take it back
  transfer | conference         press the key once, and again to complete
  say tone HERTZ [TIME]         play a tone into the call
  say file FILE.wav             play a recording (16-bit, one channel, 16 kHz)
  say nothing                   stop playing
  listen                        forget what was heard, to hear what comes now
  record FILE.wav               write what was heard in the present or last call
  services [N] | open URL       open the services key, service N, or a page
  select N | fill TEXT | submit | exit
                                choose an item, fill the next field, send, leave the page
  pause TIME                    do nothing
  wait registered [NUMBER] [TIME]
  wait ringing|connected|held|ended [TIME]
  wait restart [TIME]           until it was told to restart and read its files again
  wait digits KEYS [TIME]       until the other side pressed these keys
  wait display TEXT [TIME]      until the display shows this
  expect display TEXT           the display shows this now
  expect tone HERTZ             this tone was heard
  expect sound | expect silence something or nothing was heard
  show                          print the display
Waiting takes 30 s at most where no time is given.
";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_whole_story_is_understood() {
        let script = Script::parse(
            "# a new phone\nboot\nwait registered 10s\n\n  dial 2000 // the voice\nwait connected\n\
             press 1001#\npress #\nwait restart 20s\nwait registered 7001 1m\n\
             expect display \"7001 Ann\"\nsay tone 440 2s\nrecord heard.wav\nhangup\n",
        )
        .unwrap();
        assert_eq!(script.len(), 12);
        assert_eq!(script.steps[0].0, 2, "numbers count comments too");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, line, reason) in [
            ("boot\ndail 2000", 2, "`dail` is nothing I know"),
            ("wait connected soon", 1, "`soon` is no time"),
            ("dial", 1, "`dial` needs"),
            ("press 12x", 1, "`x` is no key"),
            ("expect display \"open", 1, "a quote is not closed"),
            ("hangup now", 1, "`hangup` takes nothing"),
            ("say tone loud", 1, "`loud` is no number"),
            ("wait forever", 1, "`forever` is nothing to wait for"),
        ] {
            let error = Script::parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text}");
            assert!(error.reason.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn everything_the_help_names_is_understood() {
        for line in [
            "off",
            "restart",
            "line 1",
            "speed-dial 2",
            "digits info",
            "answer",
            "reject",
            "hold",
            "resume",
            "transfer",
            "conference",
            "say file a.wav",
            "say nothing",
            "listen",
            "services",
            "services 1",
            "open http://a/",
            "select 1",
            "fill \"Ann X\"",
            "submit",
            "exit",
            "pause 500ms",
            "wait ringing",
            "wait held 1s",
            "wait ended",
            "wait digits 12#",
            "wait display \"a b\" 2s",
            "expect tone 440",
            "expect sound",
            "expect silence",
            "show",
        ] {
            assert!(Script::parse(line).unwrap().len() == 1, "{line}");
            assert!(SCRIPT_HELP.contains(line.split(' ').next().unwrap()), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fall(text in "\\PC{0,200}") {
            let _ = Script::parse(&text);
        }
    }
}
