use std::sync::LazyLock;

use super::{Language, fill};

macro_rules! messages {
    ($($message:ident = $key:literal;)*) => {
        /// A text of the interface that is no refusal, by its row in `messages.csv`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Message {
            $(#[doc = concat!("`", $key, "`.")] $message,)*
        }

        impl Message {
            /// Every message.
            pub const ALL: &'static [Self] = &[$(Self::$message,)*];

            /// Its key in the table.
            pub fn key(self) -> &'static str {
                match self { $(Self::$message => $key,)* }
            }
        }
    };
}

messages! {
    Ready = "ready";
    NotAssociated = "not-associated";
    DialToAssign = "dial-to-assign";
    NoNumberOnRoutePoint = "no-number-on-route-point";
    CtiRoleMissing = "cti-role-missing";
    CredentialsMissing = "credentials-missing";
    RestartQuestion = "restart-question";
    SavedAndRestarted = "saved-and-restarted";
    SavedRestartFailed = "saved-restart-failed";
    Saved = "saved";
    SaveAndRestartNow = "save-and-restart-now";
    SaveWithoutRestarting = "save-without-restarting";
    Cancel = "cancel";
    CallDisconnected = "call-disconnected";
    NotSelected = "not-selected";
    AutoRegistrationDisabled = "auto-registration-disabled";
    ModeUsersOnly = "mode-users-only";
    ModeUsersAndAdministrators = "mode-users-and-administrators";
    ModeNone = "mode-none";
    AutoRegistrationOff = "auto-registration-off";
    IvrOff = "ivr-off";
    CtiManagerOff = "cti-manager-off";
    NoPublisher = "no-publisher";
    NoRoutePoint = "no-route-point";
    NoApplicationUser = "no-application-user";
    RoutePointNotControlled = "route-point-not-controlled";
    ApplicationUserDisabled = "application-user-disabled";
    IvrWaiting = "ivr-waiting";
    IvrStartedWithout = "ivr-started-without";
    IvrWithoutLanguage = "ivr-without-language";
    IvrWithoutCtiManager = "ivr-without-cti-manager";
    IvrMayNot = "ivr-may-not";
    IvrTriesAgain = "ivr-tries-again";
    NoProfileAllows = "no-profile-allows";
    RestartNeeded = "restart-needed";
    RestartNeededThere = "restart-needed-there";
    NoEmergencyCalls = "no-emergency-calls";
    PhonesFindTheServer = "phones-find-the-server";
    StepServices = "step-services";
    StepAutoRegistration = "step-auto-registration";
    StepRoutePoint = "step-route-point";
    StepRoutePointNumber = "step-route-point-number";
    StepApplicationUser = "step-application-user";
    StepSettings = "step-settings";
    StepProfile = "step-profile";
    StepUsers = "step-users";
    StepTemplates = "step-templates";
    StepFeatureGroupTemplate = "step-feature-group-template";
    StepDirectory = "step-directory";
    StepRoutePointAndUser = "step-route-point-and-user";
    StepSelfProvisioning = "step-self-provisioning";
    StepRegister = "step-register";
    StepDial = "step-dial";
    RemedyServices = "remedy-services";
    RemedyAutoRegistration = "remedy-auto-registration";
    RemedyRoutePoint = "remedy-route-point";
    RemedyRoutePointNumber = "remedy-route-point-number";
    RemedyApplicationUser = "remedy-application-user";
    RemedySettings = "remedy-settings";
    RemedyProfile = "remedy-profile";
    RemedyUsers = "remedy-users";
    RemedyTemplates = "remedy-templates";
    RemedyFeatureGroupTemplate = "remedy-feature-group-template";
    RemedyRegister = "remedy-register";
    RemedyDial = "remedy-dial";
    FineOpen = "fine-open";
    FineOwned = "fine-owned";
    FineUser = "fine-user";
    FineCallable = "fine-callable";
    ProfileOwn = "profile-own";
    ProfileDefault = "profile-default";
    NoLines = "no-lines";
    AddLine = "add-line";
    NumberWithoutDevice = "number-without-device";
    PutOnDevice = "put-on-device";
    NumberForwarded = "number-forwarded";
    NumberInPartition = "number-in-partition";
    IdAmbiguous = "id-ambiguous";
    IdRemedy = "id-remedy";
    NoPin = "no-pin";
    PinRemedy = "pin-remedy";
    RegisteredElsewhere = "registered-elsewhere";
    RegisteredElsewhereRemedy = "registered-elsewhere-remedy";
    Stranger = "stranger";
    StrangerRemedy = "stranger-remedy";
    NoFiles = "no-files";
    NoFilesRemedy = "no-files-remedy";
    LastRefused = "last-refused";
    RefusedSince = "refused-since";
    LinesChanged = "lines-changed";
    SecretReplaced = "secret-replaced";
    RemedyRestart = "remedy-restart";
    NumberSilent = "number-silent";
    RestartThese = "restart-these";
    RemedyWindow = "remedy-window";
    RemedyWindowWhich = "remedy-window-which";
    RemedySecret = "remedy-secret";
    NobodyKnowsWhere = "nobody-knows-where";
    StepProvisioningNetworks = "step-provisioning-networks";
    RemedyProvisioningNetworks = "remedy-provisioning-networks";
    ConnectionGone = "connection-gone";
    ConnectionGoneRemedy = "connection-gone-remedy";
    RangeUsedUp = "range-used-up";
    RangeRunsOut = "range-runs-out";
    UnassignedFull = "unassigned-full";
    PrivateNetworks = "private-networks";
    NumberInRange = "number-in-range";
    NumberOfHelp = "number-of-help";
    NumberOfService = "number-of-service";
    PhoneOfService = "phone-of-service";
    NumberTwice = "number-twice";
    RangeOverService = "range-over-service";
    RangeOverNumber = "range-over-number";
    NoEmergencyNumbers = "no-emergency-numbers";
    HelpInRange = "help-in-range";
    ForwardToNobody = "forward-to-nobody";
    ForwardComesBack = "forward-comes-back";
    ForwardGoesRound = "forward-goes-round";
    AddressNotFound = "address-not-found";
    AddressNotFoundRemedy = "address-not-found-remedy";
    DatabaseAway = "database-away";
    DatabaseAwayRemedy = "database-away-remedy";
    NotKnownNow = "not-known-now";
    WideWindow = "wide-window";
    GuessableCode = "guessable-code";
    NodeSilent = "node-silent";
    NodeSilentRemedy = "node-silent-remedy";
    NoCodeSet = "no-code-set";
    NoNumberToLend = "no-number-to-lend";
    NumberOfAnothers = "number-of-anothers";
    ForwardRemedy = "forward-remedy";
    OtherPort = "other-port";
    OtherPortRemedy = "other-port-remedy";
    OtherAddress = "other-address";
    OtherAddressRemedy = "other-address-remedy";
    OnlyThere = "only-there";
    OnlyThereRemedy = "only-there-remedy";
    AskTheOthers = "ask-the-others";
    UnservedProfile = "unserved-profile";
    UnservedProfileRemedy = "unserved-profile-remedy";
    RoutePointServed = "route-point-served";
    RoutePointOwned = "route-point-owned";
    RoutePointOwnedRemedy = "route-point-owned-remedy";
    RoutePointUnserved = "route-point-unserved";
    RoutePointUnservedRemedy = "route-point-unserved-remedy";
    NumberStillCalled = "number-still-called";
    NumberStays = "number-stays";
    NameStays = "name-stays";
    StillControlled = "still-controlled";
    TextStays = "text-stays";
    PhoneRemodelled = "phone-remodelled";
    PhoneRenamed = "phone-renamed";
    AccountLocked = "account-locked";
    AccountLockedForGood = "account-locked-for-good";
    RemedyUnlock = "remedy-unlock";
    RemedyWait = "remedy-wait";
    WordPassword = "word-password";
    WordPin = "word-pin";
    WordCode = "word-code";
    ServiceForwarded = "service-forwarded";
    ServiceHidden = "service-hidden";
    ServiceOfUser = "service-of-user";
    IvrOutdated = "ivr-outdated";
    RemedyRetry = "remedy-retry";
    NumberIs = "number-is";
    PatternOverHelp = "pattern-over-help";
    RedirectToNobody = "redirect-to-nobody";
    PolicyNeverLocks = "policy-never-locks";
    PolicyShortPassword = "policy-short-password";
    PolicyShortPin = "policy-short-pin";
    PolicyTrivial = "policy-trivial";
    NodeWithoutDatabase = "node-without-database";
    NotKeyedIn = "not-keyed-in";
    UnknownTag = "unknown-tag";
    AlarmRangeExhausted = "alarm-range-exhausted";
    AlarmRangeExhaustedRemedy = "alarm-range-exhausted-remedy";
    AlarmEmergencyCall = "alarm-emergency-call";
    AlarmEmergencyCallRemedy = "alarm-emergency-call-remedy";
    AlarmAssignmentUnknown = "alarm-assignment-unknown";
    AlarmAssignmentUnknownRemedy = "alarm-assignment-unknown-remedy";
    AlarmManyDevices = "alarm-many-devices";
    AlarmManyDevicesRemedy = "alarm-many-devices-remedy";
    AlarmNodeFull = "alarm-node-full";
    AlarmNodeFullRemedy = "alarm-node-full-remedy";
    NotYetEffect = "not-yet-effect";
    NotYetChoice = "not-yet-choice";
    NotYetLamps = "not-yet-lamps";
    NotYetMessages = "not-yet-messages";
    NotYetSoftkey = "not-yet-softkey";
}

/// A row of the table.
#[derive(serde::Deserialize)]
pub(super) struct Row {
    pub(super) key: Box<str>,
    pub(super) en: Box<str>,
    pub(super) ja: Box<str>,
}

pub(super) static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    csv::Reader::from_reader(include_str!("../../data/messages.csv").as_bytes())
        .into_deserialize()
        .map(|row| row.expect("a test reads the table"))
        .collect()
});

impl Message {
    /// The text in a language.
    pub fn text(self, language: Language) -> String {
        self.with(language, &[])
    }

    /// The text in a language, with values in place of `{name}`.
    pub fn with(self, language: Language, values: &[(&str, &str)]) -> String {
        let Some(row) = ROWS.iter().find(|row| *row.key == *self.key()) else {
            return self.key().to_owned();
        };
        let text = match language {
            Language::English => &row.en,
            Language::Japanese => &row.ja,
        };
        fill(text, |name| {
            values.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }
}
