//! The headers every message needs (RFC 3261 section 8.1.1).

use super::{Fault, Message};
use crate::header::call_id::is_call_id;
use crate::header::{CSeq, From, Header, HeaderFault, HeaderName, MaxForwards, To, Via};

/// The headers every message needs, read.
#[derive(Clone, Debug)]
pub struct Essentials<'m> {
    /// The topmost Via.
    pub via: Via,
    /// From.
    pub from: From,
    /// To.
    pub to: To,
    /// The Call-ID.
    pub call_id: &'m str,
    /// CSeq.
    pub cseq: CSeq,
}

pub(super) fn check(message: &Message) -> Result<Essentials<'_>, Fault> {
    let call_id = message.call_id();
    single(message)?;
    let essentials = Essentials {
        via: read(message)?,
        from: read(message)?,
        to: read(message)?,
        call_id,
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

fn read<H: Header>(message: &Message) -> Result<H, Fault> {
    message.typed::<H>().map_err(|fault| Fault::Header(H::NAME, fault))
}

/// Headers that stand once at most.
fn single(message: &Message) -> Result<(), Fault> {
    let mut seen = 0_u8;
    for line in &message.lines {
        let Some(at) = SINGLE.iter().position(|name| *name == line.header) else { continue };
        if seen & (1 << at) != 0 {
            return Err(Fault::Header(line.header, HeaderFault::Repeated));
        }
        seen |= 1 << at;
    }
    Ok(())
}

const SINGLE: [HeaderName; 7] = [
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::CSeq,
    HeaderName::MaxForwards,
    HeaderName::ContentType,
    HeaderName::Expires,
];
