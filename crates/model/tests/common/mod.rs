//! A house with a directory and a counter of ids: the store without its database.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use jackfield_model::{
    Change, Directory, EndUser, Entry, FirstStart, Ids, Kind, Line, Operation, Outcome, Phone,
    ProvenBy, Verdict, defaults,
};
use jackfield_vocabulary::{Code, Mac, ObjectId, Refusal, UnixTime};
use serde_json::{Value, json};

pub struct House {
    pub directory: Directory,
    pub ids: Ids,
    pub sequence: u64,
}

pub const NOW: UnixTime = UnixTime(1_700_000_000_000);

impl House {
    pub fn empty() -> Self {
        let (directory, ids) = (Directory::default(), Ids::after(ObjectId(0)));
        Self { directory, ids, sequence: 0 }
    }

    /// As after the first start.
    pub fn new() -> Self {
        let mut house = Self::empty();
        house.done(&Operation::FirstStart(FirstStart {
            node: "node-1".into(),
            address: "192.0.2.10".into(),
            locale: "en_US.UTF-8".into(),
            time_zone: "Asia/Tokyo".into(),
        }));
        house
    }

    /// The sample company with so many users.
    pub fn company(users: u16) -> Self {
        let mut house = Self::new();
        let company = defaults::sample_company(&house.directory, users).unwrap();
        house.done(&company);
        house
    }

    /// Carries an operation out, as the store does.
    pub fn submit(&mut self, operation: &Operation) -> Result<Verdict, Refusal> {
        let verdict = operation.evaluate(&self.directory, &mut self.ids, NOW)?;
        self.sequence += 1;
        self.directory = self.directory.apply(self.sequence, &verdict.changes());
        Ok(verdict)
    }

    #[track_caller]
    pub fn done(&mut self, operation: &Operation) -> Outcome {
        self.submit(operation).unwrap_or_else(|refusal| panic!("{refusal}")).outcome
    }

    #[track_caller]
    pub fn refused(&mut self, operation: &Operation) -> Refusal {
        let before = self.directory.clone();
        let refusal = self.submit(operation).expect_err("this is refused");
        assert!(before.entries().eq(self.directory.entries()), "a refusal changes nothing");
        refusal
    }

    /// Puts an object there as an older program left it, past the rules of today.
    pub fn stored(&mut self, id: ObjectId, kind: Kind, body: &Value) {
        let after = Entry { version: 7, body: kind.read(body).unwrap() };
        let change = Change { id, after: Some(after) };
        self.sequence += 1;
        self.directory = self.directory.apply(self.sequence, &[change]);
    }

    #[track_caller]
    pub fn create(&mut self, kind: Kind, body: Value) -> ObjectId {
        match self.done(&Operation::Create { kind, body }) {
            Outcome::Saved(saved) => saved[0].0,
            outcome => panic!("{outcome:?}"),
        }
    }

    #[track_caller]
    pub fn create_refused(&mut self, kind: Kind, body: Value) -> Refusal {
        self.refused(&Operation::Create { kind, body })
    }

    #[track_caller]
    pub fn update(&mut self, id: ObjectId, patch: Value) {
        self.done(&Operation::Update { id, version: None, patch });
    }

    #[track_caller]
    pub fn update_refused(&mut self, id: ObjectId, patch: Value) -> Refusal {
        self.refused(&Operation::Update { id, version: None, patch })
    }

    #[track_caller]
    pub fn id(&self, kind: Kind, name: &str) -> ObjectId {
        let found = self.directory.by_name(kind, name);
        let found = found.unwrap_or_else(|refusal| panic!("{refusal}"));
        found.unwrap_or_else(|| panic!("no {kind} {name}"))
    }

    #[track_caller]
    pub fn user(&self, user_id: &str) -> ObjectId {
        self.id(Kind::EndUser, user_id)
    }

    #[track_caller]
    pub fn end_user(&self, user: ObjectId) -> &EndUser {
        self.directory.typed::<EndUser>(user).unwrap()
    }

    #[track_caller]
    pub fn phone(&self, phone: ObjectId) -> &Phone {
        self.directory.typed::<Phone>(phone).unwrap()
    }

    #[track_caller]
    pub fn line(&self, line: ObjectId) -> &Line {
        self.directory.typed::<Line>(line).unwrap()
    }

    /// A new phone that registered by itself.
    #[track_caller]
    pub fn new_phone(&mut self, last: u8) -> ObjectId {
        match self.done(&self.registration(last)) {
            Outcome::AutoRegistered { device, .. } => device,
            outcome => panic!("{outcome:?}"),
        }
    }

    pub fn registration(&self, last: u8) -> Operation {
        Operation::AutoRegister {
            node: "node-1".into(),
            mac: Mac([0x00, 0x11, 0x22, 0xaa, 0xbb, last]),
            model: self.id(Kind::PhoneModel, "Virtual phone"),
        }
    }

    /// The numbers on a device's buttons.
    pub fn numbers(&self, device: ObjectId) -> Vec<String> {
        let device = self.directory.effective(device).unwrap();
        device.lines.iter().map(|line| line.number().to_owned()).collect()
    }

    #[track_caller]
    pub fn assigned(&mut self, device: ObjectId, user: &str) {
        let operation = assignment(device, self.user(user));
        self.done(&operation);
    }

    pub fn patch(&mut self, kind: Kind, name: &str, patch: Value) {
        let id = self.id(kind, name);
        self.update(id, patch);
    }

    /// Switches the default profile.
    pub fn profile(&mut self, patch: Value) {
        self.patch(Kind::UserProfile, "Default", patch);
    }

    pub fn phone_body(&self, name: &str) -> Value {
        json!({
            "name": name,
            "model": "Cisco 7841",
            "device_pool": "Default",
            "security_profile": "Non-secure TCP",
            "sip_profile": "Default",
        })
    }
}

pub fn assignment(device: ObjectId, user: ObjectId) -> Operation {
    Operation::Assign { device, user, proven_by: ProvenBy::Pin }
}

#[track_caller]
pub fn is(refusal: &Refusal, code: Code) {
    assert_eq!(refusal.code, code, "{refusal}");
}
