//! The way of every API request: who, may they, what do they bring, what came of it. One log line
//! each; nothing that anybody brings in a body or a token stands in it.

use core::time::Duration;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::Router;
use axum::extract::{ConnectInfo, FromRequestParts, Query, RawPathParams, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use jackfield_model::{Language, closest};
use jackfield_vocabulary::{Code, OperationId, Refusal, SecretText};
use sha2::{Digest, Sha256};

use crate::api::session::signed;
use crate::app::App;
use crate::body::Body;
use crate::brought;
use crate::call::{Answer, Call, operation_of, version_of};
use crate::deed::Wish;
use crate::endpoint::{Endpoint, Needs, endpoints};
use crate::fault::Fault;
use crate::language::language_of;
use crate::session::Signed;

/// The API with every endpoint of the table.
pub(crate) fn api() -> Router<App> {
    let mut router = Router::new();
    for endpoint in endpoints() {
        let filter = MethodFilter::try_from(endpoint.method.clone())
            .expect("the table names methods that are routed");
        let handler = move |State(app): State<App>, request: Request| enter(app, endpoint, request);
        router = router.route(&endpoint.path, on(filter, handler));
    }
    router.fallback(nothing_here).method_not_allowed_fallback(otherwise)
}

/// Something is there, but not for this method; the router says for which.
async fn otherwise(request: Request) -> Response {
    let methods = |endpoint: &&Endpoint| fits(&endpoint.path, request.uri().path());
    let mut allowed: Vec<_> =
        endpoints().iter().filter(methods).map(|endpoint| endpoint.method.as_str()).collect();
    allowed.dedup();
    let refusal = Refusal::new(Code::MethodNotAllowed)
        .value("method", request.method())
        .value("name", request.uri().path())
        .value("allowed", allowed.join(", "));
    Fault::Refused(refusal).response(&request_id(), language_of(request.headers()))
}

/// Is this path one of those that a row of the table describes?
fn fits(described: &str, path: &str) -> bool {
    let path = path.strip_prefix(API).unwrap_or(path);
    let mut parts = path.split('/');
    let same = described
        .split('/')
        .all(|part| parts.next().is_some_and(|found| part.starts_with('{') || part == found));
    same && parts.next().is_none()
}

async fn nothing_here(request: Request) -> Response {
    let path = request.uri().path();
    let path = path.strip_prefix(API).unwrap_or(path);
    let refusal = Refusal::new(Code::NotFound).value("rule", "path");
    let refusal = refusal.value("kind", "path").value("name", format!("{API}{path}"));
    let refusal = match meant(path) {
        Some(meant) => refusal.value("similar", format!("{API}{meant}")),
        None => refusal,
    };
    let language = language_of(request.headers());
    Fault::Refused(refusal).response(&request_id(), language)
}

/// The address that is nearest to this one, part by part; what stands for a name stays.
fn meant(path: &str) -> Option<String> {
    let mut rows: Vec<Vec<&str>> =
        endpoints().iter().map(|endpoint| endpoint.path.split('/').collect()).collect();
    let mut meant: Vec<&str> = Vec::new();
    for (at, part) in path.split('/').enumerate() {
        let words = rows.iter().filter_map(|row| row.get(at).copied());
        let (names, words): (Vec<_>, Vec<_>) = words.partition(|word| word.starts_with('{'));
        let wanted = match names.first() {
            _ if words.contains(&part) => part,
            Some(name) => *name,
            None => closest(part, words)?,
        };
        rows.retain(|row| row.get(at) == Some(&wanted));
        meant.push(if wanted.starts_with('{') { part } else { wanted });
    }
    let there = rows.iter().any(|row| row.len() == meant.len());
    there.then(|| meant.join("/"))
}

async fn enter(app: App, endpoint: &'static Endpoint, request: Request) -> Response {
    let (began, id) = (Instant::now(), request_id());
    let language = language_of(request.headers());
    let (mut parts, body) = request.into_parts();
    let address = address_of(&parts);
    // A database that hangs holds up nobody for ever.
    let identified = tokio::time::timeout(IDENTITY, identify(&app, endpoint, &parts)).await;
    let identified = identified.unwrap_or_else(|_| Err(Code::DatabaseUnavailable.into()));
    let (result, user) = match identified {
        Ok(who) => {
            let user = who.as_ref().map(|who| who.user_id.clone());
            let asked = who.clone();
            let carried = async {
                may(&app, endpoint, &parts, who.as_ref())?;
                carry_out(&app, endpoint, &mut parts, body, who, address, language).await
            };
            // A reply that never comes is one of unknown outcome.
            let result = tokio::time::timeout(PATIENCE, carried).await;
            let result = result.unwrap_or_else(|_| Err(Code::OutcomeUnknown.into()));
            if let (Err(fault), Some(who)) = (&result, &asked) {
                Wish { endpoint, path: parts.uri.path(), who, address }.note(&app, fault);
            }
            (result, user)
        }
        Err(fault) => (Err(fault), None),
    };
    let result = result.map_err(|fault| match endpoint.method == Method::GET {
        true => fault.of_question(),
        false => fault,
    });
    let code = result.as_ref().err().map(Fault::code);
    let mut response = match result {
        Ok(answer) => answer.into_response(),
        Err(fault) => fault.response(&id, language),
    };
    dress(response.headers_mut(), &id, language);
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    app.counts().answered(response.status(), micros);
    // Of strangers not each one has a line.
    let untold = match &user {
        Some(_) => Some(0),
        None => app.strangers_lines().take(app.now(), address),
    };
    let Some(untold) = untold else { return response };
    tracing::info!(
        request.id = id,
        requests.untold = untold,
        http.method = %endpoint.method,
        http.route = endpoint.path,
        http.status = response.status().as_u16(),
        http.micros = micros,
        user.name = user.as_deref().unwrap_or("-"),
        client.address = %address,
        refusal.code = code.unwrap_or("-"),
        "request"
    );
    response
}

/// Who asks.
async fn identify(app: &App, endpoint: &Endpoint, parts: &Parts) -> Result<Option<Signed>, Fault> {
    if endpoint.needs == Needs::Nothing {
        return Ok(None);
    }
    let token = bearer(&parts.headers).ok_or(Code::Unauthenticated)?;
    let reading = endpoint.method == Method::GET;
    let who = signed(app, token, reading).await?.ok_or(Code::Unauthenticated)?;
    if who.must_change && !before_own_password(app, endpoint, parts, &who) {
        let refusal = Refusal::new(Code::PasswordChangeNeeded);
        return Err(refusal.value("account", &who.user_id).into());
    }
    Ok(Some(who))
}

/// Refuses those who may not.
fn may(app: &App, endpoint: &Endpoint, parts: &Parts, who: Option<&Signed>) -> Result<(), Fault> {
    let (Needs::Privilege(needed) | Needs::Own(needed), Some(who)) = (endpoint.needs, who) else {
        return Ok(());
    };
    let holds = app.directory().privileges(who.account).contains(&needed);
    if holds || (matches!(endpoint.needs, Needs::Own(_)) && names_own(app, parts, who)) {
        return Ok(());
    }
    Err(Refusal::new(Code::Forbidden).value("privilege", needed.name()).into())
}

/// With a one-time password one may see who one is, sign out, and set the own password.
fn before_own_password(app: &App, endpoint: &Endpoint, parts: &Parts, who: &Signed) -> bool {
    match &*endpoint.path {
        "/sessions/current" => true,
        "/users/{name}/password" => names_own(app, parts, who),
        _ => false,
    }
}

/// The path is `/users/{the own user ID}/…`.
fn names_own(app: &App, parts: &Parts, who: &Signed) -> bool {
    let mut segments = parts.uri.path().trim_start_matches(API).split('/').skip(2);
    let named = segments.next().and_then(decoded);
    named.is_some_and(|name| app.directory().account(&name) == Some(who.account))
}

/// What stands in a path where the endpoint has a name.
pub(crate) fn named(endpoint: &Endpoint, path: &str) -> Option<String> {
    let path = path.strip_prefix(API).unwrap_or(path);
    let mut parts = endpoint.path.split('/').zip(path.split('/'));
    parts.find(|(described, _)| *described == "{name}").and_then(|(_, part)| decoded(part))
}

fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

async fn carry_out(
    app: &App,
    endpoint: &Endpoint,
    parts: &mut Parts,
    body: axum::body::Body,
    who: Option<Signed>,
    address: IpAddr,
    language: Language,
) -> Result<Answer, Fault> {
    let params = RawPathParams::from_request_parts(parts, &())
        .await
        .map(|params| params.iter().map(|(key, value)| (key.into(), value.into())).collect())
        .unwrap_or_default();
    let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
        .map_err(|_| Refusal::new(Code::Unreadable).value("where", "query"))?;
    brought::query(endpoint, &query)?;
    let Body { value: body, room } =
        app.bodies().read(address, who.is_some(), &parts.headers, body).await?;
    brought::body(endpoint, &body)?;
    let privileges = match &who {
        Some(who) => app.directory().privileges(who.account),
        None => Default::default(),
    };
    let account = who.as_ref().map_or(0, |who| who.account.0);
    let operation = operation_of(&parts.headers)?.map(|key| {
        let told = brought::without_secrets(endpoint, &body);
        operation_meant(key, account, parts, &told)
    });
    let call = Call {
        app: app.clone(),
        kind: endpoint.kind,
        deed: endpoint.deed,
        who,
        privileges,
        address,
        language,
        params,
        query,
        version: version_of(&parts.headers)?,
        operation,
        body,
    };
    let answer = (endpoint.run)(call).await;
    drop(room);
    answer
}

/// What a client's key means: this request of this account. The same key with another one is another
/// operation, and not one that is done already. No secret goes into it: it is kept.
fn operation_meant(key: OperationId, account: u32, parts: &Parts, told: &str) -> OperationId {
    let (key, account) = (key.0.to_be_bytes(), account.to_be_bytes());
    let uri = parts.uri.to_string();
    let method = parts.method.as_str();
    let mut hash = Sha256::new();
    for part in [&key[..], &account, method.as_bytes(), uri.as_bytes(), told.as_bytes()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    OperationId(u128::from_be_bytes(id))
}

fn bearer(headers: &HeaderMap) -> Option<SecretText> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let fits = scheme.eq_ignore_ascii_case("bearer") && (1..=256).contains(&token.len());
    fits.then(|| SecretText::new(token.trim()))
}

fn address_of(parts: &Parts) -> IpAddr {
    let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    info.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(address)| address.ip().to_canonical())
}

fn dress(headers: &mut HeaderMap, id: &str, language: Language) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-request-id", id);
    }
    headers.insert("content-language", HeaderValue::from_static(language.tag()));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
}

/// Names a request, in answers and logs.
pub(crate) fn request_id() -> String {
    let mut bytes = [0; 8];
    // Without randomness, requests can't be told apart, and are served all the same.
    let _ = getrandom::fill(&mut bytes);
    format!("{:016x}", u64::from_be_bytes(bytes))
}

/// Before every path of the table.
const API: &str = "/api/v1";
const PATIENCE: Duration = Duration::from_secs(30);
const IDENTITY: Duration = Duration::from_secs(10);
