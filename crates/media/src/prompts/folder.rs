//! The packs of a folder, as they stand there.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    PromptError,
    prompt::{Prompt, Source},
    read_limited,
};
use crate::{
    pack::{PackInfo, is_prompt_name},
    wav::WAV_BYTES,
};

#[derive(Clone, Debug)]
pub(super) struct Pack {
    pub(super) info: PackInfo,
    pub(super) prompts: BTreeMap<Arc<str>, Arc<Prompt>>,
    /// It has a recording for each of its texts, and a text for each prompt that is wanted.
    pub(super) whole: bool,
}

pub(super) fn pack_folders(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(directory)?.take(ENTRY_LIMIT) {
        let path = entry?.path();
        if path.join(MANIFEST).is_file() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// The prompts that a pack must have, by the list beside the packs; none where there is no list.
pub(super) fn wanted(directory: &Path) -> Vec<Box<str>> {
    let text = fs::read_to_string(directory.join("manifest.toml")).unwrap_or_default();
    let (_, list) = text.split_once("[prompts]").unwrap_or_default();
    let lines = list.lines().take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim());
    names.filter(|name| is_prompt_name(name)).map(Into::into).collect()
}

pub(super) fn read_pack(
    folder: &Path,
    wanted: &[Box<str>],
    problems: &mut Vec<PromptError>,
) -> Result<Pack, PromptError> {
    let path = folder.join(MANIFEST);
    let mut bytes = Vec::new();
    read_limited(&path, MANIFEST_BYTES, &mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let info = PackInfo::parse(&text)
        .map_err(|source| PromptError::Pack { path: path.clone(), source })?;
    if folder.file_name().and_then(|name| name.to_str()) != Some(&info.locale) {
        return Err(PromptError::Folder { path, locale: info.locale });
    }
    let before = problems.len();
    let missing = wanted.iter().filter(|prompt| !info.texts.contains_key(&***prompt));
    problems.extend(missing.map(|prompt| PromptError::Missing {
        locale: info.locale.clone(),
        prompt: prompt.to_string(),
    }));
    let mut prompts = BTreeMap::new();
    for prompt in info.texts.keys() {
        let path = folder.join(format!("{prompt}.wav"));
        match fs::metadata(&path) {
            Ok(metadata) if metadata.len() > WAV_BYTES => {
                problems.push(PromptError::Large { path });
            }
            Ok(metadata) => {
                let source = Source::File(path, metadata.len());
                prompts.insert(prompt.clone(), Arc::new(Prompt::new(source)));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let path = folder.to_owned();
                problems.push(PromptError::Silent { path, prompt: prompt.clone() });
            }
            Err(source) => problems.push(PromptError::Read { path, source }),
        }
    }
    Ok(Pack { info, prompts, whole: problems.len() == before })
}

const MANIFEST: &str = "pack.toml";

/// The largest `pack.toml`.
const MANIFEST_BYTES: u64 = 1 << 20;

/// Entries of the directory that are looked at.
const ENTRY_LIMIT: usize = 1_000;
