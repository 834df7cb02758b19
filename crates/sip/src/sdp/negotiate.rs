//! Offer and answer for one audio stream (RFC 3264).

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::codec::Codec;
use super::direction::Direction;
use super::media::Media;
use super::origin::Origin;
use super::{SdpFault, Session};

/// What we can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalMedia {
    /// Where we receive.
    pub address: SocketAddr,
    /// Our codecs, the preferred one first; digits as events are among them.
    pub codecs: Vec<Codec>,
    /// Which way media may go, as we see it.
    pub direction: Direction,
    /// How many milliseconds a packet shall hold.
    pub ptime: Option<u32>,
}

/// What both sides agreed on, for the stream that has audio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Which media description it is.
    pub index: usize,
    /// Where the other side receives.
    pub remote: SocketAddr,
    /// The codec, with the payload type to send.
    pub codec: Codec,
    /// The payload type for digits as events, if both sides know them.
    pub event: Option<u8>,
    /// Which way media goes, as we see it.
    pub direction: Direction,
    /// How many milliseconds a packet to the other side shall hold, if it says so.
    pub ptime: Option<u32>,
}

impl Session {
    /// An offer of one audio stream.
    #[must_use]
    pub fn offer(origin: &Origin, local: &LocalMedia) -> Self {
        let mut session = Self::new(origin, local.address.ip());
        let mut media = Media::audio(local.address.port());
        local.codecs.iter().for_each(|codec| media.add(codec));
        finish(&mut media, local, local.direction);
        session.media.push(media);
        session
    }

    /// Answers an offer: the first audio stream with a codec of ours is taken, all else refused.
    /// Payload types are those of the offer.
    pub fn answer(
        offer: &Self,
        origin: &Origin,
        local: &LocalMedia,
    ) -> Result<(Self, Agreement), SdpFault> {
        let found = offer.media.iter().enumerate().find_map(|(at, media)| {
            offer.agree(at, media, local).map(|agreement| (media, agreement))
        });
        let (taken, agreement) = found.ok_or(SdpFault::NothingInCommon)?;
        let mut session = Self::new(origin, local.address.ip());
        for (at, media) in offer.media.iter().enumerate() {
            if at != agreement.index {
                session.media.push(media.refused());
                continue;
            }
            let mut ours = Media::audio(local.address.port());
            ours.protocol.clone_from(&taken.protocol);
            ours.add(&agreement.codec);
            if let Some(event) = agreement.event {
                ours.add(&Codec::telephone_event(event));
            }
            finish(&mut ours, local, agreement.direction);
            session.media.push(ours);
        }
        Ok((session, agreement))
    }

    /// Reads the answer to an offer of ours.
    pub fn accept(&self, offer: &Self, local: &LocalMedia) -> Result<Agreement, SdpFault> {
        if self.media.len() != offer.media.len() {
            return Err(SdpFault::Mismatch);
        }
        let media = self.media.iter().enumerate();
        media
            .filter(|(at, media)| offer.media[*at].kind == media.kind)
            .find_map(|(at, media)| self.agree(at, media, local))
            .ok_or(SdpFault::NothingInCommon)
    }

    /// What we and the other side, whose description this is, can do together.
    fn agree(&self, index: usize, media: &Media, local: &LocalMedia) -> Option<Agreement> {
        if !media.is_audio() || !media.is_plain_rtp() {
            return None;
        }
        let remote = self.address(media)?;
        let (there, here) = (remote.ip().to_canonical(), local.address.ip().to_canonical());
        if there.is_ipv4() != here.is_ipv4() && !there.is_unspecified() {
            return None;
        }
        let theirs = media.codecs();
        let codec = choose(&theirs, &local.codecs)?;
        let wants_events = local.codecs.iter().any(Codec::is_event);
        let event = media.telephone_event(8000).filter(|_| wants_events);
        let wish = if remote.ip().is_unspecified() {
            self.direction(media).and(Direction::SendOnly)
        } else {
            self.direction(media)
        };
        let direction = wish.reversed().and(local.direction);
        Some(Agreement { index, remote, codec, event, direction, ptime: media.ptime() })
    }
}

/// The first codec of ours that the other side has, with the other side's payload type.
fn choose(theirs: &[Codec], ours: &[Codec]) -> Option<Codec> {
    ours.iter()
        .filter(|codec| !codec.is_event())
        .find_map(|codec| theirs.iter().find(|other| other.is_same(codec)))
        .cloned()
}

fn finish(media: &mut Media, local: &LocalMedia, direction: Direction) {
    if let Some(ptime) = local.ptime {
        media.push('a', &format!("ptime:{ptime}"));
    }
    media.set_direction(direction);
}
