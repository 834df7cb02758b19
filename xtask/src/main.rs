//! Repository chores.
//!
//! `cargo xtask requirements` lists which requirement is proved by which test;
//! `cargo xtask tidy` checks what no compiler checks: the arrows between crates, the licences of
//! dependencies, and that no Rust file is generated.

mod requirements;
mod source;
mod tidy;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask requirements [--open]   list requirements and the tests that prove them
cargo xtask tidy                    check crate arrows, licences and sources";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["requirements"] => requirements::list(false),
        ["requirements", "--open"] => requirements::list(true),
        ["tidy"] => tidy::check(),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        other => bail!("no such chore: {}\n{HELP}", other.join(" ")),
    }
}
