//! Several nodes share a database. What a phone is to one of them, it is to all: who shows no secret is
//! believed at none in the place of a phone that is registered at another one, or has its secret.

use jackfield_engine::{Access, Input};
use jackfield_model::{Kind, Operation};
use jackfield_sip::HeaderName;
use jackfield_vocabulary::{Code, Elsewhere, ObjectId, Refusal};

use crate::world::{PhoneId, Raw, Secret, World, status};

const NAME: &str = "SEP001122AABB01";
const MAC: &str = "001122AABB01";

/// A new phone that another node took in. Here it is known as the configuration says.
fn taken_in_elsewhere(world: &mut World) -> ObjectId {
    let model = world.directory.find(Kind::PhoneModel, "Generic SIP phone").unwrap();
    let mac = MAC.parse().unwrap();
    world.admin(&Operation::AutoRegister { node: crate::world::NODE.into(), mac, model });
    world.directory.find(Kind::Phone, NAME).unwrap()
}

fn known(world: &mut World, device: ObjectId, host: Option<&str>, has_secret: bool) {
    let known = Elsewhere { host: host.map(|host| host.parse().unwrap()), has_secret };
    world.store.elsewhere.as_mut().unwrap().insert(device, known);
}

/// What the other node wrote just now reaches this one.
fn news(world: &mut World, device: ObjectId, host: Option<&str>, has_secret: bool) {
    let known = Elsewhere { host: host.map(|host| host.parse().unwrap()), has_secret };
    world.input(Input::Elsewhere { device, known: Some(known) });
}

/// One that knows the phone's name and no secret.
fn stranger(world: &mut World) -> PhoneId {
    world.stranger(NAME, MAC)
}

fn gets_nowhere(world: &mut World, id: PhoneId, device: ObjectId) {
    for _ in 0..4 {
        assert_eq!(world.register(id), 401);
        assert_eq!(world.unregister(id), 401);
    }
    assert!(!world.inspect(device).registered);
    let here = world.heard.access.iter().any(|access| matches!(access, Access::Seen { .. }));
    assert!(!here, "a window would be opened for it: {:?}", world.heard.access);
}

/// Proves SP-43.e.
#[test]
fn a_new_phone_that_is_registered_there_is_believed_here_at_its_host_only() {
    let mut world = World::new();
    let device = taken_in_elsewhere(&mut world);
    let (phone, liar) = (stranger(&mut world), stranger(&mut world));
    let host = world.phones[&phone].local.ip().to_string();
    known(&mut world, device, Some(&host), false);
    gets_nowhere(&mut world, liar, device);
    // Its node is gone: the phone turns to this one.
    assert_eq!(world.register(phone), 401, "it may have its secret");
    assert_eq!(world.register(phone), 200);
    assert_eq!(world.register(liar), 401);
}

#[test]
fn a_new_phone_that_has_its_secret_must_show_it_at_every_node() {
    for host in [None, Some("10.9.9.9")] {
        let mut world = World::new();
        let device = taken_in_elsewhere(&mut world);
        let (phone, liar) = (stranger(&mut world), stranger(&mut world));
        known(&mut world, device, host, true);
        gets_nowhere(&mut world, liar, device);
        // Over a connection, too, and where it was.
        let stream = world.phones.get_mut(&liar).unwrap();
        (stream.transport, stream.connection) = (jackfield_sip::Transport::Tcp, Some(7));
        stream.local.set_ip("10.9.9.9".parse().unwrap());
        gets_nowhere(&mut world, liar, device);
        let password = world.directory.secrets().sip_password(device).reveal().to_owned();
        world.phones.get_mut(&phone).unwrap().secret = Secret::Known(password);
        assert_eq!(world.register(phone), 200, "it moves here with its secret");
    }
}

