//! A TFTP read (RFC 1350) with block size negotiation (RFC 2347, 2348), without sockets.

use std::time::Duration;

use jackfield_sip::Now;

use super::{Fetched, LARGEST};

/// One file being read.
#[derive(Debug)]
pub struct TftpClient {
    /// What was sent last, to be said again when nothing comes.
    last: Vec<u8>,
    block_size: usize,
    /// The block that is awaited.
    next_block: u16,
    file: Vec<u8>,
    repeats: u8,
    due: Now,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum TftpStep {
    /// Send this to where the last packet came from, or first to the server's port.
    Send(Vec<u8>),
    /// Send this, then it is over.
    SendAndEnd(Vec<u8>, Fetched),
    /// It is over.
    End(Fetched),
    /// Go on waiting.
    Wait,
}

impl TftpClient {
    /// Begins to read a file; send the packet to the server's port.
    pub fn new(name: &str, now: Now) -> (Self, Vec<u8>) {
        let mut request = vec![0, 1];
        for word in [name, "octet", "blksize", BLOCK_SIZE_TEXT, "tsize", "0"] {
            request.extend_from_slice(word.as_bytes());
            request.push(0);
        }
        let client = Self {
            last: request.clone(),
            block_size: 512,
            next_block: 1,
            file: Vec::new(),
            repeats: 0,
            due: now + FIRST_WAIT,
        };
        (client, request)
    }

    /// Takes a packet from the server.
    pub fn receive(&mut self, packet: &[u8], now: Now) -> TftpStep {
        let Some((&code, rest)) = packet.split_first_chunk::<2>() else { return TftpStep::Wait };
        match u16::from_be_bytes(code) {
            DATA => self.data(rest, now),
            ERROR => TftpStep::End(failure(rest)),
            OPTIONS => self.options(rest, now),
            _ => TftpStep::Wait,
        }
    }

    /// When [`Self::timeout`] is due.
    pub fn due(&self) -> Now {
        self.due
    }

    /// Nothing came in time: say it again, or give up.
    pub fn timeout(&mut self, now: Now) -> TftpStep {
        if self.repeats >= REPEATS {
            return TftpStep::End(Fetched::Failed("TFTP: no answer".into()));
        }
        self.repeats += 1;
        self.due = now + FIRST_WAIT * (1 << self.repeats.min(2));
        TftpStep::Send(self.last.clone())
    }

    fn data(&mut self, rest: &[u8], now: Now) -> TftpStep {
        let Some((&block, data)) = rest.split_first_chunk::<2>() else { return TftpStep::Wait };
        let block = u16::from_be_bytes(block);
        if block != self.next_block {
            // Ours was lost: a repeated block is acknowledged again, once each (RFC 1123 4.2.3.1
            // forbids acknowledging so that both sides double for ever; we wait for our timer).
            return TftpStep::Wait;
        }
        if data.len() > self.block_size || self.file.len() + data.len() > LARGEST {
            return TftpStep::SendAndEnd(
                error_packet("too large"),
                Fetched::Failed("TFTP: too large".into()),
            );
        }
        self.file.extend_from_slice(data);
        self.next_block = self.next_block.wrapping_add(1);
        let ack = self.say(acknowledgement(block), now);
        if data.len() < self.block_size {
            return TftpStep::SendAndEnd(ack, Fetched::Found(core::mem::take(&mut self.file)));
        }
        TftpStep::Send(ack)
    }

    fn options(&mut self, rest: &[u8], now: Now) -> TftpStep {
        if self.next_block != 1 || !self.file.is_empty() {
            return TftpStep::Wait;
        }
        let mut words = rest.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            if name.eq_ignore_ascii_case("blksize") {
                match value.parse() {
                    Ok(size @ 8..=BLOCK_SIZE) => self.block_size = size,
                    _ => {
                        let fault = Fetched::Failed("TFTP: bad block size".into());
                        return TftpStep::SendAndEnd(error_packet("bad block size"), fault);
                    }
                }
            }
        }
        TftpStep::Send(self.say(acknowledgement(0), now))
    }

