//! REGISTER: who is it, is it so, and where is it from now on (RFC 3261 section 10.3).
//!
//! A REGISTER is answered without a transaction: it says the same however often it comes, and a
//! phone's refresh is by far the most frequent thing that happens.

use core::time::Duration;
use std::net::IpAddr;

use jackfield_model::{Dialect, Directory, Line, Phone};
use jackfield_sip::header::{Contact, ContactAddress, Date, Expires, MinExpires};
use jackfield_sip::{Essentials, Flow, HeaderName, Message, Response, ResponseBuilder, Status};
use jackfield_vocabulary::{ObjectId, UnixTime};

use super::Devices;
use super::authenticate::Proof;
use super::binding::{Binding, Registering, Trust};
use super::claim::{self, Claim};
use super::{dialect, outdated};
use crate::context::{Context, Timer};
use crate::endpoint::answer;
use crate::interface::{Access, BindingChange, Level, Output};

/// What a REGISTER asks for, read from its headers.
struct Wish {
    contact: Option<ContactAddress>,
    /// Seconds; 0 ends the registration.
    seconds: Option<u32>,
    everything: bool,
}

/// A REGISTER whose sender is known.
struct Believed<'r> {
    device: ObjectId,
    trust: Trust,
    flow: &'r Flow,
    request: &'r Message,
    essentials: &'r Essentials<'r>,
}

impl Devices {
    /// Answers a REGISTER; `None` when the answer waits for the store, or there is none.
    pub(crate) fn register(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        request: &Message,
        essentials: &Essentials<'_>,
    ) -> Option<Response> {
        let wish = match Wish::of(request) {
            Ok(wish) => wish,
            Err(reason) => return Some(answer::refuse(request, Status::BAD_REQUEST, reason)),
        };
        let claim = Claim::of(request, wish.contact.as_ref(), &essentials.to);
        if self.newcomers.is_waited_for(&claim, flow, request) {
            return None;
        }
        let claimed = claim.resolve(ctx.directory);
        let believed = |device, trust| Believed { device, trust, flow, request, essentials };
        match self.prove(ctx, flow, request, &claim, claimed) {
            Proof::Proved { device } => {
                self.admit(ctx, device, flow.remote.ip(), essentials.call_id);
                Some(self.bind(ctx, &believed(device, Trust::Proved), &wish))
            }
            Proof::Trusted { device } => {
                Some(self.bind(ctx, &believed(device, Trust::Provisional), &wish))
            }
            Proof::Repeated { device } => Some(self.registered_answer(ctx, request, device, false)),
            Proof::Outdated { device } => {
                let staying = wish.contact.as_ref().filter(|_| wish.seconds != Some(0));
                if let Some(contact) = staying {
                    self.call_back(ctx, device, flow, essentials, contact);
                }
                Some(outdated::refuse(request))
            }
            Proof::Newcomer { mac } => self.newcomer(ctx, flow, request, &claim, mac),
            Proof::Refused(response) => response,
        }
    }

    /// A device proved its secret from this address: it may fetch its file from there. That is told
    /// once for each registration, not at every refresh.
    fn admit(&self, ctx: &mut Context<'_>, device: ObjectId, address: IpAddr, call_id: &str) {
        let known = self.bindings.get(&device).is_some_and(|binding| {
            binding.trust == Trust::Proved
                && binding.flow.remote.ip() == address
                && binding.lines.iter().any(|line| *line.call_id == *call_id)
        });
        if !known {
            ctx.out.push(Output::Access(Access::Registered { device, address }));
        }
    }

    /// Registers a phone that was just taken in.
    pub(super) fn bind_newcomer(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        request: &Message,
        device: ObjectId,
    ) -> Response {
        let trust = Trust::Provisional;
        match (request.check(), Wish::of(request)) {
            (Ok(essentials), Ok(wish)) => {
                let believed = Believed { device, trust, flow, request, essentials: &essentials };
                self.bind(ctx, &believed, &wish)
            }
            _ => answer::plain(request, Status::BAD_REQUEST),
        }
    }

