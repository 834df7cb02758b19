//! Services of the nodes. Activated is configuration; running and in service is what happens.

use jackfield_model::{Kind, Language, Node, Operation, Outcome, Service, setup};
use jackfield_vocabulary::{Code, Refusal, UnixTime};
use serde_json::{Value, json};

use crate::app::{App, not_among};
use crate::call::{Answer, Call};
use crate::clock::wall;
use crate::deed;
use crate::fault::Fault;
use crate::operator::{Order, Reply, ServiceAction, ServiceStatus, mismatch};

/// Lists every service of every node. Of other nodes it is known what runs, while the database
/// answers, and no more.
pub(crate) async fn list(call: Call) -> Result<Answer, Fault> {
    let here = statuses(&call.app).await?;
    let directory = call.app.directory();
    let nodes: Vec<_> = directory.all::<Node>().collect();
    let elsewhere = match nodes.len() {
        0 | 1 => Some(Vec::new()),
        _ => elsewhere(&call.app).await.ok(),
    };
    let mut items = Vec::new();
    for (_, node) in nodes {
        let own = *node.name == *call.app.node();
        for service in Service::ALL {
            let activated = directory.is_activated(&node.name, *service);
            let status = here.iter().find(|status| own && status.service == *service);
            let mut row = entry(&node.name, *service, activated, status, call.language);
            if !own && let Some(elsewhere) = &elsewhere {
                let runs =
                    |(name, one): &(Box<str>, Service)| **name == *node.name && one == service;
                row["running"] = elsewhere.iter().any(runs).into();
            }
            items.push(row);
        }
    }
    Ok(Answer::ok(json!({ "items": items })))
}

/// The services that run on other nodes, each with its node.
pub(crate) async fn elsewhere(app: &App) -> Result<Vec<(Box<str>, Service)>, Refusal> {
    match app.operate(Order::ServicesElsewhere).await? {
        Reply::RunningElsewhere(running) => Ok(running),
        other => Err(mismatch(&other)),
    }
}

/// Activates, deactivates, starts, stops or restarts a service.
pub(crate) async fn act(call: Call) -> Result<Answer, Fault> {
    let name = call.param("name");
    let service = Service::ALL
        .iter()
        .copied()
        .find(|service| service.name() == name)
        .ok_or_else(|| not_among("service", name, Service::ALL.iter().map(|one| one.name())))?;
    let directory = call.app.directory();
    let node = match call.body["node"].as_str() {
        Some(node) => {
            let (_, node) = directory.node(node).ok_or_else(|| {
                let known: Vec<_> = directory.all::<Node>().map(|(_, node)| &*node.name).collect();
                not_among("node", node, known)
            })?;
            node.name.clone()
        }
        None => call.app.node().into(),
    };
    let here = *node == *call.app.node();
    match call.param("action") {
        "activate" => {
            activate(&call, &node, service, true).await?;
            if here {
                let done = order(&call.app, service, ServiceAction::Start).await;
                note(&call, &node, service, "start", &done);
                done?;
            }
        }
        "deactivate" => {
            activate(&call, &node, service, false).await?;
            if here {
                let done = order(&call.app, service, ServiceAction::Stop).await;
                note(&call, &node, service, "stop", &done);
                done?;
            }
        }
        action => {
            let action = match action {
                "start" => ServiceAction::Start,
                "stop" => ServiceAction::Stop,
                "restart" => ServiceAction::Restart,
                _ => return Err(not_among("action", action, ACTIONS).into()),
            };
            if action != ServiceAction::Stop && !directory.is_activated(&node, service) {
                return Err(inactive(service).into());
            }
            let done = order_at(&call.app, &node, service, action).await;
            note(&call, &node, service, call.param("action"), &done);
            done?;
        }
    }
    let statuses = statuses(&call.app).await?;
    let status = statuses.iter().find(|status| status.service == service && here);
    let activated = call.app.directory().is_activated(&node, service);
    Ok(Answer::ok(entry(&node, service, activated, status, call.language)))
}

/// Who started, stopped or restarted a service is in the audit.
pub(crate) fn note(
    call: &Call,
    node: &str,
    service: Service,
    action: &str,
    done: &Result<(), Refusal>,
) {
    let object = call.app.directory().node(node).map(|(id, _)| id.id());
    let detail = json!({ "service": service.name(), "action": action });
    deed::note(call, "service", object, detail, done);
}

