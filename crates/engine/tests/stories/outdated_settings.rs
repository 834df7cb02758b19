//! A phone gets an owner, and never hears that it has new settings.

use jackfield_engine::{Access, OperatorOrder};
use jackfield_model::{EndUser, Operation, ProvenBy, defaults};
use jackfield_sip::{HeaderName, Transport};
use jackfield_vocabulary::{DeviceRestart, ObjectId};

use crate::world::{CallState, PhoneId, Secret, World};

const NAME: &str = "SEP001122AABB01";
const OWNERS: &str = "3002";

/// A new phone that came by itself, fetched its file with its secret, and registered with it.
struct House {
    world: World,
    phone: PhoneId,
    device: ObjectId,
}

impl House {
    fn new(enterprise: bool) -> Self {
        let mut house = Self::lately(enterprise);
        house.world.run(700);
        house.restart();
        house.world.registered(house.phone);
        house.forget();
        house
    }

    /// A phone that was taken in just now is not asked for its secret yet.
    fn lately(enterprise: bool) -> Self {
        let mut world = World::new();
        let company = defaults::sample_company(&world.directory, 2).unwrap();
        world.admin(&company);
        let phone = world.stranger(NAME, &NAME[3..]);
        let made = world.phones.get_mut(&phone).unwrap();
        made.enterprise = enterprise;
        made.user_agent = if enterprise { "Cisco-CP8841/14.0" } else { "Scripted/1.0" }.into();
        if enterprise {
            made.transport = Transport::Tcp;
            made.connection = Some(1000);
        }
        assert_eq!(world.register(phone), 200);
        world.run(5);
        let device = world.directory.device(NAME).unwrap();
        let mut house = Self { world, phone, device };
        house.restart();
        house.world.registered(phone);
        house.forget();
        house
    }

    /// The phone restarts, reads its file, and takes its secret and its number from there.
    fn restart(&mut self) {
        let directory = &self.world.directory;
        let secret = directory.secrets().sip_password(self.device).reveal().to_owned();
        let device = directory.effective(self.device).unwrap();
        let user = device.lines[0].number().to_owned();
        self.world.reboot(self.phone);
        let phone = self.world.phones.get_mut(&self.phone).unwrap();
        (phone.secret, phone.user) = (Secret::Known(secret), user);
    }

    fn forget(&mut self) {
        self.world.phones.get_mut(&self.phone).unwrap().told.clear();
        self.world.heard.access.clear();
    }

    fn assign(&mut self) {
        let directory = self.world.directory.clone();
        let number = |user| directory.get(directory.primary_extension(user)?);
        let mut users = directory.all::<EndUser>().map(|(user, _)| user.id());
        let owns =
            |user: &ObjectId| number(*user).is_some_and(|line| line.number.as_str() == OWNERS);
        let user = users.find(owns).unwrap();
        let (device, proven_by) = (self.device, ProvenBy::Administrator);
        self.world.admin(&Operation::Assign { device, user, proven_by });
    }

    fn order_restart(&mut self) {
        let order = OperatorOrder::Restart { device: self.device, restart: DeviceRestart::Restart };
        self.world.order(order);
    }

    /// Was the window opened for this phone's address, and for no other?
    fn windows(&self) -> usize {
        let here = self.world.phones[&self.phone].local.ip();
        let windows = self.world.heard.access.iter().filter(|access| match access {
            Access::Window { device, address, .. } => {
                assert_eq!((*device, *address), (self.device, Some(here)));
                true
            }
            Access::Registered { .. } | Access::Seen { .. } => false,
        });
        windows.count()
    }

    /// The phone comes with its old secret, is told to restart, and is its owner's then.
    #[track_caller]
    fn ends_well(&mut self) {
        assert_eq!(self.world.register(self.phone), 403);
        let phone = &self.world.phones[&self.phone];
        assert_eq!(phone.answer.as_ref().unwrap().reason(), "Outdated settings");
        assert_eq!(phone.told.len(), 1, "told to restart: {:?}", phone.told);
        if phone.enterprise {
            let call_id = phone.answer.as_ref().unwrap().first(HeaderName::CallId).unwrap();
            let order = format!("action=restart\r\nRegisterCallId={{{call_id}}}\r\n");
            assert!(phone.told[0].2.starts_with(&order), "{}", phone.told[0].2);
        } else {
            assert_eq!(phone.told[0].1, "check-sync;reboot=true");
        }
        assert_eq!(self.windows(), 1);
        self.restart();
        assert_eq!(self.world.phones[&self.phone].user, OWNERS);
        assert_eq!(self.world.register(self.phone), 200);
        assert!(self.world.inspect(self.device).registered);
        let caller = self.world.phone("SEP001122AABB77", "2077");
        self.world.registered(caller);
        self.world.dial(caller, OWNERS);
        self.world.run(1);
        self.world.assert_state(self.phone, CallState::Ringing);
        self.world.hang_up(caller);
        self.world.run(2);
        self.world.assert_quiet();
    }
}

