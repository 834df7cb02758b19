//! Leases: which node does what only one may do.

use core::time::Duration;

use jackfield_vocabulary::UnixTime;

use crate::StoreError;
use crate::database::{DatabaseError, Row, widen};
use crate::handle::StoreHandle;
use crate::queue::Lane;
use crate::writer::Turn;

/// A lease as somebody holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What is leased.
    pub name: Box<str>,
    /// Who holds it.
    pub holder: Box<str>,
    /// Counts the holders: what an earlier one still says is out of date.
    pub epoch: u64,
    /// Until when it is held, by the database's clock.
    pub expires: UnixTime,
}

impl StoreHandle {
    /// Takes a lease that is free, or prolongs one's own; gives whoever holds it then. Its length
    /// counts from a moment after the call: who holds it may trust in `length` from before it.
    pub fn lease(&self, name: &str, holder: &str, length: Duration) -> Result<Lease, StoreError> {
        let leases = self.lease_all(vec![name.to_owned()], holder, length)?;
        let lease = leases.into_iter().next();
        lease.ok_or_else(|| StoreError::Fault("a lease that was just taken is gone".into()))
    }

    /// The same with several at once.
    pub fn lease_all(
        &self,
        names: Vec<String>,
        holder: &str,
        length: Duration,
    ) -> Result<Vec<Lease>, StoreError> {
        let holder = holder.to_owned();
        let length = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        self.work(Lane::Urgent, move |turn| {
            let now = moment(turn)?;
            names.iter().map(|name| take(turn, name, &holder, now, length)).collect()
        })
    }

    /// Gives a lease up, so that the next need not wait.
    pub fn release_lease(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.work(Lane::Urgent, move |turn| {
            turn.database.execute(
                "UPDATE lease SET expires = 0 WHERE name = ?1 AND holder = ?2",
                &[name.into(), holder.into()],
            )?;
            Ok(())
        })
    }

    /// The leases that are held now and whose names begin so.
    pub fn leases(&self, prefix: &str) -> Result<Vec<Lease>, StoreError> {
        let prefix = prefix.to_owned();
        self.work(Lane::Urgent, move |turn| {
            let now = moment(turn)?;
            let rows = turn.database.rows(
                "SELECT name, holder, epoch, expires FROM lease WHERE expires > ?1 ORDER BY name",
                &[widen(now.0)],
                read,
            )?;
            Ok(rows.into_iter().filter(|lease| lease.name.starts_with(&*prefix)).collect())
        })
    }

    /// Other nodes may work on the same database.
    pub fn is_shared(&self) -> bool {
        self.shared
    }
}

/// The moment by which leases are judged: where nodes share a database its clock is everybody's.
pub(crate) fn moment(turn: &mut Turn<'_>) -> Result<UnixTime, StoreError> {
    if !turn.database.is_shared() {
        return Ok(turn.now);
    }
    let now = turn.database.row(
        "SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)",
        &[],
        |row| row.number(0),
    )?;
    now.map(UnixTime).ok_or_else(|| StoreError::Fault("the database has no clock".into()))
}

fn take(
    turn: &mut Turn<'_>,
    name: &str,
    holder: &str,
    now: UnixTime,
    length: u64,
) -> Result<Lease, StoreError> {
    if let Some(held) = find(turn, name)?
        && *held.holder != *holder
        && held.expires > now
    {
        return Ok(held); // Nothing is written while somebody else has it.
    }
    turn.database.execute(
        "INSERT INTO lease (name, holder, epoch, expires) VALUES (?1, ?2, 1, ?3) \
         ON CONFLICT (name) DO UPDATE SET expires = excluded.expires, \
         epoch = CASE WHEN lease.holder = excluded.holder THEN lease.epoch \
         ELSE lease.epoch + 1 END, holder = excluded.holder \
         WHERE lease.holder = excluded.holder OR lease.expires <= ?4",
        &[name.into(), holder.into(), widen(now.0.saturating_add(length)), widen(now.0)],
    )?;
    find(turn, name)?.ok_or_else(|| StoreError::Fault("a lease that was just taken is gone".into()))
}

fn find(turn: &mut Turn<'_>, name: &str) -> Result<Option<Lease>, DatabaseError> {
    turn.database.row(
        "SELECT name, holder, epoch, expires FROM lease WHERE name = ?1",
        &[name.into()],
        read,
    )
}

fn read(row: &Row<'_>) -> Result<Lease, DatabaseError> {
    Ok(Lease {
        name: row.text(0)?.into(),
        holder: row.text(1)?.into(),
        epoch: row.number(2)?,
        expires: UnixTime(row.number(3)?),
    })
}
