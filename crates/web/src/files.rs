//! Phone files over HTTP, and for whoever else serves them.

use core::time::Duration;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jackfield_files::{AccessTable, Context, File, FileError, render_for};
use jackfield_model::setup::SipPorts;
use jackfield_model::{Directory, Network, Phone};
use jackfield_store::{FileWindow, StoreHandle};
use jackfield_vocabulary::{Now, ObjectId, UnixTime};

use crate::welcome;

/// What phones fetch, from the directory as it is; copies are cheap.
#[derive(Clone)]
pub struct PhoneFiles {
    inner: Arc<Inner>,
}

struct Inner {
    store: StoreHandle,
    access: Arc<Mutex<AccessTable>>,
    clock: Box<dyn Fn() -> Now + Send + Sync>,
    node: Box<str>,
    sip_ports: Box<dyn Fn() -> Arc<SipPorts> + Send + Sync>,
    web_port: u16,
    file_port: u16,
    /// Is told of every device whose password goes out.
    given: OnceLock<Box<dyn Fn(ObjectId) + Send + Sync>>,
}

impl PhoneFiles {
    /// Serves from this store on this node; `clock` is the one by which windows close, and `sip_ports` tells
    /// where nodes listen.
    pub fn new(
        store: StoreHandle,
        access: Arc<Mutex<AccessTable>>,
        clock: impl Fn() -> Now + Send + Sync + 'static,
        node: &str,
        sip_ports: impl Fn() -> Arc<SipPorts> + Send + Sync + 'static,
        web_port: u16,
        file_port: u16,
    ) -> Self {
        let clock = Box::new(clock);
        let node = node.into();
        let given = OnceLock::new();
        let sip_ports = Box::new(sip_ports);
        let inner = Inner { store, access, clock, node, sip_ports, web_port, file_port, given };
        Self { inner: Arc::new(inner) }
    }

    /// Tells of every device that a file with its password went out for; the first who asks is told.
    pub fn tell_given(&self, tell: impl Fn(ObjectId) + Send + Sync + 'static) {
        let _ = self.inner.given.set(Box::new(tell));
    }

    /// The file of this name for this address: a TFTP name or the path of a URL.
    pub fn fetch(&self, path: &str, from: IpAddr) -> Result<File, FileError> {
        let directory = self.inner.store.directory();
        let sip_ports = (self.inner.sip_ports)();
        let context = Context {
            node: &self.inner.node,
            sip_ports: &sip_ports,
            web_port: self.inner.web_port,
            file_port: self.inner.file_port,
        };
        let mut trusted = None;
        let file = render_for(path, &directory, &context, |device| {
            let access = self.inner.access.lock().unwrap_or_else(PoisonError::into_inner);
            let trusts = access.trusts(&directory, device, from, (self.inner.clock)());
            trusted = trusts.then_some(device);
            trusts
        })?;
        // Only a new phone may do without its password until it has it.
        let new = |device: &ObjectId| {
            directory.typed::<Phone>(*device).is_some_and(|phone| phone.auto_registered)
        };
        if let (Some(device), Some(tell)) = (trusted.filter(new), self.inner.given.get()) {
            tell(device);
        }
        Ok(file)
    }

    /// The TCP port where phones look first.
    pub(crate) fn port(&self) -> u16 {
        self.inner.file_port
    }

    /// Where people find this node.
    pub(crate) fn people_url(&self) -> String {
        format!("http://{}:{}", self.host(), self.inner.web_port)
    }

    /// Where phones find this node for SIP; nowhere once it is taken out of the configuration.
    pub(crate) fn sip_authority(&self) -> Option<String> {
        let directory = self.inner.store.directory();
        let node = directory.node(&self.inner.node).map(|(_, node)| Arc::clone(node));
        let port = (self.inner.sip_ports)().of(&*node?);
        Some(format!("{}:{port}", self.host()))
    }

    fn host(&self) -> String {
        let directory = self.inner.store.directory();
        let node = directory.node(&self.inner.node).map(|(_, node)| node.address.to_string());
        let address = node.unwrap_or_default();
        if address.contains(':') { format!("[{address}]") } else { address }
    }

    /// Whether who asks from this address is taken for the device.
    pub(crate) fn trusts(&self, device: ObjectId, from: IpAddr) -> bool {
        let directory = self.inner.store.directory();
        let access = self.inner.access.lock().unwrap_or_else(PoisonError::into_inner);
        access.trusts(&directory, device, from, (self.inner.clock)())
    }

