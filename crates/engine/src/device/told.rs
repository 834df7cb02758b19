//! Requests to a phone outside every call: take new settings, show a text. Addressed to the one
//! device's contact, never to a number that others share; a phone that challenges gets its own
//! secret as proof that we are its server.

use jackfield_model::{Dialect, Directory, Phone};
use jackfield_sip::digest::{Challenge, Credentials, Login};
use jackfield_sip::header::CSeq;
use jackfield_sip::{ClientKey, Flow, HeaderName, Message, RequestBuilder, Status};
use jackfield_vocabulary::{Code, DeviceRestart, ObjectId, Refusal, SecretText};
use serde::{Deserialize, Serialize};

use super::binding::{Binding, Registered, Trust};
use super::dialect::{self, Notice};
use super::leg::headers;
use super::{Devices, Sent};
use crate::context::{Asker, Context, Internal};
use crate::endpoint::{Endpoint, answer};
use crate::interface::Level;

/// A request on its way to a phone, kept to answer a challenge.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Told {
    device: ObjectId,
    /// Its name, which its server may have forgotten meanwhile.
    name: Box<str>,
    flow: Flow,
    contact: Box<str>,
    notice: Notice,
    call_id: Box<str>,
    from_tag: Box<str>,
    /// 1, then 2 and 3 with credentials.
    attempt: u32,
}

impl Devices {
    /// Tells a phone to take new settings; says whether the word is on its way.
    pub(crate) fn restart(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        device: ObjectId,
        restart: DeviceRestart,
        asker: Asker,
    ) {
        let result = self.reach(ctx.directory, device).and_then(|(dialect, flow, line)| {
            let notice = dialect::restart(dialect, &line, restart)?;
            Ok((flow, line.contact, notice))
        });
        self.tell_phone(ctx, endpoint, device, asker, result);
    }

    /// Shows a text on a phone; says whether the word is on its way.
    pub(crate) fn show_text(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        device: ObjectId,
        text: &str,
        asker: Asker,
    ) {
        let result = self.reach(ctx.directory, device).and_then(|(dialect, flow, line)| {
            let notice = dialect::show_text(dialect, text)?;
            Ok((flow, line.contact, notice))
        });
        self.tell_phone(ctx, endpoint, device, asker, result);
    }

    /// Tells a phone to take new settings where it was seen with its former secret, whatever is
    /// registered in its name.
    pub(crate) fn restart_former(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        device: ObjectId,
    ) {
        let former = self.former.get(&device);
        let result = place(ctx.directory, device, former).and_then(|(dialect, flow, line)| {
            let notice = dialect::restart(dialect, &line, DeviceRestart::Restart)?;
            Ok((flow, line.contact, notice))
        });
        self.tell_phone(ctx, endpoint, device, Asker::Nobody, result);
    }

    /// A device that was deleted or replaced goes on showing its number, unless it is told to ask for
    /// its settings once more.
    pub(super) fn dismiss(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        before: &Directory,
        device: ObjectId,
    ) {
        let Some(phone) = before.typed::<Phone>(device) else { return };
        let reach = self.reach(before, device).and_then(|(dialect, flow, line)| {
            let notice = dialect::restart(dialect, &line, DeviceRestart::Reset)?;
            Ok((flow, line.contact, notice))
        });
        if let Ok((flow, contact, notice)) = reach {
            let name = (&*phone.name).into();
            self.begin_told(ctx, endpoint, (device, name), (flow, contact, notice));
        }
    }

    fn reach(
        &self,
        directory: &Directory,
        device: ObjectId,
    ) -> Result<(Dialect, Flow, Registered), Refusal> {
        // Where it showed its secret last, and was refused, it is: its registration is from before.
        let newest = self.former.get(&device).filter(|left| left.trust == Trust::Proved);
        let binding = newest.or_else(|| {
            self.bindings.get(&device).filter(|binding| self.is_reachable(device, binding))
        });
        let binding = binding.or_else(|| self.former.get(&device));
        place(directory, device, binding)
    }

    fn tell_phone(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        device: ObjectId,
        asker: Asker,
        what: Result<(Flow, Box<str>, Notice), Refusal>,
    ) {
        let result = what.map(|what| {
            let phone = ctx.directory.typed::<Phone>(device);
            let name = phone.map(|phone| (&*phone.name).into()).unwrap_or_default();
            self.begin_told(ctx, endpoint, (device, name), what);
        });
        if asker != Asker::Nobody {
            ctx.tell(Internal::DeviceTold { asker, result });
        }
    }

    fn begin_told(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        (device, name): (ObjectId, Box<str>),
        (flow, contact, notice): (Flow, Box<str>, Notice),
    ) {
        let call_id = ctx.ids.tokens().call_id().into();
        let from_tag = ctx.ids.tokens().tag().into();
        let told = Told { device, name, flow, contact, notice, call_id, from_tag, attempt: 1 };
        self.send_told(ctx, endpoint, told, None);
    }

