//! SIP and SDP: lazily parsed messages, typed headers, digest, transactions and dialogs, without
//! sockets, clocks or randomness.
//!
//! The caller owns the sockets and the clock. It gives every received message to an [`Endpoint`]
//! with the time, and does what the endpoint pushes to a list:
//!
//! ```
//! use jackfield_sip::{
//!     Action, Endpoint, Flow, HeaderName, Limits, Message, Now, ResponseBuilder, Status,
//! };
//!
//! # fn send(_: &Flow, _: &[u8]) {}
//! # let datagram = b"OPTIONS sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n\
//! #     From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";
//! # let flow = Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.9:5060".parse().unwrap());
//! # let now = Now::ZERO;
//! let mut endpoint = Endpoint::new([7; 32], Limits::default());
//! let mut actions = Vec::new();
//! match Message::parse_datagram(datagram) {
//!     Ok(message) => endpoint.receive(now, flow, message, &mut actions),
//!     Err(error) => endpoint.receive_broken(&flow, &error, &mut actions),
//! }
//! while let Some(action) = actions.pop() {
//!     match action {
//!         Action::Transmit { flow, bytes } => send(&flow, &bytes),
//!         Action::Request { key, message, .. } => {
//!             let tag = endpoint.tokens().tag();
//!             let response = ResponseBuilder::reply_to(&message, Status::OK)
//!                 .to_tag(&tag)
//!                 .header(HeaderName::Allow, "INVITE, ACK, BYE, CANCEL, OPTIONS")
//!                 .finish();
//!             endpoint.respond(now, key, &response, &mut actions);
//!         }
//!         other => println!("{other:?}"),
//!     }
//! }
//! if let Some(when) = endpoint.next_timeout() {
//!     // Wait until then, unless something is received before, and call:
//!     endpoint.timeout(when, &mut actions);
//! }
//! # assert!(endpoint.is_empty());
//! ```
//!
//! (Do the actions in the order of the list; `pop` keeps the example short.)
//!
//! # What is where
//!
//! - **Reading.** [`Message`] is a text and an index of its lines. [`Message::first`],
//!   [`Message::all`] and [`Message::elements`] give raw values, [`Message::typed`],
//!   [`Message::optional`] and [`Message::list`] typed ones of [`header`]. A stream is cut by a
//!   [`StreamFramer`].
//! - **Writing.** [`RequestBuilder`] and [`ResponseBuilder`]; nothing in a value can leave its line.
//! - **Transactions.** [`Endpoint::request`], [`Endpoint::respond`], [`Endpoint::cancel`],
//!   [`Endpoint::acknowledge`]; [`Action`] lists what comes back. It answers broken requests,
//!   retransmissions and CANCEL itself, sends 100, repeats a 2xx until its ACK comes, sends the ACK
//!   of refusals, and repeats the ACK of a 2xx.
//! - **Dialogs.** [`Dialog::uas`] from a request, [`Dialog::uac`] from an answer; then
//!   [`Dialog::request`] makes requests and [`Dialog::receive_request`] checks those of the other side.
//! - **Credentials.** [`digest`]: challenges, nonces without memory, verification.
//! - **Media.** [`sdp`]: descriptions, offer and answer.
//!
//! All state is serialisable with serde.

mod class;
mod dialog;
pub mod digest;
mod flow;
pub mod header;
pub mod limits;
mod message;
mod method;
mod now;
mod params;
pub mod sdp;
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
pub use text::hex;
pub use tokens::Tokens;
pub use transaction::{
    Action, ClientKey, Counters, Endpoint, Failure, Limits, NewRequest, ServerKey,
};
pub use uri::{Host, HostPort, SipUri, TelUri, Uri};
