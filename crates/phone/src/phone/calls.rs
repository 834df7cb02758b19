//! Calls: what a phone knows of them, and how they end.

use jackfield_sip::header::{PAssertedIdentity, RemotePartyId};
use jackfield_sip::{HeaderName, Message, Method, Now, RequestBuilder, Status};
use jackfield_vocabulary::MediaTarget;

use super::Phone;
use crate::agent::{Dialog, LocalSession, Purpose, Verdict};
use crate::interface::{AudioOrder, CallNumber, CallState, PhoneEvent, PhoneOutput};

/// One call of this phone.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) number: CallNumber,
    pub(super) line: usize,
    pub(super) dialog: Dialog,
    pub(super) phase: Phase,
    /// The other side, as it should be shown.
    pub(super) peer: String,
    pub(super) local: Option<LocalSession>,
    pub(super) target: Option<MediaTarget>,
    /// What was told last, so that nothing is told twice.
    pub(super) told: Option<CallState>,
    /// We put it on hold, or are about to.
    pub(super) held: bool,
    pub(super) held_there: bool,
    /// Headers that a call made for a purpose carries.
    pub(super) extra: Vec<(HeaderName, String)>,
    /// Our INVITE was challenged already.
    pub(super) challenged: bool,
    /// A re-INVITE of ours is under way.
    pub(super) changing: bool,
    /// Our last ACK of a 200, for when the 200 is said again.
    pub(super) ack: Option<Vec<u8>>,
    /// When the change that met another one is tried again.
    pub(super) due: Option<Now>,
    /// The call that this one was made to transfer or to join.
    pub(super) consults: Option<(CallNumber, Join)>,
    /// Somebody waits to be told how the call that was asked for goes.
    pub(super) referred_by: Option<Box<Referral>>,
}

/// What becomes of two calls when the key is pressed a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    Transfer,
    Conference,
}

/// The dialog in which a REFER came, and its NOTIFYs go back.
#[derive(Debug)]
pub(super) enum Referral {
    /// Its own.
    Own(Dialog),
    /// That of a call.
    Call(CallNumber),
}

/// How far a call is.
#[derive(Debug)]
pub(super) enum Phase {
    /// Ours: waits for an RTP port.
    Opening,
    /// Ours: INVITE sent; the server said something already.
    Calling { progress: Option<CallState> },
    /// Ours: given up, the server does not know yet.
    GivenUp { told: bool },
    /// Theirs: rings here.
    Alerting { invite: Box<Message>, answer: bool },
    /// Answered.
    Talking,
}

impl Call {
    /// What is told of it.
    pub(super) fn told(&self) -> CallState {
        match &self.phase {
            Phase::Opening | Phase::Calling { progress: None } => {
                CallState::Dialling { number: self.peer.clone() }
            }
            Phase::Calling { progress: Some(progress) } => progress.clone(),
            Phase::GivenUp { .. } => CallState::Ended { reason: "given up".into() },
            Phase::Alerting { .. } => CallState::RingingHere { from: self.peer.clone() },
            Phase::Talking if self.held => CallState::Held,
            Phase::Talking if self.held_there => CallState::HeldThere,
            Phase::Talking => CallState::Connected { with: self.peer.clone() },
        }
    }

    /// Where its sound goes and comes from: neither, while it is on hold here.
    pub(super) fn audio(&self) -> Option<AudioOrder> {
        let target = self.target.clone()?;
        let (send, receive) = (target.send && !self.held, target.receive && !self.held);
        Some(AudioOrder::Connect(MediaTarget { send, receive, ..target }))
    }

    pub(super) fn is_talking(&self) -> bool {
        matches!(self.phase, Phase::Talking)
    }

    /// A header for its INVITE.
    pub(super) fn add_header(&mut self, name: HeaderName, value: String) {
        self.extra.push((name, value));
    }

    pub(super) fn event_payload_type(&self) -> Option<u8> {
        self.target.as_ref().and_then(|target| target.event_payload_type)
    }
}

impl Phone {
    /// Hangs up, whatever the call is at.
    pub(super) fn hang_up(&mut self, now: Now, number: CallNumber, out: &mut Vec<PhoneOutput>) {
        let Some(call) = self.call(number) else { return };
        match &mut call.phase {
            Phase::Opening => self.end_call(number, "hung up here", out),
            Phase::Calling { progress } => {
                let told = progress.is_some();
                call.phase = Phase::GivenUp { told };
                if told {
                    self.give_up(now, number, out);
                }
                out.push(PhoneOutput::Audio { call: number, order: AudioOrder::Close });
                self.tell_call(number, out);
            }
            Phase::GivenUp { .. } => {}
            Phase::Alerting { .. } => self.refuse(now, number, Status::BUSY_HERE, out),
            Phase::Talking => {
                let bye = call.dialog.request(Method::Bye);
                let bye = self.signed(number, bye);
                self.ask(now, &bye, Purpose::Nothing, out);
                self.end_call(number, "hung up here", out);
            }
        }
    }

