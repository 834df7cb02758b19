//! REGISTER: who is it, is it so, and where is it from now on (RFC 3261 section 10.3).
//!
//! A REGISTER is answered without a transaction: it says the same however often it comes, and a
//! phone's refresh is by far the most frequent thing that happens.

use core::time::Duration;
use std::net::IpAddr;

use jackfield_model::{Dialect, Directory, Line, Phone, PhoneLine};
use jackfield_sip::header::{ContactAddress, Date, MinExpires};
use jackfield_sip::{Essentials, Flow, HeaderName, Message, Response, ResponseBuilder, Status};
use jackfield_vocabulary::{Code, Now, ObjectId, Refusal};

use super::Devices;
use super::authenticate::Proof;
use super::binding::{Binding, Registered, Registering, Trust};
use super::claim::Claim;
use super::refusals::Who;
use super::wish::{Unfit, Wish};
use super::{dialect, hardware, outdated, reach};
use crate::context::Context;
use crate::endpoint::answer;
use crate::interface::{Access, BindingChange, Level, Output};

/// A REGISTER whose sender is known.
pub(super) struct Believed<'r> {
    pub(super) device: ObjectId,
    pub(super) trust: Trust,
    /// It proved its secret with a nonce that it never used before: this is no late request.
    pub(super) fresh: bool,
    pub(super) flow: &'r Flow,
    pub(super) request: &'r Message,
    pub(super) essentials: &'r Essentials,
}

impl Devices {
    /// Answers a REGISTER; `None` when the answer waits for the store or for the phone to show that it
    /// is there, or when there is none. `answered` when it has shown that. Why one is refused is kept
    /// until its phone registers.
    pub(crate) fn register(
        &mut self,
        ctx: &mut Context<'_>,
        (flow, answered): (&Flow, bool),
        request: &Message,
        essentials: &Essentials,
    ) -> Option<Response> {
        self.refusals.begin();
        let way = (flow, answered);
        let (who, response) = self.answer_register(ctx, way, request, essentials);
        self.keep_refusal(ctx, who, flow, essentials);
        response
    }

    /// The answer, and whose it is as far as that is known.
    fn answer_register(
        &mut self,
        ctx: &mut Context<'_>,
        (flow, answered): (&Flow, bool),
        request: &Message,
        essentials: &Essentials,
    ) -> (Who, Option<Response>) {
        let wish = match Wish::of(request) {
            Ok(wish) => wish,
            Err(unfit) => {
                let who = Who::Address(flow.remote.ip());
                return (who, Some(self.unfit(request, unfit)));
            }
        };
        let claim = Claim::of(request, wish.contact(), &essentials.to, &essentials.from);
        if wish.staying.is_some()
            && self.newcomers.is_waited_for(ctx.directory, &claim, flow, request)
        {
            return (Who::Address(flow.remote.ip()), None);
        }
        let claimed = claim.resolve(ctx.directory);
        let who = Who::of(claimed, flow);
        let believed =
            |device, trust, fresh| Believed { device, trust, fresh, flow, request, essentials };
        let response = match self.prove(ctx, (flow, answered), request, &claim, claimed) {
            Proof::Proved { device, fresh } => {
                self.admit(ctx, device, flow.remote.ip(), &essentials.call_id);
                Some(self.bind(ctx, &believed(device, Trust::Proved, fresh), &wish))
            }
            Proof::Trusted { device } => {
                Some(self.bind(ctx, &believed(device, Trust::Provisional, false), &wish))
            }
            Proof::Repeated { device } => {
                Some(self.registered_answer(ctx, request, essentials, device, false))
            }
            Proof::Outdated { device } => {
                if let Some((contact, _)) = &wish.staying {
                    self.call_back(ctx, device, flow, essentials, contact);
                }
                let refusal = Refusal::new(Code::OutdatedSecret);
                self.refusals.because_of(Some(Who::Device(device)), refusal);
                Some(outdated::refuse(request))
            }
            Proof::Doubtful => self.probe(ctx, flow, request, claimed),
            Proof::Unasked { device } => self.ask_elsewhere(ctx, (flow, answered), request, device),
            Proof::Newcomer { mac, there } => {
                self.newcomer(ctx, (flow, there), request, &claim, &wish, mac)
            }
            Proof::Refused(response) => response,
        };
        (who, response)
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
            let generation = ctx.directory.secrets().generation(device);
            ctx.out.push(Output::Access(Access::Registered { device, address, generation }));
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
        let (trust, fresh) = (Trust::Provisional, false);
        match (request.check(), Wish::of(request)) {
            (Ok(essentials), Ok(wish)) => {
                let believed = Believed { device, trust, fresh, flow, request, essentials };
                self.bind(ctx, &believed, &wish)
            }
            _ => answer::plain(request, Status::BAD_REQUEST),
        }
    }

