//! Who gets a phone's file with the secrets in it. File names are fixed by the makers and a
//! hardware address is no secret, so the answer depends on who asks: the address from which the
//! device registered last, a provisioning network, or a window that was opened for the device for
//! a few minutes. A window is for an address, or for networks that somebody listed, and never for
//! everybody. Anybody else gets the file without secrets.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jackfield_model::{ClusterSettings, Directory, Network};
use jackfield_vocabulary::{Now, ObjectId, SecretShown};

/// What is known of addresses at this moment; bounded, and nothing in it outlives its use.
#[derive(Clone, Debug, Default)]
pub struct AccessTable {
    registered: BTreeMap<ObjectId, SecretShown>,
    /// Where devices registered that have shown no secret yet.
    seen: BTreeMap<ObjectId, IpAddr>,
    windows: BTreeMap<ObjectId, Window>,
    /// The windows in the order in which they close.
    closing: BTreeSet<(u64, ObjectId)>,
    /// How often a window was opened or closed at this node.
    changes: u64,
}

#[derive(Clone, Debug)]
struct Window {
    /// Only from there.
    networks: Box<[Network]>,
    /// The generation of the device's secret when it was opened.
    generation: u32,
    /// Microseconds of the monotonic clock.
    closes: u64,
}

impl AccessTable {
    /// Nobody is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// The device registered with its own secret: it has fetched its file. Whether that closed a window.
    pub fn registered(&mut self, device: ObjectId, shown: SecretShown) -> bool {
        self.registered_before(device, shown);
        self.close(device)
    }

    /// The same some time ago, at this node or another one. A window may have been opened since.
    pub fn registered_before(&mut self, device: ObjectId, shown: SecretShown) {
        self.seen.remove(&device);
        let address = shown.address.to_canonical();
        self.registered.insert(device, SecretShown { address, ..shown });
    }

    /// The device registered from this address without a secret. That alone opens nothing; it is
    /// where a window is opened, should there be reason for one.
    pub fn seen(&mut self, device: ObjectId, address: IpAddr) {
        if !self.registered.contains_key(&device) {
            self.seen.insert(device, address.to_canonical());
        }
    }

    /// Where the device is expected when nobody names an address: where it was last; else in the
    /// networks from which the node takes unknown phones, if somebody listed them. That every
    /// private address is meant where none is listed does not make them all the phone's, and that
    /// every address is meant makes none so.
    pub fn whereabouts(
        &self,
        directory: &Directory,
        node: &str,
        device: ObjectId,
    ) -> Box<[Network]> {
        let last = self.last(directory, device).or_else(|| self.seen.get(&device).copied());
        if let Some(last) = last {
            return [Network::from(last)].into();
        }
        let open = directory.auto_registration(node).map(|(_, settings)| settings);
        let open = open.filter(|settings| !settings.disabled);
        let listed = open.iter().flat_map(|settings| settings.allowed_networks.iter());
        let networks = listed.filter_map(|network| network.parse::<Network>().ok());
        networks.filter(|network| !network.is_everywhere()).collect()
    }

    /// Opens a window for a device, whose secret is of this generation, in these networks; for none,
    /// there is no window. When too many are open, the one that closes first goes.
    pub fn open(
        &mut self,
        device: ObjectId,
        networks: Box<[Network]>,
        generation: u32,
        length: Duration,
        now: Now,
    ) {
        self.changes += 1;
        self.hear_open(device, networks, generation, length, now);
    }

    /// The same of a window that was opened at another node, or before this one was started.
    pub fn hear_open(
        &mut self,
        device: ObjectId,
        networks: Box<[Network]>,
        generation: u32,
        length: Duration,
        now: Now,
    ) {
        self.close_due(now);
        if networks.is_empty() {
            return;
        }
        self.hear_closed(device);
        if self.windows.len() >= MOST_WINDOWS
            && let Some((_, first)) = self.closing.first().copied()
        {
            self.hear_closed(first);
        }
        let closes = (now + length.min(LONGEST_WINDOW)).micros;
        self.windows.insert(device, Window { networks, generation, closes });
        self.closing.insert((closes, device));
    }

