//! A running node: everything is started here in order, and stopped in the opposite one.

mod clock;
mod doors;
mod engine_loop;
mod figures;
mod file_source;
mod first_start;
mod host_name;
mod keeper;
mod lanes;
mod leases;
mod lent;
mod life;
mod limits;
mod load;
mod operator;
mod orders;
mod outputs;
mod place;
mod prompts;
mod quarantine;
#[cfg(test)]
mod quarantine_tests;
mod services;
mod streams;
mod udp;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::{Context, Result};
use jackfield_engine::{Engine, Identity, Input};
use jackfield_media::{Driver, DriverHandle, DriverSettings, PromptLibrary};
use jackfield_model::setup::misplaced;
use jackfield_model::{Language, Service};
use jackfield_store::{Store, StoreHandle, StoreSettings, Verifier};
use jackfield_web::{App, AppSettings, Connections, PhoneFiles};
use tokio::runtime::Runtime;
use tokio::sync::{Notify, watch};

use clock::Clock;
use doors::{AlarmBoard, FileAccess, Replies};
use engine_loop::{EngineThread, LoopSettings, Machine};
use file_source::TftpFiles;
use first_start::Arrival;
use host_name::HostName;
use keeper::Keeper;
use lanes::Lanes;
use leases::{LeaseKeeper, Name};
use life::Life;
use operator::NodeOperator;
use outputs::Outputs;
use place::PlaceNow;
use services::{Services, http_door, tftp_door};
use streams::Streams;

use crate::say::say;

pub(crate) use first_start::{SAMPLE_PIN, Sample};
pub(crate) use prompts::find as find_prompts;

/// Where everything is kept.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseChoice {
    /// Folder of the built-in database and of the key file.
    pub(crate) folder: PathBuf,
    /// A PostgreSQL server in place of the built-in database.
    pub(crate) url: Option<String>,
}

impl DatabaseChoice {
    /// The store's settings, with the data folder made.
    pub(crate) fn store_settings(&self) -> Result<StoreSettings> {
        std::fs::create_dir_all(&self.folder)
            .with_context(|| format!("making the data folder {}", self.folder.display()))?;
        // Where a node has run there is a system, and a new one in its place would be a loss.
        let has_run = self.folder.join(leases::IDENTITY).exists();
        Ok(if has_run { self.settings().existing() } else { self.settings() })
    }

    /// The store's settings; nothing is made.
    pub(crate) fn settings(&self) -> StoreSettings {
        match &self.url {
            None => StoreSettings::in_folder(&self.folder),
            Some(url) => StoreSettings::on_server(url, &self.folder.join("key")),
        }
    }
}

/// With what a node starts.
#[derive(Clone, Debug)]
pub(crate) struct ServeSettings {
    pub(crate) place: DatabaseChoice,
    /// This node's name in the cluster.
    pub(crate) node: Box<str>,
    /// The address by which phones reach it; found out when not given.
    pub(crate) address: Option<IpAddr>,
    pub(crate) sip: SocketAddr,
    /// Somebody named the port of `sip`; else that of the node's settings is taken.
    pub(crate) sip_is_given: bool,
    pub(crate) http: SocketAddr,
    pub(crate) files: SocketAddr,
    pub(crate) tftp: SocketAddr,
    pub(crate) media_ports: RangeInclusive<u16>,
    pub(crate) prompts: Option<PathBuf>,
    /// Make a company to try things on, on the first start.
    pub(crate) sample: Option<Sample>,
}

/// A running node.
pub(crate) struct Server {
    runtime: Runtime,
    engine: EngineThread,
    services: Arc<Services>,
    media: Arc<DriverHandle>,
    /// The engine's thread holds these threads.
    lives: [(&'static str, Life); 2],
    verifier: Weak<Verifier>,
    store: Option<Store>,
    addresses: Addresses,
    one_time_password: Option<String>,
    place: Arc<PlaceNow>,
    /// The people's door closes when this goes.
    http_door: watch::Sender<bool>,
}

/// Where a node listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) advertised: IpAddr,
    pub(crate) sip: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) files: SocketAddr,
    pub(crate) tftp: SocketAddr,
}

