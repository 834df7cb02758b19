//! Phones by the thousand on one thread: how long until all are in service, how many provision
//! themselves, how evenly a server sends to many calls.

mod boot;
mod load;
mod provision;

use std::io;
use std::time::Duration;

use jackfield_vocabulary::Mac;
use thiserror::Error;

use crate::driver::{Conductor, Driver};
use crate::settings::PhoneSettings;

pub use boot::{Fleet, FleetReport};
pub use load::{Deviation, IvrLoad, IvrLoadReport, ivr_load};
pub use provision::{
    Newcomer, ProvisionFailure, ProvisionReport, ProvisionStep, SelfProvision, self_provision,
};

/// What all phones of a fleet have in common.
#[derive(Clone, Debug)]
pub struct FleetSettings {
    /// How many.
    pub count: usize,
    /// The first one's hardware address; the others follow.
    pub first_mac: Mac,
    /// What each of them is, but for the address.
    pub phone: PhoneSettings,
    /// How many are plugged in each second; all at once when there is no rate.
    pub rate: Option<f64>,
    /// When waiting ends.
    pub timeout: Duration,
    /// UDP sockets that the phones share.
    pub udp_sockets: usize,
}

impl FleetSettings {
    /// So many phones like this one, all plugged in at once.
    pub fn new(count: usize, phone: PhoneSettings) -> Self {
        Self {
            count,
            first_mac: phone.mac,
            phone,
            rate: None,
            timeout: Duration::from_secs(120),
            udp_sockets: 16,
        }
    }

    /// The settings of each phone.
    pub fn phones(&self) -> Vec<PhoneSettings> {
        (0..self.count as u64)
            .map(|index| {
                let mac = mac_after(self.first_mac, index);
                let seed = self.phone.seed.wrapping_add(index.wrapping_mul(0x9e37_79b9));
                PhoneSettings { mac, seed, ..self.phone.clone() }
            })
            .collect()
    }

    /// How long after the start a phone is plugged in.
    fn plugged_in_after(&self, index: usize) -> Duration {
        match self.rate {
            Some(rate) if rate > 0.0 => Duration::from_secs_f64(index as f64 / rate),
            _ => Duration::ZERO,
        }
    }
}

/// Why a fleet can't be run.
#[derive(Debug, Error)]
pub enum FleetError {
    /// Sockets could not be had.
    #[error("the fleet can't be started: {0}")]
    Io(#[from] io::Error),
    /// There are fewer newcomers than phones.
    #[error("{phones} phones need as many newcomers, and there are {newcomers}")]
    Newcomers {
        /// How many phones.
        phones: usize,
        /// How many newcomers.
        newcomers: usize,
    },
}

/// Runs a conductor over a fleet until it has seen all.
fn run<C: Conductor>(settings: &FleetSettings, conductor: C) -> Result<C, FleetError> {
    allow_files(settings.count as u64 * 3 + 100);
    let (driver, _bell) = Driver::new(settings.phones(), settings.udp_sockets, conductor)?;
    Ok(driver.run()?)
}

/// The address so many places after this one.
fn mac_after(first: Mac, steps: u64) -> Mac {
    let number = first.0.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let [_, _, mac @ ..] = number.wrapping_add(steps).to_be_bytes();
    Mac(mac)
}

/// Asks for so many open files, or as many as there may be.
fn allow_files(wanted: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.map_or(wanted, |most| most.min(wanted));
    if limit.current.is_some_and(|current| current < most) {
        let raised = Rlimit { current: Some(most), maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(files.wanted = wanted, %error, "can't raise the limit of open files");
        }
    }
}

/// Percentiles of times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Percentiles {
    /// Half were faster.
    pub p50: Duration,
    /// 95 of 100 were faster.
    pub p95: Duration,
    /// 99 of 100 were faster.
    pub p99: Duration,
    /// The slowest.
    pub max: Duration,
}

impl Percentiles {
    /// Of these times.
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |part: f64| {
            let last = times.len().saturating_sub(1);
            times.get((part * last as f64).round() as usize).copied().unwrap_or_default()
        };
        Self { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_one_another_over_every_edge() {
        let first: Mac = "0200000000FF".parse().unwrap();
        assert_eq!(mac_after(first, 0), first);
        assert_eq!(mac_after(first, 1).to_string(), "020000000100");
        let settings = FleetSettings::new(300, PhoneSettings::default());
        let phones = settings.phones();
        assert_eq!(phones[299].mac.to_string(), "02000000012C");
        assert_ne!(phones[0].seed, phones[1].seed);
    }

    #[test]
    fn percentiles_of_a_hundred_times() {
        let times = (1..=101).map(Duration::from_millis).collect();
        let of = Percentiles::of(times);
        assert_eq!((of.p50.as_millis(), of.p99.as_millis(), of.max.as_millis()), (51, 100, 101));
        assert_eq!(Percentiles::of(Vec::new()), Percentiles::default());
    }
}
