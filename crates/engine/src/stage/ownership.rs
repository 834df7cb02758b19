//! Several nodes with the IVR on one cluster: one owns the route point, the others stand by
//! (SP-60). This is one of them, in virtual time; what the leases say is said here.

use core::time::Duration;

use jackfield_model::Kind;
use jackfield_vocabulary::{Cause, LegId, ObjectId};
use serde_json::json;

use super::{Leases, LegState, Stage};
use crate::interface::{Ownership, ServiceOrder};

const IVR: &str = jackfield_model::defaults::sample::IVR_NUMBER;
const LENGTH: Duration = Duration::from_secs(15);

/// A node whose IVR was started, with a phone; its leases say this.
struct Node {
    stage: Stage,
    phone: ObjectId,
    point: ObjectId,
}

impl Node {
    fn new(leases: Leases) -> Self {
        let mut stage = Stage::quiet();
        stage.leases = Some(leases);
        stage.start_services(&["en-US"]);
        stage.after(31);
        let (phone, point) = (stage.new_phone(1), stage.id(Kind::CtiRoutePoint, "IVR-RP"));
        Self { stage, phone, point }
    }

    fn call(&mut self) -> LegId {
        self.stage.call(self.phone, IVR)
    }

    fn is_served(&mut self) -> bool {
        let leg = self.call();
        let served = self.stage.state(leg) == Some(LegState::Talks);
        if served {
            self.stage.hang_up(leg);
        } else {
            assert_eq!(self.stage.ended[&leg], Cause::Congestion);
        }
        served
    }

    fn prolong(&mut self) {
        let until = self.stage.now + LENGTH;
        self.stage.owned(self.point, Ownership::Own { until });
    }

    fn lose_to(&mut self, node: &str) {
        self.stage.owned(self.point, Ownership::Other { node: node.into() });
    }

    fn state(&self) -> Box<str> {
        self.stage.overview().ivr
    }
}

/// Proves SP-60.c: whoever owns the route point serves, and goes on as long as it is told so in time.
#[test]
fn the_owner_serves_and_goes_on_while_it_is_told_so() {
    let mut node = Node::new(Leases::Own(LENGTH));
    for _ in 0..20 {
        node.prolong();
        node.stage.after(14);
        assert_eq!(&*node.state(), "in-service");
        assert!(node.is_served());
    }
}

/// Proves SP-60.d: whoever does not own it stands by, names the owner, and turns calls away as when
/// nobody has the route point open.
#[test]
fn the_others_stand_by_and_name_the_owner() {
    let mut node = Node::new(Leases::Other("node-2"));
    assert_eq!(&*node.state(), "standing by (owner: node-2)");
    assert_eq!(node.stage.overview().ivr_owner.as_deref(), Some("node-2"));
    assert!(!node.is_served());
    node.stage.after(3600);
    assert!(!node.is_served());
    // A forward of its line takes the call, as it does when no application has it open.
    let target = node.stage.phone_of("suzuki", 7);
    let to = node.stage.numbers_of(target)[0].clone();
    let forward = json!({ "forwards": { "no_answer": { "destination": to } } });
    node.stage.patch(Kind::Line, IVR, forward);
    let caller = node.stage.phone_of("tanaka", 8);
    node.stage.call(caller, IVR);
    assert!(node.stage.ringing(target).is_some());
}

/// Proves SP-60.d: the end of the owner's lease makes this node the owner, at once.
#[test]
fn who_stands_by_takes_over() {
    let mut node = Node::new(Leases::Other("node-2"));
    node.prolong();
    assert_eq!(&*node.state(), "in-service");
    assert_eq!(node.stage.overview().ivr_owner, None);
    assert!(node.is_served());
    node.lose_to("node-2");
    assert!(!node.is_served());
    node.prolong();
    assert!(node.is_served());
}

/// Proves SP-60.d: an owner that is cut off lets go by itself when its time is over, not a moment
/// later; calls in progress go on to their end.
#[test]
fn an_owner_that_is_cut_off_lets_go_and_finishes_its_calls() {
    let mut node = Node::new(Leases::Own(LENGTH));
    node.stage.leases = Some(Leases::Unknown);
    node.prolong();
    let calling = node.stage.new_phone(3);
    let caller = node.stage.call(calling, IVR);
    node.stage.pass(LENGTH.checked_sub(Duration::from_millis(1)).unwrap());
    assert!(node.is_served(), "it is its still");
    node.stage.pass(Duration::from_millis(1));
    let other = node.stage.new_phone(2);
    let late = node.stage.call(other, IVR);
    assert_eq!(node.stage.ended[&late], Cause::Congestion);
    assert!(node.state().starts_with("standing by"), "{}", node.state());
    assert!(node.stage.wanted.contains(&node.point), "it goes on asking");
    // The call that was there is served as before.
    assert_eq!(node.stage.state(caller), Some(LegState::Talks));
    assert_eq!(node.stage.overview().ivr_calls, 1);
    node.stage.hears(caller);
    node.stage.press(caller, "9999#");
    assert!(!node.stage.hears(caller).is_empty(), "the dialogue goes on");
    node.stage.hang_up(caller);
    assert_eq!(node.stage.overview().ivr_calls, 0);
    assert!(!node.is_served());
    node.prolong();
    assert!(node.is_served(), "it is back");
}

