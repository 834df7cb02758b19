//! How a node ends: when somebody says so, or when a thread is gone without which it is none.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use anyhow::{Context, Result};
use jackfield_store::Store;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Server;

/// SIGTERM ends the process no more by itself, but is waited for.
pub(super) fn terminations(runtime: &Runtime) -> Result<Signal> {
    let _guard = runtime.enter();
    signal(SignalKind::terminate()).context("waiting for SIGTERM")
}

impl Server {
    /// Waits for Ctrl-C or SIGTERM, also for one that came while the doors were opened. An error when a
    /// thread ends without which a node is none: its process had better be started again. (The engine's
    /// ends the process by itself.)
    pub(crate) fn wait_for_signal(&mut self) -> Result<()> {
        let mut terminate = self.terminate.take();
        self.runtime.block_on(async {
            let terminated = async {
                match &mut terminate {
                    Some(signal) => {
                        signal.recv().await;
                    }
                    None => core::future::pending().await,
                }
            };
            tokio::select! {
                _ = tokio::signal::ctrl_c() => Ok(()),
                () = terminated => Ok(()),
                name = self.dead_thread() => anyhow::bail!("the thread of {name} has ended"),
            }
        })
    }

    /// Ends when a thread has ended; whose it was.
    async fn dead_thread(&self) -> &'static str {
        let mut looks = tokio::time::interval(Duration::from_secs(1));
        loop {
            looks.tick().await;
            if !self.media.runs() {
                return "the media driver";
            }
            if !self.store.as_ref().is_some_and(Store::runs) {
                return "the store";
            }
            if self.verifier.upgrade().is_some_and(|verifier| !verifier.runs()) {
                return "the verifier";
            }
            if let Some((name, _)) = self.lives.iter().find(|(_, life)| life.is_over()) {
                return name;
            }
        }
    }

    /// Stops everything, the doors first and the store last; ends the process where that takes
    /// longer than [`STOPPING`].
    pub(crate) fn stop(mut self) {
        let _stopped = end_at_the_latest(STOPPING);
        let _ = self.http_door.send(true);
        self.services.stop_all();
        self.engine.stop();
        self.media.stop();
        self.runtime.shutdown_timeout(Duration::from_secs(2));
        drop(self.store.take());
    }
}

/// A database that is there and silent keeps whoever waits for it as long as it likes. What it has
/// acknowledged is safe by then, and nothing else was promised to anybody.
const STOPPING: Duration = Duration::from_secs(12);

/// Ends the process after `limit`, unless what is returned was dropped before.
fn end_at_the_latest(limit: Duration) -> Sender<()> {
    let (stopped, waits) = mpsc::channel();
    let end = move || {
        if waits.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            tracing::error!(
                "stopping took longer than {} s, most likely because the database does not answer: \
                 ended without it",
                limit.as_secs()
            );
            crate::log::finish();
            std::process::exit(1);
        }
    };
    // Without a thread for it, whoever stops the process has to be patient.
    let _ = std::thread::Builder::new().name("stopping".into()).spawn(end);
    stopped
}
