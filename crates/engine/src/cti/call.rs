//! A call at a CTI device: the end of it that an application holds, with its media.

use std::net::{IpAddr, SocketAddr};

use jackfield_vocabulary::{CallInfo, LegId, MediaId, MediaTarget, ObjectId, PlayId};
use serde::{Deserialize, Serialize};

use super::digits::{Collection, Presses};
use crate::context::TimerToken;
use crate::leg::Description;

/// A call at a route point or port.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CtiCall {
    pub(super) leg: LegId,
    pub(super) device: ObjectId,
    pub(super) info: CallInfo,
    /// The calling device, for the codecs of its region.
    pub(super) calling: Option<ObjectId>,
    /// Where its signalling comes from, and so perhaps its media.
    pub(super) signalled: Option<IpAddr>,
    /// It has shown its secret.
    pub(super) proved: bool,
    /// The caller's media as offered last.
    pub(super) offer: Option<Description>,
    pub(super) stage: Stage,
    pub(super) presses: Presses,
}

/// How far the call at the device is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Stage {
    /// No application has taken it yet (CTI-36).
    Offered { patience: TimerToken },
    /// Taken, and not answered: the caller hears ringing.
    Accepted,
    /// Being answered: the media driver is asked for a port.
    Allocating { media: MediaId, patience: TimerToken },
    /// Answered: the far side's answer to an offer of ours is awaited; or its ACK, where there is a
    /// target already.
    Offering { media: Media, patience: TimerToken },
    /// Answered, with media.
    Connected(Media),
}

/// The media resource of an answered call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Media {
    pub(super) id: MediaId,
    pub(super) local: SocketAddr,
    /// Where the far side's signalling comes from.
    pub(super) signalled: Option<IpAddr>,
    /// The far side has shown its secret: one that has not hears nothing but where it signals from.
    pub(super) proved: bool,
    /// Counts the descriptions that we sent, for the o= line.
    pub(super) version: u32,
    pub(super) target: Option<MediaTarget>,
    pub(super) playing: Option<Playing>,
    pub(super) collection: Option<Collection>,
}

/// What plays.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Playing {
    pub(super) play: PlayId,
    pub(super) barge_in: bool,
    /// The media driver stops it by itself when it hears a key.
    pub(super) by_driver: bool,
    /// When its end is awaited no longer.
    pub(super) patience: TimerToken,
}

impl Media {
    pub(super) fn new(id: MediaId, local: SocketAddr, call: &CtiCall) -> Self {
        let CtiCall { signalled, proved, .. } = *call;
        let (target, playing, collection) = (None, None, None);
        Self { id, local, signalled, proved, version: 0, target, playing, collection }
    }
}

impl CtiCall {
    /// The media of the answered call.
    pub(super) fn media(&mut self) -> Option<&mut Media> {
        match &mut self.stage {
            Stage::Connected(media) => Some(media),
            _ => None,
        }
    }

    /// The resource held, and the timers that wait.
    pub(super) fn holds(&self) -> (Option<MediaId>, Vec<TimerToken>) {
        match &self.stage {
            Stage::Offered { patience } => (None, vec![*patience]),
            Stage::Accepted => (None, Vec::new()),
            Stage::Allocating { media, patience } => (Some(*media), vec![*patience]),
            Stage::Offering { media, patience } => (Some(media.id), vec![*patience]),
            Stage::Connected(media) => {
                let patience = media.playing.map(|playing| playing.patience);
                let wait = media.collection.as_ref().and_then(|one| one.wait);
                (Some(media.id), patience.into_iter().chain(wait).collect())
            }
        }
    }
}
