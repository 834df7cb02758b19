//! A hardware address is no secret: a phone's password goes only to those whose address is known.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::*;
use jackfield_files::{AccessTable, subject};
use jackfield_model::DeviceSecrets;
use jackfield_vocabulary::Now;

const FILES: [(&str, jackfield_vocabulary::ObjectId); 6] = [
    ("SEP001122334401.cnf.xml", DESK),
    ("001122334402.xml", CONFERENCE),
    ("001122334403.txt", GENERIC),
    ("SEP001122334404.cnf.xml", VIRTUAL),
    ("001122334404.xml", VIRTUAL),
    ("001122334404.cfg", VIRTUAL),
];

#[test]
fn the_password_is_in_a_file_only_for_the_trusted() {
    let directory = company();
    for (path, device) in FILES {
        let password = directory.secrets().sip_password(device);
        assert_eq!(subject(path, &directory), Some(device), "{path}");
        assert!(text(&directory, path, true).contains(password.reveal()), "{path}");
        assert!(!text(&directory, path, false).contains(password.reveal()), "{path}");
    }
}

#[test]
fn a_stranger_s_file_is_complete_but_for_the_password() {
    let directory = company();
    for (path, _) in FILES {
        let number = if path.contains("4401") { "2001" } else { "200" };
        assert!(text(&directory, path, false).contains(number), "{path}");
    }
    // An empty password would take away the one that a multiplatform phone has.
    let flat = text(&directory, "001122334402.xml", false);
    assert!(!flat.contains("<Password_1_>"), "{flat}");
    assert!(flat.contains("<Password_2_></Password_2_>"), "{flat}");
}

#[test]
fn a_new_secret_shows_in_the_next_fetch() {
    let directory = company();
    let before = text(&directory, "SEP001122334401.cnf.xml", true);
    let mut secrets = DeviceSecrets::new([7; 32]);
    secrets.rotate(DESK);
    let after = text(&directory.with_secrets(secrets), "SEP001122334401.cnf.xml", true);
    assert_ne!(before, after);
}

#[test]
fn a_provisioning_network_is_trusted_for_every_device() {
    let (directory, table) = (company(), AccessTable::new());
    let trusts =
        |address: &str| table.trusts(&directory, DESK, address.parse().unwrap(), Now::default());
    assert!(trusts("198.51.100.77") && trusts("::ffff:198.51.100.77"));
    assert!(!trusts("198.51.101.1") && !trusts("127.0.0.1"));
}
