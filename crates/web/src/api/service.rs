//! Services of the nodes. Activated is configuration; running and in service is what happens.

use jackfield_model::{Kind, Operation, Outcome, Service};
use jackfield_vocabulary::{Code, Refusal};
use serde_json::{Value, json};

use crate::app::{App, not_found};
use crate::call::{Answer, Call};
use crate::fault::Fault;
use crate::operator::{Order, Reply, ServiceAction, ServiceStatus, mismatch};

/// Lists every service of every node. Of other nodes it is known what runs, while the database
/// answers, and no more.
pub(crate) async fn list(call: Call) -> Result<Answer, Fault> {
    let here = statuses(&call.app).await?;
    let directory = call.app.directory();
    let nodes: Vec<_> = directory.all::<jackfield_model::Node>().collect();
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
            let mut row = entry(&node.name, *service, activated, status);
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
        .ok_or_else(|| not_found("service", name))?;
    let directory = call.app.directory();
    let node = match call.body["node"].as_str() {
        Some(node) => {
            let (_, node) = directory.node(node).ok_or_else(|| not_found("node", node))?;
            node.name.clone()
        }
        None => call.app.node().into(),
    };
    let here = *node == *call.app.node();
    match call.param("action") {
        "activate" => {
            activate(&call, &node, service, true).await?;
            if here {
                order(&call.app, service, ServiceAction::Start).await?;
            }
        }
        "deactivate" => {
            activate(&call, &node, service, false).await?;
            if here {
                order(&call.app, service, ServiceAction::Stop).await?;
            }
        }
        action => {
            let action = match action {
                "start" => ServiceAction::Start,
                "stop" => ServiceAction::Stop,
                "restart" => ServiceAction::Restart,
                _ => return Err(not_found("action", action).into()),
            };
            if !here {
                // Each node starts and stops its own services.
                let refusal = Refusal::new(Code::WrongState).field("node");
                return Err(refusal.value("name", node).into());
            }
            if action != ServiceAction::Stop && !directory.is_activated(&node, service) {
                return Err(Refusal::new(Code::ServiceInactive).value("service", name).into());
            }
            order(&call.app, service, action).await?;
        }
    }
    let statuses = statuses(&call.app).await?;
    let status = statuses.iter().find(|status| status.service == service && here);
    let activated = call.app.directory().is_activated(&node, service);
    Ok(Answer::ok(entry(&node, service, activated, status)))
}

/// Starts, stops or restarts a service of this node.
pub(crate) async fn order(
    app: &App,
    service: Service,
    action: ServiceAction,
) -> Result<(), Refusal> {
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

fn entry(node: &str, service: Service, activated: bool, status: Option<&ServiceStatus>) -> Value {
    json!({
        "node": node,
        "service": service.name(),
        "activated": activated,
        "running": status.map(|status| status.running),
        "state": status.map(|status| &status.state),
        "owner": status.and_then(|status| status.owner.as_ref()),
        "restart_needed": status.map(|status| status.restart_needed),
    })
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
