use core::net::{IpAddr, SocketAddr};

use jackfield_vocabulary::{Code, ObjectId, Outdated, Refusal, UnixTime};
use serde::Serialize;

use super::concern::{comes_back, leads};
use super::off::ivr_failure;
use super::pilot;
use super::quoted;
use crate::directory::mac_of;
use crate::{
    CredentialKind, DeviceClass, Directory, Effective, EffectiveLine, EndUser, Kind, Language,
    Message, clock, sentence,
};

/// What is known of a device or user besides the configuration; `None` where nobody looked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen<'a> {
    /// The device is registered at the node that was asked.
    pub registered: Option<bool>,
    /// The node that was asked and the other one at which it is registered.
    pub elsewhere: Option<(&'a str, &'a str)>,
    /// The device is registered, and calls and orders reach it.
    pub reachable: Option<bool>,
    /// What it has not heard of since it registered.
    pub outdated: Option<Outdated>,
    /// Where it is, or was then, and whether whoever asks from there gets its file with its secret.
    pub left: Option<(IpAddr, bool)>,
    /// Its lines by which no phone is registered.
    pub silent: &'a [ObjectId],
    /// Why it was refused last.
    pub refused: Option<Refused<'a>>,
    /// The user has a PIN.
    pub pin: Option<bool>,
    /// How the account is locked.
    pub locks: &'a [AccountLock],
    /// The device is the route point of self-provisioning: whether its calls are taken.
    pub served: Option<Served<'a>>,
}

/// There are no more tries with a credential of an account, after too many failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountLock {
    /// The account; for the authentication code the settings of self-provisioning.
    pub owner: ObjectId,
    /// Which credential.
    pub credential: CredentialKind,
    /// From where, when only one source is shut out.
    pub source: Option<Box<str>>,
    /// Until then; none until somebody unlocks it.
    pub until: Option<UnixTime>,
}

/// The last refusal of a phone that has not registered since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused<'a> {
    /// How many seconds ago.
    pub seconds_ago: u64,
    /// Where it came from.
    pub address: &'a str,
    /// Why.
    pub refusal: &'a Refusal,
    /// Whoever asks from there gets the phone's file with its secret.
    pub may_fetch: bool,
    /// From where else it was tried.
    pub others: &'a [IpAddr],
}

/// Whether a node takes the calls of the self-provisioning route point (SP-60).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served<'a> {
    /// The node that was asked.
    pub node: &'a str,
    /// In words: `in-service`, or why not.
    pub state: &'a str,
    /// The other node that owns it.
    pub owner: Option<&'a str>,
}

/// One thing found about a device or user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Nothing is wrong with it.
    pub good: bool,
    /// What was found.
    pub text: String,
    /// What would change it, where something is wrong.
    pub remedy: Option<String>,
}

impl Finding {
    fn good(text: String) -> Self {
        Self { good: true, text, remedy: None }
    }

    pub(super) fn bad(text: String, remedy: String) -> Self {
        Self { good: false, text, remedy: Some(remedy) }
    }

    fn refused(refusal: &Refusal, language: Language) -> Self {
        let explanation = sentence(refusal, language);
        Self::bad(explanation.message, explanation.remedy)
    }
}

/// What became of the last try of a phone that is not registered.
pub fn explain_refused(refused: Refused<'_>, language: Language) -> Finding {
    last_try(Message::LastRefused, refused, language)
}

fn last_try(message: Message, refused: Refused<'_>, language: Language) -> Finding {
    let Refused { seconds_ago, address, refusal, .. } = refused;
    let ago = match seconds_ago {
        0..120 => format!("{seconds_ago} s"),
        120..7200 => format!("{} min", seconds_ago / 60),
        _ => format!("{} h", seconds_ago / 3600),
    };
    let why = sentence(refusal, language);
    let values = [("ago", &*ago), ("address", address), ("why", &why.message)];
    Finding::bad(message.with(language, &values), why.remedy)
}