/// Proves SP-44.e.
#[test]
fn a_phone_assigned_while_it_restarts_becomes_its_owners() {
    for (enterprise, house) in [
        (true, House::new as fn(bool) -> House),
        (false, House::new),
        (true, House::lately),
        (false, House::lately),
    ] {
        let mut house = house(enterprise);
        house.world.reboot(house.phone);
        house.world.network.cut_off.push(house.phone);
        house.assign();
        house.order_restart();
        house.world.run(40);
        house.world.network.cut_off.clear();
        assert!(house.world.phones[&house.phone].told.is_empty());
        house.ends_well();
    }
}

/// Proves SP-44.e: the word to restart is lost, and the phone goes on as before.
#[test]
fn a_phone_whose_restart_was_lost_becomes_its_owners() {
    for enterprise in [true, false] {
        let mut house = House::new(enterprise);
        house.assign();
        house.world.network.cut_off.push(house.phone);
        house.order_restart();
        house.world.run(40);
        house.world.network.cut_off.clear();
        house.world.run(1800);
        house.ends_well();
    }
}

/// Proves SP-44.e: the node stops after the commit, before or after it heard of it.
#[test]
fn a_phone_whose_node_stopped_before_the_restart_becomes_its_owners() {
    for enterprise in [true, false] {
        for heard in [true, false] {
            let mut house = House::new(enterprise);
            let before = house.world.heard.bindings.clone();
            house.assign();
            if !heard {
                house.world.heard.bindings = before;
            }
            house.world.restart_node(7);
            assert_eq!(house.world.overview().registered, 0, "not with that secret");
            house.world.run(60);
            house.forget();
            house.ends_well();
        }
    }
}

/// Proves SP-44.e: the node stopped before the phone had fetched its file.
#[test]
fn a_phone_may_still_fetch_its_secret_after_the_node_was_started_anew() {
    for restarted in [true, false] {
        let mut house = House::new(true);
        house.assign();
        if restarted {
            // It has left, and is starting.
            house.order_restart();
            house.world.run(5);
        }
        house.world.heard.access.clear();
        house.world.restart_node(7);
        let (device, address) = (house.device, house.world.phones[&house.phone].local.ip());
        let shown = house.world.directory.secrets().generation(device) - 1;
        let registered = Access::Registered { device, address, generation: shown };
        assert_eq!(house.world.heard.access, [registered], "restarted: {restarted}");
    }
}

/// Proves SP-44.e: its temporary number is another new phone's by then.
#[test]
fn a_phone_whose_old_number_is_anothers_becomes_its_owners() {
    let mut house = House::new(false);
    house.assign();
    let number = house.world.phones[&house.phone].user.clone();
    let other = house.world.stranger("SEP001122AABB02", "001122AABB02");
    assert_eq!(house.world.register(other), 200);
    let device = house.world.directory.device("SEP001122AABB02").unwrap();
    let device = house.world.directory.effective(device).unwrap();
    assert_eq!(device.lines[0].number(), number);
    house.world.run(5);
    house.forget();
    house.ends_well();
}

/// Proves SP-44.e: a phone that asks for proof is shown the secret that it still has.
#[test]
fn a_phone_with_outdated_settings_may_ask_for_proof() {
    let mut house = House::new(true);
    house.assign();
    house.world.phones.get_mut(&house.phone).unwrap().challenges = true;
    house.ends_well();
    assert_eq!(house.world.phones[&house.phone].proofs, [true]);
}

/// One that is taken from its owner had its secret replaced more than once, and is told all the same.
#[test]
fn a_phone_that_loses_its_owner_is_shown_the_secret_that_it_has() {
    let mut house = House::new(true);
    house.assign();
    house.ends_well();
    house.forget();
    house.world.phones.get_mut(&house.phone).unwrap().challenges = true;
    house.world.phones.get_mut(&house.phone).unwrap().proofs.clear();
    let device = house.device;
    house.world.admin(&Operation::Unassign { device });
    house.order_restart();
    house.world.run(5);
    assert_eq!(house.world.phones[&house.phone].proofs, [true]);
}

