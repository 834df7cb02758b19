//! Phones that are registered and not there: they said nothing to a call, or their connection is gone and
//! they can't be called back at their Contact. Whoever calls one need not wait for that, and goes on at once by
//! the forward for unregistered phones. Such a phone stays registered, for only time ends that, or its own
//! word; it is there again when it registers, or answers a call: that is tried once a minute.

use core::time::Duration;
use std::collections::BTreeMap;

use jackfield_sip::header::CSeq;
use jackfield_sip::{Flow, HeaderName, Method, RequestBuilder};
use jackfield_vocabulary::{Now, ObjectId};
use serde::{Deserialize, Serialize};

use super::Devices;
use super::binding::Binding;
use super::leg::headers;
use crate::context::Context;
use crate::endpoint::Endpoint;

/// Which phones did not answer, or could not be called back, and when that was tried last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Lost {
    since: BTreeMap<ObjectId, Now>,
    /// How many were asked in this second.
    asked: (u64, u32),
}

impl Lost {
    /// The phone is not there.
    pub(super) fn enter(&mut self, now: Now, device: ObjectId) {
        self.since.insert(device, now);
    }

    /// The phone is there, or has no registration any more.
    pub(super) fn forget(&mut self, device: ObjectId) {
        self.since.remove(&device);
    }

    /// May one more be asked whether it is there? When a switch goes off many connections end at once;
    /// who is not asked is found out by the first call.
    fn may_ask(&mut self, now: Now) -> bool {
        let second = now.micros / 1_000_000;
        if self.asked.0 != second {
            self.asked = (second, 0);
        }
        self.asked.1 += 1;
        self.asked.1 <= ASKED_IN_A_SECOND
    }
}

impl Devices {
    /// Do calls and orders reach the device by this registration, as far as is known?
    pub(super) fn is_reachable(&self, device: ObjectId, binding: &Binding) -> bool {
        binding.is_reachable() && !self.lost.since.contains_key(&device)
    }

    /// Is it worth while to offer it a call?
    pub(super) fn may_be_there(&self, now: Now, device: ObjectId, binding: &Binding) -> bool {
        let again = |tried: &Now| now.since(*tried) >= AGAIN;
        binding.is_reachable() && self.lost.since.get(&device).is_none_or(again)
    }

    /// A stream is gone: its devices are called back at their contacts until they register again. One
    /// that could not be opened: they are not there.
    pub(crate) fn flow_closed(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        flow: &Flow,
    ) {
        let devices: Vec<ObjectId> = self.addresses.at(flow.remote).collect();
        for device in devices {
            let Some(binding) = self.bindings.get_mut(&device) else { continue };
            if !binding.came_from(flow) {
                continue;
            }
            if flow.connection.is_none() {
                self.lost.enter(ctx.now, device);
                continue;
            }
            binding.lose_connection();
            let remote = binding.flow.remote;
            self.addresses.moved(flow.remote, remote, device);
            self.ask_whether_there(ctx, endpoint, device);
        }
    }

    /// Asks a phone that can be called back whether it is there. Only that it can't be asked matters:
    /// nobody waits for the answer.
    fn ask_whether_there(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        device: ObjectId,
    ) {
        let Some(binding) = self.bindings.get(&device).filter(|one| one.is_reachable()) else {
            return;
        };
        let Some(line) = binding.first().filter(|_| self.lost.may_ask(ctx.now)) else { return };
        let from = headers::address(&binding.flow, "jackfield", "");
        let question = RequestBuilder::new(Method::Options, &line.contact)
            .header(HeaderName::From, from.with_tag(&ctx.ids.tokens().tag()))
            .header(HeaderName::To, format_args!("<{}>", line.contact))
            .header(HeaderName::CallId, ctx.ids.tokens().call_id())
            .typed(&CSeq::new(1, Method::Options));
        let key = endpoint.request(ctx, binding.flow.clone(), &question);
        endpoint.abandon(key);
    }
}

/// After so long somebody's call tries it anew.
const AGAIN: Duration = Duration::from_secs(60);
/// Phones asked in one second.
const ASKED_IN_A_SECOND: u32 = 100;
