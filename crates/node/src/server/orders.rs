//! Services of other nodes are operated by orders in the database that all of them share. Each
//! node looks for its own, obeys, and says what came of it; whoever ordered waits a moment for that.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jackfield_model::Service;
use jackfield_store::{NodeOrder, OrderFate, StoreError, StoreHandle};
use jackfield_vocabulary::{Code, Refusal};
use jackfield_web::ServiceAction;
use serde::{Deserialize, Serialize};

use super::services::Services;

/// How often a node looks for orders.
const LOOK: Duration = Duration::from_secs(1);
/// An order is taken by then, or not at all.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);
/// What came of an order that was taken is told by then, or nobody knows.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// How often whoever ordered looks for the answer.
const ASK: Duration = Duration::from_millis(200);

/// What is ordered.
#[derive(Debug, Serialize, Deserialize)]
struct Wanted {
    service: Service,
    action: ServiceAction,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
enum Done {
    Obeyed,
    Refused(Refusal),
}

/// Obeys the orders that other nodes leave for this one, as long as the node lives.
pub(crate) async fn obey_others(services: Arc<Services>) {
    if !services.store.is_shared() {
        return; // There are no others.
    }
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let services = Arc::clone(&services);
        let _ = tokio::task::spawn_blocking(move || obey_all(&services)).await;
    }
}

/// Has another node operate a service, and waits for what comes of it; blocks for some seconds at
/// the most.
pub(crate) fn order(
    store: &StoreHandle,
    node: &str,
    service: Service,
    action: ServiceAction,
) -> Result<(), Refusal> {
    let body = serde_json::to_value(Wanted { service, action });
    let body = body.map_err(|_| Refusal::new(Code::Internal))?;
    let refused = |error: StoreError| error.refusal();
    let id = store.leave_order(node, &body, TAKEN_WITHIN).map_err(refused)?;
    let began = Instant::now();
    loop {
        std::thread::sleep(ASK);
        let waited = began.elapsed();
        match store.order_fate(id).map_err(refused)? {
            OrderFate::Answered(answer) => return result(answer),
            OrderFate::Left if waited > TAKEN_WITHIN => {
                if store.withdraw_order(id).map_err(refused)? {
                    return Err(Refusal::new(Code::NodeUnreachable).value("node", node));
                }
            }
            OrderFate::Taken if waited > ANSWERED_WITHIN => {
                return Err(Refusal::new(Code::OutcomeUnknown));
            }
            OrderFate::Left | OrderFate::Taken => {}
        }
    }
}

fn result(answer: serde_json::Value) -> Result<(), Refusal> {
    match serde_json::from_value(answer) {
        Ok(Done::Obeyed) => Ok(()),
        Ok(Done::Refused(refusal)) => Err(refusal),
        // It speaks otherwise, as a newer one may.
        Err(_) => Err(Refusal::new(Code::OutcomeUnknown)),
    }
}

fn obey_all(services: &Services) {
    // A database that does not answer has no orders.
    let Ok(orders) = services.store.take_orders(&services.node) else { return };
    for order in orders {
        let answer = serde_json::to_value(obey(services, &order)).unwrap_or_default();
        if let Err(error) = services.store.answer_order(order.id, &answer) {
            tracing::warn!(error.cause = %error, "what came of another node's order can't be told");
        }
    }
}

fn obey(services: &Services, order: &NodeOrder) -> Done {
    let wanted = serde_json::from_value::<Wanted>(order.body.clone());
    let Ok(Wanted { service, action }) = wanted else {
        return Done::Refused(Refusal::new(Code::Unreadable));
    };
    tracing::info!(
        service.name = service.name(),
        service.action = ?action,
        "another node orders this"
    );
    match services.operate(service, action) {
        Ok(()) => Done::Obeyed,
        Err(refusal) => Done::Refused(refusal),
    }
}
