//! What other nodes know of a phone that shows no secret. A node believes none by its own memory alone:
//! before the first registration of one the store is asked where it is and whether it has its secret by
//! now, and its REGISTER waits for that. Known registrations go on without; and what the nodes wrote
//! lately is told to each other unasked.

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::IpAddr;

use jackfield_model::{Directory, Phone};
use jackfield_sip::{Flow, Message, Response};
use jackfield_vocabulary::share::{Figures, Holder, Places, uses};
use jackfield_vocabulary::{Code, Elsewhere, ObjectId, Refusal};
use serde::{Deserialize, Serialize};

use super::authenticate::Proof;
use super::binding::Trust;
use super::claim::Claimed;
use super::{Devices, Place};
use crate::context::{Context, Timer, TimerToken};
use crate::endpoint::{Endpoint, answer};
use crate::interface::Output;

/// The phones after which the store is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Inquiries {
    #[serde(with = "jackfield_vocabulary::pairs")]
    waiting: BTreeMap<Place, Waiting>,
    places: Places<Place>,
    /// What the store said, while those who waited for it are answered.
    #[serde(skip)]
    at_hand: Option<(ObjectId, Option<Elsewhere>)>,
}

/// One of them. A later REGISTER takes the place of an earlier one with its Call-ID.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    request: Message,
    flow: Flow,
    /// It has answered a question of ours.
    answered: bool,
    timer: TimerToken,
}

impl Default for Inquiries {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), places: uses::INQUIRIES.places(), at_hand: None }
    }
}

impl Inquiries {
    /// What the limit by source has come to.
    pub(super) fn figures(&self) -> Figures {
        uses::INQUIRIES.figures(&self.places)
    }

    fn take(&mut self, ctx: &mut Context<'_>, place: Place) -> Option<Waiting> {
        let waiting = self.waiting.remove(&place)?;
        self.places.release(&place);
        ctx.timers.cancel(waiting.timer);
        Some(waiting)
    }
}

impl Devices {
    /// A device is believed without a secret by what this node knows. Is it by what the others know?
    pub(super) fn believed_everywhere(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        request: &Message,
        device: ObjectId,
    ) -> Proof {
        if self.bindings.contains_key(&device) {
            return Proof::Trusted { device };
        }
        let Some((_, known)) = self.inquiries.at_hand.filter(|(of, _)| *of == device) else {
            return Proof::Unasked { device };
        };
        let must_show = must_show(ctx.directory, device);
        match known {
            Some(known)
                if known.host.is_none_or(|host| is_host(flow, host))
                    && !(must_show && known.has_secret) =>
            {
                Proof::Trusted { device }
            }
            Some(_) => {
                self.refusals.because(Refusal::new(Code::SecretNotShown));
                Proof::Refused(Some(self.challenge(ctx, request, Some(device), false)))
            }
            // Nobody will ever ask it for more; and a new phone can do nothing yet without the store.
            None if !must_show => Proof::Trusted { device },
            None => {
                self.refusals.because(Refusal::new(Code::DatabaseUnavailable));
                Proof::Refused(Some(come_again(ctx, request)))
            }
        }
    }

    /// Asks the store what other nodes know of a phone, and lets its REGISTER wait; without a place for
    /// that it is told to come again.
    pub(super) fn ask_elsewhere(
        &mut self,
        ctx: &mut Context<'_>,
        (flow, answered): (&Flow, bool),
        request: &Message,
        device: ObjectId,
    ) -> Option<Response> {
        let place = Place { at: flow.remote, who: Claimed::Device(device) };
        if let Some(waiting) = self.inquiries.waiting.get_mut(&place) {
            if waiting.request.call_id() == request.call_id() {
                (waiting.request, waiting.flow) = (request.clone(), flow.clone());
            }
            return None;
        }
        let holder = Holder::stranger(flow.remote.ip());
        if self.inquiries.places.take(place, holder, 1).is_err() {
            self.refusals.because(Refusal::new(Code::Overloaded));
            return Some(come_again(ctx, request));
        }
        let timer = ctx.after(PATIENCE, Timer::Elsewhere { place });
        let (request, flow) = (request.clone(), flow.clone());
        self.inquiries.waiting.insert(place, Waiting { request, flow, answered, timer });
        ctx.out.push(Output::Elsewhere { device });
        None
    }

    /// What other nodes know of a device, because it was asked or because it is new; `None` when the
    /// store can't say.
    pub(crate) fn heard_elsewhere(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        device: ObjectId,
        known: Option<Elsewhere>,
    ) {
        if let Some(known) = known {
            self.note_elsewhere(ctx, device, known);
        }
        let of_it = |place: &&Place| place.who == Claimed::Device(device);
        let places: Vec<Place> = self.inquiries.waiting.keys().filter(of_it).copied().collect();
        for place in places {
            self.answer_inquiry(ctx, endpoint, place, known);
        }
    }

    /// The store did not say in time.
    pub(super) fn elsewhere_over(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        place: Place,
    ) {
        self.answer_inquiry(ctx, endpoint, place, None);
    }

    fn answer_inquiry(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        place: Place,
        known: Option<Elsewhere>,
    ) {
        let Some(Waiting { request, flow, answered, .. }) = self.inquiries.take(ctx, place) else {
            return;
        };
        self.inquiries.at_hand = place.who.device().map(|device| (device, known));
        self.answer_waiting(ctx, endpoint, (&flow, answered), &request);
        self.inquiries.at_hand = None;
    }

    /// A phone has its secret, wherever it got it. And a registration without a secret gives way to one
    /// of the same phone from another host at another node, which the store took for the right one.
    fn note_elsewhere(&mut self, ctx: &mut Context<'_>, device: ObjectId, known: Elsewhere) {
        if known.has_secret && must_show(ctx.directory, device) {
            self.provisional.give(device);
            if let Some(binding) = self.bindings.get_mut(&device)
                && binding.trust == Trust::Provisional
            {
                binding.trust = Trust::Given;
            }
        }
        let moved = self.bindings.get(&device).is_some_and(|binding| {
            binding.trust != Trust::Proved
                && known.host.is_some_and(|host| !is_host(&binding.flow, host))
        });
        if moved && ctx.directory.needs_no_secret(device) {
            self.unbind(ctx, device);
        }
    }
}

/// Is it a new phone that must show its secret once it has one?
fn must_show(directory: &Directory, device: ObjectId) -> bool {
    let phone = directory.typed::<Phone>(device);
    phone.is_some_and(|phone| phone.auto_registered && directory.asks_for_secret(phone))
}

/// Does the message come from this host?
fn is_host(flow: &Flow, host: IpAddr) -> bool {
    flow.remote.ip().to_canonical() == host.to_canonical()
}

pub(super) fn come_again(ctx: &mut Context<'_>, request: &Message) -> Response {
    answer::unavailable(request, 5 + ctx.ids.below(26))
}

/// How long the store may take.
const PATIENCE: Duration = Duration::from_secs(3);
