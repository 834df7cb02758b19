//! What only one of the nodes on a database may do: each runs under a name of its own, and one of
//! them owns a route point (SP-60). Which services run on a node stands there too, for the others.
//! This thread takes the leases, renews them in time, and tells the engine until when it may go on;
//! the engine lets go by itself when it hears nothing in time, so that this thread may hang with
//! the database.
//!
//! A built-in database has one node: it owns what it wants, and nothing is written.

mod book;

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jackfield_engine::{Input, Ownership};
use jackfield_model::Service;
use jackfield_model::setup::SipPorts;
use jackfield_store::{Lease, StoreError, StoreHandle};
use jackfield_vocabulary::{Now, ObjectId};

use super::clock::Clock;
use super::lanes::Lanes;
use super::life::{Life, Living};
use book::Book;

/// A lease ends so long after its holder renewed it last: after a crash of the holder another node
/// takes over within this time and a [`LOOK`].
pub(crate) const LENGTH: Duration = Duration::from_secs(15);
/// The holder lets go so much earlier by its own clock than the database lets others in.
const MARGIN: Duration = Duration::from_secs(1);
/// How often the holder renews.
const RENEW: Duration = Duration::from_secs(5);
/// How often a lease that others hold, or nobody could tell of, is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How the leases of running services are named: this, the service, `:` and the node.
const SERVICES: &str = "service:";
/// How the leases that tell where nodes listen for SIP are named: this, the port, `:` and the node.
const SIP_PORTS: &str = "sip-port:";
/// The file in the data folder by which a node knows itself.
pub(crate) const IDENTITY: &str = "identity";
/// Orders of the engine that wait at the most.
const ORDERS: usize = 1024;

/// The thread that holds this node's leases.
pub(crate) struct LeaseKeeper {
    desk: LeaseDesk,
    sip_ports: SipPortsHeard,
    life: Life,
    thread: Option<JoinHandle<()>>,
}

/// On which ports the nodes of the database said that they listen for SIP; copies are cheap.
#[derive(Clone, Default)]
pub(crate) struct SipPortsHeard(Arc<Mutex<Arc<SipPorts>>>);

impl SipPortsHeard {
    /// As it was heard last.
    pub(crate) fn now(&self) -> Arc<SipPorts> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, ports: SipPorts) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(ports);
    }
}

/// Where it takes orders; copies are cheap.
#[derive(Clone)]
pub(crate) struct LeaseDesk(SyncSender<Order>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Want(ObjectId),
    Leave(ObjectId),
    Runs(Service),
    Stopped(Service),
    Finish,
}

/// Under which name a node runs, and who it is to others that claim the same name.
#[derive(Debug)]
pub(crate) struct Name {
    node: Box<str>,
    /// Stays over restarts with the same data folder.
    identity: Box<str>,
    /// Locked while the process lives: a data folder is one process's.
    _folder: File,
}

impl Name {
    /// Takes the node's name for this process; waits for the end of the lease of one that had it
    /// from another data folder, in case that one is gone.
    pub(crate) fn take(store: &StoreHandle, node: &str, folder: &Path) -> Result<Self> {
        let (identity, locked) = identity(folder)?;
        let name = Self { node: node.into(), identity, _folder: locked };
        let mut left = LENGTH + LOOK * 2;
        while store.is_shared() && !name.renew(store).context("taking the name of the node")? {
            if left.is_zero() {
                bail!(
                    "another process runs as node {node} on this database. Each node needs a name \
                     of its own: choose one with --node"
                );
            }
            if left > LENGTH {
                tracing::warn!(
                    node.name = node,
                    "another process runs as this node on the database, or did a moment ago; waiting"
                );
            }
            std::thread::sleep(LOOK);
            left = left.saturating_sub(LOOK);
        }
        Ok(name)
    }

    fn renew(&self, store: &StoreHandle) -> Result<bool, StoreError> {
        let lease = store.lease(&self.lease(), &self.identity, LENGTH)?;
        Ok(lease.holder == self.identity)
    }

    fn lease(&self) -> String {
        format!("node:{}", self.node)
    }
}

impl LeaseKeeper {
    pub(crate) fn start(
        store: StoreHandle,
        lanes: Lanes,
        clock: Clock,
        name: Name,
        sip_port: u16,
    ) -> Result<Self> {
        let (orders, arrivals) = sync_channel(ORDERS);
        let sip_ports = SipPortsHeard::default();
        let own = own_port(&name.node, sip_port);
        sip_ports.set(own);
        let worker = Worker {
            store,
            lanes,
            clock,
            name,
            sip_port,
            sip_ports: sip_ports.clone(),
            arrivals,
            book: Book::default(),
            // The others are told at once where it listens.
            name_due: clock.now(),
            name_lost: false,
            running: BTreeSet::new(),
            stopping: false,
        };
        let (living, life) = Living::begin();
        let thread = std::thread::Builder::new()
            .name("leases".into())
            .spawn(move || living.run(|| worker.run()))
            .context("starting the thread that holds leases")?;
        Ok(Self { desk: LeaseDesk(orders), sip_ports, life, thread: Some(thread) })
    }

