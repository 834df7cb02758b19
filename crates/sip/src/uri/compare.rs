//! When two SIP URIs are the same (RFC 3261 section 19.1.4).

use std::borrow::Cow;

use super::sip::SipUri;
use crate::text;

/// Compares by the rules of the RFC: user with case, host without, some parameters must stand in
/// both or neither, others only conflict, headers always count.
pub(super) fn matches(one: &SipUri, two: &SipUri) -> bool {
    one.secure == two.secure
        && same(one.raw_user(), two.raw_user())
        && same(one.password(), two.password())
        && one.at == two.at
        && params_match(one, two)
        && params_match(two, one)
        && headers_match(one, two)
        && headers_match(two, one)
}

fn same(one: Option<&str>, two: Option<&str>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => one == two || unescape(one) == unescape(two),
        (None, None) => true,
        _ => false,
    }
}

fn params_match(one: &SipUri, two: &SipUri) -> bool {
    one.params.iter().all(|(name, value)| match two.params.value(name) {
        Some(other) => unescape(value.unwrap_or_default()).eq_ignore_ascii_case(&unescape(other)),
        None => !MUST_STAND_IN_BOTH.iter().any(|must| must.eq_ignore_ascii_case(name)),
    })
}

fn headers_match(one: &SipUri, two: &SipUri) -> bool {
    one.headers().all(|(name, value)| {
        two.headers().any(|(other, theirs)| {
            unescape(name).eq_ignore_ascii_case(&unescape(other))
                && unescape(value) == unescape(theirs)
        })
    })
}

fn unescape(text: &str) -> Cow<'_, str> {
    text::unescape(text)
}

const MUST_STAND_IN_BOTH: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

#[cfg(test)]
mod tests {
    use crate::uri::Uri;

    fn matches(one: &str, two: &str) -> bool {
        let (one, two) = (Uri::parse(one).unwrap(), Uri::parse(two).unwrap());
        assert_eq!(one.matches(&two), two.matches(&one), "must be symmetric");
        one.matches(&two)
    }

    /// The equivalent pairs of section 19.1.4.
    #[test]
    fn equivalent_uris_of_the_rfc() {
        for (one, two) in [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
        ] {
            assert!(matches(one, two), "{one} {two}");
        }
    }

    /// The pairs of section 19.1.4 that are not equivalent.
    #[test]
    fn different_uris_of_the_rfc() {
        for (one, two) in [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:a@b", "sips:a@b"),
            ("sip:a@b", "sip:b"),
        ] {
            assert!(!matches(one, two), "{one} {two}");
        }
    }
}
