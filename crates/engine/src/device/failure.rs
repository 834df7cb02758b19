//! Credentials that are not right: asked for anew, refused, or met with silence.

use jackfield_model::{Directory, Phone};
use jackfield_sip::{Flow, Message, Status};
use jackfield_vocabulary::share::Pace;
use jackfield_vocabulary::{Code, ObjectId, Refusal};

use super::Devices;
use super::authenticate::Proof;
use super::refusals::Who;
use crate::context::Context;
use crate::endpoint::answer;
use crate::interface::Level;

impl Devices {
    /// Wrong credentials are asked for anew (RFC 3261 section 22.1): whoever mistyped them may try
    /// again at once. Guessing on and on gets silence, and no line in the log for each try.
    pub(super) fn wrong(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        request: &Message,
        device: Option<ObjectId>,
        why: Refusal,
    ) -> Proof {
        if !self.fails(ctx, flow, device, why) {
            return Proof::Refused(None);
        }
        Proof::Refused(Some(self.challenge(ctx, request, device, false)))
    }

    /// A device's own secret opens no other device (RFC 3261 section 10.3, step 4).
    pub(super) fn of_another(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        request: &Message,
        device: ObjectId,
    ) -> Proof {
        let response = answer::refuse(request, Status::FORBIDDEN, "Credentials of another device");
        let name = ctx.directory.typed::<Phone>(device).map_or("", |phone| &phone.name);
        let why = Refusal::new(Code::SecretOfAnother).value("other", name);
        Proof::Refused(self.fails(ctx, flow, None, why).then_some(response))
    }

    /// Counts a failure of a source; may it have an answer still?
    fn fails(
        &mut self,
        ctx: &mut Context<'_>,
        flow: &Flow,
        device: Option<ObjectId>,
        why: Refusal,
    ) -> bool {
        ctx.count("wrong-credentials");
        let reason = why.code.name();
        self.refusals.because_of(device.map(Who::Device), why);
        let text = "registration or call with wrong credentials";
        tell(&mut self.failures, ctx, flow, Level::Warn, text, |directory| {
            let phone = device.and_then(|device| directory.typed::<Phone>(device));
            let name = phone.map_or("", |phone| &phone.name).to_owned();
            vec![("device.name", name), ("reason", reason.into())]
        })
    }
}

/// A line in the log about a source, unless it has had its share of them: what is left out is counted, and
/// told with the next one.
pub(super) fn tell(
    lines: &mut Pace,
    ctx: &mut Context<'_>,
    flow: &Flow,
    level: Level,
    text: &'static str,
    fields: impl FnOnce(&Directory) -> Vec<(&'static str, String)>,
) -> bool {
    let Some(untold) = lines.take(ctx.now, flow.remote.ip()) else { return false };
    let mut fields = fields(ctx.directory);
    fields.push(("device.address", flow.remote.to_string()));
    if untold > 0 {
        fields.push(("requests.untold", untold.to_string()));
    }
    ctx.note(level, text, fields);
    true
}
