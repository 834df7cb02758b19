//! The objects of a first start: enough that a phone can be plugged in and a user added, and
//! nothing that lets anybody in before an administrator says so.

mod people;

pub use people::ADMINISTRATOR;
pub(super) use people::ADMINISTRATORS;

use jackfield_vocabulary::Refusal;
use serde_json::json;

use super::work::Work;
use super::{FirstStart, Outcome};
use crate::defaults::phone_models;
use crate::{
    AutoRegistration, ButtonFeature, CallManagerGroup, ClusterSettings, CommonDeviceConfiguration,
    CommonPhoneProfile, CredentialPolicy, DateTimeGroup, DevicePool, FeatureGroupTemplate,
    Forwards, List, Location, Node, PhoneButton, PhoneButtonTemplate, PhoneService, PresenceGroup,
    Ref, Region, RegionCodecs, RelayPoint, SecurityMode, SecurityProfile, SelfProvisioning,
    SignalTransport, SipProfile, Softkey, SoftkeyTemplate, TemplateLine, Text,
    UniversalDeviceTemplate, UniversalLineTemplate, UserProfile,
};

/// Makes the objects of a first start; where there is anything already it does nothing.
pub(super) fn first_start(work: &mut Work<'_>, first: &FirstStart) -> Result<Outcome, Refusal> {
    if !work.directory.is_empty() {
        return Ok(Outcome::Done);
    }
    cluster(work);
    let node = node(work, first)?;
    let pool = place(work, first, node);
    let base = phone_settings(work, first, pool);
    templates(work, first, node, &base);
    people::roles_and_groups(work);
    for model in phone_models() {
        work.add(model);
    }
    work.audit = json!({ "action": "first-start", "node": first.node });
    Ok(Outcome::Done)
}

fn cluster(work: &mut Work<'_>) {
    let policy = work.add(CredentialPolicy { name: "Default".into(), ..Default::default() });
    let settings =
        ClusterSettings { credential_policy: Some(Ref::new(policy)), ..ClusterSettings::default() };
    work.add(settings);
    work.add(PresenceGroup { name: "Default".into() });
}

fn node(work: &mut Work<'_>, first: &FirstStart) -> Result<Ref<Node>, Refusal> {
    let node = Node {
        name: first.node.clone(),
        description: "".into(),
        address: first.address.clone(),
        number: 1,
        publisher: true,
        sip_port: 5060,
    };
    let (node, _) = super::create::write(work, None, node.into())?;
    let language: Text = if first.is_japanese() { "ja-JP".into() } else { "en-US".into() };
    work.add(SelfProvisioning { languages: [language].into(), ..SelfProvisioning::default() });
    Ok(Ref::new(node))
}

fn place(work: &mut Work<'_>, first: &FirstStart, node: Ref<Node>) -> Ref<DevicePool> {
    let group = work.add(CallManagerGroup { name: "Default".into(), nodes: [node].into() });
    let region = work.add(Region { name: "Default".into(), codecs: RegionCodecs::Wideband });
    let location = work.add(Location { name: "Default".into(), description: "".into() });
    let date_time_group = work.add(DateTimeGroup {
        name: "Default".into(),
        time_zone: first.time_zone.clone(),
        date_form: if first.is_japanese() { "Y/M/D".into() } else { "M/D/Y".into() },
        hours_24: first.is_japanese(),
        ntp_servers: Box::default(),
    });
    Ref::new(work.add(DevicePool {
        name: "Default".into(),
        call_manager_group: Ref::new(group),
        region: Ref::new(region),
        location: Ref::new(location),
        date_time_group: Ref::new(date_time_group),
        auto_registration_css: None,
    }))
}

/// A device template with all that phones of every kind share.
fn phone_settings(
    work: &mut Work<'_>,
    first: &FirstStart,
    pool: Ref<DevicePool>,
) -> UniversalDeviceTemplate {
    let locale: Text = if first.is_japanese() { "ja-JP".into() } else { "en-US".into() };
    let tcp = security_profile(work, "Non-secure TCP", SignalTransport::Tcp);
    security_profile(work, "Non-secure UDP", SignalTransport::Udp);
    let sip = work.add(SipProfile { name: "Default".into(), ..SipProfile::default() });
    let softkeys = [
        Softkey::Redial,
        Softkey::NewCall,
        Softkey::Answer,
        Softkey::Hold,
        Softkey::Resume,
        Softkey::End,
    ];
    let softkeys = work.add(SoftkeyTemplate { name: "Default".into(), softkeys: softkeys.into() });
    button_template(work);
    let profile = work.add(CommonPhoneProfile {
        name: "Default".into(),
        web_access: false,
        settings_access: true,
        pc_port: true,
    });
    let common = work.add(CommonDeviceConfiguration {
        name: "Default".into(),
        locale,
        relay_point: RelayPoint::Default,
    });
    UniversalDeviceTemplate {
        name: "Desk phones".into(),
        device_description: format!("{}, #Product#", name_tags(first)).into(),
        device_pool: pool,
        security_profile: tcp,
        sip_profile: Ref::new(sip),
        button_template: None,
        softkey_template: Some(Ref::new(softkeys)),
        common_phone_profile: Some(Ref::new(profile)),
        common_device_configuration: Some(Ref::new(common)),
        css: None,
        location: None,
        owner: None,
        lines: List::from(vec![TemplateLine {
            display: name_tags(first).into(),
            ..TemplateLine::default()
        }]),
        speed_dials: List::default(),
        busy_lamp_fields: List::default(),
        services: Box::default(),
    }
}

