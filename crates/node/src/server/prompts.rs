//! Where the language packs are.

use std::error::Error;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use jackfield_media::{PromptError, PromptLibrary};

/// Opens the packs of the named folder, else of the first that is there: `JACKFIELD_PROMPTS`,
/// `share/jackfield/prompts` beside the program, `prompts` in or above the program's folder or
/// here.
pub(crate) fn open(named: Option<&Path>) -> Result<PromptLibrary> {
    let Some(folder) = named.map(Path::to_owned).or_else(find) else {
        bail!("no language packs found; name their folder with --prompts");
    };
    let (library, problems) = PromptLibrary::open(&folder);
    for problem in problems.iter().map(in_words) {
        tracing::warn!(error.cause = %problem, "something is wrong with a language pack");
    }
    if library.packs().is_empty() {
        let why: String = problems.iter().map(|one| format!("\n  {}", in_words(one))).collect();
        let folder = folder.display();
        bail!(
            "no language pack that is whole in {folder}; name another folder with --prompts{why}"
        );
    }
    Ok(library)
}

/// What is wrong with a pack, and why.
pub(crate) fn in_words(problem: &PromptError) -> Box<str> {
    match problem.source() {
        Some(source) => format!("{problem}: {source}").into(),
        None => problem.to_string().into(),
    }
}

/// The first folder with packs.
pub(crate) fn find() -> Option<PathBuf> {
    let named = std::env::var_os("JACKFIELD_PROMPTS").map(PathBuf::from);
    let program = std::env::current_exe().ok();
    let above = program.iter().flat_map(|program| program.ancestors().skip(1).take(4));
    let beside =
        above.flat_map(|folder| [folder.join("share/jackfield/prompts"), folder.join("prompts")]);
    let here = [PathBuf::from("prompts"), PathBuf::from("/usr/share/jackfield/prompts")];
    named
        .into_iter()
        .chain(beside)
        .chain(here)
        .find(|folder| folder.join("manifest.toml").is_file())
}
