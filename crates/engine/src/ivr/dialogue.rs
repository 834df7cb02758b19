//! What the IVR says to one caller, and what it does with the keys (SP-12). Pure: an event in,
//! commands out.

use core::time::Duration;
use std::sync::Arc;

use jackfield_model::AuthenticationMode;
use jackfield_vocabulary::{
    Code, CollectEnd, Command, Credential, DeviceName, DeviceRestart, Digit, Event, ObjectId,
    ProvisioningCommand, ProvisioningOutcome, Refusal, SecretText, TerminalConnectionId,
};
use serde::{Deserialize, Serialize};

use super::script::Script;
use super::words::{Words, failure};

/// One caller.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Dialogue {
    pub(super) call: TerminalConnectionId,
    /// The calling phone, when it is one of ours.
    pub(super) phone: Option<DeviceName>,
    /// Which of the selected languages is spoken.
    language: usize,
    step: Step,
    /// Wrong entries so far (SP-07).
    wrong: u8,
    /// Questions in a row to which no key was pressed.
    silent: u8,
    /// Keys pressed while the credential is checked.
    ahead: String,
    /// The beginning of the present entry, pressed before it was asked for.
    typed: String,
}

/// Where the dialogue is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Step {
    /// The call is being answered.
    Answering,
    /// Is this phone open for self-provisioning?
    Inspecting,
    /// The caller chooses a language.
    Language,
    /// The caller keys in the self-service ID.
    Identity,
    /// The caller keys in the PIN or the code.
    Credential { identity: Box<str> },
    /// That is being checked.
    Authenticating,
    /// The caller confirms.
    Confirming { user: ObjectId, extension: Arc<str> },
    /// The assignment is on its way.
    Assigning,
    /// The last words are being said; then, after an assignment, the phone restarts.
    Leaving { assigned: bool },
}

impl Dialogue {
    /// How far the caller has come.
    pub(super) fn reached(&self) -> u8 {
        match self.step {
            Step::Answering | Step::Inspecting => 0,
            Step::Language => 1,
            Step::Identity => 2,
            Step::Credential { .. } | Step::Authenticating => 3,
            Step::Confirming { .. } => 4,
            Step::Assigning | Step::Leaving { .. } => 5,
        }
    }

    /// Begins with an offered call.
    pub(super) fn begin(
        call: TerminalConnectionId,
        phone: Option<DeviceName>,
    ) -> (Self, Vec<Command>) {
        let answer = vec![Command::Answer { call: call.clone() }];
        let step = Step::Answering;
        let (ahead, typed) = (String::new(), String::new());
        (Self { call, phone, language: 0, step, wrong: 0, silent: 0, ahead, typed }, answer)
    }

    /// Takes what happens to the call.
    pub(super) fn event(&mut self, script: &Script, event: &Event) -> Vec<Command> {
        match event {
            Event::MediaReady { .. } if self.step == Step::Answering => self.inspect(script),
            Event::Digit { digit, .. } => self.pressed(*digit),
            Event::Collected { digits, end, .. } => self.collected(script, digits, *end),
            Event::Played { .. } if matches!(self.step, Step::Leaving { .. }) => self.hang_up(),
            _ => Vec::new(),
        }
    }

    /// Takes the answer to a provisioning command.
    pub(super) fn outcome(
        &mut self,
        script: &Script,
        outcome: &ProvisioningOutcome,
    ) -> Vec<Command> {
        match (&self.step, outcome) {
            (Step::Inspecting, ProvisioningOutcome::Open) => self.welcome(script),
            (Step::Inspecting, ProvisioningOutcome::Refused(refusal)) if closes(refusal) => {
                self.leave(self.words(script).say("not-open-for-provisioning").say("goodbye"))
            }
            (Step::Authenticating, ProvisioningOutcome::Authenticated { user, extension, .. }) => {
                if let Some(keys) = self.restarted_ahead() {
                    return self.enter_ahead(script, &keys);
                }
                self.step = Step::Confirming { user: *user, extension: extension.clone() };
                let words = self.words(script);
                self.ask(script, words)
            }
            (Step::Authenticating, ProvisioningOutcome::Refused(refusal)) => {
                self.refused(script, refusal)
            }
            (Step::Assigning, ProvisioningOutcome::Assigned { extension, .. }) => {
                let words = self.words(script).say("assigned").spell(extension).say("restarting");
                self.step = Step::Leaving { assigned: true };
                vec![words.play(&self.call)]
            }
            (Step::Assigning, ProvisioningOutcome::Unknown) => {
                self.leave(self.words(script).say("outcome-unknown").say("goodbye"))
            }
            (Step::Assigning, ProvisioningOutcome::Refused(refusal)) => {
                self.leave(self.words(script).say(failure(refusal)).say("goodbye"))
            }
            _ => Vec::new(),
        }
    }

