//! The REST client of the command line: where the server is, who one is, and how a refusal is
//! told.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Response;

/// The server that a command without `--server` speaks to.
pub(crate) const SERVER: &str = "http://127.0.0.1:8080";

/// A signed-in client.
pub(crate) struct Client {
    agent: Agent,
    server: String,
    token: Option<String>,
}

impl Client {
    /// Takes the server from the argument, `JACKFIELD_SERVER` or the last login, and the token
    /// from `JACKFIELD_TOKEN` or the last login.
    pub(crate) fn new(server: Option<&str>) -> Self {
        let kept = Session::load();
        let server = server
            .map(str::to_owned)
            .or_else(|| std::env::var("JACKFIELD_SERVER").ok())
            .or_else(|| kept.as_ref().map(|session| session.server.clone()))
            .unwrap_or_else(|| SERVER.to_owned());
        let server = server.trim_end_matches('/').to_owned();
        let token = std::env::var("JACKFIELD_TOKEN").ok().or_else(|| {
            kept.filter(|session| session.server == server).map(|session| session.token)
        });
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Self { agent: config.into(), server, token }
    }

    /// Signs in and keeps the token for the commands that follow.
    pub(crate) fn sign_in(&mut self, user: &str, password: &str) -> Result<Value> {
        let answer = self.sign_in_for_now(user, password)?;
        let token = self.token.clone().unwrap_or_default();
        Session { server: self.server.clone(), token }.keep()?;
        Ok(answer)
    }

    /// Signs in for this client only.
    pub(crate) fn sign_in_for_now(&mut self, user: &str, password: &str) -> Result<Value> {
        let answer = self.post("/sessions", &json!({"user_id": user, "password": password}))?;
        let token = answer["token"].as_str().context("the server gave no token")?.to_owned();
        self.token = Some(token);
        Ok(answer)
    }

    /// Forgets the token, here and on the server.
    pub(crate) fn sign_out(&mut self) -> Result<()> {
        let answer = self.delete("/sessions/current");
        Session::forget()?;
        answer.map(|_| ())
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        self.told(self.agent.get(self.url(path)).header("authorization", self.bearer()).call())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.told(
            self.agent.post(self.url(path)).header("authorization", self.bearer()).send_json(body),
        )
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.told(
            self.agent.put(self.url(path)).header("authorization", self.bearer()).send_json(body),
        )
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        self.told(
            self.agent.patch(self.url(path)).header("authorization", self.bearer()).send_json(body),
        )
    }

    pub(crate) fn delete(&self, path: &str) -> Result<Value> {
        self.told(self.agent.delete(self.url(path)).header("authorization", self.bearer()).call())
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.server)
    }

    fn bearer(&self) -> String {
        self.token.as_ref().map_or_else(String::new, |token| format!("Bearer {token}"))
    }

    /// The body of a good answer, or what the refusal says.
    fn told(&self, answer: Result<Response<ureq::Body>, ureq::Error>) -> Result<Value> {
        let mut answer = answer.map_err(|error| {
            anyhow!(
                "no server answers at {} ({error})\nStart one with `jackfield serve`, or name it \
                 with --server.",
                self.server
            )
        })?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string()?;
        let body: Value = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        };
        if (200..300).contains(&status) {
            return Ok(body);
        }
        bail!("{}", refusal(status, &body))
    }
}

/// A refusal as a person reads it: what, where, and what would change it.
fn refusal(status: u16, body: &Value) -> String {
    let Some(message) = body["message"].as_str() else {
        return format!("the server answered {status}");
    };
    let mut text = message.to_owned();
    if let Some(field) = body["field"].as_str() {
        text.push_str(&format!("\nField: {field}"));
    }
    if let Some(object) = body["object"].as_str() {
        text.push_str(&format!("\nDecided by: {object}"));
    }
    if let Some(remedy) = body["remedy"].as_str().filter(|remedy| !remedy.is_empty()) {
        text.push_str(&format!("\nWhat to do: {remedy}"));
    }
    if status == 401 {
        text.push_str("\nSign in with `jackfield login USER`.");
    }
    text
}

/// What `jackfield login` keeps.
struct Session {
    server: String,
    token: String,
}

impl Session {
    fn file() -> Option<PathBuf> {
        let base = std::env::var_os("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")))?;
        Some(base.join("jackfield").join("session.json"))
    }

    fn load() -> Option<Self> {
        let text = fs::read_to_string(Self::file()?).ok()?;
        let value: Value = serde_json::from_str(&text).ok()?;
        Some(Self {
            server: value["server"].as_str()?.to_owned(),
            token: value["token"].as_str()?.to_owned(),
        })
    }

    fn keep(&self) -> Result<()> {
        let file = Self::file().context("neither HOME nor XDG_CONFIG_HOME is set")?;
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        let text = json!({"server": self.server, "token": self.token}).to_string();
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&file)
            .and_then(|mut open| open.write_all(text.as_bytes()))
            .with_context(|| format!("writing {}", file.display()))
    }

    fn forget() -> Result<()> {
        match Self::file().map(fs::remove_file) {
            Some(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}
