//! What happens: registrar, routing, calls, CTI, IVR and provisioning, without sockets or clocks.
