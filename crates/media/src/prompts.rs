//! The recorded words: language packs found in a directory, or put in by hand, coded once for each
//! codec and shared by all calls. Recordings are read from disk when they are first coded.

mod folder;
mod prompt;

use core::time::Duration;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use jackfield_vocabulary::Codec;

use crate::{
    pack::{PackError, PackInfo},
    wav::WavError,
};
use folder::{Pack, pack_folders, read_pack, wanted};
use prompt::{Desk, Prompt, Source};

/// All installed language packs.
#[derive(Debug, Default)]
pub struct PromptLibrary {
    directory: Option<PathBuf>,
    packs: RwLock<BTreeMap<Arc<str>, Pack>>,
    desk: Mutex<Desk>,
}

/// Why a pack or a prompt can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PromptError {
    /// A file or folder can't be read.
    #[error("can't read {path}", path = path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A `pack.toml` is not understood.
    #[error("{path} is not understood", path = path.display())]
    Pack {
        /// Which.
        path: PathBuf,
        /// Why.
        source: PackError,
    },
    /// A pack lies in a folder that does not bear its locale's name.
    #[error("{path} says locale {locale}, but the folder has another name", path = path.display())]
    Folder {
        /// The `pack.toml`.
        path: PathBuf,
        /// What it says.
        locale: String,
    },
    /// A recording is not usable.
    #[error("{path} can't be played", path = path.display())]
    Sound {
        /// Which.
        path: PathBuf,
        /// Why.
        source: WavError,
    },
    /// A recording is too large.
    #[error("{path} is larger than a recording may be", path = path.display())]
    Large {
        /// Which.
        path: PathBuf,
    },
    /// A text of the pack has no recording.
    #[error("{path} has a text for `{prompt}`, but there is no recording", path = path.display())]
    Silent {
        /// The pack's folder.
        path: PathBuf,
        /// The prompt.
        prompt: Arc<str>,
    },
    /// The codec is not there.
    #[error("the codec is not there")]
    Codec,
    /// There is no such prompt.
    #[error("there is no prompt `{prompt}` in {locale}")]
    Missing {
        /// The pack.
        locale: String,
        /// The prompt.
        prompt: String,
    },
}

impl PromptLibrary {
    /// A library without packs, to be filled by [`PromptLibrary::insert`].
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// A library of the packs in a directory, one folder each, with all that is wrong with them.
    pub fn open(directory: &Path) -> (Self, Vec<PromptError>) {
        let library = Self { directory: Some(directory.to_owned()), ..Self::default() };
        let problems = library.rescan();
        (library, problems)
    }

    /// Looks at the directory again. A pack that can't be read keeps its last good state; a
    /// prompt that is wrong is left out of its pack, which is not offered as long as it is not whole:
    /// who heard it would hear silence where the prompt belongs.
    pub fn rescan(&self) -> Vec<PromptError> {
        let Some(directory) = &self.directory else { return Vec::new() };
        let mut problems = Vec::new();
        let folders = match pack_folders(directory) {
            Ok(folders) => folders,
            Err(source) => {
                problems.push(PromptError::Read { path: directory.clone(), source });
                return problems;
            }
        };
        let wanted = wanted(directory);
        let mut found = BTreeMap::new();
        for folder in folders {
            match read_pack(&folder, &wanted, &mut problems) {
                Ok(pack) => {
                    found.insert(Arc::from(pack.info.locale.as_str()), pack);
                }
                Err(problem) => {
                    problems.push(problem);
                    self.keep(&folder, &mut found);
                }
            }
        }
        *self.packs.write().unwrap_or_else(PoisonError::into_inner) = found;
        problems
    }

    /// Puts in one prompt, 16-bit linear at 16 kHz, making the pack where there is none.
    pub fn insert(&self, locale: &str, prompt: &str, sound: &[i16]) {
        let mut packs = self.packs.write().unwrap_or_else(PoisonError::into_inner);
        let pack = packs.entry(locale.into()).or_insert_with(|| Pack {
            info: PackInfo { locale: locale.to_owned(), ..PackInfo::default() },
            prompts: BTreeMap::new(),
            whole: true,
        });
        pack.prompts.insert(prompt.into(), Arc::new(Prompt::new(Source::Memory(sound.into()))));
    }

    /// What the packs that are whole say of themselves, by locale.
    pub fn packs(&self) -> Vec<PackInfo> {
        let packs = self.read();
        packs.values().filter(|pack| pack.whole).map(|pack| pack.info.clone()).collect()
    }

