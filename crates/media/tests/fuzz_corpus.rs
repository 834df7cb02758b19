//! Replays the fuzz corpus of what comes on the ports for sound, and seeded mutations of it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../fuzz/src/replay.rs"]
mod replay;
#[path = "../../../fuzz/src/media.rs"]
#[allow(unreachable_pub, clippy::wildcard_imports, reason = "it is part of another crate")]
mod targets;

use replay::{replay, replay_with};

#[test]
fn packets() {
    replay("packet", targets::packet, 5000);
}

#[test]
fn sound() {
    replay("sound", targets::sound, 500);
}

#[test]
fn telephone_events() {
    replay("telephone_event", targets::telephone_event, 5000);
}

#[test]
fn language_packs() {
    replay("pack", targets::pack, 2000);
}

/// Millions instead of thousands: `cargo test --release -p jackfield-media --test fuzz_corpus --
/// --ignored`.
#[test]
#[ignore = "takes minutes"]
fn soak() {
    for seed in 0..10 {
        replay_with(seed, "packet", targets::packet, 100_000);
        replay_with(seed, "sound", targets::sound, 5_000);
        replay_with(seed, "telephone_event", targets::telephone_event, 100_000);
        replay_with(seed, "pack", targets::pack, 30_000);
    }
}
