//! The REST client of the command line: where the server is, who one is, and how a refusal is
//! told.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use ureq::http::Response;
use ureq::{Agent, RequestBuilder};

use super::object::refused_rows;

/// The server that a command without `--server` speaks to.
pub(crate) const SERVER: &str = "http://127.0.0.1:8080";

/// A signed-in client.
pub(crate) struct Client {
    agent: Agent,
    server: String,
    token: Option<String>,
    /// The language of the person, as the environment has it.
    language: String,
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
        let server = server.trim_end_matches('/');
        let server = match server.contains("://") {
            true => server.to_owned(),
            false => format!("http://{server}"),
        };
        let token = std::env::var("JACKFIELD_TOKEN").ok().or_else(|| {
            kept.filter(|session| session.server == server).map(|session| session.token)
        });
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        let language = language(|name| std::env::var(name).ok());
        Self { agent: config.into(), server, token, language }
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
        self.told(false, self.dressed(self.agent.get(self.url(path))).call())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.told(true, self.dressed(self.agent.post(self.url(path))).send_json(body))
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.told(true, self.dressed(self.agent.put(self.url(path))).send_json(body))
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        self.told(true, self.dressed(self.agent.patch(self.url(path))).send_json(body))
    }

    pub(crate) fn delete(&self, path: &str) -> Result<Value> {
        self.told(true, self.dressed(self.agent.delete(self.url(path))).call())
    }

    /// Whether the person reads Japanese.
    pub(crate) fn is_japanese(&self) -> bool {
        self.language.starts_with("ja")
    }

    /// With what every request says of who asks.
    fn dressed<T>(&self, request: RequestBuilder<T>) -> RequestBuilder<T> {
        request.header("authorization", self.bearer()).header("accept-language", &self.language)
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.server)
    }

    fn bearer(&self) -> String {
        self.token.as_ref().map_or_else(String::new, |token| format!("Bearer {token}"))
    }

    /// The body of a good answer, or what the refusal says; `changes` when something was to be done.
    fn told(
        &self,
        changes: bool,
        answer: Result<Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value> {
        let mut answer = answer.map_err(|error| unanswered(&self.server, changes, &error))?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string()?;
        let body: Value = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        };
        if (200..300).contains(&status) {
            return Ok(body);
        }
        bail!("{}", refusal(status, &body, self.is_japanese()))
    }
}

/// What to do about a server that was not found, or that gave no answer to what it may have heard.
fn unanswered(server: &str, changes: bool, error: &ureq::Error) -> anyhow::Error {
    use std::io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
    let not_found = match error {
        ureq::Error::Io(error) => {
            matches!(error.kind(), ConnectionRefused | HostUnreachable | NetworkUnreachable)
        }
        ureq::Error::Timeout(wait) => {
            matches!(wait, ureq::Timeout::Connect | ureq::Timeout::Resolve)
        }
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed | ureq::Error::BadUri(_) => true,
        _ => false,
    };
    let asked = format!("the server at {server} was asked and did not answer ({error})");
    match (not_found, changes) {
        (true, _) => anyhow!(
            "no server answers at {server} ({error})\nStart one with `jackfield serve`, or name it \
             with --server."
        ),
        (false, false) => anyhow!("{asked}\nTry again."),
        (false, true) => anyhow!(
            "{asked}\nIt may have been done: look with `jackfield audit` or `jackfield show` before \
             you repeat it. A PIN that was not shown is replaced by `jackfield pin`."
        ),
    }
}

/// Whether whoever sits at this terminal reads Japanese.
pub(crate) fn reads_japanese() -> bool {
    language(|name| std::env::var(name).ok()).starts_with("ja")
}

/// The language tag of a locale, as in `ja_JP.UTF-8`.
fn language(variable: impl Fn(&str) -> Option<String>) -> String {
    let named = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let locale = named.into_iter().filter_map(variable).find(|locale| !locale.is_empty());
    let locale = locale.unwrap_or_default();
    let tag = locale.split(['.', '@']).next().unwrap_or_default().replace('_', "-");
    let fits =
        tag.len() >= 2 && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if fits && tag != "POSIX" { tag } else { "en".into() }
}

