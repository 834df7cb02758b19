//! The jitter buffer: puts packets in order and holds them for as long as the network wavers, no
//! longer. It is asked for one packet after another by whoever plays; its depth follows the
//! measured delays, between two packets and [`DEEPEST`].

/// Packets waiting to be played.
#[derive(Clone, Debug)]
pub struct JitterBuffer {
    slots: Vec<Slot>,
    /// The sequence number to be played next; none before the first packet.
    next: Option<u16>,
    /// The highest sequence number in the buffer.
    newest: u16,
    /// Holding back until enough is there.
    waiting: bool,
    /// Something was played since the buffer was empty of all history.
    begun: bool,
    delay: Delay,
    /// How often in a row the buffer was deeper than it has to be.
    too_deep: u32,
    late: u64,
}

/// What there is to play.
#[derive(Debug, PartialEq, Eq)]
pub enum Playable<'a> {
    /// The next packet.
    Packet(&'a [u8]),
    /// The next packet did not come, but a later one did.
    Lost,
    /// Nothing is there, or not enough yet.
    Nothing,
}

impl JitterBuffer {
    /// An empty buffer for packets whose timestamps count `clock` steps a second.
    pub fn new(clock: u32) -> Self {
        let delay = Delay { clock, ..Delay::default() };
        Self {
            slots: Vec::new(),
            next: None,
            newest: 0,
            waiting: true,
            begun: false,
            delay,
            too_deep: 0,
            late: 0,
        }
    }

    /// Takes a packet that arrived at `arrival` microseconds.
    pub fn push(&mut self, sequence: u16, timestamp: u32, arrival: u64, payload: &[u8]) {
        if payload.len() > crate::RTP_PACKET_LIMIT {
            return;
        }
        self.delay.measure(sequence, timestamp, arrival);
        let next = *self.next.get_or_insert(sequence);
        let ahead = sequence.wrapping_sub(next);
        let behind = next.wrapping_sub(sequence);
        if ahead >= 0x8000 && behind <= LATE {
            // Before anything was played, an earlier packet only moves the start.
            if self.begun || !self.room_for(behind) {
                self.late += 1;
                return;
            }
            self.next = Some(sequence);
        } else if ahead >= CAPACITY {
            self.restart(sequence);
        }
        self.store(sequence, payload);
    }

    /// The next packet, once for each packet time.
    pub fn pop(&mut self) -> Playable<'_> {
        let depth = self.depth();
        let target = self.delay.target();
        if depth == 0 || self.waiting && depth < target {
            self.waiting = true;
            return Playable::Nothing;
        }
        self.waiting = false;
        self.begun = true;
        self.too_deep = if depth > target + SLACK { self.too_deep + 1 } else { 0 };
        if self.too_deep > PATIENCE {
            self.too_deep = 0;
            self.take();
        }
        match self.take() {
            Some(index) => Playable::Packet(&self.slots[index].payload),
            None => Playable::Lost,
        }
    }

    /// Packets from the next to the newest, missing ones too.
    pub fn depth(&self) -> u16 {
        match self.next {
            Some(next) => self.newest.wrapping_sub(next).wrapping_add(1).min(CAPACITY),
            None => 0,
        }
    }

    /// Packets that came after their time.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Forgets everything but the measured delays.
    pub fn clear(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.filled = false);
        self.next = None;
        self.waiting = true;
        self.begun = false;
    }

    fn room_for(&self, behind: u16) -> bool {
        self.depth() + behind <= CAPACITY
    }

    fn restart(&mut self, sequence: u16) {
        self.clear();
        self.next = Some(sequence);
        self.newest = sequence.wrapping_sub(1);
    }

    fn store(&mut self, sequence: u16, payload: &[u8]) {
        if self.slots.is_empty() {
            self.slots.resize_with(CAPACITY.into(), Slot::default);
            self.newest = sequence;
        }
        if sequence.wrapping_sub(self.newest) < 0x8000 {
            self.newest = sequence;
        }
        let slot = &mut self.slots[usize::from(sequence % CAPACITY)];
        slot.filled = true;
        slot.payload.clear();
        slot.payload.extend_from_slice(payload);
    }

    /// Steps over the next packet and answers where it lies.
    fn take(&mut self) -> Option<usize> {
        let next = self.next.as_mut()?;
        let index = usize::from(*next % CAPACITY);
        *next = next.wrapping_add(1);
        let filled = core::mem::take(&mut self.slots.get_mut(index)?.filled);
        filled.then_some(index)
    }
}

