//! Which files a phone asks for when it boots, one after the other, and what it makes of them.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use crate::fetch::{FetchRequest, Fetched};
use crate::profile::{
    Macros, Profile, ProfileError, read_default, read_enterprise, read_multiplatform, read_plain,
};
use crate::settings::{Door, Make, PhoneSettings};

/// A phone on its way through its files.
#[derive(Debug)]
pub(crate) struct Walk {
    waiting: VecDeque<File>,
    current: Option<(u64, File, FetchRequest)>,
    /// Ways that are left for the current file.
    doors: VecDeque<Door>,
    /// The way that answered last is tried first.
    preferred: Option<Door>,
    found: Option<(String, Profile)>,
    seen: Vec<String>,
    /// What was wrong with the last file, way by way.
    faults: Vec<String>,
    macros: Macros,
}

#[derive(Clone, Debug)]
struct File {
    name: String,
    kind: Kind,
    /// A server of its own, from the rule that named it.
    at: Option<(IpAddr, u16)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A trust list: asked for, never needed.
    Trust,
    Enterprise,
    Default,
    Flat,
    Plain,
}

/// What the walk wants next.
#[derive(Debug)]
pub(crate) enum Walked {
    /// This file.
    Fetch(FetchRequest),
    /// Nothing more: this is what the files said, and which one said it.
    Done(Option<(String, Profile)>),
    /// No server answered.
    Unreachable(String),
}

impl Walk {
    pub(crate) fn new(settings: &PhoneSettings) -> Self {
        let macros = Macros { mac: settings.mac, model: settings.model.clone() };
        let files: &[(&str, Kind)] = match settings.make {
            Make::Enterprise => &[
                ("CTLSEP$MAU.tlv", Kind::Trust),
                ("ITLSEP$MAU.tlv", Kind::Trust),
                ("ITLFile.tlv", Kind::Trust),
                ("SEP$MAU.cnf.xml", Kind::Enterprise),
                ("XMLDefault.cnf.xml", Kind::Default),
            ],
            Make::Multiplatform => &[("/$PSN.xml", Kind::Flat), ("/$MA.xml", Kind::Flat)],
            Make::Generic => &[("$MA.txt", Kind::Plain)],
        };
        let files = files.iter().map(|(name, kind)| File {
            name: macros.expand(name),
            kind: *kind,
            at: None,
        });
        Self {
            waiting: files.collect(),
            current: None,
            doors: VecDeque::new(),
            preferred: None,
            found: None,
            seen: Vec::new(),
            faults: Vec::new(),
            macros,
        }
    }

    /// What is asked for now, for the display.
    pub(crate) fn asking(&self) -> Option<String> {
        let (_, file, request) = self.current.as_ref()?;
        Some(format!("{}, {}", file.name.trim_start_matches('/'), place(request)))
    }

    /// The first or next file.
    pub(crate) fn next(&mut self, settings: &PhoneSettings, id: u64) -> Walked {
        let Some(file) = self.waiting.pop_front() else { return self.end() };
        self.seen.push(file.name.clone());
        self.faults.clear();
        self.doors = settings.fetch.iter().copied().collect();
        if let Some(preferred) = self.preferred {
            self.doors.retain(|door| *door != preferred);
            self.doors.push_front(preferred);
        }
        if file.at.is_some() {
            self.doors = VecDeque::from([Door::Http]);
        }
        self.ask(settings, id, file)
    }

    /// Takes an answer; none when it is of no question that is open.
    pub(crate) fn fetched(
        &mut self,
        settings: &PhoneSettings,
        id: u64,
        fetched: Fetched,
        next: u64,
    ) -> Option<Walked> {
        let (_, file, request) = self.current.take_if(|(open, ..)| *open == id)?;
        let door = self.doors.pop_front();
        Some(match fetched {
            Fetched::Found(bytes) => {
                self.preferred = door;
                self.read(&file, &bytes);
                self.next(settings, next)
            }
            Fetched::NotFound => {
                self.preferred = door;
                self.next(settings, next)
            }
            Fetched::Moved(location) => {
                self.redirect(&location, file.kind);
                self.next(settings, next)
            }
            Fetched::Failed(reason) => {
                let reason = reason.trim_start_matches("HTTP: ").trim_start_matches("TFTP: ");
                self.faults.push(format!("{}: {reason}", place(&request)));
                match (self.doors.is_empty(), self.preferred) {
                    (false, _) => self.ask(settings, next, file),
                    // Who never answered need not be asked for the other files.
                    (true, None) => self.end(),
                    (true, Some(_)) => self.next(settings, next),
                }
            }
        })
    }

