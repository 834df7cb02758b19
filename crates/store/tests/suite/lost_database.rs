//! The database goes away and comes back: what was not begun says so, what may have been done is
//! found out, nothing is lost or doubled.

use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use jackfield_model::{Actor, Kind, Partition};
use jackfield_store::{Answer, Store, StoreError, StoreHandle, StoreSettings};
use jackfield_vocabulary::{Code, OperationId};

use crate::proxy::{Commit, Proxy};
use crate::world::{World, act, code, new_id, partition, server};

fn submit(handle: &StoreHandle, id: OperationId, name: &str) -> Answer {
    let (send, receive) = channel();
    let reply = Box::new(move |answer| send.send(answer).unwrap());
    handle.submit(id, Actor::System, partition(name), reply);
    receive.recv_timeout(Duration::from_secs(20)).unwrap()
}

fn inquire(handle: &StoreHandle, id: OperationId) -> Answer {
    let (send, receive) = channel();
    handle.inquire(id, Box::new(move |answer| send.send(answer).unwrap()));
    receive.recv_timeout(Duration::from_secs(20)).unwrap()
}

/// Asks until the database is there again.
fn inquire_until_known(handle: &StoreHandle, id: OperationId) -> Answer {
    let began = Instant::now();
    loop {
        let answer = inquire(handle, id);
        if answer != Answer::Unavailable || began.elapsed() > Duration::from_secs(20) {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn names(handle: &StoreHandle) -> Vec<String> {
    handle.directory().all::<Partition>().map(|(_, p)| p.name.to_string()).collect()
}

/// Proves SP-17.d: "never seen" is final.
#[test]
fn an_operation_that_was_asked_for_before_it_came_is_never_carried_out() {
    let world = World::new();
    let store = world.open();
    let handle = store.handle();
    let id = new_id();
    assert_eq!(inquire(&handle, id), Answer::NeverSeen);
    assert_eq!(submit(&handle, id, "late"), Answer::NeverSeen);
    assert_eq!(names(&handle), Vec::<String>::new());
    drop(store);
    let store = world.open();
    assert_eq!(submit(&store.handle(), id, "later"), Answer::NeverSeen);
    let done = new_id();
    let Answer::Committed(outcome) = submit(&store.handle(), done, "A") else { panic!() };
    assert_eq!(inquire(&store.handle(), done), Answer::Committed(outcome));
    let refused = new_id();
    let Answer::Refused(refusal) = submit(&store.handle(), refused, "A") else { panic!() };
    assert_eq!(inquire(&store.handle(), refused), Answer::Refused(refusal));
}

/// Whoever watches over the node is told for as long as nothing can be written, and no longer.
#[test]
fn a_disk_that_is_full_is_known_until_there_is_room_again() {
    let world = World::embedded();
    let store = world.open();
    let handle = store.handle();
    assert!(handle.answers());
    world.faults().full(true);
    assert_eq!(code(act(&handle, partition("A"))), Code::DatabaseUnavailable);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        assert!(!handle.answers(), "that it can be read says nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
    world.faults().full(false);
    let began = Instant::now();
    while !handle.answers() {
        assert!(began.elapsed() < Duration::from_secs(10), "nobody looks again");
        std::thread::sleep(Duration::from_millis(20));
    }
    act(&handle, partition("A")).unwrap();
}

#[test]
fn while_the_database_is_gone_nothing_is_begun_and_reading_goes_on() {
    let world = World::embedded();
    let store = world.open();
    let handle = store.handle();
    act(&handle, partition("A")).unwrap();
    world.faults().gone(true);
    let began = Instant::now();
    for _ in 0..5 {
        assert_eq!(code(act(&handle, partition("B"))), Code::DatabaseUnavailable);
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(handle.directory().find(Kind::Partition, "A").is_some());
    world.faults().gone(false);
    // It is looked for again before long.
    let began = Instant::now();
    while let Err(error) = act(&handle, partition("B")) {
        assert_eq!(error.refusal().code, Code::DatabaseUnavailable);
        assert!(began.elapsed() < Duration::from_secs(20), "it never comes back");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(names(&handle), ["A", "B"]);
}

#[test]
fn on_a_full_disk_changes_are_refused_and_come_when_there_is_room() {
    let world = World::embedded();
    let store = world.open();
    let handle = store.handle();
    world.faults().full(true);
    assert_eq!(code(act(&handle, partition("A"))), Code::DatabaseUnavailable);
    world.faults().full(false);
    act(&handle, partition("A")).unwrap();
    assert_eq!(names(&handle), ["A"]);
}

/// Proves SP-17.d: an outcome that is not known is told as unknown and found out.
#[test]
fn when_the_answer_to_a_commit_is_lost_the_outcome_is_found_out() {
    let world = World::embedded();
    let store = world.open();
    let handle = store.handle();
    world.faults().lose_commits(1);
    let done = new_id();
    assert_eq!(submit(&handle, done, "done"), Answer::Unknown);
    assert!(matches!(inquire_until_known(&handle, done), Answer::Committed(_)));
    assert_eq!(names(&handle), ["done"]);
    assert!(matches!(submit(&handle, done, "done"), Answer::Committed(_)));

    world.faults().refuse_commits(1);
    let undone = new_id();
    assert_eq!(submit(&handle, undone, "undone"), Answer::Unknown);
    assert_eq!(inquire_until_known(&handle, undone), Answer::NeverSeen);
    assert_eq!(submit(&handle, undone, "undone"), Answer::NeverSeen);
    assert_eq!(names(&handle), ["done"]);

    // Whoever waits for an answer gets the true one.
    world.faults().lose_commits(1);
    act(&handle, partition("waited for")).unwrap();
    assert_eq!(names(&handle), ["done", "waited for"]);
}

#[test]
fn while_another_program_holds_the_file_changes_are_refused_soon() {
    let world = World::embedded();
    let store = world.open();
    let handle = store.handle();
    let other = rusqlite::Connection::open(world.file("jackfield.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    assert_eq!(code(act(&handle, partition("A"))), Code::DatabaseUnavailable);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    other.execute_batch("ROLLBACK").unwrap();
    act(&handle, partition("A")).unwrap();
    assert_eq!(names(&handle), ["A"]);
}

#[test]
fn what_is_written_behind_is_told_when_it_could_not_be_written() {
    let world = World::embedded();
    let store = world.open();
    world.faults().gone(true);
    let (send, receive) = channel();
    store
        .handle()
        .save_bindings("node-1".into(), Vec::new(), move |result| send.send(result).unwrap());
    let told = receive.recv_timeout(Duration::from_secs(5)).unwrap();
    assert!(matches!(told, Err(StoreError::Unavailable(_))));
}

/// A world whose store reaches its server through a proxy; none on SQLite.
fn behind_a_proxy() -> Option<(World, Proxy)> {
    let mut world = World::new();
    let url = world.settings.url.to_string();
    let (user, rest) = url.strip_prefix("postgres://")?.split_once('@').unwrap();
    let (server, database) = rest.split_once('/').unwrap();
    let proxy = Proxy::start(server);
    let port = proxy.port;
    world.settings.url = format!("postgres://{user}@127.0.0.1:{port}/{database}").into();
    Some((world, proxy))
}

#[test]
fn while_the_server_is_gone_nothing_is_begun_and_afterwards_everything_works() {
    let Some((world, proxy)) = behind_a_proxy() else { return };
    let store = world.open();
    let handle = store.handle();
    act(&handle, partition("A")).unwrap();
    proxy.down(true);
    for _ in 0..3 {
        let began = Instant::now();
        assert_eq!(code(act(&handle, partition("B"))), Code::DatabaseUnavailable);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
    assert_eq!(names(&handle), ["A"]);
    proxy.down(false);
    let began = Instant::now();
    while act(&handle, partition("B")).is_err() {
        assert!(began.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(names(&handle), ["A", "B"]);
}

/// Proves SP-17.d: an outcome that is not known is told as unknown and found out.
#[test]
fn when_the_connection_breaks_in_a_commit_the_outcome_is_found_out() {
    let Some((world, proxy)) = behind_a_proxy() else { return };
    let store = world.open();
    let handle = store.handle();
    for round in 0..5 {
        proxy.on_commit(Commit::CutAfter);
        let (done, name) = (new_id(), format!("done {round}"));
        assert_eq!(submit(&handle, done, &name), Answer::Unknown);
        assert!(matches!(inquire_until_known(&handle, done), Answer::Committed(_)));
        assert!(names(&handle).contains(&name));

        proxy.on_commit(Commit::CutBefore);
        let (undone, name) = (new_id(), format!("undone {round}"));
        assert_eq!(submit(&handle, undone, &name), Answer::Unknown);
        assert_eq!(inquire_until_known(&handle, undone), Answer::NeverSeen);
        assert_eq!(submit(&handle, undone, &name), Answer::NeverSeen);
        assert!(!names(&handle).contains(&name));
    }
}

#[test]
fn a_storm_of_operations_over_a_server_that_comes_and_goes_loses_and_doubles_nothing() {
    let Some((world, proxy)) = behind_a_proxy() else { return };
    let store = world.open();
    let handle = store.handle();
    let (send, receive) = channel();
    let sent: Vec<_> = (0..400)
        .map(|number| {
            if number % 80 == 40 {
                proxy.on_commit(if number % 160 == 40 {
                    Commit::CutAfter
                } else {
                    Commit::CutBefore
                });
            }
            let (id, name, send) = (new_id(), format!("p{number}"), send.clone());
            let reply = Box::new(move |answer| send.send((number, answer)).unwrap());
            handle.submit(id, Actor::System, partition(&name), reply);
            std::thread::sleep(Duration::from_millis(2));
            id
        })
        .collect();
    drop(send);
    let answers: Vec<(usize, Answer)> = receive.iter().collect();
    assert_eq!(answers.len(), sent.len());
    let mut unknown = 0;
    for (number, answer) in answers {
        let id = sent[number];
        unknown += u32::from(answer == Answer::Unknown);
        let committed = match (&answer, inquire_until_known(&handle, id)) {
            (Answer::Committed(_), Answer::Committed(_)) => true,
            (Answer::Unknown, known) => matches!(known, Answer::Committed(_)),
            (Answer::Unavailable, Answer::NeverSeen) => false,
            other => panic!("{number}: {other:?}"),
        };
        assert_eq!(names(&handle).contains(&format!("p{number}")), committed, "{number}");
    }
    assert!(unknown > 0);
}

/// What stands in the way is told as the server, or the system, says it, and never the password.
#[test]
fn a_server_that_lets_nobody_in_is_told_in_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let told = |url: &str| {
        let settings = StoreSettings::on_server(url, &folder.path().join("key"));
        let error = Store::open(&settings, |_, _| {}).map(drop).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
        error
    };
    // A port on which nobody listens.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = told(&format!("postgres://jackfield:hunter2@127.0.0.1:{port}/jackfield"));
    assert!(nobody.contains("connecting failed") && nobody.contains("refused"), "{nobody}");
    let odd = told("postgres://jackfield:hunter2@127.0.0.1:port/jackfield");
    assert!(odd.contains("is not understood"), "{odd}");
    let Some(server) = server() else { return };
    let (place, _) = server.rsplit_once('/').unwrap();
    let missing = told(&format!("{place}/no_such_database"));
    assert!(missing.contains("\"no_such_database\" does not exist (3D000)"), "{missing}");
    let (scheme, place) = place.split_once("://").unwrap();
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let stranger = told(&format!("{scheme}://nobody:hunter2@{place}/postgres"));
    assert!(stranger.contains("\"nobody\" does not exist (28000)"), "{stranger}");
}

/// A file that was overwritten is told for what it is, and stays for whoever can save something of it.
#[test]
fn a_database_that_is_none_any_more_is_told_and_left_alone() {
    for keep in [0, 100] {
        let world = World::embedded();
        drop(world.open());
        let file = world.file("jackfield.db");
        let mut octets = std::fs::read(&file).unwrap();
        octets[keep..].fill(b'x');
        std::fs::write(&file, &octets).unwrap();
        let Err(error) = Store::open(&world.settings, |_, _| {}) else { panic!("it opened") };
        assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
        assert_eq!(std::fs::read(&file).unwrap(), octets);
    }
}
