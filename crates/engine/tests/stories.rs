//! What people would report, a file for each: phones, a network and a store around a real engine,
//! in virtual time.
#![allow(clippy::unwrap_used)]

mod world;

mod stories {
    mod a_bad_network;
    mod a_boot_storm;
    mod a_call_between_two_phones;
    mod a_call_that_is_not_answered;
    mod a_connection_breaks;
    mod a_phone_is_deleted_or_replaced;
    mod a_phone_is_told_to_restart;
    mod a_phone_listens_at_another_port;
    mod a_phone_loses_its_power;
    mod a_phone_of_another_node;
    mod a_phone_refuses_or_sends_elsewhere;
    mod a_phone_registers;
    mod a_phone_removes_another_contact;
    mod a_phone_restarts_with_the_same_call_id;
    mod a_phone_that_wants_no_registration;
    mod a_phone_with_several_lines;
    mod a_phone_with_the_user_of_another_server;
    mod a_refresh_with_a_held_nonce;
    mod a_silent_media_driver;
    mod an_address_that_somebody_else_wrote;
    mod an_enterprise_phone_presses_hold;
    mod an_unknown_phone_registers;
    mod answered_elsewhere;
    mod bodies_and_methods;
    mod hold_and_other_media;
    mod incomplete_messages;
    mod info_between_phones;
    mod keys_in_signalling;
    mod lines_that_changed;
    mod more_than_can_be_handled;
    mod outdated_settings;
    mod phones_behind_one_address;
    mod phones_of_many_makers;
    mod requests_that_make_no_sense;
    mod stop_and_restore_anywhere;
    mod strangers;
    mod the_secret_changes;
    mod unknown_phones_flood;
    mod whatever_phones_do;
    mod who_calls_is_shown;
    mod who_may_call;
    mod why_a_phone_is_not_there;
    mod wrong_password;
}
