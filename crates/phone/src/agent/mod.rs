//! The phone as a SIP user agent. Written apart from the server's own transaction and dialog
//! layers, so that a phone and a server that misread the RFC in the same way are unlikely.

mod authenticator;
mod dialog;
mod exchange;
mod session;

pub(crate) use authenticator::{Authenticator, Verdict};
pub(crate) use dialog::Dialog;
pub(crate) use exchange::{Exchanges, Heard, Purpose, Way};
pub(crate) use session::{Direction, LocalSession, RemoteSession, accept};