/// Proves SP-60.d: owning it again while calls are still in progress ends nothing and opens it again.
#[test]
fn an_owner_that_comes_back_during_a_call_goes_on() {
    let mut node = Node::new(Leases::Own(LENGTH));
    let caller = node.call();
    node.lose_to("node-2");
    assert_eq!(&*node.state(), "standing by (owner: node-2)");
    node.prolong();
    assert_eq!(node.stage.state(caller), Some(LegState::Talks));
    assert_eq!(node.stage.overview().ivr_calls, 1);
    let other = node.stage.new_phone(2);
    let late = node.stage.call(other, IVR);
    assert_eq!(node.stage.state(late), Some(LegState::Talks));
    node.stage.hang_up(caller);
    assert!(node.is_served());
}

/// Proves SP-60.d: a process that slept past the end lets go before it handles the first call, though
/// its timers had no chance to fire, and though only the wall clock went on.
#[test]
fn an_owner_that_slept_lets_go_before_it_takes_a_call() {
    for wall_alone in [false, true] {
        let mut node = Node::new(Leases::Own(LENGTH));
        node.prolong();
        let woken = node.stage.now + Duration::from_secs(60);
        if wall_alone {
            node.stage.now.wall = woken.wall;
        } else {
            node.stage.now = woken;
        }
        assert!(!node.is_served());
    }
}

/// An answer that was long under way grants nothing.
#[test]
fn an_answer_that_comes_too_late_grants_nothing() {
    let mut node = Node::new(Leases::Other("node-2"));
    let until = node.stage.now;
    node.stage.after(1);
    node.stage.owned(node.point, Ownership::Own { until });
    assert!(!node.is_served());
}

/// Proves SP-60.d: the service that stops, or can't have its route point, gives it up at once, and a
/// word about it that comes late changes nothing.
#[test]
fn a_service_that_stops_gives_it_up() {
    let mut node = Node::new(Leases::Own(LENGTH));
    assert!(node.stage.wanted.contains(&node.point));
    node.stage.service(ServiceOrder::StopSelfProvisioning);
    assert!(node.stage.wanted.is_empty());
    node.prolong();
    assert_eq!(&*node.state(), "stopped");
    assert!(!node.is_served());
    node.stage.is_still();

    let mut node = Node::new(Leases::Own(LENGTH));
    node.stage.service(ServiceOrder::StopCtiManager);
    assert!(node.stage.wanted.is_empty(), "a node without its CTI manager keeps nobody from it");
    node.stage.service(ServiceOrder::StartCtiManager);
    node.stage.after(11);
    assert!(node.is_served());
}

/// A node that stands by and loses its CTI manager says so, and competes for nothing until it is back.
#[test]
fn who_stands_by_without_its_cti_manager_wants_nothing() {
    let mut node = Node::new(Leases::Other("node-2"));
    node.stage.service(ServiceOrder::StopCtiManager);
    assert!(node.state().starts_with("service-inactive"), "{}", node.state());
    assert_eq!(node.stage.overview().ivr_owner, None);
    node.stage.after(60);
    assert!(node.stage.wanted.is_empty());
    node.stage.service(ServiceOrder::StartCtiManager);
    node.stage.after(11);
    assert_eq!(&*node.state(), "standing by (owner: node-2)");
}

/// Nobody asks for the route point before the delay of the start is over (SP-18).
#[test]
fn nothing_is_asked_before_the_delay_is_over() {
    let mut stage = Stage::quiet();
    stage.start_services(&["en-US"]);
    stage.after(29);
    assert!(stage.wanted.is_empty());
    stage.after(2);
    assert_eq!(stage.wanted.len(), 1);
}

/// While nobody can say who owns it, it is nobody's.
#[test]
fn nobody_serves_while_nobody_can_say() {
    let mut node = Node::new(Leases::Unknown);
    assert!(!node.is_served());
    assert_eq!(&*node.state(), "standing by (the database does not say who owns it)");
    node.prolong();
    assert!(node.is_served());
}
