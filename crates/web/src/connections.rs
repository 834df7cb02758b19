//! The connections of the HTTP doors. Both doors share them, so that what the system allows the
//! process is enough.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jackfield_vocabulary::share::{Figures, Holder, Places, uses};
use tokio::task::AbortHandle;

/// The places for connections; copies are cheap.
#[derive(Clone)]
pub struct Connections(Arc<Mutex<Inner>>);

struct Inner {
    places: Places<u64>,
    /// What serves each; none for a moment, before it does.
    tasks: HashMap<u64, Option<AbortHandle>>,
    next: u64,
}

/// The place of one connection; given back when dropped.
pub(crate) struct Connection {
    connections: Connections,
    key: u64,
}

impl Connections {
    /// So many at the most, as far as the system lets this process have descriptors; never more
    /// than phones and people need.
    pub fn new(most: usize) -> Self {
        let most = u64::try_from(most).unwrap_or(MOST).clamp(FEWEST, MOST);
        let places = Places::new(uses::HTTP_CONNECTIONS.limits_of(most));
        Self(Arc::new(Mutex::new(Inner { places, tasks: HashMap::new(), next: 0 })))
    }

    /// For the metrics page.
    pub fn figures(&self) -> Figures {
        uses::HTTP_CONNECTIONS.figures(&self.lock().places)
    }

    /// A place for a connection from there; those that wait for nothing may have to go for it.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Connection> {
        let mut inner = self.lock();
        let key = inner.next;
        inner.next += 1;
        let gone = inner.places.take(key, Holder::stranger(address), 1).ok()?;
        // It has asked for nothing yet.
        inner.places.idle(&key);
        for gone in gone {
            if let Some(Some(task)) = inner.tasks.remove(&gone) {
                task.abort();
            }
        }
        inner.tasks.insert(key, None);
        Some(Connection { connections: self.clone(), key })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// This is what serves it, and ends when the place is taken away.
    pub(crate) fn runs(&self, task: AbortHandle) {
        match self.connections.lock().tasks.get_mut(&self.key) {
            Some(slot) => *slot = Some(task),
            None => task.abort(),
        }
    }

    /// A request came: the place is not taken away before it is answered.
    pub(crate) fn busy(&self) {
        self.connections.lock().places.busy(&self.key);
    }

    /// The request is answered.
    pub(crate) fn idle(&self) {
        self.connections.lock().places.idle(&self.key);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut inner = self.connections.lock();
        inner.places.release(&self.key);
        inner.tasks.remove(&self.key);
    }
}

/// Keep-alive connections of phones, browsers and programs.
const MOST: u64 = 8192;
/// Also where the system allows next to nothing.
const FEWEST: u64 = 8;
