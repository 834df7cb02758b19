//! The language packs that lie beside the crates are complete, and every prompt can be coded.

use std::path::Path;

use jackfield_media::{PromptLibrary, codecs_available};

/// Proves SP-14.c: at least en-US and ja-JP, every text with a recording.
#[test]
fn the_packs_of_the_product_are_complete() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../prompts");
    let (library, problems) = PromptLibrary::open(&directory);
    assert!(problems.is_empty(), "{problems:?}");
    let packs = library.packs();
    for locale in ["en-US", "ja-JP"] {
        let pack = packs.iter().find(|pack| pack.locale == locale).unwrap();
        assert!(!pack.own_name.is_empty() && !pack.licence.is_empty(), "{pack:?}");
    }
    for pack in &packs {
        assert_eq!(
            pack.texts.keys().collect::<Vec<_>>(),
            packs[0].texts.keys().collect::<Vec<_>>()
        );
        for prompt in pack.texts.keys() {
            assert!(library.contains(&pack.locale, prompt), "{} {prompt}", pack.locale);
        }
    }
    for codec in codecs_available() {
        let coded = library.encode("ja-JP", "goodbye", codec).unwrap();
        assert!(coded.len() > 400, "{codec:?}");
    }
}
