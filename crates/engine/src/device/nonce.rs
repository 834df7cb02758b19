//! Nonces of digest authentication: made without keeping anything, and each counted from its first
//! use, so that what was heard on the wire can't be sent again.

use std::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};
use jackfield_sip::hex;
use jackfield_vocabulary::UnixTime;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Makes nonces and knows its own.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "[u8; 32]", into = "[u8; 32]")]
pub(super) struct Nonces {
    key: [u8; 32],
    /// The keyed hash before it was given anything.
    hash: Hmac<Sha256>,
}

/// How far a device has counted one nonce.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Use {
    nonce: Box<str>,
    /// Seconds since 1970.
    issued: u32,
    highest: u32,
    /// Which of the 64 counts up to `highest` were used; bit 0 is `highest`.
    window: u64,
}

/// What a nonce is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// Good for this count.
    Good,
    /// Ours, but too old or used up: a new one is given.
    Stale,
    /// This count was used already.
    Replayed,
}

/// The nonces that one device has used, the latest first: two that it may hold, and more as long as
/// somebody else could still send them again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Uses {
    used: Vec<Use>,
    /// What was issued up to then, in seconds since 1970, and is not among them may have been used.
    forgotten: Option<u32>,
}

impl Nonces {
    pub(super) fn new(key: [u8; 32]) -> Self {
        let hash = Hmac::new_from_slice(&key).expect("any length is a key");
        Self { key, hash }
    }

    /// A nonce for a request with this fingerprint from this host: for the same one within a second
    /// the same. What nobody else can make is its seal, and the mark of the host behind it.
    pub(super) fn make(&self, now: UnixTime, fingerprint: u64, host: IpAddr) -> String {
        let (issued, [.., a, b, c, d]) = (seconds(now).to_be_bytes(), fingerprint.to_be_bytes());
        let mut nonce = hex(&[issued, [a, b, c, d]].concat());
        let mark = self.mark(&nonce, host);
        nonce.push_str(&self.seal(&nonce));
        nonce.push_str(&mark);
        nonce
    }

    /// Was this nonce given to this host a moment ago? Whoever brings it back from there receives what
    /// is sent there.
    pub(super) fn was_given_to(&self, now: UnixTime, nonce: &str, host: IpAddr) -> bool {
        let lately = |issued| seconds(now).abs_diff(issued) <= FRESH;
        let mark = nonce.get(SEALED..).unwrap_or_default();
        let start = nonce.get(..START).unwrap_or_default();
        self.issued(nonce).is_some_and(lately)
            && same(self.mark(start, host).as_bytes(), mark.as_bytes())
    }

    /// When one of ours was issued.
    fn issued(&self, nonce: &str) -> Option<u32> {
        let (start, seal) = nonce.get(..SEALED)?.split_at_checked(START)?;
        let time = u32::from_str_radix(start.get(..8)?, 16).ok()?;
        same(self.seal(start).as_bytes(), seal.as_bytes()).then_some(time)
    }

    fn mark(&self, start: &str, host: IpAddr) -> String {
        let host = host.to_canonical().to_string();
        hex(&self.hash.clone().chain_update(start).chain_update(host).finalize().into_bytes()[..4])
    }

    fn seal(&self, start: &str) -> String {
        hex(&self.hash.clone().chain_update(start).finalize().into_bytes()[..12])
    }
}

impl From<[u8; 32]> for Nonces {
    fn from(key: [u8; 32]) -> Self {
        Self::new(key)
    }
}

impl From<Nonces> for [u8; 32] {
    fn from(nonces: Nonces) -> Self {
        nonces.key
    }
}

