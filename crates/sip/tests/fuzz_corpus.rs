//! Replays the fuzz corpus and seeded mutations of it: no panic, and no reading that differs from
//! the oracle's.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "a test reads its corpus")]

#[path = "../../../fuzz/src/replay.rs"]
mod replay;
#[path = "../../../fuzz/src/sip.rs"]
#[allow(unreachable_pub, clippy::wildcard_imports, reason = "it is part of another crate")]
mod targets;

use replay::{corpus, replay, replay_with};

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
        // Blanks after the version, which RFC 4475 lets elements ignore.
        ("trws", (true, false)),
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
