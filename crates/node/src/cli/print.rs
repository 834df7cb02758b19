//! How answers are shown: as tables and sheets for people, as JSON for programs.

use anyhow::Result;
use jackfield_model::is_hidden;
use serde_json::Value;

use crate::say::{self, say};

/// How the caller wants answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Shows any answer.
pub(crate) fn show(form: Form, value: &Value) {
    match form {
        Form::Json => say!("{}", serde_json::to_string_pretty(value).unwrap_or_default()),
        Form::Text => say::put(format_args!("{}", sheet(value, 0))),
    }
}

/// Shows the rows of a list under the names of their columns.
pub(crate) fn table(columns: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| wide(cell)).chain([columns[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |cells: &[String]| {
        let pad = |(cell, width): (&String, &usize)| {
            format!("{cell}{}", " ".repeat(width.saturating_sub(wide(cell))))
        };
        let padded: Vec<String> = cells.iter().zip(&widths).map(pad).collect();
        say!("{}", padded.join("  ").trim_end());
    };
    let heading = |column: &&str| column.to_uppercase().replace('_', " ");
    line(&columns.iter().map(heading).collect::<Vec<_>>());
    rows.iter().for_each(|row| line(row));
}

/// Columns that a text takes on a terminal: Chinese, Japanese and Korean signs take two.
fn wide(text: &str) -> usize {
    let double = |sign: char| {
        matches!(sign, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
            | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}'
            | '\u{ffe0}'..='\u{ffe6}')
    };
    text.chars().map(|sign| 1 + usize::from(double(sign))).sum()
}

/// A moment in local time; `-` for none.
pub(crate) fn moment(value: &Value) -> String {
    let Some(millis) = value.as_i64() else { return "-".into() };
    let seconds: libc::time_t = millis.div_euclid(1000);
    // SAFETY: a plain C struct, filled by the call from a number that is ours.
    let local = unsafe {
        let mut local: libc::tm = core::mem::zeroed();
        if libc::localtime_r(&raw const seconds, &raw mut local).is_null() {
            return millis.to_string();
        }
        local
    };
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        local.tm_year + 1900,
        local.tm_mon + 1,
        local.tm_mday,
        local.tm_hour,
        local.tm_min,
        local.tm_sec
    )
}

/// Shows an answer as it is.
pub(crate) fn shown(form: Form, answer: Result<Value>) -> Result<()> {
    show(form, &answer?);
    Ok(())
}

/// Tells an answer to a person in its own way.
pub(crate) fn told(form: Form, answer: Result<Value>, tell: impl Fn(&Value)) -> Result<()> {
    let answer = answer?;
    match form {
        Form::Json => show(form, &answer),
        Form::Text => tell(&answer),
    }
    Ok(())
}

/// Fields that hold a moment.
const MOMENTS: [&str; 10] = [
    "at",
    "time",
    "began",
    "answered",
    "ended",
    "since",
    "expires",
    "created",
    "until",
    "locked_until",
];

/// The value of a field, which may be a moment.
pub(crate) fn timed(name: &str, value: &Value) -> String {
    match MOMENTS.contains(&name) && value.is_number() {
        true => moment(value),
        false => cell(value),
    }
}

/// A value as one cell or line.
pub(crate) fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => visible(text),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::Object(fields) if fields.contains_key("name") && fields.len() <= 2 => {
            // What a reference leads to may be gone.
            match (&fields["name"], fields.get("id")) {
                (Value::Null, Some(id)) => format!("id:{id}"),
                (name, _) => cell(name),
            }
        }
        // A line on a phone: its number is what one looks for.
        Value::Object(fields) if fields.contains_key("line") => cell(&fields["line"]),
        Value::Array(entries) => entries.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// What phones say of themselves may hold signs that a terminal obeys: they show as one that stands for
/// any.
fn visible(text: &str) -> String {
    let seen = |sign: char| sign == '\n' || !is_hidden(sign);
    text.chars().map(|sign| if seen(sign) { sign } else { char::REPLACEMENT_CHARACTER }).collect()
}

fn sheet(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) if !(fields.contains_key("name") && fields.len() <= 2) => fields
            .iter()
            .map(|(name, value)| match is_nested(value) {
                true => format!("{indent}{}:\n{}", words(name), sheet(value, depth + 1)),
                false => format!("{indent}{}: {}\n", words(name), timed(name, value)),
            })
            .collect(),
        Value::Array(entries) if is_nested(value) => {
            entries.iter().map(|entry| marked(&sheet(entry, depth + 1), depth)).collect()
        }
        other => format!("{indent}{}\n", cell(other)),
    }
}

/// Puts a dash before the first line of a list's entry.
fn marked(text: &str, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    match text.strip_prefix(&format!("{indent}  ")) {
        Some(rest) => format!("{indent}- {rest}"),
        None => text.to_owned(),
    }
}

fn is_nested(value: &Value) -> bool {
    match value {
        Value::Object(fields) => !(fields.contains_key("name") && fields.len() <= 2),
        Value::Array(entries) => entries.iter().any(is_nested),
        _ => false,
    }
}

pub(crate) fn words(name: &str) -> String {
    name.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sheet_shows_moments_as_moments_and_numbers_as_numbers() {
        let refused = json!({"at": 1_795_302_611_000_u64, "user": "3001"});
        assert!(sheet(&json!({ "refused": refused }), 0).contains("at: 2026-11-2"));
        let told = sheet(&json!({"since": 1_795_302_611_000_u64, "limit": 1_795_302_611}), 0);
        assert!(told.contains("since: 2026-11-2"), "{told}");
        assert!(told.contains("limit: 1795302611"), "{told}");
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_as_one_sign() {
        assert_eq!(cell(&json!("Phone\u{1b}[2J/1\u{202e}")), "Phone\u{fffd}[2J/1\u{fffd}");
        assert_eq!(cell(&json!("田中 花子")), "田中 花子");
    }

    #[test]
    fn japanese_takes_two_columns_a_sign() {
        assert_eq!((wide("abc"), wide("田中ab"), wide("カナ")), (3, 6, 4));
    }
}
