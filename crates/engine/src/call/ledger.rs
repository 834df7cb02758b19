//! What is written down of calls: a record of each, and an alarm where an emergency call goes nowhere.
//! Whoever calls again and again fills neither the disk nor the log with it.

use core::time::Duration;
use std::collections::BTreeMap;

use jackfield_model::Phone;
use jackfield_vocabulary::share::{Figures, Pace, uses};
use jackfield_vocabulary::{Cause, Now, ObjectId};
use serde::{Deserialize, Serialize};

use super::state::Call;
use crate::context::Context;
use crate::interface::Output;

/// What was written down of whom lately.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// Records of calls of phones that belong to nobody.
    newcomers: Pace,
    /// Emergency calls that went nowhere, by the device that made them.
    #[serde(with = "jackfield_vocabulary::pairs")]
    emergencies: BTreeMap<ObjectId, Told>,
}

/// The last alarm about a device, and how often there would have been another since.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Told {
    at: Now,
    untold: u64,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { newcomers: uses::NEWCOMERS_RECORDS.pace(), emergencies: BTreeMap::new() }
    }
}

impl Ledger {
    /// A call is over.
    pub(super) fn record(&mut self, context: &mut Context<'_>, call: Call, cause: Cause) {
        let phone = context.directory.typed::<Phone>(call.caller.device);
        let new = phone.is_some_and(|phone| phone.auto_registered);
        if new && !self.newcomers.allows(context.now, call.caller.source) {
            return context.count("calls-without-record");
        }
        context.out.push(Output::Record(call.record(context, cause)));
    }

    /// An emergency call goes nowhere: nothing may hide that there is no trunk yet. Each device is told of
    /// at once; that it tries again, once a minute.
    pub(super) fn emergency(&mut self, context: &mut Context<'_>, call: &Call, number: &str) {
        let Some(untold) = self.tells(context.now, call.caller.device) else { return };
        let mut values =
            vec![("number", number.to_owned()), ("device", call.caller.name.to_string())];
        if untold > 0 {
            values.push(("untold", untold.to_string()));
        }
        context.alarm("emergency-call-goes-nowhere", values);
    }

    fn tells(&mut self, now: Now, device: ObjectId) -> Option<u64> {
        if let Some(told) = self.emergencies.get_mut(&device)
            && now.since(told.at) < AGAIN
        {
            told.untold += 1;
            return None;
        }
        let before = self.emergencies.remove(&device);
        self.emergencies.retain(|_, told| now.since(told.at) < REMEMBERED);
        self.emergencies.insert(device, Told { at: now, untold: 0 });
        Some(before.map_or(0, |told| told.untold))
    }

    pub(super) fn figures(&self) -> Figures {
        uses::NEWCOMERS_RECORDS.figures(&self.newcomers)
    }
}

/// The next alarm about the same device.
const AGAIN: Duration = Duration::from_secs(60);
/// For how long it is known how many there were.
const REMEMBERED: Duration = Duration::from_secs(3600);
