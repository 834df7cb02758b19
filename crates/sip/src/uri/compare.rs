//! When two SIP URIs are the same (RFC 3261 section 19.1.4).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

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
        && (one.headers().eq(two.headers()) || headers(one) == headers(two))
}

fn same(one: Option<&str>, two: Option<&str>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => one == two || unescape(one) == unescape(two),
        (None, None) => true,
        _ => false,
    }
}

fn params_match(one: &SipUri, two: &SipUri) -> bool {
    if one.params == two.params {
        return true;
    }
    let (one, two) = (params(one), params(two));
    let must = |name: &String| MUST_STAND_IN_BOTH.contains(&&**name);
    one.iter().all(|(name, value)| two.get(name).map_or(!must(name), |other| other == value))
        && two.keys().all(|name| one.contains_key(name) || !must(name))
}

/// By name, so that each is found at once: a stranger may send many.
fn params(uri: &SipUri) -> BTreeMap<String, String> {
    let lower = |text: &str| text.to_ascii_lowercase();
    let params = uri.params.iter();
    params.map(|(name, value)| (lower(name), lower(&unescape(value.unwrap_or_default())))).collect()
}

fn headers(uri: &SipUri) -> BTreeSet<(String, Cow<'_, str>)> {
    let headers = uri.headers();
    headers.map(|(name, value)| (unescape(name).to_ascii_lowercase(), unescape(value))).collect()
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

    /// What a stranger compares is bounded, however it is ordered.
    #[test]
    fn a_uri_has_few_headers_and_their_order_says_nothing() {
        let uri = |names: &[String]| format!("sip:a@b?{}", names.join("&"));
        let mut names: Vec<String> = (0..64).map(|n| format!("h{n}={n}")).collect();
        let one = uri(&names);
        names.reverse();
        assert!(matches(&one, &uri(&names)));
        names[0] = "h63=0".into();
        assert!(!matches(&one, &uri(&names)));
        names.push("x=1".into());
        assert!(Uri::parse(&uri(&names)).is_err(), "more than 64");
    }
}
