//! Doors on a fresh store, with a node that notes what it is ordered.

#![allow(dead_code, reason = "not every test needs all of it")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use jackfield_files::AccessTable;
use jackfield_model::setup::Place;
use jackfield_model::{
    Actor, AuthenticationMode, CredentialKind, Directory, FirstStart, Kind, Operation, Service,
};
use jackfield_store::{Store, StoreHandle, StoreSettings};
use jackfield_vocabulary::{Code, Now, ObjectId, Refusal, SecretShown, SecretText, UnixTime};
use jackfield_web::{
    App, AppSettings, Connections, DeviceState, Language, LastRefusal, Operated, Operator, Order,
    Overview, PhoneFiles, RaisedAlarm, Reply, Router, ServiceAction, ServiceStatus, Whereabouts,
    router,
};
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A house with its doors open.
pub(crate) struct House {
    pub(crate) router: Router,
    pub(crate) store: Store,
    pub(crate) node: Arc<FakeNode>,
    pub(crate) access: Arc<Mutex<AccessTable>>,
    pub(crate) files: PhoneFiles,
    pub(crate) faults: jackfield_store::Faults,
    pub(crate) token: String,
    folder: tempfile::TempDir,
}

/// A node that does nothing and remembers it.
#[derive(Default)]
pub(crate) struct FakeNode {
    pub(crate) orders: Mutex<Vec<Order>>,
    pub(crate) running: Mutex<Vec<Service>>,
    pub(crate) restart_needed: Mutex<bool>,
    /// The mode that it runs with.
    pub(crate) mode: Mutex<AuthenticationMode>,
    /// What runs on other nodes.
    pub(crate) elsewhere: Mutex<Vec<(Box<str>, Service)>>,
    /// The node for whose route point the IVR stands by.
    pub(crate) owner: Mutex<Option<Box<str>>>,
    /// Phones that are registered.
    pub(crate) there: Mutex<Vec<Whereabouts>>,
    /// When the number of a service that waits answers.
    pub(crate) in_service_at: Mutex<Option<UnixTime>>,
    /// Where it is, where it says so.
    pub(crate) place: Mutex<Option<Place>>,
    /// Why it refused phones that are in no configuration.
    pub(crate) turned_away: Mutex<Vec<LastRefusal>>,
    /// What it knows of a device besides.
    pub(crate) state: Mutex<DeviceState>,
    /// Why it refused a phone that is not registered.
    pub(crate) refused: Mutex<Option<LastRefusal>>,
    /// Alarms that it raised, newest first.
    pub(crate) alarms: Mutex<Vec<RaisedAlarm>>,
    /// What it refuses.
    pub(crate) refuses: Mutex<Option<Refusal>>,
}

impl Operator for FakeNode {
    fn operate(&self, order: Order) -> Operated<'_> {
        self.orders.lock().unwrap().push(order.clone());
        let refusal = self.refuses.lock().unwrap().clone();
        Box::pin(async move {
            match (order, refusal) {
                (Order::Overview, _) => Ok(Reply::Overview(Overview {
                    registered: 3,
                    counters: vec![("sip.requests".into(), 17)],
                    gauges: vec![("timers".into(), 4)],
                    mode: *self.mode.lock().unwrap(),
                    ..Overview::default()
                })),
                (Order::Place, _) => {
                    let place = self.place.lock().unwrap().clone();
                    place.map(Reply::Place).ok_or_else(|| Refusal::new(Code::Internal))
                }
                (Order::Alarms, _) => Ok(Reply::Alarms(self.alarms.lock().unwrap().clone())),
                (Order::Services, _) => Ok(Reply::Services(self.services())),
                (Order::ServicesElsewhere, _) => {
                    Ok(Reply::RunningElsewhere(self.elsewhere.lock().unwrap().clone()))
                }
                (Order::Refused { .. }, _) => {
                    Ok(Reply::Refused(self.turned_away.lock().unwrap().clone()))
                }
                (_, Some(refusal)) => Err(refusal),
                (Order::Whereabouts { devices }, _) => {
                    let there = self.there.lock().unwrap().clone();
                    let asked = |one: &Whereabouts| devices.contains(&one.device);
                    Ok(Reply::Whereabouts(there.into_iter().filter(asked).collect()))
                }
                (Order::Inspect { .. }, _) => Ok(Reply::Device(DeviceState {
                    refused: self.refused.lock().unwrap().clone(),
                    ..self.state.lock().unwrap().clone()
                })),
                (Order::Provision { password, .. }, _) => match password {
                    Some(password) if password.reveal() == "right" => {
                        Ok(Reply::Provisioned { extension: "2001".into() })
                    }
                    _ => Err(Refusal::new(Code::WrongCredential)),
                },
                (order @ (Order::Languages | Order::RescanLanguages), _) => {
                    let japanese = Language { locale: "ja-JP".into(), name: "日本語".into() };
                    let languages = vec![japanese];
                    Ok(match order {
                        Order::Languages => Reply::Languages(languages),
                        _ => Reply::Rescanned {
                            languages,
                            problems: vec!["fr-FR has no recording".into()],
                        },
                    })
                }
                (Order::Service { service, action }, _) => {
                    let mut running = self.running.lock().unwrap();
                    running.retain(|one| *one != service);
                    if action != ServiceAction::Stop {
                        running.push(service);
                    }
                    Ok(Reply::Accepted)
                }
                _ => Ok(Reply::Accepted),
            }
        })
    }
}