#[derive(Clone, Debug, Default)]
struct Slot {
    filled: bool,
    payload: Vec<u8>,
}

/// How much the network wavers: the peak of lateness over the quickest packet, fading slowly.
#[derive(Clone, Debug, Default)]
struct Delay {
    clock: u32,
    /// The packet before.
    last: Option<Arrival>,
    /// Microseconds in a packet.
    packet: u32,
    /// Lateness of the last packet over the quickest, in microseconds.
    lateness: i64,
    peak: i64,
}

#[derive(Clone, Copy, Debug)]
struct Arrival {
    sequence: u16,
    timestamp: u32,
    at: u64,
}

impl Delay {
    fn measure(&mut self, sequence: u16, timestamp: u32, at: u64) {
        let Some(last) = self.last.replace(Arrival { sequence, timestamp, at }) else { return };
        let steps = timestamp.wrapping_sub(last.timestamp) as i32;
        let span = i64::from(steps) * 1_000_000 / i64::from(self.clock.max(1));
        if sequence == last.sequence.wrapping_add(1) && (5_000..=100_000).contains(&span) {
            self.packet = span as u32;
        }
        if span.abs() > 2_000_000 {
            return;
        }
        let took = at.saturating_sub(last.at).min(2_000_000) as i64;
        // The floor rises slowly, so that clocks may drift.
        self.lateness = (self.lateness + took - span - self.lateness / 256).max(0);
        self.peak = self.lateness.max(self.peak - self.peak / 256).min(DEEPEST.into());
    }

    /// How many packets make a start.
    fn target(&self) -> u16 {
        let packet = if self.packet == 0 { 20_000 } else { self.packet };
        let packets = self.peak as u32 / packet + 2;
        (packets as u16).min(CAPACITY / 2)
    }
}

/// Places for packets: more than [`DEEPEST`] at 10 ms a packet.
const CAPACITY: u16 = 64;

/// The longest delay that is made up for, in microseconds.
const DEEPEST: u32 = 250_000;

/// How far behind a packet is late rather than the start of something new.
const LATE: u16 = 1_000;

/// Packets that may lie around beyond the target ...
const SLACK: u16 = 2;

