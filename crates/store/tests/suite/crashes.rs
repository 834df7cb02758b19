//! kill -9 in the middle of commits loses nothing that was acknowledged, and leaves nothing half.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jackfield_model::{Kind, Line, Partition};
use jackfield_store::{Answer, Store};
use jackfield_vocabulary::OperationId;

use crate::world::World;

/// Where cargo puts examples, seen from where it puts tests.
fn committer() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.join("examples/committer")
}

/// Runs the committer for a while, kills it, and gives what it said was acknowledged.
fn run_and_kill(world: &World, name: &str, length: Duration) -> Vec<String> {
    let mut child = Command::new(committer())
        .arg(&*world.settings.url)
        .arg(&world.settings.key_file)
        .arg(name)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || out.lines().map_while(Result::ok).collect());
    let began = Instant::now();
    while began.elapsed() < length {
        std::thread::sleep(Duration::from_millis(10));
    }
    // SIGKILL: nothing of it runs any further.
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

fn inquire(store: &Store, id: OperationId) -> Answer {
    let (send, receive) = std::sync::mpsc::channel();
    store.handle().inquire(id, Box::new(move |answer| send.send(answer).unwrap()));
    receive.recv().unwrap()
}

#[test]
fn killed_in_the_middle_of_commits_every_acknowledged_one_is_there_and_none_half() {
    let world = World::new();
    drop(world.open());
    let mut acknowledged = Vec::new();
    for (round, millis) in [300, 450, 370].into_iter().enumerate() {
        let said = run_and_kill(&world, &format!("r{round}"), Duration::from_millis(millis));
        assert!(!said.is_empty());
        acknowledged.extend(said);
        let store = world.open();
        let directory = store.directory();
        for line in &acknowledged {
            let (id, name) = line.split_once(' ').unwrap();
            assert!(directory.find(Kind::Partition, name).is_some(), "{line}");
            let id = OperationId(u128::from_str_radix(id, 16).unwrap());
            assert!(matches!(inquire(&store, id), Answer::Committed(_)), "{line}");
        }
        let partitions = directory.all::<Partition>().count();
        assert_eq!(partitions, directory.all::<Line>().count());
        assert!(partitions >= acknowledged.len());
    }
}
