//! What strangers may take, by where they come from: one mechanism for every door.
//!
//! *Places* are held for a while (connections, transactions, transfers, bytes of bodies): there are
//! so many in all, each source has a share, and some are kept for who has proved itself. When
//! nothing is free, the place that goes is the oldest idle one of whoever holds most. A *pace* is
//! how often something may be done: at once, and by the minute. Both tables are bounded, and neither
//! has a clock. [`uses`] says what they are used for, with which figures.

mod pace;
mod places;
mod source;
pub mod uses;

pub use pace::{Allowance, Pace};
pub use places::{Full, Holder, Limits, Places};
pub use source::Source;
pub use uses::{PaceUse, PlaceUse, Rate, Total};

use serde::{Deserialize, Serialize};

/// What one use has come to, for the metrics page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// The name of the use, as in [`uses`].
    pub name: Box<str>,
    /// Held now; of a pace, the sources that are remembered.
    pub held: u64,
    /// That may be held.
    pub most: u64,
    /// Refused since the start.
    pub refused: u64,
    /// Taken from their holders to make room, since the start.
    pub evicted: u64,
}

impl Figures {
    /// The sum of two parts of one use.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            name: self.name,
            held: self.held + other.held,
            most: self.most + other.most,
            refused: self.refused + other.refused,
            evicted: self.evicted + other.evicted,
        }
    }
}