impl Server {
    /// Starts everything; what a phone needs is there when this returns.
    pub(crate) fn start(settings: ServeSettings) -> Result<Self> {
        Self::start_around(settings, |engine| engine)
    }

    /// Starts everything around what is made of the engine: the engine itself, but for tests.
    fn start_around<M: Machine>(
        settings: ServeSettings,
        machine: impl FnOnce(Engine) -> M,
    ) -> Result<Self> {
        limits::raise_file_limit();
        limits::keep_private(&settings.place.folder);
        let clock = Clock::start();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("doors")
            .enable_all()
            .build()
            .context("starting the runtime of the doors")?;
        let access = FileAccess::default();
        let (unbound, lanes) = engine_loop::prepare()?;
        let news = Arc::new(Notify::new());
        let store = open_store(&settings, &lanes, &access, &news)?;
        let handle = store.handle();
        let name = Name::take(&handle, &settings.node, &settings.place.folder)?;
        let advertised = place::advertised(&handle.directory(), &settings);
        let (prepared, sip) = unbound.bind(LoopSettings {
            sip: free_port(place::sip(&handle.directory(), &settings))?,
            advertised,
            quarantine: settings.place.folder.join("quarantine"),
        })?;
        let figures = prepared.figures();
        let arrival = first_start::arrive(&handle, &settings, advertised, sip.port())?;
        let library = Arc::new(prompts::open(settings.prompts.as_deref())?);
        let media = start_media(&settings, advertised, &library, &lanes)?;
        let verifier = Arc::new(Verifier::start(&handle, 2).context("starting the verifier")?);
        let watched = Arc::downgrade(&verifier);
        let (replies, alarms) = (Replies::default(), AlarmBoard::default());
        let streams = Streams::new(lanes.clone());
        let outputs = Outputs {
            node: settings.node.clone(),
            lanes: lanes.clone(),
            store: handle.clone(),
            verifier,
            media: Arc::clone(&media),
            keeper: Keeper::start(handle.clone(), (&*settings.node).into())?,
            leases: LeaseKeeper::start(handle.clone(), lanes.clone(), clock, name, sip.port())?,
            access: Arc::clone(&access),
            replies: replies.clone(),
            alarms: alarms.clone(),
            clock,
            runtime: runtime.handle().clone(),
        };
        let (desk, sip_ports) = (outputs.leases.desk(), outputs.leases.sip_ports());
        let lives =
            [("the leases", outputs.leases.life()), ("the keeper", outputs.keeper.life())];
        let engine = start_engine(&settings, &handle, clock, &outputs)?;
        let engine = EngineThread::start(
            prepared,
            lanes.clone(),
            machine(engine),
            clock,
            outputs,
            streams.clone(),
            runtime.handle().clone(),
        )?;
        if arrival == Arrival::Founded {
            first_start::furnish(&handle, &settings)?;
        } else if settings.sample.is_some() {
            tracing::warn!(
                "there is a system already: a sample company comes with a first start only"
            );
        }
        let listener = bind_tcp(&runtime, sip).context("binding SIP over TCP")?;
        runtime.spawn(streams.clone().accept(listener));

        let (http, http_address) = bind_http(settings.http)?;
        let files_address = free_port(settings.files)?;
        let tftp_address = settings.tftp;
        let files = PhoneFiles::new(
            handle.clone(),
            access,
            move || clock.now(),
            &settings.node,
            {
                let ports = sip_ports.clone();
                move || ports.now()
            },
            http_address.port(),
            files_address.port(),
        );
        let given = lanes.clone();
        files.tell_given(move |device| {
            // An engine that is too busy to hear it hears it with the next file.
            let _ = given.input(Input::PasswordGiven { device });
        });
        let mut doors = BTreeMap::new();
        let tftp_files = Arc::new(TftpFiles(files.clone()));
        let tftp = crate::tftp::Board::default();
        let tftp_door = tftp_door(runtime.handle().clone(), tftp_address, tftp_files, tftp.clone());
        doors.insert(Service::Tftp, tftp_door);
        let file_router = jackfield_web::file_router(files.clone());
        let connections = Connections::new(limits::file_limit() / 4);
        let file_http =
            http_door(runtime.handle().clone(), files_address, file_router, connections.clone());
        doors.insert(Service::FileHttp, file_http);
        let services = Arc::new(Services {
            node: settings.node.clone(),
            store: handle.clone(),
            lanes: lanes.clone(),
            prompts: library,
            leases: desk,
            doors,
            running: Mutex::default(),
            obeyed: Mutex::default(),
        });
        let place = Arc::new(PlaceNow {
            store: handle.clone(),
            settings: settings.clone(),
            address: advertised,
            sip,
            ports: sip_ports,
            name: HostName::default(),
        });
        let operator = Arc::new(NodeOperator {
            place: Arc::clone(&place),
            services: Arc::clone(&services),
            lanes,
            replies,
            alarms,
            figures,
            streams,
            tftp,
            media: Arc::clone(&media),
        });
        let router = jackfield_web::router(App::new(AppSettings {
            store: handle,
            store_settings: settings.place.store_settings()?,
            operator,
            files,
            node: settings.node.clone(),
            web_port: http_address.port(),
            backups: settings.place.folder.join("backups"),
            connections: connections.clone(),
        }));
        runtime.spawn(prune_hourly(store.handle()));
        let http_door = http_listener(&runtime, http, router, connections)?;
        services.start_activated();
        runtime.spawn(follow_activation(Arc::clone(&services), news));
        runtime.spawn(orders::obey_others(Arc::clone(&services)));
        let one_time_password = match arrival {
            Arrival::Founded | Arrival::Returned => {
                first_start::one_time_password(&store.handle())?
            }
            Arrival::Joined => None,
        };
        Ok(Self {
            runtime,
            engine,
            services,
            media,
            lives,
            verifier: watched,
            store: Some(store),
            addresses: Addresses {
                advertised,
                sip,
                http: http_address,
                files: files_address,
                tftp: tftp_address,
            },
            one_time_password,
            place,
            http_door,
        })
    }

