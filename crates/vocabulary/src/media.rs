use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One media resource of a node: an RTP port with what plays, listens and records on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MediaId(pub u64);

/// One order to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlayId(pub u64);

/// A codec that the node can code itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Codec {
    /// G.711 µ-law, 8 kHz, static payload type 0.
    Pcmu,
    /// G.711 A-law, 8 kHz, static payload type 8.
    Pcma,
    /// G.722, 16 kHz audio with an 8 kHz RTP clock, static payload type 9.
    G722,
    /// G.729 (any annex), 8 kHz, static payload type 18; only where libbcg729 is installed.
    G729,
    /// Linear 16 bit at 16 kHz (256 kbit/s), dynamic payload type.
    L16,
}

/// A key of the telephone keypad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "char", into = "char")]
pub struct Digit(char);

impl Digit {
    /// The key as a character of `0-9 * # A-D`.
    pub fn as_char(self) -> char {
        self.0
    }

    /// The event number of RFC 4733: 0 to 15.
    pub fn event(self) -> u8 {
        match self.0 {
            '*' => 10,
            '#' => 11,
            letter @ 'A'..='D' => 12 + (letter as u8 - b'A'),
            digit => digit as u8 - b'0',
        }
    }

    /// The key of an RFC 4733 event number.
    pub fn from_event(event: u8) -> Option<Self> {
        "0123456789*#ABCD".chars().nth(event.into()).map(Self)
    }
}

impl TryFrom<char> for Digit {
    type Error = &'static str;

    fn try_from(key: char) -> Result<Self, Self::Error> {
        match key.to_ascii_uppercase() {
            key @ ('0'..='9' | '*' | '#' | 'A'..='D') => Ok(Self(key)),
            _ => Err("a digit is one of 0-9, '*', '#' and A-D"),
        }
    }
}

impl From<Digit> for char {
    fn from(digit: Digit) -> Self {
        digit.0
    }
}

/// How a digit reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DigitSource {
    /// RFC 4733 telephone-event.
    Event,
    /// Tones in the audio.
    Tone,
    /// SIP INFO.
    Info,
    /// KPML (RFC 4730).
    Kpml,
}

/// A tone made by the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// The short tone before a recording.
    Beep,
    /// Ringing, in the cadence of the locale.
    Ringback,
    /// Busy.
    Busy,
    /// Reorder (fast busy).
    Reorder,
}

/// One thing to play.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlayItem {
    /// A prompt of an installed language pack.
    Prompt {
        /// The pack, as in `en-US`.
        locale: Arc<str>,
        /// The prompt, as in `enter-pin`.
        prompt: Arc<str>,
    },
    /// Nothing, for so many milliseconds.
    Silence(u32),
    /// A tone, for so many milliseconds.
    Tone(Tone, u32),
    /// DTMF to the far side, by RFC 4733 where it was negotiated, else in-band.
    Digits(Arc<str>),
    /// A recording made on this node, by its handle.
    Recording(u64),
}

/// Where the packets of a resource go, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaTarget {
    /// The far side's RTP address; RTCP goes to the next port unless `rtcp` says otherwise.
    pub remote: SocketAddr,
    /// The far side's RTCP address where it was named.
    pub rtcp: Option<SocketAddr>,
    /// Where the far side's signalling comes from, when that is known: behind an address translator,
    /// or with two interfaces, its packets come from there too.
    pub signalled: Option<IpAddr>,
    /// The codec both ways.
    pub codec: Codec,
    /// Payload type that we send and that the far side offered for the codec.
    pub payload_type: u8,
    /// Payload type of telephone-event, when negotiated.
    pub event_payload_type: Option<u8>,
    /// Packet time in milliseconds: a multiple of 10 from 10 to 60; 20 unless asked for.
    pub ptime: u8,
    /// We send.
    pub send: bool,
    /// We receive.
    pub receive: bool,
    /// After so long without a packet from there nothing is sent any more, until one comes.
    pub patience: Duration,
}

