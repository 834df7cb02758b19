//! Speech is no key: every prompt of the language packs that lie beside the crates, through both
//! laws of G.711, at several levels and pitches, must not make the tone detector tell anything.

use std::{fs, path::Path};

use jackfield_media::{
    Halve, ToneDetector, alaw_decode, alaw_encode, halve, mulaw_decode, mulaw_encode, parse_wav,
};

/// Proves SP-15.f: in-band keys without talk-off.
#[test]
fn no_prompt_sounds_like_a_key() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../prompts");
    let mut seconds = 0.0;
    for path in recordings(&directory) {
        let sound = parse_wav(&fs::read(&path).unwrap()).unwrap();
        let narrow = halve(&sound);
        // Other voices: the same words spoken higher and lower.
        for speed in [0.8, 0.9, 1.1, 1.25] {
            let voice = at_speed(&narrow, speed);
            let mulaw: Vec<i16> = voice.iter().map(|s| mulaw_decode(mulaw_encode(s / 4))).collect();
            assert_eq!(keys(&mulaw), "", "{} at {speed}", path.display());
            seconds += mulaw.len() as f64 / 8_000.0;
        }
        let loud = narrow.iter().map(|s| s.saturating_mul(2));
        let alaw: Vec<i16> = loud.map(|s| alaw_decode(alaw_encode(s))).collect();
        for heard in [narrow, alaw] {
            assert_eq!(keys(&heard), "", "{}", path.display());
            seconds += heard.len() as f64 / 8_000.0;
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

/// Played faster or slower, between the samples on a straight line.
fn at_speed(sound: &[i16], speed: f64) -> Vec<i16> {
    let length = (sound.len().saturating_sub(1) as f64 / speed) as usize;
    (0..length)
        .map(|index| {
            let place = index as f64 * speed;
            let (at, part) = (place as usize, place.fract());
            (f64::from(sound[at]) * (1.0 - part) + f64::from(sound[at + 1]) * part) as i16
        })
        .collect()
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
