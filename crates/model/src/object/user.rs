use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::registry::declare;
use crate::{
    CtiPort, FeatureGroupTemplate, Line, Phone, PresenceGroup, Ref, Text, UserGroup, UserProfile,
};

/// Rules for passwords and PINs (SP-07).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct CredentialPolicy {
    /// Unique name, 1 to 64 characters.
    #[garde(length(chars, min = 1, max = 64))]
    pub name: Text,
    /// Failed attempts after which the account is locked, 1 to 100; 0 never locks.
    #[serde(default = "failures")]
    #[garde(range(max = 100))]
    pub failures: u8,
    /// Minutes within which the failures count, 1 to 1440.
    #[serde(default = "half_hour")]
    #[garde(range(min = 1, max = 1440))]
    pub window_minutes: u16,
    /// Minutes for which the account stays locked, 1 to 1440; 0 until an administrator unlocks it.
    #[serde(default = "half_hour")]
    #[garde(range(max = 1440))]
    pub lock_minutes: u16,
    /// Shortest password, 1 to 64 characters.
    #[serde(default = "password_length")]
    #[garde(range(min = 1, max = 64))]
    pub minimum_password_length: u8,
    /// Shortest PIN, 1 to 20 digits.
    #[serde(default = "pin_length")]
    #[garde(range(min = 1, max = 20))]
    pub minimum_pin_length: u8,
    /// Refuse what is guessed first: the account's names and numbers, the same again and again, signs
    /// counted or in a row of the keyboard, and common words.
    #[serde(default = "crate::object::yes")]
    #[garde(skip)]
    pub refuse_trivial: bool,
}

fn failures() -> u8 {
    5
}

fn half_hour() -> u16 {
    30
}

fn password_length() -> u8 {
    8
}

fn pin_length() -> u8 {
    5
}

impl Default for CredentialPolicy {
    fn default() -> Self {
        Self {
            name: "".into(),
            failures: failures(),
            window_minutes: half_hour(),
            lock_minutes: half_hour(),
            minimum_password_length: password_length(),
            minimum_pin_length: pin_length(),
            refuse_trivial: true,
        }
    }
}

declare!(CredentialPolicy, |policy| policy.name.clone());

/// A person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct EndUser {
    /// Unique user ID, 1 to 128 characters; upper and lower case are the same.
    #[garde(length(chars, min = 1, max = 128))]
    pub user_id: Text,
    /// First name, up to 64 characters.
    #[serde(default)]
    #[garde(length(chars, max = 64))]
    pub first_name: Text,
    /// Last name, up to 64 characters.
    #[serde(default)]
    #[garde(length(chars, max = 64))]
    pub last_name: Text,
    /// Mail address, up to 254 characters.
    #[serde(default)]
    #[garde(length(chars, max = 254))]
    pub mail: Text,
    /// Department, up to 64 characters.
    #[serde(default)]
    #[garde(length(chars, max = 64))]
    pub department: Text,
    /// Language for this user, as in `en-US`; empty takes the device's.
    #[serde(default)]
    #[garde(length(chars, max = 16))]
    pub locale: Text,
    /// The account is on.
    #[serde(default = "crate::object::yes")]
    #[garde(skip)]
    pub enabled: bool,
    /// The line that is the user's own number.
    #[serde(default)]
    #[garde(skip)]
    pub primary_extension: Option<Ref<Line>>,
    /// Digits that identify the user on a keypad, up to 24; empty means the primary extension.
    #[serde(default)]
    #[garde(length(chars, max = 24))]
    pub self_service_id: Text,
    /// What the user may provision; none means the system default.
    #[serde(default)]
    #[garde(skip)]
    pub user_profile: Option<Ref<UserProfile>>,
    /// The template from which the user was made.
    #[serde(default)]
    #[garde(skip)]
    pub feature_group_template: Option<Ref<FeatureGroupTemplate>>,
    /// Rules for the user's password and PIN; none means the cluster's.
    #[serde(default)]
    #[garde(skip)]
    pub credential_policy: Option<Ref<CredentialPolicy>>,
    /// Groups and so roles.
    #[serde(default)]
    #[garde(length(max = 64))]
    pub groups: Box<[Ref<UserGroup>]>,
    /// Whose presence the user may see.
    #[serde(default)]
    #[garde(skip)]
    #[schemars(extend("x-not-yet" = "effect"))]
    pub presence_group: Option<Ref<PresenceGroup>>,
    /// Phones associated with the user, which their applications may control (CTI-40, SP-44).
    #[serde(default)]
    #[garde(length(max = 1000))]
    pub controlled_phones: Box<[Ref<Phone>]>,
    /// CTI ports that the user's applications may control.
    #[serde(default)]
    #[garde(length(max = 1000))]
    pub controlled_ports: Box<[Ref<CtiPort>]>,
}

declare!(
    EndUser,
    |user| user.user_id.to_lowercase().into(),
    sought | user | {
        let extension = user.primary_extension.map(Into::into);
        let names = [&user.first_name, &user.last_name, &user.mail, &user.department];
        let texts = names.into_iter().chain([&user.self_service_id]).map(Into::into);
        extension.into_iter().chain(texts).collect()
    }
);