/// What the media driver is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaCommand {
    /// Take an RTP port; answered by `Allocated` or `Failed`.
    Allocate {
        /// The resource, numbered by whoever asks.
        media: MediaId,
    },
    /// Send to and listen to this far side from now on; may be repeated (re-INVITE).
    Connect {
        /// The resource.
        media: MediaId,
        /// The far side.
        target: MediaTarget,
    },
    /// Play the items in order; takes the place of what plays now.
    Play {
        /// The resource.
        media: MediaId,
        /// This order.
        play: PlayId,
        /// What to play.
        items: Vec<PlayItem>,
        /// A digit stops it at once (barge-in).
        barge_in: bool,
    },
    /// Stop what plays.
    StopPlay {
        /// The resource.
        media: MediaId,
    },
    /// Record what comes in, 16-bit linear at the codec's rate; answered by `Recorded`.
    Record {
        /// The resource.
        media: MediaId,
        /// The recording's handle, numbered by whoever asks.
        recording: u64,
        /// Stop after so much.
        limit: Duration,
        /// Stop on a digit.
        until_digit: bool,
    },
    /// Stop recording.
    StopRecord {
        /// The resource.
        media: MediaId,
    },
    /// Give back the port and everything with it; answered by `Released`.
    Release {
        /// The resource.
        media: MediaId,
    },
}

/// Why a media resource can't be had or can't go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaFailure {
    /// The limit of resources is reached.
    Limit,
    /// No free port in the range.
    Ports,
    /// The codec is not there (G.729 without libbcg729).
    Codec,
    /// The resource is not there.
    Missing,
    /// A socket failed.
    Socket,
}

/// How playing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlayEnd {
    /// Everything was played.
    Finished,
    /// A digit stopped it.
    BargedIn,
    /// It was stopped or replaced.
    Stopped,
}

/// How a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordEnd {
    /// The limit was reached.
    Limit,
    /// A digit stopped it.
    Digit,
    /// It was stopped.
    Stopped,
}

/// What went over one resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaStatistics {
    /// RTP packets sent.
    pub sent: u64,
    /// RTP packets received.
    pub received: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Interarrival jitter in microseconds (RFC 3550 6.4.1).
    pub jitter_micros: u32,
}

/// What the media driver tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaEvent {
    /// The resource is there and listens at this address.
    Allocated {
        /// The resource.
        media: MediaId,
        /// Our RTP address.
        local: SocketAddr,
    },
    /// The resource can't be had, or can't go on.
    Failed {
        /// The resource.
        media: MediaId,
        /// Why.
        failure: MediaFailure,
    },
    /// A key was pressed; told once, when it is certain.
    Digit {
        /// The resource.
        media: MediaId,
        /// The key.
        digit: Digit,
        /// How it came.
        source: DigitSource,
    },
    /// The order to play was taken.
    Playing {
        /// The resource.
        media: MediaId,
        /// The order.
        play: PlayId,
        /// It takes no longer, unless the call is on hold.
        length: Duration,
    },
    /// The order to play was not taken: a prompt or recording of it is not there. What played before goes
    /// on.
    Unplayable {
        /// The resource.
        media: MediaId,
        /// The order.
        play: PlayId,
    },
    /// Playing ended.
    Played {
        /// The resource.
        media: MediaId,
        /// The order.
        play: PlayId,
        /// How.
        end: PlayEnd,
    },
    /// A recording ended.
    Recorded {
        /// The resource.
        media: MediaId,
        /// Its handle.
        recording: u64,
        /// How.
        end: RecordEnd,
        /// Its length.
        length: Duration,
    },
    /// Packets come from a host that may not send here, and none from the far side; told once.
    Elsewhere {
        /// The resource.
        media: MediaId,
        /// Where they come from.
        from: SocketAddr,
        /// Where the far side is.
        expected: SocketAddr,
    },
    /// Nothing was received for so long, while receiving was expected.
    Silent {
        /// The resource.
        media: MediaId,
        /// How long.
        length: Duration,
    },
    /// The resource is given back.
    Released {
        /// The resource.
        media: MediaId,
        /// What went over it.
        statistics: MediaStatistics,
    },
}
