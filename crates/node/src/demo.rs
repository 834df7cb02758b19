//! A phone provisions itself while one watches: a node on an empty database with a sample company,
//! and two virtual phones that talk to it over real sockets. Everything told was seen; the
//! voice is told from what the phone heard.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use jackfield_phone::{
    CallState, Door, LivePhone, Make, PhoneEvent, PhoneSettings, PromptRecognizer, Sound,
};
use jackfield_vocabulary::Mac;
use serde_json::json;

use crate::cli::Client;
use crate::say::say;
use crate::server::{DatabaseChoice, SAMPLE_PIN, Sample, ServeSettings, Server, find_prompts};

/// The administrator's own password in the demo.
const PASSWORD: &str = "demo-correct-horse-battery";
const PATIENCE: Duration = Duration::from_secs(15);
/// The tones that the two phones play to each other, in hertz.
const TONES: (f32, f32) = (440.0, 850.0);

/// Runs the demo; tells the story and at the end one line with what was proved.
pub(crate) fn run(keep: bool) -> Result<()> {
    if std::env::var_os("JACKFIELD_LOG").is_some() {
        crate::log::start(false);
    }
    let folder = std::env::temp_dir().join(format!("jackfield-demo-{}", std::process::id()));
    let outcome = tell(&folder);
    if keep {
        say!("the demo's data is in {}", folder.display());
    } else {
        // A folder that can't be removed is no reason to fail.
        let _ = std::fs::remove_dir_all(&folder);
    }
    match outcome {
        Ok(proved) => {
            say!("demo: PASS {proved}");
            Ok(())
        }
        Err(error) => {
            say!("demo: FAIL {error:#}");
            bail!("the demo did not go as it should")
        }
    }
}

fn tell(folder: &Path) -> Result<String> {
    let mut story = Story { began: Instant::now() };
    let server = start_server(folder)?;
    let outcome = play(&mut story, &server);
    server.stop();
    outcome
}

