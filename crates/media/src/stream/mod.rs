//! One RTP stream both ways, without socket or clock: what the driver runs for the node's
//! resources and what a virtual phone runs for its call. It is given datagrams as they come and
//! asked for one packet each packet time; what happens is told on the spot.

mod keys;
mod receiver;
mod sender;

use core::time::Duration;
use std::sync::Arc;

use jackfield_vocabulary::{Codec, Digit, DigitSource, PlayEnd, PlayId, PlayItem, RecordEnd};

use crate::{
    codec::CodecFormat,
    player::{Missing, Player, Shelf},
    receive::ReceiveStatistics,
    recorder::{Recorder, Recording},
    rtcp::SenderInfo,
    rtp::RTP_PACKET_LIMIT,
};

pub use receiver::Ignored;
use receiver::Receiver;
use sender::Sender;

/// How a stream is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamSettings {
    /// The codec both ways.
    pub codec: Codec,
    /// Its payload type.
    pub payload_type: u8,
    /// The payload type of telephone-event, when negotiated.
    pub event_payload_type: Option<u8>,
    /// Packet time in milliseconds: a multiple of 10 from 10 to 60.
    pub ptime: u8,
    /// Decode all that comes, for an ear; otherwise only what keys and recordings need.
    pub ear: bool,
    /// Look for keys in the sound, where the codec keeps tones.
    pub tones: bool,
}

impl StreamSettings {
    /// Units of 10 ms in a packet: whatever was negotiated, brought into the range we send; two
    /// where nothing was.
    pub fn units(&self) -> usize {
        if self.ptime == 0 { 2 } else { usize::from(self.ptime.clamp(10, 60) / 10) }
    }
}

/// Where the counters of a stream start; RFC 3550 wants them random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamSeed {
    /// Our synchronisation source.
    pub ssrc: u32,
    /// The first sequence number.
    pub sequence: u16,
    /// The first timestamp.
    pub timestamp: u32,
}

/// What happens on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamEvent {
    /// A key was pressed.
    Digit(Digit, DigitSource),
    /// Playing ended.
    Played(PlayId, PlayEnd),
    /// A recording ended.
    Recorded(u64, RecordEnd, Recording),
}

/// A stream.
#[derive(Debug)]
pub struct Stream {
    settings: StreamSettings,
    sender: Sender,
    receiver: Receiver,
    player: Player,
    recorder: Option<Recorder>,
}

impl Stream {
    /// A stream that begins; none where the codec is not there.
    pub fn new(settings: StreamSettings, seed: StreamSeed) -> Option<Self> {
        Some(Self {
            settings,
            sender: Sender::new(&settings, seed)?,
            receiver: Receiver::new(&settings)?,
            player: Player::default(),
            recorder: None,
        })
    }

    /// Goes on with other settings (re-INVITE), and with another far side where `moved`; answers
    /// false, and changes nothing, where the codec is not there.
    pub fn change(
        &mut self,
        settings: StreamSettings,
        moved: bool,
        tell: &mut dyn FnMut(StreamEvent),
    ) -> bool {
        let recoded = settings.codec != self.settings.codec;
        if (recoded || moved) && !self.receiver.change(&settings) {
            return false;
        }
        if !self.sender.change(&settings, recoded) {
            return false;
        }
        self.receiver.settings = settings;
        self.settings = settings;
        if recoded {
            self.player.codec_changed();
            let rate = CodecFormat::of(settings.codec).rate;
            if self.recorder.as_ref().is_some_and(|recorder| recorder.rate() != rate) {
                self.end_recording(RecordEnd::Stopped, tell);
            }
        }
        true
    }

    /// Takes a datagram that arrived `now`; times count from any moment that stays the same.
    pub fn receive(
        &mut self,
        now: Duration,
        datagram: &[u8],
        tell: &mut dyn FnMut(StreamEvent),
    ) -> Result<(), Ignored> {
        let listening = self.recorder.is_some();
        if let Some(digit) = self.receiver.datagram(now, datagram, listening)? {
            self.digit(digit, DigitSource::Event, tell);
        }
        Ok(())
    }

    /// The packet of this packet time into `out`; answers its length. To be called once each
    /// packet time as long as the stream sends.
    pub fn send(
        &mut self,
        shelf: &dyn Shelf,
        out: &mut [u8; RTP_PACKET_LIMIT],
        tell: &mut dyn FnMut(StreamEvent),
    ) -> usize {
        self.sender.packet(&mut self.player, shelf, out, &mut |play| {
            tell(StreamEvent::Played(play, PlayEnd::Finished));
        })
    }

