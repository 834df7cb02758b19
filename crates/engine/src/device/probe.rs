//! Is a new phone where it says? Anybody can write any address into a datagram, and would have phones
//! made, and sound and answers sent, where nobody asked for them. So one that shows no secret is asked
//! by OPTIONS, and its REGISTER waits for the answer: whatever that says, only who receives the
//! question knows its branch. Of those that do not answer a few are taken in all the same, for some
//! phones answer no OPTIONS; the others are asked for credentials, and those that they then show need
//! not be right, for the nonce in them says as much.
//!
//! The answer says that somebody is there, not that the REGISTER is theirs: every phone answers an
//! OPTIONS (RFC 3261 section 11.2). So it takes in nobody where another phone of ours is, at whatever
//! node: before a question is sent the store is asked about the other ones. And it neither
//! ends a registration nor leads it elsewhere: for that the nonce is needed, which only who registers
//! brings back.

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use jackfield_sip::header::CSeq;
use jackfield_sip::{
    ClientKey, Flow, HeaderName, Message, Method, RequestBuilder, Response, SipUri, Uri,
};
use jackfield_vocabulary::share::{Figures, Holder, Places, uses};
use jackfield_vocabulary::{Code, ObjectId, Refusal};
use serde::{Deserialize, Serialize};

use super::binding::Registered;
use super::claim::Claimed;
use super::elsewhere::come_again;
use super::leg::headers;
use super::refusals::Who;
use super::wish::Wish;
use super::{Devices, Sent, reach};
use crate::context::{Context, Internal, Timer, TimerToken};
use crate::endpoint::Endpoint;
use crate::interface::Output;

/// Who says that it is where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(super) at: SocketAddr,
    pub(super) who: Claimed,
}

/// The phones that are asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Probes {
    #[serde(with = "jackfield_vocabulary::pairs")]
    asked: BTreeMap<Place, Probe>,
    places: Places<Place>,
}

/// One of them. A later REGISTER takes the place of an earlier one with its Call-ID.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Probe {
    request: Message,
    flow: Flow,
    /// Where it listens, by the request about which the store was asked.
    looked: Option<SocketAddr>,
    /// There the store knows no other phone.
    alone: Option<SocketAddr>,
    questions: Vec<ClientKey>,
    timer: TimerToken,
}

impl Default for Probes {
    fn default() -> Self {
        Self { asked: BTreeMap::new(), places: uses::PROBES.places() }
    }
}

impl Probes {
    /// Lets a REGISTER wait, in the place of one before; false without a place.
    fn wait(
        &mut self,
        ctx: &mut Context<'_>,
        place: Place,
        flow: &Flow,
        request: &Message,
    ) -> bool {
        if let Some(probe) = self.asked.get_mut(&place) {
            // Here it is again: the question was lost, or its answer. Somebody else's does not take its
            // place: who can't hear the phone does not know its Call-ID.
            if probe.request.call_id() == request.call_id() {
                (probe.request, probe.flow) = (request.clone(), flow.clone());
            }
            return true;
        }
        if self.places.take(place, Holder::stranger(flow.remote.ip()), 1).is_err() {
            return false;
        }
        let timer = ctx.after(PATIENCE, Timer::Probe { place });
        let (request, flow) = (request.clone(), flow.clone());
        let (looked, alone, questions) = (None, None, Vec::new());
        self.asked.insert(place, Probe { request, flow, looked, alone, questions, timer });
        true
    }

    /// What the limit by source has come to.
    pub(super) fn figures(&self) -> Figures {
        uses::PROBES.figures(&self.places)
    }
}

impl Devices {
    /// Asks whether somebody is there, and lets the REGISTER wait; without a place for that, or if much
    /// would have to be kept, its sender is asked for credentials at once.
    pub(super) fn probe(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        request: &Message,
        who: Claimed,
    ) -> Option<Response> {
        let place = Place { at: flow.remote, who };
        let octets = request.head().len() + request.body().len();
        let asked = octets <= LONGEST
            && self.would_tell(flow, request, who)
            && self.probes.wait(ctx, place, flow, request);
        if !asked {
            self.refusals.because(Refusal::new(Code::SecretNotShown));
            return Some(self.challenge(ctx, request, who.device(), false));
        }
        self.look_beside(ctx, place);
        None
    }

    /// Asks where no other phone is, so far as this node and the others know. What is written of a
    /// phone at another node is known a second after it registered there.
    fn look_beside(&mut self, ctx: &mut Context<'_>, place: Place) {
        let Some(Probe { request, flow, .. }) = self.probes.asked.get(&place) else { return };
        let stays = self.stays(flow, request, place.who);
        let Some(probe) = self.probes.asked.get_mut(&place) else { return };
        let ears = probe.ears();
        if stays {
            probe.alone = Some(ears);
        }
        if probe.is_alone() {
            ctx.tell(Internal::Probe { place });
        } else if probe.looked != Some(ears) {
            probe.looked = Some(ears);
            ctx.out.push(Output::Beside { at: place.at, ears, device: place.who.device() });
        }
    }

