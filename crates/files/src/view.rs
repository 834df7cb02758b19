//! Everything that a phone's file shows, looked up once.

use std::sync::Arc;

use jackfield_model::{
    BusyLampField, ButtonFeature, CallManagerGroup, ClusterSettings, DateTimeGroup, Directory,
    Effective, EffectiveLine, Node, PhoneModel, PhoneService, Ref, SignalTransport, SpeedDial,
    VoicemailProfile,
};
use jackfield_vocabulary::{ObjectId, SecretText};

use crate::locale::{Locale, locale};
use crate::time_zone::TimeZone;
use crate::{Asker, Context};

/// What a phone's file shows.
pub(crate) struct View<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) context: &'a Context<'a>,
    pub(crate) device: Effective,
    pub(crate) model: Arc<PhoneModel>,
    /// The nodes that serve it, first choice first; never empty.
    pub(crate) nodes: Vec<&'a Node>,
    pub(crate) clock: Option<&'a DateTimeGroup>,
    pub(crate) settings: Arc<ClusterSettings>,
    pub(crate) locale: &'static Locale,
    /// The secret of its registrations; only for those who may have it.
    pub(crate) password: Option<SecretText>,
}

/// What one button of a phone is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Button<'a> {
    Line(&'a EffectiveLine),
    SpeedDial(&'a SpeedDial),
    BusyLampField(&'a BusyLampField),
    Service(&'a PhoneService),
}

impl<'a> View<'a> {
    pub(crate) fn find(
        device: ObjectId,
        asker: Asker,
        directory: &'a Directory,
        context: &'a Context<'a>,
    ) -> Option<Self> {
        let device = directory.effective(device)?;
        let model = Arc::clone(device.model.as_ref()?);
        let nodes = nodes_of(directory, device.device_pool.call_manager_group, context)?;
        let password = asker.trusted.then(|| directory.secrets().sip_password(device.id));
        Some(Self {
            directory,
            context,
            model,
            nodes,
            clock: directory.get(device.device_pool.date_time_group).map(|group| &**group),
            settings: directory.cluster(),
            locale: locale(&device.locale),
            password,
            device,
        })
    }

    /// The node that the phone tries first.
    pub(crate) fn server(&self) -> &'a Node {
        self.nodes[0]
    }

    pub(crate) fn name(&self) -> &str {
        self.device.name.as_str()
    }

    pub(crate) fn password(&self) -> Option<&str> {
        self.password.as_ref().map(SecretText::reveal)
    }

    pub(crate) fn port(&self) -> u16 {
        match self.device.transport() {
            SignalTransport::Tls => Node::SECURE_SIP_PORT,
            SignalTransport::Tcp | SignalTransport::Udp => self.context.sip_ports.of(self.server()),
        }
    }

    pub(crate) fn time_zone(&self) -> TimeZone {
        TimeZone::of(self.clock.map_or("UTC", |clock| &clock.time_zone))
    }

    /// The number of the line's voice mail, empty where there is none.
    pub(crate) fn voicemail(&self, line: &EffectiveLine) -> &'a str {
        line.line
            .voicemail_profile
            .and_then(|profile: Ref<VoicemailProfile>| self.directory.get(profile))
            .map_or("", |profile| &profile.pilot)
    }

    /// The buttons: as the template says, else lines first, then speed dials, lamps and services.
    /// Lines beyond the template's buttons keep a place after them.
    pub(crate) fn buttons(&self) -> Vec<Button<'_>> {
        let device = &self.device;
        let mut lines = device.lines.iter().map(Button::Line);
        let mut dials = device.speed_dials.iter().map(Button::SpeedDial);
        let mut lamps = device.busy_lamp_fields.iter().map(Button::BusyLampField);
        let mut services = device.services.iter().map(|service| Button::Service(service));
        let Some(template) = &device.button_template else {
            return lines.chain(dials).chain(lamps).chain(services).collect();
        };
        let mut buttons = template
            .buttons
            .iter()
            .filter_map(|button| match button.feature {
                ButtonFeature::Line => lines.next(),
                ButtonFeature::SpeedDial => dials.next(),
                ButtonFeature::BusyLampField => lamps.next(),
                ButtonFeature::Service => services.next(),
            })
            .collect::<Vec<_>>();
        buttons.extend(lines);
        buttons
    }

    /// The address of the page on which a newcomer provisions itself (SP-06).
    pub(crate) fn self_provisioning_url(&self) -> String {
        self.expand("http://{server}/phone/self-provisioning?device={device}&lang={lang}")
    }

    /// The services of its menu, names and addresses. A newcomer's begins with self-provisioning,
    /// which its template may name, too.
    pub(crate) fn services(&self) -> Vec<(&str, String)> {
        let own = self.device.auto_registered.then(|| self.self_provisioning_url());
        let page = |url: &str| url.split('?').next().unwrap_or_default().to_owned();
        let own_page = own.as_deref().map(page);
        let mut services: Vec<_> = own.map(|url| ("Self-Provisioning", url)).into_iter().collect();
        let others = self.device.services.iter().map(|one| (&*one.name, self.expand(&one.url)));
        services.extend(others.filter(|(_, url)| own_page.as_deref() != Some(&page(url))));
        services
    }

    /// Fills the placeholders of a service's address.
    pub(crate) fn expand(&self, url: &str) -> String {
        let mut full = String::with_capacity(url.len() + 64);
        let mut rest = url;
        while let Some((before, after)) = rest.split_once('{') {
            full.push_str(before);
            let known = after.split_once('}').and_then(|(name, after)| {
                self.fill(name, &mut full)?;
                Some(after)
            });
            rest = known.unwrap_or_else(|| {
                full.push('{');
                after
            });
        }
        full.push_str(rest);
        full
    }

    fn fill(&self, placeholder: &str, full: &mut String) -> Option<()> {
        match placeholder {
            "server" => push_authority(full, &self.server().address, self.context.web_port),
            "device" => full.push_str(self.name()),
            "lang" => full.push_str(self.locale.tag),
            _ => return None,
        }
        Some(())
    }
}

/// The nodes of a group in their order; `None` when there is none.
pub(crate) fn nodes_of<'a>(
    directory: &'a Directory,
    group: Ref<CallManagerGroup>,
    context: &Context<'_>,
) -> Option<Vec<&'a Node>> {
    let mut nodes = directory
        .get(group)
        .into_iter()
        .flat_map(|group| group.nodes.iter())
        .filter_map(|node| directory.get(*node))
        .map(|node| &**node)
        .collect::<Vec<_>>();
    if nodes.is_empty() {
        nodes.push(this_node(directory, context)?);
    }
    Some(nodes)
}

/// The node on which the file is rendered.
pub(crate) fn this_node<'a>(directory: &'a Directory, context: &Context<'_>) -> Option<&'a Node> {
    directory.node(context.node).or_else(|| directory.publisher()).map(|(_, node)| &**node)
}

/// Adds `address:port`, with brackets around an IPv6 address.
pub(crate) fn push_authority(text: &mut String, address: &str, port: u16) {
    if address.contains(':') {
        text.push('[');
        text.push_str(address);
        text.push(']');
    } else {
        text.push_str(address);
    }
    text.push(':');
    text.push_str(&port.to_string());
}
