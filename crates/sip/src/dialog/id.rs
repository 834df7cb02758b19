//! How dialogs are told apart.

use serde::{Deserialize, Serialize};

use crate::message::Message;

/// Call-ID and both tags, from our point of view.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DialogId {
    /// The Call-ID.
    pub call_id: Box<str>,
    /// Our tag.
    pub local_tag: Box<str>,
    /// The other side's tag; empty with a partner that knows RFC 2543 only.
    pub remote_tag: Box<str>,
}

impl DialogId {
    /// The dialog a request of the other side belongs to; `None` when its To has no tag.
    #[must_use]
    pub fn of_request(request: &Message) -> Option<Self> {
        let local = request.to_tag()?;
        Some(Self::new(request.call_id(), local, request.from_tag().unwrap_or_default()))
    }

    /// The dialog an answer to a request of ours belongs to; `None` when its To has no tag.
    #[must_use]
    pub fn of_response(response: &Message) -> Option<Self> {
        let remote = response.to_tag()?;
        Some(Self::new(response.call_id(), response.from_tag().unwrap_or_default(), remote))
    }

    /// A Call-ID and two tags.
    #[must_use]
    pub fn new(call_id: &str, local_tag: &str, remote_tag: &str) -> Self {
        Self { call_id: call_id.into(), local_tag: local_tag.into(), remote_tag: remote_tag.into() }
    }
}