impl Uses {
    /// What a nonce and its count are worth, before anything is taken as used.
    pub(super) fn judge(&self, nonces: &Nonces, now: UnixTime, nonce: &str, count: u32) -> Worth {
        if let Some(known) = self.used.iter().find(|known| *known.nonce == *nonce) {
            return match () {
                () if seconds(now).saturating_sub(known.issued) > HELD => Worth::Stale,
                () if known.is_free(count) => Worth::Good,
                () => Worth::Replayed,
            };
        }
        match nonces.issued(nonce) {
            Some(issued)
                if self.forgotten.is_none_or(|forgotten| issued > forgotten)
                    && seconds(now).abs_diff(issued) <= FRESH =>
            {
                Worth::Good
            }
            _ => Worth::Stale,
        }
    }

    /// Takes a count as used; was the nonce never used before?
    pub(super) fn take(&mut self, nonce: &str, count: u32) -> bool {
        if let Some(place) = self.used.iter().position(|known| *known.nonce == *nonce) {
            self.used[..=place].rotate_right(1);
            self.used[0].take(count);
            return false;
        }
        let issued = nonce.get(..8).and_then(|time| u32::from_str_radix(time, 16).ok());
        let issued = issued.unwrap_or_default();
        self.used.insert(0, Use { nonce: nonce.into(), issued, highest: count, window: 1 });
        self.forget(issued);
        true
    }

    /// Forgets what the device does not hold any more and nobody can use for the first time, and
    /// remembers what that was.
    fn forget(&mut self, now: u32) {
        while let Some(last) = self.used.get(HELD_AT_ONCE..).and_then(<[Use]>::last)
            && (self.used.len() > REMEMBERED || now.saturating_sub(last.issued) > FRESH)
        {
            self.forgotten = self.forgotten.max(Some(last.issued));
            self.used.pop();
        }
    }
}

impl Use {
    fn is_free(&self, count: u32) -> bool {
        match self.highest.checked_sub(count) {
            None => true,
            Some(behind) => behind < 64 && self.window & (1 << behind) == 0,
        }
    }

    fn take(&mut self, count: u32) {
        match count.checked_sub(self.highest) {
            Some(ahead) if ahead > 0 => {
                self.window = if ahead < 64 { self.window << ahead | 1 } else { 1 };
                self.highest = count;
            }
            _ => {
                let behind = self.highest - count.min(self.highest);
                if behind < 64 {
                    self.window |= 1 << behind;
                }
            }
        }
    }
}

/// Compares without telling by time where the difference is.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differences = one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b));
    one.len() == other.len() && differences == 0
}

fn seconds(now: UnixTime) -> u32 {
    u32::try_from(now.seconds()).unwrap_or(u32::MAX)
}

