//! The self-provisioning IVR, from the first word to the restart of the phone.

mod every_step;
mod guesses;
mod outcomes;
mod the_call;
mod the_service;

use core::time::Duration;

use jackfield_model::{Actor, CredentialKind, Kind, Operation};
use jackfield_vocabulary::{Cause, Code, Digit, DigitSource, LegId, ObjectId, Refusal};
use serde_json::json;

use super::backstage::store_refuses;
use super::{Driver, LegState, Stage, Store};
use crate::interface::ServiceOrder;
use crate::leg::{Description, LegEvent};

const IVR: &str = jackfield_model::defaults::sample::IVR_NUMBER;
const PIN: &str = "48151";

/// A stage with a new phone, and a user with a PIN; with the user's self-service ID.
struct House {
    stage: Stage,
    phone: ObjectId,
    user: ObjectId,
    id: String,
}

impl House {
    fn new() -> Self {
        Self::furnish(Stage::new())
    }

    fn furnish(mut stage: Stage) -> Self {
        let phone = stage.new_phone(1);
        let user = stage.user("suzuki");
        stage.secret(user, CredentialKind::Pin, PIN);
        let line = stage.directory.primary_extension(user).unwrap();
        let id = stage.directory.get(line).unwrap().number.to_string();
        Self { stage, phone, user, id }
    }

    /// With these self-provisioning settings, and the service restarted.
    fn with_settings(patch: serde_json::Value, languages: &[&str]) -> Self {
        let mut house = Self::new();
        house.stage.patch(Kind::SelfProvisioning, "self-provisioning", patch);
        house.stage.start_ivr(languages);
        house.stage.after(31);
        house
    }

    fn call(&mut self) -> LegId {
        let phone = self.phone;
        self.stage.call(phone, IVR)
    }

    fn hears(&mut self, leg: LegId) -> Vec<String> {
        self.stage.hears(leg)
    }

    /// Up to where the caller is asked to confirm.
    fn enter(&mut self, leg: LegId) {
        let keys = format!("{}#{PIN}#", self.id);
        self.stage.press(leg, &keys);
    }

    fn enter_id(&mut self, leg: LegId) {
        let keys = format!("{}#", self.id);
        self.stage.press(leg, &keys);
    }

    /// The phone is the user's, wholly.
    #[track_caller]
    fn is_assigned(&self) {
        assert_eq!(self.stage.numbers_of(self.phone), [&*self.id]);
        let owner = self.stage.directory.effective(self.phone).unwrap().owner.unwrap();
        assert_eq!(owner.id(), self.user);
    }

    /// Nothing of an assignment was done.
    #[track_caller]
    fn is_untouched(&self) {
        let phone = self.stage.directory.effective(self.phone).unwrap();
        assert!(phone.auto_registered && phone.owner.is_none());
        assert!(self.stage.restarts.is_empty(), "no phone was restarted");
    }

    /// A failed condition: what the caller hears after the credential, and that nothing was done.
    #[track_caller]
    fn fails_with(&mut self, prompt: &str) {
        let leg = self.call();
        self.enter_id(leg);
        self.hears(leg);
        self.stage.press(leg, &format!("{PIN}#"));
        assert_eq!(self.hears(leg), [prompt, "goodbye"]);
        self.stage.after(5);
        assert_eq!(self.stage.ended.get(&leg), Some(&Cause::Normal));
        self.is_untouched();
        assert!(self.stage.submitted.is_empty());
        self.stage.is_empty();
    }
}

/// The keys of a whole dialogue, one by one.
fn whole(house: &House) -> Vec<char> {
    format!("{}#{PIN}#1", house.id).chars().collect()
}
