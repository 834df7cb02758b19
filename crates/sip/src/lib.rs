//! SIP and SDP: lazily parsed messages, typed headers, digest, transactions and dialogs, without
//! sockets, clocks or randomness.

pub mod digest;
pub mod header;
pub mod limits;
mod message;
mod method;
mod now;
mod params;
mod status;
mod text;
mod uri;

pub use header::{Header, HeaderFault, HeaderName};
pub use message::{
    Essentials, Fault, Message, ParseError, Part, RequestBuilder, Response, ResponseBuilder,
    StreamEvent, StreamFault, StreamFramer, parts,
};
pub use method::Method;
pub use now::Now;
pub use params::Params;
pub use status::Status;
pub use uri::{Host, HostPort, SipUri, TelUri, Uri};
