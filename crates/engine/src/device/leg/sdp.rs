//! What the device layer reads of a session description. Everything else passes through unread.

use jackfield_sip::header::ContentType;
use jackfield_sip::sdp::{Codec, Session};
use jackfield_sip::{HeaderName, Message, parts};

use crate::leg::Description;

/// The session description in a message, also as one part of several.
pub(super) fn of(message: &Message) -> Option<Description> {
    if message.body().is_empty() {
        return None;
    }
    let kind = message.first(HeaderName::ContentType)?;
    if is_sdp(kind) {
        return Some(Description(message.shared_body()));
    }
    let kind = message.typed::<ContentType>().ok()?;
    let parts = parts(&kind, message.body()).ok()?;
    let early = |disposition: &str| disposition.to_ascii_lowercase().starts_with("early-session");
    // A description of early media alone is none of the session's (RFC 3959).
    let part = parts.iter().find(|part| {
        part.header("Content-Type").is_some_and(is_sdp)
            && !part.header("Content-Disposition").is_some_and(early)
    })?;
    Some(Description(part.body.into()))
}

/// The description in a message as the other side may see it.
pub(super) fn shown(message: &Message, private: bool) -> Option<Description> {
    let description = of(message)?;
    Some(if private { without_user(&description) } else { description })
}

/// Does the description put the far side on hold: is nothing to be sent to its sender?
pub(super) fn holds(description: &Description) -> bool {
    Session::parse(&description.0).is_ok_and(|session| session.holds_audio())
}

/// Does the description offer keys in the audio stream (RFC 4733)?
pub(super) fn has_telephone_events(description: &Description) -> bool {
    let session = Session::parse(&description.0);
    session.is_ok_and(|session| {
        session.audio().any(|media| media.codecs().iter().any(Codec::is_event))
    })
}

/// The description without what tells whose it is: the user of its origin, names and addresses of
/// people, and attributes that name them or their phone (RFC 3323 section 4.1.1).
fn without_user(description: &Description) -> Description {
    let mut rest = Vec::with_capacity(description.0.len());
    for line in description.0.split_inclusive(|byte| *byte == b'\n') {
        match line {
            [b'o', b'=', origin @ ..] => {
                let user = origin.iter().position(|byte| *byte == b' ').unwrap_or_default();
                rest.extend_from_slice(b"o=-");
                rest.extend_from_slice(&origin[user..]);
            }
            [b's', b'=', ..] => rest.extend_from_slice(b"s=-\r\n"),
            [b'i' | b'u' | b'e' | b'p', b'=', ..] => {}
            [b'a', b'=', attribute @ ..] if is_of_user(attribute) => {}
            line => rest.extend_from_slice(line),
        }
    }
    Description(rest.into())
}

/// Whether an attribute names somebody, or describes a session or a source in words of its own.
fn is_of_user(attribute: &[u8]) -> bool {
    let word = |text: &[u8]| {
        let end = text.iter().position(|byte| matches!(byte, b':' | b' ' | b'\r' | b'\n'));
        String::from_utf8_lossy(&text[..end.unwrap_or(text.len())]).to_ascii_lowercase()
    };
    let name = word(attribute);
    if name != "ssrc" {
        return NAMING.contains(&&*name);
    }
    // `ssrc:<number> <attribute>:<value>` (RFC 5576 section 4.1).
    let of_source = attribute.splitn(2, |byte| *byte == b' ').nth(1).unwrap_or_default();
    !SOURCE_KEPT.contains(&&*word(of_source.trim_ascii_start()))
}

/// Attributes that say whose a session is: RFC 8866 section 6, RFC 8827 section 5.6.4, RFC 4574,
/// RFC 8830. A canonical name is user@host (RFC 3550 section 6.5.1).
const NAMING: [&str; 7] = ["tool", "keywds", "cat", "identity", "cname", "label", "msid"];

/// What may be told of one source: its format, and which it was before (RFC 5576 section 6).
const SOURCE_KEPT: [&str; 2] = ["fmtp", "previous-ssrc"];

fn is_sdp(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(SDP)
}

/// The type of a session description.
pub(super) const SDP: &str = "application/sdp";

#[cfg(test)]
mod tests {
    use super::*;

    fn description(text: &str) -> Description {
        Description(text.as_bytes().into())
    }

    const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n";

    #[test]
    fn the_audio_that_goes_on_says_whether_it_is_hold() {
        let with = |media: &str| description(&format!("{HEAD}{media}"));
        assert!(holds(&with("m=audio 1 RTP/AVP 0\r\na=sendonly\r\n")));
        assert!(!holds(&with("m=audio 1 RTP/AVP 0\r\nm=video 2 RTP/AVP 96\r\na=inactive\r\n")));
        assert!(!holds(&with("m=audio 1 RTP/AVP 0\r\na=sendrecv\r\n")));
        assert!(!holds(&description("no description at all")));
    }

    #[test]
    fn a_description_without_its_user_is_the_same_otherwise() {
        let media = "m=audio 1 RTP/AVP 0\r\n";
        let text = HEAD.replace("o=-", "o=2001").replace("s=-", "s=Call of 2001");
        let text = format!("{text}{media}i=of 2001\r\na=sendrecv\r\n");
        let text = text.replace("t=0 0", "u=http://h/2001\r\ne=a@b\r\np=+1 2001\r\nt=0 0");
        let plain = without_user(&description(&text));
        assert_eq!(plain, description(&format!("{HEAD}{media}a=sendrecv\r\n")));
    }

    #[test]
    fn attributes_that_name_the_user_are_left_out() {
        let media = "m=audio 1 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ssrc:1 fmtp:0 x=1\r\n\
            a=ssrc:1 previous-ssrc:2\r\na=ssrc-group:FID 1 2\r\na=sendrecv\r\n";
        for naming in [
            "a=ssrc:1 cname:alice@10.0.0.1\r\n",
            "a=ssrc:1  CNAME:alice\r\n",
            "a=ssrc:1 label:alice\r\n",
            "a=ssrc:1 msid:alice video\n",
            "a=ssrc:1\r\n",
            "a=tool:Alice's phone 1.0\r\n",
            "a=Tool:alice\n",
            "a=keywds:alice\r\n",
            "a=cat:alice.private\r\n",
            "a=identity:YWxpY2U=\r\n",
            "a=label:alice\r\n",
            "a=msid:alice\r\n",
        ] {
            let told = description(&format!("{HEAD}{naming}{media}{naming}"));
            assert_eq!(without_user(&told), description(&format!("{HEAD}{media}")), "{naming}");
        }
    }

    #[test]
    fn keys_in_the_audio_are_looked_for_in_the_audio() {
        let event = "a=rtpmap:101 Telephone-Event/8000\r\n";
        let with = |media: &str| description(&format!("{HEAD}{media}"));
        assert!(has_telephone_events(&with(&format!("m=audio 1 RTP/AVP 0 101\r\n{event}"))));
        assert!(!has_telephone_events(&with(&format!("m=audio 1 RTP/AVP 0\r\n{event}"))));
        assert!(!has_telephone_events(&with(&format!("m=audio 0 RTP/AVP 101\r\n{event}"))));
    }
}