    /// Something that the dialogue needs is not to be had.
    pub(super) fn give_up(&mut self, script: &Script) -> Vec<Command> {
        self.leave(self.words(script).say("try-later").say("goodbye"))
    }

    /// What is left to do when the call is over, by whomever: after an assignment nobody has to
    /// wait for the last words any more.
    pub(super) fn over(&self) -> Vec<Command> {
        match (&self.step, &self.phone) {
            (Step::Leaving { assigned: true }, Some(phone)) => {
                let (device, restart) = (phone.clone(), DeviceRestart::Restart);
                vec![Command::RestartDevice { device, restart }]
            }
            _ => Vec::new(),
        }
    }

    fn inspect(&mut self, script: &Script) -> Vec<Command> {
        match self.phone.clone() {
            Some(device) => {
                self.step = Step::Inspecting;
                vec![Command::Provision(ProvisioningCommand::Inspect { device })]
            }
            None => self.leave(self.words(script).say("not-open-for-provisioning").say("goodbye")),
        }
    }

    fn welcome(&mut self, script: &Script) -> Vec<Command> {
        if script.languages.len() > 1 {
            self.step = Step::Language;
            let words = self.words(script);
            return self.ask(script, words);
        }
        self.greet(script)
    }

    fn greet(&mut self, script: &Script) -> Vec<Command> {
        self.step = Step::Identity;
        let words = self.words(script).say("greeting");
        self.ask(script, words)
    }

    /// A key while nothing is asked. It is kept while the credential is checked: see
    /// [`Self::restarted_ahead`].
    fn pressed(&mut self, digit: Digit) -> Vec<Command> {
        if self.step == Step::Authenticating && self.ahead.len() < MAXIMUM_AHEAD {
            self.ahead.push(digit.as_char());
        }
        Vec::new()
    }

    /// What was keyed in after a `*`, while the credential was checked: the entry anew, which `*`
    /// restarts wherever it is pressed (SP-12). Other keys are dropped: the next question is the
    /// confirmation, which nobody can answer before hearing whose the phone would be, or the ID
    /// again, which nobody was asked for yet.
    fn restarted_ahead(&mut self) -> Option<String> {
        let ahead = core::mem::take(&mut self.ahead);
        ahead.rsplit_once('*').map(|(_, keys)| keys.to_owned())
    }

    /// Takes keys that were pressed before their questions as their answers; what is left begins
    /// the next entry.
    fn enter_ahead(&mut self, script: &Script, keys: &str) -> Vec<Command> {
        self.step = Step::Authenticating;
        let mut commands = self.restart_entry(script);
        let mut rest = keys;
        while let Some((entry, after)) = rest.split_once('#') {
            commands = match self.step.clone() {
                Step::Identity if !entry.is_empty() => self.identified(script, entry),
                Step::Credential { identity } if !entry.is_empty() => {
                    let secret = Credential::Keypad(SecretText::new(entry));
                    self.ahead = after.to_owned();
                    return self.authenticate(identity, Some(secret));
                }
                _ => return self.wrong_entry(script, "invalid-entry"),
            };
            rest = after;
            if self.step == Step::Authenticating {
                self.ahead = rest.to_owned();
                return commands;
            }
        }
        if !rest.is_empty() {
            self.typed = rest.to_owned();
            commands.retain(|command| !matches!(command, Command::Play { .. }));
        }
        commands
    }

    fn collected(&mut self, script: &Script, digits: &str, end: CollectEnd) -> Vec<Command> {
        if matches!(end, CollectEnd::Replaced) {
            return Vec::new();
        }
        let typed = core::mem::take(&mut self.typed);
        let digits = &*(typed + digits);
        let asks = matches!(
            self.step,
            Step::Language | Step::Identity | Step::Credential { .. } | Step::Confirming { .. }
        );
        if !asks {
            return Vec::new();
        }
        if matches!(end, CollectEnd::Timeout) && digits.is_empty() {
            return self.silence(script);
        }
        self.silent = 0;
        if matches!(end, CollectEnd::Terminator(key) if key.as_char() == '*') {
            return self.restart_entry(script);
        }
        let ended = matches!(end, CollectEnd::Terminator(_));
        match self.step.clone() {
            Step::Language => match digits.parse::<usize>() {
                Ok(choice) if (1..=script.languages.len()).contains(&choice) => {
                    self.language = choice - 1;
                    self.greet(script)
                }
                _ => self.wrong_entry(script, "invalid-entry"),
            },
            Step::Identity if ended && !digits.is_empty() => self.identified(script, digits),
            Step::Credential { identity } if ended && !digits.is_empty() => {
                let secret = Credential::Keypad(SecretText::new(digits));
                self.authenticate(identity, Some(secret))
            }
            Step::Confirming { user, .. } if digits == "1" => self.assign(script, user),
            _ => self.wrong_entry(script, "invalid-entry"),
        }
    }

