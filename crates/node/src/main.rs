//! Jackfield: boot, sockets, drive loops, service activation and the command line.

// What people read goes through `say`.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

mod backup;
mod cli;
mod demo;
mod log;
mod phone;
mod recover;
mod say;
mod server;
mod tftp;

use anyhow::Context;

/// Many small, short-lived allocations on a few threads, which this allocator is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let outcome = cli::run();
    log::finish();
    match outcome.and_then(|()| say::finish().context("writing to standard output")) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            say::aside(format_args!("jackfield: {error:#}\n"));
            std::process::ExitCode::FAILURE
        }
    }
}