#[test]
fn a_phone_that_is_asked_for_no_secret_is_registered_at_one_host_at_a_time() {
    let mut world = World::new();
    let device = world.open_phone(NAME, "2001");
    known(&mut world, device, Some("10.7.7.1"), false);
    let contact = |host: &str| format!("Contact: <sip:{NAME}@{host}>\nExpires: 60\n");
    let mut liar = Raw::new(NAME, "10.7.7.2:5060");
    assert_eq!(status(&liar.register(&mut world, 1, &contact("10.7.7.2"))), 401);
    assert!(!world.inspect(device).registered);
    let mut phone = Raw::new(NAME, "10.7.7.1:5060");
    assert_eq!(status(&phone.register(&mut world, 1, &contact("10.7.7.1"))), 200);
    let asked = world.store.asked;
    assert_eq!(status(&phone.register(&mut world, 2, &contact("10.7.7.1"))), 200);
    assert_eq!(world.store.asked, asked, "a registration that is known waits for no database");
    // That it once showed a secret is nothing that such a phone is ever asked for.
    world.run(70);
    known(&mut world, device, None, true);
    assert_eq!(status(&liar.register(&mut world, 2, &contact("10.7.7.2"))), 200);
}

#[test]
fn while_the_database_says_nothing_a_new_phone_is_told_to_come_again() {
    for silent in [false, true] {
        let mut world = World::new();
        let device = taken_in_elsewhere(&mut world);
        let phone = stranger(&mut world);
        assert_eq!(world.register(phone), 401);
        let before = world.store.elsewhere.take();
        world.store.silent = silent;
        assert_eq!(world.register(phone), 503);
        let answer = world.phones[&phone].answer.clone().unwrap();
        let after: u64 = answer.first(HeaderName::RetryAfter).unwrap().parse().unwrap();
        assert!((5..=30).contains(&after), "{after}");
        let why = world.inspect(device).refused.unwrap().refusal;
        assert_eq!(why, Refusal::new(Code::DatabaseUnavailable));
        (world.store.elsewhere, world.store.silent) = (before, false);
        world.run(after);
        assert_eq!(world.register(phone), 200);
        // Known by now: it goes on without, also when it was switched off and on.
        world.store.elsewhere = None;
        assert_eq!(world.register(phone), 200);
        world.reboot(phone);
        world.register(phone);
        assert_eq!(world.register(phone), 200);
    }
}

#[test]
fn while_the_database_says_nothing_a_phone_that_is_never_asked_for_a_secret_is_taken_at_its_word() {
    let mut world = World::new();
    world.open_phone(NAME, "2001");
    world.store.elsewhere = None;
    let mut phone = Raw::new(NAME, "10.7.7.1:5060");
    let contact = format!("Contact: <sip:{NAME}@10.7.7.1>\n");
    assert_eq!(status(&phone.register(&mut world, 1, &contact)), 200);
}

#[test]
fn a_secret_that_was_fetched_at_another_node_must_be_shown_here() {
    let mut world = World::new();
    let phone = stranger(&mut world);
    assert_eq!(world.register(phone), 200);
    let device = world.directory.find(Kind::Phone, NAME).unwrap();
    let kept = world.heard.bindings[&device].clone();
    assert!(!kept.has_secret);
    news(&mut world, device, None, true);
    assert_eq!(world.register(phone), 401);
    assert_eq!(world.unregister(phone), 401);
    assert!(world.inspect(device).registered, "and it stays where it is");
    assert_eq!(world.heard.bindings[&device], kept, "the others know already");
}

#[test]
fn that_a_file_with_its_secret_was_fetched_here_is_told_to_the_other_nodes() {
    let mut world = World::new();
    let device = taken_in_elsewhere(&mut world);
    world.input(Input::PasswordGiven { device });
    assert!(world.heard.given.contains(&device));
    // Of one that is registered here its registration says so.
    let mut world = World::new();
    let phone = stranger(&mut world);
    assert_eq!(world.register(phone), 200);
    world.input(Input::PasswordGiven { device });
    assert!(world.heard.bindings[&device].has_secret && world.heard.given.is_empty());
}

/// Both came at once, or while the database was away; it has decided for the other one.
#[test]
fn a_registration_without_a_secret_gives_way_to_the_one_that_the_database_keeps() {
    for (host, stays) in [("10.1.0.1", true), ("10.9.9.9", false)] {
        let mut world = World::new();
        let phone = stranger(&mut world);
        assert_eq!(world.register(phone), 200);
        let device = world.directory.find(Kind::Phone, NAME).unwrap();
        news(&mut world, device, Some(host), false);
        assert_eq!(world.inspect(device).registered, stays, "{host}");
    }
    // One that showed its secret is believed wherever it comes.
    let mut world = World::new();
    let phone = world.phone(NAME, "2001");
    world.registered(phone);
    let device = world.phones[&phone].device.unwrap();
    news(&mut world, device, Some("10.9.9.9"), true);
    assert!(world.inspect(device).registered);
}