    fn say(&mut self, packet: Vec<u8>, now: Now) -> Vec<u8> {
        self.last.clone_from(&packet);
        self.repeats = 0;
        self.due = now + FIRST_WAIT;
        packet
    }
}

fn acknowledgement(block: u16) -> Vec<u8> {
    let [high, low] = block.to_be_bytes();
    vec![0, 4, high, low]
}

fn error_packet(text: &str) -> Vec<u8> {
    [&[0, 5, 0, 0], text.as_bytes(), &[0]].concat()
}

fn failure(rest: &[u8]) -> Fetched {
    let (code, text) = rest.split_first_chunk::<2>().unwrap_or((&[0, 0], &[]));
    match u16::from_be_bytes(*code) {
        NOT_FOUND => Fetched::NotFound,
        code => {
            let text = String::from_utf8_lossy(text.split(|b| *b == 0).next().unwrap_or_default());
            Fetched::Failed(format!("TFTP error {code}: {text}"))
        }
    }
}

const DATA: u16 = 3;
const ERROR: u16 = 5;
const OPTIONS: u16 = 6;
const NOT_FOUND: u16 = 1;
const BLOCK_SIZE: usize = 1428;
const BLOCK_SIZE_TEXT: &str = "1428";
const FIRST_WAIT: Duration = Duration::from_secs(1);
const REPEATS: u8 = 5;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Serves a file block by block and answers what the client ends with.
    fn serve(file: &[u8], block: usize, options: bool) -> Fetched {
        let (mut client, request) = TftpClient::new("a.txt", Now::ZERO);
        assert_eq!(&request[..8], b"\0\x01a.txt\0");
        if options {
            let reply = [b"\0\x06blksize\0", block.to_string().as_bytes(), b"\0"].concat();
            assert_eq!(client.receive(&reply, Now::ZERO), TftpStep::Send(vec![0, 4, 0, 0]));
        }
        for (index, start) in (0..=file.len()).step_by(block).enumerate() {
            let number = (index + 1) as u16;
            let data = &file[start..file.len().min(start + block)];
            let packet = [&[0, 3][..], &number.to_be_bytes(), data].concat();
            match client.receive(&packet, Now::ZERO) {
                TftpStep::Send(ack) => assert_eq!(ack[2..], number.to_be_bytes()),
                TftpStep::SendAndEnd(_, end) => return end,
                step => panic!("{step:?}"),
            }
            assert_eq!(client.receive(&packet, Now::ZERO), TftpStep::Wait);
        }
        panic!("no last block");
    }

    #[test]
    fn files_of_every_size_arrive_whole() {
        for size in [0, 1, 511, 512, 513, 4_096] {
            let file: Vec<u8> = (0..size).map(|n| n as u8).collect();
            assert_eq!(serve(&file, 512, false), Fetched::Found(file.clone()));
            assert_eq!(serve(&file, 1_024, true), Fetched::Found(file));
        }
    }

    #[test]
    fn not_found_is_not_a_failure() {
        let (mut client, _) = TftpClient::new("x", Now::ZERO);
        let step = client.receive(b"\0\x05\0\x01gone\0", Now::ZERO);
        assert_eq!(step, TftpStep::End(Fetched::NotFound));
    }

    #[test]
    fn silence_is_asked_again_and_then_given_up() {
        let (mut client, request) = TftpClient::new("x", Now::ZERO);
        for _ in 0..REPEATS {
            let due = client.due();
            assert_eq!(client.timeout(due), TftpStep::Send(request.clone()));
        }
        let due = client.due();
        assert!(matches!(client.timeout(due), TftpStep::End(Fetched::Failed(_))));
    }

    proptest! {
        #[test]
        fn no_packet_makes_it_fall(
            packets in proptest::collection::vec(
                proptest::collection::vec(any::<u8>(), 0..40), 0..20)
        ) {
            let (mut client, _) = TftpClient::new("x", Now::ZERO);
            for packet in packets {
                client.receive(&packet, Now::ZERO);
            }
        }
    }
}