/// ... for so many packets; then one is left out.
const PATIENCE: u32 = 50;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn buffer() -> JitterBuffer {
        JitterBuffer::new(8_000)
    }

    fn push(buffer: &mut JitterBuffer, sequence: u16, arrival: u64) {
        let timestamp = u32::from(sequence) * 160;
        buffer.push(sequence, timestamp, arrival, &sequence.to_be_bytes());
    }

    fn number(playable: Playable<'_>) -> Option<u16> {
        match playable {
            Playable::Packet(bytes) => Some(u16::from_be_bytes([bytes[0], bytes[1]])),
            _ => None,
        }
    }

    #[test]
    fn disorder_is_mended_and_doubles_are_dropped() {
        let mut buffer = buffer();
        for (index, sequence) in [11u16, 10, 12, 12, 14, 13, 14].into_iter().enumerate() {
            push(&mut buffer, sequence, index as u64 * 20_000);
        }
        let played: Vec<_> = (0..5).map(|_| number(buffer.pop())).collect();
        assert_eq!(played, (10..15).map(Some).collect::<Vec<_>>());
        assert_eq!(buffer.pop(), Playable::Nothing);
    }

    #[test]
    fn a_missing_packet_is_told_as_lost_and_is_late_afterwards() {
        let mut buffer = buffer();
        for sequence in [1u16, 2, 4, 5] {
            push(&mut buffer, sequence, u64::from(sequence) * 20_000);
        }
        assert_eq!(number(buffer.pop()), Some(1));
        assert_eq!(number(buffer.pop()), Some(2));
        assert_eq!(buffer.pop(), Playable::Lost);
        push(&mut buffer, 3, 200_000);
        assert_eq!(buffer.late(), 1);
        assert_eq!(number(buffer.pop()), Some(4));
    }

    #[test]
    fn a_steady_stream_is_held_for_two_packets() {
        let mut buffer = buffer();
        let mut missing = 0;
        for sequence in 0..500u16 {
            push(&mut buffer, sequence, u64::from(sequence) * 20_000);
            missing += u32::from(buffer.pop() == Playable::Nothing);
            assert!(buffer.depth() <= 2);
        }
        assert_eq!(missing, 1);
    }

    #[test]
    fn the_depth_follows_the_jitter_up_and_down() {
        let mut buffer = buffer();
        let mut state = 1u32;
        let mut queue = Vec::new();
        for sequence in 0..6_000u16 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let wavering =
                if sequence < 2_000 { u64::from(state >> 16) * 80_000 / 65_536 } else { 0 };
            queue.push((u64::from(sequence) * 20_000 + wavering, sequence));
        }
        queue.sort_unstable();
        let mut queue = queue.into_iter().peekable();
        let (mut gaps_late, mut depths) = (0, Vec::new());
        for tick in 0..6_000u64 {
            let now = tick * 20_000 + 7_000;
            while let Some((at, sequence)) = queue.next_if(|(at, _)| *at <= now) {
                push(&mut buffer, sequence, at);
            }
            let empty = number(buffer.pop()).is_none();
            gaps_late += u32::from(empty && (500..2_000).contains(&tick));
            depths.push(buffer.depth());
        }
        assert!(gaps_late < 15, "{gaps_late}");
        assert!(depths[1_000..2_000].iter().max().unwrap() >= &3);
        assert!(*depths[5_500..].iter().max().unwrap() <= 4, "{:?}", &depths[5_500..5_510]);
    }

    #[test]
    fn a_jump_of_the_far_side_starts_over() {
        let mut buffer = buffer();
        for sequence in 0..10u16 {
            push(&mut buffer, sequence, u64::from(sequence) * 20_000);
            buffer.pop();
        }
        for sequence in 30_000..30_005u16 {
            push(&mut buffer, sequence, u64::from(sequence) * 20_000);
        }
        assert_eq!(number(buffer.pop()), Some(30_000));
    }

    proptest! {
        #[test]
        fn any_packets_keep_it_bounded(
            packets in proptest::collection::vec((any::<u16>(), any::<u32>(), any::<u64>(), 0u8..4), 0..400)
        ) {
            let mut buffer = buffer();
            for (sequence, timestamp, arrival, pops) in packets {
                buffer.push(sequence, timestamp, arrival, &[1]);
                prop_assert!(buffer.depth() <= CAPACITY);
                for _ in 0..pops {
                    buffer.pop();
                }
            }
        }

        #[test]
        fn what_is_played_is_in_order(
            packets in proptest::collection::vec((0u16..40, 0u8..3), 0..200)
        ) {
            let mut buffer = buffer();
            let mut last = None;
            for (index, (sequence, pops)) in packets.into_iter().enumerate() {
                push(&mut buffer, sequence, index as u64 * 20_000);
                for _ in 0..pops {
                    if let Some(played) = number(buffer.pop()) {
                        prop_assert!(last < Some(played));
                        last = Some(played);
                    }
                }
            }
        }
    }
}
