//! Boot, sockets, drive loops, service activation and the command line.

fn main() {}