    /// Is another phone there, by what other nodes wrote? `None` when the store can't say.
    pub(crate) fn heard_beside(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        (at, ears, device): (SocketAddr, SocketAddr, Option<ObjectId>),
        taken: Option<bool>,
    ) {
        let first = Place { at, who: Claimed::Device(ObjectId(u32::MIN)) };
        let there = self.probes.asked.range(first..).take_while(|(place, _)| place.at == at);
        let waiting = there.filter(|(place, probe)| {
            place.who.device() == device && probe.looked == Some(ears) && probe.alone != Some(ears)
        });
        let waiting: Vec<Place> = waiting.map(|(place, _)| *place).collect();
        for place in waiting {
            match taken {
                Some(false) => {
                    if let Some(probe) = self.probes.asked.get_mut(&place) {
                        probe.alone = Some(ears);
                    }
                    self.send_probe(ctx, endpoint, place);
                }
                Some(true) => {
                    self.refuse_probe(ctx, endpoint, place, Refusal::new(Code::SecretNotShown));
                }
                None => {
                    let refusal = Refusal::new(Code::DatabaseUnavailable);
                    self.refuse_probe(ctx, endpoint, place, refusal);
                }
            }
        }
    }

    /// Asks for credentials instead, or tells the phone to come again while the store says nothing.
    fn refuse_probe(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        place: Place,
        refusal: Refusal,
    ) {
        let Some(Probe { request, flow, .. }) = self.end_probe(ctx, endpoint, place) else {
            return;
        };
        let response = match refusal.code {
            Code::DatabaseUnavailable => come_again(ctx, &request),
            _ => self.challenge(ctx, &request, place.who.device(), false),
        };
        if let Ok(essentials) = request.check() {
            self.refusals.because(refusal);
            self.keep_refusal(ctx, Who::of(place.who, &flow), &flow, essentials);
        }
        endpoint.reply(ctx, &flow, &request, &response);
    }

    /// Would an answer from there tell enough? Not where another phone of ours would give it, nor one
    /// that is registered there for something else than it has: for that it was switched off and on.
    fn would_tell(&self, flow: &Flow, request: &Message, who: Claimed) -> bool {
        let Ok(wish) = Wish::of(request) else { return false };
        let listens = wish.contact().and_then(|contact| reach::listens(flow, &contact.uri));
        let others = [Some(flow.remote), listens].into_iter().flatten();
        if others.flat_map(|at| self.addresses.hearing(at)).any(|there| who.device() != Some(there))
        {
            return false;
        }
        match who.device().and_then(|device| self.bindings.get(&device)) {
            None => true,
            Some(_) if wish.staying.is_none() => false,
            // At another port of its host it is not the one that was registered that answers.
            Some(binding) => {
                let asked = listens.unwrap_or(flow.remote);
                let present = binding.first().map(|line| binding.way(line).remote);
                present != Some(asked) && binding.flow.remote != flow.remote
                    || self.stays(flow, request, who)
            }
        }
    }

    /// Does it want to be registered where and as it is?
    pub(super) fn stays(&self, flow: &Flow, request: &Message, who: Claimed) -> bool {
        let binding = who.device().and_then(|device| self.bindings.get(&device));
        let contact = Wish::of(request).ok().and_then(|wish| wish.staying);
        binding.zip(contact).is_some_and(|(binding, (contact, _))| {
            let same = |line: &Registered| is_same_place(&line.contact, &contact.uri);
            binding.flow.remote == flow.remote && binding.lines.iter().any(same)
        })
    }

    /// Sends the question once: the phone sends its REGISTER again when one of them is lost.
    pub(crate) fn send_probe(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        place: Place,
    ) {
        let Some(probe) = self.probes.asked.get_mut(&place) else { return };
        if probe.questions.len() >= QUESTIONS || !probe.is_alone() {
            return;
        }
        let Some((flow, question)) = question(ctx, probe) else { return };
        let key = endpoint.request_at_most(ctx, flow, &question, 0);
        probe.questions.push(key);
        self.sent.insert(key, Sent::Probe(place));
    }

    /// Somebody is there: the REGISTER is answered.
    pub(super) fn probe_answered(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        place: Place,
    ) {
        // What it says of where it listens may be another thing by now: that is asked about first.
        if self.probes.asked.get(&place).is_none_or(|probe| !probe.is_alone()) {
            return;
        }
        let Some(Probe { request, flow, .. }) = self.end_probe(ctx, endpoint, place) else {
            return;
        };
        self.answer_waiting(ctx, endpoint, (&flow, true), &request);
    }

