use jackfield_vocabulary::{Mac, ObjectId};

use super::{Directory, fold};
use crate::sign::look;
use crate::{Body, Kind, Partition, Pattern, PhoneLine, Ref, Text};

/// What an object adds to the indexes, so that entering and leaving can't differ.
#[derive(PartialEq)]
enum Key {
    Name(Kind, Text),
    Number(Pattern, Option<ObjectId>),
    Appearance(ObjectId),
    Owner(ObjectId),
    Mac(Mac),
    SelfService(Text),
    Look(Text),
    Primary(ObjectId),
    Unassigned,
}

impl Directory {
    /// Follows a change of one object. What stays the same is not touched, so that the directory
    /// goes on sharing it with the ones before.
    pub(super) fn reindex(&mut self, id: ObjectId, before: Option<&Body>, after: Option<&Body>) {
        let old = before.map(keys).unwrap_or_default();
        let new = after.map(keys).unwrap_or_default();
        for key in old.iter().filter(|key| !new.contains(key)) {
            self.leave(id, key);
        }
        for key in new.into_iter().filter(|key| !old.contains(key)) {
            self.enter(id, key);
        }
    }

    fn enter(&mut self, id: ObjectId, key: Key) {
        match key {
            Key::Name(kind, name) => drop(self.names.insert((kind, name), id)),
            Key::Number(pattern, partition) => {
                if !pattern.is_number() {
                    self.patterns.insert((partition, id), ());
                }
                self.numbers.insert((pattern.into(), partition), id);
            }
            Key::Appearance(line) => {
                self.appearances.insert((line, id), ());
                if self.appearances(line).nth(1).is_some() {
                    self.shared.insert(line, ());
                }
            }
            Key::Owner(user) => drop(self.owned.insert((user, id), ())),
            Key::Mac(mac) => drop(self.macs.insert((mac, id), ())),
            Key::SelfService(digits) => drop(self.self_service.insert((digits, id), ())),
            Key::Look(look) => drop(self.looks.insert((look, id), ())),
            Key::Primary(line) => drop(self.primaries.insert((line, id), ())),
            Key::Unassigned => drop(self.unassigned.insert(id, ())),
        }
    }

    fn leave(&mut self, id: ObjectId, key: &Key) {
        match key {
            Key::Name(kind, name) => {
                // Within one operation another object may have taken the name already.
                let name = (*kind, name.clone());
                if self.names.get(&name) == Some(&id) {
                    self.names.remove(&name);
                }
            }
            Key::Number(pattern, partition) => {
                self.patterns.remove(&(*partition, id));
                let number = (pattern.as_str().into(), *partition);
                if self.numbers.get(&number) == Some(&id) {
                    self.numbers.remove(&number);
                }
            }
            Key::Appearance(line) => {
                self.appearances.remove(&(*line, id));
                if self.appearances(*line).nth(1).is_none() {
                    self.shared.remove(line);
                }
            }
            Key::Owner(user) => drop(self.owned.remove(&(*user, id))),
            Key::Mac(mac) => drop(self.macs.remove(&(*mac, id))),
            Key::SelfService(digits) => drop(self.self_service.remove(&(digits.clone(), id))),
            Key::Look(look) => drop(self.looks.remove(&(look.clone(), id))),
            Key::Primary(line) => drop(self.primaries.remove(&(*line, id))),
            Key::Unassigned => drop(self.unassigned.remove(&id)),
        }
    }
}

fn keys(body: &Body) -> Vec<Key> {
    let mut keys = vec![Key::Name(body.kind(), fold(&body.name()))];
    let number = |pattern: &Pattern, partition: Option<Ref<Partition>>| {
        Key::Number(pattern.clone(), partition.map(Ref::id))
    };
    let appearances = |lines: &[PhoneLine]| {
        lines.iter().map(|line| Key::Appearance(line.line.id())).collect::<Vec<_>>()
    };
    match body {
        Body::Line(line) => keys.push(number(&line.number, line.partition)),
        Body::RoutePattern(route) => keys.push(number(&route.pattern, route.partition)),
        Body::Phone(phone) => {
            keys.extend(appearances(&phone.lines));
            keys.extend(mac_of(&phone.name).map(Key::Mac));
            // The owner of a phone that waits for one is its template's, and only lends it a name.
            if phone.auto_registered {
                keys.push(Key::Unassigned);
            } else {
                keys.extend(phone.owner.map(|user| Key::Owner(user.id())));
            }
        }
        Body::CtiPort(port) => {
            keys.extend(appearances(&port.lines));
            keys.extend(port.owner.map(|user| Key::Owner(user.id())));
        }
        Body::CtiRoutePoint(point) => {
            keys.extend(point.lines.iter().map(|line| Key::Appearance(line.line.id())));
        }
        Body::EndUser(user) => {
            if !user.self_service_id.is_empty() {
                keys.push(Key::SelfService(user.self_service_id.clone()));
            }
            keys.extend(user.primary_extension.map(|line| Key::Primary(line.id())));
            keys.extend(look_of(&user.user_id));
        }
        Body::ApplicationUser(user) => keys.extend(look_of(&user.user_id)),
        _ => {}
    }
    keys
}

fn look_of(user_id: &str) -> Option<Key> {
    (!user_id.is_ascii()).then(|| Key::Look(look(user_id)))
}

/// The hardware address at the end of a device name.
pub fn mac_of(name: &str) -> Option<Mac> {
    let digits = name.get(name.len().checked_sub(12)?..)?;
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) { digits.parse().ok() } else { None }
}
