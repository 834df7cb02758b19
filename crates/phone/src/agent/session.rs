//! Offer and answer (RFC 3264) of one audio stream.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use jackfield_vocabulary::{Codec, MediaTarget};

/// What this side says of its audio.
#[derive(Clone, Debug)]
pub(crate) struct LocalSession {
    pub(crate) address: SocketAddr,
    id: u64,
    version: u64,
}

/// What the other side said of its audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteSession {
    pub(crate) address: SocketAddr,
    /// Codecs with their payload types, in the other side's order.
    pub(crate) codecs: Vec<(Codec, u8)>,
    pub(crate) event_payload_type: Option<u8>,
    pub(crate) direction: Direction,
    pub(crate) ptime: u8,
    /// Media lines: ours is the first audio one, the others are refused.
    lines: Vec<String>,
    audio: usize,
}

/// Who sends, from the side of whoever says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Direction {
    #[default]
    Both,
    SendOnly,
    ReceiveOnly,
    Inactive,
}

impl Direction {
    pub(crate) fn new(send: bool, receive: bool) -> Self {
        match (send, receive) {
            (true, true) => Self::Both,
            (true, false) => Self::SendOnly,
            (false, true) => Self::ReceiveOnly,
            (false, false) => Self::Inactive,
        }
    }

    pub(crate) fn sends(self) -> bool {
        matches!(self, Self::Both | Self::SendOnly)
    }

    pub(crate) fn receives(self) -> bool {
        matches!(self, Self::Both | Self::ReceiveOnly)
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Both => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::ReceiveOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Both, Self::SendOnly, Self::ReceiveOnly, Self::Inactive]
            .into_iter()
            .find(|direction| direction.as_str() == text)
    }
}

impl LocalSession {
    pub(crate) fn new(address: SocketAddr, id: u64) -> Self {
        Self { address, id: id >> 16, version: 0 }
    }

    /// An offer of all these codecs.
    pub(crate) fn offer(&mut self, codecs: &[Codec], direction: Direction) -> String {
        let formats: Vec<_> = codecs.iter().map(|codec| (*codec, payload_type(*codec))).collect();
        self.print(&formats, Some(EVENT), direction, &[], 0, 20)
    }

    /// The answer that takes one codec of an offer.
    pub(crate) fn answer(&mut self, target: &MediaTarget, offer: &RemoteSession) -> String {
        let direction = Direction::new(target.send, target.receive);
        let formats = [(target.codec, target.payload_type)];
        let event = target.event_payload_type;
        self.print(&formats, event, direction, &offer.lines, offer.audio, target.ptime)
    }

    fn print(
        &mut self,
        formats: &[(Codec, u8)],
        event: Option<u8>,
        direction: Direction,
        lines: &[String],
        audio: usize,
        ptime: u8,
    ) -> String {
        self.version += 1;
        let (ip, family) = family(self.address.ip());
        let mut text = format!(
            "v=0\r\no=phone {} {} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n",
            self.id, self.version
        );
        for line in &lines[..audio.min(lines.len())] {
            refuse(&mut text, line);
        }
        let numbers: Vec<_> =
            formats.iter().map(|(_, pt)| *pt).chain(event).map(|pt| pt.to_string()).collect();
        let port = self.address.port();
        // Writing into a string can't fail.
        let _ = write!(text, "m=audio {port} RTP/AVP {}\r\n", numbers.join(" "));
        for (codec, pt) in formats {
            let _ = write!(text, "a=rtpmap:{pt} {}\r\n", encoding(*codec));
        }
        if let Some(pt) = event {
            let _ = write!(text, "a=rtpmap:{pt} telephone-event/8000\r\na=fmtp:{pt} 0-15\r\n");
        }
        let _ = write!(text, "a=ptime:{ptime}\r\na={}\r\n", direction.as_str());
        for line in lines.iter().skip(audio + 1) {
            refuse(&mut text, line);
        }
        text
    }
}

impl RemoteSession {
    /// Reads a session description; none when there is no audio in it that we could use.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(body).ok().filter(|text| text.len() <= LARGEST)?;
        let mut reader = Reader::default();
        for line in text.lines().map(str::trim_end).take(LINES) {
            let (kind, value) = line.split_once('=')?;
            reader.line(kind, value);
        }
        reader.finish()
    }

    /// Does the other side want no sound from us?
    pub(crate) fn on_hold(&self) -> bool {
        !self.direction.receives() || self.address.ip().is_unspecified()
    }
}

