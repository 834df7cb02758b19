//! Messages that ended a process before are refused by the next one, so that a retransmission
//! can't end it again. They are known by length and hash, kept in a small file of lines that a
//! person may read, and forgotten by another version, which may be the one that is mended.
//!
//! A message is dropped only when it comes again octet by octet, as a retransmission does. What an
//! engine does later on account of a message (a timer, the store's answer) is nobody's message and
//! is not refused.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jackfield_model::hexadecimal;
use sha2::{Digest, Sha256};

/// Messages kept; beyond, the oldest is forgotten. A flood of new ones ends processes, whatever is
/// remembered of them, so more would help nobody.
const MOST: usize = 256;
/// What is read of a file at the most: more than `MOST` lines need.
const FILE: u64 = 64 * 1024;
/// The first line: another version's file is not believed.
const TITLE: &str = concat!("messages that ended jackfield ", env!("CARGO_PKG_VERSION"));

/// The messages that are refused.
pub(crate) struct Quarantine {
    file: PathBuf,
    /// The oldest first.
    marks: VecDeque<Mark>,
    refused: u64,
}

/// What is kept of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    length: usize,
    hash: [u8; 32],
}

impl Quarantine {
    /// What the file remembers. A file that can't be read or understood remembers nothing: a
    /// node that starts is worth more.
    pub(crate) fn load(file: PathBuf) -> Self {
        let mut quarantine = Self { marks: VecDeque::new(), file, refused: 0 };
        match read(&quarantine.file) {
            Ok(text) => text.lines().skip(1).filter_map(Mark::parse).for_each(|mark| {
                quarantine.remember(mark);
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(error.cause = %error, "the quarantine could not be read");
            }
        }
        quarantine
    }

    /// This message ended the process; the file knows it when this returns.
    pub(crate) fn add(&mut self, message: &[u8]) {
        if message.is_empty() || !self.remember(Mark::of(message)) {
            return;
        }
        if let Err(error) = self.write() {
            tracing::error!(error.cause = %error, "the quarantine could not be written");
        }
    }

    /// Is this message one that ended a process?
    pub(crate) fn refuses(&mut self, message: &[u8]) -> bool {
        // Hashing costs more than all else that is done to a message here.
        if !self.marks.iter().any(|mark| mark.length == message.len()) {
            return false;
        }
        let refused = self.marks.contains(&Mark::of(message));
        if refused {
            self.refused += 1;
            // A message that comes a thousand times is told of ten times.
            if self.refused.is_power_of_two() {
                tracing::warn!(
                    messages.refused = self.refused,
                    "a message that ended an earlier process was dropped"
                );
            }
        }
        refused
    }

    /// Messages dropped since the start.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    /// `false` when it was known already.
    fn remember(&mut self, mark: Mark) -> bool {
        if self.marks.contains(&mark) {
            return false;
        }
        if self.marks.len() >= MOST {
            self.marks.pop_front();
        }
        self.marks.push_back(mark);
        true
    }

    /// Beside the old file first, so that there is a whole one at every moment.
    fn write(&self) -> io::Result<()> {
        let mut text = format!("{TITLE}\n");
        for mark in &self.marks {
            text.push_str(&mark.line());
        }
        let beside = self.file.with_extension("new");
        std::fs::write(&beside, text)?;
        std::fs::rename(&beside, &self.file)
    }
}

impl Mark {
    fn of(message: &[u8]) -> Self {
        Self { length: message.len(), hash: Sha256::digest(message).into() }
    }