    /// Refuses what no device can have.
    fn unfit(&mut self, request: &Message, unfit: Unfit) -> Response {
        if unfit == Unfit::Several {
            self.refusals.because(Refusal::new(Code::SeveralContacts));
        }
        match unfit {
            Unfit::Broken(why) => answer::refuse(request, Status::BAD_REQUEST, why),
            Unfit::Several => answer::warn(request, Status::FORBIDDEN, &self.node, ONE_CONTACT),
        }
    }

    /// Carries out the whole wish of a device that is believed, or nothing of it.
    fn bind(&mut self, ctx: &mut Context<'_>, who: &Believed<'_>, wish: &Wish) -> Response {
        let &Believed { device, request, essentials, .. } = who;
        let user = essentials.to.user().unwrap_or_default();
        if wish.only_asks() || self.is_copy(device, &user, request, essentials) {
            return self.registered_answer(ctx, request, essentials, device, false);
        }
        if self.is_out_of_order(who, wish, &user) {
            let refusal = Refusal::new(Code::RegistrationOutOfOrder);
            self.refusals.because_of(Some(Who::Device(device)), refusal);
            return answer::refuse(request, Status::SERVER_INTERNAL_ERROR, "CSeq out of order");
        }
        let fresh = match &wish.staying {
            Some((contact, _)) => match self.enter_contact(ctx, who, wish, contact, &user) {
                Ok(fresh) => fresh,
                Err(refusal) => return refusal,
            },
            None => {
                self.unregister(ctx, device, &user, wish);
                false
            }
        };
        self.registered_answer(ctx, request, essentials, device, fresh)
    }

    /// Binds an address in place of the one that the address of record had; is it a new one?
    fn enter_contact(
        &mut self,
        ctx: &mut Context<'_>,
        who: &Believed<'_>,
        wish: &Wish,
        contact: &ContactAddress,
        user: &str,
    ) -> Result<bool, Response> {
        let &Believed { device, flow, request, essentials, .. } = who;
        let address = contact.uri.text();
        let too_long = || too_long(request, &address, user);
        if let Some(refusal) = self.too_brief(ctx, request, wish, Some(device)).or_else(too_long) {
            return Err(refusal);
        }
        let Some(phone) = ctx.directory.typed::<Phone>(device).cloned() else {
            return Err(answer::refuse(request, Status::FORBIDDEN, "Unknown device"));
        };
        let Ok(line) = line_of(ctx.directory, &phone, contact, user) else {
            let refusal = Refusal::new(Code::NotItsLine).value("device", &phone.name);
            let refusal = refusal.value("user", user);
            self.refusals.because_of(Some(Who::Device(device)), refusal);
            self.call_back_for_lines(ctx, who, &phone, contact);
            return Err(answer::refuse(request, Status::NOT_FOUND, "Not a line of this device"));
        };
        let seconds = wish.seconds(self.cluster(ctx.directory).registration_seconds);
        let direct = reach::is_direct(flow, &essentials.via);
        let told = Registering {
            user,
            line,
            contact: &address,
            listens: reach::listens(flow, &contact.uri).filter(|_| direct),
            call_id: &essentials.call_id,
            sequence: essentials.cseq.number,
            request: request.fingerprint(),
            expires: self.until(ctx, who, &phone, seconds),
        };
        Ok(self.enter(ctx, who, &phone, &told))
    }

