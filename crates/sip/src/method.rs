//! Request methods.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::text;

macro_rules! methods {
    ($($(#[$doc:meta])* $id:ident $text:literal,)*) => {
        /// A request method; unknown ones are kept as they came (methods are case-sensitive).
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Method {
            $($(#[$doc])* $id,)*
            /// A method this crate has no name for.
            Other(Box<str>),
        }

        impl Method {
            /// The methods that have a name.
            pub const KNOWN: &'static [Method] = &[$(Method::$id),*];

            /// Reads a method; `None` when the text is no token.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$id),)*
                    _ if text::is_token(text) => Some(Self::Other(text.into())),
                    _ => None,
                }
            }

            /// The method as it stands on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$id => $text,)*
                    Self::Other(text) => text,
                }
            }
        }
    };
}

methods! {
    /// Acknowledges the final answer to an INVITE.
    Ack "ACK",
    /// Ends a session.
    Bye "BYE",
    /// Gives up a pending INVITE.
    Cancel "CANCEL",
    /// Carries information inside a session (RFC 6086).
    Info "INFO",
    /// Starts or changes a session.
    Invite "INVITE",
    /// Carries a text (RFC 3428).
    Message "MESSAGE",
    /// Reports an event (RFC 6665).
    Notify "NOTIFY",
    /// Asks for capabilities.
    Options "OPTIONS",
    /// Acknowledges a reliable provisional answer (RFC 3262).
    Prack "PRACK",
    /// Publishes state (RFC 3903).
    Publish "PUBLISH",
    /// Asks the other side to contact somebody (RFC 3515).
    Refer "REFER",
    /// Binds a contact to an address.
    Register "REGISTER",
    /// Asks to be told of events (RFC 6665).
    Subscribe "SUBSCRIBE",
    /// Changes a session that is not yet answered (RFC 3311).
    Update "UPDATE",
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_methods_print_as_they_are_read() {
        for method in Method::KNOWN {
            assert_eq!(Method::parse(method.as_str()).as_ref(), Some(method));
        }
    }

    #[test]
    fn methods_are_case_sensitive_tokens() {
        assert_eq!(Method::parse("invite"), Some(Method::Other("invite".into())));
        assert_eq!(Method::parse("IN VITE"), None);
        assert_eq!(Method::parse(""), None);
    }
}
