//! The recognizer on the real language packs: what the voice says is told from its sound.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use jackfield_media::{halve, mulaw_decode, mulaw_encode, parse_wav};
use jackfield_phone::{Hearing, PromptRecognizer};

fn pack(locale: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../prompts").join(locale)
}

/// The prompts one after another through G.711, each cut to so many milliseconds.
fn said(locale: &str, prompts: &[(&str, usize)]) -> Hearing {
    let mut sound = vec![0; 3_000];
    for (prompt, millis) in prompts {
        let bytes = std::fs::read(pack(locale).join(format!("{prompt}.wav"))).unwrap();
        let mut prompt = halve(&parse_wav(&bytes).unwrap());
        prompt.truncate(millis * 8);
        sound.extend(prompt);
    }
    let sound = sound.into_iter().map(|sample| mulaw_decode(mulaw_encode(sample))).collect();
    Hearing { sound, ..Default::default() }
}

#[test]
fn a_dialogue_is_told_in_every_language() {
    const WHOLE: usize = 60_000;
    for locale in ["en-US", "ja-JP"] {
        let recognizer = PromptRecognizer::load(&pack(locale)).unwrap();
        let story = [
            ("greeting", WHOLE),
            ("enter-self-service-id", 1_500),
            ("enter-pin", WHOLE),
            ("confirm-extension-before", WHOLE),
            ("digit-7", WHOLE),
            ("digit-0", WHOLE),
            ("digit-0", WHOLE),
            ("digit-1", WHOLE),
            ("confirm-extension-after", WHOLE),
            ("assigned", WHOLE),
            ("restarting", WHOLE),
        ];
        let expected: Vec<_> = story.iter().map(|(prompt, _)| *prompt).collect();
        assert_eq!(recognizer.ids(&said(locale, &story)), expected, "{locale}");
    }
}
