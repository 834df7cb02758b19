//! One resource: its sockets, and its stream once it is connected.

use core::{net::SocketAddr, time::Duration};
use std::{collections::HashSet, io};

use jackfield_vocabulary::{
    MediaEvent, MediaFailure, MediaId, MediaStatistics, MediaTarget, PlayEnd, PlayId, PlayItem,
    RecordEnd,
};
use mio::net::UdpSocket;

use super::{DriverSettings, Shared, latch::Latch, shelf::DriverShelf};
use crate::{
    codec::CodecFormat,
    length::length,
    player::{Shelf, is_there},
    rtcp::{RtcpPacket, ntp_time, parse_rtcp, print_bye, print_report},
    rtp::{RTP_PACKET_LIMIT, RtpPacket, is_rtcp},
    stream::{Stream, StreamEvent, StreamSeed, StreamSettings},
};

/// What a resource needs of the driver to act.
pub(super) struct Context<'a> {
    /// Time since the driver started.
    pub(super) now: Duration,
    /// How late the present slot is.
    pub(super) late: Duration,
    pub(super) settings: &'a DriverSettings,
    /// The driver's RTP ports.
    pub(super) own: &'a HashSet<u16>,
    pub(super) shelf: &'a DriverShelf,
    pub(super) shared: &'a Shared,
    pub(super) tell: &'a mut dyn FnMut(MediaEvent),
}

#[derive(Debug)]
pub(super) struct Resource {
    pub(super) media: MediaId,
    pub(super) local: SocketAddr,
    pub(super) generation: u32,
    pub(super) rtp: UdpSocket,
    pub(super) rtcp: UdpSocket,
    seed: StreamSeed,
    session: Option<Session>,
    /// An order that came before the far side was known.
    play: Option<(PlayId, Vec<PlayItem>, bool)>,
    /// Likewise: handle, limit, until a digit.
    record: Option<(u64, Duration, bool)>,
}

#[derive(Debug)]
struct Session {
    target: MediaTarget,
    stream: Stream,
    rtp: Latch,
    rtcp: Latch,
    /// When RTP came last, or receiving began.
    heard: Duration,
    silent: bool,
    /// When a packet of any kind came last, or the far side was first known: a new negotiation does
    /// not begin anew.
    alive: Duration,
    /// It was told that packets come from another host.
    elsewhere: bool,
    /// When the next RTCP report is due.
    report: Duration,
    /// The middle of the NTP time of the far side's last report, and when it came.
    reported: Option<(u32, Duration)>,
}

impl Resource {
    pub(super) fn new(
        media: MediaId,
        local: SocketAddr,
        generation: u32,
        sockets: (UdpSocket, UdpSocket),
        seed: StreamSeed,
    ) -> Self {
        let (rtp, rtcp) = sockets;
        Self { media, local, generation, rtp, rtcp, seed, session: None, play: None, record: None }
    }

    /// Takes a far side; answers whether the clock is to be started.
    pub(super) fn connect(&mut self, target: MediaTarget, context: &mut Context<'_>) -> bool {
        let settings = StreamSettings {
            codec: target.codec,
            payload_type: target.payload_type,
            event_payload_type: target.event_payload_type,
            ptime: target.ptime,
            ear: false,
            tones: true,
        };
        context.shelf.prepare(target.codec);
        if let Some(session) = &mut self.session {
            if !session.change(self.media, settings, target, context) {
                context.fail(self.media, MediaFailure::Codec);
            }
            return false;
        }
        let Some(stream) = Stream::new(settings, self.seed) else {
            context.fail(self.media, MediaFailure::Codec);
            return false;
        };
        let first = FIRST_REPORT + Duration::from_millis(u64::from(self.seed.ssrc % 2_500));
        self.session = Some(Session {
            rtp: Latch::new(target.remote, target.signalled),
            rtcp: Latch::new(rtcp_of(&target), target.signalled),
            target,
            stream,
            heard: context.now,
            silent: false,
            alive: context.now,
            elsewhere: false,
            report: context.now + first,
            reported: None,
        });
        if let Some((recording, limit, until_digit)) = self.record.take() {
            self.record(recording, limit, until_digit, context);
        }
        if let Some((play, items, barge_in)) = self.play.take() {
            self.play(play, items, barge_in, context);
        }
        true
    }