fn play(story: &mut Story, server: &Server) -> Result<String> {
    let at = server.addresses();
    story.line("node", &format!("started on an empty database; SIP {}, TFTP {}", at.sip, at.tftp));
    let mut client = Client::new(Some(&format!("http://{}", at.http)));
    let password = server.one_time_password().context("no one-time password")?;
    client.sign_in_for_now("admin", password)?;
    // A one-time password is good for nothing but setting an own one.
    client.put("/users/admin/password", &json!({"password": PASSWORD}))?;
    client.sign_in_for_now("admin", PASSWORD)?;
    let ready = client.get("/self-provisioning/status")?;
    story.line("admin", &format!("asks for the status of self-provisioning: {}", ready["text"]));

    let mut colleague = second_phone(story, server, &client)?;
    let mut phone = LivePhone::start(settings(server, 0x11, Make::Enterprise, Door::Tftp))?;
    let lent = newcomer(story, &mut phone)?;
    provision(story, &mut phone)?;
    let device = client.get("/phones/SEP020000000011")?;
    ensure!(device["owner"]["name"] == "tanaka", "the phone's owner is {}", device["owner"]);
    ensure!(device["auto_registered"] == false, "the phone still waits for an owner");
    let free = client.get("/lines?limit=500")?;
    let numbers: Vec<&str> = free["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|line| line["number"].as_str())
        .collect();
    ensure!(!numbers.contains(&lent.as_str()), "the lent number {lent} is not free again");
    story.line("node", &format!("the phone is Hanako Tanaka's; {lent} is free again"));

    talk(story, &mut phone, &mut colleague)?;
    let audit = client.get("/audit?limit=50&operation=assign")?;
    let rows = audit["items"].as_array().into_iter().flatten();
    let assignments: BTreeSet<&str> = rows.filter_map(|row| row["operation_id"].as_str()).collect();
    ensure!(assignments.len() == 2, "the audit has {} assignments, not 2", assignments.len());
    phone.stop();
    colleague.stop();
    let seconds = story.began.elapsed().as_secs_f32();
    Ok(format!(
        "a new phone registered by itself, was assigned over a call with ID and PIN, restarted as \
         3001 and called 3002 with audio both ways; audited; {seconds:.1} s"
    ))
}

/// The colleague's phone, assigned by an administrator.
fn second_phone(story: &mut Story, server: &Server, client: &Client) -> Result<LivePhone> {
    let mut settings = settings(server, 0x22, Make::Generic, Door::Http);
    settings.auto_answer = true;
    let mut phone = LivePhone::start(settings)?;
    phone.wait_in_service(PATIENCE)?;
    client.post("/phones/SEP020000000022/assign", &json!({"user": "suzuki"}))?;
    phone.wait_registered("3002", PATIENCE)?;
    story.line("phone 2", "a plain SIP phone, assigned to Ichiro Suzuki by the admin, is 3002");
    Ok(phone)
}

/// The new phone registers as a stranger and is lent a number.
fn newcomer(story: &mut Story, phone: &mut LivePhone) -> Result<String> {
    story.line("phone 1", "is plugged in for the first time: SEP020000000011, knows nobody");
    phone.wait_for("a restart by the server", PATIENCE, |event| {
        matches!(event, PhoneEvent::Restarting { .. })
    })?;
    story.line("node", "takes the stranger in, lends it a number, and tells it to restart");
    let booted = phone.wait_for(
        "its file",
        PATIENCE,
        |event| matches!(event, PhoneEvent::Booted { numbers, .. } if !numbers.is_empty()),
    )?;
    let PhoneEvent::Booted { file, .. } = booted else { bail!("no file") };
    let numbers = phone.wait_in_service(PATIENCE)?;
    let number = numbers.first().context("the newcomer has no number")?.clone();
    let file = file.unwrap_or_default();
    story.line("phone 1", &format!("fetched {file} by TFTP and registered as {number} by TCP"));
    Ok(number)
}

/// The call to the self-provisioning number.
fn provision(story: &mut Story, phone: &mut LivePhone) -> Result<()> {
    let prompts = find_prompts().context("no language packs found")?.join("en-US");
    let voice = PromptRecognizer::load(&prompts)?;
    phone.dial("2000");
    phone.wait_connected(PATIENCE)?;
    story.line("phone 1", "dials 2000, and is answered");
    hears(
        story,
        phone,
        &voice,
        "enter-self-service-id",
        "says: welcome; your self-service ID, please",
    )?;
    keys(story, phone, "3001#")?;
    hears(story, phone, &voice, "enter-pin", "asks for the PIN")?;
    keys(story, phone, &format!("{SAMPLE_PIN}#"))?;
    hears(story, phone, &voice, "confirm-extension-after", "reads 3-0-0-1 and asks to press 1")?;
    keys(story, phone, "1")?;
    hears(story, phone, &voice, "assigned", "says: this phone is now assigned to extension 3001")?;
    phone.wait_for("the restart", PATIENCE, |event| {
        matches!(event, PhoneEvent::Restarting { .. })
    })?;
    story.line("node", "tells phone 1 to restart");
    phone.wait_registered("3001", PATIENCE)?;
    story.line(
        "phone 1",
        &format!("is in service again; its display: {}", phone.display().join(" / ")),
    );
    Ok(())
}

fn keys(story: &mut Story, phone: &mut LivePhone, keys: &str) -> Result<()> {
    phone.listen();
    phone.press_all(keys)?;
    let shown = if keys.len() > 5 { "the PIN and #" } else { keys };
    story.line("phone 1", &format!("keys in {shown} by RFC 4733"));
    Ok(())
}

/// Waits until the voice has begun to say a prompt.
fn hears(
    story: &mut Story,
    phone: &LivePhone,
    voice: &PromptRecognizer,
    prompt: &str,
    told: &str,
) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(25);
    loop {
        let heard = voice.ids(&phone.heard());
        if heard.iter().any(|id| id == prompt) {
            story.line("voice", told);
            return Ok(());
        }
        ensure!(
            Instant::now() < end,
            "the voice did not say {prompt}; heard: {}",
            heard.join(", ")
        );
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// A call between the two, with a tone each way.
fn talk(story: &mut Story, phone: &mut LivePhone, colleague: &mut LivePhone) -> Result<()> {
    phone.listen();
    colleague.listen();
    phone.dial("3002");
    phone.wait_connected(PATIENCE)?;
    colleague.wait_connected(PATIENCE)?;
    story
        .line("phone 1", "calls 3002; phone 2 rings and answers; media goes directly between them");
    phone.play(Sound::Tone { frequency: TONES.0, millis: None });
    colleague.play(Sound::Tone { frequency: TONES.1, millis: None });
    let end = Instant::now() + PATIENCE;
    loop {
        let (here, there) = (phone.heard(), colleague.heard());
        if here.has_tone(TONES.1) && there.has_tone(TONES.0) {
            let packets = here.packets + there.packets;
            story.line("both", &format!("hear each other's tone ({packets} RTP packets so far)"));
            break;
        }
        ensure!(Instant::now() < end, "the phones do not hear each other");
        std::thread::sleep(Duration::from_millis(200));
    }
    phone.hang_up();
    colleague.wait_call("the end of the call", PATIENCE, |state| {
        matches!(state, CallState::Ended { .. })
    })?;
    story.line("phone 1", "hangs up");
    Ok(())
}

fn start_server(folder: &Path) -> Result<Server> {
    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Server::start(ServeSettings {
        place: DatabaseChoice { folder: folder.to_owned(), url: None },
        node: "node1".into(),
        address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        sip: loopback(0),
        sip_is_given: true,
        http: loopback(0),
        files: loopback(0),
        tftp: loopback(free_udp_port()?),
        media_ports: 24_576..=32_767,
        until_terminated: false,
        prompts: None,
        sample: Some(Sample { people: 5, phones: None, start_delay_seconds: Some(0) }),
    })
}

fn settings(server: &Server, last: u8, make: Make, door: Door) -> PhoneSettings {
    let at = server.addresses();
    let mut settings = PhoneSettings::new(Mac([2, 0, 0, 0, 0, last]), make, at.sip.ip());
    settings.sip_port = at.sip.port();
    settings.tftp_port = at.tftp.port();
    settings.http_port = at.files.port();
    settings.fetch = vec![door];
    settings
}

fn free_udp_port() -> Result<u16> {
    Ok(std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Tells what happens, with the time.
struct Story {
    began: Instant,
}

impl Story {
    fn line(&mut self, who: &str, what: &str) {
        say!("{:5.1} s  {who:<8} {what}", self.began.elapsed().as_secs_f32());
    }
}