/// What became of the last try of a phone that is ours: where its secret is what is missing, the
/// command that gives it to the phone. Its registration from before may still run.
fn refused_here(
    device: &Effective,
    registered: Option<bool>,
    refused: Refused<'_>,
    language: Language,
) -> Finding {
    let message = match registered {
        Some(true) => Message::RefusedSince,
        _ => Message::LastRefused,
    };
    let mut finding = last_try(message, refused, language);
    if matches!(refused.refusal.code, Code::NotItsLine | Code::OutdatedSecret) {
        finding.remedy = Some(restart(device, language));
    }
    let source: Option<SocketAddr> = refused.address.parse().ok();
    let wants_secret = matches!(refused.refusal.code, Code::SecretNotShown | Code::WrongSecret);
    if let Some(source) = source.filter(|_| wants_secret && !refused.may_fetch) {
        let here = source.ip().to_canonical();
        finding.remedy = Some(match refused.others {
            [] => gets_secret(device, here, language),
            others => which_of_them(device, here, others, language),
        });
    }
    finding
}

/// Only one of these can be the phone: no command is ready to be carried out.
fn which_of_them(
    device: &Effective,
    here: IpAddr,
    others: &[IpAddr],
    language: Language,
) -> String {
    if device.class() == DeviceClass::MobileOrDesktop {
        return gets_secret(device, here, language);
    }
    let all = core::iter::once(&here).chain(others).map(IpAddr::to_string);
    let addresses = all.collect::<Vec<_>>().join(", ");
    let values = [("name", device.name.as_str()), ("addresses", &*addresses)];
    Message::RemedyWindowWhich.with(language, &values)
}

/// How a phone gets its secret whose file has none for where it is.
fn gets_secret(device: &Effective, address: IpAddr, language: Language) -> String {
    let address = address.to_string();
    let values = [("name", device.name.as_str()), ("address", &*address)];
    let remedy = match device.class() {
        DeviceClass::Desk => Message::RemedyWindow,
        DeviceClass::MobileOrDesktop => Message::RemedySecret,
    };
    remedy.with(language, &values)
}

fn restart(device: &Effective, language: Language) -> String {
    Message::RemedyRestart.with(language, &[("name", device.name.as_str())])
}

/// A phone that has the settings it had before they changed.
fn behind(
    device: &Effective,
    outdated: Outdated,
    left: Option<(IpAddr, bool)>,
    language: Language,
) -> Finding {
    let (message, remedy) = match (outdated, left) {
        (Outdated::Lines, _) => (Message::LinesChanged, restart(device, language)),
        (Outdated::Secret, Some((address, false))) => {
            (Message::SecretReplaced, gets_secret(device, address, language))
        }
        (Outdated::Secret, _) => (Message::SecretReplaced, restart(device, language)),
    };
    Finding::bad(message.text(language), remedy)
}

/// Why is a phone of this name not there, though it was plugged in? `None` where the name ends in no
/// hardware address, so that nothing would be taken in under it.
pub fn explain_stranger(
    directory: &Directory,
    name: &str,
    node: &str,
    language: Language,
) -> Option<Vec<Finding>> {
    mac_of(name)?;
    let values = [("node", node)];
    let open = directory.auto_registration(node).map(|(_, settings)| settings);
    let Some(settings) = open.filter(|settings| !settings.disabled) else {
        let text = Message::AutoRegistrationOff.with(language, &values);
        let label = Message::AutoRegistrationDisabled.text(language);
        let values = [("node", node), ("label", &*label)];
        let remedy = Message::RemedyAutoRegistration.with(language, &values);
        return Some(vec![Finding::bad(text, remedy)]);
    };
    let networks = match &*settings.allowed_networks {
        [] => Message::PrivateNetworks.text(language),
        networks => networks.join(", "),
    };
    let values = [("node", node), ("name", name), ("networks", &networks)];
    let text = Message::Stranger.with(language, &values);
    Some(vec![Finding::bad(text, Message::StrangerRemedy.with(language, &values))])
}

