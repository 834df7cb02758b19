//! The first start: the objects that every cluster has, the first administrator, and where it is
//! wanted a sample company to try things on. A node that comes to a cluster that is there already
//! only adds itself.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jackfield_model::defaults::{ADMINISTRATOR, sample, sample_company};
use jackfield_model::{
    Actor, CredentialKind, EndUser, Explanation, FirstStart, Kind, Language, Node, Operation,
    Outcome, Ref, Text, is_time_zone, sentence,
};
use jackfield_store::{StoreError, StoreHandle};
use jackfield_vocabulary::{ObjectId, SecretText};
use serde_json::{Value, json};

use super::{ServeSettings, lent, place};

/// Objects made by one operation.
const CHUNK: usize = 1500;

/// Numbers that a new node tries to get.
const ATTEMPTS: u32 = 20;

/// A company to try things on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    /// People, each with an extension.
    pub(crate) people: u32,
    /// Each of them has a phone of this model already.
    pub(crate) phones: Option<Box<str>>,
    /// The delay of SP-18, where it is not the default.
    pub(crate) start_delay_seconds: Option<u16>,
}

/// The PIN of every person of a sample company.
pub(crate) const SAMPLE_PIN: &str = "73519";

/// How this node came to its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It made the cluster.
    Founded,
    /// It came to one that was there.
    Joined,
    /// It was a node of it already.
    Returned,
}

/// Makes the node's own object, and those of a cluster where there is none yet. Of several nodes
/// that start on an empty database at once one makes the cluster.
pub(crate) fn arrive(
    store: &StoreHandle,
    settings: &ServeSettings,
    address: IpAddr,
    sip_port: u16,
) -> Result<Arrival> {
    let empty = store.directory().is_empty();
    if empty {
        let first = FirstStart {
            node: (&*settings.node).into(),
            address: address.to_string().into(),
            locale: system_locale().into(),
            time_zone: system_time_zone().into(),
        };
        execute(store, Operation::FirstStart(first))
            .context("making the objects of a first start")?;
    }
    let known = store.directory().find(Kind::Node, &settings.node);
    match known {
        Some(node) if empty => {
            let patch = json!({"sip_port": sip_port});
            execute(store, Operation::Update { id: node, version: None, patch })?;
            Ok(Arrival::Founded)
        }
        Some(node) => {
            place::keep(store, settings, Ref::new(node), sip_port)?;
            lent::free(store);
            Ok(Arrival::Returned)
        }
        None if !store.is_shared() => {
            let directory = store.directory();
            let owner = directory.publisher().map_or("", |(_, node)| &node.name);
            bail!(
                "the built-in database here is that of node {owner}: start it with --node {owner}. \
                 Several nodes need PostgreSQL, by --database"
            );
        }
        None => {
            join(store, &settings.node, address, sip_port).context("joining the cluster")?;
            tracing::info!(node.name = &*settings.node, "a new node of the cluster");
            Ok(Arrival::Joined)
        }
    }
}

/// Adds this node with the first free number and, switched off like all of it, the publisher's
/// templates for new phones.
fn join(store: &StoreHandle, node: &str, address: IpAddr, sip_port: u16) -> Result<()> {
    for left in (0..ATTEMPTS).rev() {
        let directory = store.directory();
        let taken: Vec<u16> = directory.all::<Node>().map(|(_, node)| node.number).collect();
        let number = (1..=999).find(|number| !taken.contains(number));
        let body = json!({
            "name": node,
            "address": address.to_string(),
            "number": number.context("the cluster has 999 nodes, which is the most")?,
            "sip_port": sip_port,
        });
        match execute(store, create(Kind::Node, body)) {
            Ok(_) => break,
            // Another node that joins at the same moment took the number.
            Err(_) if left > 0 && store.directory().find(Kind::Node, node).is_none() => {
                std::thread::sleep(Duration::from_millis(100));
            }
            Err(error) => return Err(error),
        }
    }
    let directory = store.directory();
    let publisher = directory.publisher().map(|(_, node)| node.name.clone());
    let theirs = publisher.and_then(|name| directory.auto_registration(&name));
    let own = directory.auto_registration(node);
    if let (Some((_, theirs)), Some((own, _))) = (theirs, own) {
        let patch = json!({
            "device_template": theirs.device_template,
            "line_template": theirs.line_template,
        });
        execute(store, Operation::Update { id: own.id(), version: None, patch })?;
    }
    Ok(())
}

/// Makes a sample company, where one is wanted.
pub(crate) fn furnish(store: &StoreHandle, settings: &ServeSettings) -> Result<()> {
    let sample = settings.sample.as_ref();
    sample.map_or(Ok(()), |sample| make_company(store, sample).context("making the sample company"))
}

