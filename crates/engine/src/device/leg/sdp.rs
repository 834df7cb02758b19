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
    fn keys_in_the_audio_are_looked_for_in_the_audio() {
        let event = "a=rtpmap:101 Telephone-Event/8000\r\n";
        let with = |media: &str| description(&format!("{HEAD}{media}"));
        assert!(has_telephone_events(&with(&format!("m=audio 1 RTP/AVP 0 101\r\n{event}"))));
        assert!(!has_telephone_events(&with(&format!("m=audio 1 RTP/AVP 0\r\n{event}"))));
        assert!(!has_telephone_events(&with(&format!("m=audio 0 RTP/AVP 101\r\n{event}"))));
    }
}
