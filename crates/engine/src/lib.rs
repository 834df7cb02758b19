//! What happens: registrar, routing, calls, CTI, IVR and provisioning, without sockets or clocks.

mod call;
mod context;
mod cti;
mod interface;
mod leg;
mod pairs;

pub use interface::*;
