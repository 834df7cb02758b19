//! A phone that comes with the secret or the lines it had before: its settings changed, and the word to fetch
//! the new ones never reached it, because it was restarting, or the word was lost, or this node
//! stopped before it was sent. Without help it would come with the old secret for ever.
//!
//! Its registration is refused all the same; but it has shown that it was this device, so it may
//! fetch its file and is told to. Only the secret before the present one is known, and none that an
//! administrator replaced: that one may have leaked. A phone whose lines changed shows its present secret.

use core::time::Duration;
use std::collections::BTreeMap;

use jackfield_model::{Directory, Phone};
use jackfield_sip::digest::Credentials;
use jackfield_sip::header::ContactAddress;
use jackfield_sip::{Essentials, Flow, Message, Method, Response, Status};
use jackfield_vocabulary::{Now, ObjectId};
use serde::{Deserialize, Serialize};

use super::Devices;
use super::authenticate::{Proof, hashed_with};
use super::binding::{Binding, Registered, Trust};
use super::nonce::{FRESH, Uses, Worth};
use super::reach;
use super::registrar::Believed;
use crate::context::{Context, Internal};
use crate::endpoint::answer;
use crate::interface::{Access, Level, Output};

/// The devices whose former secret was of use lately.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Outdated {
    devices: BTreeMap<ObjectId, Former>,
}

/// What is known of a device's former secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Former {
    /// So that what was heard on the wire opens nothing when it is sent again.
    uses: Uses,
    /// When it was last of use.
    seen: Now,
    /// When the device was last told to restart for it.
    told: Option<Now>,
    /// How often it was told for lines that it has no longer, since they changed.
    times: u8,
}

impl Outdated {
    /// A device's secret was replaced; these nonces it used with the one before.
    pub(super) fn expect(&mut self, device: ObjectId, uses: Uses, now: Now) {
        if let Some(former) = self.entry(device, now) {
            *former = Former { uses, seen: now, told: former.told, times: 0 };
        }
    }

    /// The device is gone.
    pub(super) fn forget(&mut self, device: ObjectId) {
        self.devices.remove(&device);
    }

    /// The device's lines changed: what it was told for the ones before counts no more.
    pub(super) fn lines_changed(&mut self, device: ObjectId) {
        self.devices.entry(device).and_modify(|former| former.times = 0);
    }

    /// May the device be told to restart for its lines? Ever more seldom: a phone that does not change
    /// by it, as one whose account was entered by hand, must not be kept from its other lines.
    fn may_tell_of_lines(&mut self, device: ObjectId, now: Now) -> bool {
        let Some(former) = self.entry(device, now) else { return false };
        former.seen = now;
        let pause = AGAIN * (1 << former.times.min(MOST_DOUBLED));
        let due = former.told.is_none_or(|at| now.since(at) >= pause);
        if due {
            former.told = Some(now);
            former.times = former.times.saturating_add(1);
        }
        due
    }

    /// May the device be told to restart by now? Then it counts as told.
    fn may_tell(&mut self, device: ObjectId, now: Now) -> bool {
        let Some(former) = self.devices.get_mut(&device) else { return false };
        let due = former.told.is_none_or(|at| now.since(at) >= AGAIN);
        if due {
            former.told = Some(now);
        }
        due
    }

    /// The device's place; none when too many were of use lately.
    fn entry(&mut self, device: ObjectId, now: Now) -> Option<&mut Former> {
        if self.devices.len() >= DEVICES && !self.devices.contains_key(&device) {
            // Nonces from before are too old to be taken anyway.
            self.devices.retain(|_, former| now.since(former.seen) < KEPT);
            if self.devices.len() >= DEVICES {
                return None;
            }
        }
        let former = || Former { uses: Uses::default(), seen: now, told: None, times: 0 };
        Some(self.devices.entry(device).or_insert_with(former))
    }
}

impl Devices {
    /// What a REGISTER proves whose credentials are not right, if they were before the device's
    /// secret was replaced.
    pub(super) fn outdated(
        &mut self,
        ctx: &mut Context<'_>,
        device: ObjectId,
        request: &Message,
        credentials: &Credentials<'_>,
    ) -> Option<Proof> {
        let method = request.method().filter(|method| **method == Method::Register)?;
        let algorithm = hashed_with(credentials.algorithm.base());
        let (name, realm) = (&credentials.username, &credentials.realm);
        let hash = ctx.directory.secrets().former_ha1(device, name, realm, algorithm)?;
        if !credentials.verify(method.as_str(), hash.reveal(), request.body()) {
            return None;
        }
        ctx.count("outdated-settings");
        let count = credentials.protection.as_ref().map_or(1, |protection| protection.count);
        let Some(former) = self.outdated.entry(device, ctx.now) else {
            return Some(Proof::Refused(Some(refuse(request))));
        };
        let nonces = self.authenticator.nonces();
        match former.uses.judge(nonces, ctx.now.wall, &credentials.nonce, count) {
            Worth::Good => {
                former.uses.take(&credentials.nonce, count);
                former.seen = ctx.now;
                Some(Proof::Outdated { device })
            }
            Worth::Replayed => Some(Proof::Refused(Some(refuse(request)))),
            Worth::Stale => {
                Some(Proof::Refused(Some(self.challenge(ctx, request, Some(device), true))))
            }
        }
    }