    /// Where it listens.
    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The first administrator's one-time password, when this was the first start.
    pub(crate) fn one_time_password(&self) -> Option<&str> {
        self.one_time_password.as_deref()
    }

    /// Tells a person where the node is and what to do next.
    pub(crate) fn say_ready(&self) {
        let Addresses { advertised, sip, http, files, tftp } = self.addresses;
        let page = SocketAddr::new(
            if http.ip().is_unspecified() { advertised } else { http.ip() },
            http.port(),
        );
        say!("Jackfield {}", env!("CARGO_PKG_VERSION"));
        let door = |service, address: SocketAddr| match self.services.is_running(service) {
            true => address.to_string(),
            false => format!("{address} (not open)"),
        };
        let (files, tftp) = (door(Service::FileHttp, files), door(Service::Tftp, tftp));
        say!("  phones:  SIP {sip} (UDP, TCP); files by HTTP {files}, by TFTP {tftp}");
        say!("  people:  http://{page}/api/v1 and the jackfield command");
        if let Some(password) = &self.one_time_password {
            say!("  first administrator: admin, one-time password: {password}");
            // As it was typed here, so that it can be typed again.
            let command = std::env::args().next().unwrap_or_else(|| "jackfield".into());
            say!("  next:    {command} --server http://{page} login admin");
            say!("           {command} password admin");
            say!("           {command} setup");
        }
        let directory = self.store.as_ref().map(Store::directory).unwrap_or_default();
        let place = self.runtime.block_on(self.place.tell());
        for finding in misplaced(&directory, &place, Language::English) {
            say!("  warning: {} {}", finding.text, finding.remedy.unwrap_or_default());
        }
        say!("ready: {page}");
    }

