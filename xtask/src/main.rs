//! Repository chores.
//!
//! `cargo xtask requirements` lists which clause of the requirements is proved by which test;
//! `cargo xtask tidy` checks what no compiler checks: the arrows between crates, the licences of
//! dependencies, and that no Rust file is generated.

mod claims;
mod requirements;
mod results;
mod source;
mod tidy;

use anyhow::{Result, bail};
use requirements::Options;

const HELP: &str = "\
cargo xtask requirements    list the clauses of the requirements and the tests that prove them, as
                            `make test` ran them
    --open                  only the clauses that no test proves
    --without-results       also where `make test` has not run: claims are believed
cargo xtask tidy            check crate arrows, licences and sources";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["requirements", options @ ..] => requirements::list(requirement_options(options)?),
        ["tidy"] => tidy::check(),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        other => bail!("no such chore: {}\n{HELP}", other.join(" ")),
    }
}

fn requirement_options(words: &[&str]) -> Result<Options> {
    let mut options = Options::default();
    for word in words {
        match *word {
            "--open" => options.only_open = true,
            "--without-results" => options.without_results = true,
            other => bail!("no such option: {other}\n{HELP}"),
        }
    }
    Ok(options)
}