    /// A packet time passes in which nothing is sent.
    pub fn skip(&mut self) {
        self.sender.skip();
    }

    /// So many milliseconds pass in which nothing is sent, besides the packet times. Timestamps go
    /// on with the time even where packets don't (RFC 3550 section 5.1).
    pub fn pass(&mut self, milliseconds: u32) {
        self.sender.pass(milliseconds);
    }

    /// The sound of this packet time, as far as anybody listens: at the codec's rate for an ear,
    /// empty otherwise. To be called once each packet time as long as the stream receives.
    pub fn hear(&mut self, now: Duration, tell: &mut dyn FnMut(StreamEvent)) -> &[i16] {
        let listening = self.recorder.is_some();
        self.receiver.play_out(listening);
        let limit = self.recorder.as_mut().and_then(|it| it.listen(self.receiver.heard()));
        if let Some(end) = limit {
            self.end_recording(end, tell);
        }
        while let Some(digit) = self.receiver.tone(now) {
            self.digit(digit, DigitSource::Tone, tell);
        }
        self.receiver.heard()
    }

    /// Plays the items; takes the place of what plays now.
    pub fn play(
        &mut self,
        play: PlayId,
        items: Vec<PlayItem>,
        barge_in: bool,
        shelf: &dyn Shelf,
        tell: &mut dyn FnMut(StreamEvent),
    ) -> Result<(), Missing> {
        if let Some(before) = self.player.play(play, items, barge_in, shelf)? {
            tell(StreamEvent::Played(before, PlayEnd::Stopped));
        }
        Ok(())
    }

    /// Plays a sound at 16 kHz; takes the place of what plays now.
    pub fn play_sound(
        &mut self,
        play: PlayId,
        sound: Arc<[i16]>,
        tell: &mut dyn FnMut(StreamEvent),
    ) {
        if let Some(before) = self.player.play_sound(play, sound) {
            tell(StreamEvent::Played(before, PlayEnd::Stopped));
        }
    }

    /// Stops what plays.
    pub fn stop_play(&mut self, tell: &mut dyn FnMut(StreamEvent)) {
        if let Some(play) = self.player.stop() {
            tell(StreamEvent::Played(play, PlayEnd::Stopped));
        }
    }

    /// Records what is heard; a recording that is being made ends.
    pub fn record(
        &mut self,
        recording: u64,
        limit: Duration,
        until_digit: bool,
        tell: &mut dyn FnMut(StreamEvent),
    ) {
        self.end_recording(RecordEnd::Stopped, tell);
        let rate = CodecFormat::of(self.settings.codec).rate;
        self.recorder = Some(Recorder::new(recording, rate, limit, until_digit));
    }

    /// Ends the recording that is being made.
    pub fn stop_record(&mut self, tell: &mut dyn FnMut(StreamEvent)) {
        self.end_recording(RecordEnd::Stopped, tell);
    }

    /// How the stream is coded.
    pub fn settings(&self) -> &StreamSettings {
        &self.settings
    }

    /// What was received.
    pub fn received(&mut self) -> &mut ReceiveStatistics {
        &mut self.receiver.statistics
    }

    /// What was sent, for a report; the NTP time is the caller's.
    pub fn sent(&self, ntp: u64) -> SenderInfo {
        self.sender.info(ntp)
    }

    /// RTP packets sent so far.
    pub fn packets_sent(&self) -> u64 {
        self.sender.packets()
    }

    /// Our synchronisation source.
    pub fn ssrc(&self) -> u32 {
        self.sender.ssrc()
    }

    /// Whether something is being played.
    pub fn is_playing(&self) -> bool {
        self.player.is_playing()
    }

    fn digit(&mut self, digit: Digit, source: DigitSource, tell: &mut dyn FnMut(StreamEvent)) {
        tell(StreamEvent::Digit(digit, source));
        if let Some((play, end)) = self.player.digit() {
            tell(StreamEvent::Played(play, end));
        }
        if let Some(end) = self.recorder.as_ref().and_then(Recorder::digit) {
            self.end_recording(end, tell);
        }
    }

    fn end_recording(&mut self, end: RecordEnd, tell: &mut dyn FnMut(StreamEvent)) {
        if let Some(recorder) = self.recorder.take() {
            let recording = recorder.recording;
            tell(StreamEvent::Recorded(recording, end, recorder.finish()));
        }
    }
}

#[cfg(test)]
mod tests;
