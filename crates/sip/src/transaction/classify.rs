//! Finds out which transaction a message belongs to.

use super::key::{ClientKey, Fingerprint, Keys, ServerKey};
use crate::message::{Essentials, Message};
use crate::method::Method;
use crate::status::Status;

/// A message by what is to be done with it.
pub(super) enum Incoming {
    Request(IncomingRequest),
    Ack {
        /// The INVITE, if the ACK is for a refusal.
        same_branch: ServerKey,
        /// What it shares with its INVITE, if it is for a 2xx.
        invite: Fingerprint,
    },
    Cancel {
        key: ServerKey,
        invite: ServerKey,
    },
    Response(IncomingResponse),
}

/// A request that may open a transaction.
#[derive(Clone, Debug)]
pub(super) struct IncomingRequest {
    pub(super) key: ServerKey,
    pub(super) in_dialog: bool,
    /// Where answers go, if not back to the port the datagram came from.
    pub(super) port: Option<u16>,
    /// What an INVITE shares with its ACK.
    pub(super) invite: Option<Fingerprint>,
}

/// An answer to a request of ours.
pub(super) struct IncomingResponse {
    pub(super) key: ClientKey,
    pub(super) status: Status,
    pub(super) to_tag: Box<str>,
    pub(super) is_invite: bool,
}

pub(super) fn classify(keys: &mut Keys, message: &Message, essentials: &Essentials) -> Incoming {
    let method = &essentials.cseq.method;
    if let Some(status) = message.status() {
        let branch = essentials.via.branch().unwrap_or_default();
        return Incoming::Response(IncomingResponse {
            key: keys.client(branch, method),
            status,
            to_tag: essentials.to.tag().unwrap_or_default().into(),
            is_invite: *method == Method::Invite,
        });
    }
    let key = keys.server(message, essentials, method);
    match method {
        Method::Ack => Incoming::Ack {
            same_branch: keys.server(message, essentials, &Method::Invite),
            invite: keys.invite(essentials),
        },
        Method::Cancel => {
            let invite = keys.server(message, essentials, &Method::Invite);
            Incoming::Cancel { key, invite }
        }
        method => Incoming::Request(IncomingRequest {
            key,
            in_dialog: essentials.to.tag().is_some(),
            port: answer_port(essentials),
            invite: (*method == Method::Invite).then(|| keys.invite(essentials)),
        }),
    }
}

/// The port of the Via, unless the sender wants answers at the one it sent from (RFC 3581).
fn answer_port(essentials: &Essentials) -> Option<u16> {
    let via = &essentials.via;
    if via.params.has("rport") { None } else { Some(via.sent_by.port.unwrap_or(5060)) }
}
