//! Registrations across restarts: written behind, in batches. A crash may lose those of the last
//! moment; phones register again.
//!
//! A registration belongs to the node where the phone registered last: no other node takes it for
//! its own, and an earlier one that forgets the phone does not forget it for the later one. But who
//! showed no secret takes nobody's place: a registration without one is not written over that of
//! another host at another node, and what the phone showed before stays known.

use std::net::IpAddr;
use std::sync::Arc;

use jackfield_vocabulary::{Elsewhere, ObjectId, SecretShown, UnixTime};

use crate::StoreError;
use crate::database::{Database, DatabaseError, Row, Value, widen};
use crate::handle::StoreHandle;
use crate::lease::moment;
use crate::prune::REGISTRATIONS;
use crate::queue::Lane;
use crate::writer::Turn;

/// A registration to keep or to forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingRow {
    /// The device.
    pub device: ObjectId,
    /// Its registration in the engine's own form; `None` when it ended.
    pub blob: Option<Vec<u8>>,
    /// When it ends by itself; 0 says that it ended, and the form is what is left of it.
    pub expires: UnixTime,
    /// From where it is registered; not told with those at a node's start.
    pub host: Option<IpAddr>,
    /// The ports there from which it sends and at which it listens; not told at the start either.
    pub ports: Vec<u16>,
    /// It has its secret: it showed it, or the file with it was fetched; not told at the start either.
    pub has_secret: bool,
    /// From where the device showed its secret, if it did; not told at the start either.
    pub shown: Option<SecretShown>,
}

/// What every node may know of a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// At which node.
    pub node: Box<str>,
    /// When it ends, or ended.
    pub expires: UnixTime,
    /// From where.
    pub host: Option<IpAddr>,
    /// Until when registrations from there may go on at nodes whose rows this one was written over.
    pub rest: UnixTime,
    /// The device has its secret: it showed it, or the file with it was fetched.
    pub has_secret: bool,
    /// From where it showed its secret last, at whatever node.
    pub shown: Option<SecretShown>,
}

impl Registration {
    /// What it is to this node.
    pub fn elsewhere(&self, node: &str, now: UnixTime) -> Elsewhere {
        let other = self.expires > now && !self.node.is_empty() && *self.node != *node;
        let other = other || self.rest > now;
        Elsewhere { host: self.host.filter(|_| other), has_secret: self.has_secret }
    }
}

/// Which rows of devices one has looked at: those that were written before this moment of the database's
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
                        host: None,
                        ports: Vec::new(),
                        has_secret: false,
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

    /// Registrations at whatever node that were written after one looked last, in the order of writing;
    /// 1,500 at once. What is committed late may have an earlier moment: look again some seconds back.
    pub fn written_since(&self, looked: Looked) -> Result<Vec<(Looked, Registration)>, StoreError> {
        self.work(Lane::Background, move |turn| {
            let rows = turn.database.rows(
                "SELECT device, written, node, expires, host, secret, address, generation, rest \
                 FROM binding WHERE written > ?1 OR (written = ?1 AND device > ?2) \
                 ORDER BY written, device LIMIT ?3",
                &[widen(looked.written.0), looked.device.0.into(), MOST.into()],
                read,
            )?;
            Ok(rows)
        })
    }

    /// Looks for the registration of a device, at whatever node, and tells `done` of it.
    pub fn look_for(
        &self,
        device: ObjectId,
        done: impl FnOnce(Result<Option<Registration>, StoreError>) + Send + 'static,
    ) {
        self.enqueue(
            Lane::Background,
            move |turn| {
                let found = turn.database.row(
                    "SELECT device, written, node, expires, host, secret, address, generation, rest \
                     FROM binding WHERE device = ?1",
                    &[device.0.into()],
                    read,
                )?;
                Ok(found.map(|(_, registration)| registration))
            },
            done,
        );
    }

    /// Looks whether another device than this one is registered at another node than this one, from this
    /// host, and sends from or listens at one of these ports; tells `done`.
    pub fn look_beside(
        &self,
        (host, ports): (IpAddr, [u16; 2]),
        device: Option<ObjectId>,
        (node, now): (Box<str>, UnixTime),
        done: impl FnOnce(Result<bool, StoreError>) + Send + 'static,
    ) {
        self.enqueue(
            Lane::Background,
            move |turn| {
                let [first, second] = ports.map(|port| format!("% {port} %"));
                // No object has the id 0.
                let device = device.map_or(0, |device| device.0);
                let values = [
                    host.to_canonical().to_string().into(),
                    device.into(),
                    widen(now.0),
                    (&*node).into(),
                    first.into(),
                    second.into(),
                ];
                let found = turn.database.row(BESIDE, &values, |row| row.number::<u32>(0))?;
                Ok(found.is_some())
            },
            done,
        );
    }

    /// Writes behind that a device has its secret, wherever it is registered. What is lost is told by
    /// the log.
    pub fn secret_given(&self, device: ObjectId) {
        let write = move |turn: &mut Turn<'_>| {
            let now = moment(turn)?;
            let values = [device.0.into(), Value::from(&b""[..]), widen(now.0)];
            Ok(turn.database.execute(SECRET_GIVEN, &values)?)
        };
        self.enqueue(Lane::Background, write, move |written| {
            if let Err(error) = written {
                tracing::warn!(error.cause = %error, "other nodes do not hear of a fetched secret");
            }
        });
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
        Some(blob) => enter(database, node, row, blob, now),
        None => database.execute(
            "DELETE FROM binding WHERE device = ?1 AND node IN ('', ?2)",
            &[row.device.0.into(), node.into()],
        ),
    }
    .map(drop)
}

