use std::sync::Arc;

use jackfield_vocabulary::{DeviceName, ObjectId};

use super::Directory;
use crate::{
    Body, BusyLampField, CallingSearchSpace, CommonDeviceConfiguration, CommonPhoneProfile,
    CtiPort, CtiRoutePoint, DeviceClass, DevicePool, Dialect, EndUser, Kind, Line, Location,
    Partition, Phone, PhoneButtonTemplate, PhoneLine, PhoneModel, PhoneService, Ref, RelayPoint,
    SecurityMode, SecurityProfile, SignalTransport, SipProfile, SoftkeyTemplate, SpeedDial, Text,
};

/// A device as it is right now: its own settings, and whatever lies over them. Everybody reads
/// this, and nobody the device's own object.
#[derive(Clone, Debug)]
pub struct Effective {
    /// The device.
    pub id: ObjectId,
    /// Its name.
    pub name: DeviceName,
    /// Phone, CTI route point or CTI port.
    pub kind: Kind,
    /// What it is.
    pub description: Text,
    /// Its row of the catalogue; CTI devices have none.
    pub model: Option<Arc<PhoneModel>>,
    /// Its device pool.
    pub device_pool: Arc<DevicePool>,
    /// Where it is: its own location, else the device pool's.
    pub location: Ref<Location>,
    /// What it may call, after its line's calling search space.
    pub css: Option<Ref<CallingSearchSpace>>,
    /// How its signalling is secured; CTI devices have none.
    pub security: Option<Arc<SecurityProfile>>,
    /// How it uses SIP; CTI devices have none.
    pub sip: Option<Arc<SipProfile>>,
    /// Which button is what.
    pub button_template: Option<Arc<PhoneButtonTemplate>>,
    /// Which softkeys it shows.
    pub softkey_template: Option<Arc<SoftkeyTemplate>>,
    /// Settings shared with other phones.
    pub common_phone_profile: Option<Arc<CommonPhoneProfile>>,
    /// Media goes through a trusted relay point.
    pub relayed: bool,
    /// Its language, as in `en-US`: its owner's, else its configuration's.
    pub locale: Text,
    /// Whose it is.
    pub owner: Option<Ref<EndUser>>,
    /// Calls that it can have at once over all lines; `None` when only the lines limit it.
    pub maximum_calls: Option<u16>,
    /// Its lines, in the order of the buttons.
    pub lines: Vec<EffectiveLine>,
    /// Its speed dials.
    pub speed_dials: Vec<SpeedDial>,
    /// Its busy lamp fields.
    pub busy_lamp_fields: Vec<BusyLampField>,
    /// Its services: its own, then those that are everywhere.
    pub services: Vec<Arc<PhoneService>>,
    /// Came by auto-registration and belongs to nobody: open for self-provisioning.
    pub auto_registered: bool,
    /// Applications can control it (CTI-30).
    pub controllable: bool,
}

/// A line as it appears on a device.
#[derive(Clone, Debug)]
pub struct EffectiveLine {
    /// Place among the device's lines, from 1.
    pub index: u8,
    /// The line's id.
    pub id: Ref<Line>,
    /// The line, to hold on to while a call lasts.
    pub line: Arc<Line>,
    /// Caller name that this appearance shows.
    pub display: Text,
    /// Label beside the button; the number when none is set.
    pub label: Text,
    /// Number shown outside.
    pub external_mask: Text,
    /// Calls that the line can have on this device at once.
    pub maximum_calls: u16,
    /// Calls from which on a further one finds the line busy.
    pub busy_trigger: u16,
}

impl EffectiveLine {
    /// The directory number.
    pub fn number(&self) -> &str {
        self.line.number.as_str()
    }

    /// The line's partition.
    pub fn partition(&self) -> Option<Ref<Partition>> {
        self.line.partition
    }

    /// The line's own calling search space.
    pub fn css(&self) -> Option<Ref<CallingSearchSpace>> {
        self.line.css
    }

