//! RTP over sockets, while there are calls.

use std::io;
use std::net::SocketAddr;

use jackfield_sip::Now;
use mio::net::UdpSocket;
use mio::{Interest, Token};

use super::stamped::{note_arrivals, receive};
use super::timers::Wake;
use super::{Conductor, Driver, Source};
use crate::interface::{AudioOrder, CallNumber, PhoneInput};
use crate::sound::{AudioStream, Hearing};

/// The audio of a call.
pub(super) struct AudioSlot {
    stream: AudioStream,
    socket: Token,
    running: bool,
}

/// The socket of a call.
pub(super) struct RtpSource {
    index: usize,
    call: CallNumber,
    socket: UdpSocket,
}

impl AudioSlot {
    pub(super) fn hearing(&self) -> &Hearing {
        self.stream.hearing()
    }

    pub(super) fn listen_again(&mut self) {
        self.stream.listen_again();
    }
}

impl<C: Conductor> Driver<C> {
    pub(super) fn audio(&mut self, index: usize, call: CallNumber, order: AudioOrder) {
        match order {
            AudioOrder::Open => {
                let local = self.open_audio(index, call).ok();
                self.inbox.push((index, PhoneInput::AudioOpened { call, local }));
            }
            AudioOrder::Connect(target) => {
                let now = self.now();
                let Some(slot) = self.slots[index].audio.get_mut(&call) else { return };
                slot.stream.connect(now, target);
                if let Some(due) = slot.stream.due().filter(|_| !slot.running) {
                    slot.running = true;
                    self.timers.set(due, Wake::Rtp(index, call));
                }
            }
            AudioOrder::Digit { digit, tone } => {
                if let Some(slot) = self.slots[index].audio.get_mut(&call) {
                    slot.stream.digit(digit, tone);
                }
            }
            AudioOrder::Play(sound) => {
                if let Some(slot) = self.slots[index].audio.get_mut(&call) {
                    slot.stream.play(sound);
                }
            }
            AudioOrder::Close => {
                let slot = &mut self.slots[index];
                if let Some(audio) = slot.audio.remove(&call) {
                    slot.heard = audio.stream.into_hearing();
                    self.sources.remove(&audio.socket);
                    self.sounding -= 1;
                }
            }
        }
    }

    pub(super) fn rtp_due(&mut self, index: usize, call: CallNumber) {
        let now = self.now();
        let Some(slot) = self.slots[index].audio.get_mut(&call) else { return };
        if let Some((packet, to)) = slot.stream.packet(now)
            && let Some(Source::Rtp(rtp)) = self.sources.get(&slot.socket)
        {
            // A packet that does not go out now is too late.
            let _ = rtp.socket.send_to(&packet, to);
        }
        if let Some(due) = slot.stream.due() {
            self.timers.set(due, Wake::Rtp(index, call));
        }
    }

    pub(super) fn rtp_ready(&mut self, rtp: RtpSource) -> Source {
        let mut buffer = [0_u8; 2_048];
        while let Ok((length, age)) = receive(&rtp.socket, &mut buffer) {
            let arrived = Now(self.started.elapsed().saturating_sub(age));
            let Some(slot) = self.slots[rtp.index].audio.get_mut(&rtp.call) else { break };
            if let Some(digit) = slot.stream.receive(arrived, &buffer[..length]) {
                let input = PhoneInput::DigitHeard { call: rtp.call, digit };
                self.inbox.push((rtp.index, input));
            }
        }
        Source::Rtp(rtp)
    }

    fn open_audio(&mut self, index: usize, call: CallNumber) -> io::Result<SocketAddr> {
        let mut socket = UdpSocket::bind(SocketAddr::new(self.ip, 0))?;
        let local = socket.local_addr()?;
        if let Err(error) = note_arrivals(&socket) {
            tracing::warn!(%error, "the kernel does not tell when packets come");
        }
        let token = self.token();
        self.poll.registry().register(&mut socket, token, Interest::READABLE)?;
        self.sources.insert(token, Source::Rtp(RtpSource { index, call, socket }));
        let seed = self.slots[index].phone.settings().seed ^ (token.0 as u64) << 24;
        let stream = AudioStream::new(seed);
        let slot = AudioSlot { stream, socket: token, running: false };
        if let Some(before) = self.slots[index].audio.insert(call, slot) {
            self.sources.remove(&before.socket);
        } else {
            self.sounding += 1;
        }
        Ok(local)
    }
}
