//! G.729 through libbcg729, loaded at run time where it is installed: its licence keeps it out of
//! the binary.
#![allow(unsafe_code)]

use std::{
    ffi::c_void,
    ptr::NonNull,
    sync::{Arc, LazyLock},
};

use libloading::Library;

/// Codes 10 ms at 8 kHz into 10 bytes, without silence suppression.
#[derive(Debug)]
pub struct G729Encoder {
    context: NonNull<c_void>,
    library: Arc<Bcg729>,
}

/// Decodes frames of 10 bytes, and of 2 bytes for comfort noise (annex B).
#[derive(Debug)]
pub struct G729Decoder {
    context: NonNull<c_void>,
    library: Arc<Bcg729>,
}

// SAFETY: the library keeps the whole state of a channel behind its context pointer and has no
// other mutable state; a context is reached only through the one owner that this type is.
unsafe impl Send for G729Encoder {}
// SAFETY: as for the encoder.
unsafe impl Send for G729Decoder {}

/// Whether G.729 can be coded on this machine.
pub fn g729_available() -> bool {
    LIBRARY.is_some()
}

impl G729Encoder {
    /// An encoder in its reset state; none without the library.
    pub fn new() -> Option<Self> {
        let library = LIBRARY.clone()?;
        // SAFETY: the symbol has this signature in every release since 1.0.2, which `load` checks.
        let context = NonNull::new(unsafe { (library.open_encoder)(0) })?;
        Some(Self { context, library })
    }

    /// Codes one frame.
    pub fn encode(&mut self, frame: &[i16; 80]) -> [u8; 10] {
        let mut out = [0; 10];
        let mut length = 0;
        // SAFETY: the context is live until drop; the library reads 80 samples and writes at most
        // 10 bytes and the length, all of which are there.
        unsafe {
            (self.library.encode)(
                self.context.as_ptr(),
                frame.as_ptr(),
                out.as_mut_ptr(),
                &mut length,
            );
        }
        out
    }
}

impl G729Decoder {
    /// A decoder in its reset state; none without the library.
    pub fn new() -> Option<Self> {
        let library = LIBRARY.clone()?;
        // SAFETY: as for the encoder.
        let context = NonNull::new(unsafe { (library.open_decoder)() })?;
        Some(Self { context, library })
    }

    /// Decodes one frame of speech.
    pub fn decode(&mut self, frame: &[u8; 10]) -> [i16; 80] {
        self.run(frame, Frame::Speech)
    }

    /// Decodes one frame of comfort noise.
    pub fn noise(&mut self, frame: [u8; 2]) -> [i16; 80] {
        let mut padded = [0; 10];
        padded[..2].copy_from_slice(&frame);
        self.run(&padded, Frame::Noise)
    }

    /// Makes up a frame that was lost.
    pub fn conceal(&mut self) -> [i16; 80] {
        self.run(&[0; 10], Frame::Lost)
    }

    fn run(&mut self, bytes: &[u8; 10], frame: Frame) -> [i16; 80] {
        let mut out = [0; 80];
        let (length, lost, noise) = match frame {
            Frame::Speech => (10, 0, 0),
            Frame::Noise => (2, 0, 1),
            Frame::Lost => (0, 1, 0),
        };
        // SAFETY: the context is live until drop; the library reads at most the 10 bytes that are
        // there (fewer by `length`) and writes 80 samples.
        unsafe {
            (self.library.decode)(
                self.context.as_ptr(),
                bytes.as_ptr(),
                length,
                lost,
                noise,
                0,
                out.as_mut_ptr(),
            );
        }
        out
    }
}

impl Drop for G729Encoder {
    fn drop(&mut self) {
        // SAFETY: the context came from `open_encoder` and is not used afterwards.
        unsafe { (self.library.close_encoder)(self.context.as_ptr()) }
    }
}

impl Drop for G729Decoder {
    fn drop(&mut self) {
        // SAFETY: the context came from `open_decoder` and is not used afterwards.
        unsafe { (self.library.close_decoder)(self.context.as_ptr()) }
    }
}

enum Frame {
    Speech,
    Noise,
    Lost,
}

/// The functions of the library, kept alive by the library itself.
#[derive(Debug)]
struct Bcg729 {
    open_encoder: unsafe extern "C" fn(u8) -> *mut c_void,
    encode: unsafe extern "C" fn(*mut c_void, *const i16, *mut u8, *mut u8),
    close_encoder: unsafe extern "C" fn(*mut c_void),
    open_decoder: unsafe extern "C" fn() -> *mut c_void,
    decode: unsafe extern "C" fn(*mut c_void, *const u8, u8, u8, u8, u8, *mut i16),
    close_decoder: unsafe extern "C" fn(*mut c_void),
    _library: Library,
}

static LIBRARY: LazyLock<Option<Arc<Bcg729>>> =
    LazyLock::new(|| NAMES.iter().find_map(|name| load(name).ok()).map(Arc::new));

fn load(name: &str) -> Result<Bcg729, libloading::Error> {
    // SAFETY: loading runs the library's initialisers; libbcg729 has none. The symbols are given
    // the signatures of its public headers. `bcg729GetRFC3389Payload` came together with the
    // present signatures (1.0.2), so an older library is refused here.
    unsafe {
        let library = Library::new(name)?;
        library.get::<unsafe extern "C" fn()>(b"bcg729GetRFC3389Payload\0")?;
        Ok(Bcg729 {
            open_encoder: *library.get(b"initBcg729EncoderChannel\0")?,
            encode: *library.get(b"bcg729Encoder\0")?,
            close_encoder: *library.get(b"closeBcg729EncoderChannel\0")?,
            open_decoder: *library.get(b"initBcg729DecoderChannel\0")?,
            decode: *library.get(b"bcg729Decoder\0")?,
            close_decoder: *library.get(b"closeBcg729DecoderChannel\0")?,
            _library: library,
        })
    }
}

const NAMES: [&str; 2] = ["libbcg729.so.0", "libbcg729.so"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_keeps_its_level_and_a_lost_frame_fades() {
        let (mut encoder, mut decoder) = (G729Encoder::new().unwrap(), G729Decoder::new().unwrap());
        let mut power = 0.0;
        for frame in 0..50 {
            let sound: [i16; 80] = core::array::from_fn(|n| {
                let time = f64::from(frame * 80 + n as i32) / 8e3;
                (8_000.0 * (time * 400.0 * core::f64::consts::TAU).sin()) as i16
            });
            let decoded = decoder.decode(&encoder.encode(&sound));
            if frame >= 40 {
                power += decoded.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / 800.0;
            }
        }
        let level = 20.0 * (power.sqrt() / (8_000.0 / 2f64.sqrt())).log10();
        assert!(level.abs() < 3.0, "{level} dB");
        let last = (0..50).map(|_| decoder.conceal()).last().unwrap();
        assert!(last.iter().all(|sample| sample.abs() < 200));
    }

    #[test]
    fn any_bytes_do_no_harm() {
        let mut decoder = G729Decoder::new().unwrap();
        for seed in 0..500u32 {
            let frame = core::array::from_fn(|n| (seed.wrapping_mul(2_654_435_761) >> n) as u8);
            decoder.decode(&frame);
            decoder.noise([frame[0], frame[1]]);
        }
    }
}