/// Writes a registration, or has the other nodes, and so this one, hear again of the one that stays.
fn enter(
    database: &mut Database,
    node: &str,
    row: &BindingRow,
    blob: &[u8],
    now: UnixTime,
) -> Result<u64, DatabaseError> {
    let text = |address: Option<IpAddr>| {
        address.map_or_else(String::new, |address| address.to_canonical().to_string())
    };
    let entered = database.execute(
        ENTER,
        &[
            row.device.0.into(),
            Value::from(blob),
            widen(row.expires.0),
            node.into(),
            text(row.shown.map(|shown| shown.address)).into(),
            row.shown.map_or(0, |shown| shown.generation).into(),
            widen(now.0),
            text(row.host).into(),
            u32::from(row.has_secret).into(),
            ports(&row.ports).into(),
        ],
    )?;
    if entered > 0 {
        return Ok(entered);
    }
    database.execute(
        "UPDATE binding SET written = ?2 WHERE device = ?1",
        &[row.device.0.into(), widen(now.0)],
    )
}

/// Each with a space before and behind it, so that it is found.
fn ports(ports: &[u16]) -> String {
    if ports.is_empty() {
        return String::new();
    }
    ports.iter().fold(" ".to_owned(), |text, port| format!("{text}{port} "))
}

fn read(row: &Row<'_>) -> Result<(Looked, Registration), DatabaseError> {
    let looked = Looked { device: ObjectId(row.number(0)?), written: UnixTime(row.number(1)?) };
    let address = |text: &str| match text {
        "" => Ok(None),
        text => {
            text.parse().map(Some).map_err(|_| DatabaseError::Corrupt("an address is none".into()))
        }
    };
    let (host, shown, generation) =
        (address(row.text(4)?)?, address(row.text(6)?)?, row.number(7)?);
    let registration = Registration {
        node: row.text(2)?.into(),
        expires: UnixTime(row.number(3)?),
        host,
        rest: UnixTime(row.number(8)?),
        has_secret: row.number::<u32>(5)? != 0,
        shown: shown.map(|address| SecretShown { address, generation }),
    };
    Ok((looked, registration))
}

/// One without a secret takes the place of its own node's, of one that is over, and of one from its host.
/// There is one row for a device: one that is written over goes on at its node, and so `rest` says until
/// when, and outlives the end of the one that was written over it. It says so a little too long where the
/// phone left that node, for the sake of who shows no secret from another host.
const ENTER: &str = "INSERT INTO binding \
    (device, blob, expires, node, address, generation, written, host, secret, ports) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
    ON CONFLICT (device) DO UPDATE SET blob = excluded.blob, expires = excluded.expires, \
    node = excluded.node, written = excluded.written, host = excluded.host, ports = excluded.ports, \
    rest = CASE WHEN binding.host <> excluded.host THEN 0 \
    WHEN binding.node IN ('', excluded.node) OR binding.expires <= binding.rest THEN binding.rest \
    ELSE binding.expires END, \
    address = CASE WHEN excluded.address = '' THEN binding.address ELSE excluded.address END, \
    generation = \
    CASE WHEN excluded.address = '' THEN binding.generation ELSE excluded.generation END, \
    secret = CASE WHEN excluded.secret = 0 THEN binding.secret ELSE excluded.secret END \
    WHERE excluded.address <> '' OR binding.host IN ('', excluded.host) \
    OR (binding.rest <= excluded.written \
    AND (binding.node IN ('', excluded.node) OR binding.expires <= excluded.written))";

/// A registration whose ports are not known, since an older node wrote it, may be at any.
const BESIDE: &str = "SELECT device FROM binding WHERE host = ?1 AND device <> ?2 \
    AND ((expires > ?3 AND node NOT IN ('', ?4)) OR rest > ?3) \
    AND (ports = '' OR ports LIKE ?5 OR ports LIKE ?6) LIMIT 1";

const SECRET_GIVEN: &str = "INSERT INTO binding (device, blob, expires, node, written, secret) \
    VALUES (?1, ?2, ?3, '', ?3, 1) \
    ON CONFLICT (device) DO UPDATE SET secret = 1, written = excluded.written \
    WHERE binding.secret = 0";

/// Rows that are read at once.
pub(crate) const MOST: u32 = 1500;