    fn ask(&mut self, settings: &PhoneSettings, id: u64, file: File) -> Walked {
        let door = self.doors.front().copied().unwrap_or(Door::Http);
        let (host, port) = file.at.unwrap_or((
            settings.server,
            match door {
                Door::Tftp => settings.tftp_port,
                Door::Http => settings.http_port,
            },
        ));
        let path = match door {
            Door::Tftp => file.name.trim_start_matches('/').to_owned(),
            Door::Http => format!("/{}", file.name.trim_start_matches('/')),
        };
        let request = FetchRequest { id, door, host, port, path, headers: Vec::new() };
        self.current = Some((id, file, request.clone()));
        Walked::Fetch(request)
    }

    fn read(&mut self, file: &File, bytes: &[u8]) {
        let read = match file.kind {
            Kind::Trust => return,
            Kind::Enterprise => read_enterprise(bytes),
            Kind::Default => read_default(bytes),
            Kind::Flat => read_multiplatform(bytes),
            Kind::Plain => read_plain(bytes),
        };
        match read {
            Ok(profile) => self.take(file, profile),
            Err(error) => self.refuse(file, &error),
        }
    }

    fn take(&mut self, file: &File, profile: Profile) {
        match file.kind {
            // The default is for phones without a file.
            Kind::Enterprise => self.waiting.clear(),
            Kind::Flat => {
                for rule in &profile.rules {
                    let address = self.macros.address(rule);
                    self.follow(&address, Kind::Flat);
                }
            }
            _ => {}
        }
        let better = self
            .found
            .as_ref()
            .is_none_or(|(_, found)| found.lines.is_empty() || !profile.lines.is_empty());
        if better {
            self.found = Some((file.name.clone(), profile));
        }
    }

    fn refuse(&mut self, file: &File, error: &ProfileError) {
        self.faults.push(format!("{}: {error}", file.name));
    }

    fn redirect(&mut self, location: &str, kind: Kind) {
        self.follow(location, kind);
    }

    /// A further file, by path or URL; each one once, and not too many.
    fn follow(&mut self, address: &str, kind: Kind) {
        let Some((at, path)) = split_url(address) else { return };
        let known = |name: &str| {
            name.trim_start_matches('/').eq_ignore_ascii_case(path.trim_start_matches('/'))
        };
        if self.seen.iter().any(|name| known(name)) || self.seen.len() >= FILES {
            return;
        }
        self.waiting.retain(|file| !known(&file.name));
        self.waiting.push_front(File { name: path, kind, at });
    }

    fn end(&mut self) -> Walked {
        match (self.found.take(), self.preferred) {
            (Some(found), _) => Walked::Done(Some(found)),
            (None, None) => Walked::Unreachable(self.faults.join(", ")),
            (None, Some(_)) => Walked::Done(None),
        }
    }
}

/// Server and path of an address; no server when it is a path only. Names can't be looked up here.
pub(crate) fn split_url(url: &str) -> Option<(Option<(IpAddr, u16)>, String)> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return (!url.is_empty()).then(|| (None, url.to_owned()));
    };
    if !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    let (authority, path) = match rest.find(['/', '?']) {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let server = crate::profile::ServerAddress::parse(authority)?;
    let host =
        if server.host.eq_ignore_ascii_case("localhost") { "127.0.0.1" } else { &server.host };
    let at = host.parse().ok().map(|ip| (ip, server.port.unwrap_or(80)));
    at.map(|at| (Some(at), path.to_owned()))
}

