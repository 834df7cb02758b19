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

/// The description without what tells whose it is: the user of its origin, and names and addresses of
/// people (RFC 3323 section 4.1.1).
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
            line => rest.extend_from_slice(line),
        }
    }
    Description(rest.into())
}

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
    fn keys_in_the_audio_are_looked_for_in_the_audio() {
        let event = "a=rtpmap:101 Telephone-Event/8000\r\n";
        let with = |media: &str| description(&format!("{HEAD}{media}"));
        assert!(has_telephone_events(&with(&format!("m=audio 1 RTP/AVP 0 101\r\n{event}"))));
        assert!(!has_telephone_events(&with(&format!("m=audio 1 RTP/AVP 0\r\n{event}"))));
        assert!(!has_telephone_events(&with(&format!("m=audio 0 RTP/AVP 101\r\n{event}"))));
    }
}
