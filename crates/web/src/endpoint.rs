//! The one table of endpoints: who may, what goes in, what comes out. The router, the check of
//! privileges and the OpenAPI document are made from it.

use core::future::Future;
use core::pin::Pin;
use std::sync::LazyLock;

use axum::http::Method;
use jackfield_model::{Kind, Privilege};

use crate::call::{Answer, Call};
use crate::fault::Fault;
use crate::{api, object};

/// One endpoint.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    /// Below `/api/v1`.
    pub(crate) path: String,
    pub(crate) needs: Needs,
    pub(crate) summary: String,
    pub(crate) tag: &'static str,
    pub(crate) kind: Option<Kind>,
    /// Parameters of the query: name and what it does.
    pub(crate) query: &'static [(&'static str, &'static str)],
    pub(crate) body: Shape,
    pub(crate) answer: Shape,
    /// What it does, as the audit calls it.
    pub(crate) deed: &'static str,
    pub(crate) run: Run,
}

impl Endpoint {
    /// One whose method does not tell what it does.
    fn does(self, deed: &'static str) -> Self {
        Self { deed, ..self }
    }
}

/// Who may use an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Anybody.
    Nothing,
    /// Who is signed in.
    Account,
    /// Who has this privilege.
    Privilege(Privilege),
    /// Who has this privilege, or asks about the own account, which the path names.
    Own(Privilege),
}

/// What a body is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// There is none.
    Nothing,
    /// An object of a kind, as written.
    Object(Kind),
    /// An object of a kind, as shown.
    Shown(Kind),
    /// A page of objects of a kind.
    Page(Kind),
    /// As this JSON Schema says.
    Schema(&'static str),
}

/// A handler.
pub(crate) type Run = fn(Call) -> Pin<Box<dyn Future<Output = Result<Answer, Fault>> + Send>>;

/// Every endpoint.
pub(crate) fn endpoints() -> &'static [Endpoint] {
    static ENDPOINTS: LazyLock<Vec<Endpoint>> = LazyLock::new(|| {
        let mut endpoints = fixed();
        for kind in Kind::ALL {
            endpoints.extend(if kind.is_singleton() { single(*kind) } else { of_kind(*kind) });
        }
        endpoints
    });
    &ENDPOINTS
}

macro_rules! run {
    ($handler:path) => {
        |call| Box::pin($handler(call))
    };
}

const PAGE: &str = r#"{"type":"object","properties":{"items":{"type":"array","items":{"type":"object"}},"next":{"type":["string","integer","null"]}}}"#;
const ITEMS: &str =
    r#"{"type":"object","properties":{"items":{"type":"array","items":{"type":"object"}}}}"#;
const ANY: &str = r#"{"type":"object"}"#;
const ACCOUNT: &str = r#"{"type":"object","description":"What is entered in a phone that reads no files.","properties":{"server":{"type":["string","null"]},"user":{"type":["string","null"]},"auth_user":{"type":["string","null"]},"password":{"type":"string"}}}"#;
const EMPTY: &str = r#"{"type":"object","additionalProperties":false}"#;