    /// Waits for Ctrl-C or SIGTERM. An error when a thread ends without which a node is none: its
    /// process had better be started again. (The engine's ends the process by itself.)
    pub(crate) fn wait_for_signal(&self) -> Result<()> {
        self.runtime.block_on(async {
            let mut terminate =
                tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
            let terminated = async {
                match &mut terminate {
                    Ok(signal) => {
                        signal.recv().await;
                    }
                    Err(_) => core::future::pending().await,
                }
            };
            tokio::select! {
                _ = tokio::signal::ctrl_c() => Ok(()),
                () = terminated => Ok(()),
                name = self.dead_thread() => anyhow::bail!("the thread of {name} has ended"),
            }
        })
    }

    /// Ends when a thread has ended; whose it was.
    async fn dead_thread(&self) -> &'static str {
        let mut looks = tokio::time::interval(Duration::from_secs(1));
        loop {
            looks.tick().await;
            if !self.media.runs() {
                return "the media driver";
            }
            if !self.store.as_ref().is_some_and(Store::runs) {
                return "the store";
            }
            if self.verifier.upgrade().is_some_and(|verifier| !verifier.runs()) {
                return "the verifier";
            }
            if let Some((name, _)) = self.lives.iter().find(|(_, life)| life.is_over()) {
                return name;
            }
        }
    }

    /// Stops everything, the doors first and the store last; ends the process where that takes
    /// longer than [`STOPPING`].
    pub(crate) fn stop(mut self) {
        let _stopped = end_at_the_latest(STOPPING);
        let _ = self.http_door.send(true);
        self.services.stop_all();
        self.engine.stop();
        self.media.stop();
        self.runtime.shutdown_timeout(Duration::from_secs(2));
        drop(self.store.take());
    }
}

/// A database that is there and silent keeps whoever waits for it as long as it likes. What it has
/// acknowledged is safe by then, and nothing else was promised to anybody.
const STOPPING: Duration = Duration::from_secs(12);

/// Ends the process after `limit`, unless what is returned was dropped before.
fn end_at_the_latest(limit: Duration) -> Sender<()> {
    let (stopped, waits) = mpsc::channel();
    let end = move || {
        if waits.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            tracing::error!(
                "stopping took longer than {} s, most likely because the database does not answer: \
                 ended without it",
                limit.as_secs()
            );
            crate::log::finish();
            std::process::exit(1);
        }
    };
    // Without a thread for it, whoever stops the process has to be patient.
    let _ = std::thread::Builder::new().name("stopping".into()).spawn(end);
    stopped
}

/// Opens the store; every change it commits goes to the engine and to the doors.
fn open_store(
    settings: &ServeSettings,
    lanes: &Lanes,
    access: &FileAccess,
    news: &Arc<Notify>,
) -> Result<Store> {
    let (lanes, access, news) = (lanes.clone(), Arc::clone(access), Arc::clone(news));
    Store::open(&settings.place.store_settings()?, move |directory, changed| {
        let mut table = access.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = changed.iter().filter(|id| directory.entry(**id).is_none());
        gone.for_each(|id| table.forget(*id));
        drop(table);
        let _ = lanes.input(Input::Directory { directory, changed });
        news.notify_one();
    })
    .context("opening the database")
}

