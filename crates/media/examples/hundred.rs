//! A hundred calls at once: G.711, prompts playing, keys as events and as tones, RTP both ways.
//! Prints what the driver's threads cost and how far its packets stray from the 20 ms clock.
//!
//! `cargo run --release --example hundred -- [calls] [seconds]`. The far side is a process of its
//! own, started by this one, so that its cost does not count; it checks the clock too, by the
//! arrival of the packets of one call.

use core::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    net::UdpSocket,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::Instant,
};

use jackfield_media::{
    Driver, DriverHandle, DriverSettings, EmptyShelf, Metronome, PromptLibrary, RTP_PACKET_LIMIT,
    Stream, StreamSeed, StreamSettings,
};
use jackfield_vocabulary::{
    Codec, DigitSource, MediaCommand, MediaEvent, MediaId, MediaTarget, PlayId, PlayItem,
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().collect();
    if arguments.get(1).is_some_and(|word| word == "far") {
        return far_side();
    }
    let number = |index: usize, default| {
        arguments.get(index).and_then(|word| word.parse().ok()).unwrap_or(default)
    };
    measure(number(1, 100), number(2, 20))
}

/// The node's side: the driver that is measured.
fn measure(calls: u64, seconds: u64) -> Result<(), Failure> {
    let counts = Arc::new(Counts::default());
    let (allocated, locals) = std::sync::mpsc::channel();
    let counting = counts.clone();
    let tell = move |event| match event {
        MediaEvent::Allocated { local, .. } => {
            // The receiver lives as long as resources are allocated.
            let _ = allocated.send(local);
        }
        MediaEvent::Digit { source: DigitSource::Event, .. } => add(&counting.events),
        MediaEvent::Digit { .. } => add(&counting.tones),
        MediaEvent::Failed { media, failure } => eprintln!("{media:?}: {failure:?}"),
        _ => {}
    };
    let driver = Driver::start(DriverSettings::new(HERE, 1), Arc::new(prompts()), tell)?;
    let mut nodes: Vec<SocketAddr> = Vec::new();
    for call in 0..calls {
        order(&driver, MediaCommand::Allocate { media: MediaId(call) })?;
        nodes.push(locals.recv_timeout(Duration::from_secs(5))?);
    }

    let mut far = Command::new(env::current_exe()?)
        .args(["far", &seconds.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut to_far = far.stdin.take().ok_or("no pipe")?;
    let mut from_far = BufReader::new(far.stdout.take().ok_or("no pipe")?);
    writeln!(to_far, "{calls}")?;
    for (call, node) in nodes.iter().enumerate() {
        writeln!(to_far, "{node}")?;
        let mut line = String::new();
        from_far.read_line(&mut line)?;
        connect(&driver, call as u64, line.trim().parse()?)?;
    }
    to_far.flush()?;

    thread::sleep(Duration::from_secs(2));
    let (before, cpu) = (driver.figures(), cpu_of("media"));
    let (begun, metronome) = (Instant::now(), Metronome::start()?);
    thread::sleep(Duration::from_secs(seconds.saturating_sub(4).max(1)));
    let (after, used) = (driver.figures(), cpu_of("media").saturating_sub(cpu));
    let took = begun.elapsed();
    let timer = metronome.stop().ok_or("the metronome panicked")?;

    let cores = used.as_secs_f64() / took.as_secs_f64();
    let rate = |more: u64, less: u64| (more - less) as f64 / took.as_secs_f64();
    println!("media-calls: {calls} calls");
    println!("load: {}", fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    println!("media-cpu: {cores:.4} cores");
    println!("media-sent: {:.0} packets/s", rate(after.sent, before.sent));
    println!("media-received: {:.0} packets/s", rate(after.received, before.received));
    for (name, part) in [("50", 0.5), ("99", 0.99), ("99.9", 0.999), ("100", 1.0)] {
        println!("media-clock-p{name}: {:.2} ms", after.lateness_at(part).as_secs_f64() * 1e3);
    }
    let mut alone = timer.lateness;
    alone.sort_unstable();
    let at = |part: f64| alone[((alone.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    println!("timer-alone-p99.9: {:.2} ms, rank {}", at(0.999), timer.rank);
    println!("media-clock-resets: {}", after.clock_resets);
    let mut line = String::new();
    from_far.read_line(&mut line)?;
    print!("{line}");
    far.wait()?;
    println!("media-digits-by-event: {}", counts.events.load(Ordering::Relaxed));
    println!("media-digits-by-tone: {}", counts.tones.load(Ordering::Relaxed));
    println!("media-ignored: {} datagrams", driver.figures().ignored);
    Ok(())
}

fn connect(driver: &DriverHandle, call: u64, remote: SocketAddr) -> Result<(), Failure> {
    let media = MediaId(call);
    let target = MediaTarget {
        remote,
        rtcp: None,
        signalled: None,
        codec: Codec::Pcmu,
        payload_type: 0,
        event_payload_type: by_event(call).then_some(101),
        ptime: 20,
        send: true,
        receive: true,
        patience: Duration::from_secs(60),
    };
    order(driver, MediaCommand::Connect { media, target })?;
    let prompt = PlayItem::Prompt { locale: "en-US".into(), prompt: "long".into() };
    let items = vec![prompt; 200];
    order(driver, MediaCommand::Play { media, play: PlayId(call), items, barge_in: false })
}

/// Half of the calls press keys as events, half as tones.
fn by_event(call: u64) -> bool {
    call.is_multiple_of(2)
}

fn order(driver: &DriverHandle, command: MediaCommand) -> Result<(), Failure> {
    driver.send(command).map_err(|command| format!("the lane is full: {command:?}").into())
}

/// The far side: streams on plain sockets, spread over the 20 ms, a key a second on each.
fn far_side() -> Result<(), Failure> {
    let seconds: u64 = env::args().nth(2).ok_or("how long?")?.parse()?;
    let mut lines = std::io::stdin().lines();
    let calls: u64 = lines.next().ok_or("how many?")??.parse()?;
    let mut phones = Vec::new();
    for call in 0..calls {
        let node: SocketAddr = lines.next().ok_or("where?")??.parse()?;
        let socket = UdpSocket::bind((HERE, 0))?;
        socket.set_nonblocking(true)?;
        println!("{}", socket.local_addr()?);
        let settings = StreamSettings {
            codec: Codec::Pcmu,
            payload_type: 0,
            event_payload_type: by_event(call).then_some(101),
            ptime: 20,
            ear: false,
            tones: false,
        };
        let seed = StreamSeed { ssrc: call as u32, sequence: 0, timestamp: 0 };
        let mut stream = Stream::new(settings, seed).ok_or("no codec")?;
        let keys = PlayItem::Digits("1".into());
        let items = vec![[keys, PlayItem::Silence(800)]; 128].concat();
        stream
            .play(PlayId(1), items, false, &EmptyShelf, &mut |_| {})
            .map_err(|_| "nothing to play")?;
        phones.push((socket, node, stream));
    }
    let watched = phones.first().map(|(socket, ..)| socket.try_clone()).ok_or("no calls")??;
    let watcher = thread::spawn(move || watch(&watched, seconds));
    talk(&mut phones, seconds);
    println!("{}", watcher.join().map_err(|_| "the watcher panicked")?);
    Ok(())
}

fn talk(phones: &mut [(UdpSocket, SocketAddr, Stream)], seconds: u64) {
    let begun = Instant::now();
    let mut trash = [0; RTP_PACKET_LIMIT];
    for tick in 0..seconds * 1_000 {
        let due = begun + Duration::from_millis(tick);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let first = (tick % 20) as usize;
        for (index, (socket, node, stream)) in phones.iter_mut().enumerate().skip(first).step_by(20)
        {
            let mut packet = [0; RTP_PACKET_LIMIT];
            let length = stream.send(&EmptyShelf, &mut packet, &mut |_| {});
            // Nobody listens once the node has stopped.
            let _ = socket.send_to(&packet[..length], *node);
            // The packets of the first call are the watcher's.
            while index > 0 && socket.recv(&mut trash).is_ok() {}
        }
    }
}

/// How far the packets of one call arrive from their clock, the watcher's own delay included.
fn watch(socket: &UdpSocket, seconds: u64) -> String {
    let mut arrivals: Vec<(u32, Duration)> = Vec::new();
    let begun = Instant::now();
    let mut packet = [0; RTP_PACKET_LIMIT];
    while begun.elapsed() < Duration::from_secs(seconds.saturating_sub(1)) {
        while let Ok(length) = socket.recv(&mut packet) {
            if let Ok(parsed) = jackfield_media::RtpPacket::parse(&packet[..length]) {
                arrivals.push((parsed.header.timestamp, begun.elapsed()));
            }
        }
        thread::sleep(Duration::from_micros(100));
    }
    let Some((first, _)) = arrivals.first().copied() else { return "nothing came".to_owned() };
    let offset = |(timestamp, at): &(u32, Duration)| {
        at.as_secs_f64() * 1e3 - f64::from(timestamp.wrapping_sub(first)) / 8.0
    };
    let mut offsets: Vec<f64> = arrivals.iter().skip(50).map(offset).collect();
    offsets.sort_by(f64::total_cmp);
    let at = |part: f64| offsets[((offsets.len() - 1) as f64 * part) as usize];
    format!(
        "media-clock-far-p99.9: {:.2} ms (one call, seen from the far side, {} packets)",
        at(0.999) - at(0.0),
        offsets.len()
    )
}

/// CPU time of this process's threads whose name begins so.
fn cpu_of(name: &str) -> Duration {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let ours = tasks.filter(|task| {
        fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.starts_with(name))
    });
    // The first field of schedstat is the time on a CPU in nanoseconds.
    let spent = ours.filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok());
    spent
        .filter_map(|line| line.split(' ').next()?.trim().parse().ok())
        .map(Duration::from_nanos)
        .sum()
}

#[derive(Default)]
struct Counts {
    events: AtomicU64,
    tones: AtomicU64,
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Three seconds of something like a voice.
fn prompts() -> PromptLibrary {
    let library = PromptLibrary::in_memory();
    let sound: Vec<i16> = (0..48_000)
        .map(|n| {
            let time = f64::from(n) / 16e3;
            let pitch = (time * 130.0 * core::f64::consts::TAU).sin();
            let loud = (time * 3.0 * core::f64::consts::TAU).sin().abs();
            (6_000.0 * pitch * loud) as i16
        })
        .collect();
    library.insert("en-US", "long", &sound);
    library
}
