//! What the system allows this process, and where it is.

use std::fs::Permissions;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

/// Asks for as many descriptors as the system allows: a phone on TCP takes one.
pub(crate) fn raise_file_limit() {
    // SAFETY: a plain C struct that the calls fill and read.
    unsafe {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 && limit.rlim_cur < limit.rlim_max
        {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

/// How many descriptors this process may hold.
pub(crate) fn file_limit() -> usize {
    // SAFETY: a plain C struct that the call fills.
    unsafe {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        let known = libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0;
        if known { usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX) } else { 1024 }
    }
}

/// What the node writes from now on is its own affair: nobody else on the machine may read it. So
/// are the files that an older version left open to all.
pub(crate) fn keep_private(folder: &Path) {
    // SAFETY: it changes a number of the process and can't fail.
    unsafe { libc::umask(0o077) };
    for name in ["identity", "epoch", "quarantine"] {
        // Most are not there yet; what is somebody else's is for them to close.
        let _ = std::fs::set_permissions(folder.join(name), Permissions::from_mode(0o600));
    }
}

/// Counts the starts of this node, so that numbers of calls are never used again.
pub(crate) fn next_epoch(folder: &Path) -> Result<u32> {
    let file = folder.join("epoch");
    let last = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok());
    let next = last.unwrap_or(0_u32).wrapping_add(1);
    std::fs::write(&file, next.to_string())
        .with_context(|| format!("writing {}", file.display()))?;
    Ok(next)
}

/// The address that this machine uses towards others; nothing is sent to find it out.
pub(crate) fn own_address() -> IpAddr {
    let documentation = SocketAddr::from(([192, 0, 2, 1], 9));
    UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|socket| {
            socket.connect(documentation)?;
            Ok(socket.local_addr()?.ip())
        })
        .unwrap_or(Ipv4Addr::LOCALHOST.into())
}