/// Starts the driver of the node's own media.
fn start_media(
    settings: &ServeSettings,
    advertised: IpAddr,
    library: &Arc<PromptLibrary>,
    lanes: &Lanes,
) -> Result<Arc<DriverHandle>> {
    let mut driver = DriverSettings::new(settings.sip.ip(), random_number()?);
    driver.advertised = advertised;
    driver.ports = Some(settings.media_ports.clone());
    driver.closed =
        [settings.sip, settings.http, settings.files, settings.tftp].map(|at| at.port()).into();
    let lanes = lanes.clone();
    let driver = Driver::start(driver, Arc::clone(library), move |event| {
        let _ = lanes.input(Input::Media(event));
    });
    Ok(Arc::new(driver.context("starting the media driver")?))
}

/// An engine that knows the registrations of the node's earlier life.
fn start_engine(
    settings: &ServeSettings,
    store: &StoreHandle,
    clock: Clock,
    outputs: &Outputs,
) -> Result<Engine> {
    let epoch = limits::next_epoch(&settings.place.folder)?;
    let identity = Identity { node: settings.node.clone(), epoch };
    let mut engine = Engine::new(identity, store.directory(), random_seed()?);
    let now = clock.now();
    let kept = store.bindings(&settings.node, now.wall).context("reading registrations")?;
    let kept = kept.into_iter().filter_map(|row| Some((row.device, row.blob?))).collect();
    let mut out = Vec::new();
    engine.restore_bindings(now, kept, &mut out);
    out.into_iter().for_each(|output| outputs.carry(output));
    Ok(engine)
}

fn bind_tcp(runtime: &Runtime, address: SocketAddr) -> Result<tokio::net::TcpListener> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    let _guard = runtime.enter();
    Ok(tokio::net::TcpListener::from_std(socket.into())?)
}

fn bind_http(address: SocketAddr) -> Result<(std::net::TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind(address)
        .with_context(|| format!("binding HTTP to {address}; choose another with --http"))?;
    listener.set_nonblocking(true)?;
    let local = listener.local_addr()?;
    Ok((listener, local))
}

/// Starts and stops services as they are activated and deactivated, at whatever node that is done.
async fn follow_activation(services: Arc<Services>, news: Arc<Notify>) {
    loop {
        news.notified().await;
        let services = Arc::clone(&services);
        // Opening a door may take a while.
        let _ = tokio::task::spawn_blocking(move || services.follow_activation()).await;
    }
}

/// Lets go of what the retention settings no longer keep: soon after the start, then each hour.
async fn prune_hourly(store: StoreHandle) {
    let mut hours = tokio::time::interval(Duration::from_secs(3600));
    hours.tick().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    loop {
        let store = store.clone();
        let pruned = tokio::task::spawn_blocking(move || store.prune(clock::wall())).await;
        if let Ok(Err(error)) = pruned {
            tracing::warn!(error.cause = %error, "what is past its retention could not be removed");
        }
        hours.tick().await;
    }
}

/// Opens the people's door.
fn http_listener(
    runtime: &Runtime,
    listener: std::net::TcpListener,
    router: axum::Router,
    connections: Connections,
) -> Result<watch::Sender<bool>> {
    let _guard = runtime.enter();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (door, closed) = watch::channel(false);
    runtime.spawn(jackfield_web::serve(listener, router, connections, closed));
    Ok(door)
}

/// Port 0 means any that is free for TCP and UDP alike: SIP takes both, and a door keeps its port
/// over restarts of its service.
fn free_port(address: SocketAddr) -> Result<SocketAddr> {
    const ATTEMPTS: usize = 64;
    if address.port() != 0 {
        return Ok(address);
    }
    for _ in 0..ATTEMPTS {
        let stream = std::net::TcpListener::bind(address)?;
        let chosen = stream.local_addr()?;
        if std::net::UdpSocket::bind(chosen).is_ok() {
            return Ok(chosen);
        }
    }
    anyhow::bail!("no port of {} is free for TCP and UDP both", address.ip())
}

fn random_seed() -> Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("asking the system for randomness")?;
    Ok(seed)
}

fn random_number() -> Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).context("asking the system for randomness")?;
    Ok(u64::from_le_bytes(bytes))
}
