//! `SEP<MAC>.cnf.xml`, the file of enterprise phones. The phone takes the whole file at once, so
//! what is left out goes back to the firmware's own default. It authenticates as its device's
//! name on every line and registers only the first.

use jackfield_model::{
    BusyLampField, EffectiveLine, Node, SecurityMode, SignalTransport, SipProfile, SpeedDial,
};

use crate::Context;
use crate::name::{DIAL_PLAN, SOFTKEYS};
use crate::view::{Button, View};
use crate::writer::Writer;

/// Renders the file.
pub(crate) fn render(view: &View<'_>) -> Vec<u8> {
    let mut file = Writer::with_capacity(16 * 1024);
    let file = &mut file;
    file.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<device>\n");
    file.raw("<fullConfig>true</fullConfig>\n<deviceProtocol>SIP</deviceProtocol>\n");
    file.raw("<ipAddressMode>2</ipAddressMode>\n<allowAutoConfig>true</allowAutoConfig>\n");
    file.raw("<ipPreferenceModeControl>0</ipPreferenceModeControl>\n");
    file.raw("<sshUserId></sshUserId>\n<sshPassword></sshPassword>\n");
    device_pool(file, view);
    sip_profile(file, view);
    vendor(file, view);
    file.raw("<versionStamp>");
    let stamp = file.stamp_room();
    file.raw("</versionStamp>\n");
    languages(file, view);
    security(file, view);
    addresses(file, view);
    services(file, view);
    file.raw("</device>\n");
    file.stamp(stamp);
    core::mem::replace(file, Writer::with_capacity(0)).into_body()
}

fn device_pool(file: &mut Writer, view: &View<'_>) {
    file.raw("<devicePool>\n").element("name", &view.device.device_pool.name);
    file.raw("<dateTimeSetting>\n");
    if let Some(clock) = view.clock {
        file.element("name", &clock.name);
        file.raw("<dateTemplate>").text(&clock.date_form);
        // An `A` at the end is the clock of 12 hours.
        file.raw(if clock.hours_24 { "</dateTemplate>\n" } else { "A</dateTemplate>\n" });
    }
    let zone = view.time_zone();
    file.element("timeZone", zone.name).element("olsonTimeZone", zone.iana);
    file.raw("<ntps>\n");
    for server in view.clock.iter().flat_map(|clock| clock.ntp_servers.iter()) {
        file.raw("<ntp>\n").element("name", server).element("ntpMode", "unicast");
        file.raw("</ntp>\n");
    }
    file.raw("</ntps>\n</dateTimeSetting>\n");
    call_manager_group(file, &view.nodes, view.context);
    file.raw("<srstInfo uuid=\"\">\n<name>Disable</name>\n<srstOption>Disable</srstOption>\n");
    file.raw("<userModifiable>false</userModifiable>\n<isSecure>false</isSecure>\n</srstInfo>\n");
    file.raw(
        "<mlppDomainId>-1</mlppDomainId>\n<mlppIndicationStatus>Default</mlppIndicationStatus>\n",
    );
    file.raw("<preemption>Default</preemption>\n<connectionMonitorDuration>120</connectionMonitorDuration>\n");
    file.raw("</devicePool>\n");
}

/// Writes the nodes that serve a phone, as this file and `XMLDefault.cnf.xml` name them.
pub(crate) fn call_manager_group(file: &mut Writer, nodes: &[&Node], context: &Context<'_>) {
    file.raw("<callManagerGroup>\n<members>\n");
    for (priority, node) in (0_u32..).zip(nodes) {
        file.raw("<member priority=\"").number(priority).raw("\">\n<callManager>\n");
        file.element("name", &node.name).element("description", &node.description);
        file.raw("<ports>\n<ethernetPhonePort>2000</ethernetPhonePort>\n");
        file.number_element("sipPort", context.sip_ports.of(node));
        file.number_element("securedSipPort", Node::SECURE_SIP_PORT);
        file.raw("<mgcpPorts>\n<listen>2427</listen>\n<keepAlive>2428</keepAlive>\n</mgcpPorts>\n");
        file.raw("</ports>\n").element("processNodeName", &node.address);
        file.raw("</callManager>\n</member>\n");
    }
    file.raw("</members>\n</callManagerGroup>\n");
}

