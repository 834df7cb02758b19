//! The endpoints that are no plain objects, a file each.

pub(crate) mod alarm;
pub(crate) mod audit;
pub(crate) mod credential;
pub(crate) mod explain;
pub(crate) mod import;
pub(crate) mod job;
pub(crate) mod phone;
pub(crate) mod quick_add;
pub(crate) mod schema;
pub(crate) mod self_provisioning;
pub(crate) mod service;
pub(crate) mod session;
pub(crate) mod setup;
mod setup_commands;
pub(crate) mod status;
pub(crate) mod window;