    pub(super) fn play(
        &mut self,
        play: PlayId,
        items: Vec<PlayItem>,
        barge_in: bool,
        context: &mut Context<'_>,
    ) {
        let media = self.media;
        let length = length(&items, context.shelf);
        let there = match &mut self.session {
            Some(session) => {
                let (shelf, mut tell) = context.split(media);
                session.stream.play(play, items, barge_in, shelf, &mut tell).is_ok()
            }
            None => {
                let there = items.iter().all(|item| is_there(item, context.shelf));
                if there && let Some((before, ..)) = self.play.replace((play, items, barge_in)) {
                    let end = PlayEnd::Stopped;
                    (context.tell)(MediaEvent::Played { media, play: before, end });
                }
                there
            }
        };
        if there {
            (context.tell)(MediaEvent::Playing { media, play, length });
        } else {
            (context.tell)(MediaEvent::Unplayable { media, play });
        }
    }

    pub(super) fn stop_play(&mut self, context: &mut Context<'_>) {
        let media = self.media;
        if let Some((play, ..)) = self.play.take() {
            (context.tell)(MediaEvent::Played { media, play, end: PlayEnd::Stopped });
        }
        if let Some(session) = &mut self.session {
            session.stream.stop_play(&mut context.split(media).1);
        }
    }

    pub(super) fn record(
        &mut self,
        recording: u64,
        limit: Duration,
        until_digit: bool,
        context: &mut Context<'_>,
    ) {
        let media = self.media;
        match &mut self.session {
            Some(session) => {
                let mut tell = context.split(media).1;
                session.stream.record(recording, limit, until_digit, &mut tell);
            }
            None => {
                self.stop_record(context);
                self.record = Some((recording, limit, until_digit));
            }
        }
    }

    pub(super) fn stop_record(&mut self, context: &mut Context<'_>) {
        let media = self.media;
        if let Some((recording, ..)) = self.record.take() {
            let (end, length) = (RecordEnd::Stopped, Duration::ZERO);
            (context.tell)(MediaEvent::Recorded { media, recording, end, length });
        }
        if let Some(session) = &mut self.session {
            session.stream.stop_record(&mut context.split(media).1);
        }
    }

    /// Ends everything, says goodbye and tells what went over the resource.
    pub(super) fn release(&mut self, context: &mut Context<'_>) {
        self.stop_play(context);
        self.stop_record(context);
        let mut statistics = MediaStatistics::default();
        if let Some(session) = &mut self.session {
            session.send_report(&self.rtcp, true, context);
            let clock = CodecFormat::of(session.target.codec).clock;
            let received = session.stream.received();
            statistics.received = received.received();
            statistics.lost = received.lost();
            let micros = u64::from(received.jitter()) * 1_000_000 / u64::from(clock);
            statistics.jitter_micros = micros.min(u32::MAX.into()) as u32;
            statistics.sent = session.stream.packets_sent();
        }
        (context.tell)(MediaEvent::Released { media: self.media, statistics });
    }

    /// Sends the packet of a packet time.
    pub(super) fn send(&mut self, context: &mut Context<'_>) {
        if let Some(session) = &mut self.session {
            session.send(self.media, &self.rtp, context);
        }
    }

    /// Hears what came in a packet time; answers its length in milliseconds.
    pub(super) fn hear(&mut self, context: &mut Context<'_>) -> Option<u64> {
        let media = self.media;
        let session = self.session.as_mut()?;
        if session.target.receive {
            let now = context.now;
            session.stream.hear(now, &mut context.split(media).1);
            session.watch(media, context);
        }
        if context.now >= session.report {
            session.report = context.now + REPORT_INTERVAL;
            session.send_report(&self.rtcp, false, context);
        }
        Some(session.stream.settings().units() as u64 * 10)
    }

    /// The clock was set anew, so many milliseconds later.
    pub(super) fn pass(&mut self, milliseconds: u32) {
        if let Some(session) = &mut self.session {
            session.stream.pass(milliseconds);
        }
    }

