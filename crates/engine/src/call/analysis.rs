//! Digit analysis: which line or pattern a dialled number means for this caller.

use std::sync::Arc;

use jackfield_model::{
    CallingSearchSpace, Dialled, Directory, EffectiveLine, Line, PatternUse, Ref, RoutePattern,
};
use jackfield_vocabulary::{Cause, Digits, ObjectId};
use serde::{Deserialize, Serialize};

/// The partitions in which somebody's numbers are looked up, first choice first; `None` stands for
/// the numbers without a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reach(Vec<Option<ObjectId>>);

impl Reach {
    /// What a line reaches, then what its device reaches, then the numbers without a partition.
    pub(super) fn of(
        directory: &Directory,
        line: Option<Ref<CallingSearchSpace>>,
        device: Option<Ref<CallingSearchSpace>>,
    ) -> Self {
        Self(directory.search(line, device))
    }
}

/// What a number means.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// A line of ours.
    Line(ObjectId, Arc<Line>),
    /// Another number, by a route pattern.
    Redirect { pattern: ObjectId, to: Box<str>, reach: Reach },
    /// A route pattern refuses it.
    Blocked,
    /// An emergency number, and there is no trunk that could carry it.
    Emergency,
    /// Nothing that this caller reaches: also a name that is no number.
    Unknown,
    /// The phone belongs to nobody yet and may not dial this.
    Forbidden,
}

impl Target {
    /// Why a call to it comes to nothing; `None` where it goes on.
    pub(super) fn refusal(&self) -> Option<Cause> {
        match self {
            Self::Line(..) | Self::Redirect { .. } => None,
            Self::Blocked | Self::Forbidden => Some(Cause::Forbidden),
            // There is no trunk yet.
            Self::Emergency | Self::Unknown => Some(Cause::NoRoute),
        }
    }
}

/// Whether a call from this device to `dialled` finds its way, as far as it is decided by numbers.
pub(crate) fn outlook(directory: &Directory, device: ObjectId, dialled: &str) -> Result<(), Cause> {
    let target = match directory.effective(device) {
        None => Target::Forbidden,
        Some(device) if device.auto_registered => analyse_unassigned(directory, dialled),
        Some(device) => {
            let line = device.lines.first().and_then(EffectiveLine::css);
            analyse(directory, &Reach::of(directory, line, device.css), dialled)
        }
    };
    target.refusal().map_or(Ok(()), Err)
}

/// What `dialled` means within this reach.
pub(super) fn analyse(directory: &Directory, reach: &Reach, dialled: &str) -> Target {
    if dialled.parse::<Digits>().is_err() {
        return Target::Unknown;
    }
    match directory.dial(&reach.0, dialled) {
        Some(Dialled::Line(id, line)) => Target::Line(id.id(), line),
        Some(Dialled::Route(id, pattern)) => route(directory, id.id(), &pattern),
        None if is_emergency(directory, dialled) => Target::Emergency,
        None => Target::Unknown,
    }
}

/// What `dialled` means for a phone that belongs to nobody yet: the self-provisioning number and
/// emergencies, whatever its calling search space, and nothing else (SP-43).
pub(super) fn analyse_unassigned(directory: &Directory, dialled: &str) -> Target {
    if dialled.parse::<Digits>().is_err() {
        return Target::Unknown;
    }
    if let Some(line) = self_provisioning_line(directory, dialled) {
        return line;
    }
    let pattern = directory
        .all::<RoutePattern>()
        .filter(|(_, pattern)| pattern.emergency)
        .filter_map(|(id, pattern)| Some((pattern.pattern.matches(dialled)?, id, pattern)))
        .min_by(|(one, ..), (other, ..)| one.total_cmp(other));
    match pattern {
        Some((_, id, pattern)) => route(directory, id.id(), pattern),
        None if is_emergency(directory, dialled) => Target::Emergency,
        None => Target::Forbidden,
    }
}

fn route(directory: &Directory, id: ObjectId, pattern: &RoutePattern) -> Target {
    match pattern.does {
        PatternUse::Redirect => Target::Redirect {
            pattern: id,
            to: (&pattern.destination).into(),
            reach: Reach::of(directory, pattern.css, None),
        },
        PatternUse::Block if pattern.emergency => Target::Emergency,
        PatternUse::Block => Target::Blocked,
    }
}

/// The line with this number on the route point chosen for self-provisioning.
fn self_provisioning_line(directory: &Directory, dialled: &str) -> Option<Target> {
    let point = directory.self_provisioning().route_point?;
    let lines = directory.effective(point.id())?.lines;
    let line = lines.into_iter().find(|line| line.number() == dialled)?;
    Some(Target::Line(line.id.id(), line.line))
}

/// One of the numbers that people dial for help.
pub(super) fn is_emergency(directory: &Directory, dialled: &str) -> bool {
    directory.cluster().emergency_numbers.iter().any(|number| **number == *dialled)
}
