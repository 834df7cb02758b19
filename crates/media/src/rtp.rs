//! RTP packets (RFC 3550 section 5.1): parsed in place, printed into a caller's buffer.
//! Every length in a packet is checked against what really arrived before it is used.

/// One RTP packet, borrowed from the datagram that carried it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpPacket<'a> {
    /// The fixed header.
    pub header: RtpHeader,
    /// What the packet carries, without padding.
    pub payload: &'a [u8],
}

/// The fields of the fixed RTP header that mean something to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpHeader {
    /// First packet of a talk spurt or of an event.
    pub marker: bool,
    /// Payload type, 0 to 127.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp in units of the payload's clock.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
}

/// Why a datagram is not an RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RtpError {
    /// The datagram ends inside a header, an extension or the list of contributing sources.
    #[error("the packet is too short for what its header announces")]
    Short,
    /// The datagram is longer than any packet that we take.
    #[error("the packet is longer than {RTP_PACKET_LIMIT} bytes")]
    Long,
    /// The version is not 2.
    #[error("the RTP version is not 2")]
    Version,
    /// The padding is zero or longer than the payload.
    #[error("the padding does not fit the packet")]
    Padding,
    /// The payload type lies where RTCP packet types lie (RFC 5761 section 4).
    #[error("this is an RTCP packet")]
    Rtcp,
}

impl<'a> RtpPacket<'a> {
    /// Reads a packet from a whole datagram.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, RtpError> {
        if datagram.len() > RTP_PACKET_LIMIT {
            return Err(RtpError::Long);
        }
        let (fixed, rest) = datagram.split_first_chunk::<RTP_HEADER>().ok_or(RtpError::Short)?;
        if fixed[0] >> 6 != 2 {
            return Err(RtpError::Version);
        }
        if is_rtcp(datagram) {
            return Err(RtpError::Rtcp);
        }
        let contributing = usize::from(fixed[0] & 0x0f) * 4;
        let mut payload = rest.get(contributing..).ok_or(RtpError::Short)?;
        if fixed[0] & 0x10 != 0 {
            payload = after_extension(payload)?;
        }
        if fixed[0] & 0x20 != 0 {
            payload = without_padding(payload)?;
        }
        let header = RtpHeader {
            marker: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7f,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
        };
        Ok(Self { header, payload })
    }
}

impl RtpHeader {
    /// The header as it goes before the payload.
    pub fn bytes(&self) -> [u8; RTP_HEADER] {
        let mut out = [0; RTP_HEADER];
        out[0] = 0x80;
        out[1] = u8::from(self.marker) << 7 | self.payload_type & 0x7f;
        out[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        out[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        out[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        out
    }
}

/// Whether a datagram on an RTP port is RTCP in truth: packet types 192 to 223 (RFC 5761).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, 192..=223, ..] if first >> 6 == 2)
}

fn after_extension(bytes: &[u8]) -> Result<&[u8], RtpError> {
    let (head, rest) = bytes.split_first_chunk::<4>().ok_or(RtpError::Short)?;
    let words = usize::from(u16::from_be_bytes([head[2], head[3]]));
    rest.get(words * 4..).ok_or(RtpError::Short)
}

fn without_padding(bytes: &[u8]) -> Result<&[u8], RtpError> {
    let padding = usize::from(*bytes.last().ok_or(RtpError::Padding)?);
    if padding == 0 {
        return Err(RtpError::Padding);
    }
    let length = bytes.len().checked_sub(padding).ok_or(RtpError::Padding)?;
    Ok(&bytes[..length])
}

/// Length of the fixed header.
pub const RTP_HEADER: usize = 12;

/// The longest packet that is taken: 60 ms of L16 at 16 kHz with room to spare.
pub const RTP_PACKET_LIMIT: usize = 2_048;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: RtpHeader = RtpHeader {
        marker: true,
        payload_type: 101,
        sequence: 0xfffe,
        timestamp: 0x0102_0304,
        ssrc: 0xdead_beef,
    };

    fn packet(first: u8, tail: &[u8]) -> Vec<u8> {
        let mut bytes = HEADER.bytes().to_vec();
        bytes[0] = first;
        bytes.extend_from_slice(tail);
        bytes
    }

    #[test]
    fn header_layout_is_that_of_rfc_3550() {
        let expected = [0x80, 0xe5, 0xff, 0xfe, 1, 2, 3, 4, 0xde, 0xad, 0xbe, 0xef];
        assert_eq!(HEADER.bytes(), expected);
    }

    #[test]
    fn contributing_sources_extension_and_padding_are_skipped() {
        let mut tail = vec![9; 8]; // Two contributing sources.
        tail.extend([0xbe, 0xde, 0, 1, 1, 1, 1, 1]); // An extension of one word.
        tail.extend([7, 7, 7, 0, 0, 3]); // The payload and three bytes of padding.
        let bytes = packet(0xb2, &tail);
        let parsed = RtpPacket::parse(&bytes).unwrap();
        assert_eq!(parsed.payload, [7, 7, 7]);
        assert_eq!(parsed.header, HEADER);
    }

    #[test]
    fn crafted_lengths_are_refused() {
        assert_eq!(RtpPacket::parse(&[]), Err(RtpError::Short));
        assert_eq!(RtpPacket::parse(&HEADER.bytes()[..11]), Err(RtpError::Short));
        assert_eq!(RtpPacket::parse(&packet(0x8f, &[0; 59])), Err(RtpError::Short));
        assert_eq!(RtpPacket::parse(&packet(0x90, &[0, 0, 0xff])), Err(RtpError::Short));
        assert_eq!(RtpPacket::parse(&packet(0x90, &[0, 0, 0xff, 0xff])), Err(RtpError::Short));
        assert_eq!(RtpPacket::parse(&packet(0xa0, &[1, 0])), Err(RtpError::Padding));
        assert_eq!(RtpPacket::parse(&packet(0xa0, &[1, 3])), Err(RtpError::Padding));
        assert_eq!(RtpPacket::parse(&packet(0xa0, &[])), Err(RtpError::Padding));
        assert_eq!(RtpPacket::parse(&packet(0x40, &[])), Err(RtpError::Version));
        assert_eq!(RtpPacket::parse(&packet(0x80, &[0; 4096])), Err(RtpError::Long));
    }

    #[test]
    fn rtcp_on_the_rtp_port_is_told_apart() {
        let mut bytes = packet(0x80, &[0; 16]);
        bytes[1] = 200;
        assert_eq!(RtpPacket::parse(&bytes), Err(RtpError::Rtcp));
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(packet) = RtpPacket::parse(&bytes) {
                prop_assert!(packet.payload.len() + RTP_HEADER <= bytes.len());
            }
        }

        #[test]
        fn printed_packets_parse(
            marker: bool, payload_type in 0u8..64, sequence: u16, timestamp: u32, ssrc: u32,
            payload in proptest::collection::vec(any::<u8>(), 0..500),
        ) {
            let header = RtpHeader { marker, payload_type, sequence, timestamp, ssrc };
            let mut bytes = header.bytes().to_vec();
            bytes.extend_from_slice(&payload);
            let parsed = RtpPacket::parse(&bytes).unwrap();
            prop_assert_eq!(parsed.header, header);
            prop_assert_eq!(parsed.payload, &payload[..]);
        }
    }
}
