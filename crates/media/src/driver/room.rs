//! Room for the descriptors of all sockets, made before the clock runs.

use std::{fs::File, io};

use rustix::{
    io::fcntl_dupfd_cloexec,
    process::{Resource, getrlimit},
};

/// Makes the process's table of descriptors large enough for so many sockets. It grows by doubling,
/// and the thread that opens one socket too many sleeps in the kernel until every processor has let
/// go of the old table: 5 to 15 ms, measured, in which no call is sent its packets.
pub(super) fn make_room(sockets: usize) -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let last = limit.saturating_sub(1).min((sockets + OTHERS) as u64);
    let nothing = File::open("/dev/null")?;
    // The table stays as large when this is closed again.
    fcntl_dupfd_cloexec(&nothing, i32::try_from(last).unwrap_or(i32::MAX))?;
    Ok(())
}

/// Descriptors that the rest of the process has: phones over TCP, files, the database.
const OTHERS: usize = 4_096;