fn sip_profile(file: &mut Writer, view: &View<'_>) {
    file.raw("<sipProfile>\n<sipProxies>\n<backupProxy></backupProxy>\n");
    file.raw("<backupProxyPort></backupProxyPort>\n<emergencyProxy></emergencyProxy>\n");
    file.raw("<emergencyProxyPort></emergencyProxyPort>\n<outboundProxy></outboundProxy>\n");
    file.raw("<outboundProxyPort></outboundProxyPort>\n");
    file.raw("<registerWithProxy>true</registerWithProxy>\n</sipProxies>\n");
    file.raw(CALL_FEATURES);
    if let Some(profile) = &view.device.sip {
        sip_stack(file, profile);
        file.number_element("dtmfAvtPayload", profile.dtmf_payload_type);
        file.number_element("startMediaPort", profile.first_media_port);
        file.number_element("stopMediaPort", profile.last_media_port);
    }
    file.raw(SIP_SETTINGS);
    let label = view.device.lines.first().map_or(view.name(), EffectiveLine::number);
    file.element("phoneLabel", label);
    file.raw("<natEnabled>false</natEnabled>\n<natAddress></natAddress>\n");
    file.number_element(
        "voipControlPort",
        view.device.security.as_ref().map_or(5060, |profile| profile.phone_port),
    );
    file.raw("<sipLines>\n");
    for (index, button) in (1_u32..).zip(view.buttons()) {
        write_button(file, view, index, button);
    }
    file.raw("</sipLines>\n").element("dialTemplate", DIAL_PLAN);
    file.raw("<softKeyFile>").text(view.name()).raw(SOFTKEYS);
    file.raw("</softKeyFile>\n</sipProfile>\n");
}

fn sip_stack(file: &mut Writer, profile: &SipProfile) {
    file.raw("<sipStack>\n<sipInviteRetx>6</sipInviteRetx>\n<sipRetx>10</sipRetx>\n");
    file.raw("<timerInviteExpires>180</timerInviteExpires>\n");
    file.number_element("timerRegisterExpires", profile.registration_seconds);
    file.raw("<timerRegisterDelta>5</timerRegisterDelta>\n");
    file.raw("<timerKeepAliveExpires>120</timerKeepAliveExpires>\n");
    file.raw("<timerSubscribeExpires>120</timerSubscribeExpires>\n");
    file.raw("<timerSubscribeDelta>5</timerSubscribeDelta>\n");
    file.number_element("timerT1", profile.timer_t1_ms);
    file.number_element("timerT2", profile.timer_t2_ms);
    file.raw("<maxRedirects>70</maxRedirects>\n<remotePartyID>true</remotePartyID>\n");
    file.raw("<userInfo>None</userInfo>\n</sipStack>\n");
}

fn write_button(file: &mut Writer, view: &View<'_>, index: u32, button: Button<'_>) {
    file.raw("<line button=\"").number(index);
    match button {
        Button::Line(line) => {
            file.raw("\" lineIndex=\"").number(line.index).raw("\">\n");
            write_line(file, view, line);
        }
        Button::SpeedDial(SpeedDial { number, label: text })
        // Nobody can tell a phone of another's state yet, so that a lamp is a speed dial.
        | Button::BusyLampField(BusyLampField { number, label: text }) => {
            file.raw("\">\n<featureID>2</featureID>\n");
            file.element("featureLabel", label(text, number));
            file.element("speedDialNumber", number);
        }
        Button::Service(service) => {
            file.raw("\">\n<featureID>20</featureID>\n").element("featureLabel", &service.name);
            file.element("serviceURI", &view.expand(&service.url));
        }
    }
    file.raw("</line>\n");
}

fn write_line(file: &mut Writer, view: &View<'_>, line: &EffectiveLine) {
    let number = line.number();
    file.raw("<featureID>9</featureID>\n").element("featureLabel", &line.label);
    file.raw("<proxy>USECALLMANAGER</proxy>\n").number_element("port", view.port());
    file.element("name", number).element("displayName", &line.display);
    file.raw("<autoAnswer>\n<autoAnswerEnabled>0</autoAnswerEnabled>\n</autoAnswer>\n");
    file.raw("<callWaiting>3</callWaiting>\n").element("authName", view.name());
    file.element("authPassword", view.password().unwrap_or_default());
    let shared = view.directory.is_shared(line.id.id());
    file.element("sharedLine", if shared { "true" } else { "false" });
    file.raw("<messageWaitingLampPolicy>1</messageWaitingLampPolicy>\n");
    file.raw("<messageWaitingAMWI>0</messageWaitingAMWI>\n");
    file.element("messagesNumber", view.voicemail(line));
    file.raw("<ringSettingIdle>4</ringSettingIdle>\n<ringSettingActive>5</ringSettingActive>\n");
    file.element("contact", number).raw(FORWARD_DISPLAY);
    file.number_element("maxNumCalls", line.maximum_calls);
    file.number_element("busyTrigger", line.busy_trigger);
}

