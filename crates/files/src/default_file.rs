//! `XMLDefault.cnf.xml`: what an enterprise phone without a file of its own takes. It tells where
//! to register; the server makes device and number when the phone does (SP-43).

use jackfield_model::{AuthenticationMode, Dialect, Directory, Node, PhoneModel};

use crate::Context;
use crate::enterprise::call_manager_group;
use crate::view::{nodes_of, this_node};
use crate::writer::Writer;

/// Renders the file.
pub(crate) fn render(directory: &Directory, context: &Context<'_>) -> Vec<u8> {
    let registration = directory.auto_registration(context.node).map(|(_, settings)| settings);
    let settings = directory.self_provisioning();
    let enabled = registration.is_some_and(|settings| !settings.disabled);
    let mut file = Writer::with_capacity(8 * 1024);
    file.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Default>\n");
    file.raw("<autoRegistrationName>AUTO-REG</autoRegistrationName>\n");
    file.element("autoRegistration", if enabled { "enabled" } else { "" });
    let secure = settings.mode != AuthenticationMode::None;
    file.element("selfProvisioningSecureMode", truth(secure));
    let administrators = settings.mode == AuthenticationMode::UsersAndAdministrators;
    file.element("adminProvisionMode", truth(administrators));
    file.raw("<ipAddressMode>2</ipAddressMode>\n");
    file.raw("<ipPreferenceModeControl>0</ipPreferenceModeControl>\n");
    file.raw("<ipMediaAddressFamilyPreference>0</ipMediaAddressFamilyPreference>\n");
    call_manager_group(&mut file, &newcomer_nodes(directory, context), context);
    file.raw("<TVS>\n<members></members>\n</TVS>\n");
    for (_, model) in directory.all::<PhoneModel>() {
        load(&mut file, model);
    }
    file.raw("<authenticationURL></authenticationURL>\n<directoryURL></directoryURL>\n");
    file.raw("<idleURL></idleURL>\n<informationURL></informationURL>\n");
    file.raw("<messagesURL></messagesURL>\n<servicesURL></servicesURL>\n</Default>\n");
    file.into_body()
}

/// The nodes at which newcomers register: those of the device pool that their template gives
/// them, else this one.
pub(crate) fn newcomer_nodes<'a>(directory: &'a Directory, context: &Context<'_>) -> Vec<&'a Node> {
    directory
        .auto_registration(context.node)
        .and_then(|(_, settings)| directory.get(settings.device_template?))
        .and_then(|template| directory.get(template.device_pool))
        .and_then(|pool| nodes_of(directory, pool.call_manager_group, context))
        .unwrap_or_else(|| this_node(directory, context).into_iter().collect())
}

/// The firmware of a model; empty leaves the phone the one that it has.
fn load(file: &mut Writer, model: &PhoneModel) {
    let Some(enumeration) = model.enumeration.filter(|_| model.dialect == Dialect::Enterprise)
    else {
        return;
    };
    file.raw("<loadInformation").number(enumeration).raw(" model=\"").text(&model.name);
    file.raw("\"></loadInformation").number(enumeration).raw(">\n");
}

fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