    /// Whether there is a recording of this prompt.
    pub fn contains(&self, locale: &str, prompt: &str) -> bool {
        self.prompt(locale, prompt).is_some()
    }

    /// How long a prompt is at the most; nothing where it is not there.
    pub fn length(&self, locale: &str, prompt: &str) -> Duration {
        self.prompt(locale, prompt).map_or(Duration::ZERO, |prompt| prompt.length())
    }

    /// The words of a prompt.
    pub fn text(&self, locale: &str, prompt: &str) -> Option<Arc<str>> {
        self.read().get(locale)?.info.texts.get(prompt).cloned()
    }

    /// A prompt as it is already coded; none where that has not been done yet.
    pub fn ready(&self, locale: &str, prompt: &str, codec: Codec) -> Option<Arc<[u8]>> {
        self.prompt(locale, prompt)?.ready(codec)
    }

    /// A prompt as whole units of 10 ms, coded now where that has not been done yet. This may
    /// read a file and take a while.
    pub fn encode(
        &self,
        locale: &str,
        prompt: &str,
        codec: Codec,
    ) -> Result<Arc<[u8]>, PromptError> {
        let missing =
            || PromptError::Missing { locale: locale.to_owned(), prompt: prompt.to_owned() };
        self.prompt(locale, prompt).ok_or_else(missing)?.encode(codec, &mut self.desk())
    }

    /// Codes every prompt of every pack, so that nobody waits later.
    pub fn prepare(&self, codec: Codec) -> Vec<PromptError> {
        let all: Vec<_> =
            self.read().values().flat_map(|pack| pack.prompts.values().cloned()).collect();
        let mut desk = self.desk();
        all.iter().filter_map(|prompt| prompt.encode(codec, &mut desk).err()).collect()
    }

    /// Every prompt of every pack, with its locale before it.
    pub fn all(&self) -> Vec<(Arc<str>, Arc<str>)> {
        let packs = self.read();
        let names = |(locale, pack): (&Arc<str>, &Pack)| {
            let locale = locale.clone();
            let prompts: Vec<_> = pack.prompts.keys().cloned().collect();
            prompts.into_iter().map(move |prompt| (locale.clone(), prompt))
        };
        packs.iter().flat_map(names).collect()
    }

    /// A prompt can't be coded: it has no length until the next rescan.
    pub fn leave_out(&self, locale: &str, prompt: &str, codec: Codec) {
        if let Some(prompt) = self.prompt(locale, prompt) {
            prompt.coded(codec, Arc::from([]));
        }
    }