/// What becomes of an offer, or of the answer to ours: the codec both can, and who sends.
pub(crate) fn accept(remote: &RemoteSession, codecs: &[Codec], held: bool) -> Option<MediaTarget> {
    let (codec, payload_type) =
        remote.codecs.iter().copied().find(|(codec, _)| codecs.contains(codec))?;
    Some(MediaTarget {
        remote: remote.address,
        rtcp: None,
        signalled: None,
        codec,
        payload_type,
        event_payload_type: remote.event_payload_type,
        ptime: remote.ptime,
        send: !remote.on_hold(),
        receive: remote.direction.sends() && !held,
        patience: Duration::MAX,
    })
}

#[derive(Default)]
struct Reader {
    address: Option<IpAddr>,
    lines: Vec<String>,
    audio: Option<Audio>,
    /// Inside the audio we use.
    inside: bool,
    direction: Direction,
}

struct Audio {
    index: usize,
    address: Option<IpAddr>,
    port: u16,
    formats: Vec<(u8, Option<String>)>,
    direction: Option<Direction>,
    ptime: u8,
}

impl Reader {
    fn line(&mut self, kind: &str, value: &str) {
        match kind {
            "m" => self.media(value),
            "c" => {
                let address =
                    value.split(' ').nth(2).and_then(|ip| ip.split('/').next()?.parse().ok());
                match self.audio.as_mut().filter(|_| self.inside) {
                    Some(audio) => audio.address = address,
                    None if self.lines.is_empty() => self.address = address,
                    None => {}
                }
            }
            "a" => self.attribute(value),
            _ => {}
        }
    }

    fn media(&mut self, value: &str) {
        let mut words = value.split(' ').filter(|word| !word.is_empty());
        let audio = words.next() == Some("audio");
        let port = words.next().and_then(|port| port.split('/').next()?.parse().ok());
        let plain = words.next() == Some("RTP/AVP");
        self.inside = audio && plain && self.audio.is_none() && port.is_some_and(|port| port > 0);
        if self.inside {
            self.audio = Some(Audio {
                index: self.lines.len(),
                address: None,
                port: port.unwrap_or_default(),
                formats: words.filter_map(|pt| Some((pt.parse().ok()?, None))).take(64).collect(),
                direction: None,
                ptime: 20,
            });
        }
        self.lines.push(value.to_owned());
    }

    fn attribute(&mut self, value: &str) {
        let inside = self.inside;
        if let Some(direction) = Direction::parse(value) {
            match self.audio.as_mut().filter(|_| inside) {
                Some(audio) => audio.direction = Some(direction),
                None if self.lines.is_empty() => self.direction = direction,
                None => {}
            }
            return;
        }
        let Some(audio) = self.audio.as_mut().filter(|_| inside) else { return };
        let (name, value) = value.split_once(':').unwrap_or((value, ""));
        match name {
            "ptime" => {
                let ptime =
                    value.trim().parse().ok().filter(|p| matches!(p, 10 | 20 | 30 | 40 | 60));
                audio.ptime = ptime.unwrap_or(20);
            }
            "rtpmap" => {
                let Some((pt, name)) = value.split_once(' ') else { return };
                let Ok(pt) = pt.parse::<u8>() else { return };
                if let Some(format) = audio.formats.iter_mut().find(|(number, _)| *number == pt) {
                    format.1 = Some(name.trim().to_ascii_lowercase());
                }
            }
            _ => {}
        }
    }

    fn finish(self) -> Option<RemoteSession> {
        let audio = self.audio?;
        let event = audio.formats.iter().find(|(_, name)| {
            name.as_deref().is_some_and(|name| name.starts_with("telephone-event/8000"))
        });
        Some(RemoteSession {
            address: SocketAddr::new(audio.address.or(self.address)?, audio.port),
            event_payload_type: event.map(|(pt, _)| *pt),
            codecs: audio
                .formats
                .iter()
                .filter_map(|(pt, name)| Some((codec(*pt, name.as_deref())?, *pt)))
                .collect(),
            direction: audio.direction.unwrap_or(self.direction),
            ptime: audio.ptime,
            lines: self.lines,
            audio: audio.index,
        })
    }
}

