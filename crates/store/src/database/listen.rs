use std::sync::Arc;
use std::time::Duration;

use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, NoTls};

use crate::queue::Queue;

/// How often to see whether the store is closed, and to try again after a failure.
const PATIENCE: Duration = Duration::from_secs(1);

/// Listens, on a connection of its own, for other nodes' commits, and nudges the writer. It is a
/// hint only: without it the writer looks by itself a little later.
pub(crate) fn listen(url: &str, queue: &Arc<Queue>) {
    while !queue.is_closed() {
        if let Err(error) = hear(url, queue) {
            tracing::debug!(%error, "no notifications from the database for now");
        }
        std::thread::sleep(PATIENCE);
    }
}

fn hear(url: &str, queue: &Queue) -> Result<(), postgres::Error> {
    let mut client = Client::connect(url, NoTls)?;
    client.batch_execute("LISTEN jackfield_change")?;
    let mut notifications = client.notifications();
    while !queue.is_closed() {
        // What came while nobody listened is found by looking.
        if notifications.timeout_iter(PATIENCE).next()?.is_some() {
            queue.nudge();
        }
    }
    Ok(())
}
