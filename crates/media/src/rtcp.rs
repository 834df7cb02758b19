//! RTCP (RFC 3550 section 6): sender and receiver reports, source descriptions and goodbyes, read
//! from and written as compound packets. Packets of other kinds are stepped over.

use core::time::Duration;

/// One packet of a compound that we understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RtcpPacket {
    /// What a sender sent, and how it receives.
    SenderReport {
        /// Who reports.
        ssrc: u32,
        /// What it sent.
        sender: SenderInfo,
        /// What it received, at most 31 blocks.
        blocks: Vec<ReportBlock>,
    },
    /// How somebody who does not send receives.
    ReceiverReport {
        /// Who reports.
        ssrc: u32,
        /// What it received, at most 31 blocks.
        blocks: Vec<ReportBlock>,
    },
    /// The canonical name of a source.
    Description {
        /// The source.
        ssrc: u32,
        /// Its CNAME, where there is one.
        name: Option<String>,
    },
    /// A source leaves.
    Bye {
        /// The first source of the list; none in an empty BYE.
        ssrc: Option<u32>,
    },
}

/// The sender's part of a sender report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    /// NTP time of the report, 32.32 fixed point.
    pub ntp: u64,
    /// The same moment as an RTP timestamp.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Payload bytes sent.
    pub bytes: u32,
}

/// What is reported about one received source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The source.
    pub ssrc: u32,
    /// Loss since the report before, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost in all.
    pub lost: u32,
    /// Highest sequence number with its cycles.
    pub highest: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
    /// The middle of the NTP time of the last sender report.
    pub last_report: u32,
    /// Time since then, in 1/65536 s.
    pub delay: u32,
}

/// Why a datagram is not an RTCP compound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RtcpError {
    /// A packet ends before what its header announces.
    #[error("an RTCP packet is too short for what its header announces")]
    Short,
    /// The datagram is longer than any compound that we take.
    #[error("the RTCP compound is longer than {RTCP_LIMIT} bytes")]
    Long,
    /// The version is not 2.
    #[error("the RTCP version is not 2")]
    Version,
}

/// Reads a compound; the number of packets in it is bounded by its length limit.
pub fn parse_rtcp(mut datagram: &[u8]) -> Result<Vec<RtcpPacket>, RtcpError> {
    if datagram.len() > RTCP_LIMIT {
        return Err(RtcpError::Long);
    }
    let mut packets = Vec::new();
    while !datagram.is_empty() {
        let (head, _) = datagram.split_first_chunk::<4>().ok_or(RtcpError::Short)?;
        if head[0] >> 6 != 2 {
            return Err(RtcpError::Version);
        }
        let length = (usize::from(u16::from_be_bytes([head[2], head[3]])) + 1) * 4;
        let (packet, rest) = datagram.split_at_checked(length).ok_or(RtcpError::Short)?;
        packets.extend(parse_one(head[1], head[0] & 0x1f, &packet[4..])?);
        datagram = rest;
    }
    Ok(packets)
}

/// Writes a report with our name: a sender report where something was sent.
pub fn print_report(
    ssrc: u32,
    sender: Option<SenderInfo>,
    block: Option<ReportBlock>,
    name: &str,
    out: &mut Vec<u8>,
) {
    out.clear();
    let count = u8::from(block.is_some());
    let start = begin(if sender.is_some() { SENDER_REPORT } else { RECEIVER_REPORT }, count, out);
    word(ssrc, out);
    if let Some(sender) = sender {
        out.extend(sender.ntp.to_be_bytes());
        word(sender.timestamp, out);
        word(sender.packets, out);
        word(sender.bytes, out);
    }
    if let Some(block) = block {
        print_block(&block, out);
    }
    end(start, out);
    let start = begin(DESCRIPTION, 1, out);
    word(ssrc, out);
    let name = &name.as_bytes()[..name.len().min(255)];
    out.extend([CNAME, name.len() as u8]);
    out.extend(name);
    out.push(0);
    end(start, out);
}

/// Adds a goodbye to a compound.
pub fn print_bye(ssrc: u32, out: &mut Vec<u8>) {
    let start = begin(BYE, 1, out);
    word(ssrc, out);
    end(start, out);
}

/// A moment since 1970 as NTP time.
pub fn ntp_time(since_1970: Duration) -> u64 {
    let seconds = since_1970.as_secs().wrapping_add(NTP_TO_UNIX);
    let fraction = (u64::from(since_1970.subsec_nanos()) << 32) / 1_000_000_000;
    seconds << 32 | fraction
}

fn parse_one(kind: u8, count: u8, body: &[u8]) -> Result<Option<RtcpPacket>, RtcpError> {
    Ok(match kind {
        SENDER_REPORT => {
            let ssrc = read(body, 0)?;
            let ntp = u64::from(read(body, 4)?) << 32 | u64::from(read(body, 8)?);
            let sender = SenderInfo {
                ntp,
                timestamp: read(body, 12)?,
                packets: read(body, 16)?,
                bytes: read(body, 20)?,
            };
            Some(RtcpPacket::SenderReport { ssrc, sender, blocks: blocks(count, body, 24)? })
        }
        RECEIVER_REPORT => {
            let ssrc = read(body, 0)?;
            Some(RtcpPacket::ReceiverReport { ssrc, blocks: blocks(count, body, 4)? })
        }
        DESCRIPTION if count > 0 => {
            let ssrc = read(body, 0)?;
            Some(RtcpPacket::Description { ssrc, name: canonical_name(&body[4..])? })
        }
        BYE if count > 0 => Some(RtcpPacket::Bye { ssrc: Some(read(body, 0)?) }),
        BYE => Some(RtcpPacket::Bye { ssrc: None }),
        _ => None,
    })
}

