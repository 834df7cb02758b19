//! Orders that a node leaves for another one in the database that they share: they have no other
//! way to speak to each other. Who is ordered looks for them, and writes down what came of each.

use core::time::Duration;

use jackfield_vocabulary::UnixTime;
use serde_json::Value as Json;

use crate::StoreError;
use crate::database::widen;
use crate::handle::StoreHandle;
use crate::lease::moment;
use crate::log::to_text;
use crate::queue::Lane;

/// An order as the ordered node finds it.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeOrder {
    /// Its number.
    pub id: u64,
    /// What is wanted, in the words of whoever ordered it.
    pub body: Json,
}

/// How far an order is.
#[derive(Clone, Debug, PartialEq)]
pub enum OrderFate {
    /// Nobody took it yet.
    Left,
    /// The ordered node took it and said no more.
    Taken,
    /// What the ordered node says came of it.
    Answered(Json),
}

impl StoreHandle {
    /// Leaves an order for a node; what is not taken within `length` is not taken any more.
    pub fn leave_order(
        &self,
        node: &str,
        body: &Json,
        length: Duration,
    ) -> Result<u64, StoreError> {
        let (kind, body) = (kind_of(node), to_text(body)?);
        let length = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        self.work(Lane::Urgent, move |turn| {
            let now = moment(turn)?;
            // Whoever ordered what nobody asked after any more has gone.
            turn.database.execute(
                "DELETE FROM job WHERE kind LIKE 'order:%' AND due < ?1",
                &[widen(now.0.saturating_sub(FORGOTTEN_AFTER))],
            )?;
            let due = UnixTime(now.0.saturating_add(length));
            let id = turn.database.row(
                "INSERT INTO job (kind, state, due, body) VALUES (?1, 'left', ?2, ?3) RETURNING id",
                &[(&*kind).into(), widen(due.0), (&*body).into()],
                |row| row.number(0),
            )?;
            id.ok_or_else(|| StoreError::Fault("an order that was just left is gone".into()))
        })
    }

    /// Takes the orders that were left for a node, oldest first; each is given once.
    pub fn take_orders(&self, node: &str) -> Result<Vec<NodeOrder>, StoreError> {
        let kind = kind_of(node);
        self.work(Lane::Urgent, move |turn| {
            let now = moment(turn)?;
            let rows = turn.database.rows(
                "SELECT id, body FROM job WHERE kind = ?1 AND state = 'left' AND due > ?2 \
                 ORDER BY id LIMIT 100",
                &[(&*kind).into(), widen(now.0)],
                |row| Ok((row.number(0)?, row.text(1)?.to_owned())),
            )?;
            let mut orders = Vec::new();
            for (id, body) in rows {
                turn.database
                    .execute("UPDATE job SET state = 'taken' WHERE id = ?1", &[widen(id)])?;
                orders.push(NodeOrder { id, body: read(id, &body)? });
            }
            Ok(orders)
        })
    }

    /// Writes down what came of an order that was taken.
    pub fn answer_order(&self, id: u64, answer: &Json) -> Result<(), StoreError> {
        let answer = to_text(answer)?;
        self.work(Lane::Urgent, move |turn| {
            turn.database.execute(
                "UPDATE job SET state = 'answered', body = ?2 WHERE id = ?1 AND state = 'taken'",
                &[widen(id), (&*answer).into()],
            )?;
            Ok(())
        })
    }

    /// How far an order is. One that is answered is forgotten.
    pub fn order_fate(&self, id: u64) -> Result<OrderFate, StoreError> {
        self.work(Lane::Urgent, move |turn| {
            let row = turn.database.row(
                "SELECT state, body FROM job WHERE id = ?1",
                &[widen(id)],
                |row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned())),
            )?;
            match row {
                Some((state, answer)) if state == "answered" => {
                    turn.database.execute("DELETE FROM job WHERE id = ?1", &[widen(id)])?;
                    Ok(OrderFate::Answered(read(id, &answer)?))
                }
                Some((state, _)) if state == "left" => Ok(OrderFate::Left),
                _ => Ok(OrderFate::Taken),
            }
        })
    }

    /// Takes an order back; `false` when the node has taken it already.
    pub fn withdraw_order(&self, id: u64) -> Result<bool, StoreError> {
        self.work(Lane::Urgent, move |turn| {
            let gone = turn
                .database
                .execute("DELETE FROM job WHERE id = ?1 AND state = 'left'", &[widen(id)])?;
            Ok(gone > 0)
        })
    }
}

fn kind_of(node: &str) -> String {
    format!("order:{node}")
}

fn read(id: u64, text: &str) -> Result<Json, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("order {id}: {error}")))
}

/// In milliseconds after its time.
const FORGOTTEN_AFTER: u64 = 60_000;
