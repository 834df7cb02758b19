//! Texts of the doors, in the reader's language.

use jackfield_model::{Language, sentence};
use jackfield_vocabulary::Refusal;

/// A refusal as a sentence, and what would change it.
pub(crate) fn refusal(refusal: &Refusal, language: Language) -> (String, String) {
    let mut told = refusal.clone();
    for (name, value) in &mut told.values {
        // Kept as a number for programs; people read a clock.
        if let ("until", Ok(seconds)) = (&**name, value.parse()) {
            *value = clock(seconds).into();
        }
    }
    let said = sentence(&told, language);
    (said.message, said.remedy)
}

/// A moment in seconds since 1970 as date and time (the civil calendar, by Hinnant's method).
fn clock(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + next;
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
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

#[cfg(test)]
mod tests {
    use jackfield_vocabulary::Code;

    use super::*;

    #[test]
    fn a_lock_tells_until_when_as_people_read_it() {
        let locked = Refusal::new(Code::Locked).value("until", 1_795_305_229);
        let (_, remedy) = refusal(&locked, Language::English);
        assert_eq!(remedy, "Wait until 2026-11-21 23:53 UTC or ask an administrator to unlock it.");
        for (seconds, told) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (4_107_542_399, "2100-02-28 23:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00 UTC"),
        ] {
            assert_eq!(clock(seconds), told);
        }
    }
}
