use std::sync::Arc;

use jackfield_vocabulary::ObjectId;

use super::Directory;
use crate::{CallingSearchSpace, Kind, Line, Pattern, Ref, RoutePattern, Text};

/// Where a call goes.
#[derive(Clone, Debug)]
pub enum Dialled {
    /// To a line.
    Line(Ref<Line>, Arc<Line>),
    /// To what a route pattern does.
    Route(Ref<RoutePattern>, Arc<RoutePattern>),
}

impl Directory {
    /// The partitions that a caller reaches, in order: those of the line's calling search space,
    /// then those of the device's, and last the numbers without a partition (`None`).
    pub fn search(
        &self,
        line: Option<Ref<CallingSearchSpace>>,
        device: Option<Ref<CallingSearchSpace>>,
    ) -> Vec<Option<ObjectId>> {
        let mut search = Vec::new();
        for css in [line, device].into_iter().flatten().filter_map(|css| self.get(css)) {
            for partition in css.partitions.iter().map(|one| Some(one.id())) {
                if !search.contains(&partition) {
                    search.push(partition);
                }
            }
        }
        search.push(None);
        search
    }

    /// Digit analysis over partitions in order: of all that matches, what leaves the fewest numbers
    /// open wins, and of equals what is in the earliest partition.
    pub fn dial(&self, search: &[Option<ObjectId>], digits: &str) -> Option<Dialled> {
        let mut best: Option<(f64, ObjectId)> = None;
        for partition in search {
            let exact = self.number(digits, *partition).map(|id| (1.0, id));
            for (open, id) in exact.into_iter().chain(self.pattern_matches(*partition, digits)) {
                if best.is_none_or(|(least, _)| open < least) {
                    best = Some((open, id));
                }
            }
        }
        best.and_then(|(_, id)| self.dialled(id))
    }

    /// The line or route pattern that is written exactly so in this partition.
    pub fn number(&self, number: &str, partition: Option<ObjectId>) -> Option<ObjectId> {
        self.numbers.get(&(number.into(), partition)).copied()
    }

    /// The lines with this number, in whatever partition.
    pub fn lines_with(&self, number: &str) -> impl Iterator<Item = (Ref<Line>, &Arc<Line>)> {
        let first = (Text::from(number), None);
        let last = (first.0.clone(), Some(ObjectId(u32::MAX)));
        self.numbers
            .range(first..=last)
            .filter_map(|(_, id)| Some((Ref::new(*id), self.typed::<Line>(*id)?)))
    }

    /// Every line and route pattern whose number starts so: (number, partition, object).
    pub fn numbers_from<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, Option<ObjectId>, ObjectId)> {
        self.numbers
            .range((Text::from(prefix), None)..)
            .take_while(move |((number, _), _)| number.starts_with(prefix))
            .map(|((number, partition), id)| (&**number, *partition, *id))
    }

    /// Every line and route pattern from one number to another, in the order of text: between
    /// numbers of one length also in the order of their values.
    pub(crate) fn numbers_between(
        &self,
        first: &str,
        last: &str,
    ) -> impl Iterator<Item = (&str, Option<ObjectId>, ObjectId)> {
        let last = (Text::from(last), Some(ObjectId(u32::MAX)));
        self.numbers
            .range((Text::from(first), None)..=last)
            .map(|((number, partition), id)| (&**number, *partition, *id))
    }

    fn pattern_matches(
        &self,
        partition: Option<ObjectId>,
        digits: &str,
    ) -> impl Iterator<Item = (f64, ObjectId)> {
        self.patterns_in(partition)
            .filter_map(move |(id, pattern)| Some((pattern.matches(digits)?, id)))
    }

    pub(crate) fn patterns_in(
        &self,
        partition: Option<ObjectId>,
    ) -> impl Iterator<Item = (ObjectId, &Pattern)> {
        self.patterns
            .range((partition, ObjectId(0))..=(partition, ObjectId(u32::MAX)))
            .filter_map(|((_, id), ())| Some((*id, self.pattern(*id)?)))
    }

    fn pattern(&self, id: ObjectId) -> Option<&Pattern> {
        match self.entry(id)?.body.kind() {
            Kind::Line => self.typed::<Line>(id).map(|line| &line.number),
            Kind::RoutePattern => self.typed::<RoutePattern>(id).map(|route| &route.pattern),
            _ => None,
        }
    }

    fn dialled(&self, id: ObjectId) -> Option<Dialled> {
        let line = || Some(Dialled::Line(Ref::new(id), Arc::clone(self.typed(id)?)));
        line().or_else(|| Some(Dialled::Route(Ref::new(id), Arc::clone(self.typed(id)?))))
    }
}
