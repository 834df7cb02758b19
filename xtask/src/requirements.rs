//! Which clause of the requirements is proved by which test. A test proves what its doc comment
//! says after `Proves`, as in `/// Proves SP-12.a and SP-17.d.`; a step of a story in Python does so
//! in a `# Proves` line before its function, a whole story in its first text. What counts is that
//! the test ran and passed, as the result files say that `make test` leaves.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use crate::claims::{self, Test};
use crate::results::Results;
use crate::source::root;

/// What of it is printed, and whether the tests must have run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// Only the clauses that are open.
    pub(crate) only_open: bool,
    /// Believe the claims; for whoever has not run everything.
    pub(crate) without_results: bool,
}

/// A row of the list.
struct Clause {
    name: String,
    what: String,
    later: bool,
}

/// Prints a line for each clause, and the count; fails when a claim does not hold.
pub(crate) fn list(options: Options) -> Result<()> {
    let clauses = clauses()?;
    let claims = claims::all()?;
    let mut faults = strangers(&clauses, &claims);
    if !options.without_results {
        faults.extend(unproved(&claims, &Results::read()?));
    }
    let (mut proved, mut all) = (0, 0);
    for clause in &clauses {
        let tests = claims.get(&clause.name);
        if !clause.later {
            all += 1;
            proved += usize::from(tests.is_some());
        }
        if let Some(line) = line(clause, tests, options.only_open) {
            println!("{line}");
        }
    }
    println!("proved {proved} of {all} clauses");
    match faults.is_empty() {
        true => Ok(()),
        false => bail!("{}", faults.join("\n")),
    }
}

fn line(clause: &Clause, tests: Option<&Vec<Test>>, only_open: bool) -> Option<String> {
    let Clause { name, what, later } = clause;
    match tests {
        _ if *later => (!only_open).then(|| format!("{name} later: {what}")),
        Some(tests) => (!only_open).then(|| {
            let tests: Vec<_> = tests.iter().map(ToString::to_string).collect();
            format!("{name} proved by {}", tests.join(", "))
        }),
        None => Some(format!("{name} open: {what}")),
    }
}

fn clauses() -> Result<Vec<Clause>> {
    let path = root().join("docs/requirements.csv");
    let mut reader =
        csv::Reader::from_path(&path).with_context(|| format!("reading {}", path.display()))?;
    let mut clauses = Vec::new();
    for row in reader.records() {
        let row = row?;
        let later = match &row[2] {
            "now" => false,
            "later" => true,
            other => bail!("{}: the scope is now or later, not {other}", &row[0]),
        };
        clauses.push(Clause { name: row[0].into(), what: row[1].into(), later });
    }
    Ok(clauses)
}

/// Claims of clauses that the list does not have, as a requirement's number without a letter.
fn strangers(clauses: &[Clause], claims: &BTreeMap<String, Vec<Test>>) -> Vec<String> {
    let known = |name: &str| clauses.iter().any(|clause| clause.name == name);
    let strange = claims.iter().filter(|(name, _)| !known(name));
    strange.map(|(name, tests)| format!("{} proves {name}, which is no clause", tests[0])).collect()
}

/// Claims of tests that did not run, or did not pass.
fn unproved(claims: &BTreeMap<String, Vec<Test>>, results: &Results) -> Vec<String> {
    let mut faults = Vec::new();
    for test in claims.values().flatten() {
        let fault = match results.passed(test) {
            Some(true) => continue,
            Some(false) => format!("{test} failed"),
            None => format!("{test} did not run"),
        };
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    faults
}
