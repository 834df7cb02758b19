//! A running node: everything is started here in order, and stopped in the opposite one.

mod clock;
mod doors;
mod elsewhere;
mod engine_loop;
mod figures;
mod file_source;
mod first_start;
mod gather;
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
mod ready;
mod services;
mod settings;
mod sockets;
mod stop;
mod streams;
mod udp;
mod windows;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use jackfield_engine::{Engine, Identity, Input, KeptBinding};
use jackfield_media::{Driver, DriverHandle, DriverSettings, PromptLibrary};
use jackfield_model::Service;
use jackfield_store::{Store, StoreError, StoreHandle, Verifier};
use jackfield_vocabulary::UnixTime;
use jackfield_web::{App, AppSettings, Connections, PhoneFiles};
use tokio::runtime::{Handle, Runtime};
use tokio::signal::unix::Signal;
use tokio::sync::{Notify, watch};

use clock::Clock;
use doors::{AlarmBoard, FileAccess, Replies};
use elsewhere::Lookout;
use engine_loop::{EngineThread, LoopSettings, Machine};
use file_source::TftpFiles;
use first_start::Arrival;
use host_name::HostName;
use keeper::Keeper;
use lanes::Lanes;
use leases::{LeaseKeeper, Name, SipPortsHeard};
use life::Life;
use operator::NodeOperator;
use outputs::Outputs;
use place::PlaceNow;
use services::{Door, Services, http_door, tftp_door};
use sockets::{bind_http, bind_tcp, free_port};
use streams::Streams;

pub(crate) use first_start::{SAMPLE_PIN, Sample};
pub(crate) use prompts::find as find_prompts;
pub(crate) use settings::{DatabaseChoice, ServeSettings};

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
    terminate: Option<Signal>,
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
        let runtime = runtime()?;
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
        let lives = [("the leases", outputs.leases.life()), ("the keeper", outputs.keeper.life())];
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
        // Whoever finds a door open may end the node in good order.
        let terminate =
            settings.until_terminated.then(|| stop::terminations(&runtime)).transpose()?;
        let listener = bind_tcp(&runtime, sip).context("binding SIP over TCP")?;
        runtime.spawn(streams.clone().accept(listener));

        let (http, http_address) = bind_http(settings.http)?;
        let files_address = free_port(settings.files)?;
        let tftp_address = settings.tftp;
        let ports = (http_address.port(), files_address.port());
        let heard = sip_ports.clone();
        let lookout = Lookout {
            node: settings.node.clone(),
            store: handle.clone(),
            access: Arc::clone(&access),
            lanes: lanes.clone(),
            clock,
        };
        let windows = windows::follow(handle.clone(), Arc::clone(&access), clock);
        let files = phone_files(&settings, &handle, access, clock, heard, &lanes, ports);
        let tftp = crate::tftp::Board::default();
        let connections = Connections::new(limits::file_limit() / 4);
        let doors = phone_doors(
            runtime.handle(),
            &files,
            (tftp_address, tftp.clone()),
            (files_address, connections.clone()),
        );
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
        runtime.spawn(elsewhere::follow(lookout));
        runtime.spawn(windows);
        let http_door = http_listener(&runtime, http, router, connections)?;
        services.start_activated();
        runtime.spawn(follow_activation(Arc::clone(&services), news));
        runtime.spawn(orders::obey_others(Arc::clone(&services)));
        runtime.spawn(services::keep_doors_open(Arc::clone(&services)));
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
            terminate,
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
    .map_err(|error| match error {
        StoreError::Corrupt(message) => anyhow!(
            "opening the database: {message}\nIf it is damaged, put it aside and restore the last \
             backup: `jackfield restore --help`"
        ),
        error => anyhow!(error).context("opening the database"),
    })
}

/// What the doors live in.
fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("doors")
        .enable_all()
        .build()
        .context("starting the runtime of the doors")
}

/// What phones fetch; `ports` are those of people's and of phones' HTTP.
fn phone_files(
    settings: &ServeSettings,
    store: &StoreHandle,
    access: FileAccess,
    clock: Clock,
    sip_ports: SipPortsHeard,
    lanes: &Lanes,
    ports: (u16, u16),
) -> PhoneFiles {
    let (now, heard) = (move || clock.now(), move || sip_ports.now());
    let files =
        PhoneFiles::new(store.clone(), access, now, &settings.node, heard, ports.0, ports.1);
    let given = lanes.clone();
    files.tell_given(move |device| {
        // An engine that is too busy to hear it hears it with the next file.
        let _ = given.input(Input::PasswordGiven { device });
    });
    files
}

/// Where phones fetch it, by TFTP and by HTTP.
fn phone_doors(
    runtime: &Handle,
    files: &PhoneFiles,
    (tftp, board): (SocketAddr, crate::tftp::Board),
    (http, connections): (SocketAddr, Connections),
) -> BTreeMap<Service, Door> {
    let source = Arc::new(TftpFiles(files.clone()));
    let router = jackfield_web::file_router(files.clone());
    BTreeMap::from([
        (Service::Tftp, tftp_door(runtime.clone(), tftp, source, board)),
        (Service::FileHttp, http_door(runtime.clone(), http, router, connections)),
    ])
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
    let kept = kept.into_iter().filter_map(|row| {
        let over = row.expires <= now.wall;
        Some(KeptBinding { device: row.device, binding: row.blob?, over })
    });
    let kept = kept.collect();
    windows::hear(store, &outputs.access, clock, UnixTime(0)).context("reading windows")?;
    let mut out = Vec::new();
    engine.restore_bindings(now, kept, &mut out);
    out.into_iter().for_each(|output| outputs.recall(output));
    Ok(engine)
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
