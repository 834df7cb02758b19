//! Dialogs (RFC 3261 section 12): what two parties keep of each other between requests.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::header::{CSeq, Contact, Header, HeaderFault, HeaderName, NameAddr, RecordRoute};
use crate::limits;
use crate::message::{Essentials, Fault, Message, RequestBuilder};
use crate::method::Method;
use crate::status::Status;
use crate::uri::Uri;

mod id;
#[cfg(test)]
mod tests;

pub use id::DialogId;

/// One side of a dialog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialog {
    id: DialogId,
    state: DialogState,
    /// From of our requests, with our tag.
    local: NameAddr,
    /// To of our requests, with the other side's tag.
    remote: NameAddr,
    /// The Request-URI of our requests.
    remote_target: Uri,
    /// The hops our requests take, nearest first, as they stood in Record-Route.
    routes: Vec<Box<str>>,
    local_cseq: u32,
    remote_cseq: Option<u32>,
}

/// How far a dialog is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DialogState {
    /// Made by a provisional answer.
    Early,
    /// Made by a 2xx.
    Confirmed,
    /// Over.
    Terminated,
}

/// Why a message makes no dialog, or does not fit into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DialogFault {
    /// A header is missing or broken.
    #[error("bad {0}: {1}")]
    Header(HeaderName, HeaderFault),
    /// The answer makes no dialog: a 1xx without a tag in To, or no 1xx or 2xx.
    #[error("the answer makes no dialog")]
    NoDialog,
    /// The request is older than one that came before.
    #[error("the request is out of order")]
    OutOfOrder,
}

impl DialogFault {
    /// The status to answer a request with.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Self::OutOfOrder => Status::SERVER_INTERNAL_ERROR,
            Self::Header(..) | Self::NoDialog => Status::BAD_REQUEST,
        }
    }
}

impl Dialog {
    /// The dialog a request makes that is answered with this tag in To.
    pub fn uas(request: &Message, local_tag: &str) -> Result<Self, DialogFault> {
        let found = read(request)?;
        let (remote, mut local) = (found.from.0.clone(), found.to.0.clone());
        local.params.set("tag", Some(local_tag));
        Ok(Self {
            id: id(request, &local, &remote),
            state: DialogState::Early,
            remote_target: target(request)?,
            routes: routes(request)?,
            local,
            remote,
            local_cseq: 0,
            remote_cseq: Some(found.cseq.number),
        })
    }

    /// The dialog an answer to our request makes. A 2xx without a tag comes from a partner that knows
    /// RFC 2543 only (RFC 3261 section 12.1.2).
    pub fn uac(response: &Message) -> Result<Self, DialogFault> {
        let (target, routes) = (target(response)?, routes(response)?);
        Self::of_answer(response, target, routes)
    }

    /// The same for an answer that may say nothing of use about where its sender is: every 2xx has to
    /// be acknowledged (RFC 3261 section 13.2.2.4), and so our requests go on to where the INVITE went.
    pub fn uac_at(response: &Message, invited: &Uri) -> Result<Self, DialogFault> {
        let target = target(response).ok().filter(|target| target.as_sip().is_some());
        let routes = routes(response).unwrap_or_default();
        Self::of_answer(response, target.unwrap_or_else(|| invited.clone()), routes)
    }

    fn of_answer(
        response: &Message,
        remote_target: Uri,
        mut routes: Vec<Box<str>>,
    ) -> Result<Self, DialogFault> {
        let found = read(response)?;
        let (local, remote) = (found.from.0.clone(), found.to.0.clone());
        let state = match response.status() {
            Some(status) if status.is_success() => DialogState::Confirmed,
            Some(status) if status > Status::TRYING && status.is_provisional() => {
                DialogState::Early
            }
            _ => return Err(DialogFault::NoDialog),
        };
        if remote.tag().is_none() && state == DialogState::Early {
            return Err(DialogFault::NoDialog);
        }
        routes.reverse();
        Ok(Self {
            id: id(response, &local, &remote),
            state,
            remote_target,
            routes,
            local,
            remote,
            local_cseq: found.cseq.number,
            remote_cseq: None,
        })
    }

    /// The dialog was accepted, by us or by the other side.
    pub fn confirm(&mut self) {
        if self.state == DialogState::Early {
            self.state = DialogState::Confirmed;
        }
    }

    /// The dialog is over.
    pub fn terminate(&mut self) {
        self.state = DialogState::Terminated;
    }

    /// Takes a request of the other side: checks its order and notes a new target.
    pub fn receive_request(&mut self, request: &Message) -> Result<(), DialogFault> {
        let cseq = &read(request)?.cseq;
        if matches!(cseq.method, Method::Ack | Method::Cancel) {
            return Ok(());
        }
        if self.remote_cseq.is_some_and(|last| cseq.number <= last) {
            return Err(DialogFault::OutOfOrder);
        }
        if refreshes_target(&cseq.method)
            && let Some(target) = optional_target(request)?
        {
            self.remote_target = target;
        }
        self.remote_cseq = Some(cseq.number);
        Ok(())
    }

    /// Takes an answer to a request of ours: notes a new target, and with the 2xx that confirms an
    /// early dialog also the route set of that (RFC 3261 section 13.2.2.4).
    pub fn receive_response(&mut self, response: &Message) -> Result<(), DialogFault> {
        let cseq = &read(response)?.cseq;
        let Some(status) = response.status() else { return Ok(()) };
        if !status.is_success() || !refreshes_target(&cseq.method) {
            return Ok(());
        }
        if let Some(target) = optional_target(response)? {
            self.remote_target = target;
        }
        if self.state == DialogState::Early && cseq.method != Method::Update {
            self.routes = routes(response)?;
            self.routes.reverse();
            self.state = DialogState::Confirmed;
        }
        Ok(())
    }

