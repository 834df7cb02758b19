//! Cuts a byte stream into messages (RFC 3261 section 18.3, RFC 5626 section 4.4.1).

use thiserror::Error;

use super::{Fault, Message, ParseError, frame};
use crate::limits;

/// Collects what a connection delivers and cuts messages off.
///
/// ```
/// use jackfield_sip::{StreamEvent, StreamFramer};
///
/// let mut framer = StreamFramer::new();
/// framer.push(b"\r\n\r\n").unwrap();
/// assert!(matches!(framer.next_event(), Ok(Some(StreamEvent::Ping))));
/// assert!(matches!(framer.next_event(), Ok(None)));
/// ```
#[derive(Debug, Default)]
pub struct StreamFramer {
    buffer: Vec<u8>,
    /// Octets at the beginning that were handed out.
    taken: usize,
    /// Octets in which no end of a head was found.
    searched: usize,
    /// Octets the message at the beginning has, once that is known.
    needed: usize,
    /// Nothing can be cut off any more.
    broken: bool,
}

/// What a stream delivered.
#[derive(Clone, Debug)]
pub enum StreamEvent {
    /// A message.
    Message(Message),
    /// A message with a fault that does not hide where it ends: answer it and go on.
    Refused(ParseError),
    /// Two line ends: answer with [`StreamFramer::PONG`].
    Ping,
    /// One line end: the answer to a ping.
    Pong,
}

/// Why a stream can't be read any further: send the answer if there is one, then close.
#[derive(Clone, Debug, Error)]
pub enum StreamFault {
    /// A message whose end can't be known.
    #[error("stream broken: {0}")]
    Broken(#[source] ParseError),
    /// More was pushed than a message may be large, without taking messages off.
    #[error("more than {} octets are waiting", limits::MESSAGE)]
    Overflow,
}

impl StreamFramer {
    /// The answer to a ping.
    pub const PONG: &'static [u8] = b"\r\n";

    /// A ping.
    pub const PING: &'static [u8] = b"\r\n\r\n";

    /// The most octets to push at once.
    pub const CHUNK: usize = limits::MESSAGE;

    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what was received. Afterwards call [`Self::next_event`] until it says `None`.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), StreamFault> {
        if self.broken || self.waiting() + bytes.len() > 2 * limits::MESSAGE {
            self.broken = true;
            return Err(StreamFault::Overflow);
        }
        self.buffer.drain(..self.taken);
        self.searched = self.searched.saturating_sub(self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The next message or keep-alive; `None` when more octets are needed.
    pub fn next_event(&mut self) -> Result<Option<StreamEvent>, StreamFault> {
        if self.broken {
            return Ok(None);
        }
        if let Some(event) = self.keep_alive() {
            return Ok(Some(event));
        }
        match self.cut() {
            Ok(event) => {
                self.shrink();
                Ok(event)
            }
            Err(error) => {
                self.broken = true;
                self.buffer = Vec::new();
                self.taken = 0;
                Err(StreamFault::Broken(error))
            }
        }
    }

    /// How many octets wait for their message to be complete.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.buffer.len() - self.taken
    }

    fn rest(&self) -> &[u8] {
        &self.buffer[self.taken..]
    }

    fn keep_alive(&mut self) -> Option<StreamEvent> {
        let rest = self.rest();
        if rest.starts_with(Self::PING) {
            self.taken += Self::PING.len();
            return Some(StreamEvent::Ping);
        }
        // With a third octet there it is a ping that is not complete.
        let pong = rest.starts_with(Self::PONG) && rest != b"\r\n\r";
        if pong {
            self.taken += Self::PONG.len();
        }
        pong.then_some(StreamEvent::Pong)
    }

    fn cut(&mut self) -> Result<Option<StreamEvent>, ParseError> {
        if self.waiting() < self.needed {
            return Ok(None);
        }
        let from = self.searched.max(self.taken).saturating_sub(3).max(self.taken);
        let found = self.buffer[from..].windows(4).position(|four| four == b"\r\n\r\n");
        let Some(end) = found.map(|at| from + at + 4) else {
            self.searched = self.buffer.len();
            return match self.waiting() {
                waiting if waiting > limits::MESSAGE => Err(ParseError::hopeless(Fault::TooLarge)),
                _ => Ok(None),
            };
        };
        let (mut message, fault, length) = frame::head(&self.buffer[self.taken..end])?;
        let head = end - self.taken;
        let total = match length {
            Some(length) if fault != Some(Fault::ContentLength) => head.saturating_add(length),
            _ => return Err(ParseError::partial(Fault::ContentLength, message)),
        };
        if total > limits::MESSAGE {
            return Err(ParseError::partial(Fault::TooLarge, message));
        }
        if self.waiting() < total {
            self.needed = total;
            return Ok(None);
        }
        message.body = self.rest()[head..total].into();
        self.taken += total;
        self.needed = 0;
        Ok(Some(match fault {
            Some(fault) => StreamEvent::Refused(ParseError::partial(fault, message)),
            None => StreamEvent::Message(message),
        }))
    }

    /// An idle connection keeps no buffer.
    fn shrink(&mut self) {
        if self.waiting() == 0 {
            self.buffer = Vec::new();
            self.taken = 0;
            self.searched = 0;
        }
    }
}
