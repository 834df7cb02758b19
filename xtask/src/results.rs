//! What became of the tests, by the JUnit files that `make test` leaves.

use std::fs;

use anyhow::{Context, Result};

use crate::claims::Test;
use crate::source::root;

/// Every test case that ran.
pub(crate) struct Results(Vec<Case>);

#[derive(Debug, PartialEq, Eq)]
struct Case {
    /// The program, as `jackfield-engine::stories`, or `interop`.
    suite: String,
    /// The test with its modules.
    name: String,
    passed: bool,
}

/// Below `target` in the checkout, which is where nextest writes wherever cargo builds.
const FILES: [&str; 2] = ["nextest/all/junit.xml", "interop/junit.xml"];

impl Results {
    pub(crate) fn read() -> Result<Self> {
        let target = root().join("target");
        let mut cases = Vec::new();
        for file in FILES {
            let path = target.join(file);
            let text = fs::read_to_string(&path).with_context(|| {
                let path = path.display();
                format!("reading {path}, which `make test` leaves (--without-results goes without)")
            })?;
            cases.extend(cases_in(&text));
        }
        Ok(Self(cases))
    }

    /// Whether a test passed; none when it did not run. Where several have its name in its file,
    /// all have to.
    pub(crate) fn passed(&self, test: &Test) -> Option<bool> {
        let cases: Vec<_> = self.0.iter().filter(|case| case.is(test)).collect();
        if cases.is_empty() { None } else { Some(cases.iter().all(|case| case.passed)) }
    }
}

impl Case {
    fn is(&self, test: &Test) -> bool {
        let parts: Vec<_> =
            test.file.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let [folder, package, .., _] = &*parts else { return false };
        // The file's module; `mod.rs` and the like are named after their folder.
        let stem = parts.iter().rev().map(|part| part.split('.').next().unwrap_or_default());
        let mut stem = stem.filter(|stem| !matches!(*stem, "mod" | "main" | "lib"));
        let module = stem.next().unwrap_or_default();
        let program = match folder.as_str() {
            "crates" => format!("jackfield-{package}"),
            _ => package.clone(),
        };
        let path = format!("{}::{}", self.suite, self.name);
        let steps: Vec<_> = path.split("::").collect();
        steps.first() == Some(&&*program)
            && steps.last() == Some(&&*test.function)
            && (module == "src" || steps.contains(&module))
    }
}

/// The cases of a JUnit file.
fn cases_in(text: &str) -> Vec<Case> {
    let (mut cases, mut suite): (Vec<Case>, _) = (Vec::new(), String::new());
    for tag in text.split('<').skip(1) {
        if tag.starts_with("testsuite ") {
            suite = attribute(tag, "name").unwrap_or_default();
        } else if tag.starts_with("testcase ") {
            let name = attribute(tag, "name").unwrap_or_default();
            cases.push(Case { suite: suite.clone(), name, passed: true });
        } else if ["failure", "error", "skipped"].iter().any(|end| tag.starts_with(end))
            && let Some(case) = cases.last_mut()
        {
            case.passed = false;
        }
    }
    cases
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(
        value
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&amp;", "&"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAN: &str = r#"<testsuites name="all" tests="3">
        <testsuite name="jackfield-engine::stories" tests="2">
            <testcase name="outdated_settings::a_phone" classname="jackfield-engine" time="0.1"/>
            <testcase name="calls::a_phone" time="0.1"><failure message="x">no</failure></testcase>
        </testsuite>
        <testsuite name="interop"><testcase name="two_nodes_story::run"/></testsuite></testsuites>"#;

    fn test(file: &str, function: &str) -> Test {
        Test { file: file.into(), function: function.into() }
    }

    #[test]
    fn a_test_passed_failed_or_did_not_run() {
        let results = Results(cases_in(RAN));
        for (file, function, passed) in [
            ("crates/engine/tests/stories/outdated_settings.rs", "a_phone", Some(true)),
            ("crates/engine/tests/stories/calls.rs", "a_phone", Some(false)),
            ("crates/engine/tests/stories/calls.rs", "another", None),
            ("crates/store/tests/suite/calls.rs", "a_phone", None),
            ("tests/interop/two_nodes_story.py", "run", Some(true)),
            ("tests/interop/two_nodes_story.py", "a_step", None),
        ] {
            assert_eq!(results.passed(&test(file, function)), passed, "{file} {function}");
        }
    }
}
