//! Whether this node owns the route point of the service (SP-60). On several nodes with the service
//! one owns it and takes its calls; the others stand by. The shell holds the leases and says until
//! when; that moment is watched here, so that a node which is cut off lets go by itself before
//! another one may take over.

use jackfield_vocabulary::{Now, ObjectId};
use serde::{Deserialize, Serialize};

use crate::context::{Context, Timer, TimerToken};
use crate::interface::{Output, Ownership};

/// What is known of who owns the route point.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Tenure {
    /// It is not wanted.
    #[default]
    Unwanted,
    /// It is asked for, and nothing has been said yet.
    Asked,
    /// Another node owns it.
    Other { node: Box<str> },
    /// Nobody can say.
    Unknown,
    /// This node owns it until then.
    Own { until: Now, end: TimerToken },
}

/// What a word about the ownership changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing that matters.
    Same,
    /// From now on this node owns it.
    Gained,
    /// No longer.
    Lost,
}

impl Tenure {
    /// Wants the route point, or wants to know at once whether it is free now.
    pub(super) fn ask(&mut self, context: &mut Context<'_>, device: ObjectId) {
        if *self == Self::Unwanted {
            *self = Self::Asked;
        }
        context.out.push(Output::RoutePoint { device, wanted: true });
    }

    /// Wants it no more: another node may have it at once.
    pub(super) fn give_up(&mut self, context: &mut Context<'_>, device: ObjectId) {
        match core::mem::take(self) {
            Self::Unwanted => return,
            Self::Own { end, .. } => context.timers.cancel(end),
            _ => {}
        }
        context.out.push(Output::RoutePoint { device, wanted: false });
    }

    /// Takes what the shell says.
    pub(super) fn told(&mut self, context: &mut Context<'_>, ownership: Ownership) -> Turn {
        let owned = self.is_own();
        match ownership {
            _ if *self == Self::Unwanted => Turn::Same,
            Ownership::Own { until } if is_past(until, context.now) => Turn::Same,
            Ownership::Own { until } => {
                self.leave_timer(context);
                let end = context.timers.set(until, Timer::OwnershipEnd);
                *self = Self::Own { until, end };
                if owned { Turn::Same } else { Turn::Gained }
            }
            Ownership::Other { node } => {
                self.leave_timer(context);
                *self = Self::Other { node };
                if owned { Turn::Lost } else { Turn::Same }
            }
            Ownership::Unknown => {
                if !owned {
                    *self = Self::Unknown;
                }
                Turn::Same
            }
        }
    }

    /// The time that was granted is over, and nobody granted more: it is asked for anew.
    pub(super) fn ended(&mut self, context: &mut Context<'_>, device: ObjectId) -> Turn {
        if !self.is_own() {
            return Turn::Same;
        }
        self.leave_timer(context);
        *self = Self::Unknown;
        self.ask(context, device);
        Turn::Lost
    }

    /// The time that was granted is over, and its timer has not fired yet: as after a long sleep
    /// of the whole process.
    pub(super) fn is_over(&self, now: Now) -> bool {
        matches!(self, Self::Own { until, .. } if is_past(*until, now))
    }

    /// This node owns it.
    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Own { .. })
    }

    /// The other node that owns it.
    pub(super) fn owner(&self) -> Option<&str> {
        match self {
            Self::Other { node } => Some(node),
            _ => None,
        }
    }

    /// Why the service stands by, in words.
    pub(super) fn words(&self) -> Box<str> {
        match self {
            Self::Other { node } => format!("standing by (owner: {node})").into(),
            Self::Unknown => "standing by (the database does not say who owns it)".into(),
            _ => "waiting".into(),
        }
    }

    fn leave_timer(&self, context: &mut Context<'_>) {
        if let Self::Own { end, .. } = self {
            context.timers.cancel(*end);
        }
    }
}

/// By either clock: the one that counts stands still while a machine sleeps, and the other one may
/// be set.
fn is_past(until: Now, now: Now) -> bool {
    now.micros >= until.micros || now.wall >= until.wall
}

#[cfg(test)]
mod tests {
    use jackfield_model::Language;
    use jackfield_model::setup::ivr_failure;

    use super::*;

    /// The status and explanations tell people what these words mean, in their language.
    #[test]
    fn the_words_are_those_that_are_explained() {
        let told = |tenure: Tenure| ivr_failure(&tenure.words(), Language::English);
        assert!(told(Tenure::Unknown).is_some_and(|text| text.contains("database")));
        assert_eq!(told(Tenure::Other { node: "node-2".into() }), None, "that one answers");
        assert_eq!(told(Tenure::Asked), None, "it says enough by itself");
    }
}
