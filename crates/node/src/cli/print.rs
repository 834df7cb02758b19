//! How answers are shown: as tables and sheets for people, as JSON for programs.

use serde_json::Value;

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
        Form::Json => println!("{}", serde_json::to_string_pretty(value).unwrap_or_default()),
        Form::Text => print!("{}", sheet(value, 0)),
    }
}

/// Shows the rows of a list under the names of their columns.
pub(crate) fn table(columns: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).chain([columns[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        println!("{}", padded.join("  ").trim_end());
    };
    line(&columns.iter().map(|column| column.to_uppercase()).collect::<Vec<_>>());
    rows.iter().for_each(|row| line(row));
}

/// A value as one cell or line.
pub(crate) fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::Object(fields) if fields.contains_key("name") && fields.len() <= 2 => {
            cell(&fields["name"])
        }
        Value::Array(entries) => entries.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn sheet(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) if !(fields.contains_key("name") && fields.len() <= 2) => fields
            .iter()
            .map(|(name, value)| match is_nested(value) {
                true => format!("{indent}{}:\n{}", words(name), sheet(value, depth + 1)),
                false => format!("{indent}{}: {}\n", words(name), cell(value)),
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

fn words(name: &str) -> String {
    name.replace('_', " ")
}
