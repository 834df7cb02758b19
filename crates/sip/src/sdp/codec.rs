//! Codecs as a description names them.

use serde::{Deserialize, Serialize};

/// A payload type and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Codec {
    /// The payload type, 0 to 127.
    pub payload: u8,
    /// The name, such as `PCMU`.
    pub name: Box<str>,
    /// Ticks of the time stamp in a second.
    pub rate: u32,
    /// Channels.
    pub channels: u8,
    /// Parameters of the format, as they stand in `fmtp`.
    pub parameters: Option<Box<str>>,
}

impl Codec {
    /// The name of digits as events (RFC 4733).
    pub const TELEPHONE_EVENT: &'static str = "telephone-event";

    /// A codec with one channel.
    #[must_use]
    pub fn new(payload: u8, name: &str, rate: u32) -> Self {
        Self { payload, name: name.into(), rate, channels: 1, parameters: None }
    }

    /// Digits as events: 0 to 9, `*`, `#`, A to D.
    #[must_use]
    pub fn telephone_event(payload: u8) -> Self {
        let parameters = Some("0-15".into());
        Self { parameters, ..Self::new(payload, Self::TELEPHONE_EVENT, 8000) }
    }

    /// The codec of a payload type that needs no `rtpmap`.
    #[must_use]
    pub fn fixed(payload: u8) -> Option<Self> {
        let (_, name, rate, channels) = FIXED.iter().find(|row| row.0 == payload)?;
        Some(Self { channels: *channels, ..Self::new(payload, name, *rate) })
    }

    /// Is it the same codec, whatever its payload type?
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.name.eq_ignore_ascii_case(&other.name)
            && self.rate == other.rate
            && self.channels == other.channels
    }

    /// Is it digits as events?
    #[must_use]
    pub fn is_event(&self) -> bool {
        self.name.eq_ignore_ascii_case(Self::TELEPHONE_EVENT)
    }

    /// Reads what stands after the payload type in `rtpmap`.
    pub(super) fn parse_map(payload: u8, map: &str) -> Option<Self> {
        let mut parts = map.trim().split('/');
        let (name, rate) = (parts.next()?, parts.next()?.parse().ok()?);
        let channels = parts.next().map_or(Some(1), |channels| channels.parse().ok())?;
        if name.is_empty() || rate == 0 || channels == 0 {
            return None;
        }
        Some(Self { channels, ..Self::new(payload, name, rate) })
    }

    /// The value of `rtpmap`.
    pub(super) fn map(&self) -> String {
        let channels =
            if self.channels > 1 { format!("/{}", self.channels) } else { String::new() };
        format!("{} {}/{}{channels}", self.payload, self.name, self.rate)
    }
}

/// RFC 3551: payload type, name, rate, channels.
const FIXED: [(u8, &str, u32, u8); 12] = [
    (0, "PCMU", 8000, 1),
    (3, "GSM", 8000, 1),
    (4, "G723", 8000, 1),
    (5, "DVI4", 8000, 1),
    (7, "LPC", 8000, 1),
    (8, "PCMA", 8000, 1),
    (9, "G722", 8000, 1),
    (10, "L16", 44100, 2),
    (11, "L16", 44100, 1),
    (13, "CN", 8000, 1),
    (15, "G728", 8000, 1),
    (18, "G729", 8000, 1),
];