/// A label that is not there is the number.
fn label<'a>(label: &'a str, number: &'a str) -> &'a str {
    if label.is_empty() { number } else { label }
}

fn vendor(file: &mut Writer, view: &View<'_>) {
    let profile = view.device.common_phone_profile.as_deref();
    // These switches are off when they say 1, all but the settings menu.
    let off = |on: bool| if on { "0" } else { "1" };
    file.raw("<commonProfile>\n<phonePassword></phonePassword>\n");
    file.raw("<backgroundImageAccess>true</backgroundImageAccess>\n<callLogBlfEnabled>2</callLogBlfEnabled>\n");
    file.raw("</commonProfile>\n<loadInformation></loadInformation>\n<vendorConfig>\n");
    file.raw("<disableSpeaker>false</disableSpeaker>\n");
    file.raw("<disableSpeakerAndHeadset>false</disableSpeakerAndHeadset>\n");
    file.element("pcPort", off(profile.is_none_or(|profile| profile.pc_port)));
    let settings = profile.is_none_or(|profile| profile.settings_access);
    file.element("settingsAccess", if settings { "1" } else { "0" });
    file.element("webAccess", off(profile.is_some_and(|profile| profile.web_access)));
    file.raw(VENDOR_SETTINGS).raw("</vendorConfig>\n");
}

fn languages(file: &mut Writer, view: &View<'_>) {
    let locale = view.locale;
    file.raw("<userLocale>\n").element("name", locale.user).raw("<uid></uid>\n");
    file.element("langCode", locale.code).raw("<version></version>\n");
    file.element("winCharSet", locale.characters).raw("</userLocale>\n");
    file.element("networkLocale", locale.network);
    file.raw("<networkLocaleInfo>\n").element("name", locale.network);
    file.raw("<uid></uid>\n<version></version>\n</networkLocaleInfo>\n");
}

/// The security profile is kept as it is, whatever provisioned the phone.
fn security(file: &mut Writer, view: &View<'_>) {
    file.element(
        "deviceSecurityMode",
        match view.device.security_mode() {
            SecurityMode::NonSecure => "1",
            SecurityMode::Authenticated => "2",
            SecurityMode::Encrypted => "3",
        },
    );
    file.element(
        "transportLayerProtocol",
        match view.device.transport() {
            SignalTransport::Tcp => "1",
            SignalTransport::Udp => "2",
            SignalTransport::Tls => "3",
        },
    );
    file.raw("<capfAuthMode>0</capfAuthMode>\n<capfList></capfList>\n<certHash></certHash>\n");
    file.raw("<encrConfig>false</encrConfig>\n<singleButtonBarge>0</singleButtonBarge>\n");
}

fn addresses(file: &mut Writer, view: &View<'_>) {
    file.raw("<idleTimeout>").number(if view.device.auto_registered { 10_u32 } else { 0 });
    file.raw("</idleTimeout>\n<authenticationURL></authenticationURL>\n");
    file.raw("<directoryURL></directoryURL>\n");
    let idle =
        if view.device.auto_registered { view.self_provisioning_url() } else { String::new() };
    file.element("idleURL", &idle);
    file.raw("<informationURL></informationURL>\n<messagesURL></messagesURL>\n");
    file.raw("<proxyServerURL></proxyServerURL>\n<servicesURL></servicesURL>\n");
    file.raw("<secureAuthenticationURL></secureAuthenticationURL>\n");
    file.raw("<secureDirectoryURL></secureDirectoryURL>\n<secureIdleURL></secureIdleURL>\n");
    file.raw("<secureInformationURL></secureInformationURL>\n");
    file.raw("<secureMessagesURL></secureMessagesURL>\n");
    file.raw("<secureServicesURL></secureServicesURL>\n");
}

fn services(file: &mut Writer, view: &View<'_>) {
    file.raw("<phoneServices useHTTPS=\"false\">\n<provisioning>0</provisioning>\n");
    for (name, url) in view.services() {
        service(file, name, &url);
    }
    file.raw("</phoneServices>\n");
}

fn service(file: &mut Writer, name: &str, url: &str) {
    file.raw("<phoneService type=\"0\" category=\"0\">\n").element("name", name);
    file.element("url", url).raw("<vendor></vendor>\n<version></version>\n</phoneService>\n");
}

