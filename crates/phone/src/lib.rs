//! A phone that boots, provisions, registers, calls and presses keys; alone, as a fleet, or in
//! simulated time.
//!
//! [`Phone`] is the state machine without sockets, [`LivePhone`] one on real sockets with a handle
//! to play with, [`fleet`] thousands of them in a scenario.
#![deny(unsafe_code)]

mod agent;
mod boot;
mod driver;
mod fetch;
pub mod fleet;
mod interface;
mod live;
mod phone;
mod profile;
mod random;
mod script;
mod settings;
mod sound;

pub use fetch::{FetchRequest, Fetched, HttpClient, HttpFault, HttpPage, TftpClient, TftpStep};
pub use interface::{
    AudioOrder, CallNumber, CallState, DigitWay, PhoneCommand, PhoneEvent, PhoneInput, PhoneOutput,
    Softkey, Sound,
};
pub use live::{LiveError, LivePhone};
pub use phone::Phone;
pub use profile::{LineProfile, PhoneService, Profile, ProfileError, ServerAddress, SpeedDial};
pub use script::{RunError, SCRIPT_HELP, Script, ScriptError, run_interactive, run_script};
pub use settings::{Door, Make, PhoneSettings, Transport};
pub use sound::{HeardPrompt, Hearing, PromptRecognizer, Punctuality, RecognizerError};