    /// The number that outsiders see: the external mask with the number's digits in place of `X`,
    /// from the right; without a mask the number.
    pub fn external_number(&self) -> Text {
        mask(&self.external_mask, self.number())
    }
}

impl Effective {
    /// The line at this button, from 1.
    pub fn line(&self, index: u8) -> Option<&EffectiveLine> {
        self.lines.iter().find(|line| line.index == index)
    }

    /// How it is spoken to; CTI devices have no dialect.
    pub fn dialect(&self) -> Option<Dialect> {
        self.model.as_ref().map(|model| model.dialect)
    }

    /// Which template class it belongs to.
    pub fn class(&self) -> DeviceClass {
        self.model.as_ref().map_or(DeviceClass::Desk, |model| model.class)
    }

    /// What of its signalling and media is protected.
    pub fn security_mode(&self) -> SecurityMode {
        self.security.as_ref().map_or(SecurityMode::NonSecure, |profile| profile.mode)
    }

    /// How it sends SIP.
    pub fn transport(&self) -> SignalTransport {
        self.security.as_ref().map_or(SignalTransport::Tcp, |profile| profile.transport)
    }
}

impl Directory {
    /// A device by id as it is right now, with everything that it is made of looked up. `None` when
    /// it is no device.
    pub fn effective(&self, device: ObjectId) -> Option<Effective> {
        match &self.entry(device)?.body {
            Body::Phone(phone) => self.effective_phone(device, phone),
            Body::CtiRoutePoint(point) => self.effective_route_point(device, point),
            Body::CtiPort(port) => self.effective_port(device, port),
            _ => None,
        }
    }

    fn effective_phone(&self, id: ObjectId, phone: &Phone) -> Option<Effective> {
        let model = self.get(phone.model);
        let found = |configuration| self.get(configuration).cloned();
        let common = phone.common_device_configuration.and_then(found);
        let mut device = self.bare(id, &phone.name, Kind::Phone, phone.device_pool, common)?;
        device.description = phone.description.clone();
        device.controllable = model.is_some_and(|model| model.cti_controllable);
        device.model = model.cloned();
        device.location = phone.location.unwrap_or(device.location);
        device.css = phone.css;
        device.security = self.get(phone.security_profile).cloned();
        device.sip = self.get(phone.sip_profile).cloned();
        device.button_template = phone.button_template.and_then(|one| self.get(one).cloned());
        device.softkey_template = phone.softkey_template.and_then(|one| self.get(one).cloned());
        device.common_phone_profile =
            phone.common_phone_profile.and_then(|one| self.get(one).cloned());
        self.give_owner(&mut device, phone.owner);
        device.lines = self.effective_lines(&phone.lines);
        device.speed_dials = phone.speed_dials.to_vec();
        device.busy_lamp_fields = phone.busy_lamp_fields.to_vec();
        device.services = self.services(&phone.services);
        device.auto_registered = phone.auto_registered;
        Some(device)
    }

    fn effective_route_point(&self, id: ObjectId, point: &CtiRoutePoint) -> Option<Effective> {
        let common = point.common_device_configuration.and_then(|one| self.get(one).cloned());
        let relay = point.relay_point;
        let mut device =
            self.bare(id, &point.name, Kind::CtiRoutePoint, point.device_pool, common)?;
        device.description = point.description.clone();
        device.location = point.location.unwrap_or(device.location);
        device.css = point.css;
        device.relayed = match relay {
            RelayPoint::Default => device.relayed,
            RelayPoint::On => true,
            RelayPoint::Off => false,
        };
        device.maximum_calls = Some(point.maximum_calls);
        device.lines = (1_u8..)
            .zip(point.lines.iter())
            .filter_map(|(index, appearance)| {
                let line = Arc::clone(self.get(appearance.line)?);
                Some(EffectiveLine {
                    index,
                    id: appearance.line,
                    display: appearance.display.clone(),
                    label: line.number.as_str().into(),
                    external_mask: "".into(),
                    maximum_calls: appearance.maximum_calls.min(point.maximum_calls),
                    busy_trigger: appearance.busy_trigger.min(point.maximum_calls),
                    line,
                })
            })
            .collect();
        Some(device)
    }

