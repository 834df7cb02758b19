use core::fmt;

use serde::{Deserialize, Serialize};

/// Why something was not done: which rule, whose setting, which field, and with what values.
///
/// Carries codes and keys only; sentences in the reader's language, with the remedy, are made at
/// the edges from the text tables of `model`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The rule.
    pub code: Code,
    /// The field that breaks it, as a path such as `lines[0].directory-number`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Box<str>>,
    /// Whose setting it is, as `kind name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Box<str>>,
    /// Values for the text, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(Box<str>, Box<str>)>,
}

impl Refusal {
    /// A refusal by this rule.
    pub fn new(code: Code) -> Self {
        Self { code, field: None, object: None, values: Vec::new() }
    }

    /// Names the field.
    #[must_use]
    pub fn field(mut self, field: impl Into<Box<str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Names the object whose setting decided.
    #[must_use]
    pub fn object(mut self, kind: &str, name: &str) -> Self {
        self.object = Some(format!("{kind} {name}").into());
        self
    }

    /// Adds a value for the text.
    #[must_use]
    pub fn value(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.values.push((name.into(), value.to_string().into()));
        self
    }
}

impl fmt::Display for Refusal {
    /// The technical form, for logs: code, field, object and values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name())?;
        if let Some(field) = &self.field {
            write!(f, " field={field}")?;
        }
        if let Some(object) = &self.object {
            write!(f, " object={object:?}")?;
        }
        self.values.iter().try_for_each(|(name, value)| write!(f, " {name}={value:?}"))
    }
}

impl core::error::Error for Refusal {}

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal, $http:literal;)*) => {
        /// The rules by which things are refused, a row each: name and HTTP status.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $name)] $code,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// The name in APIs, logs and text tables.
            pub fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// The HTTP status that goes with it.
            pub fn http_status(self) -> u16 {
                match self { $(Self::$code => $http,)* }
            }
        }
    };
}

