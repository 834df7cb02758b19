//! SIP and SDP: lazily parsed messages, typed headers, digest, transactions and dialogs, without
//! sockets, clocks or randomness.

mod dialog;
pub mod digest;
mod flow;
pub mod header;
pub mod limits;
mod message;
mod method;
mod now;
mod params;
mod siphash;
mod status;
mod text;
mod tokens;
mod transaction;
mod uri;

pub use dialog::{Dialog, DialogFault, DialogId, DialogState};
pub use flow::{Flow, Transport};
pub use header::{Header, HeaderFault, HeaderName};
pub use message::{
    Essentials, Fault, Message, ParseError, Part, RequestBuilder, Response, ResponseBuilder,
    StreamEvent, StreamFault, StreamFramer, parts,
};
pub use method::Method;
pub use now::Now;
pub use params::Params;
pub use status::Status;
pub use tokens::Tokens;
pub use transaction::{Action, ClientKey, Counters, Endpoint, Failure, Limits, ServerKey};
pub use uri::{Host, HostPort, SipUri, TelUri, Uri};