    /// When a registration ends. What may be somebody else's makes none end sooner.
    fn until(&mut self, ctx: &Context<'_>, who: &Believed<'_>, phone: &Phone, seconds: u32) -> Now {
        let &Believed { device, trust, flow, request, essentials, .. } = who;
        let until = ctx.now + Duration::from_secs(seconds.into());
        if trust != Trust::Provisional || !phone.auto_registered {
            return until;
        }
        if self.is_its_own(ctx, flow, request) {
            self.provisional.learn(device, &essentials.call_id);
        }
        if self.provisional.is_own(device, &essentials.call_id) {
            return until;
        }
        self.bindings.get(&device).map_or(until, |binding| binding.expires().max(until))
    }

    /// Refuses a registration that would have to be refreshed all the time.
    pub(super) fn too_brief(
        &mut self,
        ctx: &Context<'_>,
        request: &Message,
        wish: &Wish,
        device: Option<ObjectId>,
    ) -> Option<Response> {
        let seconds = wish.seconds(self.cluster(ctx.directory).registration_seconds);
        let brief = || {
            let response = ResponseBuilder::reply_to(request, Status::INTERVAL_TOO_BRIEF);
            response.typed(&MinExpires(SHORTEST)).finish()
        };
        if seconds < SHORTEST {
            let refusal = Refusal::new(Code::RegistrationTooBrief).value("seconds", SHORTEST);
            self.refusals.because_of(device.map(Who::Device), refusal);
            return Some(brief());
        }
        None
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
        let mut began = false;
        let binding = self.bindings.entry(device).or_insert_with(|| {
            began = true;
            Binding::begin(flow, trust, ctx.now.wall)
        });
        let fresh = !binding.lines.iter().any(|line| *line.call_id == *told.call_id);
        if fresh {
            binding.begin_anew(request, told);
            // What it had before its lines changed it will not refresh.
            binding.lines.retain(|line| line.is_line_of(ctx.directory, phone));
        }
        let (former, proved) = (binding.follow(flow), binding.prove(trust));
        let changed = fresh || former.is_some() || proved;
        if flow.connection.is_some() && changed {
            let proved = trust == Trust::Proved;
            ctx.out.push(Output::KeepStream { flow: flow.clone(), proved });
        }
        binding.generation = ctx.directory.secrets().generation(device);
        let moved = !binding.lines.iter().any(|line| *line.contact == *told.contact);
        let more = binding.put(told);
        if changed || more || moved {
            self.addresses.listens(device, binding.ears());
        }
        binding.watch(ctx.timers, device);
        if changed || more || moved || binding.is_kept_for_too_short(ctx.now.wall) {
            keep(ctx, device, binding);
        }
        let reached = |line: &PhoneLine| binding.line(line.line.id()).is_some();
        let whole = phone.lines.iter().all(reached);
        self.note_arrival(ctx, who, phone, (whole, fresh));
        self.note_place(ctx, who, began, former);
        if began {
            announce(ctx, phone, flow);
        }
        fresh
    }

    /// The device is there: what waited for that, or told why it was not, is over. `whole` when all its
    /// lines are, `fresh` when it began anew: one line that is right says nothing of another one that
    /// was refused just now.
    fn note_arrival(
        &mut self,
        ctx: &mut Context<'_>,
        who: &Believed<'_>,
        phone: &Phone,
        (whole, fresh): (bool, bool),
    ) {
        let &Believed { device, trust, flow, .. } = who;
        match trust {
            Trust::Provisional if phone.auto_registered => {
                self.notice_unclaimed(ctx, device, phone, flow.remote.ip());
            }
            Trust::Proved if phone.auto_registered => self.unclaimed.came_back(device),
            _ => {}
        }
        self.former.remove(&device);
        self.lost.forget(device);
        if whole || !self.refusals.is_of_a_line(device, ctx.now, fresh) {
            self.refusals.forget(Who::Device(device));
        }
        self.refusals.forget(Who::Address(flow.remote.ip()));
    }