    /// Reads one datagram from the RTP socket; false when there is none.
    pub(super) fn read_rtp(&mut self, context: &mut Context<'_>) -> bool {
        let mut bytes = [0; RTP_PACKET_LIMIT + 1];
        let (datagram, source) = match self.rtp.recv_from(&mut bytes) {
            Ok((length, source)) => (&bytes[..length], source),
            Err(error) => return !is_empty(&error),
        };
        let media = self.media;
        match &mut self.session {
            Some(session) if is_rtcp(datagram) => session.reported(datagram, source, context),
            Some(session) => session.received(media, datagram, source, context),
            None => context.shared.figures.ignored(),
        }
        true
    }

    /// Reads one datagram from the RTCP socket; false when there is none.
    pub(super) fn read_rtcp(&mut self, context: &mut Context<'_>) -> bool {
        let mut bytes = [0; RTP_PACKET_LIMIT + 1];
        match self.rtcp.recv_from(&mut bytes) {
            Ok((length, source)) => {
                if let Some(session) = &mut self.session {
                    session.reported(&bytes[..length], source, context);
                }
                true
            }
            Err(error) => !is_empty(&error),
        }
    }
}

impl Session {
    fn change(
        &mut self,
        media: MediaId,
        settings: StreamSettings,
        target: MediaTarget,
        context: &mut Context<'_>,
    ) -> bool {
        let moved = target.remote != self.target.remote;
        if !self.stream.change(settings, moved, &mut context.split(media).1) {
            return false;
        }
        if moved {
            self.rtp = Latch::new(target.remote, target.signalled);
        }
        if rtcp_of(&target) != self.rtcp.negotiated() {
            self.rtcp = Latch::new(rtcp_of(&target), target.signalled);
        }
        self.heard = context.now;
        self.silent = false;
        self.target = target;
        true
    }

    fn send(&mut self, media: MediaId, socket: &UdpSocket, context: &mut Context<'_>) {
        // On hold what plays waits. Where nothing may be sent it goes on all the same, so that whoever
        // waits for its end does not wait for ever.
        let destination = self.rtp.destination().filter(|_| self.target.send);
        let Some(destination) = destination else { return self.stream.skip() };
        let mut packet = [0; RTP_PACKET_LIMIT];
        let (shelf, mut tell) = context.split(media);
        let length = self.stream.send(shelf, &mut packet, &mut tell);
        drop(tell);
        if self.is_given_up(context.now) || context.is_own(destination) {
            return;
        }
        match socket.send_to(&packet[..length], destination) {
            Ok(_) => context.shared.figures.sent(context.late),
            Err(_) => context.shared.figures.send_failed(),
        }
    }

    fn received(
        &mut self,
        media: MediaId,
        datagram: &[u8],
        source: SocketAddr,
        context: &mut Context<'_>,
    ) {
        if !self.target.receive || !self.rtp.allows(source) {
            self.tell_elsewhere(media, datagram, source, context);
            return context.shared.figures.ignored();
        }
        let now = context.now;
        let taken = self.stream.receive(now, datagram, &mut context.split(media).1);
        match taken {
            Ok(()) => {
                self.rtp.confirm(source);
                (self.heard, self.alive) = (now, now);
                self.silent = false;
                context.shared.figures.received();
            }
            Err(_) => context.shared.figures.ignored(),
        }
    }

    /// Nothing has come from the far side for too long: perhaps it never asked for this.
    fn is_given_up(&self, now: Duration) -> bool {
        now.saturating_sub(self.alive) >= self.target.patience
    }

    /// Sound that nobody hears: once somebody is told where it comes from.
    fn tell_elsewhere(
        &mut self,
        media: MediaId,
        datagram: &[u8],
        source: SocketAddr,
        context: &mut Context<'_>,
    ) {
        let new = !self.elsewhere && self.target.receive && self.rtp.is_elsewhere(source);
        if new && RtpPacket::parse(datagram).is_ok() {
            self.elsewhere = true;
            let expected = self.rtp.negotiated();
            (context.tell)(MediaEvent::Elsewhere { media, from: source, expected });
        }
    }

