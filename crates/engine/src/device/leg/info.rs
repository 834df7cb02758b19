//! INFO (RFC 6086): keys are told to an application; between two phones everything goes on to the other
//! one, whose answer is the answer.

use jackfield_sip::{ClientKey, HeaderName, Message, Method, ServerKey, Status};
use jackfield_vocabulary::{Digit, LegId};

use super::super::{Devices, Sent};
use super::exchange::out_of_order;
use crate::context::{Context, Internal};
use crate::endpoint::{Endpoint, answer};
use crate::leg::{Info, LegEvent};

impl Devices {
    /// A phone sends INFO inside a call.
    pub(super) fn info_in(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        key: ServerKey,
        id: LegId,
        message: Message,
    ) {
        let Some(up) = self.legs.up(id) else {
            // Nobody is there yet who could take it.
            let response = answer::plain(&message, Status::TEMPORARILY_UNAVAILABLE);
            return endpoint.respond(ctx, key, &response);
        };
        if let Err(fault) = up.dialog.receive_request(&message) {
            return endpoint.respond(ctx, key, &out_of_order(&message, fault));
        }
        let pressed = pressed(&message);
        let at_once = match &pressed {
            _ if message.body().is_empty() => Some(Status::OK),
            Pressed::Garbage => Some(Status::BAD_REQUEST),
            _ if up.asked.len() >= ASKED => Some(Status::SERVER_INTERNAL_ERROR),
            _ => None,
        };
        if let Some(status) = at_once {
            return endpoint.respond(ctx, key, &answer::plain(&message, status));
        }
        let lines =
            SAID.iter().filter_map(|name| Some(((*name).into(), message.by_text(name)?.into())));
        let info = Info {
            asked: key,
            digit: if let Pressed::Digit(digit) = pressed { Some(digit) } else { None },
            is_key: !matches!(pressed, Pressed::Nothing),
            lines: lines.collect(),
            body: message.shared_body(),
        };
        up.asked.push((key, Box::new(message)));
        ctx.tell(Internal::ToCall(LegEvent::Info { leg: id, info: Box::new(info) }));
    }

    /// The other side of the call said something in INFO: it goes on to this phone.
    pub(super) fn info_out(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
        info: &Info,
    ) {
        let asked = info.asked;
        let Some(leg) = self.legs.legs.get(&id) else { return };
        let flow = self.way(leg);
        let Some(up) = self.legs.up(id).filter(|up| up.ending.is_none()) else {
            let status = Status::CALL_DOES_NOT_EXIST;
            return ctx.tell(Internal::ToCall(LegEvent::InfoAnswered { leg: id, asked, status }));
        };
        let request = up.dialog.request(Method::Info);
        let mut request = request.header(HeaderName::UserAgent, answer::SERVER);
        for (name, value) in info.lines.iter().filter(|(name, _)| **name != *CONTENT_TYPE) {
            request = request.extension(name, value);
        }
        let kind = info.lines.iter().find(|(name, _)| **name == *CONTENT_TYPE);
        let request = request.body(kind.map_or("text/plain", |(_, kind)| kind), &*info.body);
        let key = endpoint.request(ctx, flow, &request);
        self.sent.insert(key, Sent::Info { leg: id, asked });
    }

    /// The phone has answered what went on to it; `None` when it has not.
    pub(in crate::device) fn info_out_answered(
        &mut self,
        ctx: &mut Context<'_>,
        key: ClientKey,
        (leg, asked): (LegId, ServerKey),
        status: Option<Status>,
    ) {
        let status = status.unwrap_or(Status::SERVER_TIMEOUT);
        if status.is_final() {
            self.sent.remove(&key);
            ctx.tell(Internal::ToCall(LegEvent::InfoAnswered { leg, asked, status }));
        }
    }

