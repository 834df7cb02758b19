//! One transfer: a file goes out block by block, each acknowledged (RFC 1350), with the options of
//! RFC 2348, 2349 and 7440. Blocks are sent again only when time has passed, never because an
//! acknowledgement came twice: so no packet breeds others.

use std::time::Duration;

use super::packet;

/// What a client proposes; unknown options and senseless values are left out, as RFC 2347 wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Bytes in a block.
    pub(crate) block_size: Option<u16>,
    /// Seconds before a block is sent again.
    pub(crate) timeout: Option<u8>,
    /// The client wants to know how large the file is.
    pub(crate) size: bool,
    /// Blocks sent before an acknowledgement.
    pub(crate) window: Option<u16>,
}

/// A file on its way to a client.
#[derive(Debug)]
pub(crate) struct Transfer {
    file: Vec<u8>,
    block_size: usize,
    window: u64,
    /// The answer to the client's options, until it is acknowledged.
    agreement: Option<Vec<u8>>,
    /// The client has every block below this one; blocks count from 1 and never wrap.
    next: u64,
    /// The first block that was not sent yet.
    unsent: u64,
    confirmed: bool,
    timeout: Timeout,
    sends: u32,
    /// How often the client may ask again before it has answered.
    repeats: u32,
    due: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Timeout {
    /// As the client said.
    Agreed(Duration),
    /// Ours, longer each time.
    Growing(Duration),
}

/// How a transfer goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It goes on.
    Running,
    /// The client has everything.
    Done,
    /// The client does not answer.
    GivenUp,
}

impl Options {
    pub(crate) fn propose(&mut self, option: &str, value: &str) {
        let number = value.parse::<u64>().ok();
        let within = |low: u64, high: u64| number.filter(|value| (low..=high).contains(value));
        if option.eq_ignore_ascii_case("blksize") {
            self.block_size = within(8, 65_464)
                .map(|size| u16::try_from(size).unwrap_or(u16::MAX).min(LARGEST_BLOCK));
        } else if option.eq_ignore_ascii_case("timeout") {
            self.timeout = within(1, 255).and_then(|seconds| u8::try_from(seconds).ok());
        } else if option.eq_ignore_ascii_case("tsize") {
            self.size = number.is_some();
        } else if option.eq_ignore_ascii_case("windowsize") {
            self.window = within(1, 65_535)
                .map(|blocks| u16::try_from(blocks).unwrap_or(u16::MAX).min(LARGEST_WINDOW));
        }
    }

    /// The answer to what was proposed; `None` when nothing was.
    fn agreement(&self, size: usize) -> Option<Vec<u8>> {
        if *self == Self::default() {
            return None;
        }
        let mut packet = vec![0, 6];
        let mut agree = |option: &str, value: u64| {
            packet.extend_from_slice(option.as_bytes());
            packet.push(0);
            packet.extend_from_slice(value.to_string().as_bytes());
            packet.push(0);
        };
        if let Some(size) = self.block_size {
            agree("blksize", size.into());
        }
        if let Some(seconds) = self.timeout {
            agree("timeout", seconds.into());
        }
        if self.size {
            agree("tsize", size as u64);
        }
        if let Some(blocks) = self.window {
            agree("windowsize", blocks.into());
        }
        Some(packet)
    }
}

impl Transfer {
    /// Begins: the first packets go to `send`.
    pub(crate) fn begin(
        file: Vec<u8>,
        options: Options,
        now: Duration,
        send: &mut dyn FnMut(&[u8]),
    ) -> Self {
        let timeout = match options.timeout {
            Some(seconds) => Timeout::Agreed(Duration::from_secs(seconds.into())),
            None => Timeout::Growing(FIRST_TIMEOUT),
        };
        let mut transfer = Self {
            agreement: options.agreement(file.len()),
            block_size: options.block_size.unwrap_or(512).into(),
            window: options.window.unwrap_or(1).into(),
            file,
            next: 1,
            unsent: 1,
            confirmed: false,
            timeout,
            sends: 0,
            repeats: MOST_REPEATS,
            due: now,
        };
        transfer.send_again(now, send);
        transfer
    }