    /// Where the device is now; `former` was its way until then.
    fn note_place(
        &mut self,
        ctx: &mut Context<'_>,
        who: &Believed<'_>,
        began: bool,
        former: Option<Flow>,
    ) {
        let &Believed { device, trust, flow, .. } = who;
        let before = former.as_ref().unwrap_or(flow).remote;
        if trust == Trust::Provisional && (began || before.ip() != flow.remote.ip()) {
            ctx.out.push(Output::Access(Access::Seen { device, address: flow.remote.ip() }));
        }
        if began {
            self.addresses.enter(flow.remote, device);
        } else if before != flow.remote {
            self.addresses.moved(before, flow.remote, device);
        }
        if let Some(former) = former {
            self.leave_stream(ctx, former);
        }
    }

    fn registered_answer(
        &self,
        ctx: &Context<'_>,
        request: &Message,
        essentials: &Essentials,
        device: ObjectId,
        fresh: bool,
    ) -> Response {
        let user = essentials.to.user().unwrap_or_default();
        let mut response = ResponseBuilder::reply_to(request, Status::OK)
            .typed(&Date::from_unix(ctx.now.wall.seconds()))
            .text(HeaderName::Server, answer::SERVER);
        let Some(binding) = self.bindings.get(&device) else { return response.finish() };
        let asked = |line: &&Registered| line.line.is_none() || line.is_of(&user);
        for line in binding.lines.iter().filter(asked) {
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
pub(super) fn keep(ctx: &mut Context<'_>, device: ObjectId, binding: &mut Binding) {
    let expires = binding.expires().wall;
    binding.kept = expires;
    let (shown, host, ports) = (binding.shown(), binding.flow.remote.ip(), binding.ports());
    let has_secret = binding.trust != Trust::Provisional;
    // A binding is plain data; one that can't be written is not kept.
    let binding = postcard::to_extend(binding, Vec::with_capacity(256)).ok();
    let change = BindingChange { device, binding, expires, host, ports, has_secret, shown };
    ctx.out.push(Output::Binding(change));
}

/// Refuses a registration of which much would have to be kept: a device may have many, and a new one
/// may be anybody's.
pub(super) fn too_long(request: &Message, address: &str, user: &str) -> Option<Response> {
    let long = [address, request.call_id(), user].iter().any(|text| text.len() > LONGEST);
    let why = "Contact, Call-ID or user is too long";
    long.then(|| answer::refuse(request, Status::BAD_REQUEST, why))
}

/// A device that was not registered is now.
fn announce(ctx: &mut Context<'_>, phone: &Phone, flow: &Flow) {
    ctx.count("registrations");
    let fields =
        vec![("device.name", phone.name.to_string()), ("device.address", flow.remote.to_string())];
    // A line of each phone would cost a boot storm a sixth more; that one left is told, for it is rare.
    ctx.note(Level::Debug, "device registered", fields);
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
    // Nobody's phone may still have the user that its last server gave it.
    let foreign = || phone.auto_registered && directory.lines_with(user).next().is_none();
    if phone.name.eq_ignore_ascii_case(user)
        || enterprise()
        || hardware::in_name(user).is_some()
        || foreign()
    {
        return Ok(None);
    }
    let mut lines = phone.lines.iter();
    let line = lines.find(|appearance| {
        let line = directory.get::<Line>(appearance.line);
        line.is_some_and(|line| line.number.as_str() == user)
    });
    line.map(|appearance| Some(appearance.line.id())).ok_or(())
}

/// What a phone is told that wants to be reached in two ways at once.
const ONE_CONTACT: &str = "a device has one contact for each number; this names several";
/// Octets of an address, a Call-ID or a user that are kept.
const LONGEST: usize = 512;
/// Shortest registration in seconds.
const SHORTEST: u32 = 60;
