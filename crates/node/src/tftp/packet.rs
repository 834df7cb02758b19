use super::transfer::Options;

/// A packet of RFC 1350, as it comes from a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    /// Wants to read a file.
    Read(Request<'a>),
    /// Wants to write one; nobody may.
    Write,
    /// Has every block up to this one.
    Acknowledge(u16),
    /// Gives up.
    Error,
}

/// What a client wants to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    /// The name, in the case in which it was asked for.
    pub(crate) name: &'a str,
    /// How the bytes go; `None` for a mode that is not served.
    pub(crate) mode: Option<Mode>,
    /// What the client proposes (RFC 2347).
    pub(crate) options: Options,
}

/// How the bytes of a file go over the wire (RFC 1350 section 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As they are.
    Octet,
    /// As text of the virtual terminal of RFC 764.
    Netascii,
}

impl Mode {
    fn of(name: &str) -> Option<Self> {
        let modes = [("octet", Self::Octet), ("netascii", Self::Netascii)];
        modes.into_iter().find(|(mode, _)| mode.eq_ignore_ascii_case(name)).map(|(_, mode)| mode)
    }

    /// A file as it goes over the wire: in netascii a line ends with CR LF, and CR alone is CR NUL.
    pub(crate) fn encode(self, file: Vec<u8>) -> Vec<u8> {
        if self == Self::Octet {
            return file;
        }
        let mut text = Vec::with_capacity(file.len() + file.len() / 16);
        for byte in file {
            match byte {
                b'\n' => text.extend_from_slice(b"\r\n"),
                b'\r' => text.extend_from_slice(b"\r\0"),
                byte => text.push(byte),
            }
        }
        text
    }
}

/// An error code of RFC 1350 or 2347.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    /// See the text.
    Undefined = 0,
    /// There is no such file.
    NotFound = 1,
    /// It is there, but not for reading or writing.
    AccessViolation = 2,
    /// No packet of TFTP.
    IllegalOperation = 4,
}

impl<'a> Packet<'a> {
    /// Reads a datagram; `None` for what is no packet that a client sends.
    pub(crate) fn parse(datagram: &'a [u8]) -> Option<Self> {
        let (opcode, rest) = datagram.split_first_chunk::<2>()?;
        match u16::from_be_bytes(*opcode) {
            1 if datagram.len() <= LONGEST_REQUEST => Request::parse(rest).map(Self::Read),
            2 => Some(Self::Write),
            4 => rest.first_chunk().map(|block| Self::Acknowledge(u16::from_be_bytes(*block))),
            5 => Some(Self::Error),
            _ => None,
        }
    }
}

impl<'a> Request<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        // Every text ends with a zero; what follows the last one is dropped.
        let (bytes, _) = bytes.rsplit_at_zero()?;
        let mut texts = bytes.split(|byte| *byte == 0).map(core::str::from_utf8);
        let name = texts.next()?.ok()?;
        let mode = texts.next()?.ok()?;
        if name.is_empty() {
            return None;
        }
        let mut options = Options::default();
        for _ in 0..MOST_OPTIONS {
            let (Some(Ok(option)), Some(Ok(value))) = (texts.next(), texts.next()) else { break };
            options.propose(option, value);
        }
        Some(Self { name, mode: Mode::of(mode), options })
    }
}

trait RsplitAtZero {
    fn rsplit_at_zero(&self) -> Option<(&[u8], &[u8])>;
}

impl RsplitAtZero for [u8] {
    fn rsplit_at_zero(&self) -> Option<(&[u8], &[u8])> {
        let at = self.iter().rposition(|byte| *byte == 0)?;
        Some((&self[..at], &self[at + 1..]))
    }
}

/// Writes an error packet.
pub(crate) fn error(code: ErrorCode, text: &str) -> Vec<u8> {
    let mut packet = vec![0, 5, 0, code as u8];
    packet.extend_from_slice(text.as_bytes());
    packet.push(0);
    packet
}

/// Writes a data packet.
pub(crate) fn data(block: u16, bytes: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(4 + bytes.len());
    packet.extend_from_slice(&[0, 3]);
    packet.extend_from_slice(&block.to_be_bytes());
    packet.extend_from_slice(bytes);
    packet
}

/// A request with its options fits in 512 bytes (RFC 2347).
const LONGEST_REQUEST: usize = 512;

/// Options that are looked at.
const MOST_OPTIONS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Packet<'_>> {
        Packet::parse(text.as_bytes())
    }

    #[test]
    fn a_request_names_file_mode_and_options() {
        let Some(Packet::Read(request)) =
            read("\0\x01SEP001122AABBCC.cnf.xml\0OCTET\0blksize\x001024\0TSIZE\x000\0")
        else {
            panic!("a request");
        };
        assert_eq!(request.name, "SEP001122AABBCC.cnf.xml");
        assert!(request.mode == Some(Mode::Octet) && request.options.size);
        assert_eq!(request.options.block_size, Some(1024));
    }

    #[test]
    fn other_modes_are_told_apart() {
        for (name, mode) in
            [("netascii", Some(Mode::Netascii)), ("NetASCII", Some(Mode::Netascii)), ("mail", None)]
        {
            let text = format!("\0\x01file\0{name}\0");
            let Some(Packet::Read(request)) = read(&text) else { panic!("{name}") };
            assert_eq!(request.mode, mode, "{name}");
        }
    }

    #[test]
    fn netascii_has_its_own_ends_of_lines() {
        let text = Mode::Netascii.encode(b"a\nb\r\nc\rd\n".to_vec());
        assert_eq!(text, b"a\r\nb\r\0\r\nc\r\0d\r\n");
        assert_eq!(Mode::Octet.encode(b"a\n".to_vec()), b"a\n");
    }

    #[test]
    fn what_is_no_packet_is_none() {
        for datagram in
            ["", "\0", "\0\x01", "\0\x01\0octet\0", "\0\x01file", "\0\x01file\0", "\0\x07x"]
        {
            assert_eq!(read(datagram), None, "{datagram:?}");
        }
        let long = format!("\0\x01{}\0octet\0", "a".repeat(600));
        assert_eq!(read(&long), None);
        assert_eq!(Packet::parse(b"\0\x01\xff\xfe\0octet\0"), None);
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        // A seeded walk over short datagrams; the fuzz target goes further.
        let mut seed = 0x9e37_79b9_u32;
        for _ in 0..200_000 {
            let mut bytes = [0; 24];
            for byte in &mut bytes {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = (seed >> 24) as u8 & if seed & 0x80 == 0 { 0x07 } else { 0xff };
            }
            let length = (seed >> 8) as usize % bytes.len();
            let _ = Packet::parse(&bytes[..length]);
        }
    }
}
