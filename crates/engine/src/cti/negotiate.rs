//! Offer and answer for the node's own end of a call: codecs in the application's order of
//! preference, as far as the regions of the two devices allow them.

use core::time::Duration;
use std::net::{IpAddr, SocketAddr};

use jackfield_model::{Directory, RegionCodecs};
use jackfield_sip::sdp::{Agreement, Codec as SdpCodec, Direction, LocalMedia, Origin, Session};
use jackfield_vocabulary::{Codec, MediaTarget, ObjectId};

use super::call::Media;
use crate::leg::Description;

/// Answers an offer: what we say, and where our packets go.
pub(super) fn answer(
    media: &Media,
    codecs: &[Codec],
    offer: &Description,
) -> Option<(Description, MediaTarget)> {
    let offer = Session::parse(&offer.0).ok()?;
    let (answer, agreement) =
        Session::answer(&offer, &origin(media), &local(media.local, codecs)).ok()?;
    Some((description(&answer), target(media, &agreement, &offer)?))
}

/// What we offer when the far side asks for it.
pub(super) fn offer(media: &Media, codecs: &[Codec]) -> Description {
    let local = local(media.local, codecs);
    description(&Session::offer(&origin(media), &local))
}

/// Reads the far side's answer to our offer.
pub(super) fn accept(media: &Media, codecs: &[Codec], answer: &Description) -> Option<MediaTarget> {
    let local = local(media.local, codecs);
    let offer = Session::offer(&origin(media), &local);
    let answer = Session::parse(&answer.0).ok()?;
    target(media, &answer.accept(&offer, &local).ok()?, &answer)
}

/// Those of an application's codecs that calls between these devices may use.
pub(super) fn allowed(
    directory: &Directory,
    codecs: &[Codec],
    device: ObjectId,
    calling: Option<ObjectId>,
) -> Vec<Codec> {
    let region = |device| {
        let pool = directory.effective(device)?.device_pool;
        directory.get(pool.region).map(|region| region.codecs)
    };
    let limit = [Some(device), calling].into_iter().flatten().filter_map(region);
    let limit = limit.max_by_key(|codecs| narrowness(*codecs)).unwrap_or_default();
    codecs.iter().copied().filter(|codec| fits(*codec, limit)).collect()
}

fn fits(codec: Codec, limit: RegionCodecs) -> bool {
    let needs = match codec {
        Codec::L16 => RegionCodecs::Wideband,
        Codec::Pcmu | Codec::Pcma | Codec::G722 => RegionCodecs::Standard,
        Codec::G729 => RegionCodecs::Narrow,
    };
    narrowness(needs) >= narrowness(limit)
}

fn narrowness(codecs: RegionCodecs) -> u8 {
    match codecs {
        RegionCodecs::Wideband => 0,
        RegionCodecs::Standard => 1,
        RegionCodecs::Narrow => 2,
    }
}

fn local(address: SocketAddr, codecs: &[Codec]) -> LocalMedia {
    let mut codecs: Vec<SdpCodec> = codecs.iter().map(|codec| described(*codec)).collect();
    codecs.push(SdpCodec::telephone_event(EVENT_PAYLOAD));
    LocalMedia { address, codecs, direction: Direction::SendRecv, ptime: Some(20) }
}

fn origin(media: &Media) -> Origin {
    let first = Origin::new(media.id.0 << 1, media.local.ip());
    Origin { version: media.version.to_string().into(), ..first }
}

fn described(codec: Codec) -> SdpCodec {
    match codec {
        Codec::Pcmu => SdpCodec::new(0, "PCMU", 8000),
        Codec::Pcma => SdpCodec::new(8, "PCMA", 8000),
        Codec::G722 => SdpCodec::new(9, "G722", 8000),
        Codec::G729 => SdpCodec::new(18, "G729", 8000),
        Codec::L16 => SdpCodec::new(L16_PAYLOAD, "L16", 16_000),
    }
}

fn target(media: &Media, agreement: &Agreement, theirs: &Session) -> Option<MediaTarget> {
    let codec = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::G729, Codec::L16]
        .into_iter()
        .find(|codec| described(*codec).is_same(&agreement.codec))?;
    let ptime = agreement.ptime.and_then(|ptime| u8::try_from(ptime).ok()).unwrap_or(20);
    let (mut remote, mut rtcp) = (agreement.remote, rtcp(agreement, theirs));
    if !may_be_sent_to(remote) || rtcp.is_some_and(|rtcp| !may_be_sent_to(rtcp)) {
        return None;
    }
    // Whoever has shown no secret may name anybody's address.
    if let Some(host) = media.signalled.filter(|_| !media.proved && !is_hold(remote)) {
        remote.set_ip(host);
        if let Some(rtcp) = &mut rtcp {
            rtcp.set_ip(host);
        }
    }
    Some(MediaTarget {
        remote,
        rtcp,
        signalled: media.signalled,
        codec,
        payload_type: agreement.codec.payload,
        event_payload_type: agreement.event,
        ptime: (ptime / 10 * 10).clamp(10, 60),
        send: agreement.direction.sends(),
        receive: agreement.direction.receives(),
        patience: if media.proved { PATIENCE } else { SHORT_PATIENCE },
    })
}

/// Sound goes to no group, to no whole network, and to no port below those of users.
fn may_be_sent_to(address: SocketAddr) -> bool {
    let many = match address.ip().to_canonical() {
        IpAddr::V4(host) => host.is_multicast() || host.is_broadcast(),
        IpAddr::V6(host) => host.is_multicast(),
    };
    is_hold(address) || (!many && address.port() >= FIRST_USER_PORT)
}

/// An address that stands for none: nothing is to be sent.
fn is_hold(address: SocketAddr) -> bool {
    address.ip().is_unspecified() || address.port() == 0
}

/// The far side's RTCP port, where it names one (RFC 3605).
fn rtcp(agreement: &Agreement, theirs: &Session) -> Option<SocketAddr> {
    let value = theirs.media.get(agreement.index)?.attributes("rtcp").next()?;
    let port = value.split_ascii_whitespace().next()?.parse().ok()?;
    Some(SocketAddr::new(agreement.remote.ip(), port))
}

fn description(session: &Session) -> Description {
    Description(session.to_bytes().into())
}

/// Ports below are those of services, not of calls.
const FIRST_USER_PORT: u16 = 1024;

/// How long the node goes on sending when nothing comes back from a phone that has shown its secret: it
/// may be behind something that lets no sound out, and its keys come in signalling.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same for one that has not.
const SHORT_PATIENCE: Duration = Duration::from_secs(5);

/// Payload types that we offer for what has no fixed one.
const EVENT_PAYLOAD: u8 = 101;
const L16_PAYLOAD: u8 = 97;
