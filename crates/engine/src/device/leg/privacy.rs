//! What a party wants withheld of itself: `Privacy` (RFC 3323, RFC 3325), the older `Remote-Party-ID`,
//! and a From that names nobody.

use jackfield_sip::header::{NameAddr, RemotePartyId};
use jackfield_sip::{Header, HeaderName, Message};

use crate::leg::Withheld;

/// What the sender of a request or an answer wants the other side not to be shown.
pub(super) fn wanted(message: &Message) -> Withheld {
    let found = message.check().ok().filter(|_| message.is_request());
    if found.is_some_and(|found| is_anonymous(&found.from)) || tokens(message).any(is_hiding) {
        return Withheld::ALL;
    }
    if tokens(message).any(|token| token.eq_ignore_ascii_case("none")) {
        return Withheld::NOTHING;
    }
    let parties = message.elements(HeaderName::RemotePartyId);
    parties.map(of_party).fold(Withheld::NOTHING, Withheld::or)
}

/// Privacy without which the sender does not want its call (`critical`) and that can't be given. Media go
/// directly from phone to phone, so that each sees the other's address.
pub(super) fn is_out_of_reach(message: &Message) -> bool {
    let critical = tokens(message).any(|token| token.eq_ignore_ascii_case("critical"));
    critical
        && tokens(message).any(|token| !KEPT.iter().any(|kept| token.eq_ignore_ascii_case(kept)))
}

fn tokens(message: &Message) -> impl Iterator<Item = &str> {
    let values = message.all(HeaderName::Privacy).flat_map(|line| line.split([';', ',']));
    values.map(str::trim).filter(|token| !token.is_empty())
}

fn is_hiding(token: &str) -> bool {
    HIDING.iter().any(|hiding| token.eq_ignore_ascii_case(hiding))
}

/// RFC 3323 section 4.1.1.3, in whatever spelling.
fn is_anonymous(from: &NameAddr) -> bool {
    let says = |text: &str| text.trim().eq_ignore_ascii_case("anonymous");
    let host = from.uri.host().map(ToString::to_string).unwrap_or_default();
    says(&from.display())
        || from.user().is_some_and(|user| says(&user))
        || host.eq_ignore_ascii_case("anonymous.invalid")
}

/// `privacy` of a Remote-Party-ID: `full`, `name`, `uri` or `off`, each perhaps with `-network`
/// (draft-ietf-sip-privacy-04).
fn of_party(value: &str) -> Withheld {
    let Ok(party) = RemotePartyId::parse(value) else { return Withheld::NOTHING };
    let wishes = party.params.text("privacy").unwrap_or_default();
    let wishes =
        wishes.split(',').filter_map(|wish| wish.split('-').next()).map(|wish| {
            match wish.trim().to_ascii_lowercase().as_str() {
                "full" => Withheld::ALL,
                "name" => Withheld { name: true, number: false },
                "uri" => Withheld { name: false, number: true },
                _ => Withheld::NOTHING,
            }
        });
    wishes.fold(Withheld::NOTHING, Withheld::or)
}

/// Kinds of privacy with which the party itself is not to be shown.
const HIDING: [&str; 4] = ["id", "user", "header", "session"];
/// Kinds that are given: nothing of a phone's headers reaches another phone, and no history is told.
const KEPT: [&str; 6] = ["id", "user", "header", "history", "none", "critical"];

#[cfg(test)]
mod tests {
    use super::*;

    fn invite(lines: &str) -> Message {
        let from = if lines.contains("From: ") { "" } else { "From: <sip:2001@h>;tag=a\r\n" };
        let others = "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nTo: <sip:2002@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE";
        let text = format!("INVITE sip:2002@h SIP/2.0\r\n{others}\r\n{from}{lines}\r\n\r\n");
        Message::parse_datagram(text.as_bytes()).unwrap()
    }

    #[test]
    fn every_form_is_read() {
        for all in [
            "Privacy: id",
            "Privacy: USER",
            "Privacy: header;user",
            "Privacy: none\r\nPrivacy: id",
            "privacy : critical ; id",
            "Privacy: session",
            "Remote-Party-ID: <sip:2001@h>;party=calling;privacy=full",
            "Remote-Party-ID: \"A\" <sip:2001@h>;Privacy=\"Full\";screen=no",
            "Remote-Party-ID: <sip:2001@h>;privacy=full-network",
            "Remote-Party-ID: <sip:2001@h>;privacy=name,<sip:2001@h>;privacy=uri",
            "From: Anonymous <sip:2001@h>;tag=a",
            "From: \"ANONYMOUS\" <sip:2001@h>;tag=a",
            "From: <sip:Anonymous@h>;tag=a",
            "From: <sip:%61nonymous@h>;tag=a",
            "From: sip:x@Anonymous.Invalid;tag=a",
            "From: <sip:anonymous@h>;tag=a\r\nPrivacy: none",
        ] {
            assert_eq!(wanted(&invite(all)), Withheld::ALL, "{all}");
        }
        let name = invite("Remote-Party-ID: <sip:2001@h>;privacy=name");
        assert_eq!(wanted(&name), Withheld { name: true, number: false });
        for nothing in [
            "Privacy: none",
            "Privacy: critical",
            "Privacy: none\r\nRemote-Party-ID: <sip:2001@h>;privacy=full",
            "Remote-Party-ID: <sip:2001@h>;privacy=off",
            "X: id",
            "From: \"An anonymous donor\" <sip:2001@h>;tag=a",
        ] {
            assert_eq!(wanted(&invite(nothing)), Withheld::NOTHING, "{nothing}");
        }
    }

    #[test]
    fn what_is_critical_is_kept_or_refused() {
        assert!(!is_out_of_reach(&invite("Privacy: user;id;header;critical")));
        assert!(!is_out_of_reach(&invite("Privacy: session")));
        assert!(is_out_of_reach(&invite("Privacy: id\r\nPrivacy: session;Critical")));
        assert!(is_out_of_reach(&invite("Privacy: x-new;critical")));
    }
}
