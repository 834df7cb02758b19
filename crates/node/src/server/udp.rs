//! The SIP datagram socket of the engine's own loop. Datagrams are read and written in batches:
//! one system call for many messages is what keeps a registration cheap.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd;
use std::sync::Arc;

use mio::net::UdpSocket;
use socket2::{Domain, Protocol, Socket, Type};

/// Datagrams read or written by one system call at the most.
const BATCH: usize = 64;
/// The largest datagram, in two pieces: what nearly every message fits into, and the rest.
const HEAD: usize = 2048;
const TAIL: usize = 65_535 - HEAD;
/// Room asked of the kernel for datagrams that wait: a burst of some thousand registrations.
const KERNEL_BUFFER: usize = 8 << 20;
/// Room that is worth no word: a system's default is a fifth of it.
const ENOUGH: usize = 1 << 20;
/// Datagrams that may wait for a full socket; beyond, the oldest is dropped, as a network does.
const BACKLOG: usize = 4096;

/// A datagram socket with its batches.
pub(crate) struct Datagrams {
    socket: UdpSocket,
    local: SocketAddr,
    /// BATCH runs of HEAD bytes, and as many of the rest. Nearly every message fits into its run
    /// of the first, which are close together, as caches like it.
    heads: Vec<u8>,
    tails: Vec<u8>,
    lengths: Vec<usize>,
    sources: Vec<SocketAddr>,
    /// Where the kernel reads and writes addresses of a batch; nothing is kept in it.
    names: Box<[libc::sockaddr_storage]>,
    waiting: Vec<(SocketAddr, Arc<[u8]>)>,
    /// Datagrams read.
    pub(crate) received: u64,
    /// Datagrams that the kernel took.
    pub(crate) sent: u64,
    /// Datagrams dropped because the kernel would not take them.
    pub(crate) unsent: u64,
}

impl Datagrams {
    /// Datagrams read or written by one system call at the most.
    pub(crate) const BATCH: usize = BATCH;

    /// Binds the socket.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        // Cut to the system's limit.
        let _ = socket.set_recv_buffer_size(KERNEL_BUFFER);
        let _ = socket.set_send_buffer_size(KERNEL_BUFFER);
        // The kernel names twice what it gives: it keeps its own books in there, too.
        let room = socket.recv_buffer_size().unwrap_or(0) / 2;
        if room < ENOUGH {
            tracing::warn!(
                "only {} kB of SIP messages may wait: when phones start together, some are lost and \
                 come again later; set net.core.rmem_max to {KERNEL_BUFFER} (packaging/README.md)",
                room / 1024
            );
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let socket = UdpSocket::from_std(socket.into());
        let local = socket.local_addr()?;
        Ok(Self {
            socket,
            local,
            heads: vec![0; BATCH * HEAD],
            tails: vec![0; BATCH * TAIL],
            lengths: Vec::with_capacity(BATCH),
            sources: Vec::with_capacity(BATCH),
            // SAFETY: zero is a valid value of this plain C struct.
            names: vec![unsafe { core::mem::zeroed() }; BATCH].into(),
            waiting: Vec::new(),
            received: 0,
            sent: 0,
            unsent: 0,
        })
    }

    /// The socket, to be polled.
    pub(crate) fn socket_mut(&mut self) -> &mut UdpSocket {
        &mut self.socket
    }

