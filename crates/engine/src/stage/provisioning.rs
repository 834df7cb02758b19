//! Provisioning without the IVR: the phone's own screen, and other applications.

use jackfield_model::{Actor, CredentialKind, Kind, Operation, ProvenBy};
use jackfield_vocabulary::{
    Code, Command, Credential, Event, ObjectId, ProvisioningCommand, ProvisioningOutcome, Refusal,
    SessionId,
};
use serde_json::json;

use super::{Stage, Store, secret};
use crate::interface::OperatorReply;

const PASSWORD: &str = "correct horse";

struct House {
    stage: Stage,
    phone: ObjectId,
    user: ObjectId,
}

impl House {
    fn new() -> Self {
        let mut stage = Stage::new();
        let (phone, user) = (stage.new_phone(1), stage.user("suzuki"));
        stage.secret(user, CredentialKind::Password, PASSWORD);
        Self { stage, phone, user }
    }

    /// What the screen shows after the form was sent.
    fn screen(&mut self, identity: &str, password: Option<&str>) -> Result<OperatorReply, Refusal> {
        let (phone, password) = (self.phone, password.map(secret));
        self.stage.with(|upper, context| upper.provision(context, 5, phone, identity, password));
        self.stage.after(12);
        assert_eq!(self.stage.replies.len(), 1, "answered once");
        self.stage.replies.remove(0).1
    }

    #[track_caller]
    fn refused(&mut self, identity: &str, password: Option<&str>) -> Code {
        self.screen(identity, password).expect_err("this is refused").code
    }

    /// An application with the right to provision phones.
    fn application(&mut self) -> SessionId {
        let session = SessionId(7);
        self.stage.create(
            Kind::ApplicationUser,
            json!({ "user_id": "app", "groups": ["Standard CTI Enabled", "Phone Provisioning"] }),
        );
        let account = Some(self.stage.id(Kind::ApplicationUser, "app"));
        self.stage.with(|upper, context| upper.session(context, session, account));
        session
    }

    fn provision(&mut self, session: SessionId, command: ProvisioningCommand) {
        let command = Command::Provision(command);
        self.stage.with(|upper, context| upper.application(context, session, 1, command));
        self.stage.after(1);
    }

    fn outcome(&self) -> ProvisioningOutcome {
        let mut events = self.stage.events.iter().rev();
        let outcome = events.find_map(|(_, event)| match event {
            Event::Provisioning { outcome, .. } => Some(outcome.clone()),
            _ => None,
        });
        outcome.expect("told")
    }
}

/// Proves SP-06.b: on the phone's own screen the credential is the password.
#[test]
fn a_phone_is_provisioned_from_its_own_screen() {
    let mut house = House::new();
    let reply = house.screen("Suzuki", Some(PASSWORD)).unwrap();
    let OperatorReply::Provisioned { extension } = reply else { panic!("{reply:?}") };
    assert_eq!(house.stage.numbers_of(house.phone), [extension.to_string()]);
    let proof =
        Operation::Assign { device: house.phone, user: house.user, proven_by: ProvenBy::Password };
    assert_eq!(house.stage.submitted, [proof]);
    assert_eq!(house.stage.restarts, [house.phone]);
    house.stage.is_still();
}

/// Proves SP-05.c: the self-service ID names the user on a screen as well.
#[test]
fn the_self_service_id_is_accepted_on_a_screen() {
    let mut house = House::new();
    let line = house.stage.directory.primary_extension(house.user).unwrap();
    let number = house.stage.directory.get(line).unwrap().number.to_string();
    assert!(house.screen(&number, Some(PASSWORD)).is_ok());
}

/// Proves SP-07.a: wrong passwords are refused like unknown users, and lock in the end.
#[test]
fn wrong_passwords_are_refused_and_lock_the_user() {
    let mut house = House::new();
    assert_eq!(house.refused("nobody", Some(PASSWORD)), Code::WrongCredential);
    assert_eq!(house.refused("suzuki", None), Code::MissingField);
    for _ in 0..5 {
        assert_eq!(house.refused("suzuki", Some("wrong")), Code::WrongCredential);
    }
    let locked = house.screen("SUZUKI", Some(PASSWORD)).expect_err("locked");
    assert_eq!(locked, Refusal::new(Code::Locked), "how the name is written stays a secret");
    assert!(house.stage.submitted.is_empty() && house.stage.restarts.is_empty());
    assert_eq!(house.stage.counted("self-provisioning-refused"), 8);
    house.stage.is_still();
}

