//! What happens: registrar, routing, calls, CTI, IVR and provisioning, without sockets or clocks.

mod context;
mod interface;
mod leg;

pub use interface::*;
