//! Sign-ins that failed, for the audit. The first one from a source is there at once; what follows
//! from there is told in one row after a while, so that guessing fills no database.

use core::time::Duration;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use jackfield_model::Actor;
use jackfield_vocabulary::share::Source;
use jackfield_vocabulary::{Code, ObjectId, UnixTime};
use serde_json::{Value, json};

use crate::app::App;
use crate::clock::wall;

/// Where somebody tried.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Door {
    Rest,
    PhonePage,
}

/// The failures that were not told yet, by source; `None` stands for those for which there was no
/// room.
#[derive(Default)]
pub(crate) struct Failures {
    sources: Mutex<HashMap<Option<Source>, Several>>,
}

/// Failures of one source.
#[derive(Debug, PartialEq, Eq)]
struct Several {
    since: UnixTime,
    count: u64,
    accounts: BTreeSet<ObjectId>,
}

/// Writes a failure down: now, or together with others that follow from there.
pub(crate) fn note(app: &App, door: Door, address: IpAddr, account: Option<ObjectId>, code: Code) {
    if !matches!(code, Code::WrongCredential | Code::Locked | Code::Disabled) {
        return;
    }
    let Some(key) = app.failures().count(address, account) else { return };
    let door = match door {
        Door::Rest => "rest",
        Door::PhonePage => "phone-page",
    };
    let first = json!({ "address": address, "door": door, "refused": code.name() });
    let app = app.clone();
    tokio::spawn(async move {
        write(&app, account, first).await;
        tokio::time::sleep(TOGETHER).await;
        if let Some(several) = app.failures().end(key) {
            let only = several.accounts.first().filter(|_| several.accounts.len() == 1).copied();
            write(&app, only, several.told(key)).await;
        }
    });
}

async fn write(app: &App, object: Option<ObjectId>, detail: Value) {
    let noted = app
        .blocking(move |store| store.note(Actor::System, "sign-in-failed", object, detail))
        .await;
    if let Err(error) = noted {
        tracing::warn!(%error, "a failed sign-in could not be written into the audit");
    }
}

impl Failures {
    /// Counts a failure. Tells what it is kept under when it is the first one there.
    fn count(&self, address: IpAddr, account: Option<ObjectId>) -> Option<Option<Source>> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let source = Source::from(address);
        let known = sources.contains_key(&Some(source));
        let key = (known || sources.len() < MOST_SOURCES).then_some(source);
        let first = !sources.contains_key(&key);
        let several = sources.entry(key).or_insert_with(|| Several {
            since: wall(),
            count: 0,
            accounts: BTreeSet::new(),
        });
        // The first one is told by itself.
        if !first {
            several.count += 1;
            if several.accounts.len() < MOST_ACCOUNTS {
                several.accounts.extend(account);
            }
        }
        first.then_some(key)
    }

    /// What followed the first one, if anything did.
    fn end(&self, key: Option<Source>) -> Option<Several> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources.remove(&key).filter(|several| several.count > 0)
    }
}

impl Several {
    fn told(&self, source: Option<Source>) -> Value {
        json!({
            "address": source.map(|source| source.to_string()),
            "failures": self.count,
            "accounts": self.accounts,
            "since": self.since,
        })
    }
}

/// For so long what comes from one source is counted together.
const TOGETHER: Duration = Duration::from_secs(600);
/// Sources that are told apart.
const MOST_SOURCES: usize = 256;
/// Accounts that are named in one row.
const MOST_ACCOUNTS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn the_first_of_a_source_is_told_at_once_and_the_others_together() {
        let failures = Failures::default();
        let (one, other) = (address(1), address(2));
        let (of_one, of_other) = (Some(one.into()), Some(other.into()));
        assert_eq!(failures.count(one, Some(ObjectId(7))), Some(of_one));
        for account in [None, Some(ObjectId(7)), Some(ObjectId(8))] {
            assert_eq!(failures.count(one, account), None);
        }
        assert_eq!(failures.count(other, None), Some(of_other));
        let several = failures.end(of_one).unwrap();
        assert_eq!((several.count, several.accounts.len()), (3, 2));
        assert_eq!(failures.end(of_other), None, "nothing followed");
        assert_eq!(failures.count(one, None), Some(of_one), "it starts anew");
    }

    #[test]
    fn many_sources_are_told_as_one() {
        let failures = Failures::default();
        let firsts = (0..10_000_u32)
            .filter(|source| failures.count(IpAddr::from(source.to_be_bytes()), None).is_some());
        assert_eq!(firsts.count(), MOST_SOURCES + 1);
        assert_eq!(failures.end(None).unwrap().count, 10_000 - MOST_SOURCES as u64 - 1);
    }
}
