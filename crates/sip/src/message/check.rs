//! The headers every message needs (RFC 3261 section 8.1.1).

use super::{Fault, Message};
use crate::header::call_id::is_call_id;
use crate::header::{CSeq, From, Header, HeaderFault, HeaderName, MaxForwards, To, Via};
use crate::uri::Uri;

/// The headers every message needs, read.
#[derive(Clone, Debug)]
pub struct Essentials {
    /// The Request-URI; `None` in a response.
    pub uri: Option<Uri>,
    /// The topmost Via.
    pub via: Via,
    /// From.
    pub from: From,
    /// To.
    pub to: To,
    /// The Call-ID.
    pub call_id: Box<str>,
    /// CSeq.
    pub cseq: CSeq,
}

pub(super) fn check(message: &Message) -> Result<Essentials, Fault> {
    let call_id = message.call_id();
    single(message)?;
    let essentials = Essentials {
        uri: message.method().map(|_| request_uri(message)).transpose()?,
        via: read(message)?,
        from: read(message)?,
        to: read(message)?,
        call_id: call_id.into(),
        cseq: read(message)?,
    };
    if !is_call_id(call_id) {
        let missing = call_id.is_empty() && message.first(HeaderName::CallId).is_none();
        let fault = if missing { HeaderFault::Missing } else { HeaderFault::Syntax };
        return Err(Fault::Header(HeaderName::CallId, fault));
    }
    if let Some(method) = message.method() {
        if essentials.cseq.method != *method {
            return Err(Fault::MethodMismatch);
        }
        let hops = message.optional::<MaxForwards>();
        hops.map_err(|fault| Fault::Header(HeaderName::MaxForwards, fault))?;
    }
    Ok(essentials)
}

/// The Request-URI may have no headers.
fn request_uri(message: &Message) -> Result<Uri, Fault> {
    let uri = message.uri().map_err(|_| Fault::RequestLine)?;
    match &uri {
        Uri::Sip(sip) if sip.headers().next().is_some() => Err(Fault::RequestLine),
        _ => Ok(uri),
    }
}

fn read<H: Header>(message: &Message) -> Result<H, Fault> {
    message.typed::<H>().map_err(|fault| Fault::Header(H::NAME, fault))
}

/// Headers that stand once at most.
fn single(message: &Message) -> Result<(), Fault> {
    let mut seen = 0_u128;
    for line in &message.lines {
        let bit = 1_u128 << (line.header as u8);
        if seen & bit & SINGLE != 0 {
            return Err(Fault::Header(line.header, HeaderFault::Repeated));
        }
        seen |= bit;
    }
    Ok(())
}

const SINGLE: u128 = 1 << (HeaderName::From as u8)
    | 1 << (HeaderName::To as u8)
    | 1 << (HeaderName::CallId as u8)
    | 1 << (HeaderName::CSeq as u8)
    | 1 << (HeaderName::MaxForwards as u8)
    | 1 << (HeaderName::ContentType as u8)
    | 1 << (HeaderName::Expires as u8);