    fn send_told(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        told: Told,
        proof: Option<(HeaderName, Credentials<'_>)>,
    ) {
        let mut request = told.request();
        if let Some((header, credentials)) = proof {
            request.push(header, credentials);
        }
        let key = match self.unclaimed.is_unseen(told.device) {
            true => endpoint.request_at_most(ctx, told.flow.clone(), &request, UNSEEN_REPEATS),
            false => endpoint.request(ctx, told.flow.clone(), &request),
        };
        self.sent.insert(key, Sent::Told(Box::new(told)));
    }

    /// A phone answers what it was told.
    pub(super) fn told_answered(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ClientKey,
        message: &Message,
    ) {
        let Some(status) = message.status().filter(|status| status.is_final()) else { return };
        let Some(Sent::Told(mut told)) = self.sent.remove(&key) else { return };
        // A phone that has not shown its new secret yet knows the old one, most likely.
        let proved = |binding: &Binding| binding.trust == Trust::Proved;
        let old_first = self.former.contains_key(&told.device)
            || !self.bindings.get(&told.device).is_some_and(proved);
        // A phone that was taken from somebody had its secret replaced more than once.
        let binding = self.former.get(&told.device).or_else(|| self.bindings.get(&told.device));
        let shown = binding.map(|binding| binding.generation);
        let old = (old_first == (told.attempt == 1)).then_some(shown);
        if told.attempt <= 2
            && let Some(proof) = told.proof(ctx, message, status, old)
        {
            told.attempt += 1;
            return self.send_told(ctx, endpoint, *told, Some(proof));
        }
        if !status.is_success() {
            told.complain(ctx, &status.to_string());
        }
    }

    /// A phone never answered what it was told.
    pub(super) fn told_failed(ctx: &mut Context<'_>, told: &Told) {
        told.complain(ctx, "no answer");
    }
}

/// How a phone is spoken to, the way to it, and the registration by which it is reached.
fn place(
    directory: &Directory,
    device: ObjectId,
    binding: Option<&Binding>,
) -> Result<(Dialect, Flow, Registered), Refusal> {
    let dialect = dialect::of(directory, device).ok_or_else(|| Refusal::new(Code::NotFound))?;
    let line = binding.and_then(|binding| Some((binding, binding.first()?)));
    let reachable = line.filter(|(binding, _)| binding.is_reachable());
    let (binding, line) = reachable.ok_or_else(|| Refusal::new(Code::NotRegistered))?;
    Ok((dialect, binding.way(line), line.clone()))
}

impl Told {
    fn request(&self) -> RequestBuilder {
        let method = self.notice.method.clone();
        let from = headers::address(&self.flow, "jackfield", "").with_tag(&self.from_tag);
        let mut request = RequestBuilder::new(method.clone(), &self.contact)
            .header(HeaderName::From, from)
            .header(HeaderName::To, headers::address(&self.flow, &self.name, ""))
            .header(HeaderName::CallId, &self.call_id)
            .typed(&CSeq::new(self.attempt, method))
            .header(HeaderName::Contact, headers::contact(&self.flow, "jackfield"))
            .header(HeaderName::UserAgent, answer::SERVER);
        for (name, value) in &self.notice.headers {
            request = request.extension(name, value);
        }
        match &self.notice.body {
            Some((kind, text)) => request.body(kind, text.as_bytes()),
            None => request,
        }
    }

    /// The credentials that answer a challenge: the phone's own, which its server knows too; or those
    /// it had before its secret was replaced, where it was.
    fn proof(
        &self,
        ctx: &mut Context<'_>,
        message: &Message,
        status: Status,
        old: Option<Option<u32>>,
    ) -> Option<(HeaderName, Credentials<'static>)> {
        let (asks, answers) = match status {
            Status::UNAUTHORIZED => (HeaderName::WwwAuthenticate, HeaderName::Authorization),
            Status::PROXY_AUTHENTICATION_REQUIRED => {
                (HeaderName::ProxyAuthenticate, HeaderName::ProxyAuthorization)
            }
            _ => return None,
        };
        let mut challenges =
            message.all(asks).take(4).filter_map(|value| Challenge::parse(value).ok());
        let challenge = challenges.find(|challenge| challenge.algorithm.is_some())?;
        let password = self.password(ctx.directory, old);
        let cnonce = ctx.ids.tokens().tag();
        let credentials = challenge.answer(&Login {
            username: &self.name,
            password: password.reveal(),
            method: self.notice.method.as_str(),
            uri: self.request().uri(),
            cnonce: &cnonce,
            count: 1,
            body: self.notice.body.as_ref().map_or(&[], |(_, text)| text.as_bytes()),
        })?;
        Some((answers, credentials))
    }

    /// The present one, or the old one: that of the generation with which the phone registered, where
    /// that is known.
    fn password(&self, directory: &Directory, old: Option<Option<u32>>) -> SecretText {
        let secrets = directory.secrets();
        let shown = |generation: u32| secrets.password_of(self.device, generation);
        let former = old.and_then(|generation| {
            generation.and_then(shown).or_else(|| secrets.former_sip_password(self.device))
        });
        former.unwrap_or_else(|| secrets.sip_password(self.device))
    }

    fn complain(&self, ctx: &mut Context<'_>, why: &str) {
        ctx.count("phones-not-told");
        let fields = vec![
            ("device.name", self.name.to_string()),
            ("request.method", self.notice.method.to_string()),
            ("reason", why.to_string()),
        ];
        ctx.note(Level::Warn, "phone did not take what it was told", fields);
    }
}

/// How often a phone that never showed that it is there is told again.
const UNSEEN_REPEATS: u8 = 0;