fn blocks(count: u8, body: &[u8], from: usize) -> Result<Vec<ReportBlock>, RtcpError> {
    (0..usize::from(count)).map(|index| parse_block(body, from + index * 24)).collect()
}

fn parse_block(body: &[u8], at: usize) -> Result<ReportBlock, RtcpError> {
    let loss = read(body, at + 4)?;
    Ok(ReportBlock {
        ssrc: read(body, at)?,
        fraction_lost: (loss >> 24) as u8,
        lost: loss & 0xff_ffff,
        highest: read(body, at + 8)?,
        jitter: read(body, at + 12)?,
        last_report: read(body, at + 16)?,
        delay: read(body, at + 20)?,
    })
}

fn canonical_name(mut items: &[u8]) -> Result<Option<String>, RtcpError> {
    while let [kind @ 1..=255, rest @ ..] = items {
        let (length, rest) = rest.split_first().ok_or(RtcpError::Short)?;
        let (text, rest) = rest.split_at_checked((*length).into()).ok_or(RtcpError::Short)?;
        if *kind == CNAME {
            return Ok(Some(String::from_utf8_lossy(text).into_owned()));
        }
        items = rest;
    }
    Ok(None)
}

fn print_block(block: &ReportBlock, out: &mut Vec<u8>) {
    word(block.ssrc, out);
    word(u32::from(block.fraction_lost) << 24 | block.lost & 0xff_ffff, out);
    word(block.highest, out);
    word(block.jitter, out);
    word(block.last_report, out);
    word(block.delay, out);
}

fn begin(kind: u8, count: u8, out: &mut Vec<u8>) -> usize {
    out.extend([0x80 | count, kind, 0, 0]);
    out.len() - 4
}

/// Pads to whole words and writes the length of the packet that began at `start`.
fn end(start: usize, out: &mut Vec<u8>) {
    while !(out.len() - start).is_multiple_of(4) {
        out.push(0);
    }
    let words = ((out.len() - start) / 4 - 1) as u16;
    out[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
}

fn word(value: u32, out: &mut Vec<u8>) {
    out.extend(value.to_be_bytes());
}

fn read(bytes: &[u8], at: usize) -> Result<u32, RtcpError> {
    let word = bytes.get(at..).and_then(<[u8]>::first_chunk::<4>).ok_or(RtcpError::Short)?;
    Ok(u32::from_be_bytes(*word))
}

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
const CNAME: u8 = 1;

/// The longest compound that is taken.
const RTCP_LIMIT: usize = 2_048;

/// Seconds from 1900 to 1970.
const NTP_TO_UNIX: u64 = 2_208_988_800;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_compound_reads_back() {
        let sender = SenderInfo { ntp: 7 << 32 | 9, timestamp: 160, packets: 3, bytes: 480 };
        let block = ReportBlock { ssrc: 5, fraction_lost: 128, lost: 2, ..Default::default() };
        let mut bytes = Vec::new();
        print_report(1, Some(sender), Some(block), "node@host", &mut bytes);
        print_bye(1, &mut bytes);
        assert_eq!(bytes.len() % 4, 0);
        assert_eq!(
            parse_rtcp(&bytes).unwrap(),
            [
                RtcpPacket::SenderReport { ssrc: 1, sender, blocks: vec![block] },
                RtcpPacket::Description { ssrc: 1, name: Some("node@host".into()) },
                RtcpPacket::Bye { ssrc: Some(1) },
            ]
        );
    }

    #[test]
    fn a_listener_sends_a_receiver_report() {
        let mut bytes = Vec::new();
        print_report(1, None, None, "a", &mut bytes);
        let packets = parse_rtcp(&bytes).unwrap();
        assert_eq!(packets[0], RtcpPacket::ReceiverReport { ssrc: 1, blocks: vec![] });
    }

    #[test]
    fn crafted_lengths_are_refused() {
        assert_eq!(parse_rtcp(&[0x81, 200, 0]), Err(RtcpError::Short));
        assert_eq!(parse_rtcp(&[0x81, 200, 0xff, 0xff]), Err(RtcpError::Short));
        assert_eq!(parse_rtcp(&[0x9f, 201, 0, 1, 0, 0, 0, 1]), Err(RtcpError::Short));
        assert_eq!(parse_rtcp(&[0x81, 202, 0, 2, 0, 0, 0, 1, 1, 9, 0, 0]), Err(RtcpError::Short));
        assert_eq!(parse_rtcp(&[0x01, 200, 0, 0]), Err(RtcpError::Version));
        assert_eq!(parse_rtcp(&[0; 4_000]), Err(RtcpError::Long));
    }

    #[test]
    fn unknown_kinds_are_stepped_over() {
        let bytes = [0x80, 207, 0, 1, 1, 2, 3, 4, 0x80, 203, 0, 0];
        assert_eq!(parse_rtcp(&bytes).unwrap(), [RtcpPacket::Bye { ssrc: None }]);
    }

    #[test]
    fn ntp_starts_in_1900() {
        let half = ntp_time(Duration::from_millis(500));
        assert_eq!(half, 2_208_988_800 << 32 | 1 << 31);
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_rtcp(&bytes);
        }

        #[test]
        fn any_bytes_after_a_good_header_do_no_harm(
            kind in 200u8..205, count in 0u8..32,
            body in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut bytes = vec![0x80 | count, kind, 0, (body.len() / 4) as u8];
            bytes.extend_from_slice(&body[..body.len() / 4 * 4]);
            let _ = parse_rtcp(&bytes);
        }
    }
}
