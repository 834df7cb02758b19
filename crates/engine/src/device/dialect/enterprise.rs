//! Enterprise firmware: `service-control`, remote-cc.

use jackfield_sip::Method;
use jackfield_vocabulary::DeviceRestart;

use super::Notice;
use crate::device::binding::Registered;

/// `service-control`: the Call-ID must be that of the phone's registration, else it does nothing.
pub(super) fn restart(registered: &Registered, restart: DeviceRestart) -> Notice {
    let action = match restart {
        DeviceRestart::Restart => "restart",
        DeviceRestart::Reset => "reset",
        // Stamps of zeros differ from those of every file, so the phone reads its files again.
        DeviceRestart::Resync => "check-version",
    };
    let body = format!(
        "action={action}\r\n\
         RegisterCallId={{{}}}\r\n\
         ConfigVersionStamp={{{NO_STAMP}}}\r\n\
         DialplanVersionStamp={{{NO_STAMP}}}\r\n\
         SoftkeyVersionStamp={{{NO_STAMP}}}\r\n\
         FeatureControlVersionStamp={{{NO_STAMP}}}\r\n",
        registered.call_id
    );
    let mut notice = Notice::event("service-control");
    notice.body = Some(("text/plain".into(), body.into()));
    notice
}

/// A line of text in the status line, by remote-cc.
pub(super) fn show_text(text: &str) -> Notice {
    let text = escaped(text);
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
         <x-cisco-remotecc-request><statuslineupdatereq><action>notify_display</action>\
         <dialogid><callid></callid><localtag></localtag><remotetag></remotetag></dialogid>\
         <statustext>{text}</statustext><displaytimeout>10</displaytimeout>\
         <linenumber>0</linenumber><priority>1</priority>\
         </statuslineupdatereq></x-cisco-remotecc-request>"
    );
    Notice {
        method: Method::Refer,
        headers: vec![
            ("Refer-To".into(), "<cid:text@jackfield>".into()),
            ("Content-Id".into(), "<text@jackfield>".into()),
            ("Require".into(), "norefersub".into()),
        ],
        body: Some(("application/x-cisco-remotecc-request+xml".into(), body.into())),
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// What a phone may ask of us beyond RFC 3261.
pub(super) const OPTIONS: (&str, &str) = (
    "application/x-cisco-remotecc-response+xml",
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
     <x-cisco-remotecc-response><response><code>200</code>\
     <optionsind><combine max=\"6\"><remotecc><status></status></remotecc>\
     <service-control></service-control></combine></optionsind>\
     </response></x-cisco-remotecc-response>",
);

const NO_STAMP: &str = "0000000000000000";