/// Restarts a service on every node on which it runs; where it runs nowhere, it is started on the
/// publisher. Where it is not activated nobody may start it, and a restart is refused.
pub(crate) async fn restart_everywhere(call: &Call, service: Service) -> Result<(), Refusal> {
    let app = &call.app;
    let directory = app.directory();
    let activated = |node: &str| directory.is_activated(node, service);
    let here = statuses(app).await?;
    let here = here.iter().any(|status| status.service == service && status.running);
    let mut running: Vec<Box<str>> = here.then(|| app.node().into()).into_iter().collect();
    // Without other nodes nobody need be asked about them.
    if directory.all::<Node>().nth(1).is_some() {
        let others = elsewhere(app).await?.into_iter();
        running.extend(others.filter(|(_, one)| *one == service).map(|(node, _)| node));
    }
    running.retain(|node| activated(node));
    if running.is_empty() {
        let publisher = directory.publisher().map(|(_, node)| &*node.name);
        let publisher = publisher.filter(|node| activated(node));
        running.push(publisher.ok_or_else(|| inactive(service))?.into());
    }
    let mut failure = None;
    for node in running {
        let restarted = order_at(app, &node, service, ServiceAction::Restart).await;
        note(call, &node, service, "restart", &restarted);
        failure = failure.or(restarted.err());
    }
    failure.map_or(Ok(()), Err)
}

fn inactive(service: Service) -> Refusal {
    Refusal::new(Code::ServiceInactive).value("service", service.name())
}

/// Starts, stops or restarts a service of any node.
async fn order_at(
    app: &App,
    node: &str,
    service: Service,
    action: ServiceAction,
) -> Result<(), Refusal> {
    if *node == *app.node() {
        return order(app, service, action).await;
    }
    let order = Order::ServiceElsewhere { node: node.into(), service, action };
    match app.operate(order).await? {
        Reply::Accepted => Ok(()),
        other => Err(mismatch(&other)),
    }
}

/// Starts, stops or restarts a service of this node.
async fn order(app: &App, service: Service, action: ServiceAction) -> Result<(), Refusal> {
    match app.operate(Order::Service { service, action }).await? {
        Reply::Accepted => Ok(()),
        other => Err(mismatch(&other)),
    }
}

/// The services of this node.
pub(crate) async fn statuses(app: &App) -> Result<Vec<ServiceStatus>, Refusal> {
    match app.operate(Order::Services).await? {
        Reply::Services(statuses) => Ok(statuses),
        other => Err(mismatch(&other)),
    }
}

fn entry(
    node: &str,
    service: Service,
    activated: bool,
    status: Option<&ServiceStatus>,
    language: Language,
) -> Value {
    json!({
        "node": node,
        "service": service.name(),
        "activated": activated,
        "running": status.map(|status| status.running),
        "state": status.map(|status| &status.state),
        "detail": status.and_then(|status| setup::ivr_failure(&status.state, language)),
        "owner": status.and_then(|status| status.owner.as_ref()),
        "in_service_in_seconds": status.and_then(|status| status.in_service_at).map(seconds_until),
        "restart_needed": status.map(|status| status.restart_needed),
    })
}

fn seconds_until(moment: UnixTime) -> u64 {
    moment.0.saturating_sub(wall().0).div_ceil(1000)
}

async fn activate(call: &Call, node: &str, service: Service, on: bool) -> Result<Outcome, Fault> {
    let directory = call.app.directory();
    let found = directory.find(Kind::ServiceActivation, node);
    let mut services = found
        .and_then(|id| directory.typed::<jackfield_model::ServiceActivation>(id))
        .map(|activation| activation.services.to_vec())
        .unwrap_or_default();
    services.retain(|one| *one != service);
    if on {
        services.push(service);
        services.sort();
    }
    let operation = match found {
        Some(id) => {
            let patch = json!({ "services": services });
            Operation::Update { id, version: None, patch }
        }
        None => {
            let body = json!({ "name": node, "node": node, "services": services });
            Operation::Create { kind: Kind::ServiceActivation, body }
        }
    };
    Ok(call.app.execute(call.operation, call.actor(), operation).await?)
}

const ACTIONS: [&str; 5] = ["activate", "deactivate", "start", "stop", "restart"];
