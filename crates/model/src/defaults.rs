//! What there is from the start: the catalogue of phone models, and a sample company to try
//! things on.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::{AutoRegistration, Directory, Kind, Operation, PhoneModel, ServiceActivation, Text};

pub use crate::operation::ADMINISTRATOR;

static MODELS: LazyLock<Vec<PhoneModel>> = LazyLock::new(|| {
    csv::Reader::from_reader(include_str!("../data/phone-models.csv").as_bytes())
        .into_deserialize::<Row>()
        .map(|row| model(row.expect("the catalogue is read by a test")))
        .collect()
});

/// A row of the catalogue as its file has it.
#[derive(serde::Deserialize)]
struct Row {
    name: Text,
    maker: Text,
    dialect: crate::Dialect,
    class: crate::DeviceClass,
    enumeration: Option<u32>,
    product: Text,
    device_prefix: Text,
    maximum_lines: u8,
    buttons: u8,
    display: bool,
    cti_controllable: bool,
    hardware_prefixes: Text,
    tried_on_hardware: bool,
}

/// The catalogue of phone models.
pub fn phone_models() -> Vec<PhoneModel> {
    MODELS.clone()
}

fn model(row: Row) -> PhoneModel {
    PhoneModel {
        name: row.name,
        maker: row.maker,
        dialect: row.dialect,
        class: row.class,
        enumeration: row.enumeration,
        product: row.product,
        device_prefix: row.device_prefix,
        maximum_lines: row.maximum_lines,
        buttons: row.buttons,
        display: row.display,
        cti_controllable: row.cti_controllable,
        hardware_prefixes: row.hardware_prefixes.split_whitespace().map(Into::into).collect(),
        tried_on_hardware: row.tried_on_hardware,
    }
}

/// Numbers and names of the sample company.
pub mod sample {
    /// The number of the self-provisioning IVR.
    pub const IVR_NUMBER: &str = "2000";
    /// Its route point.
    pub const ROUTE_POINT: &str = "IVR-RP";
    /// The account under which it works.
    pub const APPLICATION_USER: &str = "self-provisioning";
    /// The first of the users' extensions; the next user has the next number.
    pub const FIRST_EXTENSION: u32 = 3001;
    /// The numbers lent to new phones.
    pub const RANGE: (&str, &str) = ("9000", "9999");
}

/// User ids, first and last names of the first sample users.
const PEOPLE: &[(&str, &str, &str)] = &[
    ("tanaka", "Hanako", "Tanaka"),
    ("suzuki", "Ichiro", "Suzuki"),
    ("sato", "Yumi", "Sato"),
    ("miller", "Anna", "Miller"),
    ("garcia", "Luis", "García"),
    ("okafor", "Ngozi", "Okafor"),
];

/// A sample company on a node that was just started for the first time: users with extensions,
/// the self-provisioning IVR with its number and account, and auto-registration switched on.
/// Credentials are set by whoever can make hashes. `None` where the first start is missing.
pub fn sample_company(directory: &Directory, users: u16) -> Option<Operation> {
    let (_, node) = directory.publisher()?;
    let (activation, _) = directory.named::<ServiceActivation>(&node.name)?;
    let (registration, _) = directory.named::<AutoRegistration>(&node.name)?;
    let (profile, _) = directory.default_profile().and_then(|id| Some((id, directory.get(id)?)))?;
    let settings = directory.find(Kind::SelfProvisioning, "self-provisioning")?;
    let create = |kind, body| Operation::Create { kind, body };
    let update = |id, patch| Operation::Update { id, version: None, patch };
    let mut operations = vec![
        create(Kind::Line, line_of_ivr()),
        create(Kind::CtiRoutePoint, route_point()),
        create(Kind::ApplicationUser, application_user()),
        update(settings, self_provisioning()),
        update(activation.id(), json!({ "services": services() })),
        update(
            registration.id(),
            json!({
                "disabled": false,
                "starting_number": sample::RANGE.0,
                "ending_number": sample::RANGE.1,
            }),
        ),
        update(profile.id(), json!({ "allow_self_provisioning": true })),
    ];
    operations.extend((0..users).map(user));
    Some(Operation::Batch(operations))
}

fn line_of_ivr() -> Value {
    json!({
        "number": sample::IVR_NUMBER,
        "description": "Self-provisioning",
        "alerting_name": "Self-provisioning",
    })
}

fn route_point() -> Value {
    json!({
        "name": sample::ROUTE_POINT,
        "description": "Self-provisioning",
        "device_pool": "Default",
        "lines": [{ "line": sample::IVR_NUMBER }],
    })
}

fn application_user() -> Value {
    json!({
        "user_id": sample::APPLICATION_USER,
        "description": "The self-provisioning IVR",
        "presence_group": "Default",
        "groups": ["Standard CTI Enabled"],
        "controlled_route_points": [sample::ROUTE_POINT],
    })
}

fn self_provisioning() -> Value {
    json!({
        "route_point": sample::ROUTE_POINT,
        "application_user": sample::APPLICATION_USER,
    })
}

fn services() -> Vec<&'static str> {
    crate::Service::ALL.iter().map(|service| service.name()).collect()
}

fn user(index: u16) -> Operation {
    let at = usize::from(index);
    let (user_id, first, last) = match PEOPLE.get(at) {
        Some((user_id, first, last)) => ((*user_id).to_owned(), *first, (*last).to_owned()),
        None => (format!("user{}", at + 1), "User", (at + 1).to_string()),
    };
    let extension = (sample::FIRST_EXTENSION + u32::from(index)).to_string();
    Operation::QuickAdd {
        user: json!({
            "user_id": user_id,
            "first_name": first,
            "last_name": last,
            "groups": ["End users"],
        }),
        feature_group_template: "Default".into(),
        extension: extension.into(),
        credentials: Vec::new(),
    }
}
