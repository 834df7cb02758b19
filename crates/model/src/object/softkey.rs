use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A softkey of enterprise phones.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(transform = not_offered_yet)]
pub enum Softkey {
    /// Takes a call that rings.
    Answer,
    /// Rings back when a busy number is free.
    CallBack,
    /// Parks a call under a number.
    CallPark,
    /// Joins calls to a conference.
    Conference,
    /// Sends a call on at once.
    Divert,
    /// Lets no call ring.
    DoNotDisturb,
    /// Ends a call, or an attempt.
    End,
    /// Forwards all calls.
    ForwardAll,
    /// Takes a call that rings in another group.
    GroupPickup,
    /// Holds a call.
    Hold,
    /// Silences a call that rings.
    Ignore,
    /// Joins the calls that were selected.
    Join,
    /// Opens a meeting under a number.
    MeetMe,
    /// Moves a call to the mobile phone.
    Mobility,
    /// Begins a call.
    NewCall,
    /// Takes a call that rings in the own group.
    Pickup,
    /// Dials the last number again.
    Redial,
    /// Goes back to a call on hold.
    Resume,
    /// Selects a call for others to be joined with.
    Select,
    /// Gives a call to somebody else.
    Transfer,
}

impl Softkey {
    /// Phones are offered it: what it asks for is done. The others wait for the server.
    pub fn is_offered(self) -> bool {
        matches!(
            self,
            Self::Answer | Self::End | Self::Hold | Self::NewCall | Self::Redial | Self::Resume
        )
    }
}

/// For the schema: whoever sets a softkey that phones are not offered is told.
fn not_offered_yet(schema: &mut Schema) {
    let Some(Value::Array(variants)) = schema.ensure_object().get_mut("oneOf") else { return };
    for variant in variants {
        let key = serde_json::from_value::<Softkey>(variant["const"].clone());
        if key.is_ok_and(|key| !key.is_offered()) {
            variant["x-not-yet"] = "softkey".into();
        }
    }
}
