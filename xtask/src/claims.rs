//! What tests say that they prove.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::source::{root, rust_files};

/// A test, by its file below the root and its function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) file: PathBuf,
    pub(crate) function: String,
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.file.display(), self.function)
    }
}

/// The tests by the clause that they prove.
pub(crate) fn all() -> Result<BTreeMap<String, Vec<Test>>> {
    let mut claims: BTreeMap<String, Vec<Test>> = BTreeMap::new();
    let root = root();
    let mut files = rust_files(&root.join("crates"))?;
    files.extend(stories(&root.join("tests/interop"))?);
    for path in files {
        let text =
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let file = path.strip_prefix(&root).unwrap_or(&path);
        let rust = path.extension().is_some_and(|extension| extension == "rs");
        let found = if rust { of_rust(&text) } else { of_python(&text) };
        for (clause, function) in found {
            let test = Test { file: file.into(), function };
            let tests = claims.entry(clause).or_default();
            if !tests.contains(&test) {
                tests.push(test);
            }
        }
    }
    Ok(claims)
}

fn stories(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        files.push(entry?.path());
    }
    files.retain(|path| path.to_string_lossy().ends_with("_story.py"));
    files.sort();
    Ok(files)
}

/// Pairs of clause and test. A claim counts only when a test function follows it.
fn of_rust(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut claim, mut claims, mut is_test) = (false, String::new(), false);
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("///").map(str::trim) {
            // A claim goes on to the end of its paragraph.
            claim = (claim || comment.starts_with("Proves ")) && !comment.is_empty();
            if claim {
                claims.push(' ');
                claims.push_str(comment);
            }
            continue;
        }
        claim = false;
        if line.starts_with("#[test]") || line.contains("::test]") {
            is_test = true;
        } else if let Some(name) = function_name(line) {
            let claims = std::mem::take(&mut claims);
            if is_test {
                found.extend(clauses(&claims).map(|clause| (clause, name.to_owned())));
            }
            is_test = false;
        }
    }
    found
}

/// The same in a story: before the function of a step, or in the story's own text, whose function
/// is `run`.
fn of_python(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut claims, mut in_head) = (String::new(), true);
    for line in text.lines() {
        if let Some(claim) = line.strip_prefix("# Proves ") {
            if in_head {
                found.extend(clauses(claim).map(|clause| (clause, "run".to_owned())));
            } else {
                claims.push(' ');
                claims.push_str(claim);
            }
        } else if let Some(name) = line.strip_prefix("def ").and_then(|rest| rest.split('(').next())
        {
            found.extend(clauses(&claims).map(|clause| (clause, name.to_owned())));
            claims.clear();
        } else if line.starts_with("import ") || line.starts_with("from ") {
            in_head = false;
        }
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub ").unwrap_or(line);
    let rest = rest.strip_prefix("async ").unwrap_or(rest).strip_prefix("fn ")?;
    rest.split(['(', '<']).next()
}

/// The clauses that a claim names, as `SP-12.a`. A requirement without a letter is a mistake, and
/// is kept, so that it is told.
fn clauses(claim: &str) -> impl Iterator<Item = String> {
    let words = claim.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '.');
    words.map(|word| word.trim_end_matches('.')).filter(|word| is_clause(word)).map(Into::into)
}

fn is_clause(word: &str) -> bool {
    let Some((group, number)) = word.split_once('-') else { return false };
    !group.is_empty()
        && group.bytes().all(|byte| byte.is_ascii_uppercase())
        && number.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
        && ["SP", "CTI", "EM", "EMCC", "RC"].contains(&group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_counts_for_the_test_that_follows_it() {
        let text = "/// Proves SP-12.a, SP-12.b and\n/// CTI-41.a: a story.\n///\n/// Like SP-13.a.\n\
                    #[test]\nfn it_works() {}\n\
                    /// Proves SP-13.a.\nfn helper() {}\n";
        let found = of_rust(text);
        let clauses: Vec<&str> = found.iter().map(|(clause, _)| clause.as_str()).collect();
        assert_eq!(clauses, ["SP-12.a", "SP-12.b", "CTI-41.a"]);
        assert!(found.iter().all(|(_, test)| test == "it_works"));
    }

    #[test]
    fn a_story_claims_as_a_whole_and_by_its_steps() {
        let text = "\"\"\"A story.\n\n# Proves SP-60.c.\n\"\"\"\n\nimport os\n\n\
                    # Proves SP-60.d and SP-18.\ndef a_step(server):\n    pass\n";
        let found = of_python(text);
        let pairs: Vec<_> =
            found.iter().map(|(clause, test)| (clause.as_str(), test.as_str())).collect();
        assert_eq!(pairs, [("SP-60.c", "run"), ("SP-60.d", "a_step"), ("SP-18", "a_step")]);
    }
}
