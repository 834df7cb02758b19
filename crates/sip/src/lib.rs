//! SIP and SDP: lazily parsed messages, typed headers, digest, transactions and dialogs, without sockets or clocks.
