//! A phone that boots, provisions, registers, calls and presses keys; alone, as a fleet, or in
//! simulated time.
#![deny(unsafe_code)]

mod agent;
mod boot;
mod fetch;
mod interface;
mod phone;
mod profile;
mod random;
mod settings;

pub use fetch::{FetchRequest, Fetched, HttpClient, HttpFault, HttpPage, TftpClient, TftpStep};
pub use interface::{
    AudioOrder, CallNumber, CallState, DigitWay, PhoneCommand, PhoneEvent, PhoneInput, PhoneOutput,
    Softkey, Sound,
};
pub use phone::Phone;
pub use profile::{LineProfile, PhoneService, Profile, ProfileError, ServerAddress, SpeedDial};
pub use settings::{Door, Make, PhoneSettings, Transport};
