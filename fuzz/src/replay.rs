//! How the tests replay a corpus: each file of it, and seeded mutations of each.

use std::path::PathBuf;

/// Name and content of each file of a corpus, in order.
pub(crate) fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{target}");
    files
}

/// Runs a target over its corpus and so many mutations of each file.
pub(crate) fn replay(target: &str, run: fn(&[u8]), mutations: usize) {
    replay_with(42, target, run, mutations);
}

/// The same with other mutations.
pub(crate) fn replay_with(seed: u64, target: &str, run: fn(&[u8]), mutations: usize) {
    let files = corpus(target);
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for (_, content) in &files {
        run(content);
        for _ in 0..mutations {
            run(&mutated(content, &files, &mut dice));
        }
    }
}

/// One to four small changes: an octet, a cut, a repetition, or a piece of another file.
fn mutated(content: &[u8], files: &[(String, Vec<u8>)], dice: &mut Dice) -> Vec<u8> {
    let mut data = content.to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(data.len() + 1);
        let length = dice.below(24).min(data.len() - at);
        match dice.below(6) {
            0 => data.insert(at, SPECIAL[dice.below(SPECIAL.len())]),
            1 if at < data.len() => data[at] = dice.below(256) as u8,
            2 => drop(data.drain(at..at + length)),
            3 => {
                let piece = data[at..at + length].to_vec();
                data.splice(at..at, piece);
            }
            4 => {
                let (_, other) = &files[dice.below(files.len())];
                let from = dice.below(other.len() + 1);
                let to = (from + length).min(other.len());
                data.splice(at..at, other[from..to].to_vec());
            }
            _ => data.truncate(at.max(1)),
        }
    }
    data
}

/// Numbers that are the same with every run (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        number as usize % bound
    }
}

const SPECIAL: &[u8] = b"\r\n \t\";:,<>@%=\0\xff09";
