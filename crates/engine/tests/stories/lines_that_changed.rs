//! A phone's lines are changed, and it goes on registering the number it had: it is refused, and told
//! to restart, and whoever asks is told what is the matter.

use jackfield_engine::OperatorOrder;
use jackfield_model::Kind;
use jackfield_vocabulary::{Code, DeviceRestart, ObjectId, Outdated};
use serde_json::json;

use crate::world::{CallState, PhoneId, Secret, World};

struct House {
    world: World,
    phone: PhoneId,
    device: ObjectId,
    caller: PhoneId,
}

impl House {
    fn new(model: &str) -> Self {
        let mut world = World::new();
        let phone = world.phone_of_model("SEP001122AABB01", "3011", model);
        let caller = world.phone("SEP001122AABB02", "3001");
        world.create(Kind::Line, json!({ "number": "3007" }));
        let device = world.phones[&phone].device.unwrap();
        world.registered(phone);
        world.registered(caller);
        Self { world, phone, device, caller }
    }

    fn exchange(&mut self, numbers: &[&str]) {
        let lines: Vec<_> = numbers.iter().map(|number| json!({ "line": number })).collect();
        self.world.change(self.device, json!({ "lines": lines }));
    }

    fn renumber(&mut self) {
        let line = self.world.directory.find(Kind::Line, "3011").unwrap();
        self.world.change(line, json!({ "number": "3008" }));
    }

    /// It restarts, and knows this number from its file.
    fn restart(&mut self, number: &str) -> u16 {
        self.world.reboot(self.phone);
        self.world.phones.get_mut(&self.phone).unwrap().user = number.into();
        self.world.register(self.phone)
    }

    fn told(&self) -> usize {
        self.world.phones[&self.phone].told.len()
    }

    fn refused(&mut self) -> Option<Code> {
        self.world.inspect(self.device).refused.map(|last| last.refusal.code)
    }

    fn outdated(&mut self) -> Option<Outdated> {
        self.world.inspect(self.device).outdated
    }

    fn silent(&mut self) -> usize {
        self.world.inspect(self.device).silent_lines.len()
    }

    #[track_caller]
    fn rings_at(&mut self, number: &str) {
        self.world.dial(self.caller, number);
        self.world.run(1);
        self.world.assert_state(self.phone, CallState::Ringing);
        self.world.hang_up(self.caller);
        self.world.run(2);
    }
}

#[test]
fn a_phone_whose_lines_were_exchanged_is_told_to_restart_where_it_comes_from() {
    for model in ["Generic SIP phone", "Cisco 8841 multiplatform"] {
        for restarted in [false, true] {
            let mut house = House::new(model);
            house.exchange(&["3007"]);
            assert_eq!((house.outdated(), house.silent()), (Some(Outdated::Lines), 1));
            if restarted {
                house.world.restart_node(7);
                assert_eq!(house.outdated(), Some(Outdated::Lines), "its registration is kept");
            }
            assert_eq!(house.world.register(house.phone), 404);
            assert_eq!((house.told(), house.refused()), (1, Some(Code::NotItsLine)));
            assert_eq!(house.restart("3007"), 200);
            assert_eq!((house.refused(), house.outdated(), house.silent()), (None, None, 0));
            house.rings_at("3007");
            assert_eq!(house.told(), 1);
        }
    }
}

#[test]
fn a_phone_whose_line_has_another_number_is_told_when_its_registration_is_due() {
    let mut house = House::new("Generic SIP phone");
    house.renumber();
    assert_eq!((house.outdated(), house.refused()), (Some(Outdated::Lines), None));
    house.rings_at("3008");
    house.world.run(1800);
    assert_eq!(house.world.register(house.phone), 404);
    assert_eq!((house.told(), house.refused()), (1, Some(Code::NotItsLine)));
    assert_eq!(house.restart("3008"), 200);
    assert_eq!((house.refused(), house.outdated()), (None, None));
}

/// Its registration from before may lead nowhere any more.
#[test]
fn who_orders_the_restart_reaches_it_where_it_came_from_last() {
    let mut house = House::new("Generic SIP phone");
    house.exchange(&["3007"]);
    house.world.phones.get_mut(&house.phone).unwrap().local = "10.1.9.9:5062".parse().unwrap();
    house.world.reboot(house.phone);
    assert_eq!(house.world.register(house.phone), 404);
    house.world.run(5);
    let order = OperatorOrder::Restart { device: house.device, restart: DeviceRestart::Restart };
    house.world.order(order);
    house.world.run(1);
    assert_eq!(house.told(), 2);
}

