//! What people would report, a file for each: phones, a network and a store around a real engine,
//! in virtual time.

mod world;

#[path = "stories/a_phone_registers.rs"]
mod a_phone_registers;
#[path = "stories/a_call_between_two_phones.rs"]
mod a_call_between_two_phones;
