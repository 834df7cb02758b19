//! The messages of RFC 4475, each named as there: what is well formed is accepted with the right
//! fields, what is broken is refused with the right answer or dropped.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod torture;

#[path = "torture/application.rs"]
mod application;
#[path = "torture/invalid.rs"]
mod invalid;
#[path = "torture/valid.rs"]
mod valid;

/// The session description most of the messages carry.
const SDP: &str = "v=0
o=mhandley 29739 7272939 IN IP4 192.0.2.1
s=-
c=IN IP4 192.0.2.1
t=0 0
m=audio 49217 RTP/AVP 0 12
m=video 3227 RTP/AVP 31
a=rtpmap:31 LPC
";
