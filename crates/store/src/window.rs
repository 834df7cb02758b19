//! The windows in which phones may fetch their files with their passwords, so that what one node opens or
//! closes is open or closed at every node, and after a restart. Each says for how long it is open yet, and
//! no secret.

use core::time::Duration;

use jackfield_model::Network;
use jackfield_vocabulary::{ObjectId, UnixTime};

use crate::StoreError;
use crate::binding::{Looked, MOST};
use crate::clock;
use crate::database::{Database, DatabaseError, Row, widen};
use crate::handle::StoreHandle;
use crate::lease::moment;
use crate::queue::Lane;
use crate::writer::Turn;

/// A window that is open for a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileWindow {
    /// Only from there.
    pub networks: Box<[Network]>,
    /// The generation of the device's secret when it was opened.
    pub generation: u32,
    /// For how long it is open yet.
    pub left: Duration,
}

impl StoreHandle {
    /// Writes behind that a window is open for a device, in place of the one before. What is lost is told by
    /// the log.
    pub fn window_opened(&self, device: ObjectId, window: FileWindow) {
        // It may wait for its turn, and the window gets no longer by that.
        let until = clock::now().0.saturating_add(millis(window.left));
        let open = move |turn: &mut Turn<'_>| {
            let left = until.saturating_sub(turn.now.0).min(millis(window.left));
            let now = moment(turn)?;
            Ok(open(turn.database, device, &window, left, now)?)
        };
        self.enqueue(Lane::Background, open, move |written| told(&written, device));
    }

    /// Writes behind that the window of a device was closed. What is lost is told by the log.
    pub fn window_closed(&self, device: ObjectId) {
        let close = move |turn: &mut Turn<'_>| {
            let now = moment(turn)?;
            Ok(turn.database.execute(CLOSE, &[device.0.into(), widen(now.0)])?)
        };
        self.enqueue(Lane::Background, close, move |written| told(&written, device));
    }

    /// Windows that were opened, or closed (`None`), at whatever node after one looked last, in the order
    /// of writing; 1,500 at once. What is committed late may have an earlier moment: look again some seconds
    /// back.
    pub fn windows_since(
        &self,
        looked: Looked,
    ) -> Result<Vec<(Looked, Option<FileWindow>)>, StoreError> {
        self.work(Lane::Background, move |turn| {
            let now = moment(turn)?;
            let rows = turn.database.rows(
                "SELECT device, written, networks, generation, closes FROM file_window \
                 WHERE written > ?1 OR (written = ?1 AND device > ?2) \
                 ORDER BY written, device LIMIT ?3",
                &[widen(looked.written.0), looked.device.0.into(), MOST.into()],
                |row| read(row, now),
            )?;
            Ok(rows)
        })
    }
}

fn open(
    database: &mut Database,
    device: ObjectId,
    window: &FileWindow,
    left: u64,
    now: UnixTime,
) -> Result<u64, DatabaseError> {
    let networks: Vec<String> = window.networks.iter().map(ToString::to_string).collect();
    database.execute(
        "INSERT INTO file_window (device, networks, generation, closes, written) \
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (device) DO UPDATE SET \
         networks = excluded.networks, generation = excluded.generation, \
         closes = excluded.closes, written = excluded.written",
        &[
            device.0.into(),
            networks.join(",").into(),
            window.generation.into(),
            widen(now.0.saturating_add(left)),
            widen(now.0),
        ],
    )
}

fn told(written: &Result<u64, StoreError>, device: ObjectId) {
    if let Err(error) = written {
        tracing::warn!(
            device = device.0,
            error.cause = %error,
            "other nodes do not hear of a window for a phone's file"
        );
    }
}

fn read(row: &Row<'_>, now: UnixTime) -> Result<(Looked, Option<FileWindow>), DatabaseError> {
    let looked = Looked { device: ObjectId(row.number(0)?), written: UnixTime(row.number(1)?) };
    let closes = row.number::<u64>(4)?;
    // A clock that was turned back prolongs none.
    let left = closes.saturating_sub(now.0.max(looked.written.0));
    if left == 0 {
        return Ok((looked, None));
    }
    let networks = row.text(2)?.split(',').map(str::parse).collect::<Result<_, _>>();
    let networks = networks.map_err(|_| DatabaseError::Corrupt("a network is none".into()))?;
    let left = Duration::from_millis(left);
    Ok((looked, Some(FileWindow { networks, generation: row.number(3)?, left })))
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

/// It stays to be seen by the others.
const CLOSE: &str =
    "UPDATE file_window SET closes = ?2, written = ?2 WHERE device = ?1 AND closes > ?2";