    fn identified(&mut self, script: &Script, identity: &str) -> Vec<Command> {
        if script.settings.mode == AuthenticationMode::None {
            return self.authenticate(identity.into(), None);
        }
        self.step = Step::Credential { identity: identity.into() };
        let words = self.words(script);
        self.ask(script, words)
    }

    fn authenticate(&mut self, identity: Box<str>, credential: Option<Credential>) -> Vec<Command> {
        let Some(device) = self.phone.clone() else { return Vec::new() };
        self.step = Step::Authenticating;
        let command = ProvisioningCommand::Authenticate { device, identity, credential };
        vec![Command::Provision(command)]
    }

    fn assign(&mut self, script: &Script, user: ObjectId) -> Vec<Command> {
        let Some(device) = self.phone.clone() else { return Vec::new() };
        self.step = Step::Assigning;
        let wait = self.words(script).say("assigning-please-wait").play(&self.call);
        vec![wait, Command::Provision(ProvisioningCommand::Assign { device, user })]
    }

    fn refused(&mut self, script: &Script, refusal: &Refusal) -> Vec<Command> {
        let restarted = self.restarted_ahead();
        if matches!(refusal.code, Code::WrongCredential) {
            self.step = Step::Identity;
            let commands = self.wrong_entry(script, "invalid-id-or-credential");
            return match restarted {
                Some(keys) if self.step == Step::Identity => self.enter_ahead(script, &keys),
                _ => commands,
            };
        }
        self.leave(self.words(script).say(failure(refusal)).say("goodbye"))
    }

    /// A wrong entry, and the question again; too many end the call (SP-07).
    fn wrong_entry(&mut self, script: &Script, says: &'static str) -> Vec<Command> {
        self.wrong = self.wrong.saturating_add(1);
        if self.wrong >= script.settings.attempts_per_call {
            return self.leave(self.words(script).say("too-many-attempts").say("goodbye"));
        }
        let words = self.words(script).say(says);
        self.ask(script, words)
    }

    /// Nothing was entered: the question again, and in the end no more.
    fn silence(&mut self, script: &Script) -> Vec<Command> {
        self.silent = self.silent.saturating_add(1);
        let words = self.words(script).say("no-input");
        if self.silent >= MAXIMUM_SILENCES {
            return self.leave(words.say("goodbye"));
        }
        self.ask(script, words)
    }

    /// The caller pressed `*`: back to the first question.
    fn restart_entry(&mut self, script: &Script) -> Vec<Command> {
        if self.step != Step::Language {
            self.step = Step::Identity;
        }
        let words = self.words(script).say("entry-restarted");
        self.ask(script, words)
    }

    /// Says these words and then the question of the present step, and collects its answer.
    fn ask(&self, script: &Script, words: Words) -> Vec<Command> {
        let (words, maximum, terminators) = match &self.step {
            Step::Language => (words.languages(&script.languages), 1, "*#"),
            Step::Identity => (words.say("enter-self-service-id"), MAXIMUM_IDENTITY, "*#"),
            Step::Credential { .. } => {
                let question = match script.settings.mode {
                    AuthenticationMode::UsersAndAdministrators => "enter-pin-or-code",
                    _ => "enter-pin",
                };
                (words.say(question), MAXIMUM_IDENTITY, "*#")
            }
            Step::Confirming { extension, .. } => {
                let words = words.say("confirm-extension-before").spell(extension);
                (words.say("confirm-extension-after"), 1, "*#")
            }
            _ => return Vec::new(),
        };
        let wait = Duration::from_secs(script.settings.digit_seconds.into());
        let collect = Command::Collect {
            call: self.call.clone(),
            maximum,
            terminators: terminators.into(),
            first: wait,
            between: wait,
        };
        vec![words.play(&self.call), collect]
    }

    fn leave(&mut self, words: Words) -> Vec<Command> {
        self.step = Step::Leaving { assigned: false };
        vec![words.play(&self.call)]
    }

    fn hang_up(&self) -> Vec<Command> {
        vec![Command::Drop { call: self.call.clone() }]
    }

    fn words(&self, script: &Script) -> Words {
        let language = script.languages.get(self.language).or_else(|| script.languages.first());
        Words::new(language.cloned().unwrap_or_else(|| "en-US".into()))
    }
}

/// Whether the refusal says that the phone is not open; any other belongs to an earlier call.
fn closes(refusal: &Refusal) -> bool {
    matches!(refusal.code, Code::NotOpenForProvisioning | Code::OwnedByAnother | Code::NotFound)
}

/// Digits of a self-service ID, a PIN or a code.
const MAXIMUM_IDENTITY: u8 = 32;

/// Keys kept while a credential is checked: an ID and a PIN, and what ends them.
const MAXIMUM_AHEAD: usize = 2 * MAXIMUM_IDENTITY as usize + 3;

/// Questions in a row without a key, after which the call ends.
const MAXIMUM_SILENCES: u8 = 3;
