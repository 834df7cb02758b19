//! Keys that come in reports (KPML, RFC 4730), where the phone sends no key events in its audio.

use jackfield_sip::header::{Event, SubscriptionState};
use jackfield_sip::{HeaderName, Message, Method, Status};
use jackfield_vocabulary::{Digit, DigitSource, LegId};

use super::super::Devices;
use super::{headers, sdp};
use crate::context::{Context, Internal, Timer};
use crate::endpoint::Endpoint;
use crate::leg::{Description, LegEvent};

impl Devices {
    /// Asks a phone to report its keys, where it can and its audio carries none.
    pub(super) fn watch_keys(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
        description: Option<&Description>,
    ) {
        let Some(leg) = self.legs.legs.get(&id) else { return };
        let can = self.bindings.get(&leg.device).is_some_and(|binding| binding.kpml);
        if !can || description.is_none_or(sdp::has_telephone_events) {
            return;
        }
        let flow = self.way(leg);
        let contact = headers::contact(&flow, &leg.token);
        let Some(up) = self.legs.up(id) else { return };
        let request = headers::usual(up.dialog.request(Method::Subscribe), &contact)
            .header(HeaderName::Event, "kpml")
            .header(HeaderName::Expires, SUBSCRIPTION)
            .header(HeaderName::Accept, RESPONSE)
            .body("application/kpml-request+xml", KEY_PATTERN.as_bytes());
        let refresh = core::time::Duration::from_secs(SUBSCRIPTION - 600);
        up.keys = Some(ctx.after(refresh, Timer::KeySubscription { leg: id }));
        endpoint.request(ctx, flow, &request);
    }

    /// A subscription to keys is to go on.
    pub(crate) fn refresh_keys(
        &mut self,
        ctx: &mut Context<'_>,
        endpoint: &mut Endpoint,
        id: LegId,
    ) {
        let none = Description([].into());
        self.watch_keys(ctx, endpoint, id, Some(&none));
    }

    /// A phone reports a key.
    pub(super) fn key_notify(
        &self,
        ctx: &mut Context<'_>,
        leg: LegId,
        message: &Message,
    ) -> Status {
        let package = message.typed::<Event>().map(|event| event.package).unwrap_or_default();
        if !package.eq_ignore_ascii_case("kpml") {
            return Status::BAD_EVENT;
        }
        if message.optional::<SubscriptionState>().is_err() {
            return Status::BAD_REQUEST;
        }
        let body = String::from_utf8_lossy(message.body());
        let ok = attribute(&body, "code").is_some_and(|code| code == "200");
        let keys = attribute(&body, "digits").unwrap_or_default();
        for digit in keys.chars().take(KEYS).filter_map(|key| Digit::try_from(key).ok()) {
            if ok {
                let source = DigitSource::Kpml;
                ctx.tell(Internal::ToCall(LegEvent::Digit { leg, digit, source }));
            }
        }
        Status::OK
    }
}

/// The value of an attribute of the only element; enough for a KPML report.
fn attribute<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = text;
    loop {
        let at = rest.find(name)?;
        let before = rest.get(..at)?.chars().next_back();
        let after = rest.get(at + name.len()..)?.trim_start();
        if before.is_some_and(char::is_whitespace)
            && let Some(value) = after.strip_prefix('=')
        {
            let value = value.trim_start();
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            return value.get(1..)?.split(quote).next();
        }
        rest = rest.get(at + name.len()..)?;
    }
}

/// Seconds of a subscription to keys.
const SUBSCRIPTION: u64 = 7200;
/// Keys that one report may hold.
const KEYS: usize = 32;
const RESPONSE: &str = "application/kpml-response+xml";
/// Every single key, again and again.
const KEY_PATTERN: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
<kpml-request xmlns=\"urn:ietf:params:xml:ns:kpml-request\" version=\"1.0\">\
<pattern persist=\"persist\"><regex>[x*#ABCD]</regex></pattern></kpml-request>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read() {
        let report = "<kpml-response version=\"1.0\" code=\"200\" text='OK' digits=\"7\"/>";
        assert_eq!(attribute(report, "digits"), Some("7"));
        assert_eq!(attribute(report, "code"), Some("200"));
        assert_eq!(attribute(report, "tag"), None);
        assert_eq!(attribute("digits", "digits"), None);
    }
}
