//! What a phone's file tells it, whatever the file looks like. Unknown parts of a file are passed
//! over, as phones do; a file that is none at all is a fault.

mod enterprise;
mod multiplatform;
mod plain;

use std::time::Duration;

use thiserror::Error;

use crate::settings::Transport;

pub(crate) use enterprise::{read_default, read_enterprise};
pub(crate) use multiplatform::{Macros, read_multiplatform};
pub(crate) use plain::read_plain;

/// What a phone learned from its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Its lines in the order of their buttons.
    pub lines: Vec<LineProfile>,
    /// Speed dials.
    pub speed_dials: Vec<SpeedDial>,
    /// Phone services.
    pub services: Vec<PhoneService>,
    /// Servers to register with, the preferred one first.
    pub servers: Vec<ServerAddress>,
    /// How SIP is to be carried, where the file says it.
    pub transport: Option<Transport>,
    /// How long a registration shall last.
    pub register_expires: Option<Duration>,
    /// Payload type of telephone-event.
    pub event_payload_type: Option<u8>,
    /// The file's version stamp.
    pub version_stamp: Box<str>,
    /// Language of the display, such as `ja-JP`.
    pub locale: Box<str>,
    /// URL of the services button.
    pub services_url: Box<str>,
    /// URL of the page that shows when nobody touches the phone.
    pub idle_url: Box<str>,
    /// Another file to fetch instead or besides (`Profile_Rule`).
    pub rules: Vec<Box<str>>,
}

/// One line of a phone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct LineProfile {
    /// Which button.
    pub index: u32,
    /// The number, which is the user of its address.
    pub number: Box<str>,
    /// The name others see.
    pub display_name: Box<str>,
    /// The text beside the button.
    pub label: Box<str>,
    /// User of digest authentication.
    pub auth_name: Box<str>,
    /// Password of digest authentication.
    pub auth_password: Box<str>,
    /// The server of this line, when it has its own.
    pub server: Option<ServerAddress>,
}

/// Secrets stay out of logs.
impl core::fmt::Debug for LineProfile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LineProfile")
            .field("index", &self.index)
            .field("number", &self.number)
            .field("auth_name", &self.auth_name)
            .field("has_password", &!self.auth_password.is_empty())
            .finish_non_exhaustive()
    }
}

/// Where a server is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerAddress {
    /// Name or address.
    pub host: Box<str>,
    /// Port, when one was named.
    pub port: Option<u16>,
}

impl ServerAddress {
    /// Reads `host`, `host:port` or `[address]:port`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("sip:").unwrap_or(text);
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(port.parse().ok()?))
            }
            _ => (text, None),
        };
        let host = host.trim_matches(['[', ']']);
        let fine = !host.is_empty()
            && host.len() <= 253
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:".contains(&b));
        fine.then(|| Self { host: host.into(), port })
    }
}

/// A button that dials a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpeedDial {
    /// What stands beside it.
    pub label: Box<str>,
    /// What it dials.
    pub number: Box<str>,
}

/// A phone service of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneService {
    /// Its name.
    pub name: Box<str>,
    /// Where its page is.
    pub url: Box<str>,
}

/// Why a file could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProfileError {
    /// The file is larger than a phone takes.
    #[error("the file is larger than {LARGEST} bytes")]
    Large,
    /// The file is no text.
    #[error("the file is no UTF-8 text")]
    Text,
    /// The file is no XML.
    #[error("the file is no XML: {0}")]
    Xml(String),
    /// The outermost element is another one.
    #[error("the file begins with <{0}>")]
    Root(String),
    /// A plain file has a line that says nothing.
    #[error("line {0} has no `=`")]
    Line(usize),
}

/// A parsed XML file with the limits of a phone.
fn document(text: &str) -> Result<roxmltree::Document<'_>, ProfileError> {
    let options =
        roxmltree::ParsingOptions { allow_dtd: false, nodes_limit: NODES, ..Default::default() };
    roxmltree::Document::parse_with_options(text, options)
        .map_err(|error| ProfileError::Xml(error.to_string()))
}

/// The file as text, within the limits of a phone.
fn text(file: &[u8]) -> Result<&str, ProfileError> {
    if file.len() > LARGEST {
        return Err(ProfileError::Large);
    }
    let text = core::str::from_utf8(file).map_err(|_| ProfileError::Text)?;
    Ok(text.trim_start_matches('\u{feff}'))
}

/// The child of this name, without case.
fn child<'a, 'i>(node: roxmltree::Node<'a, 'i>, name: &str) -> Option<roxmltree::Node<'a, 'i>> {
    node.children().find(|child| child.tag_name().name().eq_ignore_ascii_case(name))
}

/// The trimmed text of the child of this name; empty when there is none.
fn child_text<'a>(node: roxmltree::Node<'a, '_>, name: &str) -> &'a str {
    child(node, name).and_then(|child| child.text()).unwrap_or_default().trim()
}

/// The descendant at the end of this path of names.
fn descend<'a, 'i>(
    node: roxmltree::Node<'a, 'i>,
    path: &[&str],
) -> Option<roxmltree::Node<'a, 'i>> {
    path.iter().try_fold(node, |node, name| child(node, name))
}

const LARGEST: usize = 1 << 20;
const NODES: u32 = 100_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn servers_are_read_with_and_without_port() {
        let server = ServerAddress::parse(" sip:10.0.0.1:5070 ").unwrap();
        assert_eq!((&*server.host, server.port), ("10.0.0.1", Some(5070)));
        assert_eq!(&*ServerAddress::parse("[::1]:5060").unwrap().host, "::1");
        assert_eq!(ServerAddress::parse("pbx.example").unwrap().port, None);
        for bad in ["", "a b", "a:x", "sip:", "a\r\nb"] {
            assert_eq!(ServerAddress::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_password_is_not_in_the_debug_form() {
        let line = LineProfile { auth_password: "topsecret".into(), ..Default::default() };
        assert!(!format!("{line:?}").contains("topsecret"));
    }

    proptest! {
        #[test]
        fn no_file_makes_a_reader_fall(file in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read_enterprise(&file);
            let _ = read_default(&file);
            let _ = read_multiplatform(&file);
            let _ = read_plain(&file);
        }

        #[test]
        fn no_nesting_makes_a_reader_fall(depth in 1usize..20_000) {
            let file = format!("<device>{}", "<devicePool>".repeat(depth));
            prop_assert!(read_enterprise(file.as_bytes()).is_err());
            prop_assert!(read_multiplatform(file.as_bytes()).is_err());
        }

        #[test]
        fn no_mutation_makes_a_reader_fall(at in 0usize..600, byte in any::<u8>()) {
            let mut file = enterprise::tests::FILE.as_bytes().to_vec();
            let at = at % file.len();
            file[at] = byte;
            let _ = read_enterprise(&file);
        }
    }
}