    /// The next request of ours in this dialog, without Contact and body.
    pub fn request(&mut self, method: Method) -> RequestBuilder {
        self.local_cseq = self.local_cseq.saturating_add(1);
        self.with_cseq(method, self.local_cseq)
    }

    /// The ACK of a 2xx to the INVITE with this CSeq number.
    #[must_use]
    pub fn ack(&self, invite: u32) -> RequestBuilder {
        self.with_cseq(Method::Ack, invite)
    }

    /// Sets the number of our last request, when it was sent outside (as after a 401).
    pub fn set_local_cseq(&mut self, number: u32) {
        self.local_cseq = self.local_cseq.max(number);
    }

    /// Call-ID and tags.
    #[must_use]
    pub fn id(&self) -> &DialogId {
        &self.id
    }

    /// How far the dialog is.
    #[must_use]
    pub fn state(&self) -> DialogState {
        self.state
    }

    /// Our name and address, with our tag.
    #[must_use]
    pub fn local(&self) -> &NameAddr {
        &self.local
    }

    /// The other side's name and address, with its tag.
    #[must_use]
    pub fn remote(&self) -> &NameAddr {
        &self.remote
    }

    /// Where the other side is.
    #[must_use]
    pub fn remote_target(&self) -> &Uri {
        &self.remote_target
    }

    /// Points the dialog at another address of the other side: behind a NAT its Contact is of no
    /// use, and the flow it registered over is.
    pub fn set_remote_target(&mut self, target: Uri) {
        self.remote_target = target;
    }

    /// The number of our last request.
    #[must_use]
    pub fn local_cseq(&self) -> u32 {
        self.local_cseq
    }

    /// The number of the other side's last request.
    #[must_use]
    pub fn remote_cseq(&self) -> Option<u32> {
        self.remote_cseq
    }

    /// Where the next request goes first: the nearest hop, or the target itself.
    #[must_use]
    pub fn next_hop(&self) -> Uri {
        let hop = self.routes.first().and_then(|route| NameAddr::parse(route).ok());
        hop.map_or_else(|| self.remote_target.clone(), |hop| hop.uri)
    }

    fn with_cseq(&self, method: Method, number: u32) -> RequestBuilder {
        let cseq = CSeq::new(number, method.clone());
        let mut request = self.routed(method);
        request.push(HeaderName::From, &self.local);
        request.push(HeaderName::To, &self.remote);
        request.push(HeaderName::CallId, &self.id.call_id);
        request.push(HeaderName::CSeq, cseq);
        request
    }

    /// A request with Request-URI and Route (RFC 3261 section 12.2.1.1). A first hop that is no
    /// loose router wants its own address in the request line, and the target at the end.
    fn routed(&self, method: Method) -> RequestBuilder {
        let first = self.routes.first().and_then(|route| NameAddr::parse(route).ok());
        let strict =
            first.filter(|first| !first.uri.as_sip().is_some_and(|uri| uri.params.has("lr")));
        let mut request = match &strict {
            Some(first) => RequestBuilder::new(method, &first.uri),
            None => RequestBuilder::new(method, &self.remote_target),
        };
        for route in self.routes.iter().skip(usize::from(strict.is_some())) {
            request.push(HeaderName::Route, route);
        }
        if strict.is_some() {
            request.push(HeaderName::Route, NameAddr::new(self.remote_target.clone()));
        }
        request
    }
}

fn read(message: &Message) -> Result<&Essentials, DialogFault> {
    message.check().map_err(|fault| match fault {
        Fault::Header(name, fault) => DialogFault::Header(name, fault),
        _ => DialogFault::NoDialog,
    })
}

fn id(message: &Message, local: &NameAddr, remote: &NameAddr) -> DialogId {
    DialogId {
        call_id: message.call_id().into(),
        local_tag: local.tag().unwrap_or_default().into(),
        remote_tag: remote.tag().unwrap_or_default().into(),
    }
}

fn target(message: &Message) -> Result<Uri, DialogFault> {
    optional_target(message)?.ok_or(DialogFault::Header(HeaderName::Contact, HeaderFault::Missing))
}

fn optional_target(message: &Message) -> Result<Option<Uri>, DialogFault> {
    let fault = |fault| DialogFault::Header(HeaderName::Contact, fault);
    match message.optional::<Contact>().map_err(fault)? {
        Some(Contact::Address(address)) => Ok(Some(address.0.uri)),
        Some(Contact::All) => Err(fault(HeaderFault::Address)),
        None => Ok(None),
    }
}

/// The hops of Record-Route, each checked, in the order of the message.
fn routes(message: &Message) -> Result<Vec<Box<str>>, DialogFault> {
    let fault = |fault| DialogFault::Header(HeaderName::RecordRoute, fault);
    let mut routes = Vec::new();
    for hop in message.elements(HeaderName::RecordRoute) {
        RecordRoute::parse(hop).map_err(fault)?;
        if routes.len() == limits::LIST {
            return Err(fault(HeaderFault::TooMany));
        }
        routes.push(hop.into());
    }
    Ok(routes)
}

fn refreshes_target(method: &Method) -> bool {
    matches!(
        method,
        Method::Invite | Method::Update | Method::Subscribe | Method::Notify | Method::Refer
    )
}