/// Proves SP-56.d: what is refused on a screen is kept for the audit, with phone, user and reason.
#[test]
fn what_is_refused_on_a_screen_is_kept() {
    let mut house = House::new();
    house.refused("suzuki", Some("wrong"));
    house.refused("nobody", Some(PASSWORD));
    house.stage.patch(Kind::UserProfile, "Default", json!({ "allow_self_provisioning": false }));
    house.refused("suzuki", Some(PASSWORD));
    let (phone, user) = (house.phone, house.user);
    let kept = house.stage.turned_down.iter();
    let kept = kept.map(|one| (one.device, one.user, one.refusal.code)).collect::<Vec<_>>();
    assert_eq!(
        kept,
        [
            (phone, Some(user), Code::WrongCredential),
            (phone, None, Code::WrongCredential),
            (phone, Some(user), Code::ProvisioningNotAllowed),
        ]
    );
    let by_phone = |actor: &Actor| matches!(actor, Actor::Device { .. });
    assert!(house.stage.turned_down.iter().all(|one| by_phone(&one.actor)));
}

#[test]
fn a_screen_hears_of_every_failure() {
    let mut house = House::new();
    house.stage.store = Store::Gone;
    assert_eq!(house.refused("suzuki", Some(PASSWORD)), Code::OutcomeUnknown);
    // The same phone again, while nobody knows of the first time: it may be done already.
    assert_eq!(house.refused("suzuki", Some(PASSWORD)), Code::OutcomeUnknown);
    assert_eq!(house.stage.submitted.len(), 1);

    let mut house = House::new();
    house.stage.checker_silent = true;
    assert_eq!(house.refused("suzuki", Some(PASSWORD)), Code::DatabaseUnavailable);
    house.stage.is_still();

    let mut house = House::new();
    house.phone = house.stage.phone_of("garcia", 2);
    assert_eq!(house.refused("suzuki", Some(PASSWORD)), Code::OwnedByAnother);
    house.phone = ObjectId(999_999);
    assert_eq!(house.refused("suzuki", Some(PASSWORD)), Code::NotFound);
}

/// Proves SP-10.c: an application assigns only whom it has authenticated, in its own session.
#[test]
fn an_assignment_needs_its_proof() {
    let mut house = House::new();
    let session = house.application();
    let (device, user) = (house.stage.name_of(house.phone), house.user);
    house.stage.secret(user, CredentialKind::Pin, "12345");
    let assign = ProvisioningCommand::Assign { device: device.clone(), user };
    house.provision(session, assign.clone());
    let refused = |outcome| matches!(outcome, ProvisioningOutcome::Refused(refusal) if refusal.code == Code::Unauthenticated);
    assert!(refused(house.outcome()));
    let authenticate = ProvisioningCommand::Authenticate {
        device: device.clone(),
        identity: "3002".into(),
        credential: Some(Credential::Keypad(secret("12345"))),
    };
    house.provision(session, authenticate.clone());
    assert!(matches!(house.outcome(), ProvisioningOutcome::Authenticated { by_code: false, .. }));
    // Somebody else's phone is not meant.
    let other = house.stage.user("garcia");
    house.provision(session, ProvisioningCommand::Assign { device: device.clone(), user: other });
    assert!(refused(house.outcome()));
    // A proof does not last.
    house.stage.after(301);
    house.provision(session, assign.clone());
    assert!(refused(house.outcome()));
    house.provision(session, authenticate);
    house.provision(session, assign.clone());
    assert!(matches!(house.outcome(), ProvisioningOutcome::Assigned { .. }));
    // Nor is it good for twice.
    house.provision(session, assign);
    assert!(refused(house.outcome()));
    assert_eq!(house.stage.submitted.len(), 1);
    house.stage.after(30);
    assert_eq!(house.stage.restarts, [house.phone], "without an order of the application too");
}