/// The endpoints that are no objects of configuration.
#[rustfmt::skip]
fn fixed() -> Vec<Endpoint> {
    use Needs::{Account, Nothing as Anybody, Own};
    use Privilege::{
        Backup, ChangeConfiguration, ManageCredentials, OperateServices, ReadAudit,
        ReadConfiguration,
    };
    use Shape::{Nothing, Schema};
    let may = Needs::Privilege;
    vec![
        row("POST", "/sessions", Anybody, "sessions", "Sign in", &[],
            Schema(r#"{"type":"object","required":["user_id","password"],"properties":{"user_id":{"type":"string"},"password":{"type":"string","format":"password"},"label":{"type":"string","maxLength":128},"hours":{"type":"integer","minimum":1,"maximum":8760}}}"#),
            Schema(r#"{"type":"object","properties":{"token":{"type":"string"},"expires":{"type":"integer"},"must_change_password":{"type":"boolean"}}}"#),
            run!(api::session::sign_in)),
        row("GET", "/sessions/current", Account, "sessions", "Who is signed in, and what they may", &[],
            Nothing, Schema(ANY), run!(api::session::current)),
        row("DELETE", "/sessions/current", Account, "sessions", "Sign out", &[],
            Nothing, Nothing, run!(api::session::sign_out)),
        row("GET", "/sessions", Account, "sessions", "The own tokens that are good", &[],
            Nothing, Schema(ITEMS), run!(api::session::tokens)),
        row("DELETE", "/sessions/{name}", Account, "sessions", "End one of the own tokens by its id", &[],
            Nothing, Nothing, run!(api::session::revoke)),

        row("PUT", "/users/{name}/password", Own(ManageCredentials), "credentials", "Set the password of an end user or application user", &[],
            Schema(r#"{"type":"object","required":["password"],"properties":{"password":{"type":"string","format":"password"}}}"#),
            Nothing, run!(api::credential::password)).does("set-credential"),
        row("PUT", "/users/{name}/pin", Own(ManageCredentials), "credentials", "Set the PIN of an end user", &[],
            Schema(r#"{"type":"object","required":["pin"],"properties":{"pin":{"type":"string","format":"password"}}}"#),
            Nothing, run!(api::credential::pin)).does("set-credential"),
        row("GET", "/users/{name}/credentials", Own(ManageCredentials), "credentials", "Which credentials are set, and whether they are locked", &[],
            Nothing, Schema(ANY), run!(api::credential::state)),
        row("POST", "/users/{name}/unlock", may(ManageCredentials), "credentials", "Unlock an account after too many failures", &[],
            Schema(EMPTY), Nothing, run!(api::credential::unlock)).does("unlock"),

        row("GET", "/locks", may(ReadConfiguration), "credentials", "The accounts that are locked after too many failures, or shut to some source, and until when", &[],
            Nothing,
            Schema(r#"{"type":"object","properties":{"items":{"type":"array","items":{"type":"object","properties":{"account":{"type":"object"},"credential":{"enum":["password","pin","code"]},"source":{"type":["string","null"]},"until":{"type":["integer","null"],"description":"None until somebody unlocks it."},"remedy":{"type":"string"}}}}}}"#),
            run!(api::credential::locks)),

        row("GET", "/self-provisioning/status", may(ReadConfiguration), "self-provisioning", "Ready, or what is off (SP-20)", &[],
            Nothing, Schema(ANY), run!(api::self_provisioning::status)),
        row("GET", "/self-provisioning/settings", may(ReadConfiguration), "self-provisioning", "The settings with the texts of their page (SP-21, SP-22)", &[],
            Nothing, Schema(ANY), run!(api::self_provisioning::settings)),
        row("PUT", "/self-provisioning/settings", may(ChangeConfiguration), "self-provisioning", "Save settings; `restart` answers the question that a change of route point or application user asks (SP-23)", &[],
            Schema(r#"{"type":"object","required":["settings"],"properties":{"settings":{"type":"object"},"restart":{"enum":["now","later"]}}}"#),
            Schema(ANY), run!(api::self_provisioning::save)),
        row("PUT", "/self-provisioning/code", may(ManageCredentials), "self-provisioning", "Set the authentication code; it can't be read back (SP-04)", &[],
            Schema(r#"{"type":"object","required":["code"],"properties":{"code":{"type":"string","format":"password"}}}"#),
            Schema(r#"{"type":"object","properties":{"warnings":{"type":"array","items":{"type":"string"}}}}"#),
            run!(api::self_provisioning::set_code)).does("set-credential"),
        row("DELETE", "/self-provisioning/code", may(ManageCredentials), "self-provisioning", "Remove the authentication code", &[],
            Nothing, Nothing, run!(api::self_provisioning::remove_code)).does("set-credential"),

        row("GET", "/setup", may(ReadConfiguration), "setup", "What is done and what is missing until phones provision themselves (SP-54, SP-59)", &[],
            Nothing, Schema(ANY), run!(api::setup::setup)),
        row("GET", "/alarms", may(ReadConfiguration), "setup", "The alarms that this node raised last since its start, newest first, and what to do", &[],
            Nothing,
            Schema(r#"{"type":"object","properties":{"items":{"type":"array","items":{"type":"object","properties":{"at":{"type":"integer"},"name":{"type":"string"},"values":{"type":"object"},"message":{"type":"string"},"remedy":{"type":["string","null"]}}}}}}"#),
            run!(api::alarm::list)),
        row("GET", "/status", may(ReadConfiguration), "setup", "What is going on", &[],
            Nothing, Schema(ANY), run!(api::status::status)),

        row("GET", "/services", may(ReadConfiguration), "services", "Services of the nodes: activated, running, in service", &[],
            Nothing, Schema(ITEMS), run!(api::service::list)),
        row("POST", "/services/{name}/{action}", may(OperateServices), "services", "activate, deactivate, start, stop or restart a service", &[],
            Schema(r#"{"type":"object","properties":{"node":{"type":["string","null"]}}}"#),
            Schema(ANY), run!(api::service::act)).does("service"),

        row("GET", "/devices/{name}", may(ReadConfiguration), "phones", "What is known of a device at this moment", &[],
            Nothing, Schema(ANY), run!(api::phone::state)),
        row("POST", "/phones/{name}/restart", may(OperateServices), "phones", "Tell a phone to restart", &[],
            Schema(r#"{"type":"object","properties":{"restart":{"enum":["restart","reset","resync"]}}}"#),
            Nothing, run!(api::phone::restart)).does("restart"),
        row("POST", "/phones/{name}/text", may(OperateServices), "phones", "Show a text on a phone", &[],
            Schema(r#"{"type":"object","required":["text"],"properties":{"text":{"type":"string","maxLength":128}}}"#),
            Nothing, run!(api::phone::text)).does("text"),
        row("POST", "/phones/{name}/assign", may(ChangeConfiguration), "phones", "Make a phone a user's own, as self-provisioning does", &[],
            Schema(r#"{"type":"object","required":["user"],"properties":{"user":{"type":"string"}}}"#),
            Schema(ANY), run!(api::phone::assign)).does("assign"),
        row("POST", "/phones/{name}/unassign", may(ChangeConfiguration), "phones", "Take a phone from its owner; it is open for self-provisioning again", &[],
            Schema(EMPTY), Schema(ANY), run!(api::phone::unassign)).does("unassign"),
        row("POST", "/phones/{name}/replace", may(ChangeConfiguration), "phones", "Put a new phone in the place of this one", &[],
            Schema(r#"{"type":"object","required":["new"],"properties":{"new":{"type":"string"}}}"#),
            Schema(ANY), run!(api::phone::replace)).does("replace-phone"),
        row("POST", "/phones/{name}/secret", may(ManageCredentials), "phones", "Give a phone a new secret, and tell it this once: its registration ends with the old one", &[],
            Schema(EMPTY), Schema(ACCOUNT), run!(api::phone::rotate_secret)).does("rotate-device-secret"),
        row("POST", "/phones/{name}/window", may(ChangeConfiguration), "phones", "For a few minutes, let the phone fetch its file with secrets from this address or network, or else from where it was last", &[],
            Schema(r#"{"type":"object","properties":{"minutes":{"type":"integer","minimum":1,"maximum":60},"address":{"type":"string","description":"IP address, or network as in 192.0.2.0/24; not all there is"}}}"#),
            Schema(r#"{"type":"object","properties":{"addresses":{"type":"array","items":{"type":"string"}},"minutes":{"type":"integer"},"warnings":{"type":"array","items":{"type":"string"}}}}"#),
            run!(api::window::open)).does("window"),
        row("DELETE", "/phones/{name}/window", may(ChangeConfiguration), "phones", "Close the window of a phone at once", &[],
            Nothing, Nothing, run!(api::window::close)).does("window"),
        row("GET", "/windows", may(ReadConfiguration), "phones", "The windows that are open: for which phone, from where, and until when",
            &[("limit", "At most so many, 1 to 1000; the first to close come first")],
            Nothing,
            Schema(r#"{"type":"object","properties":{"items":{"type":"array","items":{"type":"object","properties":{"phone":{"type":"object"},"addresses":{"type":"array","items":{"type":"string"}},"until":{"type":"integer"}}}},"total":{"type":"integer"}}}"#),
            run!(api::window::list)),
        row("POST", "/quick-add", may(ChangeConfiguration), "users", "A new user with an extension, ready to self-provision (SP-50)", &[],
            Schema(r#"{"type":"object","required":["user","feature_group_template","extension"],"properties":{"user":{"type":"object"},"feature_group_template":{},"extension":{"type":"string"},"pin":{"type":"string","format":"password","description":"Made up and told this once when left out."},"password":{"type":"string","format":"password"}}}"#),
            Schema(ANY), run!(api::quick_add::quick_add)).does("quick-add"),
        row("POST", "/import/auto-registration", may(ChangeConfiguration), "import", "Take over auto-registration of older exports, where its values stood on the nodes: each node gets a pair of templates that keep them (SP-45)", &[],
            Schema(r#"{"type":"object","required":["nodes"],"properties":{"nodes":{"type":"array","items":{"type":"object","required":["node","disabled","starting_number","ending_number"],"properties":{"node":{"type":"string"},"disabled":{"type":"boolean"},"starting_number":{"type":"string"},"ending_number":{"type":"string"},"partition":{"type":"string"},"external_mask":{"type":"string"}},"additionalProperties":false}}}}"#),
            Schema(ITEMS), run!(api::import::auto_registration)).does("import-auto-registration"),

        row("POST", "/quick-remove", may(ChangeConfiguration), "users", "Remove a user who leaves: phones wait for their next owner, the extension goes unless somebody else has it, too", &[],
            Schema(r#"{"type":"object","required":["user"],"properties":{"user":{"type":"string"}}}"#),
            Schema(r#"{"type":"object","properties":{"user":{"type":["string","null"]},"extension":{"type":["string","null"]},"extension_kept":{"type":"boolean"},"phones":{"type":"array","items":{"type":"object"}}}}"#),
            run!(api::phone::quick_remove)).does("quick-remove"),

        row("GET", "/explain/phone/{name}", may(ReadConfiguration), "explain", "Why can't this phone …?", &[],
            Nothing, Schema(ANY), run!(api::explain::phone)),
        row("GET", "/explain/user/{name}", may(ReadConfiguration), "explain", "Why can't this user …?",
            &[("phone", "Judge for this phone")],
            Nothing, Schema(ANY), run!(api::explain::user)),

        row("GET", "/audit", may(ReadAudit), "audit", "Who changed what, newest first",
            &[("limit", "At most so many, 1 to 1000"), ("cursor", "`next` of the page before"), ("actor", "Only by this user, device or application"), ("operation", "Only these, as in `assign`"), ("object", "Only of the object with this id"), ("name", "Only of objects that have, or had once, this name"), ("failed", "`true`: only what was refused"), ("from", "Not earlier, in milliseconds since 1970"), ("until", "Earlier, in milliseconds since 1970")],
            Nothing, Schema(PAGE), run!(api::audit::audit)),
        row("GET", "/calls", may(ReadAudit), "audit", "Finished calls, newest first",
            &[("limit", "At most so many, 1 to 1000"), ("cursor", "`next` of the page before"), ("number", "Only from or to this number"), ("from", "Begun not earlier, in milliseconds since 1970"), ("until", "Begun earlier, in milliseconds since 1970")],
            Nothing, Schema(PAGE), run!(api::audit::calls)),

        row("GET", "/jobs", may(ReadConfiguration), "jobs", "What takes longer than a request, on this node since its start", &[],
            Nothing, Schema(ITEMS), run!(api::job::jobs)),
        row("GET", "/jobs/{name}", may(ReadConfiguration), "jobs", "How far a job is", &[],
            Nothing, Schema(CHANGED), run!(api::job::job)),
        row("GET", "/languages", may(ReadConfiguration), "languages", "Installed language packs (SP-13)", &[],
            Nothing, Schema(ITEMS), run!(api::status::languages)),
        row("POST", "/languages/rescan", may(OperateServices), "languages", "Look for language packs that were added or removed (SP-14)", &[],
            Schema(EMPTY), Schema(ITEMS), run!(api::status::rescan)).does("rescan"),
        row("POST", "/backup", may(Backup), "backup", "Write a backup into the node's backup folder", &[],
            Schema(r#"{"type":"object","properties":{"passphrase":{"type":"string","format":"password"}}}"#),
            Schema(ANY), run!(api::status::backup)).does("backup"),

        row("GET", "/schemas", Account, "schemas", "The kinds of objects", &[],
            Nothing, Schema(ITEMS), run!(api::schema::kinds)),
        row("GET", "/schemas/{name}", Account, "schemas", "The JSON Schema of a kind", &[],
            Nothing, Schema(ANY), run!(api::schema::schema)),
        row("GET", "/openapi.json", Anybody, "schemas", "This document", &[],
            Nothing, Schema(ANY), run!(api::schema::openapi)),
    ]
}

/// What every kind of which there are many has.
fn of_kind(kind: Kind) -> Vec<Endpoint> {
    let (name, plural) = (kind.name().replace('-', " "), kind.plural());
    let (many, one) = (format!("/{plural}"), format!("/{plural}/{{name}}"));
    let read = Needs::Privilege(Privilege::ReadConfiguration);
    let change = Needs::Privilege(Privilege::ChangeConfiguration);
    let (page, shown, object) = (Shape::Page(kind), Shape::Shown(kind), Shape::Object(kind));
    let none = Shape::Nothing;
    let make = |method, path: &str, needs, summary: String, query, body, answer, run| {
        let row = row(method, path, needs, plural, &summary, query, body, answer, run);
        Endpoint { kind: Some(kind), ..row }
    };
    vec![
        make(
            "GET",
            &many,
            read,
            format!("List: {name}"),
            list_of(kind),
            none,
            page,
            run!(object::list),
        ),
        make(
            "POST",
            &many,
            change,
            format!("Make: {name}"),
            &[],
            object,
            shown,
            run!(object::create),
        ),
        make(
            "PATCH",
            &many,
            change,
            format!("Change fields of many, all or none: {name}"),
            MANY,
            object,
            Shape::Schema(CHANGED),
            run!(object::change_many),
        ),
        make(
            "DELETE",
            &many,
            change,
            format!("Delete many, all or none: {name}"),
            MANY,
            none,
            Shape::Schema(CHANGED),
            run!(object::delete_many),
        ),
        make("GET", &one, read, format!("Show: {name}"), &[], none, shown, run!(object::one)),
        make(
            "PATCH",
            &one,
            change,
            format!("Change fields: {name}"),
            &[],
            object,
            shown,
            run!(object::change),
        ),
        make(
            "PUT",
            &one,
            change,
            format!("Replace: {name}"),
            &[],
            object,
            shown,
            run!(object::replace),
        ),
        make(
            "DELETE",
            &one,
            change,
            format!("Delete: {name}"),
            &[],
            none,
            Shape::Schema(DELETED),
            run!(object::delete),
        ),
        make(
            "GET",
            &format!("{one}/dependents"),
            read,
            format!("What uses it: {name}"),
            &[],
            none,
            Shape::Schema(ITEMS),
            run!(object::dependents),
        ),
    ]
}

/// What a kind of which there is one has.
fn single(kind: Kind) -> Vec<Endpoint> {
    let (name, plural) = (kind.name().replace('-', " "), kind.plural());
    let path = format!("/{plural}");
    let read = Needs::Privilege(Privilege::ReadConfiguration);
    let change = Needs::Privilege(Privilege::ChangeConfiguration);
    let (shown, object, none) = (Shape::Shown(kind), Shape::Object(kind), Shape::Nothing);
    // Its settings have a question that must not be passed by (SP-23).
    let asks = kind == Kind::SelfProvisioning;
    let query: &[_] = if asks { RESTART } else { &[] };
    let (patch, put): (Run, Run) = if asks {
        (run!(api::self_provisioning::change), run!(api::self_provisioning::replace))
    } else {
        (run!(object::single_change), run!(object::single_replace))
    };
    let make = |method, summary: String, query, body, answer, needs, run| {
        let row = row(method, &path, needs, plural, &summary, query, body, answer, run);
        Endpoint { kind: Some(kind), ..row }
    };
    vec![
        make("GET", format!("Show: {name}"), &[], none, shown, read, run!(object::single_one)),
        make("PATCH", format!("Change fields: {name}"), query, object, shown, change, patch),
        make("PUT", format!("Replace: {name}"), query, object, shown, change, put),
    ]
}

/// What a list takes; phones are shown and chosen by what they do, too.
fn list_of(kind: Kind) -> &'static [(&'static str, &'static str)] {
    if kind == Kind::Phone { LIST } else { LIST.split_at(LIST.len() - 2).0 }
}

const LIST: &[(&str, &str)] = &[
    ("limit", "At most so many, 1 to 1000"),
    ("cursor", "`next` of the page before"),
    ("filter", "`field=value`, `field!=value` or `field~part`; may come several times"),
    ("search", "Only those with each of these words in their names, numbers, texts and owners"),
    ("fields", "Only these fields, separated by commas"),
    ("state", "`true` shows whether each is registered, and where"),
    ("registered", "`true` or `false`: only those that are registered now, or that are not"),
];

const MANY: &[(&str, &str)] = &[
    ("filter", "Of which: `field=value`, `field!=value` or `field~part`; may come several times"),
    ("search", "Of which: only those with each of these words, as in a list"),
    ("all", "`true` where neither filter nor search is given: every one"),
    ("skip_refused", "`true`: the others, when some are refused; else none"),
    ("check", "`true` only says what would be refused"),
];

const CHANGED: &str = r#"{"type":"object","description":"How many were changed, or deleted; more than 1500 objects answer 202 with a job, to be asked for at /jobs/{id}.","properties":{"total":{"type":"integer"},"changed":{"type":"integer"},"refused":{"type":"array","items":{"type":"object"}},"id":{"type":"integer"},"state":{"enum":["running","done","failed"]},"done":{"type":"integer"},"failure":{"type":["object","null"]}}}"#;

const DELETED: &str = r#"{"type":"object","properties":{"warnings":{"type":"array","description":"What still counts on it, and what stays that nobody has.","items":{"type":"string"}}}}"#;

const RESTART: &[(&str, &str)] =
    &[("restart", "`now` or `later`: the answer to the question of SP-23")];

#[expect(clippy::too_many_arguments, reason = "the columns of the table")]
fn row(
    method: &str,
    path: &str,
    needs: Needs,
    tag: &'static str,
    summary: &str,
    query: &'static [(&'static str, &'static str)],
    body: Shape,
    answer: Shape,
    run: Run,
) -> Endpoint {
    let method = Method::from_bytes(method.as_bytes()).expect("the table names methods");
    let (path, summary) = (path.into(), summary.into());
    let deed = match method {
        Method::GET => "read",
        Method::POST => "create",
        Method::DELETE => "delete",
        _ => "update",
    };
    Endpoint { method, path, needs, summary, tag, kind: None, query, body, answer, deed, run }
}
