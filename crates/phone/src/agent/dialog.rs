//! A dialog as the phone sees it (RFC 3261 section 12).

use jackfield_sip::{HeaderName, Message, Method, RequestBuilder};

/// Both ends of a call, and the way between them.
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    pub(crate) call_id: String,
    /// From of our requests, with our tag.
    local: String,
    pub(crate) local_tag: String,
    /// To of our requests, with the other side's tag once it is known.
    remote: String,
    pub(crate) remote_tag: Option<String>,
    /// Where requests go.
    target: String,
    routes: Vec<String>,
    sequence: u32,
    remote_sequence: Option<u32>,
}

impl Dialog {
    /// For a call that we make.
    pub(crate) fn outgoing(call_id: String, local: &str, tag: String, remote: &str) -> Self {
        Self {
            call_id,
            local: format!("{local};tag={tag}"),
            local_tag: tag,
            remote: format!("<{remote}>"),
            remote_tag: None,
            target: remote.to_owned(),
            routes: Vec::new(),
            sequence: 100,
            remote_sequence: None,
        }
    }

    /// For a call that came in.
    pub(crate) fn incoming(invite: &Message, tag: String) -> Self {
        let to = invite.first(HeaderName::To).unwrap_or_default();
        Self {
            call_id: invite.call_id().to_owned(),
            local: format!("{to};tag={tag}"),
            local_tag: tag,
            remote: invite.first(HeaderName::From).unwrap_or_default().to_owned(),
            remote_tag: invite.from_tag().map(str::to_owned),
            target: contact(invite).unwrap_or_default(),
            routes: invite.elements(HeaderName::RecordRoute).map(str::to_owned).collect(),
            sequence: 100,
            remote_sequence: invite.cseq().ok().map(|cseq| cseq.number),
        }
    }

    /// Takes what a provisional or final answer to our INVITE says.
    pub(crate) fn learn(&mut self, response: &Message) {
        if let Some(tag) = response.to_tag() {
            self.remote_tag = Some(tag.to_owned());
            self.remote = response.first(HeaderName::To).unwrap_or_default().to_owned();
        }
        if let Some(target) = contact(response) {
            self.target = target;
        }
        let routes: Vec<_> =
            response.elements(HeaderName::RecordRoute).map(str::to_owned).collect();
        if !routes.is_empty() {
            self.routes = routes.into_iter().rev().collect();
        }
    }

    /// A target refresh from the other side.
    pub(crate) fn refresh(&mut self, request: &Message) {
        if let Some(target) = contact(request) {
            self.target = target;
        }
    }

    /// Is the message part of this dialog? A request, or one that names us in To.
    pub(crate) fn owns(&self, request: &Message) -> bool {
        request.call_id() == self.call_id
            && request.to_tag() == Some(&*self.local_tag)
            && (self.remote_tag.is_none() || request.from_tag() == self.remote_tag.as_deref())
    }

    /// Is the request newer than all before? Old ones are answered with 500.
    pub(crate) fn in_order(&mut self, request: &Message) -> bool {
        let Ok(cseq) = request.cseq() else { return false };
        let newer = self.remote_sequence.is_none_or(|last| cseq.number > last);
        if newer {
            self.remote_sequence = Some(cseq.number);
        }
        newer
    }

    /// A new request of this dialog.
    pub(crate) fn request(&mut self, method: Method) -> RequestBuilder {
        self.sequence += 1;
        let sequence = self.sequence;
        self.with_sequence(method, sequence)
    }

    /// ACK or CANCEL of the INVITE with this number.
    pub(crate) fn with_sequence(&self, method: Method, sequence: u32) -> RequestBuilder {
        let mut request = RequestBuilder::new(method.clone(), &self.target)
            .header(HeaderName::From, &self.local)
            .header(HeaderName::To, &self.remote)
            .header(HeaderName::CallId, &self.call_id)
            .header(HeaderName::CSeq, format_args!("{sequence} {method}"));
        for route in &self.routes {
            request.push(HeaderName::Route, route);
        }
        request
    }

    /// The number of the last request.
    pub(crate) fn sequence(&self) -> u32 {
        self.sequence
    }

    /// The `Replaces` value that names this dialog to its other end.
    pub(crate) fn replaces(&self) -> String {
        let remote = self.remote_tag.as_deref().unwrap_or("0");
        format!("{};to-tag={remote};from-tag={}", self.call_id, self.local_tag)
    }

    /// The address of the other end.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// The other end as From or To named it.
    pub(crate) fn remote(&self) -> &str {
        &self.remote
    }
}

fn contact(message: &Message) -> Option<String> {
    let contact = message.typed::<jackfield_sip::header::Contact>().ok()?;
    contact.address().map(|address| address.uri.to_string())
}
