//! What the device layer reads of a session description. Everything else passes through unread.

use jackfield_sip::header::ContentType;
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
    let part = parts.iter().find(|part| part.header("Content-Type").is_some_and(is_sdp))?;
    Some(Description(part.body.into()))
}

/// Does the description put the far side on hold: nothing is to be sent to its sender?
pub(super) fn holds(description: &Description) -> bool {
    let text = String::from_utf8_lossy(&description.0);
    let mut lines = text.lines().map(str::trim_end);
    lines.any(|line| matches!(line, "a=sendonly" | "a=inactive" | "c=IN IP4 0.0.0.0"))
}

/// Does the description offer keys in the audio stream (RFC 4733)?
pub(super) fn has_telephone_events(description: &Description) -> bool {
    String::from_utf8_lossy(&description.0).to_ascii_lowercase().contains("telephone-event/")
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

    #[test]
    fn hold_is_seen_in_both_its_forms() {
        assert!(holds(&description("v=0\r\nm=audio 1 RTP/AVP 0\r\na=sendonly\r\n")));
        assert!(holds(&description("v=0\r\nc=IN IP4 0.0.0.0\r\n")));
        assert!(!holds(&description("v=0\r\nc=IN IP4 10.0.0.1\r\na=sendrecv\r\n")));
    }
}
