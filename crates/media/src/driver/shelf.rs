//! What the driver's players play from. A prompt that is not yet coded in the codec of a call is
//! asked of a second thread, which also codes all others of that codec when it has nothing else
//! to do, so that the clock never waits for a file or an encoder.

use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{Builder, JoinHandle},
};

use jackfield_vocabulary::Codec;

use super::Shared;
use crate::{player::Shelf, prompts::PromptLibrary, recorder::Recording};

#[derive(Debug)]
pub(super) struct DriverShelf {
    prompts: Arc<PromptLibrary>,
    shared: Arc<Shared>,
    requests: SyncSender<Request>,
    prepared: [AtomicBool; 5],
}

#[derive(Debug)]
enum Request {
    /// Somebody waits for this prompt.
    One { locale: Arc<str>, prompt: Arc<str>, codec: Codec },
    /// Calls with this codec have begun.
    All(Codec),
}

impl DriverShelf {
    pub(super) fn start(
        prompts: Arc<PromptLibrary>,
        shared: Arc<Shared>,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (requests, lane) = sync_channel(REQUESTS);
        let coder = Coder { prompts: prompts.clone(), lane, later: VecDeque::new() };
        let thread = {
            let shared = shared.clone();
            Builder::new()
                .name("media-prompts".to_owned())
                .spawn(move || coder.run(&shared.stopping))?
        };
        let prepared = [const { AtomicBool::new(false) }; 5];
        Ok((Self { prompts, shared, requests, prepared }, thread))
    }

    /// A call with this codec begins.
    pub(super) fn prepare(&self, codec: Codec) {
        let prepared = &self.prepared[codec as usize];
        if !prepared.swap(true, Ordering::Relaxed)
            && self.requests.try_send(Request::All(codec)).is_err()
        {
            prepared.store(false, Ordering::Relaxed);
        }
    }
}

impl Shelf for DriverShelf {
    fn has(&self, locale: &str, prompt: &str) -> bool {
        self.prompts.contains(locale, prompt)
    }

    fn length(&self, locale: &str, prompt: &str) -> Duration {
        self.prompts.length(locale, prompt)
    }

    fn prompt(&self, locale: &str, prompt: &str, codec: Codec) -> Option<Arc<[u8]>> {
        if !self.prompts.contains(locale, prompt) {
            // It was there when the order began; a rescan took it away.
            return Some(Arc::from([]));
        }
        let ready = self.prompts.ready(locale, prompt, codec);
        if ready.is_none() {
            // A full lane is asked again 10 ms later.
            let (locale, prompt) = (locale.into(), prompt.into());
            let _ = self.requests.try_send(Request::One { locale, prompt, codec });
        }
        ready
    }

    fn recording(&self, recording: u64) -> Option<Recording> {
        self.shared.recordings.find(recording)
    }
}

struct Coder {
    prompts: Arc<PromptLibrary>,
    lane: Receiver<Request>,
    later: VecDeque<(Arc<str>, Arc<str>, Codec)>,
}

impl Coder {
    fn run(mut self, stopping: &AtomicBool) {
        while !stopping.load(Ordering::Relaxed) {
            let wait = if self.later.is_empty() { WAIT } else { Duration::ZERO };
            match self.lane.recv_timeout(wait) {
                Ok(Request::One { locale, prompt, codec }) => self.code(&locale, &prompt, codec),
                Ok(Request::All(codec)) => {
                    let all = self.prompts.all();
                    self.later
                        .extend(all.into_iter().map(|(locale, prompt)| (locale, prompt, codec)));
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Some((locale, prompt, codec)) = self.later.pop_front() {
                        self.code(&locale, &prompt, codec);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn code(&self, locale: &str, prompt: &str, codec: Codec) {
        if let Err(error) = self.prompts.encode(locale, prompt, codec) {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, cause, prompt, locale, "a prompt is left out");
            self.prompts.leave_out(locale, prompt, codec);
        }
    }
}

/// Requests that may wait.
const REQUESTS: usize = 256;

/// How soon the thread notices that it is to stop.
const WAIT: Duration = Duration::from_millis(100);