    /// The address it is bound to.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Reads what is there, up to a batch; zero when there is nothing.
    pub(crate) fn receive(&mut self) -> io::Result<usize> {
        self.lengths.clear();
        self.sources.clear();
        let (mut heads, mut tails) =
            (self.heads.chunks_exact_mut(HEAD), self.tails.chunks_exact_mut(TAIL));
        let mut slices: [[libc::iovec; 2]; BATCH] = core::array::from_fn(|_| {
            [heads.next(), tails.next()].map(|run| {
                let run = run.unwrap_or_default();
                libc::iovec { iov_base: run.as_mut_ptr().cast(), iov_len: run.len() }
            })
        });
        let mut headers: [libc::mmsghdr; BATCH] = core::array::from_fn(|index| {
            header(&mut self.names[index], size_of::<libc::sockaddr_storage>(), &mut slices[index])
        });
        // SAFETY: every header points to a name and a slice that outlive the call.
        let count = unsafe {
            libc::recvmmsg(
                self.socket.as_raw_fd(),
                headers.as_mut_ptr(),
                BATCH as libc::c_uint,
                libc::MSG_DONTWAIT,
                core::ptr::null_mut(),
            )
        };
        if count < 0 {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(0),
                // An ICMP error of an earlier datagram: nothing to read this time.
                io::ErrorKind::ConnectionRefused => Ok(0),
                _ => Err(error),
            };
        }
        let count = usize::try_from(count).unwrap_or(0);
        let unspecified = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
        self.lengths.extend(headers[..count].iter().map(|header| header.msg_len as usize));
        let names = self.names[..count].iter();
        self.sources.extend(names.map(|name| address_of(name).unwrap_or(unspecified)));
        self.received += count as u64;
        Ok(count)
    }

    /// Datagrams that came and found no room in the kernel; `None` where it does not say.
    pub(crate) fn lost(&self) -> Option<u64> {
        /// The place of the drops among the kernel's figures (`SK_MEMINFO_DROPS`).
        const DROPS: usize = 8;
        let mut figures = [0_u32; DROPS + 1];
        let mut length = size_of_val(&figures) as libc::socklen_t;
        // SAFETY: the kernel writes `length` octets at the most, and says how many it wrote.
        let done = unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_MEMINFO,
                figures.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        let whole = done == 0 && length as usize == size_of_val(&figures);
        whole.then(|| u64::from(figures[DROPS]))
    }

    /// A datagram of the last batch, and where it came from.
    pub(crate) fn datagram(&self, index: usize) -> (SocketAddr, Vec<u8>) {
        let length = self.lengths[index];
        let mut message = Vec::with_capacity(length);
        message.extend_from_slice(&self.heads[index * HEAD..][..length.min(HEAD)]);
        message.extend_from_slice(&self.tails[index * TAIL..][..length.saturating_sub(HEAD)]);
        (self.sources[index], message)
    }

    /// Queues a datagram for the next `flush`.
    pub(crate) fn queue(&mut self, to: SocketAddr, message: Arc<[u8]>) {
        if self.waiting.len() >= BACKLOG {
            self.waiting.remove(0);
            self.unsent += 1;
        }
        self.waiting.push((to, message));
    }

    /// Sends what is queued; what the kernel has no room for stays queued.
    pub(crate) fn flush(&mut self) {
        let mut sent = 0;
        while sent < self.waiting.len() {
            let end = (sent + BATCH).min(self.waiting.len());
            match send_batch(&self.socket, &mut self.names, &self.waiting[sent..end]) {
                Ok(count) => {
                    sent += count.max(1);
                    self.sent += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // This one can't be sent (no route, refused); the others can.
                Err(_) => {
                    sent += 1;
                    self.unsent += 1;
                }
            }
        }
        self.waiting.drain(..sent);
    }

    /// Something is still queued.
    pub(crate) fn is_backed_up(&self) -> bool {
        !self.waiting.is_empty()
    }
}

/// Sends a batch at the most.
fn send_batch(
    socket: &UdpSocket,
    names: &mut [libc::sockaddr_storage],
    messages: &[(SocketAddr, Arc<[u8]>)],
) -> io::Result<usize> {
    let mut slices: Vec<_> = messages
        .iter()
        .map(|(_, message)| libc::iovec {
            iov_base: message.as_ptr().cast_mut().cast(),
            iov_len: message.len(),
        })
        .collect();
    let mut headers: Vec<_> = names
        .iter_mut()
        .zip(slices.chunks_exact_mut(1))
        .zip(messages)
        .map(|((name, slice), (to, _))| {
            let length = storage_of(*to, name);
            header(name, length, slice)
        })
        .collect();
    let count = headers.len() as libc::c_uint;
    // SAFETY: the headers point to names and messages that outlive the call.
    let sent = unsafe {
        libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, libc::MSG_DONTWAIT)
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(usize::try_from(sent).unwrap_or(0)) }
}

