//! New media that nobody wants any more: given up by the device that offered them, or by us.

use jackfield_sip::{ClientKey, Message, ServerKey, Status};
use jackfield_vocabulary::LegId;

use super::super::Devices;
use super::offered::cseq;
use super::{Exchange, sdp};
use crate::context::{Context, Internal};
use crate::endpoint::{Endpoint, answer};
use crate::leg::LegEvent;

impl Devices {
    /// The device gives up its own re-INVITE; the session goes on as it was (RFC 3261 section 9.2).
    pub(super) fn re_offer_cancelled(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
        invite: ServerKey,
    ) {
        let Some(up) = self.legs.up(id) else { return };
        match core::mem::replace(&mut up.exchange, Exchange::Idle) {
            Exchange::Theirs { key, request } if key == invite => {
                self.legs.invites.remove(&key);
                let response = answer::plain(&request, Status::REQUEST_TERMINATED);
                endpoint.respond(ctx, key, &response);
                ctx.tell(Internal::ToCall(LegEvent::ReWithdrawn { leg: id }));
            }
            other => up.exchange = other,
        }
    }

    /// Nobody waits for the answer to our offer any more. It still comes: usually 487, and the session
    /// goes on as it was; from a device that is gone, none (RFC 3261 section 14.1).
    pub(super) fn withdraw_offer(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
    ) {
        let Some(up) = self.legs.up(id) else { return };
        match &mut up.exchange {
            Exchange::Ours { invite, withdrawn, .. } => {
                *withdrawn = true;
                endpoint.cancel(ctx, *invite, None);
            }
            Exchange::Glare { timer, .. } => {
                ctx.timers.cancel(*timer);
                up.exchange = Exchange::Idle;
            }
            _ => {}
        }
    }

    /// The device accepts what was withdrawn: CANCEL came too late (RFC 3261 section 9.1). The other side
    /// has gone on as before, and so it is brought back to that.
    pub(super) fn accepted_too_late(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ClientKey,
        id: LegId,
        message: &Message,
        offered: bool,
    ) {
        let Some(leg) = self.legs.legs.get(&id) else { return };
        let flow = self.way(leg);
        let Some(up) = self.legs.up(id) else { return };
        let (ack, told) = (up.dialog.ack(cseq(message)), up.told.clone());
        let ack = match &told {
            Some(told) if !offered => ack.body(sdp::SDP, &*told.0),
            _ => ack,
        };
        endpoint.acknowledge(ctx, key, message, flow, &ack);
        if offered && told.is_some() {
            let since = ctx.now;
            self.send_re_offer(ctx, endpoint, id, told, since);
        }
    }
}
