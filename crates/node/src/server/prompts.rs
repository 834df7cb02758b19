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
    if library.all().is_empty() {
        let why: String = problems.iter().map(|one| format!("\n  {}", in_words(one))).collect();
        bail!("no language pack in {}; name another folder with --prompts{why}", folder.display());
    }
    if library.packs().is_empty() {
        // Everybody else's calls need no recordings.
        tracing::error!(
            prompts.folder = %folder.display(),
            "no language pack is whole: self-provisioning calls are not answered"
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

#[cfg(test)]
mod tests {
    use super::*;

    /// One recording that is lost is no reason for phones to have no server.
    #[test]
    fn a_pack_that_is_not_whole_keeps_no_node_from_starting() {
        let folder = tempfile::tempdir().unwrap();
        let pack = folder.path().join("en-US");
        std::fs::create_dir(&pack).unwrap();
        assert!(open(Some(folder.path())).is_err(), "there is none at all");
        let manifest =
            "[pack]\nlocale = \"en-US\"\n[texts]\ngreeting = \"Hello.\"\ngoodbye = \"Bye.\"\n";
        std::fs::write(pack.join("pack.toml"), manifest).unwrap();
        std::fs::write(pack.join("greeting.wav"), "RIFF").unwrap();
        let library = open(Some(folder.path())).unwrap();
        assert!(library.packs().is_empty() && library.contains("en-US", "greeting"));
    }
}