impl FakeNode {
    fn services(&self) -> Vec<ServiceStatus> {
        let running = self.running.lock().unwrap();
        Service::ALL
            .iter()
            .map(|service| ServiceStatus {
                service: *service,
                running: running.contains(service),
                state: if running.contains(service) { "in-service" } else { "stopped" }.into(),
                restart_needed: *self.restart_needed.lock().unwrap(),
                owner: self.owner.lock().unwrap().clone().filter(|_| {
                    *service == Service::SelfProvisioningIvr && running.contains(service)
                }),
                in_service_at: *self.in_service_at.lock().unwrap(),
            })
            .collect()
    }

    pub(crate) fn ordered(&self, wanted: impl Fn(&Order) -> bool) -> bool {
        self.orders.lock().unwrap().iter().any(wanted)
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl House {
    /// A first start, with the administrator signed in.
    pub(crate) async fn open() -> Self {
        Self::open_at("node1").await
    }

    /// The doors of this node; `node1` is the publisher.
    pub(crate) async fn open_at(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = StoreSettings::in_folder(folder.path());
        let faults = settings.faults.clone();
        let store = Store::open(&settings, |_, _| {}).unwrap();
        let handle = store.handle();
        let first = FirstStart {
            node: "node1".into(),
            address: "192.0.2.1".into(),
            locale: "en_US.UTF-8".into(),
            time_zone: "Asia/Tokyo".into(),
        };
        execute(&handle, Operation::FirstStart(first));
        if name != "node1" {
            let body = json!({ "name": name, "address": "192.0.2.2", "number": 2 });
            execute(&handle, Operation::Create { kind: Kind::Node, body });
        }
        let node = Arc::new(FakeNode::default());
        let access = Arc::new(Mutex::new(AccessTable::new()));
        let clock = || Now::new(1, UnixTime(1));
        let files = PhoneFiles::new(
            handle.clone(),
            Arc::clone(&access),
            clock,
            name,
            Arc::default,
            8080,
            6970,
        );
        let app = App::new(AppSettings {
            store: handle.clone(),
            store_settings: settings,
            operator: Arc::clone(&node) as Arc<dyn Operator>,
            files: files.clone(),
            node: name.into(),
            web_port: 8080,
            backups: folder.path().join("backups"),
            connections: Connections::new(64),
        });
        let mut house = Self {
            router: router(app),
            store,
            node,
            access,
            files,
            faults,
            token: String::new(),
            folder,
        };
        house.set_password("admin", PASSWORD);
        house.token = house.sign_in("admin", PASSWORD).await;
        house
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) fn directory(&self) -> Arc<Directory> {
        self.store.handle().directory()
    }

    /// The device registered from there with the secret that it has now.
    pub(crate) fn registered(&self, device: ObjectId, address: IpAddr) {
        let generation = self.directory().secrets().generation(device);
        let shown = SecretShown { address, generation };
        self.access.lock().unwrap().registered(device, shown);
    }

    pub(crate) fn set_password(&self, user_id: &str, password: &str) {
        let handle = self.store.handle();
        let owner = handle.directory().account(user_id).unwrap();
        let kind = CredentialKind::Password;
        let hash = handle.hash(kind, &SecretText::new(password)).unwrap();
        execute(&handle, Operation::SetCredential { owner, kind, hash: Some(hash) });
    }

    pub(crate) async fn sign_in(&self, user_id: &str, password: &str) -> String {
        let body = json!({ "user_id": user_id, "password": password });
        let told = self.as_nobody("POST", "/sessions", body).await;
        assert_eq!(told.status, StatusCode::OK, "{told:?}");
        told.body["token"].as_str().unwrap().to_owned()
    }

    /// A request of the administrator.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Value) -> Told {
        self.send(method, &format!("/api/v1{path}"), &[("authorization", &self.bearer())], body)
            .await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let told = self.ask("GET", path, Value::Null).await;
        assert_eq!(told.status, StatusCode::OK, "{path}: {told:?}");
        told.body
    }

    /// A request that must succeed.
    pub(crate) async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let told = self.ask(method, path, body).await;
        assert!(told.status.is_success(), "{method} {path}: {told:?}");
        told.body
    }

    /// A request without a token.
    pub(crate) async fn as_nobody(&self, method: &str, path: &str, body: Value) -> Told {
        self.send(method, &format!("/api/v1{path}"), &[], body).await
    }

    /// A request with another token.
    pub(crate) async fn with_token(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Value,
    ) -> Told {
        let bearer = format!("Bearer {token}");
        self.send(method, &format!("/api/v1{path}"), &[("authorization", &bearer)], body).await
    }

    /// A request of the administrator who reads Japanese.
    pub(crate) async fn in_japanese(&self, method: &str, path: &str, body: Value) -> Told {
        let bearer = self.bearer();
        let headers = [("authorization", &*bearer), ("accept-language", "ja-JP,en;q=0.5")];
        self.send(method, &format!("/api/v1{path}"), &headers, body).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Told {
        self.send_from("127.0.0.1", method, uri, headers, body).await
    }

    pub(crate) async fn send_from(
        &self,
        address: &str,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Told {
        let address: IpAddr = address.parse().unwrap();
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .extension(ConnectInfo(SocketAddr::new(address, 40_000)));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Value::Null => Body::empty(),
            body => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
        };
        let answer = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Told { status: parts.status, headers: parts.headers, body, text }
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// The id of an object.
    pub(crate) fn id(&self, kind: &str, name: &str) -> ObjectId {
        self.directory().by_name(kind.parse().unwrap(), name).unwrap().unwrap()
    }
}

pub(crate) fn execute(handle: &StoreHandle, operation: Operation) {
    let id = StoreHandle::operation_id().unwrap();
    handle.execute(id, Actor::System, operation).unwrap();
}