/// Proves SP-44.e: once in half a minute, and again when the word was lost.
#[test]
fn it_is_told_again_but_not_at_every_try() {
    let mut house = House::new(true);
    house.assign();
    for (wait, told) in [(0, 1), (5, 1), (10, 1), (30, 2), (5, 2)] {
        house.world.run(wait);
        house.world.stop_and_restore();
        assert_eq!(house.world.register(house.phone), 403);
        assert_eq!(house.world.phones[&house.phone].told.len(), told, "after {wait}");
        assert_eq!(house.windows(), told);
    }
    let text = "phone with outdated settings told to restart";
    assert_eq!(house.world.heard.notes.iter().filter(|note| note.text == text).count(), 2);
}

#[test]
fn a_phone_that_leaves_is_not_called_back() {
    let mut house = House::new(true);
    house.assign();
    house.world.phones.get_mut(&house.phone).unwrap().expires = 0;
    assert_eq!(house.world.register(house.phone), 403);
    house.world.phones.get_mut(&house.phone).unwrap().expires = 3600;
    assert!(house.world.phones[&house.phone].told.is_empty());
    assert_eq!(house.windows(), 0);
    house.ends_well();
}

#[test]
fn a_stranger_with_a_wrong_secret_is_told_nothing() {
    let mut house = House::new(false);
    house.assign();
    let stranger = house.world.stranger(NAME, "9000");
    house.world.phones.get_mut(&stranger).unwrap().secret = Secret::Wrong;
    assert_eq!(house.world.register(stranger), 401);
    let phone = &house.world.phones[&stranger];
    assert!(phone.told.is_empty());
    assert!(house.world.heard.access.is_empty());
}

#[test]
fn the_secret_of_two_replacements_ago_is_a_wrong_one() {
    let rotate = |device| Operation::RotateDeviceSecret { device };
    for next in [|device| Operation::Unassign { device }, rotate] {
        let mut house = House::new(false);
        house.assign();
        let device = house.device;
        house.world.admin(&next(device));
        assert_eq!(house.world.register(house.phone), 401);
        let phone = &house.world.phones[&house.phone];
        assert!(phone.told.is_empty());
        assert_eq!(house.windows(), 0);
    }
}

/// What was heard on the wire before the assignment, or after it, opens nothing from elsewhere.
#[test]
fn a_registration_sent_again_by_another_opens_nothing() {
    let mut house = House::new(false);
    house.world.record = true;
    house.world.run(30);
    assert_eq!(house.world.register(house.phone), 200);
    house.assign();
    assert_eq!(house.world.register(house.phone), 403);
    assert_eq!(house.windows(), 1);
    house.forget();
    house.world.run(40);
    let heard = core::mem::take(&mut house.world.recorded);
    let registrations = heard.iter().filter(|bytes| bytes.starts_with(b"REGISTER "));
    let mut sent = 0;
    for bytes in registrations {
        let text = String::from_utf8(bytes.clone()).unwrap();
        house.world.send_raw("203.0.113.9:5060", &text);
        house.world.run(1);
        sent += 1;
    }
    assert!(sent >= 2);
    assert!(house.world.heard.access.is_empty(), "{:?}", house.world.heard.access);
    assert!(house.world.phones[&house.phone].told.is_empty());
}

#[test]
fn the_former_secret_places_no_calls() {
    for heard in [true, false] {
        let mut house = House::new(false);
        let colleague = house.world.phone("SEP001122AABB10", "3500");
        house.world.registered(colleague);
        let before = house.world.heard.bindings.clone();
        house.assign();
        if !heard {
            house.world.heard.bindings = before;
            house.world.restart_node(7);
        }
        assert_eq!(house.world.register(house.phone), 403);
        house.forget();
        house.world.run(40);
        house.world.dial(house.phone, "3500");
        house.world.run(2);
        house.world.assert_state(house.phone, CallState::Over(401));
        house.world.assert_state(colleague, CallState::None);
        assert_eq!(house.windows(), 0, "a call opens nothing");
        assert!(house.world.phones[&house.phone].told.is_empty());
        house.world.assert_quiet();
    }
}