    fn effective_port(&self, id: ObjectId, port: &CtiPort) -> Option<Effective> {
        let common = port.common_device_configuration.and_then(|one| self.get(one).cloned());
        let mut device = self.bare(id, &port.name, Kind::CtiPort, port.device_pool, common)?;
        device.description = port.description.clone();
        device.location = port.location.unwrap_or(device.location);
        device.css = port.css;
        self.give_owner(&mut device, port.owner);
        device.lines = self.effective_lines(&port.lines);
        Some(device)
    }

    /// What every device has.
    fn bare(
        &self,
        id: ObjectId,
        name: &str,
        kind: Kind,
        pool: Ref<DevicePool>,
        common: Option<Arc<CommonDeviceConfiguration>>,
    ) -> Option<Effective> {
        let device_pool = Arc::clone(self.get(pool)?);
        Some(Effective {
            id,
            name: name.into(),
            kind,
            description: "".into(),
            model: None,
            location: device_pool.location,
            device_pool,
            css: None,
            security: None,
            sip: None,
            button_template: None,
            softkey_template: None,
            common_phone_profile: None,
            relayed: common.as_ref().is_some_and(|one| one.relay_point == RelayPoint::On),
            locale: common.map_or_else(|| "en-US".into(), |one| one.locale.clone()),
            owner: None,
            maximum_calls: None,
            lines: Vec::new(),
            speed_dials: Vec::new(),
            busy_lamp_fields: Vec::new(),
            services: Vec::new(),
            auto_registered: false,
            controllable: true,
        })
    }

    fn give_owner(&self, device: &mut Effective, owner: Option<Ref<EndUser>>) {
        device.owner = owner;
        if let Some(user) = owner.and_then(|owner| self.get(owner))
            && !user.locale.is_empty()
        {
            device.locale = user.locale.clone();
        }
    }

    fn effective_lines(&self, lines: &[PhoneLine]) -> Vec<EffectiveLine> {
        let line = |(index, appearance): (u8, &PhoneLine)| {
            let line = Arc::clone(self.get(appearance.line)?);
            let label = &appearance.label;
            Some(EffectiveLine {
                index,
                id: appearance.line,
                display: appearance.display.clone(),
                label: if label.is_empty() { line.number.as_str().into() } else { label.clone() },
                external_mask: appearance.external_mask.clone(),
                maximum_calls: appearance.maximum_calls.into(),
                busy_trigger: appearance.busy_trigger.into(),
                line,
            })
        };
        (1_u8..).zip(lines).filter_map(line).collect()
    }

    fn services(&self, own: &[Ref<PhoneService>]) -> Vec<Arc<PhoneService>> {
        let everywhere =
            self.all::<PhoneService>().filter(|(id, one)| one.everywhere && !own.contains(id));
        own.iter()
            .filter_map(|one| self.get(*one))
            .chain(everywhere.map(|(_, one)| one))
            .cloned()
            .collect()
    }
}

/// Fills the `X` of a mask with a number's digits, from the right.
fn mask(mask: &str, number: &str) -> Text {
    if mask.is_empty() {
        return number.into();
    }
    let mut digits = number.chars().rev();
    let mut filled: Vec<char> = mask
        .chars()
        .rev()
        .map(|c| if matches!(c, 'X' | 'x') { digits.next().unwrap_or('0') } else { c })
        .collect();
    filled.reverse();
    filled.into_iter().collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn the_external_mask_takes_the_last_digits_of_the_extension() {
        assert_eq!(&*mask("+81312XXXXX", "23456"), "+8131223456");
        assert_eq!(&*mask("0312345XXX", "72001"), "0312345001");
        assert_eq!(&*mask("", "2001"), "2001");
    }
}
