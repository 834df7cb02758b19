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
        let Some(first) = bytes.first().filter(|first| first.is_ascii_alphabetic()) else {
            return Self::Other;
        };
        let Some((from, to)) = INDEX.spans[letter(*first)].get(bytes.len()) else {
            return Self::Other;
        };
        INDEX.names[usize::from(*from)..usize::from(*to)]
            .iter()
            // Nearly everybody writes them as the RFC does.
            .find(|(_, name)| *name == text || name.eq_ignore_ascii_case(text))
            .map_or(Self::Other, |(header, _)| *header)
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The place of a letter in the alphabet, from 0.
const fn letter(letter: u8) -> usize {
    (letter.to_ascii_lowercase() - b'a') as usize
}

const LONGEST: usize = 24;

/// The names by first letter and length: few have both in common, and most of them nothing else.
struct ByLetter {
    names: [(HeaderName, &'static str); HeaderName::KNOWN.len()],
    /// For each letter and length where its names begin and end.
    spans: [[(u8, u8); LONGEST]; 26],
}

static INDEX: ByLetter = {
    let mut names = [(HeaderName::Other, ""); HeaderName::KNOWN.len()];
    let mut spans = [[(0, 0); LONGEST]; 26];
    let (mut filled, mut place) = (0, 0);
    while place < 26 * LONGEST {
        let (first, length) = (place / LONGEST, place % LONGEST);
        spans[first][length].0 = filled as u8;
        let mut at = 0;
        while at < HeaderName::KNOWN.len() {
            let name = HeaderName::KNOWN[at].as_str();
            if name.len() == length && letter(name.as_bytes()[0]) == first {
                names[filled] = (HeaderName::KNOWN[at], name);
                filled += 1;
            }
            at += 1;
        }
        spans[first][length].1 = filled as u8;
        place += 1;
    }
    ByLetter { names, spans }
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
