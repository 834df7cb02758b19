//! With what the service runs: the settings as they were at its start.

use std::sync::Arc;

use jackfield_model::{Directory, SelfProvisioning};
use jackfield_vocabulary::{Codec, DeviceName, ObjectId};
use serde::{Deserialize, Serialize};

use crate::interface::SelfProvisioningStart;

/// The settings that the service started with (SP-19).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Script {
    pub(super) settings: SelfProvisioning,
    pub(super) languages: Vec<Arc<str>>,
    pub(super) codecs: Vec<Codec>,
    pub(super) account: ObjectId,
    pub(super) device: ObjectId,
    pub(super) route_point: DeviceName,
}

impl Script {
    /// The settings to run with, or the word for what they lack.
    pub(super) fn new(
        directory: &Directory,
        start: &SelfProvisioningStart,
    ) -> Result<Self, &'static str> {
        let settings = start.settings.clone();
        let account = settings.application_user.ok_or("no-application-user")?.id();
        let device = settings.route_point.ok_or("no-route-point")?;
        let route_point = directory.get(device).ok_or("no-route-point")?;
        if start.languages.is_empty() {
            return Err("no-language-pack");
        }
        // SP-15, the best sound first; G.722, dear to code, for those that can do nothing else.
        let mut codecs = vec![Codec::L16, Codec::Pcmu, Codec::Pcma, Codec::G722];
        if start.g729 {
            codecs.push(Codec::G729);
        }
        let route_point = DeviceName::from(&*route_point.name);
        let (device, languages) = (device.id(), start.languages.clone());
        Ok(Self { settings, languages, codecs, account, device, route_point })
    }
}