    /// Answers a REGISTER that waited.
    pub(super) fn answer_waiting(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        (flow, answered): (&Flow, bool),
        request: &Message,
    ) {
        let Ok(essentials) = request.check() else { return };
        if let Some(response) = self.register(ctx, (flow, answered), request, essentials) {
            endpoint.reply(ctx, flow, request, &response);
        }
    }

    /// One of ours that never answers goes on where it is.
    fn may_be_unseen(
        &mut self,
        ctx: &Context<'_>,
        place: Place,
        flow: &Flow,
        request: &Message,
    ) -> bool {
        let source = place.at.ip();
        let settings = ctx.directory.auto_registration(&self.node).map(|(_, settings)| settings);
        match place.who {
            Claimed::Unknown(mac) => {
                settings.is_some_and(|one| self.unclaimed.admits_unseen(mac, source, one))
            }
            Claimed::Device(device) => {
                let unseen = |mac| self.unclaimed.is_unseen_at(mac, source);
                match self.bindings.contains_key(&device) {
                    true => self.stays(flow, request, place.who),
                    false => self.unclaimed.mac(device).is_some_and(unseen),
                }
            }
            Claimed::Nobody => false,
        }
    }

    /// Nobody has answered in time: one of a few that are taken in all the same, or it has to show by
    /// credentials that it is there.
    pub(super) fn probe_over(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        place: Place,
    ) {
        let Some(probe) = self.probes.asked.get(&place) else { return };
        if !probe.is_alone() {
            let refusal = Refusal::new(Code::DatabaseUnavailable);
            return self.refuse_probe(ctx, endpoint, place, refusal);
        }
        let (request, flow) = (probe.request.clone(), probe.flow.clone());
        ctx.count("newcomers-not-there");
        if self.may_be_unseen(ctx, place, &flow, &request) {
            self.end_probe(ctx, endpoint, place);
            return self.answer_waiting(ctx, endpoint, (&flow, true), &request);
        }
        let refusal = Refusal::new(Code::PhoneNotThere).value("address", flow.remote);
        self.refuse_probe(ctx, endpoint, place, refusal);
    }

    fn end_probe(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        place: Place,
    ) -> Option<Probe> {
        let probe = self.probes.asked.remove(&place)?;
        self.probes.places.release(&place);
        ctx.timers.cancel(probe.timer);
        for key in &probe.questions {
            self.sent.remove(key);
            endpoint.abandon(*key);
        }
        Some(probe)
    }
}

impl Probe {
    /// Is no other phone where it is and listens?
    fn is_alone(&self) -> bool {
        self.alone == Some(self.ears())
    }

    /// Where it listens, by its Contact, or else from where it sends.
    fn ears(&self) -> SocketAddr {
        let wish = Wish::of(&self.request).ok();
        let contact = wish.as_ref().and_then(Wish::contact);
        contact
            .and_then(|contact| reach::listens(&self.flow, &contact.uri))
            .unwrap_or(self.flow.remote)
    }
}

/// Do both name the same user at the same host and port?
fn is_same_place(bound: &str, contact: &Uri) -> bool {
    let Ok(bound) = Uri::parse(bound) else { return false };
    let place = |uri: &Uri| uri.as_sip().map(|sip| (sip.user().map(Into::into), sip.at.clone()));
    let bound: Option<(Option<String>, _)> = place(&bound);
    bound.is_some() && bound == place(contact)
}

/// The question, and the way to where the phone would be called.
fn question(ctx: &mut Context<'_>, probe: &Probe) -> Option<(Flow, RequestBuilder)> {
    let wish = Wish::of(&probe.request).ok()?;
    let contact = wish.contact().map(|contact| contact.uri.clone());
    // Who asks for something else may name none.
    let contact = contact.unwrap_or_else(|| Uri::Sip(SipUri::of_address(None, probe.flow.remote)));
    let direct = probe.request.check().is_ok_and(|found| reach::is_direct(&probe.flow, &found.via));
    let flow = if direct { reach::way(&probe.flow, &contact) } else { probe.flow.clone() };
    let question = options(ctx, &flow, &contact.text());
    Some((flow, question))
}

/// The question whether somebody is there (RFC 3261 section 11).
pub(super) fn options(ctx: &mut Context<'_>, flow: &Flow, contact: &str) -> RequestBuilder {
    let from = headers::address(flow, "jackfield", "").with_tag(&ctx.ids.tokens().tag());
    RequestBuilder::new(Method::Options, contact)
        .header(HeaderName::From, from)
        .header(HeaderName::To, format_args!("<{contact}>"))
        .header(HeaderName::CallId, ctx.ids.tokens().call_id())
        .typed(&CSeq::new(1, Method::Options))
}

/// How long a phone may take to answer; it sends its REGISTER again after 0.5 and 1.5 seconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// Octets of a REGISTER that waits.
const LONGEST: usize = 4096;
/// Questions to one phone: one for each time that it comes.
const QUESTIONS: usize = 4;