/// Why can't this device be provisioned, or called?
pub fn explain_device(
    directory: &Directory,
    device: ObjectId,
    seen: Seen<'_>,
    language: Language,
) -> Vec<Finding> {
    let Some(effective) = directory.effective(device) else {
        let refusal = Refusal::new(Code::NotFound).value("name", device);
        return vec![Finding::refused(&refusal, language)];
    };
    let mut findings = Vec::new();
    if effective.kind == Kind::Phone {
        findings.push(provisioning(directory, device, language));
    }
    match (seen.registered, seen.elsewhere) {
        (Some(false), Some((node, owner))) => findings.push(Finding::bad(
            Message::RegisteredElsewhere.with(language, &[("node", node), ("owner", owner)]),
            Message::RegisteredElsewhereRemedy.with(language, &[("owner", owner)]),
        )),
        (registered, _) if seen.refused.is_some() => {
            let told = |refused| refused_here(&effective, registered, refused, language);
            findings.extend(seen.refused.map(told));
        }
        _ if seen.outdated.is_some() => {
            let told = |outdated| behind(&effective, outdated, seen.left, language);
            findings.extend(seen.outdated.map(told));
        }
        (Some(false), None) => {
            let refusal = Refusal::new(Code::NotRegistered).value("device", &effective.name);
            findings.push(Finding::refused(&refusal, language));
        }
        (Some(true), _) if seen.reachable == Some(false) => findings.push(Finding::bad(
            Message::ConnectionGone.text(language),
            Message::ConnectionGoneRemedy.text(language),
        )),
        _ => {}
    }
    findings.extend(seen.served.map(|served| service(served, language)));
    if effective.lines.is_empty() {
        let (text, remedy) = (Message::NoLines.text(language), Message::AddLine.text(language));
        findings.push(Finding::bad(text, remedy));
    }
    for line in &effective.lines {
        match seen.silent.contains(&line.id.id()) {
            true if seen.elsewhere.is_some() => {}
            true => findings.push(silent(line, language)),
            false => findings.extend(reach(directory, line, language)),
        }
    }
    findings
}

/// A line by which no phone is registered; what would change that is told of the phone.
fn silent(line: &EffectiveLine, language: Language) -> Finding {
    let text = Message::NumberSilent.with(language, &[("number", line.number())]);
    Finding { good: false, text, remedy: None }
}

fn provisioning(directory: &Directory, device: ObjectId, language: Language) -> Finding {
    let owner = directory.effective(device).filter(|device| !device.auto_registered);
    let owner = owner.and_then(|device| directory.label(device.owner?.id()));
    match (directory.open_for_provisioning(device), owner) {
        (Ok(()), _) => Finding::good(Message::FineOpen.text(language)),
        (Err(_), Some(owner)) => {
            Finding::good(Message::FineOwned.with(language, &[("name", &owner)]))
        }
        (Err(refusal), None) => Finding::refused(&refusal, language),
    }
}

/// Whether anybody takes the calls of the self-provisioning route point.
fn service(served: Served<'_>, language: Language) -> Finding {
    let Served { node, state, owner } = served;
    match owner {
        None if state == "in-service" => {
            Finding::good(Message::RoutePointServed.with(language, &[("node", node)]))
        }
        None => Finding::bad(
            ivr_failure(state, language).unwrap_or_else(|| {
                Message::RoutePointUnserved.with(language, &[("node", node), ("state", state)])
            }),
            Message::RoutePointUnservedRemedy.text(language),
        ),
        Some(owner) => Finding::bad(
            Message::RoutePointOwned.with(language, &[("node", node), ("owner", owner)]),
            Message::RoutePointOwnedRemedy.with(language, &[("owner", owner)]),
        ),
    }
}

/// Where all calls to a line go on to, if they do.
fn onward(directory: &Directory, line: &EffectiveLine, language: Language) -> Option<Finding> {
    let (id, number) = (line.id.id(), line.number());
    let all = &line.line.forwards.all;
    let values = [("name", "all"), ("destination", &*all.destination), ("number", number)];
    let bad = |message: Message| {
        Finding::bad(message.with(language, &values), Message::ForwardRemedy.text(language))
    };
    if let Some(away) = pilot::forward_of(directory, id, &line.line, language) {
        Some(away)
    } else if !leads(directory, id, &line.line, all) {
        Some(bad(Message::ForwardToNobody))
    } else if comes_back(directory, id, &line.line, all) {
        Some(bad(Message::ForwardComesBack))
    } else {
        let told = Message::NumberForwarded.with(language, &values);
        (!all.destination.is_empty()).then(|| Finding::good(told))
    }
}

/// Whether a line can be called, and from where.
fn reach(directory: &Directory, line: &EffectiveLine, language: Language) -> Vec<Finding> {
    let number = line.number();
    let mut findings: Vec<_> = onward(directory, line, language).into_iter().collect();
    match line.partition().and_then(|partition| directory.get(partition)) {
        Some(partition) => {
            let values = [("number", number), ("name", &*partition.name)];
            findings.push(Finding::good(Message::NumberInPartition.with(language, &values)));
        }
        None => {
            findings
                .push(Finding::good(Message::FineCallable.with(language, &[("number", number)])));
        }
    }
    findings
}