/// Makes the first administrator's one-time password; again when a first start failed before it
/// could be told. To be called when nothing is left that can fail.
pub(crate) fn one_time_password(store: &StoreHandle) -> Result<Option<String>> {
    let admin = store.directory().find(Kind::ApplicationUser, ADMINISTRATOR);
    let Some(admin) = admin else { return Ok(None) };
    if store.has_credential(admin, CredentialKind::Password)? {
        return Ok(None);
    }
    Ok(Some(store.issue_one_time_password(admin)?.reveal().to_owned()))
}

/// Makes the self-provisioning IVR with its account, people with their lines and PINs, and phones
/// where they have them.
fn make_company(store: &StoreHandle, wanted: &Sample) -> Result<()> {
    let few = u16::try_from(wanted.people.min(100)).unwrap_or(100);
    let company = sample_company(&store.directory(), few);
    execute(store, company.context("the first start is missing")?)?;
    let application = find(store, Kind::ApplicationUser, sample::APPLICATION_USER)?;
    // Nobody needs to know it: the IVR signs in inside the house, and only needs to have one.
    store.issue_one_time_password(application)?;
    if let Some(seconds) = wanted.start_delay_seconds {
        let id = find(store, Kind::SelfProvisioning, "self-provisioning")?;
        let patch = json!({"start_delay_seconds": seconds});
        execute(store, Operation::Update { id, version: None, patch })?;
    }
    let numbers: Vec<u32> = (u32::from(few)..wanted.people).collect();
    batches(store, &numbers, |n| create(Kind::Line, json!({"number": extension(n)})))?;
    batches(store, &numbers, |n| {
        let number = extension(n);
        create(
            Kind::EndUser,
            json!({"user_id": format!("user{number}"), "first_name": "Sample",
                   "last_name": number, "primary_extension": number}),
        )
    })?;
    let people: Vec<ObjectId> =
        store.directory().all::<EndUser>().map(|(user, _)| user.id()).collect();
    let hash = store.hash(CredentialKind::Pin, &SecretText::new(SAMPLE_PIN))?;
    batches(store, &people, |owner| Operation::SetCredential {
        owner,
        kind: CredentialKind::Pin,
        hash: Some(hash.clone()),
    })?;
    let Some(model) = &wanted.phones else { return Ok(()) };
    let directory = store.directory();
    let people: Vec<(u32, Text, Text)> = (0..)
        .zip(directory.all::<EndUser>())
        .filter_map(|(n, (_, user))| {
            let line = directory.get(user.primary_extension?)?;
            Some((n, user.user_id.clone(), line.number.as_str().into()))
        })
        .collect();
    batches(store, &people, |(n, user, number)| {
        create(
            Kind::Phone,
            json!({"name": device_name(n), "model": model,
                   "device_pool": "Default", "security_profile": "Non-secure UDP",
                   "sip_profile": "Default", "owner": user, "lines": [{"line": number}]}),
        )
    })
}

/// The extension of the n-th person beyond the first hundred.
fn extension(n: u32) -> String {
    format!("6{n:05}")
}

/// The n-th sample phone.
fn device_name(n: u32) -> String {
    format!("SEP00000{}", 1_000_000 + n)
}

fn find(store: &StoreHandle, kind: Kind, name: &str) -> Result<ObjectId> {
    store.directory().find(kind, name).with_context(|| format!("there is no {kind} {name}"))
}

fn batches<T: Clone>(store: &StoreHandle, all: &[T], one: impl Fn(T) -> Operation) -> Result<()> {
    for chunk in all.chunks(CHUNK) {
        execute(store, Operation::Batch(chunk.iter().cloned().map(&one).collect()))?;
    }
    Ok(())
}

fn create(kind: Kind, body: Value) -> Operation {
    Operation::Create { kind, body }
}

fn execute(store: &StoreHandle, operation: Operation) -> Result<Outcome> {
    match store.execute(StoreHandle::operation_id()?, Actor::System, operation) {
        Err(StoreError::Refused(refusal)) => {
            let Explanation { message, remedy } = sentence(&refusal, Language::English);
            bail!("{message} {remedy}")
        }
        other => Ok(other?),
    }
}

fn system_locale() -> String {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "en_US".to_owned())
}

/// The system's time zone by its IANA name.
fn system_time_zone() -> String {
    let linked = std::fs::read_link("/etc/localtime").ok();
    let linked = linked.as_deref().and_then(|target| target.to_str()?.split_once("zoneinfo/"));
    let named = std::env::var("TZ").ok().into_iter().map(|zone| zone.trim_matches(':').to_owned());
    named
        .chain(linked.map(|(_, zone)| zone.to_owned()))
        .find(|zone| is_time_zone(zone))
        .unwrap_or_else(|| "Etc/UTC".to_owned())
}
