//! `<device>.softkeys.xml`, which softkeys an enterprise phone shows in which state. It follows the phone's
//! softkey template, without the keys whose feature is not there: a key that would be refused is not
//! offered, neither on the screen nor by the hard key of its name, which goes by the same file.
//!
//! Names, numbers and states are those of public descriptions (usecallmanager.nz, Soft Keys).

use jackfield_model::Softkey::{
    self, Answer, CallBack, CallPark, Conference, Divert, DoNotDisturb, End, ForwardAll,
    GroupPickup, Hold, Join, MeetMe, NewCall, Pickup, Redial, Resume, Select, Transfer,
};

use crate::view::View;
use crate::writer::Writer;

/// Renders the file.
pub(crate) fn render(view: &View<'_>) -> Vec<u8> {
    let template = view.device.softkey_template.as_deref();
    let chosen = template.map(|template| &*template.softkeys);
    let mut file = Writer::with_capacity(4 * 1024);
    let file = &mut file;
    file.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<softKeyCfg>\n<versionStamp>");
    let stamp = file.stamp_room();
    file.raw("</versionStamp>\n<typeSoftKey>\n");
    define(file, &UNDEFINED);
    define(file, &BACKSPACE);
    for key in KEYS.iter().filter(|(softkey, _)| softkey.is_offered()).map(|(_, key)| key) {
        define(file, key);
    }
    file.raw("</typeSoftKey>\n<softKeySets>\n");
    for state in &STATES {
        file.raw("<softKeySet id=\"").raw(state.name).raw("\">\n");
        for key in state.keys(chosen) {
            file.raw("<softKey keyID=\"").text(key.name).raw("\"/>\n");
        }
        file.raw("</softKeySet>\n");
    }
    file.raw("</softKeySets>\n</softKeyCfg>\n");
    file.stamp(stamp);
    core::mem::replace(file, Writer::with_capacity(0)).into_body()
}

fn define(file: &mut Writer, key: &Key) {
    file.raw("<softKeyDef keyID=\"").text(key.name).raw("\">\n");
    file.number_element("tag", key.tag).number_element("eventID", key.event);
    file.number_element("helpID", if key.event == 0 { 0 } else { 300 + key.event });
    file.raw("</softKeyDef>\n");
}

/// A key as the phone knows it.
#[derive(Debug)]
struct Key {
    name: &'static str,
    /// The number of its text in the phone's languages.
    tag: u16,
    /// What it does.
    event: u16,
}

/// What a phone is doing, and the keys that have a meaning then.
#[derive(Debug)]
struct State {
    name: &'static str,
    /// Editing keys, which no template chooses.
    always: &'static [Key],
    /// In the order in which they stand when no template says otherwise.
    may: &'static [Softkey],
    /// Without these nobody can do what phones are for.
    must: &'static [Softkey],
}

impl State {
    fn keys(&self, chosen: Option<&[Softkey]>) -> Vec<&'static Key> {
        let wanted = chosen.unwrap_or(self.may).iter().chain(self.must);
        let mut softkeys: Vec<Softkey> = Vec::new();
        for softkey in wanted.filter(|one| one.is_offered() && self.may.contains(one)) {
            if !softkeys.contains(softkey) {
                softkeys.push(*softkey);
            }
        }
        let key = |softkey: &Softkey| KEYS.iter().find(|(one, _)| one == softkey);
        let keys = softkeys.iter().filter_map(key).map(|(_, key)| key);
        self.always.iter().chain(keys).collect()
    }
}

const UNDEFINED: Key = Key { name: "Undefined", tag: 0, event: 0 };
const BACKSPACE: Key = Key { name: "<<", tag: 8, event: 8 };