/// Why can't this user provision a phone, or be called?
pub fn explain_user(
    directory: &Directory,
    user: ObjectId,
    seen: Seen<'_>,
    language: Language,
) -> Vec<Finding> {
    let obstacles = directory.provisioning_obstacles(user, DeviceClass::Desk);
    let mut findings: Vec<_> =
        obstacles.iter().map(|refusal| Finding::refused(refusal, language)).collect();
    findings.extend(seen.locks.iter().map(|lock| explain_lock(directory, lock, language)));
    let Some(person) = directory.typed::<EndUser>(user) else { return findings };
    let number = person.primary_extension.and_then(|line| directory.get(line));
    let number = number.map(|line| line.number.as_str().to_owned());
    if findings.is_empty() && seen.pin != Some(false) {
        let values = [("number", number.as_deref().unwrap_or_default())];
        findings.push(Finding::good(Message::FineUser.with(language, &values)));
    }
    findings.extend(profile(directory, user, person, language));
    if seen.pin == Some(false) {
        let (text, remedy) = (Message::NoPin.text(language), Message::PinRemedy.text(language));
        findings.push(Finding::bad(text, remedy));
    }
    findings.extend(ambiguity(directory, user, person, number.as_deref(), language));
    findings.extend(not_keyed_in(person, number.as_deref(), language));
    findings.extend(unheard(directory, person, number.as_deref(), language));
    findings
}

/// A lock with its end, and what ends it now.
pub fn explain_lock(directory: &Directory, lock: &AccountLock, language: Language) -> Finding {
    let name = directory.label(lock.owner).unwrap_or_default();
    let until = lock.until.map(|until| clock(until.seconds()));
    let credential = match lock.credential {
        CredentialKind::Password => Message::WordPassword,
        CredentialKind::Pin => Message::WordPin,
        CredentialKind::Code => Message::WordCode,
    };
    let credential = credential.text(language);
    let mut values = vec![("name", &*name), ("credential", &*credential)];
    values.extend(lock.source.as_deref().map(|source| ("source", source)));
    values.extend(until.as_deref().map(|until| ("until", until)));
    let message = match until {
        Some(_) => Message::AccountLocked,
        None => Message::AccountLockedForGood,
    };
    let remedy = match lock.credential {
        CredentialKind::Code => Message::RemedyWait.text(language),
        _ => Message::RemedyUnlock.with(language, &[("name", &*quoted(&name))]),
    };
    Finding::bad(message.with(language, &values), remedy)
}

/// The profile that decides (SP-58).
fn profile(
    directory: &Directory,
    user: ObjectId,
    person: &EndUser,
    language: Language,
) -> Option<Finding> {
    let profile = directory.profile_of(user).and_then(|profile| directory.get(profile))?;
    let message = match person.user_profile {
        Some(_) => Message::ProfileOwn,
        None => Message::ProfileDefault,
    };
    Some(Finding::good(message.with(language, &[("name", &profile.name)])))
}

/// Somebody else keys in the same digits.
pub(super) fn ambiguity(
    directory: &Directory,
    user: ObjectId,
    person: &EndUser,
    number: Option<&str>,
    language: Language,
) -> Option<Finding> {
    let own = &*person.self_service_id;
    let digits = if own.is_empty() { number? } else { own };
    let other = directory.self_service_users(digits).find(|other| *other != user)?;
    let name = directory.label(other).unwrap_or_default();
    let text = Message::IdAmbiguous.with(language, &[("number", digits), ("name", &name)]);
    Some(Finding::bad(text, Message::IdRemedy.text(language)))
}

/// The extension stands in for an ID, and is not of digits alone.
fn not_keyed_in(person: &EndUser, number: Option<&str>, language: Language) -> Option<Finding> {
    let number = number.filter(|_| person.self_service_id.is_empty())?;
    let keyed_in = number.bytes().all(|byte| byte.is_ascii_digit());
    let values = [("number", number), ("name", &*person.user_id)];
    let text = Message::NotKeyedIn.with(language, &values);
    (!keyed_in).then_some(Finding { good: false, text, remedy: None })
}

/// The user's number is on no device.
fn unheard(
    directory: &Directory,
    person: &EndUser,
    number: Option<&str>,
    language: Language,
) -> Option<Finding> {
    let line = person.primary_extension?;
    let silent = directory.appearances(line.id()).next().is_none();
    silent.then(|| {
        let values = [("number", number.unwrap_or_default())];
        let text = Message::NumberWithoutDevice.with(language, &values);
        Finding::bad(text, Message::PutOnDevice.text(language))
    })
}