/// This node has not heard of the new phone yet, and would take it in as an unknown one.
#[test]
fn a_phone_that_another_node_took_in_just_now_is_not_taken_in_once_more() {
    let mut world = World::new();
    let before = world.directory.clone();
    let device = taken_in_elsewhere(&mut world);
    let after = std::mem::replace(&mut world.directory, before);
    let directory = world.directory.clone();
    world.input(Input::Directory { directory, changed: [device].into() });
    world.directory = after;
    known(&mut world, device, Some("10.9.9.9"), false);
    let liar = stranger(&mut world);
    assert_eq!(world.register(liar), 401);
    gets_nowhere(&mut world, liar, device);
    assert!(world.heard.access.is_empty(), "{:?}", world.heard.access);
}

#[test]
fn who_asks_for_much_at_once_is_told_to_come_again() {
    let mut world = World::new();
    world.open_phone(NAME, "2001");
    world.store.silent = true;
    for port in 1..=300 {
        let at = format!("10.7.7.7:{}", 7000 + port);
        let text = format!(
            "REGISTER sip:192.0.2.10 SIP/2.0\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{port};rport\n\
             From: <sip:{NAME}@192.0.2.10>;tag=1\nTo: <sip:{NAME}@192.0.2.10>\nCall-ID: {port}\n\
             CSeq: 1 REGISTER\nContact: <sip:{NAME}@{at}>\nContent-Length: 0\n\n"
        );
        world.send_raw(&at, &text);
    }
    world.run(1);
    let refused = |world: &World| {
        let strays = world.store.strays.iter();
        strays.filter(|(_, bytes)| bytes.starts_with(b"SIP/2.0 503")).count()
    };
    assert_eq!((world.store.asked, refused(&world)), (256, 300 - 256));
    world.run(5);
    let limits = world.overview().limits;
    assert_eq!(limits.iter().find(|one| &*one.name == "inquiries").unwrap().held, 0);
}

fn asked(world: &World) -> usize {
    world.transcript.iter().filter(|line| line.contains("OPTIONS")).count()
}

/// Every phone answers an OPTIONS (RFC 3261 section 11.2), whatever node it is registered at.
#[test]
fn a_phone_that_is_registered_there_speaks_for_no_new_one_here() {
    let mut world = World::new();
    let bob = world.phone("SEP001122AABB02", "2002");
    let at: std::net::SocketAddr = "10.7.7.1:5060".parse().unwrap();
    world.store.beside.insert(at, world.phones[&bob].device.unwrap());
    let contact = format!("Contact: <sip:{MAC}@{at}>\nExpires: 3600\n");
    // From where it sends; and from beside it, where only the Contact is the phone's.
    for from in [at.to_string(), at.to_string().replace(":5060", ":9")] {
        let mut forger = Raw::new(MAC, &from);
        for number in 1..=3 {
            assert_eq!(status(&forger.register(&mut world, number, &contact)), 401, "{from}");
        }
    }
    assert_eq!((world.heard.submitted, asked(&world)), (0, 0));
    // It takes no known phone in either.
    let device = taken_in_elsewhere(&mut world);
    let mut forger = Raw::new(MAC, &at.to_string());
    for number in 4..=6 {
        assert_eq!(status(&forger.register(&mut world, number, &contact)), 401);
    }
    assert!(!world.inspect(device).registered);
    // When it is gone another phone may come there.
    world.store.beside.clear();
    assert_eq!(status(&forger.register(&mut world, 7, &contact)), 200);
}

#[test]
fn while_the_database_says_nothing_no_phone_is_asked_whether_it_is_there() {
    for silent in [false, true] {
        let mut world = World::new();
        let phone = stranger(&mut world);
        let before = world.store.elsewhere.take();
        world.store.silent = silent;
        assert_eq!((world.register(phone), asked(&world)), (503, 0));
        (world.store.elsewhere, world.store.silent) = (before, false);
        assert_eq!(world.register(phone), 200);
    }
}