/// Digits of a nonce that say when and for what it was issued.
const START: usize = 16;
/// The same with their seal.
const SEALED: usize = 40;
/// A phone may go on with one nonce for its registration and with another one for its calls.
const HELD_AT_ONCE: usize = 2;
/// Used nonces that are remembered of a device; more in five minutes, and those of the second in which
/// the forgotten one was issued have to be fetched anew.
const REMEMBERED: usize = 8;
/// Seconds in which a new nonce must be used for the first time.
pub(super) const FRESH: u32 = 300;
/// Seconds for which a phone may go on with the nonce it holds.
const HELD: u32 = 2 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    fn at(seconds: u64) -> UnixTime {
        UnixTime(seconds * 1000)
    }

    #[test]
    fn a_nonce_counts_up_and_no_count_is_good_twice() {
        let nonces = Nonces::new([1; 32]);
        let nonce = nonces.make(at(1000), 7, HOST);
        let mut uses = Uses::default();
        for count in [1, 2, 5, 4, 70] {
            assert_eq!(uses.judge(&nonces, at(1010), &nonce, count), Worth::Good, "{count}");
            uses.take(&nonce, count);
            assert_eq!(uses.judge(&nonces, at(1010), &nonce, count), Worth::Replayed, "{count}");
        }
        assert_eq!(uses.judge(&nonces, at(1010), &nonce, 3), Worth::Replayed, "out of the window");
        assert_eq!(uses.judge(&nonces, at(90_000), &nonce, 71), Worth::Good, "held for a day");
        assert_eq!(uses.judge(&nonces, at(200_000), &nonce, 72), Worth::Stale);
    }

    #[test]
    fn strange_and_old_nonces_are_stale() {
        let nonces = Nonces::new([1; 32]);
        let uses = Uses::default();
        let foreign = Nonces::new([2; 32]).make(at(1000), 7, HOST);
        assert_eq!(uses.judge(&nonces, at(1000), &foreign, 1), Worth::Stale);
        assert_eq!(uses.judge(&nonces, at(1000), "", 1), Worth::Stale);
        assert_eq!(uses.judge(&nonces, at(1000), "0000ÿ000000000000000", 1), Worth::Stale);
        let nonce = nonces.make(at(1000), 7, HOST);
        assert_eq!(uses.judge(&nonces, at(1301), &nonce, 1), Worth::Stale);
    }

    #[test]
    fn a_nonce_tells_to_which_host_it_was_given() {
        let nonces = Nonces::new([1; 32]);
        let nonce = nonces.make(at(1000), 7, HOST);
        assert!(nonces.was_given_to(at(1300), &nonce, HOST));
        assert!(nonces.was_given_to(at(1300), &nonce, "::ffff:10.0.0.1".parse().unwrap()));
        assert!(!nonces.was_given_to(at(1301), &nonce, HOST), "too long ago");
        let elsewhere = "10.0.0.2".parse().unwrap();
        assert!(!nonces.was_given_to(at(1000), &nonce, elsewhere));
        let [start, seal, mark] = [&nonce[..16], &nonce[16..40], &nonce[40..]];
        let other = nonces.make(at(1000), 7, elsewhere);
        let spliced = format!("{start}{seal}{}", &other[40..]);
        let unmarked = format!("{start}{seal}");
        let unsealed = format!("{start}{}{mark}", "0".repeat(24));
        for nonce in [&*spliced, &unmarked, &unsealed, "", "\u{ff}"] {
            assert!(!nonces.was_given_to(at(1000), nonce, HOST), "{nonce}");
        }
        let foreign = Nonces::new([2; 32]).make(at(1000), 7, HOST);
        assert!(!nonces.was_given_to(at(1000), &foreign, HOST));
    }

    /// RFC 7616 section 5.5: what was heard on the wire is not good again, however many other nonces the
    /// device has used since, and however few.
    #[test]
    fn what_was_used_is_never_good_again() {
        let nonces = Nonces::new([1; 32]);
        for many in 1..40 {
            for apart in [0, 1, 7, 200] {
                let (mut uses, mut heard, mut now) = (Uses::default(), Vec::new(), 1000);
                for number in 0..many {
                    let nonce = nonces.make(at(now), number, HOST);
                    if uses.judge(&nonces, at(now), &nonce, 1) == Worth::Good {
                        assert!(uses.take(&nonce, 1));
                    } else {
                        // Only many in one second are asked once more.
                        assert!(apart == 0 && number as usize > REMEMBERED);
                    }
                    heard.push(nonce);
                    for nonce in &heard {
                        assert_ne!(
                            uses.judge(&nonces, at(now), nonce, 1),
                            Worth::Good,
                            "{many} {apart}"
                        );
                    }
                    now += apart;
                }
            }
        }
    }

    #[test]
    fn a_nonce_that_is_held_goes_on_beside_those_of_calls() {
        let nonces = Nonces::new([1; 32]);
        let mut uses = Uses::default();
        let held = nonces.make(at(1000), 7, HOST);
        for call in 1..100 {
            assert_eq!(uses.judge(&nonces, at(1000 + call * 50), &held, call as u32), Worth::Good);
            uses.take(&held, call as u32);
            uses.take(&nonces.make(at(1000 + call * 50), 8, HOST), 1);
            assert!(uses.used.len() <= REMEMBERED);
        }
    }
}