/// What the phone offers in calls. By the service URIs it would ask the server for features that are not
/// there yet.
const CALL_FEATURES: &str = "<sipCallFeatures>
<cnfJoinEnabled>false</cnfJoinEnabled>
<callForwardURI></callForwardURI>
<callPickupURI></callPickupURI>
<callPickupListURI></callPickupListURI>
<callPickupGroupURI></callPickupGroupURI>
<meetMeServiceURI></meetMeServiceURI>
<abbreviatedDialURI></abbreviatedDialURI>
<rfc2543Hold>false</rfc2543Hold>
<callHoldRingback>2</callHoldRingback>
<localCfwdEnable>false</localCfwdEnable>
<semiAttendedTransfer>false</semiAttendedTransfer>
<anonymousCallBlock>2</anonymousCallBlock>
<callerIdBlocking>2</callerIdBlocking>
<dndControl>0</dndControl>
<remoteCcEnable>true</remoteCcEnable>
<retainForwardInformation>false</retainForwardInformation>
<uriDialingDisplayPreference>1</uriDialingDisplayPreference>
</sipCallFeatures>
";

/// Digits go out as events of RFC 4733; dialled digits one by one (KPML), so that the server
/// decides when a number is complete.
const SIP_SETTINGS: &str = "<autoAnswerTimer>1</autoAnswerTimer>
<autoAnswerAltBehavior>false</autoAnswerAltBehavior>
<autoAnswerOverride>true</autoAnswerOverride>
<transferOnhookEnabled>false</transferOnhookEnabled>
<enableVad>false</enableVad>
<preferredCodec>none</preferredCodec>
<dtmfDbLevel>3</dtmfDbLevel>
<dtmfOutofBand>avt</dtmfOutofBand>
<kpml>3</kpml>
<alwaysUsePrimeLine>false</alwaysUsePrimeLine>
<alwaysUsePrimeLineVoiceMail>false</alwaysUsePrimeLineVoiceMail>
<stutterMsgWaiting>1</stutterMsgWaiting>
<callStats>true</callStats>
<offhookToFirstDigitTimer>15000</offhookToFirstDigitTimer>
<silentPeriodBetweenCallWaitingBursts>10</silentPeriodBetweenCallWaitingBursts>
<disableLocalSpeedDialConfig>true</disableLocalSpeedDialConfig>
<poundEndDial>false</poundEndDial>
<dscpForAudio>184</dscpForAudio>
<ringSettingBusyStationPolicy>0</ringSettingBusyStationPolicy>
";

/// Which parts of a forwarded call's history the phone shows.
const FORWARD_DISPLAY: &str = "<forwardCallInfoDisplay>
<callerName>true</callerName>
<callerNumber>false</callerNumber>
<redirectedNumber>false</redirectedNumber>
<dialedNumber>true</dialedNumber>
</forwardCallInfoDisplay>
";

/// Doors that stay shut, softkeys by the file that is named, and what nobody asked to change. Firmware
/// generations write the switch of the softkeys in either way.
const VENDOR_SETTINGS: &str = "<sshAccess>1</sshAccess>
<sshPort>22</sshPort>
<garp>0</garp>
<voiceVlanAccess>0</voiceVlanAccess>
<videoCapability>0</videoCapability>
<autoSelectLineEnable>0</autoSelectLineEnable>
<daysDisplayNotActive></daysDisplayNotActive>
<displayOnTime></displayOnTime>
<displayOnDuration></displayOnDuration>
<displayIdleTimeout></displayIdleTimeout>
<displayOnWhenIncomingCall>1</displayOnWhenIncomingCall>
<loggingDisplay>1</loggingDisplay>
<loadServer></loadServer>
<recordingTone>0</recordingTone>
<recordingToneLocalVolume>100</recordingToneLocalVolume>
<recordingToneRemoteVolume>50</recordingToneRemoteVolume>
<moreKeyReversionTimer>5</moreKeyReversionTimer>
<autoCallSelect>1</autoCallSelect>
<g722CodecSupport>0</g722CodecSupport>
<headsetWidebandUIControl>0</headsetWidebandUIControl>
<headsetWidebandEnable>0</headsetWidebandEnable>
<lldpAssetId></lldpAssetId>
<powerPriority>0</powerPriority>
<detectCMConnectionFailure>0</detectCMConnectionFailure>
<peerFirmwareSharing>1</peerFirmwareSharing>
<enableCdpSwPort>1</enableCdpSwPort>
<enableCdpPcPort>1</enableCdpPcPort>
<enableLldpSwPort>1</enableLldpSwPort>
<enableLldpPcPort>1</enableLldpPcPort>
<spanToPCPort>1</spanToPCPort>
<usb1>1</usb1>
<usb2>1</usb2>
<usbClasses>0,1,2</usbClasses>
<softKeyControl>1</softKeyControl>
<softkeyControl>1</softkeyControl>
";
