//! What a phone is, and where it looks for its server: what a box of the maker would know from its
//! case and from DHCP.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use jackfield_vocabulary::{Codec, Mac};

/// Everything a phone knows before it fetched its first file.
#[derive(Clone, Debug)]
pub struct PhoneSettings {
    /// Its hardware address, which names its files.
    pub mac: Mac,
    /// Whose manners it has.
    pub make: Make,
    /// The product as in User-Agent and file names, such as `CP-7841` or `7832-3PCC`.
    pub model: Box<str>,
    /// The number by which an enterprise phone names its model when it registers.
    pub model_number: u32,
    /// The server of files, and of SIP until a file names another one.
    pub server: IpAddr,
    /// Where to register until a file names another port.
    pub sip_port: u16,
    /// Where TFTP is.
    pub tftp_port: u16,
    /// Where files are by HTTP.
    pub http_port: u16,
    /// The ways to fetch a file, the first that answers wins.
    pub fetch: Vec<Door>,
    /// How SIP is carried; a file's own wish wins for enterprise phones.
    pub transport: Transport,
    /// Codecs in the order of preference.
    pub codecs: Vec<Codec>,
    /// Answers calls by itself.
    pub auto_answer: bool,
    /// What randomness is made of: the same seed makes the same phone.
    pub seed: u64,
}

impl PhoneSettings {
    /// A phone of this make at a server with the usual ports.
    pub fn new(mac: Mac, make: Make, server: IpAddr) -> Self {
        let seed = mac.0.iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        Self {
            mac,
            make,
            model: make.model().into(),
            model_number: 622,
            server,
            sip_port: 5060,
            tftp_port: 69,
            http_port: 6970,
            fetch: vec![Door::Http, Door::Tftp],
            transport: make.transport(),
            codecs: vec![Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::L16],
            auto_answer: false,
            seed,
        }
    }

    /// The name under which an enterprise phone registers and asks for its file.
    pub fn device_name(&self) -> String {
        format!("SEP{}", self.mac)
    }

    /// The User-Agent of its make.
    pub fn user_agent(&self) -> String {
        match self.make {
            Make::Enterprise => format!("Cisco-{}/14.2.1", self.model),
            Make::Multiplatform => {
                let mac = self.mac.to_string().to_ascii_lowercase();
                format!("Cisco-CP-{}/11.3.7 ({mac})", self.model.trim_start_matches("CP-"))
            }
            Make::Generic => format!("Jackfield-Phone/{}", env!("CARGO_PKG_VERSION")),
        }
    }
}

impl Default for PhoneSettings {
    fn default() -> Self {
        Self::new(Mac([2, 0, 0, 0, 0, 1]), Make::Generic, Ipv4Addr::LOCALHOST.into())
    }
}

/// Whose manners a phone has: which files it asks for, how it registers, what it obeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Make {
    /// Enterprise firmware: `SEP<MAC>.cnf.xml`, one registration for all lines, over TCP.
    Enterprise,
    /// Multiplatform firmware: flat-profile XML, `resync`.
    Multiplatform,
    /// RFC 3261 and little else: a plain file, `check-sync`.
    Generic,
}

impl Make {
    fn model(self) -> &'static str {
        match self {
            Self::Enterprise => "CP-7841",
            Self::Multiplatform => "7832-3PCC",
            Self::Generic => "Jackfield-Phone",
        }
    }

    fn transport(self) -> Transport {
        match self {
            Self::Enterprise => Transport::Tcp,
            Self::Multiplatform | Self::Generic => Transport::Udp,
        }
    }
}

impl FromStr for Make {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "enterprise" => Ok(Self::Enterprise),
            "multiplatform" => Ok(Self::Multiplatform),
            "generic" | "virtual" => Ok(Self::Generic),
            _ => Err(format!("`{text}` is none of enterprise, multiplatform and generic")),
        }
    }
}

/// A way to fetch files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Door {
    /// RFC 1350.
    Tftp,
    /// HTTP/1.1.
    Http,
}

impl FromStr for Door {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "tftp" => Ok(Self::Tftp),
            "http" => Ok(Self::Http),
            _ => Err(format!("`{text}` is none of tftp and http")),
        }
    }
}

/// How SIP is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// One connection to the server.
    Tcp,
}

impl Transport {
    /// As in a `transport` parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }
}

impl FromStr for Transport {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "udp" => Ok(Self::Udp),
            "tcp" => Ok(Self::Tcp),
            _ => Err(format!("`{text}` is none of udp and tcp")),
        }
    }
}