    /// Where the device is expected; empty when nobody knows.
    pub(crate) fn whereabouts(&self, device: ObjectId) -> Box<[Network]> {
        let directory = self.inner.store.directory();
        let access = self.inner.access.lock().unwrap_or_else(PoisonError::into_inner);
        access.whereabouts(&directory, &self.inner.node, device)
    }

    /// The window that is open for the device.
    pub(crate) fn window(&self, device: ObjectId) -> Option<Window> {
        let directory = self.inner.store.directory();
        let access = self.inner.access.lock().unwrap_or_else(PoisonError::into_inner);
        Window::of(&directory, &access, device, (self.inner.clock)())
    }

    /// The windows that are open, the first to close before the others: so many of them, and how many
    /// there are.
    pub(crate) fn windows(&self, most: usize) -> (Vec<Window>, usize) {
        let access = self.inner.access.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.inner.clock)();
        let directory = self.inner.store.directory();
        let open = access.open_windows(&directory, now).take(most);
        let shown =
            open.filter_map(|device| Window::of(&directory, &access, device, now)).collect();
        (shown, access.open_windows(&directory, now).count())
    }

    /// Closes the window of the device at every node; gives it as it was.
    pub(crate) fn close_window(&self, device: ObjectId) -> Option<Window> {
        let directory = self.inner.store.directory();
        let mut access = self.inner.access.lock().unwrap_or_else(PoisonError::into_inner);
        let window = Window::of(&directory, &access, device, (self.inner.clock)());
        if access.close(device) {
            self.inner.store.window_closed(device);
        }
        window
    }

    /// Opens a window in which the device may fetch its file from these networks.
    pub(crate) fn open_window(&self, device: ObjectId, networks: Box<[Network]>, length: Duration) {
        let generation = self.inner.store.directory().secrets().generation(device);
        let mut access = self.inner.access.lock().unwrap_or_else(PoisonError::into_inner);
        let (store, now) = (&self.inner.store, (self.inner.clock)());
        open_window(store, &mut access, device, networks, generation, length, now);
    }
}

/// Opens a window in which a device, whose secret is of this generation, may fetch its file from these
/// networks: at this node at once, and by the store at the others.
pub fn open_window(
    store: &StoreHandle,
    access: &mut AccessTable,
    device: ObjectId,
    networks: Box<[Network]>,
    generation: u32,
    length: Duration,
    now: Now,
) {
    access.open(device, networks, generation, length, now);
    if let Some((networks, left)) = access.window(&store.directory(), device, now) {
        store.window_opened(device, FileWindow { networks: networks.into(), generation, left });
    }
}

/// A window that is open.
pub(crate) struct Window {
    pub(crate) device: ObjectId,
    pub(crate) networks: Box<[Network]>,
    pub(crate) until: UnixTime,
}

impl Window {
    fn of(directory: &Directory, access: &AccessTable, device: ObjectId, now: Now) -> Option<Self> {
        let (networks, left) = access.window(directory, device, now)?;
        Some(Self { device, networks: networks.into(), until: (now + left).wall })
    }
}

/// The door of phone files by HTTP, as on port 6970.
pub fn file_router(files: PhoneFiles) -> Router {
    Router::new().route("/", get(welcome::phones)).fallback(file).with_state(files)
}

/// Answers a phone that fetches a file.
pub(crate) async fn file(State(files): State<PhoneFiles>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let allowed = [(header::ALLOW, HeaderValue::from_static("GET, HEAD"))];
        return (StatusCode::METHOD_NOT_ALLOWED, allowed).into_response();
    }
    let from = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(address)| address.ip());
    match files.fetch(request.uri().path(), from) {
        Ok(file) => deliver(file, &request),
        Err(FileError::Refused) => StatusCode::BAD_REQUEST.into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

fn deliver(file: File, request: &Request) -> Response {
    let etag = HeaderValue::try_from(file.etag()).expect("an entity tag is ASCII");
    let known = request.headers().get(header::IF_NONE_MATCH);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(file.content_type)),
        // Whoever asks next may get another one.
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        (header::ETAG, etag.clone()),
    ];
    if known == Some(&etag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, file.body).into_response()
}
