//! Drivers, their events, and a short way to say what they are to do.

use core::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};
use std::{
    net::UdpSocket,
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    time::Instant,
};

use jackfield_media::{Driver, DriverHandle, DriverSettings, PromptLibrary};
use jackfield_vocabulary::{
    Codec, DigitSource, MediaCommand, MediaEvent, MediaId, MediaTarget, PlayId, PlayItem,
};

pub(crate) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Nothing takes longer than this.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Node {
    pub(crate) driver: DriverHandle,
    events: Receiver<MediaEvent>,
    /// All events taken so far.
    pub(crate) seen: Vec<MediaEvent>,
}

impl Node {
    pub(crate) fn start() -> Self {
        Self::with(DriverSettings::new(HERE, 7))
    }

    pub(crate) fn with(settings: DriverSettings) -> Self {
        let (tell, events) = channel();
        let driver = Driver::start(settings, Arc::new(prompts()), move |event| {
            // The test may have ended.
            let _ = tell.send(event);
        })
        .unwrap();
        Self { driver, events, seen: Vec::new() }
    }

    pub(crate) fn send(&self, command: MediaCommand) {
        self.driver.send(command).unwrap();
    }

    /// Waits for an event for which `pick` has an answer.
    pub(crate) fn wait<T>(&mut self, mut pick: impl FnMut(&MediaEvent) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(event) = self.events.recv_timeout(left) else {
                panic!("it did not come; what came: {:?}", self.seen);
            };
            let picked = pick(&event);
            self.seen.push(event);
            if let Some(picked) = picked {
                return picked;
            }
        }
    }

    pub(crate) fn allocate(&mut self, media: u64) -> SocketAddr {
        self.send(MediaCommand::Allocate { media: MediaId(media) });
        self.wait(|event| match event {
            MediaEvent::Allocated { media: MediaId(id), local } if *id == media => Some(*local),
            MediaEvent::Failed { failure, .. } => panic!("{failure:?}"),
            _ => None,
        })
    }

    pub(crate) fn connect(&self, media: u64, target: MediaTarget) {
        self.send(MediaCommand::Connect { media: MediaId(media), target });
    }

    pub(crate) fn play(&self, media: u64, play: u64, items: Vec<PlayItem>, barge_in: bool) {
        let (media, play) = (MediaId(media), PlayId(play));
        self.send(MediaCommand::Play { media, play, items, barge_in });
    }

    /// Waits for so many digits of a resource.
    pub(crate) fn digits(&mut self, media: u64, count: usize) -> Vec<(char, DigitSource)> {
        (0..count)
            .map(|_| {
                self.wait(|event| match event {
                    MediaEvent::Digit { media: MediaId(id), digit, source } if *id == media => {
                        Some((digit.as_char(), *source))
                    }
                    _ => None,
                })
            })
            .collect()
    }

    /// Events that have come and were not waited for.
    pub(crate) fn drain(&mut self) {
        self.seen.extend(self.events.try_iter());
    }
}

pub(crate) fn target(remote: SocketAddr, codec: Codec) -> MediaTarget {
    let payload_type = match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
        Codec::G722 => 9,
        Codec::G729 => 18,
        Codec::L16 => 96,
    };
    MediaTarget {
        remote,
        rtcp: None,
        signalled: None,
        codec,
        payload_type,
        event_payload_type: Some(101),
        ptime: 20,
        send: true,
        receive: true,
        patience: Duration::from_secs(60),
    }
}

/// Two drivers, resource 1 of each connected to that of the other.
pub(crate) fn pair(change: impl Fn(&mut MediaTarget)) -> (Node, Node) {
    let (mut one, mut two) = (Node::start(), Node::start());
    let (first, second) = (one.allocate(1), two.allocate(1));
    for (node, remote) in [(&one, second), (&two, first)] {
        let mut target = target(remote, Codec::Pcmu);
        change(&mut target);
        node.connect(1, target);
    }
    (one, two)
}

/// Two prompts: half a second each, of 500 and of 700 Hz.
fn prompts() -> PromptLibrary {
    let library = PromptLibrary::in_memory();
    for (name, frequency) in [("low", 500.0), ("high", 700.0)] {
        let sound: Vec<i16> = (0..8_000)
            .map(|n| {
                let angle = f64::from(n) * frequency * core::f64::consts::TAU / 16e3;
                (8_000.0 * angle.sin()) as i16
            })
            .collect();
        library.insert("en-US", name, &sound);
    }
    library
}

pub(crate) fn prompt(name: &str) -> PlayItem {
    PlayItem::Prompt { locale: "en-US".into(), prompt: name.into() }
}

pub(crate) fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((HERE, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}
