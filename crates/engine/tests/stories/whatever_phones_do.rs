//! Phones do anything in any order over a bad network, and send damaged messages: nothing panics,
//! nothing hangs, and nothing is left when all is over.

use core::time::Duration;

use jackfield_engine::Input;
use jackfield_sip::{Flow, Status, Tokens, Transport};

use crate::world::{CallState, PhoneId, SERVER, World, sdp};

fn random(seed: u64) -> Tokens {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    Tokens::new(bytes)
}

fn anything(world: &mut World, random: &mut Tokens, phones: &[PhoneId]) {
    let id = phones[random.below(phones.len() as u64) as usize];
    let number = format!("200{}", 1 + random.below(5));
    let state = world.state(id);
    match (random.below(12), state) {
        (0 | 1, CallState::None | CallState::Over(_)) => world.dial(id, &number),
        (2, CallState::None | CallState::Over(_)) => world.dial_with(id, &number, ""),
        (3..=5, CallState::Ringing) => world.answer(id),
        (6, CallState::Ringing) => world.refuse(id, Status::BUSY_HERE),
        (7 | 8, CallState::Talking) => world.re_invite(id, &sdp("10.1.0.9", 2, "sendonly")),
        (9, _) => world.hang_up(id),
        (10, _) => world.send_register(id, if random.below(4) == 0 { 0 } else { 3600 }),
        (11, _) if random.below(10) == 0 => world.network.cut_off = vec![id],
        (11, _) => world.network.cut_off.clear(),
        _ => {}
    }
    world.run_for(Duration::from_millis(random.below(900)));
}

#[test]
fn nothing_is_left_when_all_is_over() {
    for seed in 0..25 {
        let mut world = World::with_seed(1 + seed as u8);
        let mut random = random(seed);
        let mut phones = Vec::new();
        for number in 1..=4 {
            let name = format!("SEP001122AABB0{number}");
            let model = if number == 4 { "Cisco 7841" } else { "Generic SIP phone" };
            phones.push(world.phone_of_model(&name, &format!("200{number}"), model));
        }
        for id in &phones {
            world.registered(*id);
        }
        world.network.lost = random.below(25);
        world.network.doubled = random.below(25);
        world.network.jitter = random.below(120);
        world.interrupt_every = (seed % 5 == 0).then_some(11);
        for _ in 0..120 {
            anything(&mut world, &mut random, &phones);
        }
        world.network.cut_off.clear();
        (world.network.lost, world.network.doubled) = (0, 0);
        for id in &phones {
            world.hang_up_all(*id);
        }
        // A phone whose BYE was lost is found out when it is asked whether the call still goes on.
        world.run(1300);
        world.assert_quiet();
        assert_eq!(world.counter("sip-transactions"), 0, "seed {seed}");
        let registered = world.overview().registered;
        assert_eq!(world.counter("timers"), registered, "seed {seed}: one wait for each phone");
    }
}

#[test]
fn damaged_messages_do_no_harm() {
    let mut world = World::new();
    let alice = world.phone("SEP001122AABB01", "2001");
    let bob = world.phone("SEP001122AABB02", "2002");
    world.record = true;
    world.registered(alice);
    world.registered(bob);
    world.dial(alice, "2002");
    world.answer(bob);
    world.hold(alice);
    world.hang_up(bob);
    let recorded = core::mem::take(&mut world.recorded);
    world.record = false;
    assert!(recorded.len() > 10);
    let mut random = random(99);
    let flow = Flow::udp(SERVER.parse().unwrap(), "10.5.5.5:5060".parse().unwrap());
    for _ in 0..6000 {
        let mut bytes = recorded[random.below(recorded.len() as u64) as usize].clone();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len() as u64) as usize;
            match random.below(4) {
                0 => bytes[at] = random.below(256) as u8,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"\r\n:;,<>@=\"\0\xff"[random.below(12) as usize]),
                _ => bytes.truncate(at.max(1)),
            }
            if bytes.is_empty() {
                bytes.push(b'x');
            }
        }
        let transport = if random.below(2) == 0 { Transport::Udp } else { Transport::Tcp };
        let flow = Flow { transport, ..flow.clone() };
        world.input(Input::Sip { flow, message: bytes });
        world.store.strays.clear();
        if random.below(50) == 0 {
            world.run_for(Duration::from_millis(300));
        }
    }
    world.run(120);
    assert_eq!(world.counter("sip-transactions"), 0);
    world.phones.get_mut(&alice).unwrap().calls.clear();
    world.dial(alice, "2002");
    world.assert_state(bob, CallState::Ringing);
}
