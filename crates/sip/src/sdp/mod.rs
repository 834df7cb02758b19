//! Session descriptions (RFC 8866) and what offer and answer make of them (RFC 3264).
//!
//! A description is its lines in order; what they mean is read when asked for, and what nobody
//! knows is kept.

use core::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::limits;

mod codec;
mod direction;
mod line;
mod media;
mod negotiate;
mod origin;
#[cfg(test)]
mod tests;

pub use codec::Codec;
pub use direction::Direction;
pub use line::Line;
pub use media::Media;
pub use negotiate::{Agreement, LocalMedia};
pub use origin::{Connection, Origin};

/// A session description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The lines before the first media description, `v=` first.
    lines: Vec<Line>,
    /// The media descriptions.
    pub media: Vec<Media>,
}

/// Why a description can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SdpFault {
    /// It is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// A line does not begin with a letter and `=`.
    #[error("broken line")]
    Line,
    /// It does not begin with `v=0`.
    #[error("broken version")]
    Version,
    /// `o=` is missing or broken.
    #[error("broken origin")]
    Origin,
    /// `c=` is broken.
    #[error("broken connection")]
    Connection,
    /// `m=` is broken.
    #[error("broken media line")]
    Media,
    /// More lines, media or formats than the limit.
    #[error("too long")]
    TooLong,
    /// There is no audio both sides can do.
    #[error("nothing in common")]
    NothingInCommon,
    /// The answer does not fit the offer.
    #[error("answer does not fit the offer")]
    Mismatch,
}

impl Session {
    /// A description without media yet; all of it will be received at one address.
    #[must_use]
    pub fn new(origin: &Origin, address: IpAddr) -> Self {
        let lines = vec![
            Line::new('v', "0"),
            Line::new('o', &origin.to_string()),
            Line::new('s', "-"),
            Line::new('c', &Connection::new(Some(address)).to_string()),
            Line::new('t', "0 0"),
        ];
        Self { lines, media: Vec::new() }
    }

    /// Reads a description.
    pub fn parse(body: &[u8]) -> Result<Self, SdpFault> {
        let text = core::str::from_utf8(body).map_err(|_| SdpFault::NotUtf8)?;
        let mut session = Self { lines: Vec::new(), media: Vec::new() };
        for (at, row) in text.lines().filter(|row| !row.is_empty()).enumerate() {
            if at == limits::SDP_LINES || session.media.len() > limits::SDP_MEDIA {
                return Err(SdpFault::TooLong);
            }
            let line = Line::parse(row)?;
            match (line.kind, session.media.last_mut()) {
                ('m', _) => session.media.push(Media::parse(&line.value)?),
                (_, Some(media)) => media.lines.push(line),
                (_, None) => session.lines.push(line),
            }
        }
        session.check()?;
        Ok(session)
    }

    fn check(&self) -> Result<(), SdpFault> {
        match self.lines.first() {
            Some(line) if line.kind == 'v' && line.meant() == "0" => {}
            _ => return Err(SdpFault::Version),
        }
        self.origin()?;
        let media = self.media.iter().map(|media| &media.lines);
        for line in core::iter::once(&self.lines).chain(media).flatten() {
            if line.kind == 'c' {
                Connection::parse(&line.value)?;
            }
        }
        Ok(())
    }

    /// Who made the description, and which version it is.
    pub fn origin(&self) -> Result<Origin, SdpFault> {
        line::first(&self.lines, 'o').ok_or(SdpFault::Origin).and_then(Origin::parse)
    }

    /// The direction of a media description, which may stand at the session.
    #[must_use]
    pub fn direction(&self, media: &Media) -> Direction {
        Direction::find(&media.lines)
            .or_else(|| Direction::find(&self.lines))
            .unwrap_or(Direction::SendRecv)
    }

    /// Where media is to be sent; `None` for a name, or when there is no connection line.
    #[must_use]
    pub fn address(&self, media: &Media) -> Option<SocketAddr> {
        let line = line::first(&media.lines, 'c').or_else(|| line::first(&self.lines, 'c'))?;
        Some(SocketAddr::new(Connection::parse(line).ok()?.address?, media.port))
    }

    /// Does this side want to hear nothing: `sendonly`, `inactive` or an address that stands for
    /// nowhere?
    #[must_use]
    pub fn is_hold(&self, media: &Media) -> bool {
        let line = line::first(&media.lines, 'c').or_else(|| line::first(&self.lines, 'c'));
        line.is_some_and(Connection::is_nowhere) || !self.direction(media).receives()
    }

    /// Does this side hold all audio it describes? Lines that it refuses (port 0) and other media
    /// have no say.
    #[must_use]
    pub fn holds_audio(&self) -> bool {
        let mut audio = self.audio().peekable();
        audio.peek().is_some() && audio.all(|media| self.is_hold(media))
    }

    /// The audio that is not refused.
    pub fn audio(&self) -> impl Iterator<Item = &Media> {
        self.media.iter().filter(|media| media.is_audio())
    }

    /// Adds a line to the session, before its media.
    pub fn push(&mut self, kind: char, value: &str) {
        self.lines.push(Line::new(kind, value));
    }

    /// The description as a body.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| line.fmt(f))?;
        self.media.iter().try_for_each(|media| media.fmt(f))
    }
}
