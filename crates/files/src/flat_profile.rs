//! The flat profile of multiplatform phones. A parameter that is left out keeps the value that it
//! has in the phone, so every parameter that a template may change is written, for every line and
//! button of the model; only a stranger's file leaves out the passwords, for an empty one would
//! take the phone's away.

use jackfield_model::{BusyLampField, EffectiveLine, SecurityMode, SignalTransport, SpeedDial};

use crate::bootstrap::provisioning;
use crate::view::{Button, View};
use crate::writer::Writer;

/// Renders the file.
pub(crate) fn render(view: &View<'_>) -> Vec<u8> {
    let mut file = Writer::with_capacity(16 * 1024);
    file.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<flat-profile>\n");
    provisioning(&mut file, &view.server().address, view.context.file_port);
    system(&mut file, view);
    clock(&mut file, view);
    sip(&mut file, view);
    for index in 1..=usize::from(view.model.maximum_lines) {
        match view.device.lines.iter().find(|line| usize::from(line.index) == index) {
            Some(line) => write_line(&mut file, view, index, line),
            None => empty_line(&mut file, index),
        }
    }
    buttons(&mut file, view);
    services(&mut file, view);
    file.raw("</flat-profile>\n");
    file.into_body()
}

fn system(file: &mut Writer, view: &View<'_>) {
    let profile = view.device.common_phone_profile.as_deref();
    file.element("Enable_Web_Server", yes(profile.is_some_and(|profile| profile.web_access)));
    file.element("Enable_Web_Admin_Access", yes(profile.is_some_and(|one| one.web_access)));
    let settings = profile.is_none_or(|profile| profile.settings_access);
    file.element("Phone-UI-readonly", yes(!settings));
    file.element("Enable_PC_Port", yes(profile.is_none_or(|profile| profile.pc_port)));
    let name = view.device.lines.first().map_or(view.name(), |line| &line.label);
    file.element("Station_Name", view.name()).element("Station_Display_Name", name);
    file.raw("<Language_Selection>").raw(view.locale.user).raw("</Language_Selection>\n");
    file.element("Locale", view.locale.tag);
    file.element(
        "Voice_Mail_Number",
        view.device.lines.first().map_or("", |line| view.voicemail(line)),
    );
}

fn clock(file: &mut Writer, view: &View<'_>) {
    let zone = view.time_zone();
    let server = |at: usize| {
        view.clock.and_then(|clock| clock.ntp_servers.get(at)).map_or("", |server| server)
    };
    file.element("Primary_NTP_Server", server(0)).element("Secondary_NTP_Server", server(1));
    file.element("Time_Zone", &zone.offset);
    file.element("Daylight_Saving_Time_Enable", yes(!zone.summer.is_empty()));
    file.element("Daylight_Saving_Time_Rule", &zone.summer);
    let hours_24 = view.clock.is_none_or(|clock| clock.hours_24);
    file.element("Time_Format", if hours_24 { "24hr" } else { "12hr" });
    let date_form = view.clock.map_or("Y/M/D", |clock| &*clock.date_form);
    file.element(
        "Date_Format",
        match date_form {
            "D/M/Y" => "day/month/year",
            "M/D/Y" => "month/day/year",
            _ => "year/month/day",
        },
    );
}

fn sip(file: &mut Writer, view: &View<'_>) {
    let Some(profile) = &view.device.sip else { return };
    file.number_element("RTP_Port_Min", profile.first_media_port);
    file.number_element("RTP_Port_Max", profile.last_media_port);
    file.number_element("AVT_Dynamic_Payload", profile.dtmf_payload_type);
    seconds(file, "SIP_T1", profile.timer_t1_ms);
    seconds(file, "SIP_T2", profile.timer_t2_ms);
    file.element("Use_Princeton_Style_Refer", "No");
    // Transfer needs the server; forwards and conferences are the phone's own.
    file.element("Attn_Transfer_Serv", "No").element("Blind_Transfer_Serv", "No");
}

/// Writes milliseconds as seconds with a fraction.
fn seconds(file: &mut Writer, name: &str, millis: u16) {
    file.raw("<").raw(name).raw(">").number(millis / 1000).raw(".");
    let rest = millis % 1000;
    file.raw(if rest < 10 {
        "00"
    } else if rest < 100 {
        "0"
    } else {
        ""
    })
    .number(rest);
    file.raw("</").raw(name).raw(">\n");
}