    /// Tells once when nothing comes.
    fn watch(&mut self, media: MediaId, context: &mut Context<'_>) {
        let length = context.now.saturating_sub(self.heard);
        if !self.silent && length >= context.settings.silence {
            self.silent = true;
            (context.tell)(MediaEvent::Silent { media, length });
        }
    }

    /// Takes an RTCP compound.
    fn reported(&mut self, datagram: &[u8], source: SocketAddr, context: &mut Context<'_>) {
        if !self.rtcp.allows(source) {
            return context.shared.figures.ignored();
        }
        let Ok(packets) = parse_rtcp(datagram) else { return context.shared.figures.ignored() };
        if source != self.rtp.negotiated() {
            self.rtcp.confirm(source);
        }
        self.alive = context.now;
        for packet in packets {
            if let RtcpPacket::SenderReport { sender, .. } = packet {
                self.reported = Some(((sender.ntp >> 16) as u32, context.now));
            }
        }
    }

    fn send_report(&mut self, socket: &UdpSocket, bye: bool, context: &Context<'_>) {
        let destination = self.rtcp.destination().filter(|_| !self.is_given_up(context.now));
        let destination = destination.filter(|to| !context.is_own(*to));
        let Some(destination) = destination else { return };
        let since_1970 = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        let mut block = self.stream.received().report();
        if let (Some(block), Some((middle, at))) = (&mut block, self.reported) {
            let delay = context.now.saturating_sub(at).as_micros() * 65_536 / 1_000_000;
            block.last_report = middle;
            block.delay = delay.min(u32::MAX.into()) as u32;
        }
        let sent = self.stream.packets_sent() > 0;
        let sender = sent.then(|| self.stream.sent(ntp_time(since_1970)));
        let mut out = Vec::with_capacity(128);
        print_report(self.stream.ssrc(), sender, block, &context.settings.name, &mut out);
        if bye {
            print_bye(self.stream.ssrc(), &mut out);
        }
        if let Err(error) = socket.send_to(&out, destination) {
            tracing::debug!(%error, "an RTCP report could not be sent");
        }
    }
}

impl Context<'_> {
    pub(super) fn fail(&mut self, media: MediaId, failure: MediaFailure) {
        (self.tell)(MediaEvent::Failed { media, failure });
    }

    /// Is this a socket of the node itself, to which sound is never meant to go? Other ports of the
    /// driver's range may be those of phones on the same machine.
    fn is_own(&self, to: SocketAddr) -> bool {
        let (host, settings) = (to.ip().to_canonical(), self.settings);
        let named = host == settings.advertised || host == settings.bind;
        let bound = named || settings.bind.is_unspecified() && host.is_loopback();
        let service = settings.closed.contains(&to.port()) && (named || host.is_loopback());
        service || (bound && self.own.contains(&(to.port() & !1)))
    }

    /// What a stream needs: the shelf, and somebody to tell.
    fn split(&mut self, media: MediaId) -> (&dyn Shelf, impl FnMut(StreamEvent)) {
        let (shared, tell) = (self.shared, &mut *self.tell);
        let tell = move |event| match event {
            StreamEvent::Digit(digit, source) => tell(MediaEvent::Digit { media, digit, source }),
            StreamEvent::Played(play, end) => tell(MediaEvent::Played { media, play, end }),
            StreamEvent::Recorded(recording, end, sound) => {
                let length = sound.length();
                shared.recordings.keep(recording, sound);
                tell(MediaEvent::Recorded { media, recording, end, length });
            }
        };
        (self.shelf, tell)
    }
}

/// RTCP goes to the next port unless it was named.
fn rtcp_of(target: &MediaTarget) -> SocketAddr {
    let next = SocketAddr::new(target.remote.ip(), target.remote.port().saturating_add(1));
    target.rtcp.unwrap_or(next)
}

/// Other errors belong to a packet of ours that nobody took; the next read goes on.
fn is_empty(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// The first report comes after half the interval and a part that differs from call to call.
const FIRST_REPORT: Duration = Duration::from_millis(2_500);

const REPORT_INTERVAL: Duration = Duration::from_secs(5);
