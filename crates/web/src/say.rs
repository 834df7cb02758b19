//! Texts of the doors, in the reader's language.

use jackfield_model::{Language, sentence};
use jackfield_vocabulary::Refusal;

/// A refusal as a sentence, and what would change it.
pub(crate) fn refusal(refusal: &Refusal, language: Language) -> (String, String) {
    let said = sentence(refusal, language);
    (said.message, said.remedy)
}

/// One of two texts.
pub(crate) fn either(
    language: Language,
    english: &'static str,
    japanese: &'static str,
) -> &'static str {
    match language {
        Language::Japanese => japanese,
        _ => english,
    }
}

/// What a change needs before it shows.
pub(crate) fn takes(takes: &str, language: Language) -> &'static str {
    let (english, japanese) = match takes {
        "restart" => ("It shows when the phone restarts.", "電話機を再起動すると有効になります。"),
        "service-restart" => {
            ("It takes effect when the service restarts.", "サービスを再起動すると有効になります。")
        }
        "node-restart" => {
            ("It takes effect when the node restarts.", "ノードを再起動すると有効になります。")
        }
        _ => ("It shows from the next call on.", "次の通話から有効になります。"),
    };
    either(language, english, japanese)
}

/// How much a change needs.
pub(crate) fn weight(takes: &str) -> u8 {
    match takes {
        "restart" => 1,
        "service-restart" => 2,
        "node-restart" => 3,
        _ => 0,
    }
}