    /// Closes the window of a device; whether there was one.
    pub fn close(&mut self, device: ObjectId) -> bool {
        let closed = self.hear_closed(device);
        self.changes += u64::from(closed);
        closed
    }

    /// The same of a window that was closed at another node.
    pub fn hear_closed(&mut self, device: ObjectId) -> bool {
        let Some(window) = self.windows.remove(&device) else { return false };
        self.closing.remove(&(window.closes, device))
    }

    /// A number that grows with whatever this node does to windows itself: what was read elsewhere before
    /// may be older than that.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Forgets devices that are there no more; for every change of the directory that deletes one.
    pub fn forget(&mut self, device: ObjectId) {
        self.registered.remove(&device);
        self.seen.remove(&device);
        self.close(device);
    }

    /// Whether who asks from this address may have the device's secrets.
    pub fn trusts(
        &self,
        directory: &Directory,
        device: ObjectId,
        address: IpAddr,
        now: Now,
    ) -> bool {
        let address = address.to_canonical();
        self.last(directory, device) == Some(address)
            || self.window(directory, device, now).is_some_and(|(networks, _)| {
                networks.iter().any(|network| network.contains(address))
            })
            || in_provisioning_network(directory, address)
    }

    /// From where the device registered last. Whoever did with a secret that was revoked since need not
    /// have been the device.
    fn last(&self, directory: &Directory, device: ObjectId) -> Option<IpAddr> {
        let SecretShown { address, generation } = *self.registered.get(&device)?;
        directory.secrets().vouches(device, generation).then_some(address)
    }

    /// The networks in which a window is open for a device, and for how long it still is.
    pub fn window(
        &self,
        directory: &Directory,
        device: ObjectId,
        now: Now,
    ) -> Option<(&[Network], Duration)> {
        let window = self.windows.get(&device)?;
        let left = window.closes.checked_sub(now.micros).filter(|left| *left > 0)?;
        let open = directory.secrets().vouches(device, window.generation);
        open.then(|| (&*window.networks, Duration::from_micros(left)))
    }

    /// The devices for which a window is open, the one that closes first before the others.
    pub fn open_windows(&self, directory: &Directory, now: Now) -> impl Iterator<Item = ObjectId> {
        let devices = self.closing.iter().map(|(_, device)| *device);
        devices.filter(move |device| self.window(directory, *device, now).is_some())
    }

    /// How many windows are open.
    pub fn windows(&self) -> usize {
        self.windows.len()
    }

    fn close_due(&mut self, now: Now) {
        while let Some((closes, device)) = self.closing.first().copied()
            && closes <= now.micros
        {
            self.hear_closed(device);
        }
    }
}

/// Whether the address is in one of the cluster's provisioning networks.
fn in_provisioning_network(directory: &Directory, address: IpAddr) -> bool {
    directory
        .all::<ClusterSettings>()
        .flat_map(|(_, settings)| settings.provisioning_networks.iter())
        .filter_map(|network| network.parse::<Network>().ok())
        .any(|network| network.contains(address))
}

/// Windows that can be open at once; each takes some hundred bytes.
const MOST_WINDOWS: usize = 20_000;

