//! Replays the fuzz corpus and seeded mutations of it: no panic, and no reading that differs from
//! the oracle's.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "a test reads its corpus")]

use std::path::PathBuf;

use jackfield_sip::Tokens;

#[path = "../../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, clippy::wildcard_imports, reason = "it is the library of another crate")]
mod targets;

/// Name and content of each file of a corpus, in order.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
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
fn replay(target: &str, run: fn(&[u8]), mutations: usize) {
    replay_with(42, target, run, mutations);
}

fn replay_with(seed: u8, target: &str, run: fn(&[u8]), mutations: usize) {
    let files = corpus(target);
    let mut dice = Tokens::new([seed; 32]);
    for (_, content) in &files {
        run(content);
        for _ in 0..mutations {
            run(&mutated(content, &files, &mut dice));
        }
    }
}

/// One to four small changes: an octet, a cut, a repetition, or a piece of another file.
fn mutated(content: &[u8], files: &[(String, Vec<u8>)], dice: &mut Tokens) -> Vec<u8> {
    let mut data = content.to_vec();
    for _ in 0..=dice.below(3) {
        let at = usize::try_from(dice.below(data.len() as u64 + 1)).unwrap();
        let length = usize::try_from(dice.below(24)).unwrap().min(data.len() - at);
        match dice.below(6) {
            0 => data.insert(at, SPECIAL[dice.below(SPECIAL.len() as u64) as usize]),
            1 if at < data.len() => data[at] = u8::try_from(dice.below(256)).unwrap(),
            2 => drop(data.drain(at..at + length)),
            3 => {
                let piece = data[at..at + length].to_vec();
                data.splice(at..at, piece);
            }
            4 => {
                let (_, other) = &files[dice.below(files.len() as u64) as usize];
                let from = usize::try_from(dice.below(other.len() as u64 + 1)).unwrap();
                let to = (from + length).min(other.len());
                data.splice(at..at, other[from..to].to_vec());
            }
            _ => data.truncate(at.max(1)),
        }
    }
    data
}

const SPECIAL: &[u8] = b"\r\n \t\";:,<>@%=\0\xff09";

#[test]
fn messages() {
    replay("message", targets::message, 200);
}

#[test]
fn streams() {
    replay("stream", targets::stream, 200);
}

#[test]
fn session_descriptions() {
    replay("sdp", targets::sdp, 2000);
}

#[test]
fn header_values() {
    replay("header", targets::header, 1000);
}

#[test]
fn credentials() {
    replay("digest", targets::digest, 2000);
}

#[test]
fn the_oracle_reads_the_same() {
    replay("message", targets::differential, 400);
    replay("differential", targets::differential, 400);
}

/// Where we and the strict oracle do not agree whether a message is good, we know why.
#[test]
fn verdicts_differ_from_the_oracle_only_where_known() {
    let files = corpus("message");
    let differing: Vec<_> = files
        .iter()
        .map(|(name, content)| (name.as_str(), targets::verdicts(content)))
        .filter(|(_, (ours, theirs))| ours != theirs)
        .collect();
    let known = [
        // No tag in From: RFC 2543, which RFC 4475 asks elements to accept.
        ("inv2543", (true, false)),
        // Three colons: RFC 5118 calls it a bug of the grammar, the oracle keeps to the letter.
        ("ipv6_bug_abnf_3_colons", (false, true)),
    ];
    assert_eq!(differing, known);
}

/// Millions instead of thousands: `cargo test --release -p jackfield-sip --test fuzz_corpus --
/// --ignored`.
#[test]
#[ignore = "takes minutes"]
fn soak() {
    for seed in 0..10 {
        replay_with(seed, "message", targets::message, 3_000);
        replay_with(seed, "message", targets::differential, 3_000);
        replay_with(seed, "stream", targets::stream, 10_000);
        replay_with(seed, "sdp", targets::sdp, 30_000);
        replay_with(seed, "header", targets::header, 10_000);
        replay_with(seed, "digest", targets::digest, 50_000);
    }
}
