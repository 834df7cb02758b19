//! Services of this node. Configured, running and in service are three states: a service is
//! configured by its activation, runs with the settings it started with, and is in service when
//! what it needs is there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jackfield_engine::{Input, SelfProvisioningStart, ServiceOrder};
use jackfield_media::{PromptLibrary, g729_available};
use jackfield_model::{SelfProvisioning, Service, ServiceActivation};
use jackfield_store::StoreHandle;
use jackfield_vocabulary::{Code, Refusal};
use jackfield_web::{Connections, ServiceAction};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::lanes::Lanes;
use super::leases::LeaseDesk;
use crate::tftp;

/// Opens the listener of a door; called at each start of its service.
pub(crate) type Door = Box<dyn Fn(watch::Receiver<bool>) -> Result<JoinHandle<()>> + Send + Sync>;

/// Starts and stops the services of this node.
pub(crate) struct Services {
    pub(crate) node: Box<str>,
    pub(crate) store: StoreHandle,
    pub(crate) lanes: Lanes,
    pub(crate) prompts: Arc<PromptLibrary>,
    pub(crate) leases: LeaseDesk,
    pub(crate) doors: BTreeMap<Service, Door>,
    pub(crate) running: Mutex<BTreeMap<Service, Running>>,
    /// The activation as it was obeyed last.
    pub(crate) obeyed: Mutex<BTreeSet<Service>>,
}

/// A running service.
pub(crate) enum Running {
    /// Inside the engine.
    Engine,
    /// The IVR, with the settings that it started with.
    SelfProvisioning(Arc<SelfProvisioningStart>),
    /// A task with a door.
    Door { stop: watch::Sender<bool>, task: JoinHandle<()> },
}

impl Running {
    fn lives(&self) -> bool {
        !matches!(self, Self::Door { task, .. } if task.is_finished())
    }
}

impl Services {
    /// Starts everything that is activated on this node; what can't start is logged.
    pub(crate) fn start_activated(&self) {
        let mut obeyed = self.obeyed.lock().unwrap_or_else(PoisonError::into_inner);
        *obeyed = self.activated().unwrap_or_default();
        for service in Service::ALL {
            if obeyed.contains(service) {
                self.start_or_say_why(*service);
            }
        }
    }

    /// The activation of this node may have changed, by whomever: what was added starts, what was
    /// taken away stops, and what was started or stopped by hand stays as it is.
    pub(crate) fn follow_activation(&self) {
        let mut obeyed = self.obeyed.lock().unwrap_or_else(PoisonError::into_inner);
        // A node that was renamed or removed keeps running as it is until it is restarted.
        let Some(activated) = self.activated() else { return };
        for service in Service::ALL {
            match (obeyed.contains(service), activated.contains(service)) {
                (false, true) => self.start_or_say_why(*service),
                (true, false) => {
                    if let Err(refusal) = self.stop(*service) {
                        tracing::error!(
                            service.name = service.name(),
                            refusal = %refusal,
                            "a deactivated service could not be stopped"
                        );
                    }
                }
                _ => {}
            }
        }
        *obeyed = activated;
    }

    fn start_or_say_why(&self, service: Service) {
        if let Err(refusal) = self.start(service) {
            tracing::error!(
                service.name = service.name(),
                refusal = %refusal,
                "an activated service could not be started"
            );
        }
    }

    /// The services that are activated on this node, where the configuration knows it.
    fn activated(&self) -> Option<BTreeSet<Service>> {
        let directory = self.store.directory();
        let activation = directory.named::<ServiceActivation>(&self.node);
        activation.map(|(_, one)| one.services.iter().copied().collect())
    }

    /// The service runs; a door that closed by itself does not.
    pub(crate) fn is_running(&self, service: Service) -> bool {
        self.lock().get(&service).is_some_and(Running::lives)
    }

    /// Opens doors again that closed by themselves.
    fn reopen(&self) {
        let mut running = self.lock();
        for (service, door) in running.iter_mut().filter(|(_, one)| !one.lives()) {
            tracing::error!(service.name = service.name(), "a door closed by itself");
            if let Ok(opened) = self.open(*service) {
                *door = opened;
            }
        }
    }

    /// The settings with which the IVR runs.
    pub(crate) fn self_provisioning(&self) -> Option<SelfProvisioning> {
        match self.lock().get(&Service::SelfProvisioningIvr) {
            Some(Running::SelfProvisioning(start)) => Some(start.settings.clone()),
            _ => None,
        }
    }

