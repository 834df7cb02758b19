//! Speech is no key: every prompt of the language packs that lie beside the crates, through both
//! laws of G.711 and at several levels, must not make the tone detector tell anything.

use std::{fs, path::Path};

use jackfield_media::{
    Halve, ToneDetector, alaw_decode, alaw_encode, halve, mulaw_decode, mulaw_encode, parse_wav,
};

/// Proves SP-15: in-band keys without talk-off.
#[test]
fn no_prompt_sounds_like_a_key() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../prompts");
    let mut seconds = 0.0;
    for path in recordings(&directory) {
        let sound = parse_wav(&fs::read(&path).unwrap()).unwrap();
        let narrow = halve(&sound);
        for (numerator, denominator) in [(2, 1), (1, 1), (1, 4), (1, 10)] {
            let scaled = scale(&narrow, numerator, denominator);
            let mulaw: Vec<i16> = scaled.iter().map(|s| mulaw_decode(mulaw_encode(*s))).collect();
            let alaw: Vec<i16> = scaled.iter().map(|s| alaw_decode(alaw_encode(*s))).collect();
            for heard in [scaled, mulaw, alaw] {
                assert_eq!(keys(&heard), "", "{} x {numerator}/{denominator}", path.display());
                seconds += heard.len() as f64 / 8_000.0;
            }
        }
        // As the driver does it for L16.
        let mut filter = Halve::new();
        let streamed: Vec<i16> =
            sound.as_chunks().0.iter().map(|pair| filter.push(*pair)).collect();
        assert_eq!(keys(&streamed), "", "{}", path.display());
    }
    println!("{seconds:.0} seconds of speech gave no key");
}

fn keys(sound: &[i16]) -> String {
    let mut keys = String::new();
    ToneDetector::new().listen(sound, |digit| keys.push(digit.as_char()));
    keys
}

fn scale(sound: &[i16], numerator: i32, denominator: i32) -> Vec<i16> {
    let limit = |value: i32| value.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
    sound.iter().map(|sample| limit(i32::from(*sample) * numerator / denominator)).collect()
}

/// All WAV files of all packs; none where the packs were not made.
fn recordings(directory: &Path) -> Vec<std::path::PathBuf> {
    let folders = fs::read_dir(directory).into_iter().flatten().flatten();
    let files = folders.filter_map(|folder| fs::read_dir(folder.path()).ok()).flatten().flatten();
    files
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wav"))
        .collect()
}