    fn prompt(&self, locale: &str, prompt: &str) -> Option<Arc<Prompt>> {
        self.read().get(locale)?.prompts.get(prompt).cloned()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<Arc<str>, Pack>> {
        self.packs.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn desk(&self) -> std::sync::MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, folder: &Path, found: &mut BTreeMap<Arc<str>, Pack>) {
        let Some(locale) = folder.file_name().and_then(|name| name.to_str()) else { return };
        if let Some((locale, pack)) = self.read().get_key_value(locale) {
            found.insert(locale.clone(), pack.clone());
        }
    }
}

/// A file in place of what stood in `bytes`.
fn read_limited(path: &Path, limit: u64, bytes: &mut Vec<u8>) -> Result<(), PromptError> {
    use io::Read;
    bytes.clear();
    fs::File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(bytes))
        .map_err(|source| PromptError::Read { path: path.to_owned(), source })?;
    if bytes.len() as u64 > limit {
        return Err(PromptError::Large { path: path.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wav::print_wav;

    fn write_pack(directory: &Path, locale: &str, prompts: &[&str]) {
        let folder = directory.join(locale);
        fs::create_dir_all(&folder).unwrap();
        let texts: String =
            prompts.iter().map(|id| format!("{id} = \"Text of {id}.\"\n")).collect();
        fs::write(
            folder.join("pack.toml"),
            format!("[pack]\nlocale = \"{locale}\"\n[texts]\n{texts}"),
        )
        .unwrap();
        for id in prompts {
            fs::write(folder.join(format!("{id}.wav")), print_wav(&[1_000; 3_201], 16_000))
                .unwrap();
        }
    }

    /// Proves SP-14.a and SP-14.b: a pack that is dropped in is there after a rescan.
    #[test]
    fn a_pack_that_is_dropped_in_is_installed_by_a_rescan() {
        let directory = tempfile::tempdir().unwrap();
        write_pack(directory.path(), "en-US", &["greeting"]);
        let (library, problems) = PromptLibrary::open(directory.path());
        assert!(problems.is_empty(), "{problems:?}");
        assert!(library.contains("en-US", "greeting") && !library.contains("ja-JP", "greeting"));

        write_pack(directory.path(), "ja-JP", &["greeting", "goodbye"]);
        assert!(library.rescan().is_empty());
        assert!(library.contains("ja-JP", "goodbye"));
        assert_eq!(library.text("ja-JP", "goodbye").as_deref(), Some("Text of goodbye."));
        assert_eq!(library.packs().len(), 2);
    }

    #[test]
    fn prompts_are_coded_once_in_whole_units() {
        let directory = tempfile::tempdir().unwrap();
        write_pack(directory.path(), "en-US", &["greeting"]);
        let (library, _) = PromptLibrary::open(directory.path());
        assert_eq!(library.ready("en-US", "greeting", Codec::Pcmu), None);
        let length = library.length("en-US", "greeting").as_millis();
        assert!((200..210).contains(&length), "no less than it is: {length} ms");
        let coded = library.encode("en-US", "greeting", Codec::Pcmu).unwrap();
        // 3,201 samples at 16 kHz are 200 ms and one sample.
        assert_eq!(coded.len(), 21 * 80);
        assert!(Arc::ptr_eq(&coded, &library.ready("en-US", "greeting", Codec::Pcmu).unwrap()));
        assert_eq!(library.encode("en-US", "greeting", Codec::L16).unwrap().len(), 21 * 320);
        assert!(library.prepare(Codec::G722).is_empty());
        assert!(library.ready("en-US", "greeting", Codec::G722).is_some());
    }

    #[test]
    fn problems_say_which_file_and_leave_the_rest_usable() {
        let directory = tempfile::tempdir().unwrap();
        write_pack(directory.path(), "en-US", &["greeting", "goodbye"]);
        fs::remove_file(directory.path().join("en-US/goodbye.wav")).unwrap();
        write_pack(directory.path(), "ja-JP", &["greeting"]);
        let (library, problems) = PromptLibrary::open(directory.path());
        assert!(
            matches!(&problems[..], [PromptError::Silent { prompt, .. }] if &**prompt == "goodbye")
        );
        assert!(library.contains("en-US", "greeting"));

        fs::write(directory.path().join("ja-JP/pack.toml"), "rubbish").unwrap();
        let problems = library.rescan();
        assert!(problems.iter().any(|p| matches!(p, PromptError::Pack { .. })), "{problems:?}");
        assert!(library.contains("ja-JP", "greeting"), "the last good state stays");

        fs::write(directory.path().join("en-US/greeting.wav"), "RIFF").unwrap();
        library.rescan();
        let error = library.encode("en-US", "greeting", Codec::Pcma).unwrap_err();
        assert!(error.to_string().contains("greeting.wav"), "{error}");
    }

    /// Callers would hear silence where a prompt is missing, or the last words of a pack of an older
    /// product.
    #[test]
    fn a_pack_that_is_not_whole_is_not_offered() {
        let directory = tempfile::tempdir().unwrap();
        let manifest =
            "[pack]\nnot = \"this\"\n[prompts]\ngreeting = \"…\"\n# …\ngoodbye = \"…\"\n";
        fs::write(directory.path().join("manifest.toml"), manifest).unwrap();
        write_pack(directory.path(), "en-US", &["greeting", "goodbye", "more"]);
        write_pack(directory.path(), "fr-FR", &["greeting"]);
        let (library, problems) = PromptLibrary::open(directory.path());
        let offered =
            || library.packs().iter().map(|pack| pack.locale.clone()).collect::<Vec<_>>().join(" ");
        assert!(
            matches!(&problems[..], [PromptError::Missing { locale, prompt }]
                if locale == "fr-FR" && prompt == "goodbye"),
            "{problems:?}"
        );
        assert_eq!(offered(), "en-US");
        write_pack(directory.path(), "fr-FR", &["greeting", "goodbye"]);
        assert!(library.rescan().is_empty());
        assert_eq!(offered(), "en-US fr-FR");
        fs::remove_file(directory.path().join("fr-FR/greeting.wav")).unwrap();
        assert!(matches!(&library.rescan()[..], [PromptError::Silent { .. }]));
        assert_eq!(offered(), "en-US");
    }

    #[test]
    fn a_folder_with_another_name_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        write_pack(directory.path(), "en-US", &[]);
        fs::rename(directory.path().join("en-US"), directory.path().join("en-GB")).unwrap();
        let (library, problems) = PromptLibrary::open(directory.path());
        assert!(matches!(&problems[..], [PromptError::Folder { .. }]));
        assert!(library.packs().is_empty());
    }
}
