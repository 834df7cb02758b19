//! Files of other systems and older releases, read here and sent as the server wants them.

use std::io::Read;

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};

use super::client::Client;
use super::print::{self, Form, cell};
use super::text;
use crate::say::say;

/// The command.
pub(super) fn command() -> Command {
    let file = Arg::new("FILE").required(true).help("The file, or - for standard input");
    Command::new("import")
        .about("Take over files of other systems and older releases")
        .subcommand_required(true)
        .subcommand(
            Command::new("auto-registration")
                .about("Auto-registration of an older export, whose values stood on the nodes")
                .arg(file)
                .after_help(
                    "The file is CSV (RFC 4180) with a row for each node:\n  \
                     node,disabled,starting_number,ending_number,partition,external_mask\n  \
                     node1,false,7000,7099,Phones,03555XXXX\n\
                     The last two columns may be missing or empty. Each node gets a device and a \
                     line template of its own name that keep the values; all rows are taken, or \
                     none.",
                ),
        )
}

/// Carries it out.
pub(super) fn run(matches: &ArgMatches, client: &Client, form: Form) -> Result<()> {
    let Some(("auto-registration", matches)) = matches.subcommand() else { return Ok(()) };
    let (nodes, lines) = rows(&read(text(matches, "FILE"))?)?;
    if nodes.is_empty() {
        bail!("the file has no rows below the line that names the columns");
    }
    let answer = client
        .post("/import/auto-registration", &json!({ "nodes": nodes }))
        .map_err(|error| anyhow::anyhow!(in_file(&error.to_string(), &lines)))?;
    if form == Form::Json {
        print::show(form, &answer);
        return Ok(());
    }
    for row in answer["items"].as_array().into_iter().flatten() {
        say!(
            "{}: {} to {}, with the templates {} and {}",
            cell(&row["node"]),
            cell(&row["starting_number"]),
            cell(&row["ending_number"]),
            cell(&row["device_template"]),
            cell(&row["line_template"]),
        );
    }
    super::report::plain_warnings(&answer);
    Ok(())
}

fn read(path: &str) -> Result<String> {
    let mut text = String::new();
    let doing = || format!("reading {path}");
    match path {
        "-" => std::io::stdin().lock().take(LARGEST).read_to_string(&mut text),
        path => {
            std::fs::File::open(path).with_context(doing)?.take(LARGEST).read_to_string(&mut text)
        }
    }
    .with_context(doing)?;
    Ok(text)
}

/// What the server says of the rows that it was sent, said of the lines of the file.
fn in_file(said: &str, lines: &[u64]) -> String {
    let rows = lines.iter().enumerate().rev();
    rows.fold(said.to_owned(), |said, (row, line)| {
        said.replace(&format!("nodes[{row}]."), &format!("line {line}, "))
            .replace(&format!("nodes[{row}]"), &format!("line {line}"))
    })
}

/// The rows with the names of their columns, and the line of each in the file; empty cells are left out.
fn rows(text: &str) -> Result<(Vec<Value>, Vec<u64>)> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let headers = reader.headers().context("reading the first line, which names the columns")?;
    let headers = headers.clone();
    if headers.len() == 1 && headers[0].contains([';', '\t']) {
        bail!(
            "the columns are not separated by commas: {}\nSave the table anew, with commas.",
            &headers[0]
        );
    }
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.context("reading the file")?;
        let line = record.position().map_or(0, csv::Position::line);
        let mut row = json!({});
        for (name, value) in headers.iter().zip(&record).filter(|(_, value)| !value.is_empty()) {
            row[name] = match (name, value.to_ascii_lowercase().as_str()) {
                ("disabled", "true" | "t" | "yes" | "1") => true.into(),
                ("disabled", "false" | "f" | "no" | "0") => false.into(),
                ("disabled", _) => bail!("line {line}: disabled is true or false, not {value}"),
                _ => value.into(),
            };
        }
        rows.push(row);
        lines.push(line);
    }
    Ok((rows, lines))
}

/// In bytes.
const LARGEST: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves SP-45.d: as its help describes the file, leading zeros and all.
    #[test]
    fn rows_carry_the_names_of_their_columns() {
        let text = "node,disabled,starting_number,ending_number,partition,external_mask\n\
                    node1,false,0700,0799,\"Phones, old\",03555XXXX\n\
                    node2,T,800,899,,\n";
        let first = json!({
            "node": "node1", "disabled": false, "starting_number": "0700",
            "ending_number": "0799", "partition": "Phones, old", "external_mask": "03555XXXX",
        });
        let second = json!({
            "node": "node2", "disabled": true, "starting_number": "800", "ending_number": "899",
        });
        assert_eq!(rows(text).unwrap(), (vec![first, second], vec![2, 3]));
        let wrong = rows("node,disabled\n\"node\n1\",true\nnode2,perhaps\n").unwrap_err();
        assert!(wrong.to_string().starts_with("line 4: "), "{wrong}");
        assert_eq!(rows("node,disabled\n").unwrap(), (vec![], vec![]));
        for other in ["node;disabled\nnode1;true\n", "node\tdisabled\nnode1\ttrue\n"] {
            assert!(rows(other).unwrap_err().to_string().contains("commas"), "{other}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_row_is_told_of_its_line() {
        let said = "nodes[1].node: node1 is in the list twice. nodes[10]";
        let mut lines: Vec<u64> = (2..20).collect();
        assert_eq!(in_file(said, &lines), "line 3, node: node1 is in the list twice. line 12");
        lines.truncate(1);
        assert_eq!(in_file(said, &lines), said);
    }
}
