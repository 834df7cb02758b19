//! Jackfield: boot, sockets, drive loops, service activation and the command line.

mod backup;
mod cli;
mod demo;
mod log;
mod phone;
mod recover;
mod server;
mod tftp;

/// Many small, short-lived allocations on a few threads, which this allocator is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let outcome = cli::run();
    log::finish();
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("jackfield: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
