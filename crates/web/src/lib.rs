//! HTTP doors: REST, phone pages, file download and metrics.
//!
//! [`App`] is what they share; [`router`] has all of them, [`file_router`] only the files for the
//! port where phones look for them first. The running node is reached through [`Operator`]. Every
//! API endpoint is a row of one table, from which routes, checks of privileges and the OpenAPI
//! document are made; the endpoints of objects follow from the registry of kinds.

mod api;
mod app;
mod body;
mod brought;
mod call;
mod clock;
mod connections;
mod deed;
mod door;
mod endpoint;
mod failure;
mod fault;
mod files;
mod job;
mod language;
mod metrics;
mod object;
mod openapi;
mod operator;
mod phone;
mod say;
mod serve;
mod session;
mod welcome;

pub use app::{App, AppSettings};
pub use axum::Router;
pub use connections::Connections;
pub use files::{PhoneFiles, file_router, open_window};
pub use operator::{
    DeviceState, Language, LastRefusal, Operated, Operator, Order, Overview, RaisedAlarm, Reply,
    ServiceAction, ServiceStatus, Whereabouts,
};
pub use serve::serve;

use axum::routing::get;

/// All doors: `/api/v1`, `/phone`, `/metrics`, `/health`, and files for phones at every other path.
pub fn router(app: App) -> Router {
    let files = Router::new().fallback(files::file).with_state(app.files().clone());
    Router::new()
        .route("/", get(welcome::people))
        .nest("/api/v1", door::api())
        .route("/metrics", get(metrics::metrics))
        .route("/health/live", get(metrics::live))
        .route("/health/ready", get(metrics::ready))
        .merge(phone::pages())
        .with_state(app)
        .fallback_service(files)
}

/// The OpenAPI document that `docs/openapi.json` keeps for readers.
pub fn openapi() -> &'static serde_json::Value {
    openapi::document()
}
