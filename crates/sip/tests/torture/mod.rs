//! Gives a message to an endpoint and tells what became of it.
#![allow(dead_code, reason = "each test file uses its part")]

use jackfield_sip::{Action, Endpoint, Flow, Limits, Message, Now, Transport};

/// What became of a message.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It went up to the application.
    Accepted(Message),
    /// It was answered without the application.
    Refused(Message),
    /// Nothing came of it.
    Dropped,
}

/// A message written with plain line ends.
pub(crate) fn wire(text: &str) -> Vec<u8> {
    text.trim_start_matches('\n').replace('\n', "\r\n").into_bytes()
}

pub(crate) fn receive(bytes: &[u8]) -> Outcome {
    let local = "192.0.2.99:5060".parse().unwrap();
    let flow = Flow::new(Transport::Udp, local, "198.51.100.1:5060".parse().unwrap());
    let mut endpoint = Endpoint::new([3; 32], Limits::default());
    let mut actions = Vec::new();
    match Message::parse_datagram(bytes) {
        Ok(message) => endpoint.receive(Now::ZERO, flow, message, &mut actions),
        Err(error) => endpoint.receive_broken(&flow, &error, &mut actions),
    }
    assert!(actions.len() <= 1, "{actions:?}");
    match actions.pop() {
        Some(Action::Request { message, .. }) => Outcome::Accepted(message),
        Some(Action::Transmit { bytes, .. }) => {
            Outcome::Refused(Message::parse_datagram(&bytes).unwrap())
        }
        None => Outcome::Dropped,
        other => panic!("{other:?}"),
    }
}

/// The message, which must go up.
pub(crate) fn accepted(text: &str) -> Message {
    accepted_bytes(&wire(text))
}

pub(crate) fn accepted_bytes(bytes: &[u8]) -> Message {
    match receive(bytes) {
        Outcome::Accepted(message) => message,
        other => panic!("not accepted: {other:?}"),
    }
}

/// The message must be refused with this status; gives the reason.
pub(crate) fn refused(text: &str, status: u16) -> String {
    match receive(&wire(text)) {
        Outcome::Refused(answer) => {
            assert_eq!(answer.status().unwrap().code(), status);
            answer.reason().to_owned()
        }
        other => panic!("not refused: {other:?}"),
    }
}

pub(crate) fn dropped(text: &str) {
    assert!(matches!(receive(&wire(text)), Outcome::Dropped));
}
