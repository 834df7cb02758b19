//! What happens: registrar, routing, calls, CTI, IVR and provisioning, without sockets or clocks.

mod call;
mod context;
mod cti;
mod interface;
mod ivr;
mod leg;
mod pairs;
mod provisioning;
mod upper;

pub use interface::*;