    /// Lets a phone with outdated settings fetch the new ones, and tells it to, at the contact and
    /// by the way of this very REGISTER.
    pub(super) fn call_back(
        &mut self,
        ctx: &mut Context<'_>,
        device: ObjectId,
        flow: &Flow,
        essentials: &Essentials,
        contact: &ContactAddress,
    ) {
        if !self.outdated.may_tell(device, ctx.now) {
            return;
        }
        let binding = left(ctx, device, Trust::Provisional, (flow, essentials, contact));
        self.remember_former(device, binding);
        let address = Some(flow.remote.ip());
        let (generation, length) = (ctx.directory.secrets().generation(device), super::WINDOW);
        ctx.out.push(Output::Access(Access::Window { device, address, generation, length }));
        order_restart(ctx, device, flow);
    }

    /// Tells a phone to restart that showed its secret and wants a line that it has no longer, and
    /// keeps where that was, for whoever orders it: it may be reached nowhere else. It may fetch its
    /// file already. One that has its own lines, and one more, is left alone.
    pub(super) fn call_back_for_lines(
        &mut self,
        ctx: &mut Context<'_>,
        who: &Believed<'_>,
        phone: &Phone,
        contact: &ContactAddress,
    ) {
        let &Believed { device, trust, flow, essentials, .. } = who;
        let user = essentials.to.user().unwrap_or_default();
        let had = self.bindings.get(&device).is_none_or(|binding| {
            let own = |line: &Registered| line.is_line_of(ctx.directory, phone);
            binding.lines.iter().any(|line| line.is_of(&user)) || !binding.lines.iter().any(own)
        });
        if trust != Trust::Proved || !had {
            return;
        }
        let binding = left(ctx, device, trust, (flow, essentials, contact));
        self.remember_former(device, binding);
        if self.outdated.may_tell_of_lines(device, ctx.now) {
            order_restart(ctx, device, flow);
        }
    }

    /// What a phone has not heard of since it registered.
    pub(super) fn outdated_in(
        &self,
        directory: &Directory,
        device: ObjectId,
    ) -> Option<jackfield_vocabulary::Outdated> {
        use jackfield_vocabulary::Outdated::{Lines, Secret};
        let phone = directory.typed::<Phone>(device)?;
        if let Some(binding) = self.bindings.get(&device) {
            let foreign = |line: &Registered| !line.is_line_of(directory, phone);
            return binding.lines.iter().any(foreign).then_some(Lines);
        }
        let former = self.former.get(&device)?;
        let shown = former.trust == Trust::Proved
            && former.generation == directory.secrets().generation(device);
        Some(if shown { Lines } else { Secret })
    }
}

/// The way to a phone that is not registered, as its REGISTER says it.
fn left(
    ctx: &Context<'_>,
    device: ObjectId,
    trust: Trust,
    (flow, essentials, contact): (&Flow, &Essentials, &ContactAddress),
) -> Binding {
    let registered = Registered {
        user: essentials.to.user().map(Into::into).unwrap_or_default(),
        line: None,
        contact: contact.uri.to_string().into(),
        listens: reach::listens(flow, &contact.uri)
            .filter(|_| reach::is_direct(flow, &essentials.via)),
        call_id: essentials.call_id.clone(),
        sequence: essentials.cseq.number,
        request: 0,
        expires: ctx.now,
    };
    Binding {
        flow: flow.clone(),
        lines: vec![registered],
        user_agent: Box::default(),
        since: ctx.now.wall,
        trust,
        kpml: false,
        kept: ctx.now.wall,
        generation: ctx.directory.secrets().generation(device),
        expiry: None,
    }
}

fn order_restart(ctx: &mut Context<'_>, device: ObjectId, flow: &Flow) {
    ctx.tell(Internal::RestartFormer { device });
    let name = ctx.directory.typed::<Phone>(device).map_or("", |phone| &phone.name);
    let fields =
        vec![("device.name", name.to_string()), ("device.address", flow.remote.to_string())];
    ctx.note(Level::Info, "phone with outdated settings told to restart", fields);
}

/// The answer to a phone with outdated settings.
pub(super) fn refuse(request: &Message) -> Response {
    answer::refuse(request, Status::FORBIDDEN, "Outdated settings")
}

/// How often a device is told to restart.
const AGAIN: Duration = Duration::from_secs(30);
/// How often the pause between two words for lines doubles: up to about an hour.
const MOST_DOUBLED: u8 = 7;
/// Devices whose former secrets are of use at once.
const DEVICES: usize = 10_000;
/// How long the uses of a former secret matter: longer than a nonce is taken that nobody knows.
const KEPT: Duration = Duration::from_secs(FRESH as u64 + 60);

#[cfg(test)]
mod tests {
    use jackfield_vocabulary::UnixTime;

    use super::*;

    #[test]
    fn many_replacements_stay_bounded_and_make_room_again() {
        let at = |seconds: u64| Now::new(seconds * 1_000_000, UnixTime(0));
        let mut outdated = Outdated::default();
        for number in 0..DEVICES as u32 + 5 {
            outdated.expect(ObjectId(number), Uses::default(), at(0));
        }
        assert_eq!(outdated.devices.len(), DEVICES);
        let late = ObjectId(DEVICES as u32 + 5);
        assert!(!outdated.may_tell(late, at(1)), "it has no place");
        assert!(outdated.entry(late, at(KEPT.as_secs() + 1)).is_some());
        assert_eq!(outdated.devices.len(), 1);
        assert!(outdated.may_tell(late, at(400)));
        assert!(!outdated.may_tell(late, at(429)));
        assert!(outdated.may_tell(late, at(430)));
    }
}
