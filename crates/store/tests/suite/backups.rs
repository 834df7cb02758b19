//! A backup holds everything, tells no secret, and is restored on either database.

use jackfield_model::{CredentialKind, Kind, Operation};
use jackfield_store::{
    AuditFilter, BindingRow, StoreError, StoreSettings, Verification, backup, restore,
};
use jackfield_vocabulary::{ObjectId, SecretText, UnixTime};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::world::{World, act, make, partition};

/// A user with a PIN, and the texts that must never be readable.
fn with_secrets(world: &World) -> (ObjectId, Vec<String>) {
    let store = world.open();
    let handle = store.handle();
    let owner = make(&handle, Kind::EndUser, json!({ "user_id": "jo" }));
    let hash = handle.hash(CredentialKind::Pin, &SecretText::new("72951")).unwrap();
    let told = vec![hash.reveal().to_owned(), "$argon2".into(), "72951".into()];
    let kind = CredentialKind::Pin;
    act(&handle, Operation::SetCredential { owner, kind, hash: Some(hash) }).unwrap();
    act(&handle, partition("A")).unwrap();
    (owner, told)
}

fn pin(settings: &StoreSettings, owner: ObjectId) -> Verification {
    let store = jackfield_store::Store::open(settings, |_, _| {}).unwrap();
    store.handle().verify(Some(owner), CredentialKind::Pin, &SecretText::new("72951"))
}

#[test]
fn a_backup_is_restored_on_the_other_database_too() {
    let world = World::new();
    let (owner, _) = with_secrets(&world);
    let file = world.file("backup");
    let mut told = 0;
    let made = backup(&world.settings, &file, None, &mut |rows| told = rows).unwrap();
    assert_eq!((told, made.protected), (made.rows, false));

    // From whatever the suite runs on into an embedded one, and from there back again.
    let embedded = World::embedded();
    assert_eq!(restore(&embedded.settings, &file, None, &mut |_| {}).unwrap(), made);
    assert_eq!(pin(&embedded.settings, owner), Verification::Right);
    let again = embedded.file("again");
    backup(&embedded.settings, &again, None, &mut |_| {}).unwrap();
    let back = World::new();
    restore(&back.settings, &again, None, &mut |_| {}).unwrap();
    assert_eq!(pin(&back.settings, owner), Verification::Right);

    let (first, last) = (world.open(), back.open());
    let entries = |store: &jackfield_store::Store| {
        store.directory().entries().map(|(id, entry)| (id, entry.clone())).collect::<Vec<_>>()
    };
    assert_eq!(entries(&first), entries(&last));
    assert_eq!(first.directory().sequence(), last.directory().sequence());
    let all = || AuditFilter { limit: 100, ..AuditFilter::default() };
    assert_eq!(first.handle().audit(all()).unwrap(), last.handle().audit(all()).unwrap());
    let next = |store: &jackfield_store::Store| {
        make(&store.handle(), Kind::Partition, json!({ "name": "next" }))
    };
    assert_eq!(next(&first), next(&last));
}

/// They were made with another server, which may be there still: to phones that never spoke to this
/// one it sends nothing, and shows none as registered.
#[test]
fn a_restore_takes_no_registration_over_and_keeps_where_phones_were() {
    let world = World::new();
    with_secrets(&world);
    let store = world.open();
    let far = UnixTime(u64::MAX / 2);
    let row = |device, expires| BindingRow {
        device: ObjectId(device),
        blob: Some(b"where".into()),
        expires,
        host: None,
        ports: Vec::new(),
        has_secret: false,
        shown: None,
    };
    let (send, receive) = std::sync::mpsc::channel();
    let rows = vec![row(1, far), row(2, UnixTime(7))];
    let done = move |result| send.send(result).unwrap();
    store.handle().save_bindings("node-1".into(), rows, done);
    receive.recv().unwrap().unwrap();
    let file = world.file("backup");
    backup(&world.settings, &file, None, &mut |_| {}).unwrap();
    let other = World::new();
    restore(&other.settings, &file, None, &mut |_| {}).unwrap();
    let restored = other.open().handle().bindings("node-1", UnixTime(100)).unwrap();
    let [first, second] = &*restored else { panic!("{restored:?}") };
    assert_eq!(first.blob.as_deref(), Some(&b"where"[..]));
    assert!(first.expires < far && first.expires > UnixTime(1_600_000_000_000), "{first:?}");
    assert_eq!(*second, row(2, UnixTime(7)));
}

