//! Datagrams with the time at which the kernel took them, so that what delays this process does
//! not count as the sender's delay.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::AsRawFd;
use std::time::{Duration, SystemTime};

use mio::net::UdpSocket;

/// The kernel begins to note arrivals a moment after the first socket asks for it. Who wants to
/// know of the first datagrams as well holds this from before.
#[derive(Debug)]
pub(crate) struct Noting {
    _socket: std::net::UdpSocket,
}

impl Noting {
    /// Begins.
    pub(crate) fn begin() -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
        note_arrivals(&socket)?;
        Ok(Self { _socket: socket })
    }
}

/// Asks the kernel to note when datagrams come.
pub(super) fn note_arrivals(socket: &impl AsRawFd) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the option's value is an int that outlives the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_TIMESTAMPNS,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Reads a datagram; answers its length and how long ago it came, as far as that is known.
pub(super) fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<(usize, Duration)> {
    let mut control = Control([0; CONTROL]);
    let mut slice = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: zero is a valid value of this plain C struct.
    let mut header: libc::msghdr = unsafe { core::mem::zeroed() };
    header.msg_iov = &raw mut slice;
    header.msg_iovlen = 1;
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = CONTROL as _;
    // SAFETY: the header points to a slice and to room for control messages that outlive the call.
    let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_DONTWAIT) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    let age = arrival(&header).and_then(|at| SystemTime::now().duration_since(at).ok());
    Ok((length, age.unwrap_or_default()))
}

/// When the kernel says that it came.
fn arrival(header: &libc::msghdr) -> Option<SystemTime> {
    // SAFETY: the kernel filled the control messages of this header in.
    let time = unsafe {
        let first = libc::CMSG_FIRSTHDR(header);
        let message = first.as_ref()?;
        if message.cmsg_level != libc::SOL_SOCKET || message.cmsg_type != libc::SCM_TIMESTAMPNS {
            return None;
        }
        libc::CMSG_DATA(first).cast::<libc::timespec>().read_unaligned()
    };
    let since = Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// Room for control messages, as they want to lie.
#[repr(align(8))]
struct Control([u8; CONTROL]);

/// One time and its header take 32.
const CONTROL: usize = 64;

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_datagram_that_waited_tells_how_long() {
        let _noting = Noting::begin().unwrap();
        let from = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = UdpSocket::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        note_arrivals(&to).unwrap();
        let mut age = Duration::ZERO;
        let mut buffer = [0; 100];
        // The kernel takes its time to begin.
        for _ in 0..100 {
            from.send_to(b"here", to.local_addr().unwrap()).unwrap();
            thread::sleep(Duration::from_millis(50));
            let (length, waited) = receive(&to, &mut buffer).unwrap();
            assert_eq!(&buffer[..length], b"here");
            age = age.max(waited);
            if age > Duration::from_millis(1) {
                break;
            }
        }
        assert!((40..5_000).contains(&age.as_millis()), "{age:?}");
        let error = receive(&to, &mut buffer).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
}