codes! {
    // What a request says of itself.
    /// The body or parameter can't be read at all.
    Unreadable = "unreadable", 400;
    /// A field that the kind does not have.
    UnknownField = "unknown-field", 422;
    /// A required field is missing.
    MissingField = "missing-field", 422;
    /// A value out of its range, or not of its form.
    InvalidValue = "invalid-value", 422;
    /// A reference to something that is not there.
    UnknownReference = "unknown-reference", 422;
    /// No such object.
    NotFound = "not-found", 404;
    /// The name is that of several objects.
    AmbiguousName = "ambiguous-name", 409;
    /// No such kind of object.
    UnknownKind = "unknown-kind", 404;
    /// Another object has this name, number or key.
    Duplicate = "duplicate", 409;
    /// Somebody changed the object since it was read.
    VersionConflict = "version-conflict", 409;
    /// Other objects use it.
    InUse = "in-use", 409;
    /// The object belongs to the system and can't be removed.
    Protected = "protected", 409;
    /// What is there is not used with this method.
    MethodNotAllowed = "method-not-allowed", 405;
    /// The body did not come in time.
    BodyTimeout = "body-timeout", 408;
    /// The body is too large.
    TooLarge = "too-large", 413;
    /// More requests than allowed in the time.
    RateLimited = "rate-limited", 429;

    // Who asks.
    /// Not signed in, or the token ended.
    Unauthenticated = "unauthenticated", 401;
    /// Signed in, but without the role.
    Forbidden = "forbidden", 403;
    /// What is touched or granted has a privilege that whoever asks lacks.
    BeyondOwnPrivileges = "beyond-own-privileges", 403;
    /// After it nobody could administer the system.
    LastAdministrator = "last-administrator", 409;
    /// Wrong user, password, PIN or code; which of them is not said.
    WrongCredential = "wrong-credential", 401;
    /// Locked after too many failures.
    Locked = "locked", 403;
    /// The account is switched off.
    Disabled = "disabled", 403;
    /// The account still has its one-time password.
    PasswordChangeNeeded = "password-change-needed", 403;
    /// No credential is set for the account.
    NoCredential = "no-credential", 403;

    // What the house can do now.
    /// The database does not answer; nothing was changed.
    DatabaseUnavailable = "database-unavailable", 503;
    /// No answer in time; whether it was done is not known yet.
    OutcomeUnknown = "outcome-unknown", 504;
    /// Too much is waiting.
    Overloaded = "overloaded", 503;
    /// A fault of ours.
    Internal = "internal", 500;
    /// The service is not running.
    ServiceInactive = "service-inactive", 409;
    /// Another node does not answer; nothing was done there.
    NodeUnreachable = "node-unreachable", 503;
    /// The phone's dialect can't do this.
    NotSupportedByDevice = "not-supported-by-device", 409;
    /// The device is not registered.
    NotRegistered = "not-registered", 409;
    /// The state of the call does not allow it.
    WrongState = "wrong-state", 409;
    /// The session has not opened the device.
    NotOpened = "not-opened", 409;
    /// Another session has the device, with other media capabilities.
    MediaConflict = "media-conflict", 409;
    /// A limit is reached.
    LimitReached = "limit-reached", 409;

    // Auto-registration (SP-43).
    /// Auto-registration is switched off on the node.
    AutoRegistrationDisabled = "auto-registration-disabled", 403;
    /// Every number of the range is taken.
    RangeExhausted = "auto-registration-range-exhausted", 409;
    /// The range overlaps a number in use.
    RangeOverlaps = "auto-registration-range-overlaps", 409;
    /// The address is in none of the allowed networks.
    NetworkNotAllowed = "network-not-allowed", 403;
    /// The cap on devices that nobody owns is reached.
    UnassignedLimit = "unassigned-limit", 403;
    /// No template is chosen on the node.
    NoAutoRegistrationTemplate = "no-auto-registration-template", 409;

    // Registrations of phones: told to whoever asks why a phone is not there.
    /// The credentials are of that device and wrong.
    WrongSecret = "wrong-secret", 403;
    /// The secret is the one that the device had before the present one.
    OutdatedSecret = "outdated-secret", 403;
    /// The device was asked for its secret and has not shown it.
    SecretNotShown = "secret-not-shown", 403;
    /// A new phone has not shown that it receives what is sent to its address.
    PhoneNotThere = "phone-not-there", 403;
    /// The credentials are right and another device's.
    SecretOfAnother = "secret-of-another-device", 403;
    /// The credentials name no device.
    CredentialsOfNobody = "credentials-of-nobody", 403;
    /// The phone tells neither a device name nor a hardware address.
    UnrecognisedPhone = "unrecognised-phone", 403;
    /// No model of the catalogue fits.
    NoModelFits = "no-model-fits", 403;
    /// The user is no line of the device.
    NotItsLine = "not-its-line", 403;
    /// Several addresses were to be bound at once.
    SeveralContacts = "several-contacts", 403;
    /// The registration was to end too soon.
    RegistrationTooBrief = "registration-too-brief", 403;
    /// The request is older than one that came before.
    RegistrationOutOfOrder = "registration-out-of-order", 403;

    // Self-provisioning (SP-30 to SP-34).
    /// The device is not one that may be self-provisioned.
    NotOpenForProvisioning = "not-open-for-provisioning", 409;
    /// The user's profile does not allow it.
    ProvisioningNotAllowed = "provisioning-not-allowed", 403;
    /// The user has no primary extension.
    NoPrimaryExtension = "no-primary-extension", 409;
    /// The profile has no universal device template for this class of device.
    NoDeviceTemplate = "no-device-template", 409;
    /// Nothing listens for phones with this security profile.
    NothingListens = "nothing-listens", 422;
    /// The user owns as many devices as the profile allows.
    DeviceLimit = "device-limit", 409;
    /// The device belongs to somebody whose profile protects it.
    OwnedByAnother = "owned-by-another", 409;
    /// The authentication code breaks its rule (SP-04).
    InvalidAuthenticationCode = "invalid-authentication-code", 422;
    /// The last language can't be removed (SP-13).
    LastLanguage = "last-language", 422;
    /// The language pack is not installed.
    LanguageNotInstalled = "language-not-installed", 422;
    /// The password or PIN breaks the credential policy.
    CredentialTooWeak = "credential-too-weak", 422;
}
