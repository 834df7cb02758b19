//! The pages that phones show: self-provisioning on the phone's own screen (SP-06).
//!
//! A phone submits its form in the query of a GET, so user ID and password stand in a URL. The
//! protocol leaves no other way; therefore no part of a query is ever logged, answers may not be
//! cached, and the page is only for the device's own address.

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jackfield_model::{AuthenticationMode, Language, Message, Phone, refuse_hidden};
use jackfield_vocabulary::{Code, ObjectId, Refusal, SecretText};

use crate::app::App;
use crate::door::request_id;
use crate::failure::{self, Door};
use crate::language::language_of;
use crate::operator::{Order, Reply, mismatch};
use crate::say::{self, either};

/// The pages.
pub(crate) fn pages() -> Router<App> {
    Router::new()
        .route("/phone/self-provisioning", get(form))
        .route("/phone/self-provisioning/submit", get(submit))
}

/// What a phone sends along.
struct Visit {
    device: ObjectId,
    name: Box<str>,
    language: Language,
    query: Vec<(String, String)>,
}

impl Visit {
    fn query(&self, name: &str) -> &str {
        self.query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// Asks for user ID and password.
async fn form(State(app): State<App>, request: Request) -> Response {
    let visit = match visit(&app, &request) {
        Ok(visit) => visit,
        Err((refusal, language)) => return refused(&refusal, language),
    };
    // As the node asks for it at this moment: what is saved counts from a restart on (SP-19).
    match app.operate(Order::Overview).await {
        Ok(Reply::Overview(overview)) => page(input(&app, &visit, overview.mode)),
        Ok(other) => refused(&mismatch(&other), visit.language),
        Err(refusal) => refused(&refusal, visit.language),
    }
}

/// Takes user ID and password, and makes the phone theirs.
async fn submit(State(app): State<App>, request: Request) -> Response {
    let visit = match visit(&app, &request) {
        Ok(visit) => visit,
        Err((refusal, language)) => return refused(&refusal, language),
    };
    let address = address_of(&request);
    let result = provision(&app, &visit, address).await;
    if let Err(refusal) = &result {
        let account = app.directory().account(visit.query("user").trim());
        failure::note(&app, Door::PhonePage, address, account, refusal.code);
    }
    tracing::info!(
        request.id = request_id(),
        http.route = "/phone/self-provisioning/submit",
        phone.name = visit.name,
        refusal.code = result.as_ref().err().map_or("-", |refusal| refusal.code.name()),
        "a phone's form"
    );
    match result {
        Ok(extension) => page(done(&extension, visit.language)),
        Err(refusal) => {
            let again = url_of(&app, &visit, "/phone/self-provisioning");
            page(text_page(&words(&refusal, visit.language), visit.language, Some(&again)))
        }
    }
}

async fn provision(app: &App, visit: &Visit, address: IpAddr) -> Result<Box<str>, Refusal> {
    let (user, password) = (visit.query("user").trim(), visit.query("password"));
    if user.is_empty() {
        return Err(Refusal::new(Code::MissingField).field("user"));
    }
    refuse_hidden("user", user)?;
    if !app.phone_forms().allows(app.now(), address) {
        return Err(Refusal::new(Code::RateLimited));
    }
    let order = Order::Provision {
        device: visit.device,
        identity: user.into(),
        password: (!password.is_empty()).then(|| SecretText::new(password)),
        address,
    };
    match app.operate(order).await? {
        Reply::Provisioned { extension } => Ok(extension),
        other => Err(mismatch(&other)),
    }
}

/// Which phone this is: it names itself, and its address must be the one of that phone.
fn visit(app: &App, request: &Request) -> Result<Visit, (Refusal, Language)> {
    let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(request.uri())
        .unwrap_or_else(|_| Query(Vec::new()));
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| &**value);
    let language = value("lang").map_or_else(|| language_of(request.headers()), Language::of_tag);
    let name = value("device").unwrap_or_default().to_owned();
    let directory = app.directory();
    let known = directory.named::<Phone>(&name).map(|(phone, _)| phone.id());
    // Unknown and not from there look the same: names are not told to strangers.
    let device = known.filter(|device| app.files().trusts(*device, address_of(request)));
    match device {
        Some(device) => Ok(Visit { device, name: name.into(), language, query }),
        None => Err((Refusal::new(Code::NetworkNotAllowed), language)),
    }
}

fn address_of(request: &Request) -> IpAddr {
    let info = request.extensions().get::<ConnectInfo<SocketAddr>>();
    info.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(address)| address.ip().to_canonical())
}