/// A refusal as a person reads it: what, where, and what would change it.
fn refusal(status: u16, body: &Value, japanese: bool) -> String {
    let Some(message) = body["message"].as_str() else {
        return format!("the server answered {status}");
    };
    let labels = match japanese {
        true => ["フィールド", "決めている設定", "対処", "コマンド"],
        false => ["Field", "Decided by", "What to do", "Command"],
    };
    let object = body["object"].as_str();
    let lines = [
        body["field"].as_str().map(str::to_owned),
        object.map(str::to_owned),
        body["remedy"].as_str().map(str::to_owned),
        remedy_command(body),
    ];
    let mut text = message.to_owned();
    for (label, line) in labels.iter().zip(lines) {
        if let Some(line) = line.filter(|line| !line.is_empty()) {
            text.push_str(&format!("\n{label}: {line}"));
        }
    }
    for row in refused_rows(&body["rows"], message) {
        text.push_str(&format!("\n{row}"));
    }
    text
}

/// The command that does what a remedy says, where there is one.
fn remedy_command(body: &Value) -> Option<String> {
    let (object, account) = (body["object"].as_str(), body["values"]["account"].as_str());
    let phone = object.and_then(|object| object.strip_prefix("phone "));
    match body["code"].as_str().unwrap_or_default() {
        "unauthenticated" => Some("jackfield login USER".into()),
        "password-change-needed" => {
            Some(format!("jackfield password {}", account.unwrap_or("USER")))
        }
        "locked" => Some("jackfield unlock USER".into()),
        "restart-choice-needed" => Some(
            "jackfield self-provisioning set … --restart now (or --restart later to save \
             without restarting)"
                .into(),
        ),
        "owned-by-another" => phone.map(|phone| format!("jackfield unassign {phone}")),
        "service-inactive" => Some("jackfield services activate SERVICE".into()),
        "language-not-installed" => Some("jackfield languages --rescan".into()),
        _ => None,
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_language_is_the_locale_s() {
        for (variables, tag) in [
            (&[("LANG", "ja_JP.UTF-8")][..], "ja-JP"),
            (&[("LANG", "ja_JP.UTF-8"), ("LC_ALL", "en_GB")], "en-GB"),
            (&[("LC_ALL", ""), ("LC_MESSAGES", "ja_JP@x")], "ja-JP"),
            (&[("LANG", "C")], "en"),
            (&[("LANG", "POSIX")], "en"),
            (&[("LANG", "ja\r\nx: y")], "en"),
            (&[], "en"),
        ] {
            let found = |name: &str| {
                let found = variables.iter().find(|(one, _)| *one == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(language(found), tag, "{variables:?}");
        }
    }

    /// The server may have done what it was asked before it went: to say that none is there misleads.
    #[test]
    fn a_server_that_goes_away_may_have_done_what_it_was_asked() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let gone = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            std::io::Read::read(&mut stream, &mut [0; 1024]).unwrap();
        });
        let client = Client::new(Some(&address));
        let told = client.post("/quick-add", &json!({})).unwrap_err().to_string();
        assert!(told.contains("may have been done"), "{told}");
        gone.join().unwrap();
        let told = client.post("/quick-add", &json!({})).unwrap_err().to_string();
        assert!(told.contains("jackfield serve"), "{told}");
    }

    #[test]
    fn a_refusal_tells_the_command_of_its_remedy() {
        let body = json!({
            "code": "owned-by-another", "message": "It is somebody's.", "field": null,
            "object": "phone SEP001122334455", "remedy": "Unassign it.",
        });
        let told = refusal(409, &body, false);
        assert!(told.ends_with("\nCommand: jackfield unassign SEP001122334455"), "{told}");
        assert!(refusal(409, &body, true).contains("対処: Unassign it."));
        let wrong = json!({"code": "wrong-credential", "message": "Wrong.", "remedy": "Again."});
        assert_eq!(refusal(401, &wrong, false), "Wrong.\nWhat to do: Again.");
    }
}
