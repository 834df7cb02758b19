//! What the server can make the phone do: restart, fetch its file, answer, hold, dial, show texts.
//! Each make has its own words for it; the phone understands all of them.

use jackfield_sip::header::{ContentType, Event};
use jackfield_sip::{Header, HeaderName, Message, Now, Status, parts};

use super::Phone;
use crate::interface::{CallNumber, PhoneOutput};
use crate::settings::Make;

impl Phone {
    pub(super) fn notify(&mut self, now: Now, notify: &Message, out: &mut Vec<PhoneOutput>) {
        let event = notify.typed::<Event>();
        let package = event.as_ref().map(|event| event.package.to_ascii_lowercase());
        let restart = event.as_ref().ok().and_then(|event| event.params.text("reboot"));
        let reboot = restart.is_none_or(|reboot| reboot != "false");
        let known = matches!(
            package.as_deref(),
            Ok("service-control"
                | "check-sync"
                | "resync"
                | "reboot"
                | "reboot_now"
                | "restart_now"
                | "report"
                | "talk"
                | "hold"
                | "message-summary"
                | "refer"
                | "x-jackfield-text")
        );
        if !known {
            self.answer(now, notify, Status::BAD_EVENT, out);
            return;
        }
        self.answer(now, notify, Status::OK, out);
        match package.as_deref() {
            Ok("service-control") => self.service_control(notify, out),
            Ok("check-sync") if reboot => self.restart("check-sync", out),
            Ok("check-sync") => self.check_version(out),
            Ok("resync") => self.restart("resync", out),
            Ok(name @ ("reboot" | "reboot_now" | "restart_now")) => self.restart(name, out),
            Ok("talk") => self.talk(now, notify, out),
            Ok("hold") => {
                if let Some(call) = self.owner(notify).or(self.active) {
                    self.hold(now, call, true, out);
                }
            }
            Ok("message-summary") => {
                let text = String::from_utf8_lossy(notify.body()).to_ascii_lowercase();
                self.message_waiting = text.contains("messages-waiting: yes");
            }
            Ok("refer") => self.refer_progress(now, notify, out),
            Ok("x-jackfield-text") => self.show_text(notify.body()),
            _ => {}
        }
    }

    /// MESSAGE: a text for the display.
    pub(super) fn message(&mut self, now: Now, message: &Message, out: &mut Vec<PhoneOutput>) {
        self.answer(now, message, Status::OK, out);
        self.show_text(message.body());
    }

    /// A REFER that carries remote control instead of an address; true when it was one.
    pub(super) fn remote_control(
        &mut self,
        now: Now,
        refer: &Message,
        out: &mut Vec<PhoneOutput>,
    ) -> bool {
        let kind = refer.first(HeaderName::ContentType).unwrap_or_default().to_ascii_lowercase();
        let target = refer.first(HeaderName::ReferTo).unwrap_or_default();
        let control = kind.contains("x-cisco-remotecc")
            || kind.contains("multipart")
            || kind.contains("ciscoipphone")
            || target.contains("x-cisco-remotecc");
        if !control {
            return false;
        }
        self.answer(now, refer, Status::ACCEPTED, out);
        for body in bodies(refer) {
            self.remote_order(now, &body, out);
        }
        true
    }

    fn service_control(&mut self, notify: &Message, out: &mut Vec<PhoneOutput>) {
        let text = String::from_utf8_lossy(notify.body()).into_owned();
        let value = |name: &str| {
            text.lines().find_map(|line| {
                let (found, value) = line.split_once('=')?;
                let value = value.trim().trim_matches(['{', '}']).to_owned();
                found.trim().eq_ignore_ascii_case(name).then_some(value)
            })
        };
        // A restart for a registration that is not ours any more is not meant for us.
        let registration = value("RegisterCallId").unwrap_or_default();
        let ours = self.lines.iter().any(|line| line.call_id() == registration);
        if self.settings.make == Make::Enterprise && !registration.is_empty() && !ours {
            return;
        }
        match value("action").unwrap_or_default().to_ascii_lowercase().as_str() {
            action @ ("restart" | "reset") => self.restart(action, out),
            "check-version" | "apply-config" => {
                let stamp = value("ConfigVersionStamp").unwrap_or_default();
                if stamp.is_empty() || *stamp != *self.profile.version_stamp {
                    self.check_version(out);
                }
            }
            _ => {}
        }
    }

