//! A phone sends a call elsewhere itself: the numbers that it names in an answer of the 3xx class
//! (RFC 3261 sections 8.1.3.4 and 21.3).

use std::net::IpAddr;

use jackfield_sip::header::Contact;
use jackfield_sip::{Flow, Header, HeaderName, Host, Message, Status, Uri};

/// The numbers, the preferred one first; none where the answer names no place that we can call.
pub(super) fn numbers(answer: &Message, flow: &Flow) -> Vec<Box<str>> {
    if answer.status() == Some(Status::USE_PROXY) {
        return Vec::new();
    }
    let contacts = answer.elements(HeaderName::Contact).filter_map(|one| Contact::parse(one).ok());
    let mut contacts: Vec<_> = contacts.filter_map(Contact::into_address).collect();
    contacts.sort_by_key(|contact| core::cmp::Reverse(contact.q()));
    let mut numbers = Vec::new();
    for contact in contacts {
        if let Some(number) = number(&contact.uri, flow)
            && !numbers.contains(&number)
            && numbers.len() < MOST
        {
            numbers.push(number);
        }
    }
    numbers
}

/// The number in an address of ours. A name may stand for us, so it counts; the address of another host
/// does not.
fn number(uri: &Uri, flow: &Flow) -> Option<Box<str>> {
    let number = match uri {
        Uri::Tel(tel) => tel.digits(),
        Uri::Sip(_) => {
            let foreign = |host: IpAddr| {
                let host = host.to_canonical();
                ![flow.local, flow.remote].map(|at| at.ip().to_canonical()).contains(&host)
            };
            if matches!(uri.host(), Some(Host::Address(host)) if foreign(*host)) {
                return None;
            }
            uri.user()?.split(';').next()?.to_owned()
        }
        Uri::Other(_) => return None,
    };
    (!number.is_empty()).then(|| number.into())
}

/// Places that are tried one after the other.
const MOST: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: &str, contacts: &str) -> Vec<Box<str>> {
        let flow = Flow::udp("192.0.2.10:5060".parse().unwrap(), "10.1.0.2:5060".parse().unwrap());
        let text = format!("SIP/2.0 {status} x\r\n{contacts}\r\n");
        numbers(&Message::parse_datagram(text.as_bytes()).unwrap(), &flow)
    }

    #[test]
    fn the_preferred_number_comes_first() {
        let contacts = "Contact: <sip:1@192.0.2.10>;q=0.1, <sip:2@10.1.0.2:5070>;q=0.7\r\n\
            m: <tel:+3-4>;q=0.9\r\nm: <sip:2@pbx.example.com>, <sips:5;phone-context=x@h>;q=0.5\r\n";
        assert_eq!(of("302", contacts), ["2", "+34", "5", "1"].map(Box::from));
        assert_eq!(of("301", "m: <sip:7@192.0.2.10>\r\n"), ["7".into()]);
        let many: String = (0..40).map(|n| format!("m: <sip:{n}@h>\r\n")).collect();
        assert_eq!(of("300", &many).len(), MOST);
    }

    #[test]
    fn what_is_no_number_of_ours_does_not_count() {
        for none in ["", "m: *\r\n", "m: <mailto:a@b>\r\n", "m: <sip:2@203.0.113.9>\r\n"] {
            assert!(of("302", none).is_empty(), "{none}");
        }
        assert!(of("302", "m: <sip:192.0.2.10>\r\n").is_empty(), "nobody there");
        assert!(of("305", "m: <sip:7@192.0.2.10>\r\n").is_empty(), "a proxy is no number");
    }
}
