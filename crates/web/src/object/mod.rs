//! The endpoints that every kind of object has, made from the registry.

mod bulk;
mod filter;
mod form;
mod read;
mod states;
mod write;

pub(crate) use bulk::{change_many, delete_many};
pub(crate) use form::{accept, find, link, linked, shown, shown_to};
pub(crate) use read::{dependents, list, one};
pub(crate) use write::{
    change, create, delete, keeps_id, replace, single_change, single_one, single_replace, warn,
};