/// The softkeys that these phones have; `ignore` and `mobility` are none of them.
static KEYS: [(Softkey, Key); 18] = [
    (Redial, Key { name: "Redial", tag: 1, event: 1 }),
    (NewCall, Key { name: "NewCall", tag: 2, event: 2 }),
    (Hold, Key { name: "Hold", tag: 3, event: 3 }),
    (Transfer, Key { name: "Transfer", tag: 4, event: 4 }),
    (ForwardAll, Key { name: "CFwdAll", tag: 5, event: 5 }),
    (End, Key { name: "EndCall", tag: 9, event: 9 }),
    (Resume, Key { name: "Resume", tag: 10, event: 10 }),
    (Answer, Key { name: "Answer", tag: 11, event: 11 }),
    (Conference, Key { name: "Confrn", tag: 13, event: 13 }),
    (CallPark, Key { name: "Park", tag: 14, event: 14 }),
    (Join, Key { name: "Join", tag: 15, event: 15 }),
    (MeetMe, Key { name: "MeetMe", tag: 16, event: 16 }),
    (Pickup, Key { name: "PickUp", tag: 17, event: 17 }),
    (GroupPickup, Key { name: "GPickUp", tag: 18, event: 18 }),
    (CallBack, Key { name: "CallBack", tag: 65, event: 20 }),
    (Select, Key { name: "Select", tag: 78, event: 29 }),
    (Divert, Key { name: "iDivert", tag: 80, event: 31 }),
    (DoNotDisturb, Key { name: "DND", tag: 63, event: 69 }),
];

const fn state(name: &'static str, may: &'static [Softkey], must: &'static [Softkey]) -> State {
    State { name, always: &[], may, must }
}

static STATES: [State; 12] = [
    state(
        "On Hook",
        &[Redial, NewCall, ForwardAll, DoNotDisturb, Pickup, GroupPickup, CallBack, MeetMe],
        &[NewCall],
    ),
    state("Off Hook", &[Redial, End, DoNotDisturb, ForwardAll, Pickup, GroupPickup], &[End]),
    state("Off Hook With Feature", &[Redial, End, DoNotDisturb], &[End]),
    State {
        name: "Digits After First",
        always: &[BACKSPACE],
        may: &[End, DoNotDisturb],
        must: &[End],
    },
    state("Ring Out", &[End, CallBack, DoNotDisturb], &[End]),
    state(
        "Connected",
        &[Hold, End, Transfer, Conference, CallPark, Divert, Select, Join, DoNotDisturb],
        &[End],
    ),
    state("Connected No Feature", &[End], &[End]),
    state("Connected Transfer", &[End, Transfer, CallBack], &[End]),
    state("Connected Conference", &[End, Conference, DoNotDisturb], &[End]),
    state("On Hold", &[Resume, NewCall, Divert, DoNotDisturb, Select, Join], &[Resume]),
    state("Ring In", &[Answer, Divert, DoNotDisturb], &[Answer]),
    state("Remote In Use", &[], &[]),
];

#[cfg(test)]
mod tests {
    use jackfield_model::Kind;

    use super::*;

    #[test]
    fn whatever_phones_are_offered_they_have_and_show_somewhere() {
        let schema = &Kind::SoftkeyTemplate.schema_value()["$defs"]["Softkey"]["oneOf"];
        let words = schema.as_array().unwrap().iter().map(|variant| variant["const"].clone());
        let all = words.map(|word| serde_json::from_value::<Softkey>(word).unwrap());
        let offered: Vec<_> = all.filter(|softkey| softkey.is_offered()).collect();
        assert!(offered.contains(&Hold) && !offered.contains(&Transfer), "{offered:?}");
        for softkey in offered {
            let (_, key) = KEYS.iter().find(|(one, _)| *one == softkey).unwrap();
            let keys = STATES.iter().flat_map(|state| state.keys(Some(&[softkey])));
            assert!(keys.into_iter().any(|one| one.name == key.name), "{softkey:?}");
        }
    }

    #[test]
    fn what_must_be_there_may_be_there() {
        for state in &STATES {
            assert!(state.must.iter().all(|softkey| state.may.contains(softkey)), "{state:?}");
            assert!(state.always.len() + state.may.len() <= 16, "phones have no more: {state:?}");
        }
    }
}
