//! What can be wrong with a message, and what is answered to it.

use std::net::SocketAddr;

use thiserror::Error;

use super::{Message, Response, ResponseBuilder};
use crate::header::{HeaderFault, HeaderName};
use crate::method::Method;
use crate::status::Status;

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// Only line ends or zeros: a keep-alive, to be ignored.
    #[error("Keep-alive")]
    KeepAlive,
    /// The first line is none of SIP.
    #[error("Not SIP")]
    NotSip,
    /// The message is larger than the limit.
    #[error("Message too large")]
    TooLarge,
    /// Another version than SIP/2.0.
    #[error("Unsupported SIP version")]
    Version,
    /// The request line is broken.
    #[error("Bad request line")]
    RequestLine,
    /// The status line is broken.
    #[error("Bad status line")]
    StatusLine,
    /// A header line has no name or no colon, or is too long.
    #[error("Bad header line")]
    HeaderLine,
    /// More header lines than the limit.
    #[error("Too many header lines")]
    TooManyHeaders,
    /// A line end is not CR LF.
    #[error("Bad line end")]
    LineEnd,
    /// The empty line after the headers is missing.
    #[error("Headers do not end")]
    Unterminated,
    /// The headers are not UTF-8.
    #[error("Headers are not UTF-8")]
    NotUtf8,
    /// Content-Length is no number or stands twice.
    #[error("Bad Content-Length")]
    ContentLength,
    /// The body is shorter than Content-Length says.
    #[error("Body shorter than Content-Length")]
    Truncated,
    /// The CSeq names another method than the request line.
    #[error("CSeq method does not match")]
    MethodMismatch,
    /// A header that every message needs is missing, repeated or broken.
    #[error("Bad {0}: {1}")]
    Header(HeaderName, HeaderFault),
}

impl Fault {
    /// The status to answer a request with; `None` when it is dropped.
    #[must_use]
    pub fn status(self) -> Option<Status> {
        match self {
            Self::KeepAlive | Self::NotSip | Self::StatusLine => None,
            Self::Version => Some(Status::VERSION_NOT_SUPPORTED),
            Self::TooLarge => Some(Status::MESSAGE_TOO_LARGE),
            _ => Some(Status::BAD_REQUEST),
        }
    }
}

/// A message that could not be read, with as much of it as an answer needs.
#[derive(Clone, Debug, Error)]
#[error("{fault}")]
pub struct ParseError {
    /// What is wrong.
    pub fault: Fault,
    /// The message as far as it was understood, if the beginning looked like a request.
    message: Option<Box<Message>>,
}

impl ParseError {
    /// A message nothing of which is of use.
    pub(super) fn hopeless(fault: Fault) -> Self {
        Self { fault, message: None }
    }

    /// A message whose header lines could be found.
    pub(super) fn partial(fault: Fault, message: Message) -> Self {
        Self { fault, message: Some(Box::new(message)) }
    }

    /// The answer that tells the sender what is wrong; `None` for responses, ACKs and messages
    /// that lack what an answer needs.
    #[must_use]
    pub fn answer(&self, source: SocketAddr) -> Option<Response> {
        let mut message = self.message.as_deref()?.clone();
        message.set_source(source);
        refuse(&message, self.fault)
    }

    /// The message as far as it was understood.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        self.message.as_deref()
    }
}

/// The answer to a request with a fault, if it can have one: whatever is wrong or missing, with a
/// Via it finds its way back.
pub(crate) fn refuse(message: &Message, fault: Fault) -> Option<Response> {
    let status = fault.status()?;
    let answerable = message.method().is_some_and(|method| *method != Method::Ack)
        && message.first(HeaderName::Via).is_some();
    answerable.then(|| {
        let reason = if status == Status::BAD_REQUEST { fault.to_string() } else { String::new() };
        let reason = if reason.is_empty() { status.reason() } else { &reason };
        ResponseBuilder::with_reason(message, status, reason).finish()
    })
}
