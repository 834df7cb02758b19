//! `/metrics` in the text form of Prometheus, and the health of the node.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jackfield_model::{AutoRegistration, Directory, Kind, Room};
use jackfield_vocabulary::share::Figures;

use crate::app::App;
use crate::operator::{Order, Overview, Reply, ServiceStatus};

/// What the doors count.
#[derive(Default)]
pub(crate) struct Counts {
    by_class: [AtomicU64; 6],
    micros: AtomicU64,
}

impl Counts {
    /// A request was answered.
    pub(crate) fn answered(&self, status: StatusCode, micros: u64) {
        let class = usize::from(status.as_u16() / 100).min(self.by_class.len() - 1);
        self.by_class[class].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }
}

/// How many objects there are of each kind, and how many numbers are left for new phones, counted once
/// for each state of the directory: anybody may ask, and to count them all takes a while.
#[derive(Default)]
pub(crate) struct Objects(Mutex<(u64, Arc<str>)>);

impl Objects {
    fn told(&self, directory: &Directory) -> Arc<str> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.1.is_empty() || told.0 != directory.sequence() {
            let count = |kind: &Kind| directory.after_name(*kind, "").count();
            let mut text = String::new();
            head(&mut text, "jackfield_objects", "Configured objects, by kind.", "gauge");
            for kind in Kind::ALL {
                let _ = writeln!(text, "jackfield_objects{{kind=\"{kind}\"}} {}", count(kind));
            }
            numbers(&mut text, directory);
            *told = (directory.sequence(), text.into());
        }
        Arc::clone(&told.1)
    }
}

/// How many numbers the nodes may still give to new phones.
fn numbers(text: &mut String, directory: &Directory) {
    let open = directory.all::<AutoRegistration>().filter(|(_, range)| !range.disabled);
    let rooms: Vec<_> = open.map(|(_, range)| (&range.name, directory.room(range))).collect();
    let mut rows = |metric: &str, help: &str, figure: fn(&Room) -> u64| {
        head(text, metric, help, "gauge");
        for (node, room) in &rooms {
            let _ = writeln!(text, "{metric}{{node=\"{node}\"}} {}", figure(room));
        }
    };
    rows("jackfield_numbers", "Numbers for new phones, by node.", |room| room.all);
    rows("jackfield_numbers_left", "Those that nobody has.", |room| room.left);
}

/// Answers `/metrics`.
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let overview = match app.operate(Order::Overview).await {
        Ok(Reply::Overview(overview)) => Some(overview),
        _ => None,
    };
    let services = match app.operate(Order::Services).await {
        Ok(Reply::Services(services)) => services,
        _ => Vec::new(),
    };
    let text = page(&app, overview.as_ref(), &services);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// Answers `/health/live`: the process answers.
pub(crate) async fn live() -> &'static str {
    "live\n"
}

/// Answers `/health/ready`: the engine answers and the store takes writes.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let engine = app.operate(Order::Overview).await.is_ok();
    let waiting = app.store().waiting();
    let database = app.store().answers();
    let status = if engine && database && waiting < MOST_WAITING {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let word = |good: bool| if good { "ok" } else { "no" };
    let (engine, database) = (word(engine), word(database));
    let text = format!("engine: {engine}\ndatabase: {database}\nstore: {waiting} waiting\n");
    (status, text).into_response()
}

fn page(app: &App, overview: Option<&Overview>, services: &[ServiceStatus]) -> String {
    let mut text = String::with_capacity(4096);
    gauge(&mut text, "jackfield_up", "The engine answers.", u64::from(overview.is_some()));
    if let Some(overview) = overview {
        gauge(
            &mut text,
            "jackfield_devices_registered",
            "Devices registered.",
            overview.registered,
        );
        gauge(&mut text, "jackfield_calls", "Calls that exist.", overview.calls);
        gauge(
            &mut text,
            "jackfield_calls_connected",
            "Calls answered and not ended.",
            overview.calls_connected,
        );
        gauge(&mut text, "jackfield_cti_sessions", "CTI sessions.", overview.sessions);
        gauge(&mut text, "jackfield_ivr_calls", "Self-provisioning calls.", overview.ivr_calls);
        let mut rows = |metric: &str, help: &str, kind: &str, rows: &[(Box<str>, u64)]| {
            head(&mut text, metric, help, kind);
            for (name, count) in rows {
                let name = name.replace(['"', '\\', '\n'], "_");
                let _ = writeln!(text, "{metric}{{name=\"{name}\"}} {count}");
            }
        };
        let counted = "What happened since the start, by name.";
        rows("jackfield_events_total", counted, "counter", &overview.counters);
        rows("jackfield_now", "What there is at this moment, by name.", "gauge", &overview.gauges);
    }
    let engine = overview.map(|overview| &*overview.limits).unwrap_or_default();
    limits(&mut text, &[engine, &app.limits()].concat());
    let directory = app.directory();
    in_service(&mut text, app, services);
    text.push_str(&app.objects().told(&directory));
    gauge(&mut text, "jackfield_directory_sequence", "The last change.", directory.sequence());
    let answers = u64::from(app.store().answers());
    gauge(&mut text, "jackfield_database_up", "The database answers.", answers);
    gauge(
        &mut text,
        "jackfield_store_waiting",
        "Requests that wait for the store.",
        app.store().waiting() as u64,
    );
    head(&mut text, "jackfield_http_requests_total", "Requests answered, by class.", "counter");
    for (class, count) in app.counts().by_class.iter().enumerate().skip(1) {
        let count = count.load(Ordering::Relaxed);
        let _ = writeln!(text, "jackfield_http_requests_total{{class=\"{class}xx\"}} {count}");
    }
    head(&mut text, "jackfield_http_seconds_total", "Time spent on them.", "counter");
    let seconds = app.counts().micros.load(Ordering::Relaxed) as f64 / 1e6;
    let _ = writeln!(text, "jackfield_http_seconds_total {seconds}");
    text
}

/// Which of the services that are activated on this node do what they are for.
fn in_service(text: &mut String, app: &App, services: &[ServiceStatus]) {
    let (directory, metric) = (app.directory(), "jackfield_service_up");
    head(text, metric, "The activated service is in service, or stands by.", "gauge");
    for one in services.iter().filter(|one| directory.is_activated(app.node(), one.service)) {
        // Where another node owns the self-provisioning number, that one answers.
        let up = one.running && (&*one.state == "in-service" || one.owner.is_some());
        let _ = writeln!(text, "{metric}{{service=\"{}\"}} {}", one.service.name(), u8::from(up));
    }
}

/// What limits by source have come to, by the name of what they are used for.
fn limits(text: &mut String, all: &[Figures]) {
    let mut rows = |metric: &str, help: &str, kind: &str, figure: fn(&Figures) -> u64| {
        head(text, metric, help, kind);
        for one in all {
            let _ = writeln!(text, "{metric}{{use=\"{}\"}} {}", one.name, figure(one));
        }
    };
    rows("jackfield_limit_held", "Held now, by use.", "gauge", |one| one.held);
    rows("jackfield_limit_most", "That may be held.", "gauge", |one| one.most);
    rows("jackfield_limit_refused_total", "Refused at a limit.", "counter", |one| one.refused);
    rows("jackfield_limit_evicted_total", "Made to go for others.", "counter", |one| one.evicted);
}

fn gauge(text: &mut String, name: &str, help: &str, value: u64) {
    head(text, name, help, "gauge");
    let _ = writeln!(text, "{name} {value}");
}

fn head(text: &mut String, name: &str, help: &str, kind: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// Beyond, the store is far behind.
const MOST_WAITING: usize = 2000;
