//! Header names, long and compact.

use core::fmt;

use serde::{Deserialize, Serialize};

macro_rules! header_names {
    ($($id:ident $text:literal $(/ $compact:literal)?,)*) => {
        /// The header fields that have a name here; any other one is `Other`.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[non_exhaustive]
        pub enum HeaderName {
            $(#[doc = concat!("`", $text, "`.")] $id,)*
            /// A header this crate has no name for; look it up by its text.
            Other,
        }

        impl HeaderName {
            /// All names.
            pub const KNOWN: &'static [HeaderName] = &[$(HeaderName::$id),*];

            /// The name as it is printed; empty for `Other`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$id => $text,)*
                    Self::Other => "",
                }
            }

            /// The one-letter form, where there is one.
            #[must_use]
            pub const fn compact(self) -> Option<char> {
                match self {
                    $($(Self::$id => Some($compact),)?)*
                    _ => None,
                }
            }
        }
    };
}

header_names! {
    Accept "Accept",
    AcceptEncoding "Accept-Encoding",
    AcceptLanguage "Accept-Language",
    AlertInfo "Alert-Info",
    Allow "Allow",
    AllowEvents "Allow-Events" / 'u',
    AuthenticationInfo "Authentication-Info",
    Authorization "Authorization",
    CallId "Call-ID" / 'i',
    CallInfo "Call-Info",
    Contact "Contact" / 'm',
    ContentDisposition "Content-Disposition",
    ContentEncoding "Content-Encoding" / 'e',
    ContentLanguage "Content-Language",
    ContentLength "Content-Length" / 'l',
    ContentType "Content-Type" / 'c',
    CSeq "CSeq",
    Date "Date",
    Diversion "Diversion",
    ErrorInfo "Error-Info",
    Event "Event" / 'o',
    Expires "Expires",
    From "From" / 'f',
    HistoryInfo "History-Info",
    InReplyTo "In-Reply-To",
    Join "Join",
    MaxForwards "Max-Forwards",
    MimeVersion "MIME-Version",
    MinExpires "Min-Expires",
    MinSe "Min-SE",
    Organization "Organization",
    PAssertedIdentity "P-Asserted-Identity",
    PPreferredIdentity "P-Preferred-Identity",
    Path "Path",
    Priority "Priority",
    Privacy "Privacy",
    ProxyAuthenticate "Proxy-Authenticate",
    ProxyAuthorization "Proxy-Authorization",
    ProxyRequire "Proxy-Require",
    RAck "RAck",
    Reason "Reason",
    RecordRoute "Record-Route",
    ReferSub "Refer-Sub",
    ReferTo "Refer-To" / 'r',
    ReferredBy "Referred-By" / 'b',
    RemotePartyId "Remote-Party-ID",
    Replaces "Replaces",
    ReplyTo "Reply-To",
    Require "Require",
    RetryAfter "Retry-After",
    Route "Route",
    RSeq "RSeq",
    Server "Server",
    ServiceRoute "Service-Route",
    SessionExpires "Session-Expires" / 'x',
    SipETag "SIP-ETag",
    SipIfMatch "SIP-If-Match",
    Subject "Subject" / 's',
    SubscriptionState "Subscription-State",
    Supported "Supported" / 'k',
    Timestamp "Timestamp",
    To "To" / 't',
    Unsupported "Unsupported",
    UserAgent "User-Agent",
    Via "Via" / 'v',
    Warning "Warning",
    WwwAuthenticate "WWW-Authenticate",
}

impl HeaderName {
    /// Recognises a name in either form, without case.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let bytes = text.as_bytes();
        if let [letter] = bytes {
            return COMPACT[usize::from(letter.to_ascii_lowercase() & 127)];
        }
        let Some(&(from, to)) = BY_LENGTH.spans.get(bytes.len()) else { return Self::Other };
        // Most differ in their first letter already.
        let first = bytes.first().map(u8::to_ascii_lowercase);
        BY_LENGTH.names[usize::from(from)..usize::from(to)]
            .iter()
            .filter(|(_, name)| {
                name.bytes().next().map(|letter| letter.to_ascii_lowercase()) == first
            })
            .find(|(_, name)| name.as_bytes().eq_ignore_ascii_case(bytes))
            .map_or(Self::Other, |(header, _)| *header)
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const LONGEST: usize = 24;

/// The names in order of their length.
struct ByLength {
    names: [(HeaderName, &'static str); HeaderName::KNOWN.len()],
    /// For each length where its names begin and end.
    spans: [(u8, u8); LONGEST],
}

static BY_LENGTH: ByLength = {
    let mut names = [(HeaderName::Other, ""); HeaderName::KNOWN.len()];
    let mut spans = [(0, 0); LONGEST];
    let (mut filled, mut length) = (0, 0);
    while length < LONGEST {
        spans[length].0 = filled as u8;
        let mut at = 0;
        while at < HeaderName::KNOWN.len() {
            if HeaderName::KNOWN[at].as_str().len() == length {
                names[filled] = (HeaderName::KNOWN[at], HeaderName::KNOWN[at].as_str());
                filled += 1;
            }
            at += 1;
        }
        spans[length].1 = filled as u8;
        length += 1;
    }
    ByLength { names, spans }
};

static COMPACT: [HeaderName; 128] = {
    let mut table = [HeaderName::Other; 128];
    let mut at = 0;
    while at < HeaderName::KNOWN.len() {
        if let Some(letter) = HeaderName::KNOWN[at].compact() {
            table[letter as usize] = HeaderName::KNOWN[at];
        }
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case_and_form() {
        for &name in HeaderName::KNOWN {
            assert_eq!(HeaderName::parse(name.as_str()), name);
            assert_eq!(HeaderName::parse(&name.as_str().to_uppercase()), name);
            if let Some(letter) = name.compact() {
                assert_eq!(HeaderName::parse(&letter.to_string()), name);
                assert_eq!(HeaderName::parse(&letter.to_uppercase().to_string()), name);
            }
        }
    }

    #[test]
    fn anything_else_is_other() {
        for text in ["", "q", "X-Unknown", "Vias", "é", &"x".repeat(100)] {
            assert_eq!(HeaderName::parse(text), HeaderName::Other);
        }
    }
}
