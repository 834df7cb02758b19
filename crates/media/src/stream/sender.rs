//! The sending half: one packet each packet time, sound or telephone-event, on one timeline.

use jackfield_vocabulary::{Codec, Digit, PlayId};

use super::{StreamSeed, StreamSettings};
use crate::{
    codec::{CodecFormat, Encoder},
    player::{Player, Shelf, Unit, fill_silence},
    rtcp::SenderInfo,
    rtp::{RTP_HEADER, RTP_PACKET_LIMIT, RtpHeader},
    telephone_event::{EventPacket, EventSender},
};

#[derive(Debug)]
pub(super) struct Sender {
    codec: Codec,
    format: CodecFormat,
    payload_type: u8,
    event_payload_type: Option<u8>,
    units: usize,
    encoder: Encoder,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    /// The next packet begins a talk spurt.
    marker: bool,
    pressing: Option<EventSender>,
    /// A key that waits for the next packet.
    pending: Option<Digit>,
    /// Units of silence still to come after a key.
    pause: usize,
    packets: u64,
    bytes: u32,
}

impl Sender {
    pub(super) fn new(settings: &StreamSettings, seed: StreamSeed) -> Option<Self> {
        Some(Self {
            codec: settings.codec,
            format: CodecFormat::of(settings.codec),
            payload_type: settings.payload_type,
            event_payload_type: settings.event_payload_type,
            units: settings.units(),
            encoder: Encoder::new(settings.codec)?,
            ssrc: seed.ssrc,
            sequence: seed.sequence,
            timestamp: seed.timestamp,
            marker: true,
            pressing: None,
            pending: None,
            pause: 0,
            packets: 0,
            bytes: 0,
        })
    }

    pub(super) fn change(&mut self, settings: &StreamSettings, recoded: bool) -> bool {
        if recoded {
            let Some(encoder) = Encoder::new(settings.codec) else { return false };
            self.encoder = encoder;
            self.codec = settings.codec;
            self.format = CodecFormat::of(settings.codec);
            self.marker = true;
        }
        self.payload_type = settings.payload_type;
        self.event_payload_type = settings.event_payload_type;
        self.units = settings.units();
        true
    }

    pub(super) fn skip(&mut self) {
        self.pass(self.units as u32 * 10);
    }

    pub(super) fn pass(&mut self, milliseconds: u32) {
        let ticks = milliseconds.wrapping_mul(self.format.unit_ticks() / 10);
        self.timestamp = self.timestamp.wrapping_add(ticks);
        self.marker = true;
    }

    pub(super) fn packet(
        &mut self,
        player: &mut Player,
        shelf: &dyn Shelf,
        out: &mut [u8; RTP_PACKET_LIMIT],
        finished: &mut dyn FnMut(PlayId),
    ) -> usize {
        if self.pressing.is_none() && self.pause == 0 {
            let length = KEY_MILLISECONDS * self.format.clock / 1_000;
            self.pressing =
                self.pending.take().map(|digit| EventSender::new(digit, self.timestamp, length));
        }
        let length = match self.next_event() {
            Some((payload_type, packet)) => self.event(payload_type, packet, out),
            None => self.sound(player, shelf, out, finished),
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(self.ticks());
        self.packets += 1;
        self.bytes = self.bytes.wrapping_add((length - RTP_HEADER) as u32);
        length
    }

    pub(super) fn info(&self, ntp: u64) -> SenderInfo {
        let (packets, bytes) = (self.packets as u32, self.bytes);
        SenderInfo { ntp, timestamp: self.timestamp, packets, bytes }
    }

    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    pub(super) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    fn next_event(&mut self) -> Option<(u8, EventPacket)> {
        let ticks = self.ticks();
        let pressing = self.pressing.as_mut()?;
        let packet = self.event_payload_type.zip(pressing.next(ticks));
        if packet.is_none() {
            self.pressing = None;
            self.pause = PAUSE_UNITS;
            self.marker = true;
        }
        packet
    }

    fn event(
        &mut self,
        payload_type: u8,
        packet: EventPacket,
        out: &mut [u8; RTP_PACKET_LIMIT],
    ) -> usize {
        let EventPacket { marker, timestamp, event } = packet;
        self.print_header(RtpHeader { marker, payload_type, timestamp, ..self.header() }, out);
        out[RTP_HEADER..RTP_HEADER + 4].copy_from_slice(&event.bytes());
        RTP_HEADER + 4
    }

    fn sound(
        &mut self,
        player: &mut Player,
        shelf: &dyn Shelf,
        out: &mut [u8; RTP_PACKET_LIMIT],
        finished: &mut dyn FnMut(PlayId),
    ) -> usize {
        let header = RtpHeader { marker: core::mem::take(&mut self.marker), ..self.header() };
        self.print_header(header, out);
        let length = self.format.unit_bytes * self.units;
        let payload = &mut out[RTP_HEADER..RTP_HEADER + length];
        for unit in payload.chunks_exact_mut(self.format.unit_bytes) {
            if self.pause > 0 || self.pending.is_some() {
                self.pause = self.pause.saturating_sub(1);
                fill_silence(self.codec, unit);
            } else {
                self.unit(player, shelf, unit, finished);
            }
        }
        RTP_HEADER + length
    }

    fn unit(
        &mut self,
        player: &mut Player,
        shelf: &dyn Shelf,
        unit: &mut [u8],
        finished: &mut dyn FnMut(PlayId),
    ) {
        let events = self.event_payload_type.is_some();
        loop {
            match player.next(self.codec, events, &mut self.encoder, shelf, unit) {
                Unit::Sound => return,
                Unit::Finished(play) => finished(play),
                Unit::Press(digit) => {
                    self.pending = Some(digit);
                    return fill_silence(self.codec, unit);
                }
                Unit::Nothing => return fill_silence(self.codec, unit),
            }
        }
    }

    fn header(&self) -> RtpHeader {
        RtpHeader {
            marker: false,
            payload_type: self.payload_type,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
        }
    }

    fn print_header(&self, header: RtpHeader, out: &mut [u8; RTP_PACKET_LIMIT]) {
        out[..RTP_HEADER].copy_from_slice(&header.bytes());
    }

    fn ticks(&self) -> u32 {
        self.format.unit_ticks() * self.units as u32
    }
}

/// A key is held for 100 ms ...
const KEY_MILLISECONDS: u32 = 100;

/// ... and followed by as much silence at least.
const PAUSE_UNITS: usize = 10;
