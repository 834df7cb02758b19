use jackfield_vocabulary::{Code, Refusal};
use serde_json::json;

use super::work::Work;
use super::{Outcome, PlainAutoRegistration, create};
use crate::{
    AutoRegistration, Forwards, Kind, List, Partition, Ref, TemplateLine, UniversalDeviceTemplate,
    UniversalLineTemplate,
};

/// Keeps a node's plain auto-registration values in a pair of templates named after the node, and
/// has the node use the pair (SP-45). Doing it again renews the pair.
pub(super) fn import(
    work: &mut Work<'_>,
    values: &PlainAutoRegistration,
) -> Result<Outcome, Refusal> {
    let found = work.directory.auto_registration(&values.node);
    let (settings_id, settings) = found
        .map(|(id, settings)| (id, AutoRegistration::clone(settings)))
        .ok_or_else(|| unknown("auto-registration", &values.node).field("node"))?;
    let device = device_template(work, values, &settings)?;
    let line = line_template(work, values)?;
    let line_id = work.directory.find(Kind::UniversalLineTemplate, &values.node);
    let device_id = work.directory.find(Kind::UniversalDeviceTemplate, &values.node);
    let line = create::write(work, line_id, line.into())?;
    let device = create::write(work, device_id, device.into())?;
    let settings = AutoRegistration {
        disabled: values.disabled,
        device_template: Some(Ref::new(device.0)),
        line_template: Some(Ref::new(line.0)),
        starting_number: values.starting_number.clone(),
        ending_number: values.ending_number.clone(),
        ..settings
    };
    let settings = create::write(work, Some(settings_id.id()), settings.into())?;
    work.audit = json!({ "action": "import-auto-registration", "node": values.node });
    Ok(Outcome::Saved(vec![line, device, settings]))
}

/// What older exports don't say is taken from the template that the node has, else from any.
fn device_template(
    work: &Work<'_>,
    values: &PlainAutoRegistration,
    settings: &AutoRegistration,
) -> Result<UniversalDeviceTemplate, Refusal> {
    let chosen = settings.device_template.and_then(|one| work.directory.get(one));
    let base = chosen.or_else(|| work.directory.all().next().map(|(_, template)| template));
    let base = base.ok_or_else(|| unknown("universal-device-template", "*"))?;
    Ok(UniversalDeviceTemplate {
        name: values.node.clone(),
        owner: None,
        lines: List::from(vec![TemplateLine::default()]),
        ..UniversalDeviceTemplate::clone(base)
    })
}

fn line_template(
    work: &Work<'_>,
    values: &PlainAutoRegistration,
) -> Result<UniversalLineTemplate, Refusal> {
    let partition = match &*values.partition {
        "" => None,
        name => {
            let found = work.directory.named::<Partition>(name);
            let (partition, _) =
                found.ok_or_else(|| unknown("partition", name).field("partition"))?;
            Some(partition)
        }
    };
    Ok(UniversalLineTemplate {
        name: values.node.clone(),
        line_description: "".into(),
        partition,
        css: None,
        voicemail_profile: None,
        presence_group: None,
        forwards: Forwards::default(),
        alerting_name: "".into(),
        line_text: "".into(),
        external_mask: values.external_mask.clone(),
        maximum_calls: 4,
        busy_trigger: 2,
    })
}

fn unknown(kind: &str, name: &str) -> Refusal {
    Refusal::new(Code::UnknownReference).value("kind", kind).value("name", name)
}