fn header(
    name: &mut libc::sockaddr_storage,
    length: usize,
    slices: &mut [libc::iovec],
) -> libc::mmsghdr {
    // SAFETY: zero is a valid value of this plain C struct.
    let mut header: libc::mmsghdr = unsafe { core::mem::zeroed() };
    header.msg_hdr.msg_name = core::ptr::from_mut(name).cast();
    header.msg_hdr.msg_namelen = length as libc::socklen_t;
    header.msg_hdr.msg_iov = slices.as_mut_ptr();
    header.msg_hdr.msg_iovlen = slices.len();
    header
}

fn address_of(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    let storage = core::ptr::from_ref(storage);
    // SAFETY: the family says which of the two structs the kernel wrote.
    unsafe {
        match i32::from((*storage).ss_family) {
            libc::AF_INET => {
                let v4 = &*storage.cast::<libc::sockaddr_in>();
                let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
                Some(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into())
            }
            libc::AF_INET6 => {
                let v6 = &*storage.cast::<libc::sockaddr_in6>();
                let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
                let port = u16::from_be(v6.sin6_port);
                Some(SocketAddrV6::new(ip, port, 0, v6.sin6_scope_id).into())
            }
            _ => None,
        }
    }
}

fn storage_of(address: SocketAddr, storage: &mut libc::sockaddr_storage) -> usize {
    let storage = core::ptr::from_mut(storage);
    // SAFETY: both structs fit into the storage, which is made for that.
    unsafe {
        match address {
            SocketAddr::V4(address) => {
                let v4 = &mut *storage.cast::<libc::sockaddr_in>();
                v4.sin_family = libc::AF_INET as libc::sa_family_t;
                v4.sin_port = address.port().to_be();
                v4.sin_addr.s_addr = u32::from(*address.ip()).to_be();
                size_of::<libc::sockaddr_in>()
            }
            SocketAddr::V6(address) => {
                let v6 = &mut *storage.cast::<libc::sockaddr_in6>();
                v6.sin6_family = libc::AF_INET6 as libc::sa_family_t;
                v6.sin6_port = address.port().to_be();
                v6.sin6_flowinfo = 0;
                v6.sin6_addr.s6_addr = address.ip().octets();
                v6.sin6_scope_id = address.scope_id();
                size_of::<libc::sockaddr_in6>()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From one octet to more than fits into the first piece.
    fn length(number: u8) -> usize {
        usize::from(number) * 30 + 1
    }

    #[test]
    fn what_the_kernel_has_no_room_for_is_counted() {
        let bind: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let mut here = Datagrams::bind(bind).unwrap();
        let there = std::net::UdpSocket::bind(bind).unwrap();
        assert_eq!(here.lost(), Some(0));
        // More than any buffer that may have been granted.
        for _ in 0..2000 {
            there.send_to(&[0; 60_000], here.local()).unwrap();
        }
        while here.receive().unwrap() > 0 {}
        let lost = here.lost().unwrap();
        assert!(lost > 0);
        assert_eq!(here.received + lost, 2000);
    }

    #[test]
    fn a_batch_goes_out_and_comes_in_with_its_addresses() {
        for bind in ["127.0.0.1:0", "[::1]:0"] {
            let bind: SocketAddr = bind.parse().unwrap();
            let (mut here, mut there) =
                (Datagrams::bind(bind).unwrap(), Datagrams::bind(bind).unwrap());
            for number in 0..100_u8 {
                here.queue(there.local(), vec![number; length(number)].into());
            }
            here.flush();
            assert!(!here.is_backed_up());
            assert_eq!((here.sent, here.unsent), (100, 0));
            let mut seen = 0;
            while seen < 100 {
                let count = there.receive().unwrap();
                for index in 0..count {
                    let (from, bytes) = there.datagram(index);
                    assert_eq!(from, here.local());
                    assert_eq!(bytes, vec![seen; length(seen)]);
                    seen += 1;
                }
            }
            assert_eq!(there.received, 100);
        }
    }
}