    /// Carries out the wish of a device that is believed.
    fn bind(&mut self, ctx: &mut Context<'_>, who: &Believed<'_>, wish: &Wish) -> Response {
        let &Believed { device, request, essentials, .. } = who;
        let longest = self.cluster(ctx.directory).registration_seconds;
        let seconds = wish.seconds.unwrap_or(longest).min(longest);
        let Some(contact) = &wish.contact else {
            if wish.everything {
                self.unbind(ctx, device);
            }
            return self.registered_answer(ctx, request, device, false);
        };
        let user = essentials.to.user().unwrap_or_default();
        if self.is_out_of_order(device, &user, essentials) {
            return answer::refuse(request, Status::SERVER_INTERNAL_ERROR, "CSeq out of order");
        }
        if seconds == 0 {
            self.unregister(ctx, device, &user);
            return self.registered_answer(ctx, request, device, false);
        }
        if seconds < SHORTEST {
            return ResponseBuilder::reply_to(request, Status::INTERVAL_TOO_BRIEF)
                .typed(&MinExpires(SHORTEST))
                .finish();
        }
        let Some(phone) = ctx.directory.typed::<Phone>(device).cloned() else {
            return answer::refuse(request, Status::FORBIDDEN, "Unknown device");
        };
        let Ok(line) = line_of(ctx.directory, &phone, contact, &user) else {
            return answer::refuse(request, Status::NOT_FOUND, "Not a line of this device");
        };
        let told = Registering {
            user: &user,
            line,
            contact: &contact.uri.text(),
            call_id: essentials.call_id,
            sequence: essentials.cseq.number,
            expires: ctx.now + Duration::from_secs(seconds.into()),
        };
        let fresh = self.enter(ctx, who, &phone, &told);
        self.registered_answer(ctx, request, device, fresh)
    }

    /// Writes the registration down; is it a new one?
    fn enter(
        &mut self,
        ctx: &mut Context<'_>,
        who: &Believed<'_>,
        phone: &Phone,
        told: &Registering<'_>,
    ) -> bool {
        let &Believed { device, trust, flow, request, .. } = who;
        self.former.remove(&device);
        let mut began = false;
        let binding = self.bindings.entry(device).or_insert_with(|| {
            began = true;
            Binding {
                flow: flow.clone(),
                lines: Vec::new(),
                user_agent: Box::default(),
                since: ctx.now.wall,
                trust,
                kpml: false,
                kept: UnixTime::default(),
                generation: 0,
                expiry: None,
            }
        });
        let fresh = !binding.lines.iter().any(|line| *line.call_id == *told.call_id);
        if fresh {
            // As after a restart of the phone: what it says of itself is new.
            binding.user_agent = claim::user_agent(request);
            binding.kpml = request.has_token(HeaderName::AllowEvents, "kpml");
            if told.line.is_none() {
                binding.lines.clear();
            }
        }
        let before = binding.flow.remote;
        if !binding.came_from(flow) {
            binding.flow = flow.clone();
        }
        let mut changed = fresh || before != flow.remote;
        binding.generation = ctx.directory.secrets().generation(device);
        if trust == Trust::Proved {
            changed |= binding.trust != trust;
            binding.trust = trust;
        }
        binding.put(told);
        // Each refresh would be a write; the store may lag behind by a quarter of the time.
        let ends = binding.expires().wall.0;
        changed |= ends.saturating_sub(binding.kept.0) >= ends.saturating_sub(ctx.now.wall.0) / 4;
        if binding.expiry.is_none() {
            let timer = Timer::BindingExpiry { device };
            binding.expiry = Some(ctx.timers.set(binding.next_expiry(), timer));
        }
        if changed {
            keep(ctx, device, binding);
        }
        if trust == Trust::Provisional && (began || before.ip() != flow.remote.ip()) {
            ctx.out.push(Output::Access(Access::Seen { device, address: flow.remote.ip() }));
        }
        if began {
            self.addresses.enter(flow.remote, device);
        } else if before != flow.remote {
            self.addresses.moved(before, flow.remote, device);
        }
        if began {
            announce(ctx, phone, flow);
        }
        fresh
    }

    /// A device takes one of its addresses of record away.
    fn unregister(&mut self, ctx: &mut Context<'_>, device: ObjectId, user: &str) {
        let Some(binding) = self.bindings.get_mut(&device) else { return };
        binding.lines.retain(|line| &*line.user != user);
        if binding.lines.is_empty() {
            self.unbind(ctx, device);
        } else {
            keep(ctx, device, binding);
        }
    }

    /// A device is not registered any more.
    pub(super) fn unbind(&mut self, ctx: &mut Context<'_>, device: ObjectId) {
        let Some(binding) = self.bindings.remove(&device) else { return };
        self.addresses.leave(binding.flow.remote, device);
        if let Some(timer) = binding.expiry {
            ctx.timers.cancel(timer);
        }
        let change = BindingChange { device, binding: None, expires: ctx.now.wall };
        ctx.out.push(Output::Binding(change));
        let phone = ctx.directory.typed::<Phone>(device);
        let name = phone.map_or("", |phone| &phone.name);
        let fields = vec![
            ("device.name", name.to_string()),
            ("device.address", binding.flow.remote.to_string()),
        ];
        ctx.note(Level::Info, "device unregistered", fields);
    }

