//! How phones are spoken to from outside: one adapter for each dialect. What a dialect can't do is
//! a refusal that says so.

mod enterprise;
mod generic;
mod multiplatform;
mod virtual_phone;

use jackfield_model::{Dialect, Directory, Phone};
use jackfield_sip::Method;
use jackfield_vocabulary::{Code, DeviceRestart, ObjectId, Refusal};
use serde::{Deserialize, Serialize};

use super::binding::Registered;

/// A request to one phone, besides what every request has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Notice {
    pub(super) method: Method,
    /// Header lines by name and value.
    pub(super) headers: Vec<(Box<str>, Box<str>)>,
    /// Type and text of the body.
    pub(super) body: Option<(Box<str>, Box<str>)>,
}

/// The dialect of a phone; `None` when it is no phone.
pub(super) fn of(directory: &Directory, device: ObjectId) -> Option<Dialect> {
    let phone = directory.typed::<Phone>(device)?;
    Some(directory.get(phone.model)?.dialect)
}

/// Tells a phone to take new settings.
pub(super) fn restart(
    dialect: Dialect,
    registered: &Registered,
    restart: DeviceRestart,
) -> Result<Notice, Refusal> {
    match dialect {
        Dialect::Enterprise => Ok(enterprise::restart(registered, restart)),
        Dialect::Multiplatform => Ok(multiplatform::restart(restart)),
        Dialect::Generic => Ok(generic::restart(restart)),
        Dialect::Virtual => Ok(virtual_phone::restart(registered, restart)),
        _ => Err(Refusal::new(Code::NotSupportedByDevice)),
    }
}

/// Shows a text on a phone.
pub(super) fn show_text(dialect: Dialect, text: &str) -> Result<Notice, Refusal> {
    let text: String = text.chars().filter(|c| !c.is_control()).take(TEXT).collect();
    match dialect {
        Dialect::Enterprise => Ok(enterprise::show_text(&text)),
        Dialect::Virtual => Ok(virtual_phone::show_text(&text)),
        _ => Err(Refusal::new(Code::NotSupportedByDevice)),
    }
}

/// What the answer to a new registration tells the phone of what we can do: type and body.
pub(super) fn registration_body(
    directory: &Directory,
    device: ObjectId,
) -> Option<(&'static str, &'static str)> {
    match of(directory, device)? {
        Dialect::Enterprise => Some(enterprise::OPTIONS),
        _ => None,
    }
}

/// Characters of a shown text.
const TEXT: usize = 128;

impl Notice {
    /// A NOTIFY of an event.
    fn event(event: &str) -> Self {
        let headers =
            vec![("Event".into(), event.into()), ("Subscription-State".into(), "active".into())];
        Self { method: Method::Notify, headers, body: None }
    }
}

#[cfg(test)]
mod tests {
    use jackfield_vocabulary::Now;

    use super::*;

    fn registered() -> Registered {
        Registered {
            user: "2001".into(),
            line: None,
            contact: "sip:x@10.0.0.1".into(),
            listens: None,
            call_id: "abc-1".into(),
            sequence: 1,
            request: 0,
            expires: Now::default(),
        }
    }

    #[test]
    fn every_dialect_can_be_restarted_in_its_own_words() {
        let told = |dialect, how| restart(dialect, &registered(), how).unwrap();
        let enterprise = told(Dialect::Enterprise, DeviceRestart::Restart).body.unwrap().1;
        assert!(enterprise.starts_with("action=restart\r\nRegisterCallId={abc-1}\r\n"));
        let event = |notice: Notice| notice.headers[0].1.clone();
        assert_eq!(&*event(told(Dialect::Multiplatform, DeviceRestart::Resync)), "resync");
        assert_eq!(&*event(told(Dialect::Multiplatform, DeviceRestart::Reset)), "reboot");
        let generic = told(Dialect::Generic, DeviceRestart::Restart);
        assert_eq!(&*event(generic), "check-sync;reboot=true");
    }

    #[test]
    fn a_dialect_without_a_display_says_so() {
        let refusal = show_text(Dialect::Generic, "hello").unwrap_err();
        assert_eq!(refusal.code, Code::NotSupportedByDevice);
        let body = show_text(Dialect::Enterprise, "a < b & \"c\"\r\n").unwrap().body.unwrap().1;
        assert!(body.contains("<statustext>a &lt; b &amp; &quot;c&quot;</statustext>"), "{body}");
    }
}
