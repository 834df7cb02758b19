use super::Finding;
use crate::{Language, Message};

/// An alarm in words, and what to do; by its values.
pub fn explain_alarm(name: &str, values: &[(&str, &str)], language: Language) -> Finding {
    let known = KNOWN.iter().find(|(known, ..)| *known == name);
    match known {
        Some((_, text, remedy)) => {
            Finding::bad(text.with(language, values), remedy.with(language, values))
        }
        None => Finding { good: false, text: name.into(), remedy: None },
    }
}

/// Each alarm with its text and remedy.
const KNOWN: &[(&str, Message, Message)] = &[
    (
        "auto-registration-range-exhausted",
        Message::AlarmRangeExhausted,
        Message::AlarmRangeExhaustedRemedy,
    ),
    ("emergency-call-goes-nowhere", Message::AlarmEmergencyCall, Message::AlarmEmergencyCallRemedy),
    (
        "assignment-outcome-unknown",
        Message::AlarmAssignmentUnknown,
        Message::AlarmAssignmentUnknownRemedy,
    ),
    ("cti-devices-of-application", Message::AlarmManyDevices, Message::AlarmManyDevicesRemedy),
    ("cti-devices-of-node", Message::AlarmNodeFull, Message::AlarmNodeFullRemedy),
];