/// What does not help is not done again and again; another change makes it worth trying.
#[test]
fn a_phone_that_keeps_its_old_number_is_told_ever_more_seldom() {
    let mut house = House::new("Generic SIP phone");
    house.exchange(&["3007"]);
    let mut told = Vec::new();
    for wait in [0, 10, 20, 30, 60, 60, 7200] {
        house.world.run(wait);
        house.world.stop_and_restore();
        assert_eq!(house.world.register(house.phone), 404);
        told.push(house.told());
    }
    assert_eq!(told, [1, 1, 1, 2, 2, 3, 4]);
    house.world.run(40);
    house.exchange(&["3007", "3001"]);
    assert_eq!(house.world.register(house.phone), 404);
    assert_eq!(house.told(), 5);
}

/// An account of its own beside the lines of the device must not keep it from them.
#[test]
fn a_phone_that_has_its_line_and_wants_one_more_is_refused_and_left_alone() {
    let mut house = House::new("Generic SIP phone");
    house.world.phones.get_mut(&house.phone).unwrap().user = "3099".into();
    house.world.phones.get_mut(&house.phone).unwrap().register = ("other".into(), 0);
    assert_eq!(house.world.register(house.phone), 404);
    assert_eq!((house.told(), house.refused()), (0, Some(Code::NotItsLine)));
    assert_eq!((house.outdated(), house.silent()), (None, 0));
    house.rings_at("3011");
}

/// One of its lines is right still: that does not hide that the other one was refused.
#[test]
fn the_line_that_stayed_does_not_hide_the_one_that_is_gone() {
    let mut house = House::new("Generic SIP phone");
    house.world.create(Kind::Line, json!({ "number": "3100" }));
    house.exchange(&["3007", "3100"]);
    assert_eq!(house.world.register(house.phone), 404);
    let again = |house: &mut House, number: &str| {
        let phone = house.world.phones.get_mut(&house.phone).unwrap();
        (phone.user, phone.register) = (number.into(), (format!("{number}-again"), 0));
        house.world.register(house.phone)
    };
    assert_eq!(again(&mut house, "3100"), 200);
    assert_eq!((house.refused(), house.silent()), (Some(Code::NotItsLine), 1));
    assert_eq!(again(&mut house, "3007"), 200);
    assert_eq!((house.refused(), house.silent()), (None, 0));
}

#[test]
fn who_shows_no_secret_has_nobody_restarted_and_no_fault_shown() {
    let mut house = House::new("Generic SIP phone");
    house.exchange(&["3007"]);
    let stranger = house.world.stranger("SEP001122AABB01", "3011");
    house.world.phones.get_mut(&stranger).unwrap().secret = Secret::Wrong;
    assert_eq!(house.world.register(stranger), 401);
    assert_eq!((house.told(), house.refused()), (0, None));
    assert!(house.world.phones[&stranger].told.is_empty());
}

#[test]
fn a_phone_whose_secret_was_replaced_has_the_old_one_still() {
    let mut house = House::new("Generic SIP phone");
    let device = house.device;
    house.world.admin(&jackfield_model::Operation::RotateDeviceSecret { device });
    let state = house.world.inspect(device);
    assert_eq!((state.registered, state.outdated), (false, Some(Outdated::Secret)));
    assert_eq!(
        (state.silent_lines.len(), state.address.as_deref()),
        (1, Some("10.1.0.1:5060 udp"))
    );
    let secret = house.world.directory.secrets().sip_password(device).reveal().to_owned();
    house.world.phones.get_mut(&house.phone).unwrap().secret = Secret::Known(secret);
    assert_eq!(house.restart("3011"), 200);
    assert_eq!((house.outdated(), house.silent()), (None, 0));
}

/// A number rings where one of its phones is.
#[test]
fn a_shared_line_is_silent_when_none_of_its_phones_is_there() {
    let mut house = House::new("Generic SIP phone");
    let caller = house.world.phones[&house.caller].device.unwrap();
    house.world.change(caller, json!({ "lines": [{ "line": "3001" }, { "line": "3011" }] }));
    assert_eq!(house.world.inspect(caller).silent_lines, []);
    house.world.unregister(house.phone);
    assert_eq!(house.world.inspect(caller).silent_lines.len(), 1);
    assert_eq!(house.silent(), 1);
}
