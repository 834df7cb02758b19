//! What it costs to send and receive as many packets as calls do, and to do nothing else: the bare
//! equivalent beside which the driver is measured. One thread with the driver's slots of a
//! millisecond sends a packet of G.711 for each call every 20 ms and takes what comes.
//!
//! `cargo run --release --example bare -- [calls] [seconds]`. The far side is a process of its own,
//! started by this one, so that its cost does not count.

use core::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    net::UdpSocket,
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use mio::{Events, Interest, Poll, Token};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().collect();
    let number = |index: usize, default| {
        arguments.get(index).and_then(|word| word.parse().ok()).unwrap_or(default)
    };
    if arguments.get(1).is_some_and(|word| word == "far") {
        return far(number(2, 100), number(3, 15));
    }
    near(number(1, 100), number(2, 15))
}

/// The side that is measured.
fn near(calls: usize, seconds: usize) -> Result<(), Failure> {
    let mut sockets = open(calls)?;
    let mut far = Command::new(env::current_exe()?)
        .args(["far", &calls.to_string(), &seconds.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut to_far = far.stdin.take().ok_or("no pipe")?;
    tell(&sockets, &mut to_far)?;
    meet(&mut sockets, BufReader::new(far.stdout.take().ok_or("no pipe")?))?;
    let (began, before) = (Instant::now(), processor_time()?);
    let counted = pump(&mut sockets, Duration::from_secs(seconds as u64))?;
    let cores = (processor_time()? - before).as_secs_f64() / began.elapsed().as_secs_f64();
    far.wait()?;
    let (sent, received) = counted;
    println!(
        "bare sender and receiver: {cores:.4} cores, {sent} packets sent, {received} received"
    );
    Ok(())
}

fn far(calls: usize, seconds: usize) -> Result<(), Failure> {
    let mut sockets = open(calls)?;
    tell(&sockets, &mut io::stdout())?;
    meet(&mut sockets, io::stdin().lock())?;
    pump(&mut sockets, Duration::from_secs(seconds as u64))?;
    Ok(())
}

fn open(calls: usize) -> io::Result<Vec<UdpSocket>> {
    (0..calls).map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))).collect()
}

/// Tells the other side where the sockets are.
fn tell(sockets: &[UdpSocket], out: &mut dyn Write) -> io::Result<()> {
    for socket in sockets {
        writeln!(out, "{}", socket.local_addr()?)?;
    }
    out.flush()
}

/// Hears where the other side's sockets are.
fn meet(sockets: &mut [UdpSocket], from: impl BufRead) -> Result<(), Failure> {
    for (socket, line) in sockets.iter().zip(from.lines()) {
        socket.connect(line?.parse::<SocketAddr>()?)?;
    }
    Ok(())
}

/// Sends and receives; answers how many packets.
fn pump(sockets: &mut [UdpSocket], length: Duration) -> io::Result<(u64, u64)> {
    let mut poll = Poll::new()?;
    let mut sockets: Vec<_> = sockets
        .iter()
        .map(|socket| {
            socket.set_nonblocking(true)?;
            Ok(mio::net::UdpSocket::from_std(socket.try_clone()?))
        })
        .collect::<io::Result<_>>()?;
    for (index, socket) in sockets.iter_mut().enumerate() {
        poll.registry().register(socket, Token(index), Interest::READABLE)?;
    }
    let (mut events, mut buffer) = (Events::with_capacity(1_024), [0; 2_048]);
    let (began, mut slot, mut sent, mut received) = (Instant::now(), 0_usize, 0, 0);
    while began.elapsed() < length {
        slot += 1;
        let due = began + Duration::from_millis(slot as u64);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        for socket in sockets.iter().skip(slot % SLOTS).step_by(SLOTS) {
            sent += u64::from(socket.send(&PACKET).is_ok());
        }
        poll.poll(&mut events, Some(Duration::ZERO))?;
        for event in &events {
            while sockets[event.token().0].recv(&mut buffer).is_ok() {
                received += 1;
            }
        }
    }
    Ok((sent, received))
}

/// What this process has had of the processors.
fn processor_time() -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanos = stat.split(' ').next().and_then(|word| word.parse().ok());
    Ok(Duration::from_nanos(nanos.ok_or("no time")?))
}

/// Slots of a millisecond in the 20 ms of a packet.
const SLOTS: usize = 20;

/// An RTP header and 20 ms of G.711.
const PACKET: [u8; 172] = [0x80; 172];