fn security_profile(
    work: &mut Work<'_>,
    name: &str,
    transport: SignalTransport,
) -> Ref<SecurityProfile> {
    Ref::new(work.add(SecurityProfile {
        name: name.into(),
        mode: SecurityMode::NonSecure,
        transport,
        digest: true,
        sha256: false,
        phone_port: 5060,
    }))
}

fn button_template(work: &mut Work<'_>) {
    let button = |feature| PhoneButton { feature, label: "".into() };
    let dials = [ButtonFeature::SpeedDial; 3].map(button);
    work.add(PhoneButtonTemplate {
        name: "One line, then speed dials".into(),
        buttons: core::iter::once(button(ButtonFeature::Line)).chain(dials).collect(),
    });
}

fn templates(
    work: &mut Work<'_>,
    first: &FirstStart,
    node: Ref<Node>,
    base: &UniversalDeviceTemplate,
) {
    let service = work.add(PhoneService {
        name: "Self-provisioning".into(),
        url: "http://{server}/phone/self-provisioning?device={device}".into(),
        everywhere: false,
    });
    let new_phones = work.add(UniversalDeviceTemplate {
        name: "New phones".into(),
        device_description: "New #Product# #MAC#".into(),
        lines: List::from(vec![TemplateLine {
            display: "#DirectoryNumber#".into(),
            label: "#DirectoryNumber#".into(),
        }]),
        services: [Ref::new(service)].into(),
        ..base.clone()
    });
    let new_lines = work.add(UniversalLineTemplate {
        name: "Lines of new phones".into(),
        line_description: "Lent to #MAC#".into(),
        alerting_name: "New phone".into(),
        maximum_calls: 2,
        busy_trigger: 1,
        ..line_template(first)
    });
    let desk = work.add(base.clone());
    let soft = work
        .add(UniversalDeviceTemplate { name: "Mobile and desktop devices".into(), ..base.clone() });
    let lines = work.add(line_template(first));
    let profile = work.add(UserProfile {
        name: "Default".into(),
        description: "For users who name no other.".into(),
        system_default: true,
        desk_phones: Some(Ref::new(desk)),
        mobile_and_desktop_devices: Some(Ref::new(soft)),
        remote_destination_profiles: Some(Ref::new(soft)),
        line_template: Some(Ref::new(lines)),
        allow_self_provisioning: false,
        device_limit: 10,
        allow_reassignment: false,
    });
    work.add(FeatureGroupTemplate {
        name: "Default".into(),
        description: "".into(),
        user_profile: Some(Ref::new(profile)),
        home_cluster: true,
        extension_mobility: false,
        extension_mobility_cross_cluster: false,
        presence: false,
        cti_control: false,
    });
    choose(work, node, Ref::new(new_phones), Ref::new(new_lines));
}

/// A person's name in the order of the language.
fn name_tags(first: &FirstStart) -> &'static str {
    if first.is_japanese() { "#LastName# #FirstName#" } else { "#FirstName# #LastName#" }
}

fn line_template(first: &FirstStart) -> UniversalLineTemplate {
    UniversalLineTemplate {
        name: "Lines of users".into(),
        line_description: name_tags(first).into(),
        partition: None,
        css: None,
        voicemail_profile: None,
        presence_group: None,
        forwards: Forwards::default(),
        alerting_name: name_tags(first).into(),
        line_text: "".into(),
        external_mask: "".into(),
        maximum_calls: 4,
        busy_trigger: 2,
    }
}

/// Chooses the templates of new phones on the node; auto-registration itself stays off (SP-43).
fn choose(
    work: &mut Work<'_>,
    node: Ref<Node>,
    device: Ref<UniversalDeviceTemplate>,
    line: Ref<UniversalLineTemplate>,
) {
    let name = work.directory.get(node).map(|node| node.name.clone()).unwrap_or_default();
    let Some((id, settings)) = work.directory.auto_registration(&name) else { return };
    let (id, settings) = (id.id(), AutoRegistration::clone(settings));
    work.put(
        id,
        AutoRegistration { device_template: Some(device), line_template: Some(line), ..settings },
    );
}