    /// `length hash`; anything else is no mark.
    fn parse(line: &str) -> Option<Self> {
        let (length, hash) = line.split_once(' ')?;
        let mut mark = Self { length: length.parse().ok()?, hash: [0; 32] };
        if hash.len() != 64 || !hash.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (index, octet) in mark.hash.iter_mut().enumerate() {
            *octet = u8::from_str_radix(hash.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        Some(mark)
    }

    fn line(&self) -> String {
        format!("{} {}\n", self.length, hexadecimal(&self.hash))
    }
}

/// The text of this version's file; nothing of another's.
fn read(file: &Path) -> io::Result<String> {
    let mut octets = Vec::new();
    File::open(file)?.take(FILE).read_to_end(&mut octets)?;
    let text = String::from_utf8_lossy(&octets).into_owned();
    if text.lines().next() == Some(TITLE) {
        return Ok(text);
    }
    tracing::warn!("the quarantine is another version's, or no quarantine at all: it is forgotten");
    Ok(String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("quarantine");
        (folder, file)
    }

    #[test]
    fn a_message_is_refused_by_this_life_and_the_next() {
        let (_folder, file) = in_folder();
        let mut first = Quarantine::load(file.clone());
        assert!(!first.refuses(b"deadly"));
        first.add(b"deadly");
        first.add(b"deadly");
        first.add(b"");
        assert!(first.refuses(b"deadly"));

        let mut next = Quarantine::load(file);
        assert!(next.refuses(b"deadly"));
        assert!(!next.refuses(b"deadlY"), "as long, but another");
        assert!(!next.refuses(b"deadly "));
        assert!(!next.refuses(b""));
        assert_eq!((next.marks.len(), next.refused()), (1, 1));
    }

    #[test]
    fn the_file_is_bounded_and_the_oldest_is_forgotten() {
        let (_folder, file) = in_folder();
        let mut quarantine = Quarantine::load(file.clone());
        for number in 0..MOST as u32 + 10 {
            quarantine.add(&number.to_be_bytes());
        }
        assert!(std::fs::metadata(&file).unwrap().len() < FILE);
        for mut quarantine in [quarantine, Quarantine::load(file)] {
            assert_eq!(quarantine.marks.len(), MOST);
            assert!(!quarantine.refuses(&9_u32.to_be_bytes()));
            assert!(quarantine.refuses(&10_u32.to_be_bytes()));
            assert!(quarantine.refuses(&(MOST as u32 + 9).to_be_bytes()));
        }
    }

    #[test]
    fn lines_that_are_no_marks_are_passed_over() {
        let (_folder, file) = in_folder();
        let good = Mark::of(b"deadly").line();
        let mut octets = format!(
            "{TITLE}\n\n12 zz\n-1 {hash}\n6 {short}\n6 +{short}\n{good}6 \u{e9}{short}\n",
            hash = "0".repeat(64),
            short = "0".repeat(63),
        )
        .into_bytes();
        octets.extend_from_slice(b"\xff\xfe\0\n");
        std::fs::write(&file, octets).unwrap();
        let mut quarantine = Quarantine::load(file);
        assert_eq!(quarantine.marks.len(), 1);
        assert!(quarantine.refuses(b"deadly"));
    }

    #[test]
    fn files_that_are_none_are_no_hindrance() {
        let (folder, file) = in_folder();
        let wrecks: [&[u8]; 4] = [b"", b"\0\xff\xfe", &[7; 3 * 32], &vec![b'\n'; 1 << 20]];
        for wreck in wrecks {
            std::fs::write(&file, wreck).unwrap();
            let mut quarantine = Quarantine::load(file.clone());
            assert!(quarantine.marks.is_empty());
            quarantine.add(b"deadly");
            assert!(Quarantine::load(file.clone()).refuses(b"deadly"));
        }
        // Neither is a folder in its place, which can be neither read nor written.
        let mut quarantine = Quarantine::load(folder.path().into());
        quarantine.add(b"deadly");
        assert!(quarantine.refuses(b"deadly"), "this life knows all the same");
    }

    #[test]
    fn another_version_forgets() {
        let (_folder, file) = in_folder();
        Quarantine::load(file.clone()).add(b"deadly");
        let text = std::fs::read_to_string(&file).unwrap();
        let older = text.replace(env!("CARGO_PKG_VERSION"), "0.0.1");
        assert_ne!(text, older);
        std::fs::write(&file, older).unwrap();
        let mut quarantine = Quarantine::load(file.clone());
        assert!(!quarantine.refuses(b"deadly"));
        quarantine.add(b"worse");
        assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 2);
    }
}