/// No window stays open longer.
const LONGEST_WINDOW: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use jackfield_model::DeviceSecrets;
    use jackfield_vocabulary::UnixTime;

    use super::*;

    const PHONE: ObjectId = ObjectId(7);

    fn at(seconds: u64) -> Now {
        Now::new(seconds * 1_000_000, UnixTime(seconds * 1000))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn shown(text: &str, generation: u32) -> SecretShown {
        SecretShown { address: address(text), generation }
    }

    #[test]
    fn the_address_of_the_last_registration_is_trusted_for_that_device_only() {
        let (directory, mut table) = (Directory::default(), AccessTable::new());
        table.registered(PHONE, shown("192.0.2.7", 0));
        assert!(table.trusts(&directory, PHONE, address("192.0.2.7"), at(1)));
        assert!(table.trusts(&directory, PHONE, address("::ffff:192.0.2.7"), at(1)));
        assert!(!table.trusts(&directory, PHONE, address("192.0.2.8"), at(1)));
        assert!(!table.trusts(&directory, ObjectId(8), address("192.0.2.7"), at(1)));
        table.registered(PHONE, shown("192.0.2.9", 0));
        assert!(!table.trusts(&directory, PHONE, address("192.0.2.7"), at(1)));
        table.forget(PHONE);
        assert!(!table.trusts(&directory, PHONE, address("192.0.2.9"), at(1)));
    }

    /// An owner changes, and the phone is still where it was. A secret that leaked may have been shown by
    /// anybody.
    #[test]
    fn the_last_address_is_trusted_until_the_secret_that_was_shown_there_is_revoked() {
        let mut table = AccessTable::new();
        table.registered(PHONE, shown("192.0.2.7", 0));
        let mut secrets = DeviceSecrets::default();
        let mut trusted = |change: fn(&mut DeviceSecrets)| {
            change(&mut secrets);
            let directory = Directory::default().with_secrets(secrets.clone());
            let expected = table.whereabouts(&directory, "node1", PHONE);
            let trusts = table.trusts(&directory, PHONE, address("192.0.2.7"), at(1));
            assert_eq!(trusts, expected == only("192.0.2.7"));
            trusts
        };
        assert!(trusted(|secrets| secrets.rotate(PHONE)));
        assert!(trusted(|secrets| secrets.rotate(PHONE)));
        assert!(!trusted(|secrets| secrets.revoke(PHONE)));
        assert!(!trusted(|secrets| secrets.rotate(PHONE)));
        let directory = Directory::default().with_secrets(secrets.clone());
        table.open(PHONE, only("192.0.2.9"), 0, Duration::from_secs(60), at(0));
        assert!(!table.trusts(&directory, PHONE, address("192.0.2.9"), at(1)), "opened before");
        assert_eq!(table.window(&directory, PHONE, at(1)), None);
        table.registered(PHONE, shown("192.0.2.8", secrets.generation(PHONE)));
        assert!(table.trusts(&directory, PHONE, address("192.0.2.8"), at(1)));
    }

    fn only(text: &str) -> Box<[Network]> {
        [text.parse().unwrap()].into()
    }

    #[test]
    fn a_window_is_for_an_address_or_a_network_and_closes_by_itself() {
        let (directory, mut table) = (Directory::default(), AccessTable::new());
        table.open(PHONE, only("192.0.2.0/28"), 0, Duration::from_secs(60), at(0));
        assert!(table.trusts(&directory, PHONE, address("192.0.2.1"), at(59)));
        let open = table.window(&directory, PHONE, at(59)).unwrap();
        assert_eq!(open, (&*only("192.0.2.0/28"), Duration::from_secs(1)));
        assert_eq!(table.window(&directory, PHONE, at(60)), None);
        assert!(!table.trusts(&directory, PHONE, address("192.0.2.16"), at(59)));
        assert!(!table.trusts(&directory, PHONE, address("192.0.2.1"), at(60)));
        table.open(PHONE, only("192.0.2.1"), 0, Duration::from_secs(60), at(60));
        table.open(ObjectId(8), only("192.0.2.8"), 0, Duration::from_secs(30), at(60));
        let open = |now| table.open_windows(&directory, now).collect::<Vec<_>>();
        assert_eq!((open(at(61)), open(at(91))), (vec![ObjectId(8), PHONE], vec![PHONE]));
        assert!(table.trusts(&directory, PHONE, address("192.0.2.1"), at(61)));
        assert!(!table.trusts(&directory, PHONE, address("192.0.2.2"), at(61)));
        table.close(PHONE);
        assert!(!table.trusts(&directory, PHONE, address("192.0.2.1"), at(61)));
    }

    #[test]
    fn a_window_closes_when_the_device_registers_with_its_secret() {
        let (directory, mut table) = (Directory::default(), AccessTable::new());
        table.open(PHONE, only("192.0.2.0/28"), 0, Duration::from_secs(60), at(0));
        table.seen(PHONE, address("192.0.2.5"));
        assert!(table.trusts(&directory, PHONE, address("192.0.2.1"), at(1)));
        table.registered(PHONE, shown("192.0.2.5", 0));
        assert!(table.trusts(&directory, PHONE, address("192.0.2.5"), at(1)));
        assert!(!table.trusts(&directory, PHONE, address("192.0.2.1"), at(1)));
        // What is heard of it late says nothing of a window that was opened since.
        table.open(PHONE, only("192.0.2.7"), 0, Duration::from_secs(60), at(0));
        table.registered_before(PHONE, shown("192.0.2.6", 0));
        for (last, trusted) in [("192.0.2.5", false), ("192.0.2.6", true), ("192.0.2.7", true)] {
            assert_eq!(table.trusts(&directory, PHONE, address(last), at(1)), trusted, "{last}");
        }
    }

    /// What is heard of it is no change of this node's own, which others would have to hear of.
    #[test]
    fn a_window_of_another_node_is_open_for_what_is_left_of_it_and_closes_when_it_does_there() {
        let (directory, mut table) = (Directory::default(), AccessTable::new());
        table.hear_open(PHONE, only("192.0.2.1"), 0, Duration::from_secs(20), at(100));
        let trusts =
            |table: &AccessTable, now| table.trusts(&directory, PHONE, address("192.0.2.1"), now);
        assert!(trusts(&table, at(119)) && !trusts(&table, at(120)));
        assert!(table.hear_closed(PHONE) && !trusts(&table, at(101)));
        assert_eq!((table.hear_closed(PHONE), table.changes()), (false, 0));
        table.hear_open(PHONE, only("192.0.2.1"), 0, Duration::from_secs(20), at(100));
        assert!(table.registered(PHONE, shown("192.0.2.5", 0)), "the others hear of it");
        assert!(!table.registered(PHONE, shown("192.0.2.5", 0)));
        assert_eq!(table.changes(), 1);
        table.open(PHONE, only("192.0.2.1"), 0, Duration::from_secs(20), at(100));
        assert_eq!((table.changes(), table.close(PHONE), table.changes()), (2, true, 3));
    }

    #[test]
    fn a_device_is_expected_where_it_was_last_and_nowhere_when_that_is_not_known() {
        let (directory, mut table) = (Directory::default(), AccessTable::new());
        assert_eq!(table.whereabouts(&directory, "node1", PHONE), [].into());
        table.open(PHONE, [].into(), 0, Duration::from_secs(60), at(0));
        assert_eq!(table.windows(), 0);
        table.seen(PHONE, address("192.0.2.5"));
        assert!(!table.trusts(&directory, PHONE, address("192.0.2.5"), at(1)), "seen is no proof");
        assert_eq!(table.whereabouts(&directory, "node1", PHONE), only("192.0.2.5"));
        table.registered(PHONE, shown("192.0.2.6", 0));
        table.seen(PHONE, address("192.0.2.7"));
        assert_eq!(table.whereabouts(&directory, "node1", PHONE), only("192.0.2.6"));
        table.forget(PHONE);
        assert_eq!(table.whereabouts(&directory, "node1", PHONE), [].into());
    }

    #[test]
    fn windows_are_bounded_and_end() {
        let mut table = AccessTable::new();
        for id in 0..30_000 {
            let length = Duration::from_secs(u64::from(id) + 1);
            table.open(ObjectId(id), only("192.0.2.1"), 0, length, at(0));
        }
        assert_eq!(table.windows(), MOST_WINDOWS);
        table.open(PHONE, only("192.0.2.1"), 0, Duration::from_secs(u64::MAX), at(3600));
        assert_eq!(table.windows(), 1, "all others ended, none after more than an hour");
    }
}
