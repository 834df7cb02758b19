//! Typed headers: one header, one type, one file with parse, print and tests.
//!
//! A typed header is made when somebody asks for it, with
//! [`Message::typed`](crate::Message::typed) and its neighbours; it owns its text and prints
//! itself with `Display`.

use core::fmt;

use thiserror::Error;

#[macro_use]
mod family;
mod accept;
mod alert_info;
mod allow;
mod authorization;
pub(crate) mod call_id;
mod call_info;
mod contact;
mod content_length;
mod content_type;
mod cseq;
mod date;
mod diversion;
mod event;
mod expires;
mod from;
mod max_forwards;
mod min_expires;
mod min_se;
mod name;
mod name_addr;
mod p_asserted_identity;
mod rack;
mod reason;
mod record_route;
mod refer_to;
mod referred_by;
mod remote_party_id;
mod replaces;
mod require;
mod retry_after;
mod route;
mod rseq;
mod server;
mod session_expires;
mod subscription_state;
mod supported;
mod to;
mod unsupported;
mod user_agent;
pub(crate) mod via;
mod warning;
mod www_authenticate;

pub use accept::Accept;
pub use alert_info::AlertInfo;
pub use allow::Allow;
pub use authorization::{Authorization, ProxyAuthorization};
pub use call_id::CallId;
pub use call_info::CallInfo;
pub use contact::{Contact, ContactAddress};
pub use content_length::ContentLength;
pub use content_type::ContentType;
pub use cseq::CSeq;
pub use date::Date;
pub use diversion::Diversion;
pub use event::Event;
pub use expires::Expires;
pub use from::From;
pub use max_forwards::MaxForwards;
pub use min_expires::MinExpires;
pub use min_se::MinSe;
pub use name::HeaderName;
pub use name_addr::NameAddr;
pub use p_asserted_identity::PAssertedIdentity;
pub use rack::RAck;
pub use reason::Reason;
pub use record_route::RecordRoute;
pub use refer_to::ReferTo;
pub use referred_by::ReferredBy;
pub use remote_party_id::RemotePartyId;
pub use replaces::Replaces;
pub use require::{ProxyRequire, Require};
pub use retry_after::RetryAfter;
pub use route::Route;
pub use rseq::RSeq;
pub use server::Server;
pub use session_expires::{Refresher, SessionExpires};
pub use subscription_state::{SubscriptionState, SubscriptionStatus};
pub use supported::Supported;
pub use to::To;
pub use unsupported::Unsupported;
pub use user_agent::UserAgent;
pub use via::{Via, ViaTransport};
pub use warning::Warning;
pub use www_authenticate::{ProxyAuthenticate, WwwAuthenticate};

/// A header that can be read from its value and printed as its value.
pub trait Header: Sized + fmt::Display {
    /// The name of the header.
    const NAME: HeaderName;

    /// Can a line hold several of it, separated by commas? Then this type is one element.
    const LIST: bool = false;

    /// Reads one value (or one element of a list).
    fn parse(value: &str) -> Result<Self, HeaderFault>;
}

/// Why a header value could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HeaderFault {
    /// The header is not there.
    #[error("missing")]
    Missing,
    /// The header stands more often than it may.
    #[error("repeated")]
    Repeated,
    /// A number has other characters than digits or is out of range.
    #[error("not a number in range")]
    Number,
    /// A parameter is broken, or there are too many.
    #[error("broken parameter")]
    Parameter,
    /// A host or port is broken.
    #[error("broken host")]
    Host,
    /// A URI is broken.
    #[error("broken URI")]
    Uri,
    /// A name and address are broken.
    #[error("broken address")]
    Address,
    /// A date is broken or not in GMT.
    #[error("broken date")]
    Date,
    /// The value does not have the form of this header.
    #[error("broken value")]
    Syntax,
    /// A list has more elements than the limit.
    #[error("too many elements")]
    TooMany,
}
