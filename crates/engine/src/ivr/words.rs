//! What is said, as prompts of a language pack.

use std::sync::Arc;

use jackfield_vocabulary::{Code, Command, PromptItem, Refusal, TerminalConnectionId};

/// Words in one language, to be said one after the other.
#[derive(Clone, Debug)]
pub(super) struct Words {
    locale: Arc<str>,
    items: Vec<PromptItem>,
}

impl Words {
    /// No words yet, in this language.
    pub(super) fn new(locale: Arc<str>) -> Self {
        Self { locale, items: Vec::new() }
    }

    /// And this prompt.
    pub(super) fn say(self, prompt: &str) -> Self {
        let locale = self.locale.clone();
        self.say_in(locale, prompt)
    }

    /// And this number, digit by digit.
    pub(super) fn spell(mut self, digits: &str) -> Self {
        self.items.push(PromptItem::Spell { locale: self.locale.clone(), digits: digits.into() });
        self
    }

    /// And the choice of language, each in itself (SP-13).
    pub(super) fn languages(mut self, languages: &[Arc<str>]) -> Self {
        for (digit, language) in DIGITS.iter().zip(languages) {
            self = self.say_in(language.clone(), "for-this-language-press");
            self = self.say_in(language.clone(), digit);
        }
        self
    }

    /// The order to play them; any key stops them.
    pub(super) fn play(self, call: &TerminalConnectionId) -> Command {
        Command::Play { call: call.clone(), items: self.items, barge_in: true }
    }

    fn say_in(mut self, locale: Arc<str>, prompt: &str) -> Self {
        self.items.push(PromptItem::Prompt { locale, prompt: prompt.into() });
        self
    }
}

/// The prompt for each condition that failed (SP-34).
pub(super) fn failure(refusal: &Refusal) -> &'static str {
    match refusal.code {
        Code::Locked if refusal.field.as_deref() == Some("authentication-code") => "code-locked",
        Code::Locked | Code::Disabled => "user-locked",
        Code::WrongCredential => "invalid-id-or-credential",
        Code::ProvisioningNotAllowed => "not-allowed",
        Code::NoPrimaryExtension => "no-primary-extension",
        Code::NoDeviceTemplate => "no-template",
        Code::DeviceLimit => "limit-reached",
        Code::OwnedByAnother => "owned-by-another",
        Code::NotOpenForProvisioning => "not-open-for-provisioning",
        _ => "try-later",
    }
}

/// What is pressed for the first language, the second, and so on.
const DIGITS: [&str; 9] = [
    "digit-1", "digit-2", "digit-3", "digit-4", "digit-5", "digit-6", "digit-7", "digit-8",
    "digit-9",
];