fn input(app: &App, visit: &Visit, mode: AuthenticationMode) -> String {
    let language = visit.language;
    let needs_password = mode != AuthenticationMode::None;
    let mut xml = String::from("<CiscoIPPhoneInput>\n");
    element(&mut xml, "Title", either(language, "Self-Provisioning", "セルフプロビジョニング"));
    let prompt = if needs_password {
        either(
            language,
            "Enter your user ID and password",
            "ユーザIDとパスワードを入力してください",
        )
    } else {
        either(language, "Enter your user ID", "ユーザIDを入力してください")
    };
    element(&mut xml, "Prompt", prompt);
    element(&mut xml, "URL", &url_of(app, visit, "/phone/self-provisioning/submit"));
    item(&mut xml, either(language, "User ID", "ユーザID"), "user", "A");
    if needs_password {
        // The P hides what is keyed in.
        item(&mut xml, either(language, "Password", "パスワード"), "password", "AP");
    }
    xml.push_str("</CiscoIPPhoneInput>\n");
    xml
}

/// The address of a page for this phone.
fn url_of(app: &App, visit: &Visit, path: &str) -> String {
    let (name, tag) = (&visit.name, visit.language.tag());
    format!("{}{path}?device={name}&lang={tag}", app.files().people_url())
}

fn item(xml: &mut String, label: &str, parameter: &str, flags: &str) {
    xml.push_str("<InputItem>\n");
    element(xml, "DisplayName", label);
    element(xml, "QueryStringParam", parameter);
    element(xml, "InputFlags", flags);
    xml.push_str("<DefaultValue></DefaultValue>\n</InputItem>\n");
}

fn done(extension: &str, language: Language) -> String {
    let text = either(
        language,
        "This phone is yours now. It restarts; your extension: ",
        "この電話があなたに割り当てられました。再起動します。内線番号: ",
    );
    text_page(&format!("{text}{extension}"), language, None)
}

fn refused(refusal: &Refusal, language: Language) -> Response {
    page(text_page(&words(refusal, language), language, None))
}

fn words(refusal: &Refusal, language: Language) -> String {
    // What the phone says in this case is part of the interface (SP-32).
    let text = match (refusal.code, refusal.field.as_deref()) {
        (Code::NoDeviceTemplate, _) => Message::NotAssociated.text(language),
        (Code::NetworkNotAllowed, _) => not_there(language).into(),
        (Code::MissingField, Some("user")) => {
            either(language, "Enter your user ID.", "ユーザIDを入力してください。").into()
        }
        (Code::MissingField, _) => {
            either(language, "Enter your password.", "パスワードを入力してください。").into()
        }
        _ => {
            let (message, remedy) = say::refusal(refusal, language);
            format!("{message} {remedy}")
        }
    };
    text.trim().to_owned()
}

/// Who asks is not the phone that is named, or not where that one registered.
fn not_there(language: Language) -> &'static str {
    either(
        language,
        "This page is for a registered phone itself. Restart the phone and try again.",
        "このページは、登録されている電話だけで使用できます。電話を再起動して、もう一度お試しください。",
    )
}

/// A text, and the way back to the form where there is one.
fn text_page(text: &str, language: Language, again: Option<&str>) -> String {
    let mut xml = String::from("<CiscoIPPhoneText>\n");
    element(&mut xml, "Title", either(language, "Self-Provisioning", "セルフプロビジョニング"));
    element(&mut xml, "Text", text);
    if let Some(again) = again {
        softkey(&mut xml, either(language, "Again", "再入力"), again, "1");
        softkey(&mut xml, either(language, "Exit", "終了"), "SoftKey:Exit", "4");
    }
    xml.push_str("</CiscoIPPhoneText>\n");
    xml
}

fn softkey(xml: &mut String, name: &str, url: &str, position: &str) {
    xml.push_str("<SoftKeyItem>\n");
    element(xml, "Name", name);
    element(xml, "URL", url);
    element(xml, "Position", position);
    xml.push_str("</SoftKeyItem>\n");
}

fn page(xml: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/xml; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let declared = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{xml}");
    (headers, declared).into_response()
}

fn element(xml: &mut String, name: &str, text: &str) {
    xml.push('<');
    xml.push_str(name);
    xml.push('>');
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            c if c.is_control() => xml.push(' '),
            c => xml.push(c),
        }
    }
    xml.push_str("</");
    xml.push_str(name);
    xml.push_str(">\n");
}
