//! Which requirement is proved by which test. A test proves what its doc comment says after
//! `Proves`, as in `/// Proves SP-12 and SP-17.`; a shell check does so in a `# Proves` line.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::source::{root, rust_files};

/// Prints a line for each requirement, and the count.
pub(crate) fn list(only_open: bool) -> Result<()> {
    let proofs = proofs()?;
    let path = root().join("docs/requirements.csv");
    let mut reader =
        csv::Reader::from_path(&path).with_context(|| format!("reading {}", path.display()))?;
    let (mut proved, mut all) = (0, 0);
    for row in reader.records() {
        let row = row?;
        let (number, what, scope) = (&row[0], &row[1], &row[2]);
        if scope == "later" {
            if !only_open {
                println!("{number} later: {what}");
            }
            continue;
        }
        all += 1;
        match proofs.get(number) {
            Some(tests) => {
                proved += 1;
                if !only_open {
                    println!("{number} proved by {}", tests.join(", "));
                }
            }
            None => println!("{number} open: {what}"),
        }
    }
    println!("proved {proved} of {all}");
    Ok(())
}

/// The tests by the requirement they prove.
fn proofs() -> Result<BTreeMap<String, Vec<String>>> {
    let mut proofs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let root = root();
    let mut files = rust_files(&root.join("crates"))?;
    files.extend(shell_files(&root.join("tests"))?);
    for path in files {
        let text =
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let place = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
        let shell = path.extension().is_none_or(|extension| extension != "rs");
        for (number, test) in proofs_in(&text, shell) {
            let tests = proofs.entry(number).or_default();
            let test = if shell { place.clone() } else { format!("{place}::{test}") };
            if !tests.contains(&test) {
                tests.push(test);
            }
        }
    }
    Ok(proofs)
}

fn shell_files(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(shell_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "sh") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Pairs of requirement number and test name. A `Proves` comment counts only when a test
/// function follows it.
fn proofs_in(text: &str, shell: bool) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut pending, mut is_test) = (Vec::new(), false);
    for line in text.lines().map(str::trim) {
        let comment = line.trim_start_matches(['/', '!', '#']).trim_start();
        if let Some(claim) = comment.strip_prefix("Proves ") {
            pending.extend(numbers(claim));
            if shell {
                found.extend(pending.drain(..).map(|number| (number, String::new())));
            }
        } else if line.starts_with("#[test]") || line.contains("::test]") {
            is_test = true;
        } else if let Some(name) = function_name(line) {
            let claims = pending.drain(..);
            if is_test {
                found.extend(claims.map(|number| (number, name.to_owned())));
            }
            is_test = false;
        }
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub ").unwrap_or(line);
    let rest = rest.strip_prefix("async ").unwrap_or(rest).strip_prefix("fn ")?;
    rest.split(['(', '<']).next()
}

/// The requirement numbers in a claim; `SP-40 to SP-45` means each of them.
fn numbers(claim: &str) -> Vec<String> {
    let words: Vec<&str> = claim.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
    let mut found: Vec<String> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let Some((group, number)) = split(word) else { continue };
        let range_start = index
            .checked_sub(2)
            .filter(|_| words[index - 1] == "to")
            .and_then(|before| split(words[before]))
            .filter(|(start_group, _)| *start_group == group);
        let first = range_start.map_or(number, |(_, start)| start + 1);
        found.extend((first..=number).map(|number| format!("{group}-{number:02}")));
    }
    found
}

fn split(word: &str) -> Option<(&str, u32)> {
    let (group, number) = word.split_once('-')?;
    let group_fits = !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_uppercase());
    Some((group, number.parse().ok()?)).filter(|_| group_fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_counts_for_the_test_that_follows_it() {
        let text = "/// Proves SP-12 and SP-40 to SP-42.\n#[test]\nfn it_works() {}\n\
                    /// Proves SP-13.\nfn helper() {}\n";
        let proofs = proofs_in(text, false);
        let numbers: Vec<&str> = proofs.iter().map(|(number, _)| number.as_str()).collect();
        assert_eq!(numbers, ["SP-12", "SP-40", "SP-41", "SP-42"]);
        assert!(proofs.iter().all(|(_, test)| test == "it_works"));
    }
}