    /// The timer of a binding fired: its time is over, or it was refreshed meanwhile.
    pub(super) fn binding_expiry(&mut self, ctx: &mut Context<'_>, device: ObjectId) {
        let Some(binding) = self.bindings.get_mut(&device) else { return };
        if !binding.prune(ctx.now) {
            ctx.count("registrations-expired");
            return self.unbind(ctx, device);
        }
        let timer = Timer::BindingExpiry { device };
        binding.expiry = Some(ctx.timers.set(binding.next_expiry(), timer));
    }

    /// A request of the same registration with a sequence number that was used already by another
    /// request is late or a copy.
    fn is_out_of_order(&self, device: ObjectId, user: &str, essentials: &Essentials<'_>) -> bool {
        let Some(binding) = self.bindings.get(&device) else { return false };
        binding.lines.iter().any(|line| {
            &*line.user == user
                && &*line.call_id == essentials.call_id
                && essentials.cseq.number < line.sequence
        })
    }

    fn registered_answer(
        &self,
        ctx: &Context<'_>,
        request: &Message,
        device: ObjectId,
        fresh: bool,
    ) -> Response {
        let mut response = ResponseBuilder::reply_to(request, Status::OK)
            .typed(&Date::from_unix(ctx.now.wall.seconds()))
            .text(HeaderName::Server, answer::SERVER);
        let Some(binding) = self.bindings.get(&device) else { return response.finish() };
        for line in &binding.lines {
            let left = line.expires.since(ctx.now).as_secs();
            let value = format_args!("<{}>;expires={left}", line.contact);
            response = response.header(HeaderName::Contact, value);
        }
        let options = fresh.then(|| dialect::registration_body(ctx.directory, device)).flatten();
        match options {
            Some((kind, body)) => response.body(kind, body.as_bytes()).finish(),
            None => response.finish(),
        }
    }
}

/// Hands a binding to the store, which writes it behind.
fn keep(ctx: &mut Context<'_>, device: ObjectId, binding: &mut Binding) {
    let expires = binding.expires().wall;
    binding.kept = expires;
    // A binding is plain data; one that can't be written is not kept.
    let binding = postcard::to_extend(binding, Vec::with_capacity(256)).ok();
    ctx.out.push(Output::Binding(BindingChange { device, binding, expires }));
}

/// A device that was not registered is now.
fn announce(ctx: &mut Context<'_>, phone: &Phone, flow: &Flow) {
    ctx.count("registrations");
    let fields =
        vec![("device.name", phone.name.to_string()), ("device.address", flow.remote.to_string())];
    ctx.note(Level::Debug, "device registered", fields);
}

impl Wish {
    fn of(request: &Message) -> Result<Self, &'static str> {
        let contacts = request.list::<Contact>().map_err(|_| "Bad Contact")?;
        let general = request.optional::<Expires>().map_err(|_| "Bad Expires")?;
        let general = general.map(|expires| expires.0);
        if contacts.contains(&Contact::All) {
            // RFC 3261 section 10.2.2: `*` stands alone, and only to take everything away.
            return match (contacts.len(), general) {
                (1, Some(0)) => Ok(Self { contact: None, seconds: Some(0), everything: true }),
                _ => Err("Contact * needs Expires: 0 and no other Contact"),
            };
        }
        let seconds =
            |contact: &Contact| contact.address().and_then(ContactAddress::expires).or(general);
        // One device has one way to reach it: the first that it does not take away.
        let staying = contacts.iter().position(|contact| seconds(contact) != Some(0));
        let contact = contacts.into_iter().nth(staying.unwrap_or_default());
        let seconds = contact.as_ref().map_or(general, seconds);
        let contact = contact.and_then(Contact::into_address);
        if contact.as_ref().is_some_and(|contact| contact.uri.as_sip().is_none()) {
            return Err("Contact is not a SIP address");
        }
        Ok(Self { contact, seconds, everything: false })
    }
}

/// Which line of its device an address of record stands for: one that names the device, or an
/// enterprise phone's only one, stands for all.
fn line_of(
    directory: &Directory,
    phone: &Phone,
    contact: &ContactAddress,
    user: &str,
) -> Result<Option<ObjectId>, ()> {
    let enterprise = || {
        contact.device_name().is_some()
            || directory.get(phone.model).is_some_and(|model| model.dialect == Dialect::Enterprise)
    };
    if phone.name.eq_ignore_ascii_case(user) || enterprise() || claim::mac_in_name(user).is_some() {
        return Ok(None);
    }
    let mut lines = phone.lines.iter();
    let line = lines.find(|appearance| {
        let line = directory.get::<Line>(appearance.line);
        line.is_some_and(|line| line.number.as_str() == user)
    });
    line.map(|appearance| Some(appearance.line.id())).ok_or(())
}

/// Shortest registration in seconds.
const SHORTEST: u32 = 60;
