//! Keys, softkeys, and what else somebody does at the phone.

use jackfield_sip::{HeaderName, Method, Now, Status};
use jackfield_vocabulary::Digit;

use super::Phone;
use super::calls::{Join, Phase};
use crate::agent::Purpose;
use crate::interface::{AudioOrder, CallNumber, DigitWay, PhoneCommand, PhoneOutput, Softkey};

impl Phone {
    pub(super) fn key(&mut self, now: Now, command: PhoneCommand, out: &mut Vec<PhoneOutput>) {
        match command {
            PhoneCommand::PowerOn | PhoneCommand::PowerOff | PhoneCommand::Restart => {}
            PhoneCommand::LineKey(place) => self.line_key(place),
            PhoneCommand::Dial(number) => self.dial_for(now, &number, out),
            PhoneCommand::SpeedDial(place) => {
                let dial =
                    place.checked_sub(1).and_then(|i| self.profile.speed_dials.get(i as usize));
                match dial.map(|dial| dial.number.clone()) {
                    Some(number) => self.dial_for(now, &number, out),
                    None => self.notice = Some("No such speed dial".into()),
                }
            }
            PhoneCommand::Press(digit) => self.press(now, digit, out),
            PhoneCommand::Softkey(softkey) => self.softkey(now, softkey, out),
            PhoneCommand::DigitsBy(way) => self.digits_by = way,
            PhoneCommand::Play(sound) => {
                if let Some(call) = self.active {
                    out.push(PhoneOutput::Audio { call, order: AudioOrder::Play(sound) });
                }
            }
            PhoneCommand::Services(place) => self.services(place, out),
            PhoneCommand::Open(url) => self.open(&url, out),
            PhoneCommand::Select(place) => self.select(now, place, out),
            PhoneCommand::Fill { field, text } => self.browser.fill(field.as_deref(), &text),
            PhoneCommand::Submit => self.submit(now, out),
        }
    }

    /// Dials; a call made between the two presses of transfer belongs to it.
    pub(super) fn dial_for(&mut self, now: Now, number: &str, out: &mut Vec<PhoneOutput>) {
        self.notice = None;
        let joining = self.joining.take();
        let call = self.dial(now, number, Vec::new(), out);
        if let Some(call) = call.and_then(|call| self.call(call)) {
            call.consults = joining;
        }
    }

    fn line_key(&mut self, place: u32) {
        let index = place.saturating_sub(1) as usize;
        if index < self.lines.len() {
            self.chosen_line = index;
        } else {
            self.notice = Some("No such line".into());
        }
    }

    fn press(&mut self, now: Now, digit: Digit, out: &mut Vec<PhoneOutput>) {
        let digits_by = self.digits_by;
        let open = |phase: &Phase| matches!(phase, Phase::Talking | Phase::Calling { .. });
        let active = self.active.and_then(|number| self.call(number));
        let Some(call) = active.filter(|call| open(&call.phase) && !call.held) else {
            if self.keyed.len() < KEYED {
                self.keyed.push(digit.as_char());
            }
            return;
        };
        let number = call.number;
        let tone = match digits_by {
            DigitWay::Info => {
                self.send_info(now, number, digit, out);
                return;
            }
            DigitWay::Tone => true,
            DigitWay::Event => call.event_payload_type().is_none(),
        };
        out.push(PhoneOutput::Audio { call: number, order: AudioOrder::Digit { digit, tone } });
    }

    fn send_info(
        &mut self,
        now: Now,
        number: CallNumber,
        digit: Digit,
        out: &mut Vec<PhoneOutput>,
    ) {
        let Some(call) = self.call(number) else { return };
        let body = format!("Signal={}\r\nDuration=160\r\n", digit.as_char());
        let info = call.dialog.request(Method::Info).body("application/dtmf-relay", body);
        let info = self.signed(number, info);
        self.ask(now, &info, Purpose::Nothing, out);
    }

    fn softkey(&mut self, now: Now, softkey: Softkey, out: &mut Vec<PhoneOutput>) {
        let alerting = self.alerting();
        match softkey {
            Softkey::Call => {
                let number = core::mem::take(&mut self.keyed);
                self.dial_for(now, &number, out);
            }
            Softkey::Answer => {
                if let Some(call) = alerting {
                    self.take(now, call, out);
                }
            }
            Softkey::Reject => {
                if let Some(call) = alerting {
                    self.refuse(now, call, Status::DECLINE, out);
                }
            }
            Softkey::EndCall => {
                if let Some(call) = self.active.or(alerting).or(self.held_call()) {
                    self.hang_up(now, call, out);
                }
            }
            Softkey::Hold => self.hold_active(now, out),
            Softkey::Resume => {
                if let Some(call) = self.held_call() {
                    self.hold(now, call, false, out);
                }
            }
            Softkey::Transfer => self.join(now, Join::Transfer, out),
            Softkey::Conference => self.join(now, Join::Conference, out),
            Softkey::Exit => self.browser.close(),
        }
    }

    /// The call that rings here.
    pub(super) fn alerting(&self) -> Option<CallNumber> {
        let call = self.calls.iter().find(|call| matches!(call.phase, Phase::Alerting { .. }))?;
        Some(call.number)
    }

    /// The call that was put on hold last.
    pub(super) fn held_call(&self) -> Option<CallNumber> {
        self.calls.iter().rev().find(|call| call.held).map(|call| call.number)
    }

    /// Dials what an application or a page asks for.
    pub(super) fn dial_asked(
        &mut self,
        now: Now,
        number: &str,
        referrer: Option<&str>,
        out: &mut Vec<PhoneOutput>,
    ) -> Option<CallNumber> {
        let extra = referrer.map(|by| (HeaderName::ReferredBy, by.to_owned()));
        self.dial(now, number, extra.into_iter().collect(), out)
    }
}

/// Keys that are collected before a call.
const KEYED: usize = 64;