fn write_line(file: &mut Writer, view: &View<'_>, index: usize, line: &EffectiveLine) {
    let number = line.number();
    file.numbered("Line_Enable_", index, "Yes");
    let mut proxy = String::with_capacity(64);
    crate::view::push_authority(&mut proxy, &view.server().address, view.port());
    file.numbered("Proxy_", index, &proxy).numbered("Outbound_Proxy_", index, "");
    let mut others = String::new();
    for node in view.nodes.iter().skip(1) {
        if !others.is_empty() {
            others.push(',');
        }
        let port = view.context.sip_ports.of(node);
        crate::view::push_authority(&mut others, &node.address, port);
    }
    file.numbered("Alternate_Proxy_", index, &others);
    file.numbered("Register_", index, "Yes").numbered("Make_Call_Without_Reg_", index, "No");
    if let Some(profile) = &view.device.sip {
        number_of(file, "Register_Expires_", index, profile.registration_seconds);
    }
    file.numbered("User_ID_", index, number).numbered("Auth_ID_", index, view.name());
    file.numbered("Use_Auth_ID_", index, "Yes");
    if let Some(password) = view.password() {
        file.numbered("Password_", index, password);
    }
    file.numbered("Display_Name_", index, &line.display);
    let transport = match view.device.transport() {
        SignalTransport::Tcp => "TCP",
        SignalTransport::Udp => "UDP",
        SignalTransport::Tls => "TLS",
    };
    file.numbered("SIP_Transport_", index, transport);
    let phone_port = view.device.security.as_ref().map_or(5060, |profile| profile.phone_port);
    number_of(file, "SIP_Port_", index, u32::from(phone_port).saturating_add(index as u32 - 1));
    let encrypted = view.device.security_mode() == SecurityMode::Encrypted;
    file.numbered("Secure_Call_Option_", index, if encrypted { "Required" } else { "Optional" });
    file.numbered("Auth_Resync-Reboot_", index, "Yes");
    file.numbered("DTMF_Tx_Method_", index, "AVT");
    file.numbered("Message_Waiting_", index, "No");
    file.numbered("Voice_Mail_Server_", index, view.voicemail(line));
    dial_plan(file, view, index);
}

/// A line that the phone has room for and nobody has: all that a line may have had goes.
fn empty_line(file: &mut Writer, index: usize) {
    file.numbered("Line_Enable_", index, "No");
    for name in [
        "Proxy_",
        "Outbound_Proxy_",
        "Alternate_Proxy_",
        "User_ID_",
        "Auth_ID_",
        "Password_",
        "Display_Name_",
        "Voice_Mail_Server_",
    ] {
        file.numbered(name, index, "");
    }
    file.numbered("Register_", index, "No").numbered("Use_Auth_ID_", index, "No");
}

/// Emergency numbers go out at once; whatever else after a pause.
fn dial_plan(file: &mut Writer, view: &View<'_>, index: usize) {
    file.raw("<Dial_Plan_").number(index as u64).raw("_>(");
    for number in &view.settings.emergency_numbers {
        file.text(number).raw("S0|");
    }
    file.raw("[x*+].)</Dial_Plan_").number(index as u64).raw("_>\n");
}

fn number_of(file: &mut Writer, name: &str, index: usize, value: u32) {
    file.raw("<").raw(name).number(index as u64).raw("_>").number(value);
    file.raw("</").raw(name).number(index as u64).raw("_>\n");
}

fn buttons(file: &mut Writer, view: &View<'_>) {
    let buttons = view.buttons();
    let room = usize::from(view.model.maximum_lines).max(usize::from(view.model.buttons));
    for index in 1..=room {
        let (extension, label, function) = match buttons.get(index - 1) {
            Some(Button::Line(line)) => (line.index.to_string(), &*line.label, String::new()),
            Some(
                Button::SpeedDial(SpeedDial { number, label })
                // Nobody can tell a phone of another's state yet, so that a lamp is a speed dial.
                | Button::BusyLampField(BusyLampField { number, label }),
            ) => {
                let label = if label.is_empty() { number } else { label };
                ("Disabled".into(), &**label, function(number, label))
            }
            Some(Button::Service(service)) => {
                let url = view.expand(&service.url);
                ("Disabled".into(), &*service.name, service_function(&url, &service.name))
            }
            None => ("Disabled".into(), "", String::new()),
        };
        file.numbered("Extension_", index, &extension);
        file.numbered("Short_Name_", index, label);
        file.numbered("Extended_Function_", index, &function);
    }
}

/// What a key does, as `fnc=sd;ext=2001@$PROXY;nme=Reception`.
fn function(number: &str, label: &str) -> String {
    let mut text = String::with_capacity(48 + number.len() + label.len());
    for part in ["fnc=sd;ext=", number, "@$PROXY;nme="] {
        text.push_str(part);
    }
    text.extend(label.chars().filter(|c| *c != ';'));
    text
}

fn service_function(url: &str, label: &str) -> String {
    let mut text = String::from("fnc=xml;url=");
    text.push_str(url);
    text.push_str(";nme=");
    text.extend(label.chars().filter(|c| *c != ';'));
    text
}

/// The phone has room for one page in its menu: a newcomer's is self-provisioning.
fn services(file: &mut Writer, view: &View<'_>) {
    let (name, url) = view.services().into_iter().next().unwrap_or_default();
    file.element("XML_Application_Service_Name", name);
    file.element("XML_Application_Service_URL", &url);
}

fn yes(value: bool) -> &'static str {
    if value { "Yes" } else { "No" }
}