    /// Whether the thread lives.
    pub(crate) fn life(&self) -> Life {
        self.life.clone()
    }

    /// Where it takes orders.
    pub(crate) fn desk(&self) -> LeaseDesk {
        self.desk.clone()
    }

    /// Where nodes listen for SIP.
    pub(crate) fn sip_ports(&self) -> SipPortsHeard {
        self.sip_ports.clone()
    }

    /// Gives everything up and ends.
    pub(crate) fn finish(&mut self) {
        let _ = self.desk.0.send(Order::Finish);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl LeaseDesk {
    /// The engine wants a route point, or wants it no more.
    pub(crate) fn route_point(&self, device: ObjectId, wanted: bool) {
        self.order(if wanted { Order::Want(device) } else { Order::Leave(device) });
    }

    /// A service of this node was started or stopped.
    pub(crate) fn service(&self, service: Service, runs: bool) {
        self.order(if runs { Order::Runs(service) } else { Order::Stopped(service) });
    }

    fn order(&self, order: Order) {
        if self.0.try_send(order).is_err() {
            // Without an answer the engine serves nothing; a lease that is not left ends by itself.
            tracing::error!("the database is far behind; an order about a lease is lost");
        }
    }
}

struct Worker {
    store: StoreHandle,
    lanes: Lanes,
    clock: Clock,
    name: Name,
    sip_port: u16,
    sip_ports: SipPortsHeard,
    arrivals: Receiver<Order>,
    book: Book,
    name_due: Now,
    /// Another process has this node's name.
    name_lost: bool,
    /// The services that run here.
    running: BTreeSet<Service>,
    stopping: bool,
}

impl Worker {
    fn run(mut self) {
        while !self.stopping {
            self.wait();
            let now = self.clock.now();
            if now.micros >= self.name_due.micros {
                self.name_due = now + RENEW;
                self.keep_name();
            }
            while let Some(device) = self.book.due(self.clock.now()) {
                self.try_lease(device);
            }
        }
        for device in self.book.all() {
            self.leave(device);
        }
        for service in core::mem::take(&mut self.running) {
            self.withdraw(service);
        }
        if self.store.is_shared() && !self.name_lost {
            // They end by themselves.
            drop(self.store.release_lease(&self.port_lease(), &self.name.node));
            let left = self.store.release_lease(&self.name.lease(), &self.name.identity);
            drop(left);
        }
    }

    /// Waits for an order, or until a lease is due; then takes every order that is there.
    fn wait(&mut self) {
        let now = self.clock.now();
        let mut nap = self.name_due.since(now).min(RENEW);
        if let Some(due) = self.book.next() {
            nap = nap.min(due.since(now));
        }
        match self.arrivals.recv_timeout(nap) {
            Ok(order) => self.obey(order),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.stopping = true,
        }
        self.obey_all();
    }

    fn obey_all(&mut self) {
        while let Ok(order) = self.arrivals.try_recv() {
            self.obey(order);
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Want(device) => self.book.want(device, self.clock.now()),
            Order::Leave(device) => self.leave(device),
            // Told when the name is renewed, which is now.
            Order::Runs(service) => {
                self.running.insert(service);
                self.name_due = self.clock.now();
            }
            Order::Stopped(service) => {
                self.running.remove(&service);
                self.withdraw(service);
            }
            Order::Finish => self.stopping = true,
        }
    }

    fn leave(&mut self, device: ObjectId) {
        self.book.leave(device);
        if !self.store.is_shared() {
            return;
        }
        if let Err(error) = self.store.release_lease(&lease_of(device), &self.name.node) {
            tracing::warn!(
                error.cause = %error,
                "a route point could not be given up; its lease ends by itself"
            );
        }
    }

    fn withdraw(&self, service: Service) {
        if self.store.is_shared() {
            let name = service_lease(service, &self.name.node);
            // It ends by itself.
            drop(self.store.release_lease(&name, &self.name.node));
        }
    }

    fn try_lease(&mut self, device: ObjectId) {
        let asked = self.clock.now();
        let turn = self.book.begin(device);
        let ownership = self.ask(device, asked);
        let held = matches!(ownership, Ownership::Own { .. });
        // An answer to what was given up, and perhaps wanted again, since it was asked is none.
        self.obey_all();
        let now = self.clock.now();
        if self.book.tried(device, turn, now + if held { RENEW } else { LOOK }) {
            let _ = self.lanes.input(Input::RoutePoint { device, ownership });
        }
    }

    /// Takes or renews a lease. Its end counts from before it was asked for.
    fn ask(&self, device: ObjectId, asked: Now) -> Ownership {
        let until = asked + LENGTH.saturating_sub(MARGIN);
        if !self.store.is_shared() {
            return Ownership::Own { until };
        }
        if self.name_lost {
            let node = format!("{}, another process of this name", self.name.node).into();
            return Ownership::Other { node };
        }
        match self.store.lease(&lease_of(device), &self.name.node, LENGTH) {
            Ok(Lease { holder, .. }) if holder == self.name.node => Ownership::Own { until },
            Ok(Lease { holder, .. }) => Ownership::Other { node: holder },
            Err(error) => {
                tracing::debug!(error.cause = %error, "a lease could not be asked for");
                Ownership::Unknown
            }
        }
    }

    /// Renews the lease of the node's name, and tells what runs under it.
    fn keep_name(&mut self) {
        if !self.store.is_shared() {
            return;
        }
        let lost = match self.name.renew(&self.store) {
            Ok(own) => !own,
            Err(_) => self.name_lost, // Nobody can say.
        };
        if lost && !self.name_lost {
            tracing::error!(
                node.name = &*self.name.node,
                "another process runs as this node on the database: stop one of them, or give it \
                 another name with --node; until then this one takes no calls for route points"
            );
        }
        self.name_lost = lost;
        if !lost {
            let services = self.running.iter().map(|one| service_lease(*one, &self.name.node));
            let names = services.chain([self.port_lease()]).collect();
            // Nobody can say: told again when the name is renewed.
            drop(self.store.lease_all(names, &self.name.node, LENGTH));
            self.hear_ports();
        }
    }

    fn port_lease(&self) -> String {
        format!("{SIP_PORTS}{}:{}", self.sip_port, self.name.node)
    }

    /// Where the nodes listen. One that restarted may have said two things: the later one counts.
    fn hear_ports(&self) {
        let Ok(mut leases) = self.store.leases(SIP_PORTS) else { return };
        leases.sort_by_key(|lease| lease.expires);
        let mut ports = SipPorts::new();
        for lease in leases {
            let said = lease.name.strip_prefix(SIP_PORTS).and_then(|said| said.split_once(':'));
            if let Some(port) = said.and_then(|(port, _)| port.parse().ok()) {
                ports.hear(&lease.holder, port);
            }
        }
        ports.hear(&self.name.node, self.sip_port);
        self.sip_ports.set(ports);
    }
}

fn own_port(node: &str, port: u16) -> SipPorts {
    let mut ports = SipPorts::new();
    ports.hear(node, port);
    ports
}

/// The services that run on any node of a shared database, as the nodes said within a [`LENGTH`].
pub(crate) fn running_anywhere(
    store: &StoreHandle,
) -> Result<Vec<(Box<str>, Service)>, StoreError> {
    let leases = store.leases(SERVICES)?;
    let running = leases.into_iter().filter_map(|lease| {
        let (service, _) = lease.name.strip_prefix(SERVICES)?.split_once(':')?;
        let service = Service::ALL.iter().find(|one| one.name() == service)?;
        Some((lease.holder, *service))
    });
    Ok(running.collect())
}

fn service_lease(service: Service, node: &str) -> String {
    format!("{SERVICES}{}:{node}", service.name())
}

fn lease_of(device: ObjectId) -> String {
    format!("route-point:{}", device.0)
}

/// Who uses this data folder, made at its first use; nobody else does while the file is open.
fn identity(folder: &Path) -> Result<(Box<str>, File)> {
    let path = folder.join(IDENTITY);
    let doing = || format!("opening {}", path.display());
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(&path).with_context(doing)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => bail!(
            "another process serves from the data folder {}. Each node needs a folder of its own: \
             choose one with --data",
            folder.display()
        ),
        // A file system without locks.
        Err(TryLockError::Error(error)) => {
            tracing::warn!(error.cause = %error, "the data folder can't be kept from others");
        }
    }
    let mut kept = String::new();
    Read::by_ref(&mut file).take(64).read_to_string(&mut kept).with_context(doing)?;
    if !kept.trim().is_empty() {
        return Ok((kept.trim().into(), file));
    }
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).context("asking the system for randomness")?;
    let fresh = format!("{:032x}", u128::from_le_bytes(bytes));
    file.write_all(fresh.as_bytes()).with_context(doing)?;
    Ok((fresh.into(), file))
}
