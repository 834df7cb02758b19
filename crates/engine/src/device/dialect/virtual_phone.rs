//! The virtual phone, which speaks every dialect: the enterprise one for restarts, and a plain
//! MESSAGE for texts.

use jackfield_sip::Method;
use jackfield_vocabulary::DeviceRestart;

use super::{Notice, enterprise};
use crate::device::binding::Registered;

pub(super) fn restart(registered: &Registered, restart: DeviceRestart) -> Notice {
    enterprise::restart(registered, restart)
}

pub(super) fn show_text(text: &str) -> Notice {
    let body = Some(("text/plain;charset=UTF-8".into(), text.into()));
    Notice { method: Method::Message, headers: Vec::new(), body }
}
