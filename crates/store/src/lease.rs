//! Leases: which node does what only one may do.

use core::time::Duration;

use jackfield_vocabulary::UnixTime;

use crate::StoreError;
use crate::database::widen;
use crate::handle::StoreHandle;
use crate::queue::Lane;

/// A lease as somebody holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it.
    pub holder: Box<str>,
    /// Counts the holders: what an earlier one still says is out of date.
    pub epoch: u64,
    /// Until when it is held.
    pub expires: UnixTime,
}

impl StoreHandle {
    /// Takes a lease that is free, or prolongs one's own; gives whoever holds it then.
    pub fn lease(&self, name: &str, holder: &str, length: Duration) -> Result<Lease, StoreError> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        let length = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        self.work(Lane::Urgent, move |turn| {
            turn.database.execute(
                "INSERT INTO lease (name, holder, epoch, expires) VALUES (?1, ?2, 1, ?3) \
                 ON CONFLICT (name) DO UPDATE SET expires = excluded.expires, \
                 epoch = CASE WHEN lease.holder = excluded.holder THEN lease.epoch \
                 ELSE lease.epoch + 1 END, holder = excluded.holder \
                 WHERE lease.holder = excluded.holder OR lease.expires <= ?4",
                &[
                    (&*name).into(),
                    holder.into(),
                    widen(turn.now.0.saturating_add(length)),
                    widen(turn.now.0),
                ],
            )?;
            let lease = turn.database.row(
                "SELECT holder, epoch, expires FROM lease WHERE name = ?1",
                &[(&*name).into()],
                |row| {
                    Ok(Lease {
                        holder: row.text(0)?.into(),
                        epoch: row.number(1)?,
                        expires: UnixTime(row.number(2)?),
                    })
                },
            )?;
            lease.ok_or_else(|| StoreError::Fault("a lease that was just taken is gone".into()))
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
}