    /// Forgets a call that is over.
    pub(super) fn end_call(
        &mut self,
        number: CallNumber,
        reason: &str,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Some(index) = self.calls.iter().position(|call| call.number == number) else { return };
        let call = self.calls.remove(index);
        if !matches!(call.phase, Phase::GivenUp { .. }) {
            out.push(PhoneOutput::Audio { call: number, order: AudioOrder::Close });
        }
        let state = CallState::Ended { reason: reason.to_owned() };
        if !matches!(call.told, Some(CallState::Ended { .. })) {
            self.tell(PhoneEvent::Call { call: number, state }, out);
        }
        if self.active == Some(number) {
            self.active = self.calls.iter().rev().find(|call| !call.held).map(|call| call.number);
        }
    }

    /// Forgets a call that did not come about or was lost, and shows why.
    pub(super) fn fail_call(
        &mut self,
        number: CallNumber,
        reason: &str,
        out: &mut Vec<PhoneOutput>,
    ) {
        if let Some(call) = self.call(number)
            && !matches!(call.phase, Phase::GivenUp { .. })
        {
            self.notice = Some(format!("Call failed: {}: {reason}", call.peer));
        }
        self.end_call(number, reason, out);
    }

    /// Ends all calls at once, as when the power goes.
    pub(super) fn drop_calls(&mut self, now: Now, out: &mut Vec<PhoneOutput>) {
        for number in self.calls.iter().map(|call| call.number).collect::<Vec<_>>() {
            self.hang_up(now, number, out);
            self.end_call(number, "hung up here", out);
        }
    }

    pub(super) fn call(&mut self, number: CallNumber) -> Option<&mut Call> {
        self.calls.iter_mut().find(|call| call.number == number)
    }

    /// Tells how a call is, when that is news.
    pub(super) fn tell_call(&mut self, number: CallNumber, out: &mut Vec<PhoneOutput>) {
        let Some(call) = self.call(number) else { return };
        let state = call.told();
        if call.told.as_ref() != Some(&state) {
            call.told = Some(state.clone());
            self.tell(PhoneEvent::Call { call: number, state }, out);
        }
    }

    pub(super) fn add_call(
        &mut self,
        line: usize,
        dialog: Dialog,
        phase: Phase,
        peer: String,
        extra: Vec<(HeaderName, String)>,
    ) -> CallNumber {
        let number = CallNumber(self.next_call);
        self.next_call += 1;
        if !matches!(phase, Phase::Alerting { .. }) {
            self.active = Some(number);
        }
        self.calls.push(Call {
            number,
            line,
            dialog,
            phase,
            peer,
            local: None,
            target: None,
            told: None,
            held: false,
            held_there: false,
            extra,
            challenged: false,
            changing: false,
            ack: None,
            due: None,
            consults: None,
            referred_by: None,
        });
        number
    }

    /// Who is at the other end, by the best header that says it.
    pub(super) fn identity(message: &Message, fallback: HeaderName) -> Option<String> {
        let asserted = message.typed::<PAssertedIdentity>().ok().map(|header| header.0);
        let party = || message.typed::<RemotePartyId>().ok().map(|header| header.0);
        let plain =
            || message.first(fallback).and_then(|v| jackfield_sip::header::NameAddr::parse(v).ok());
        let address = asserted.or_else(party).or_else(plain)?;
        let number = address.user().map(std::borrow::Cow::into_owned).unwrap_or_default();
        Some(match &*address.display() {
            "" => number,
            name => format!("{name} ({number})"),
        })
    }

    /// A request of a call with the answer to the last challenge, if there was one.
    pub(super) fn signed(
        &mut self,
        number: CallNumber,
        mut request: RequestBuilder,
    ) -> RequestBuilder {
        let line = self.call(number).map_or(0, |call| call.line);
        if let Some(line) = self.lines.get_mut(line) {
            line.authenticator.sign(&mut request);
        }
        request
    }

    pub(super) fn challenge(&mut self, line: usize, response: &Message) -> Option<Verdict> {
        let line = self.lines.get_mut(line)?;
        Some(line.authenticator.challenged(response, &mut self.random))
    }
}
