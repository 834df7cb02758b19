//! What transactions ask for and report.

use std::sync::Arc;

use super::key::{ClientKey, ServerKey};
use crate::flow::Flow;
use crate::message::Message;

/// What is to be done, or has happened; pushed to the caller's list.
#[derive(Clone, Debug)]
pub enum Action {
    /// Send these octets.
    Transmit {
        /// Where to.
        flow: Flow,
        /// The message.
        bytes: Arc<[u8]>,
    },
    /// A new request: answer it with [`Endpoint::respond`](super::Endpoint::respond).
    Request {
        /// Its transaction.
        key: ServerKey,
        /// Where it came from.
        flow: Flow,
        /// The request, checked for the headers every message needs.
        message: Message,
    },
    /// The ACK of a 2xx; each one is reported once.
    Ack {
        /// The INVITE it belongs to; `None` when its transaction is over.
        invite: Option<ServerKey>,
        /// Where it came from.
        flow: Flow,
        /// The ACK.
        message: Message,
    },
    /// The caller gave up an INVITE that is not answered: answer it with 487. The CANCEL itself is
    /// answered already.
    Cancelled {
        /// The INVITE.
        invite: ServerKey,
        /// The CANCEL.
        message: Message,
    },
    /// The transaction of a request is over, and nothing is kept of it.
    Over {
        /// Which.
        key: ServerKey,
    },
    /// No ACK came for a 2xx: the session should be ended with BYE.
    Unacknowledged {
        /// The INVITE.
        key: ServerKey,
    },
    /// An answer; further 2xx of other branches come with the same key.
    Response {
        /// The transaction of the request.
        key: ClientKey,
        /// Where it came from.
        flow: Flow,
        /// The answer.
        message: Message,
    },
    /// A request will have no answer.
    Failed {
        /// Its transaction.
        key: ClientKey,
        /// Why.
        reason: Failure,
    },
}

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing came in time; treated as 408.
    TimedOut,
    /// It could not be sent, or its connection is gone; treated as 503.
    Transport,
}