    /// The answer to a phone's INFO is there.
    pub(super) fn answer_info(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
        asked: ServerKey,
        status: Status,
    ) {
        let Some(up) = self.legs.up(id) else { return };
        let Some(at) = up.asked.iter().position(|(key, _)| *key == asked) else { return };
        let (key, request) = up.asked.remove(at);
        // A challenge is the node's to answer, not the other phone's.
        let status = match status {
            Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED => Status::FORBIDDEN,
            status => status,
        };
        endpoint.respond(ctx, key, &answer::with_methods(&request, status));
    }

    /// The call is over before the other side answered.
    pub(super) fn give_up_infos(
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        asked: Vec<(ServerKey, Box<Message>)>,
    ) {
        for (key, request) in asked {
            let response = answer::plain(&request, Status::CALL_DOES_NOT_EXIST);
            endpoint.respond(ctx, key, &response);
        }
    }
}

/// What an INFO says of keys.
#[derive(Debug, PartialEq)]
enum Pressed {
    Digit(Digit),
    /// Hook flash.
    Flash,
    /// It is of a type for keys and names none.
    Garbage,
    /// It is of another type.
    Nothing,
}

fn pressed(message: &Message) -> Pressed {
    let kind = message.first(HeaderName::ContentType).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !KEYS.iter().any(|keys| keys.eq_ignore_ascii_case(kind)) {
        return Pressed::Nothing;
    }
    key_in(&String::from_utf8_lossy(message.body()))
}

/// The key in a body: alone, or `Signal=5` among other lines.
fn key_in(body: &str) -> Pressed {
    let signal = body.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        name.trim().eq_ignore_ascii_case("signal").then_some(value)
    });
    let key = signal.unwrap_or(body).trim();
    let mut chars = key.chars();
    let named = match (chars.next(), chars.next()) {
        (Some(one), None) => Some(one),
        _ => EVENTS.iter().find(|(event, _)| *event == key).map(|(_, key)| *key),
    };
    match named.map(Digit::try_from) {
        Some(Ok(digit)) => Pressed::Digit(digit),
        _ if key == FLASH => Pressed::Flash,
        _ => Pressed::Garbage,
    }
}

/// Keys by the numbers of their events (RFC 4733 section 3.2); 0 to 9 are themselves.
const EVENTS: [(&str, char); 6] =
    [("10", '*'), ("11", '#'), ("12", 'A'), ("13", 'B'), ("14", 'C'), ("15", 'D')];
const FLASH: &str = "16";
/// Types of a body that names a key.
const KEYS: [&str; 2] = ["application/dtmf", "application/dtmf-relay"];
const CONTENT_TYPE: &str = "Content-Type";
/// Header lines that go on with the body.
const SAID: [&str; 4] = [CONTENT_TYPE, "Content-Disposition", "Content-Language", "Info-Package"];
/// INFOs of one phone that wait for the other side's answer.
const ASKED: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read_in_every_form() {
        let keys = "0123456789*#ABCD".chars().enumerate();
        for (event, key) in keys {
            let digit = Digit::try_from(key).unwrap();
            for key in [key.to_string(), key.to_ascii_lowercase().to_string(), event.to_string()] {
                for body in [
                    key.clone(),
                    format!(" {key}\r\n"),
                    format!("Signal={key}\r\nDuration=160\r\n"),
                    format!("Duration=160\nsignal = {key} \n"),
                ] {
                    assert_eq!(key_in(&body), Pressed::Digit(digit), "{body:?}");
                }
            }
        }
        assert_eq!(key_in("16"), Pressed::Flash);
        assert_eq!(key_in("Signal=16\r\nDuration=100\r\n"), Pressed::Flash);
    }

    #[test]
    fn what_is_no_key_is_garbage() {
        for body in
            ["", " ", "17", "99", "100", "1x", "12 3", "-1", "00", "E", "Signal=", "Signal=1x"]
        {
            assert_eq!(key_in(body), Pressed::Garbage, "{body:?}");
        }
        assert_eq!(key_in("Duration=160"), Pressed::Garbage);
    }
}
