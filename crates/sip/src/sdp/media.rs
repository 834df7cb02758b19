//! `m=` and the lines that belong to it.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::SdpFault;
use super::codec::Codec;
use super::direction::Direction;
use super::line::{self, Line};
use crate::limits;

/// A media description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// `audio`, `video`, `application`, ...
    pub kind: Box<str>,
    /// The port; 0 refuses the media.
    pub port: u16,
    /// How many ports, when it is said.
    pub ports: Option<u16>,
    /// The protocol, such as `RTP/AVP`.
    pub protocol: Box<str>,
    /// The formats: payload types for RTP.
    pub formats: Vec<Box<str>>,
    /// The lines after the `m=` line.
    pub(super) lines: Vec<Line>,
}

impl Media {
    /// Audio over RTP.
    #[must_use]
    pub fn audio(port: u16) -> Self {
        Self {
            kind: "audio".into(),
            port,
            ports: None,
            protocol: "RTP/AVP".into(),
            formats: Vec::new(),
            lines: Vec::new(),
        }
    }

    pub(super) fn parse(value: &str) -> Result<Self, SdpFault> {
        let mut words = value.split_ascii_whitespace();
        let (Some(kind), Some(port), Some(protocol)) = (words.next(), words.next(), words.next())
        else {
            return Err(SdpFault::Media);
        };
        let (port, ports) = match port.split_once('/') {
            Some((port, ports)) => (port, Some(number(ports)?)),
            None => (port, None),
        };
        let formats: Vec<Box<str>> = words.take(limits::SDP_FORMATS + 1).map(Into::into).collect();
        if formats.len() > limits::SDP_FORMATS {
            return Err(SdpFault::TooLong);
        }
        if formats.is_empty() {
            return Err(SdpFault::Media);
        }
        Ok(Self {
            kind: kind.into(),
            port: number(port)?,
            ports,
            protocol: protocol.into(),
            formats,
            lines: Vec::new(),
        })
    }

    /// Is it audio that is not refused?
    #[must_use]
    pub fn is_audio(&self) -> bool {
        &*self.kind == "audio" && self.port != 0
    }

    /// Is it RTP without encryption?
    #[must_use]
    pub fn is_plain_rtp(&self) -> bool {
        matches!(&*self.protocol, "RTP/AVP" | "RTP/AVPF")
    }

    /// The codecs in the order of the formats; formats that nothing explains are left out.
    #[must_use]
    pub fn codecs(&self) -> Vec<Codec> {
        self.formats.iter().filter_map(|format| self.codec(format)).collect()
    }

    fn codec(&self, format: &str) -> Option<Codec> {
        let payload = format.parse::<u8>().ok().filter(|payload| *payload < 128)?;
        let map = self.of_format("rtpmap", format);
        let codec = match map {
            Some(map) => Codec::parse_map(payload, map)?,
            None => Codec::fixed(payload)?,
        };
        Some(Codec { parameters: self.of_format("fmtp", format).map(Into::into), ..codec })
    }

    /// What an attribute says of one format.
    fn of_format<'m>(&'m self, name: &str, format: &str) -> Option<&'m str> {
        line::attributes(&self.lines, name).find_map(|value| {
            let (other, rest) = value.split_once(' ')?;
            (other == format).then_some(rest.trim())
        })
    }

    /// The payload type of digits as events, at this rate.
    #[must_use]
    pub fn telephone_event(&self, rate: u32) -> Option<u8> {
        let codecs = self.codecs();
        let event = codecs.iter().find(|codec| codec.is_event() && codec.rate == rate);
        event.map(|codec| codec.payload)
    }

    /// How many milliseconds a packet shall hold.
    #[must_use]
    pub fn ptime(&self) -> Option<u32> {
        self.attributes("ptime").next()?.trim().parse().ok()
    }

    /// The values of an attribute of this media, such as `crypto`; empty for a flag.
    pub fn attributes<'m>(&'m self, name: &str) -> impl Iterator<Item = &'m str> {
        line::attributes(&self.lines, name)
    }

    /// Adds a line.
    pub fn push(&mut self, kind: char, value: &str) {
        self.lines.push(Line::new(kind, value));
    }

    /// Adds a codec with what explains it.
    pub fn add(&mut self, codec: &Codec) {
        self.formats.push(codec.payload.to_string().into());
        self.push('a', &format!("rtpmap:{}", codec.map()));
        if let Some(parameters) = &codec.parameters {
            self.push('a', &format!("fmtp:{} {parameters}", codec.payload));
        }
    }

    /// Sets the direction.
    pub fn set_direction(&mut self, direction: Direction) {
        self.lines.retain(|line| Direction::find(core::slice::from_ref(line)).is_none());
        self.push('a', direction.as_str());
    }

    /// The same media refused.
    #[must_use]
    pub fn refused(&self) -> Self {
        Self { port: 0, ports: None, lines: Vec::new(), ..self.clone() }
    }
}

impl fmt::Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {}", self.kind, self.port)?;
        if let Some(ports) = self.ports {
            write!(f, "/{ports}")?;
        }
        write!(f, " {}", self.protocol)?;
        self.formats.iter().try_for_each(|format| write!(f, " {format}"))?;
        f.write_str("\r\n")?;
        self.lines.iter().try_for_each(|line| line.fmt(f))
    }
}

fn number(text: &str) -> Result<u16, SdpFault> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().map_err(|_| SdpFault::Media)
    } else {
        Err(SdpFault::Media)
    }
}
