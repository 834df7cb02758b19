//! What clients bring: read a piece at a time, within limits. Who is not signed in brings little;
//! all bodies together, and what is made of them, take so much memory and no more; and whoever
//! brings one brings it soon.

use core::time::Duration;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use jackfield_vocabulary::share::{Figures, Holder, Places, uses};
use jackfield_vocabulary::{Code, Refusal};
use serde_json::Value;

/// The memory for bodies; copies are cheap.
#[derive(Clone)]
pub(crate) struct Bodies(Arc<Mutex<Inner>>);

struct Inner {
    places: Places<u64>,
    next: u64,
}

/// A body, with the memory that it takes for as long as it is there.
pub(crate) struct Body {
    pub(crate) value: Value,
    /// To be held for as long as the value is there.
    pub(crate) room: Option<Room>,
}

/// The memory of one body; given back when dropped.
pub(crate) struct Room {
    bodies: Bodies,
    key: u64,
    holder: Holder,
    held: u64,
}

impl Default for Bodies {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Inner { places: uses::HTTP_BODIES.places(), next: 0 })))
    }
}

impl Bodies {
    /// For the metrics page.
    pub(crate) fn figures(&self) -> Figures {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        uses::HTTP_BODIES.figures(&inner.places)
    }

    /// Reads a JSON body; none is null.
    pub(crate) async fn read(
        &self,
        address: IpAddr,
        signed_in: bool,
        headers: &HeaderMap,
        body: axum::body::Body,
    ) -> Result<Body, Refusal> {
        let holder = Holder { source: address.into(), proved: signed_in };
        let limit = if signed_in { LARGEST } else { LARGEST_OF_STRANGER };
        let read = self.gather(holder, limit, body);
        let read = tokio::time::timeout(TIME, read).await;
        let (bytes, room) = read.map_err(|_| Refusal::new(Code::BodyTimeout))??;
        if bytes.is_empty() {
            return Ok(Body { value: Value::Null, room: None });
        }
        if !is_json(headers) {
            let refusal = Refusal::new(Code::Unreadable).field("Content-Type");
            return Err(refusal.value("rule", "content-type"));
        }
        let room = self.unfold(room, &bytes)?;
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            let place = format!("{}:{}", error.line(), error.column());
            Refusal::new(Code::Unreadable).value("rule", "json").value("where", place)
        })?;
        Ok(Body { value, room: Some(room) })
    }

    async fn gather(
        &self,
        holder: Holder,
        limit: usize,
        mut body: axum::body::Body,
    ) -> Result<(Vec<u8>, Room), Refusal> {
        let mut bytes = Vec::new();
        let mut room = self.room(holder);
        while let Some(frame) = body.frame().await {
            // The client broke off, or its pieces are none.
            let frame = frame.map_err(|_| Refusal::new(Code::Unreadable).value("where", "body"))?;
            let Ok(piece) = frame.into_data() else { continue };
            let length = bytes.len() + piece.len();
            if length > limit {
                return Err(too_large(format!("{limit} bytes")));
            }
            // Doubled each time, as the bytes take their memory.
            room.hold(length.next_power_of_two().max(SMALLEST) as u64)?;
            bytes.extend_from_slice(&piece);
        }
        Ok((bytes, room))
    }

    /// Makes room for the values that the text unfolds to, each of them many times its length.
    fn unfold(&self, mut room: Room, bytes: &[u8]) -> Result<Room, Refusal> {
        let values = values(bytes);
        if values > MOST_VALUES {
            return Err(too_large(format!("{MOST_VALUES} values")));
        }
        let held = room.held;
        room.hold(held + values as u64 * VALUE)?;
        Ok(room)
    }

    fn room(&self, holder: Holder) -> Room {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.next += 1;
        Room { bodies: self.clone(), key: inner.next, holder, held: 0 }
    }
}

impl Room {
    /// Holds so much in all.
    fn hold(&mut self, amount: u64) -> Result<(), Refusal> {
        if amount <= self.held {
            return Ok(());
        }
        let mut inner = self.bodies.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.places.release(&self.key);
        self.held = 0;
        inner
            .places
            .take(self.key, self.holder, amount)
            .map_err(|_| Refusal::new(Code::Overloaded))?;
        self.held = amount;
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut inner = self.bodies.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.places.release(&self.key);
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|media| media.to_str().ok());
    media.is_some_and(|media| {
        let media = media.split(';').next().unwrap_or_default().trim();
        media.eq_ignore_ascii_case("application/json") || media.ends_with("+json")
    })
}

/// How many values there are in a JSON text, at the most: each but the first follows a comma, a
/// colon or an opening bracket. What stands in strings may be counted too.
fn values(text: &[u8]) -> usize {
    1 + text.iter().filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{')).count()
}

fn too_large(limit: String) -> Refusal {
    Refusal::new(Code::TooLarge).value("limit", limit)
}

/// A kind with the longest lists stays far below.
const LARGEST: usize = 2 * 1024 * 1024;
/// Of somebody who is not signed in: enough to sign in.
const LARGEST_OF_STRANGER: usize = 8 * 1024;
const SMALLEST: usize = 1024;
/// The longest lists have far fewer.
const MOST_VALUES: usize = 80_000;
/// Bytes that a value takes at the most, with its key and the room beside it.
const VALUE: u64 = 160;
/// For a whole body, over the slowest line.
const TIME: Duration = Duration::from_secs(15);