fn codec(payload_type: u8, name: Option<&str>) -> Option<Codec> {
    let name = name.map(|name| name.trim_end_matches("/1"));
    match (name, payload_type) {
        (Some("pcmu/8000"), _) | (None, 0) => Some(Codec::Pcmu),
        (Some("pcma/8000"), _) | (None, 8) => Some(Codec::Pcma),
        (Some("g722/8000"), _) | (None, 9) => Some(Codec::G722),
        (Some("g729/8000" | "g729a/8000"), _) | (None, 18) => Some(Codec::G729),
        (Some("l16/16000"), _) => Some(Codec::L16),
        _ => None,
    }
}

fn encoding(codec: Codec) -> &'static str {
    match codec {
        Codec::Pcmu => "PCMU/8000",
        Codec::Pcma => "PCMA/8000",
        Codec::G722 => "G722/8000",
        Codec::G729 => "G729/8000",
        Codec::L16 => "L16/16000",
    }
}

fn payload_type(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
        Codec::G722 => 9,
        Codec::G729 => 18,
        Codec::L16 => 118,
    }
}

fn family(ip: IpAddr) -> (IpAddr, &'static str) {
    (ip, if ip.is_ipv4() { "IP4" } else { "IP6" })
}

/// A media line that is refused keeps its kind and formats, with port 0.
fn refuse(text: &mut String, line: &str) {
    let mut words: Vec<_> = line.split(' ').collect();
    if let Some(port) = words.get_mut(1) {
        *port = "0";
    }
    // Writing into a string can't fail.
    let _ = write!(text, "m={}\r\n", words.join(" "));
}

const EVENT: u8 = 101;
const LARGEST: usize = 16 * 1024;
const LINES: usize = 400;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn local() -> LocalSession {
        LocalSession::new("127.0.0.1:4000".parse().unwrap(), 1 << 20)
    }

    #[test]
    fn an_offer_is_read_as_it_was_meant() {
        let offer = local().offer(&[Codec::G722, Codec::Pcmu, Codec::L16], Direction::Both);
        let remote = RemoteSession::parse(offer.as_bytes()).unwrap();
        assert_eq!(remote.codecs, [(Codec::G722, 9), (Codec::Pcmu, 0), (Codec::L16, 118)]);
        assert_eq!(remote.event_payload_type, Some(101));
        let target = accept(&remote, &[Codec::Pcmu, Codec::G722], false).unwrap();
        assert_eq!((target.codec, target.payload_type), (Codec::G722, 9));
        assert!(target.send && target.receive);
        let answer = local().answer(&target, &remote);
        assert_eq!(RemoteSession::parse(answer.as_bytes()).unwrap().codecs, [(Codec::G722, 9)]);
    }

    #[test]
    fn hold_in_every_form() {
        for (connection, attribute, held) in [
            ("10.0.0.1", "sendrecv", false),
            ("10.0.0.1", "sendonly", true),
            ("10.0.0.1", "inactive", true),
            ("0.0.0.0", "sendrecv", true),
        ] {
            let text = format!(
                "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 {connection}\r\nt=0 0\r\n\
                 m=audio 4000 RTP/AVP 0\r\na={attribute}\r\n"
            );
            assert_eq!(RemoteSession::parse(text.as_bytes()).unwrap().on_hold(), held, "{text}");
        }
    }

    #[test]
    fn other_media_are_refused_in_their_place() {
        let text = "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 1.1.1.1\r\nt=0 0\r\n\
                    m=video 5000 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 8 101\r\n\
                    a=rtpmap:101 telephone-event/8000\r\nm=image 6000 udptl t38\r\n";
        let remote = RemoteSession::parse(text.as_bytes()).unwrap();
        let target = accept(&remote, &[Codec::Pcma], false).unwrap();
        let answer = local().answer(&target, &remote);
        let media: Vec<_> = answer.lines().filter(|line| line.starts_with("m=")).collect();
        assert_eq!(
            media,
            ["m=video 0 RTP/AVP 96", "m=audio 4000 RTP/AVP 8 101", "m=image 0 udptl t38"]
        );
    }

    proptest! {
        #[test]
        fn no_description_makes_it_fall(text in "([vocmta]=[a-z0-9 /:.]{0,20}\r\n){0,20}") {
            let _ = RemoteSession::parse(text.as_bytes());
        }
    }
}
