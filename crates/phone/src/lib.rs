//! A phone that boots, provisions, registers, calls and presses keys; alone, as a fleet, or in
//! simulated time.
#![deny(unsafe_code)]

mod profile;
mod random;
mod settings;

pub use profile::{LineProfile, PhoneService, Profile, ProfileError, ServerAddress, SpeedDial};
pub use settings::{Door, Make, PhoneSettings, Transport};