#[test]
fn no_secret_is_readable_in_the_change_log_or_in_a_backup() {
    let world = World::new();
    let (_, told) = with_secrets(&world);
    let file = world.file("backup");
    let passphrase = SecretText::new("correct horse");
    backup(&world.settings, &file, Some(&passphrase), &mut |_| {}).unwrap();
    let store = world.open();
    let all = AuditFilter { limit: 1000, ..AuditFilter::default() };
    let audit = format!("{:?}", store.handle().audit(all).unwrap());
    assert!(audit.contains("\"credential\""));
    let text = std::fs::read_to_string(&file).unwrap();
    let key = std::fs::read_to_string(&world.settings.key_file).unwrap();
    let key = key.lines().last().unwrap().strip_prefix("jackfield-key:").unwrap();
    assert!(!text.contains(key));
    for secret in &told {
        assert!(!audit.contains(secret.as_str()) && !text.contains(secret.as_str()), "{secret}");
    }
}

#[test]
fn a_protected_backup_needs_its_passphrase_and_a_damaged_one_writes_nothing() {
    let world = World::embedded();
    let (owner, _) = with_secrets(&world);
    let file = world.file("backup");
    let right = SecretText::new("correct horse");
    backup(&world.settings, &file, Some(&right), &mut |_| {}).unwrap();
    let target = World::new();
    let fails = |passphrase: Option<&SecretText>, file: &std::path::Path, why: &str| {
        let error = restore(&target.settings, file, passphrase, &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    };
    fails(None, &file, "the passphrase is needed (--passphrase)");
    fails(Some(&SecretText::new("wrong")), &file, "the passphrase is wrong");
    let damaged = world.file("damaged");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&damaged, text.replacen("\"jo\"", "\"joe\"", 1).replace("jo", "jx")).unwrap();
    fails(Some(&right), &damaged, "checksum");
    std::fs::write(&damaged, &text[..text.len() / 2]).unwrap();
    fails(Some(&right), &damaged, "");
    std::fs::write(&damaged, "something else").unwrap();
    fails(Some(&right), &damaged, "no backup");
    assert!(!target.settings.key_file.exists());
    restore(&target.settings, &file, Some(&right), &mut |_| {}).unwrap();
    assert_eq!(pin(&target.settings, owner), Verification::Right);
    // Now it is not empty any more.
    let error = restore(&target.settings, &file, Some(&right), &mut |_| {}).unwrap_err();
    assert!(matches!(error, StoreError::Settings(_)), "{error}");
}

#[test]
fn a_restore_that_fails_leaves_nothing_behind() {
    let world = World::embedded();
    with_secrets(&world);
    let whole = world.file("backup");
    backup(&world.settings, &whole, None, &mut |_| {}).unwrap();
    // Whole by its checksum, but without any row: the data key is missing.
    let header = std::fs::read_to_string(&whole).unwrap().lines().next().unwrap().to_owned() + "\n";
    let sum: String = Sha256::digest(&header).iter().map(|byte| format!("{byte:02x}")).collect();
    let hollow = world.file("hollow");
    std::fs::write(&hollow, format!("{header}{}\n", json!({ "rows": 0, "sha256": sum }))).unwrap();

    let folder = world.file("new").join("data");
    let settings = StoreSettings::in_folder(&folder);
    restore(&settings, &world.file("no such file"), None, &mut |_| {}).unwrap_err();
    assert!(!folder.exists());
    let error = restore(&settings, &hollow, None, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("no data key"), "{error}");
    assert!(!world.file("new").exists(), "nor the folder above");
    assert!(backup(&settings, &world.file("second"), None, &mut |_| {}).is_err());
    assert!(!folder.exists() && !world.file("second").exists());

    // What was there before stays.
    std::fs::create_dir_all(&folder).unwrap();
    restore(&settings, &hollow, None, &mut |_| {}).unwrap_err();
    assert!(folder.exists(), "an empty folder, too");
    std::fs::write(folder.join("notes"), "mine").unwrap();
    restore(&settings, &hollow, None, &mut |_| {}).unwrap_err();
    let left: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(left, ["notes"]);
    restore(&settings, &whole, None, &mut |_| {}).unwrap();
}

#[test]
fn a_backup_is_made_while_the_server_works_and_replaces_no_file() {
    let world = World::new();
    let store = world.open();
    act(&store.handle(), partition("A")).unwrap();
    let file = world.file("backup");
    backup(&world.settings, &file, None, &mut |_| {}).unwrap();
    assert!(backup(&world.settings, &file, None, &mut |_| {}).is_err());
    act(&store.handle(), partition("B")).unwrap();
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}