    /// Starts a service that does not run.
    pub(crate) fn start(&self, service: Service) -> Result<(), Refusal> {
        let mut running = self.lock();
        if running.get(&service).is_some_and(Running::lives) {
            return Ok(());
        }
        let started = match service {
            Service::CallManager => Running::Engine,
            Service::CtiManager => {
                self.order(ServiceOrder::StartCtiManager)?;
                Running::Engine
            }
            Service::SelfProvisioningIvr => {
                let start = Arc::new(self.self_provisioning_start());
                self.order(ServiceOrder::StartSelfProvisioning(Arc::clone(&start)))?;
                Running::SelfProvisioning(start)
            }
            door => self.open(door)?,
        };
        running.insert(service, started);
        self.leases.service(service, true);
        tracing::info!(service.name = service.name(), "service started");
        Ok(())
    }

    /// Stops a service; its calls and transfers end.
    pub(crate) fn stop(&self, service: Service) -> Result<(), Refusal> {
        if service == Service::CallManager {
            let refusal = Refusal::new(Code::Protected).object("service", service.name());
            return Err(refusal.value("rule", "service"));
        }
        let Some(running) = self.lock().remove(&service) else { return Ok(()) };
        self.leases.service(service, false);
        match (service, running) {
            (Service::CtiManager, _) => self.order(ServiceOrder::StopCtiManager)?,
            (Service::SelfProvisioningIvr, _) => self.order(ServiceOrder::StopSelfProvisioning)?,
            (_, Running::Door { stop, task }) => {
                let _ = stop.send(true);
                task.abort();
                wait_until_closed(&task);
            }
            _ => {}
        }
        tracing::info!(service.name = service.name(), "service stopped");
        Ok(())
    }

    /// Starts, stops or restarts a service. A restart has succeeded only when the service can work.
    pub(crate) fn operate(&self, service: Service, action: ServiceAction) -> Result<(), Refusal> {
        match action {
            ServiceAction::Start => self.start(service),
            ServiceAction::Stop => self.stop(service),
            ServiceAction::Restart => {
                self.stop(service)?;
                self.start(service)?;
                self.can_work(service)
            }
        }
    }

    /// What the IVR lacks in the settings with which it started (SP-26).
    fn can_work(&self, service: Service) -> Result<(), Refusal> {
        let running = self.lock();
        let (Service::SelfProvisioningIvr, Some(Running::SelfProvisioning(start))) =
            (service, running.get(&service))
        else {
            return Ok(());
        };
        let missing = |field: &str| Err(Refusal::new(Code::MissingField).field(field));
        match &start.settings {
            settings if settings.application_user.is_none() => missing("application_user"),
            settings if settings.route_point.is_none() => missing("route_point"),
            settings if start.languages.is_empty() => {
                let chosen: Vec<&str> = settings.languages.iter().map(|tag| &**tag).collect();
                let refusal = Refusal::new(Code::LanguageNotInstalled).field("languages");
                Err(refusal.value("name", chosen.join(", ")))
            }
            _ => Ok(()),
        }
    }

    /// Stops every service; for the end of the process.
    pub(crate) fn stop_all(&self) {
        for service in Service::ALL.iter().rev().filter(|one| **one != Service::CallManager) {
            // Whatever can't be told any more ends with the process.
            let _ = self.stop(*service);
        }
    }

    /// The language packs that the IVR can use of those it is set to, in their order.
    pub(crate) fn languages(&self, settings: &SelfProvisioning) -> Vec<Arc<str>> {
        let installed = self.prompts.packs();
        let is_installed = |locale: &str| installed.iter().any(|pack| &*pack.locale == locale);
        settings
            .languages
            .iter()
            .filter(|locale| is_installed(locale))
            .map(|locale| Arc::from(&**locale))
            .collect()
    }

    fn self_provisioning_start(&self) -> SelfProvisioningStart {
        let directory = self.store.directory();
        let settings = directory
            .all::<SelfProvisioning>()
            .next()
            .map(|(_, settings)| SelfProvisioning::clone(settings))
            .unwrap_or_default();
        let languages = self.languages(&settings);
        SelfProvisioningStart { settings, languages, g729: g729_available() }
    }

    fn open(&self, service: Service) -> Result<Running, Refusal> {
        let door = self
            .doors
            .get(&service)
            .ok_or_else(|| Refusal::new(Code::ServiceInactive).value("service", service.name()))?;
        let (stop, stopped) = watch::channel(false);
        let task = door(stopped).map_err(|error| {
            tracing::error!(error.cause = %format!("{error:#}"), "a door could not be opened");
            Refusal::new(Code::Internal).value("service", service.name())
        })?;
        Ok(Running::Door { stop, task })
    }