    /// Take the call that rings, or the one on hold.
    fn talk(&mut self, now: Now, notify: &Message, out: &mut Vec<PhoneOutput>) {
        let meant = self.owner(notify);
        if let Some(call) = meant.or(self.alerting()) {
            self.take(now, call, out);
        }
        if let Some(call) = meant.or(self.held_call()) {
            self.hold(now, call, false, out);
        }
    }

    fn show_text(&mut self, body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        let text = xml_text(&text, &["text", "displaytext", "statustext"]).unwrap_or(text.into());
        let text: String = text.trim().chars().filter(|c| !c.is_control()).take(TEXT).collect();
        self.notice = (!text.is_empty()).then_some(text);
    }

    fn remote_order(&mut self, now: Now, body: &str, out: &mut Vec<PhoneOutput>) {
        if let Some(text) = xml_text(body, &["displaytext", "statustext", "text"]) {
            self.show_text(text.as_bytes());
        }
        let Ok(document) = roxmltree::Document::parse(body) else { return };
        let call = self.call_meant(body);
        for node in document.descendants().filter(roxmltree::Node::is_element) {
            match node.tag_name().name().to_ascii_lowercase().as_str() {
                "answercallreq" => {
                    if let Some(call) = call.or(self.alerting()) {
                        self.take(now, call, out);
                    }
                }
                "holdcallreq" => {
                    if let Some(call) = call.or(self.active) {
                        self.hold(now, call, true, out);
                    }
                }
                "resumecallreq" | "retrievecallreq" => {
                    if let Some(call) = call.or(self.held_call()) {
                        self.hold(now, call, false, out);
                    }
                }
                "releasecallreq" | "endcallreq" | "dropcallreq" => {
                    if let Some(call) = call.or(self.active).or(self.alerting()) {
                        self.hang_up(now, call, out);
                    }
                }
                "initiatecallreq" => {
                    if let Some(number) = xml_text(body, &["dialstring"]) {
                        self.dial_asked(now, number.trim(), None, out);
                    }
                }
                "softkeyevent" => self.remote_softkey(now, node.text().unwrap_or_default(), out),
                "executeitem" => {
                    let url = node.attribute("URL").unwrap_or_default().to_owned();
                    self.execute(now, &url, out);
                }
                _ => {}
            }
        }
    }

    fn remote_softkey(&mut self, now: Now, key: &str, out: &mut Vec<PhoneOutput>) {
        use crate::interface::{PhoneCommand, Softkey};
        let softkey = match key.trim().to_ascii_lowercase().as_str() {
            "answer" => Softkey::Answer,
            "hold" => Softkey::Hold,
            "resume" => Softkey::Resume,
            "endcall" => Softkey::EndCall,
            "transfer" => Softkey::Transfer,
            "conference" => Softkey::Conference,
            _ => return,
        };
        self.key(now, PhoneCommand::Softkey(softkey), out);
    }

    /// The call that a `dialogid` names by its Call-ID.
    fn call_meant(&self, body: &str) -> Option<CallNumber> {
        let call_id = xml_text(body, &["callid"])?;
        let call = self.calls.iter().find(|call| call.dialog.call_id == call_id.trim())?;
        Some(call.number)
    }
}

/// The bodies of a message as text: one, or the parts of a multipart one.
fn bodies(message: &Message) -> Vec<String> {
    let kind = message.first(HeaderName::ContentType).and_then(|v| ContentType::parse(v).ok());
    let found = kind.and_then(|kind| {
        let parts = parts(&kind, message.body()).ok()?;
        Some(parts.iter().map(|part| String::from_utf8_lossy(part.body).into_owned()).collect())
    });
    found.unwrap_or_else(|| vec![String::from_utf8_lossy(message.body()).into_owned()])
}

/// The text of the first element with one of these names, without case.
fn xml_text(body: &str, names: &[&str]) -> Option<String> {
    let options = roxmltree::ParsingOptions { nodes_limit: 1_000, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(body.trim(), options).ok()?;
    let found = document
        .descendants()
        .find(|node| names.iter().any(|name| node.tag_name().name().eq_ignore_ascii_case(name)))?;
    found.text().map(str::to_owned)
}

/// Characters that a display shows of a text.
const TEXT: usize = 128;