/// The way and where it leads.
fn place(request: &FetchRequest) -> String {
    let door = match request.door {
        Door::Tftp => "TFTP",
        Door::Http => "HTTP",
    };
    format!("{door} {}", SocketAddr::new(request.host, request.port))
}

const FILES: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks over files that are there and tells what was asked for.
    fn walk(make: Make, files: &[(&str, &str)]) -> (Vec<String>, Walked) {
        let settings =
            PhoneSettings::new("001122AABBCC".parse().unwrap(), make, "127.0.0.1".parse().unwrap());
        let mut walk = Walk::new(&settings);
        let mut asked = Vec::new();
        let mut step = walk.next(&settings, 0);
        while let Walked::Fetch(request) = step {
            let name = request.path.trim_start_matches('/').to_owned();
            let file = files.iter().find(|(found, _)| *found == name);
            let fetched = file
                .map_or(Fetched::NotFound, |(_, text)| Fetched::Found(text.as_bytes().to_vec()));
            asked.push(name);
            step = walk.fetched(&settings, request.id, fetched, request.id + 1).unwrap();
        }
        (asked, step)
    }

    #[test]
    fn an_enterprise_phone_walks_in_the_makers_order() {
        let (asked, end) = walk(Make::Enterprise, &[("XMLDefault.cnf.xml", "<Default/>")]);
        assert_eq!(
            asked,
            [
                "CTLSEP001122AABBCC.tlv",
                "ITLSEP001122AABBCC.tlv",
                "ITLFile.tlv",
                "SEP001122AABBCC.cnf.xml",
                "XMLDefault.cnf.xml"
            ]
        );
        assert!(matches!(end, Walked::Done(Some(_))));
        let (asked, _) = walk(Make::Enterprise, &[("SEP001122AABBCC.cnf.xml", "<device/>")]);
        assert_eq!(asked.len(), 4, "with its own file it does not ask for the default");
    }

    #[test]
    fn a_multiplatform_phone_follows_its_rule_once() {
        let first = "<flat-profile><Profile_Rule>http://127.0.0.1:6970/$MA.xml</Profile_Rule></flat-profile>";
        let own = "<flat-profile><Profile_Rule>/$MA.xml</Profile_Rule><User_ID_1_>1001</User_ID_1_></flat-profile>";
        let files = [("7832-3PCC.xml", first), ("001122aabbcc.xml", own)];
        let (asked, end) = walk(Make::Multiplatform, &files);
        assert_eq!(asked, ["7832-3PCC.xml", "001122aabbcc.xml"]);
        let Walked::Done(Some((file, profile))) = end else { panic!("{end:?}") };
        assert_eq!(file, "/001122aabbcc.xml");
        assert_eq!(&*profile.lines[0].number, "1001");
    }

    #[test]
    fn when_one_door_is_closed_the_other_is_tried() {
        let settings = PhoneSettings::default();
        let mut walk = Walk::new(&settings);
        let Walked::Fetch(first) = walk.next(&settings, 0) else { panic!() };
        assert_eq!(first.door, Door::Http);
        let step = walk.fetched(&settings, 0, Fetched::Failed("refused".into()), 1).unwrap();
        let Walked::Fetch(second) = step else { panic!("{step:?}") };
        assert_eq!((second.door, second.path), (Door::Tftp, "020000000001.txt".to_owned()));
        assert_eq!(walk.asking().unwrap(), "020000000001.txt, TFTP 127.0.0.1:69");
        let end = walk.fetched(&settings, 1, Fetched::Failed("TFTP: silent".into()), 2).unwrap();
        let Walked::Unreachable(why) = end else { panic!("{end:?}") };
        assert_eq!(why, "HTTP 127.0.0.1:6970: refused, TFTP 127.0.0.1:69: silent");
    }

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(split_url("/a?b=c"), Some((None, "/a?b=c".into())));
        let at = Some(("10.0.0.1".parse().unwrap(), 80));
        assert_eq!(split_url("http://10.0.0.1?x"), Some((at, "?x".into())));
        assert_eq!(split_url("https://10.0.0.1/"), None);
        assert_eq!(split_url(""), None);
    }
}
