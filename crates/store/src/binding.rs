//! Registrations across restarts: written behind, in batches. A crash may lose those of the last
//! moment; phones register again.
//!
//! A registration belongs to the node where the phone registered last: no other node takes it for
//! its own, and an earlier one that forgets the phone does not forget it for the later one.

use std::sync::Arc;

use jackfield_vocabulary::{ObjectId, SecretShown, UnixTime};

use crate::StoreError;
use crate::database::{Database, DatabaseError, Row, Value, widen};
use crate::handle::StoreHandle;
use crate::lease::moment;
use crate::prune::REGISTRATIONS;
use crate::queue::Lane;

/// A registration to keep or to forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingRow {
    /// The device.
    pub device: ObjectId,
    /// Its registration in the engine's own form; `None` when it ended.
    pub blob: Option<Vec<u8>>,
    /// When it ends by itself; 0 says that it ended, and the form is what is left of it.
    pub expires: UnixTime,
    /// From where the device showed its secret, if it did; not told with those at a node's start.
    pub shown: Option<SecretShown>,
}

/// Which registrations one has looked at: those that were written before this moment of the database's
/// clock, and of that moment those of devices up to this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// The moment.
    pub written: UnixTime,
    /// The device.
    pub device: ObjectId,
}

impl StoreHandle {
    /// Writes registrations at a node behind: returns at once, and tells `done` when they are on
    /// the disk. Give it what a second or so brought, at most 1,500 at once.
    pub fn save_bindings(
        &self,
        node: Arc<str>,
        rows: Vec<BindingRow>,
        done: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) {
        self.enqueue(
            Lane::Background,
            move |turn| {
                let now = moment(turn)?;
                rows.iter()
                    .try_for_each(|row| save(turn.database, &node, row, now))
                    .map_err(Into::into)
            },
            done,
        );
    }

    /// The registrations at a node, at its start, and what was left of those that ended within a year.
    /// Those of a backup, which are over, and of the time before they had a node become those of the first
    /// node that asks.
    pub fn bindings(&self, node: &str, now: UnixTime) -> Result<Vec<BindingRow>, StoreError> {
        let node = node.to_owned();
        self.work(Lane::Urgent, move |turn| {
            turn.database
                .execute("UPDATE binding SET node = ?1 WHERE node = ''", &[(&*node).into()])?;
            let rows = turn.database.rows(
                "SELECT device, blob, expires FROM binding WHERE node = ?1 AND expires > ?2 \
                 ORDER BY device",
                &[(&*node).into(), widen(now.0.saturating_sub(REGISTRATIONS))],
                |row| {
                    Ok(BindingRow {
                        device: ObjectId(row.number(0)?),
                        blob: Some(row.blob(1)?.to_vec()),
                        expires: UnixTime(row.number(2)?),
                        shown: None,
                    })
                },
            )?;
            Ok(rows)
        })
    }

    /// The phones that are registered anywhere.
    pub fn registered(&self, now: UnixTime) -> Result<Vec<ObjectId>, StoreError> {
        self.work(Lane::Background, move |turn| {
            Ok(turn.database.rows(
                "SELECT device FROM binding WHERE expires > ?1 AND node <> '' ORDER BY device",
                &[widen(now.0)],
                |row| Ok(ObjectId(row.number(0)?)),
            )?)
        })
    }

    /// From where phones showed their secret, at whatever node, of what was written after one looked last,
    /// in the order of writing; 1,500 at once. What is committed late may have an earlier moment: look
    /// again some seconds back.
    pub fn shown_since(&self, looked: Looked) -> Result<Vec<(Looked, SecretShown)>, StoreError> {
        self.work(Lane::Background, move |turn| {
            let rows = turn.database.rows(
                "SELECT device, written, address, generation FROM binding \
                 WHERE address <> '' AND (written > ?1 OR (written = ?1 AND device > ?2)) \
                 ORDER BY written, device LIMIT ?3",
                &[widen(looked.written.0), looked.device.0.into(), MOST.into()],
                read_shown,
            )?;
            Ok(rows)
        })
    }

    /// Did a phone register at another node than this one last?
    pub fn was_elsewhere(&self, device: ObjectId, node: &str) -> Result<bool, StoreError> {
        let node = node.to_owned();
        self.work(Lane::Background, move |turn| {
            let found = turn.database.row(
                "SELECT device FROM binding WHERE device = ?1 AND node NOT IN ('', ?2)",
                &[device.0.into(), (&*node).into()],
                |row| row.number::<u32>(0),
            )?;
            Ok(found.is_some())
        })
    }

    /// The node at which a phone is registered, as far as registrations are written yet.
    pub fn registered_at(
        &self,
        device: ObjectId,
        now: UnixTime,
    ) -> Result<Option<Box<str>>, StoreError> {
        self.work(Lane::Urgent, move |turn| Ok(registered_node(turn.database, device, now)?))
    }

    /// The nodes at which those of these phones that are registered anywhere are.
    pub fn registered_nodes(
        &self,
        devices: &[ObjectId],
        now: UnixTime,
    ) -> Result<Vec<(ObjectId, Box<str>)>, StoreError> {
        let devices = devices.to_vec();
        self.work(Lane::Urgent, move |turn| {
            let mut found = Vec::new();
            for device in devices {
                let node = registered_node(turn.database, device, now)?;
                found.extend(node.map(|node| (device, node)));
            }
            Ok(found)
        })
    }
}

fn registered_node(
    database: &mut Database,
    device: ObjectId,
    now: UnixTime,
) -> Result<Option<Box<str>>, DatabaseError> {
    database.row(
        "SELECT node FROM binding WHERE device = ?1 AND expires > ?2 AND node <> ''",
        &[device.0.into(), widen(now.0)],
        |row| Ok(row.text(0)?.into()),
    )
}

fn save(
    database: &mut Database,
    node: &str,
    row: &BindingRow,
    now: UnixTime,
) -> Result<(), DatabaseError> {
    match &row.blob {
        // What is left of a registration that ended here says nothing about one elsewhere.
        Some(blob) if row.expires == UnixTime(0) => database.execute(
            "UPDATE binding SET blob = ?2, expires = ?3 WHERE device = ?1 AND node IN ('', ?4)",
            &[row.device.0.into(), Value::from(&blob[..]), widen(now.0), node.into()],
        ),
        Some(blob) => database.execute(
            "INSERT INTO binding (device, blob, expires, node, address, generation, written) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
             ON CONFLICT (device) DO UPDATE SET blob = excluded.blob, \
             expires = excluded.expires, node = excluded.node, address = excluded.address, \
             generation = excluded.generation, written = excluded.written",
            &[
                row.device.0.into(),
                Value::from(&blob[..]),
                widen(row.expires.0),
                node.into(),
                row.shown.map_or_else(String::new, |shown| shown.address.to_string()).into(),
                row.shown.map_or(0, |shown| shown.generation).into(),
                widen(now.0),
            ],
        ),
        None => database.execute(
            "DELETE FROM binding WHERE device = ?1 AND node IN ('', ?2)",
            &[row.device.0.into(), node.into()],
        ),
    }
    .map(drop)
}

fn read_shown(row: &Row<'_>) -> Result<(Looked, SecretShown), DatabaseError> {
    let looked = Looked { device: ObjectId(row.number(0)?), written: UnixTime(row.number(1)?) };
    let address = row.text(2)?.parse();
    let address = address.map_err(|_| DatabaseError::Corrupt("an address is none".into()))?;
    Ok((looked, SecretShown { address, generation: row.number(3)? }))
}

/// Rows that are read at once.
const MOST: u32 = 1500;