    fn order(&self, order: ServiceOrder) -> Result<(), Refusal> {
        self.lanes.input(Input::Service(order)).map_err(|_| Refusal::new(Code::Overloaded))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Service, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks after the doors, as long as the node lives.
pub(crate) async fn keep_doors_open(services: Arc<Services>) {
    loop {
        tokio::time::sleep(LOOK).await;
        services.reopen();
    }
}

/// The socket of a door is closed when its task is gone; until then it can't be opened again.
fn wait_until_closed(task: &JoinHandle<()>) {
    tokio::task::block_in_place(|| {
        let end = Instant::now() + CLOSING;
        while !task.is_finished() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

/// How often doors are looked after.
const LOOK: Duration = Duration::from_secs(5);
/// How long a door may take to close.
const CLOSING: Duration = Duration::from_secs(2);

/// The door of phone files by TFTP.
pub(crate) fn tftp_door(
    runtime: Handle,
    address: SocketAddr,
    source: Arc<dyn tftp::FileSource>,
    board: tftp::Board,
) -> Door {
    Box::new(move |stopped| {
        let socket = std::net::UdpSocket::bind(address)
            .with_context(|| format!("binding TFTP to {address}"))?;
        socket.set_nonblocking(true)?;
        let _guard = runtime.enter();
        let socket = tokio::net::UdpSocket::from_std(socket)?;
        let source = Arc::clone(&source);
        let (limits, board) = (tftp::Limits::default(), board.clone());
        Ok(runtime.spawn(async move {
            if let Err(error) = tftp::serve(socket, source, limits, board, stopped).await {
                tracing::error!(error.cause = %error, "the TFTP door closed");
            }
        }))
    })
}

/// The door of phone files by HTTP.
pub(crate) fn http_door(
    runtime: Handle,
    address: SocketAddr,
    router: axum::Router,
    connections: Connections,
) -> Door {
    Box::new(move |stopped| {
        let listener = std::net::TcpListener::bind(address)
            .with_context(|| format!("binding phone files over HTTP to {address}"))?;
        listener.set_nonblocking(true)?;
        let _guard = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (router, connections) = (router.clone(), connections.clone());
        Ok(runtime.spawn(async move {
            let _ = jackfield_web::serve(listener, router, connections, stopped).await;
        }))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use jackfield_model::{Actor, FirstStart, Operation};
    use jackfield_store::{Store, StoreSettings};
    use mio::{Poll, Token, Waker};

    use super::*;
    use crate::server::clock::Clock;
    use crate::server::leases::{LeaseKeeper, Name};

    /// Services with one door, and how often it was opened: the first time it closes by itself.
    fn with_a_door(store: StoreHandle, folder: &std::path::Path) -> (Services, Arc<AtomicU32>) {
        let opened = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&opened);
        let door: Door = Box::new(move |_| {
            let first = count.fetch_add(1, Ordering::Relaxed) == 0;
            Ok(tokio::spawn(async move {
                if !first {
                    core::future::pending::<()>().await;
                }
            }))
        });
        let poll = Poll::new().unwrap();
        let (lanes, _arrivals) = Lanes::new(Waker::new(poll.registry(), Token(0)).unwrap());
        let name = Name::take(&store, "node1", folder).unwrap();
        let keeper =
            LeaseKeeper::start(store.clone(), lanes.clone(), Clock::start(), name, 5060).unwrap();
        let services = Services {
            node: "node1".into(),
            store,
            lanes,
            prompts: Arc::new(PromptLibrary::in_memory()),
            leases: keeper.desk(),
            doors: BTreeMap::from([(Service::Tftp, door)]),
            running: Mutex::default(),
            obeyed: Mutex::default(),
        };
        (services, opened)
    }

    #[tokio::test(start_paused = true)]
    async fn a_door_that_closes_by_itself_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreSettings::in_folder(folder.path()), |_, _| {}).unwrap();
        let first = FirstStart {
            node: "node1".into(),
            address: "192.0.2.10".into(),
            locale: "en_US".into(),
            time_zone: "Etc/UTC".into(),
        };
        let id = StoreHandle::operation_id().unwrap();
        store.handle().execute(id, Actor::System, Operation::FirstStart(first)).unwrap();
        let (services, opened) = with_a_door(store.handle(), folder.path());
        let services = Arc::new(services);
        services.start(Service::Tftp).unwrap();
        tokio::time::sleep(LOOK / 2).await;
        assert!(!services.is_running(Service::Tftp), "nobody is told that it serves");
        let watch = tokio::spawn(keep_doors_open(Arc::clone(&services)));
        tokio::time::sleep(LOOK * 4).await;
        assert!(services.is_running(Service::Tftp));
        assert_eq!(opened.load(Ordering::Relaxed), 2);
        watch.abort();
    }
}