    /// The client asked again before it has answered: an answer was lost. Only now that it asks does
    /// its first block go again.
    pub(crate) fn asked_again(&mut self, send: &mut dyn FnMut(&[u8])) {
        if self.agreement.is_some() || self.repeats == 0 {
            // An answer to options is small and goes again when it is due.
            return;
        }
        self.repeats -= 1;
        self.unsent = self.next;
        self.send_window(send);
    }

    /// The client acknowledged a block.
    pub(crate) fn acknowledged(
        &mut self,
        block: u16,
        now: Duration,
        send: &mut dyn FnMut(&[u8]),
    ) -> Progress {
        if self.agreement.is_some() {
            if block != 0 {
                return Progress::Running;
            }
            self.agreement = None;
        } else {
            // Blocks are numbered in 16 bits and wrap; what is in flight tells which is meant.
            let last = self.next - 1;
            let advance = u64::from(block.wrapping_sub(last as u16));
            if advance == 0 || advance > self.unsent - self.next {
                return Progress::Running;
            }
            self.next = last + advance + 1;
        }
        self.confirmed = true;
        if self.next > self.blocks() {
            return Progress::Done;
        }
        // Blocks after a gap go again.
        self.unsent = self.next;
        self.sends = 0;
        if let Timeout::Growing(timeout) = &mut self.timeout {
            *timeout = FIRST_TIMEOUT;
        }
        self.send_again(now, send);
        Progress::Running
    }

    /// Time has passed: sends again what was not acknowledged, when that is due.
    pub(crate) fn tick(&mut self, now: Duration, send: &mut dyn FnMut(&[u8])) -> Progress {
        if now < self.due {
            return Progress::Running;
        }
        let bare = !self.confirmed && self.agreement.is_none();
        let most = match self.confirmed {
            true => MOST_SENDS,
            false if bare => MOST_FIRST_WAITS,
            false => MOST_FIRST_SENDS,
        };
        if self.sends >= most {
            return Progress::GivenUp;
        }
        if bare {
            // A block is many times as long as the request for it, and whoever is named as its sender
            // may never have asked: it goes again when the client does.
            self.wait(now);
            return Progress::Running;
        }
        self.unsent = self.next;
        self.send_again(now, send);
        Progress::Running
    }

    /// When [`Transfer::tick`] is due.
    pub(crate) fn due(&self) -> Duration {
        self.due
    }

    /// The client has answered at least once: its address is no invention.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// A file whose length is a multiple of the block size ends with an empty block.
    fn blocks(&self) -> u64 {
        (self.file.len() / self.block_size) as u64 + 1
    }

    fn send_again(&mut self, now: Duration, send: &mut dyn FnMut(&[u8])) {
        self.wait(now);
        match &self.agreement {
            Some(agreement) => send(agreement),
            None => self.send_window(send),
        }
    }

    /// Waits for an acknowledgement, longer each time.
    fn wait(&mut self, now: Duration) {
        self.sends += 1;
        let wait = match &mut self.timeout {
            Timeout::Agreed(wait) => *wait,
            Timeout::Growing(wait) => {
                let this = *wait;
                *wait = (this * 2).min(LONGEST_TIMEOUT);
                this
            }
        };
        self.due = now + wait;
    }

    /// Sends the blocks of the window that were not sent yet.
    fn send_window(&mut self, send: &mut dyn FnMut(&[u8])) {
        let end = (self.next + self.window).min(self.blocks() + 1);
        while self.unsent < end {
            let from = (self.unsent as usize - 1).saturating_mul(self.block_size);
            let to = (from + self.block_size).min(self.file.len());
            send(&packet::data(self.unsent as u16, self.file.get(from..to).unwrap_or_default()));
            self.unsent += 1;
        }
    }
}

/// Fits in an Ethernet frame with its headers, so that no datagram is cut in pieces.
const LARGEST_BLOCK: u16 = 1428;
/// Few enough that a port that was guessed is worth no more than the guesses (each of hundreds).
const LARGEST_WINDOW: u16 = 4;
const FIRST_TIMEOUT: Duration = Duration::from_secs(1);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(8);
const MOST_SENDS: u32 = 6;

/// Before the client has answered at all its address may be invented, and what is sent goes to
/// somebody who never asked.
const MOST_FIRST_SENDS: u32 = 3;

/// The same where nothing is sent while we wait: 15 seconds in all.
const MOST_FIRST_WAITS: u32 = 4;

/// A client that asks again and again gets its first block so often once more.
const MOST_REPEATS: u32 = 4;
