//! The driver over the loopback: two drivers talk to each other, or to a plain socket.

#![allow(clippy::unwrap_used)]

mod bounds;
mod calls;
mod clock;
mod harness;
mod latching;
