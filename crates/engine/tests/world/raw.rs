//! A phone that writes its own messages, for what no well-behaved one would say. It has no secret.

use jackfield_model::Kind;
use jackfield_sip::{HeaderName, Message};
use jackfield_vocabulary::ObjectId;
use serde_json::json;

use super::World;

/// Where it is, and what it says of itself.
pub struct Raw {
    /// The user of its address of record.
    pub user: String,
    /// Where it sends from.
    pub source: String,
    /// Its Via: `sent-by` and parameters.
    pub via: String,
    pub call_id: String,
    /// Without a secret only a hardware address, or the name of the device, says who it is.
    pub user_agent: String,
    sent: u32,
}

impl Raw {
    pub fn new(user: &str, source: &str) -> Self {
        let (user, source) = (user.to_owned(), source.to_owned());
        let (via, call_id) = (format!("{source};rport"), format!("raw-{user}"));
        Self { user, source, via, call_id, user_agent: "Raw/1.0 (001122aabb01)".into(), sent: 0 }
    }

    /// Sends a REGISTER with these header lines; gives the answer.
    #[track_caller]
    pub fn register(&mut self, world: &mut World, cseq: u32, lines: &str) -> Message {
        self.sent += 1;
        let branch = format!("z9hG4bK-{}-{}", self.call_id, self.sent);
        self.register_in(world, &branch, cseq, lines)
    }

    /// The same as part of the transaction with this branch.
    #[track_caller]
    pub fn register_in(
        &mut self,
        world: &mut World,
        branch: &str,
        cseq: u32,
        lines: &str,
    ) -> Message {
        let Self { user, source, via, call_id, user_agent, .. } = self;
        let text = format!(
            "REGISTER sip:192.0.2.10 SIP/2.0\nVia: SIP/2.0/UDP {via};branch={branch}\n\
             From: <sip:{user}@192.0.2.10>;tag=1\nTo: <sip:{user}@192.0.2.10>\n\
             Call-ID: {call_id}\nCSeq: {cseq} REGISTER\nUser-Agent: {user_agent}\n\
             {lines}Content-Length: 0\n\n"
        );
        world.store.strays.clear();
        world.send_raw(source, &text);
        world.run(1);
        let strays = core::mem::take(&mut world.store.strays).into_iter();
        let mut messages = strays.map(|(_, bytes)| Message::parse_datagram(&bytes).unwrap());
        messages.rfind(|message| !message.is_request()).expect("no answer")
    }
}

/// The contacts that an answer lists, without their parameters.
pub fn contacts(answer: &Message) -> Vec<String> {
    let uri = |contact: &str| contact.split('>').next().unwrap().trim_start_matches('<').to_owned();
    answer.elements(HeaderName::Contact).map(uri).collect()
}

pub fn status(answer: &Message) -> u16 {
    answer.status().unwrap().code()
}

impl World {
    /// A phone with one line whose security profile asks for no secret.
    pub fn open_phone(&mut self, name: &str, number: &str) -> ObjectId {
        if self.directory.find(Kind::SecurityProfile, "Open").is_none() {
            self.create(
                Kind::SecurityProfile,
                json!({ "name": "Open", "transport": "udp", "digest": false }),
            );
        }
        let phone = self.phone(name, number);
        let device = self.phones[&phone].device.unwrap();
        self.change(device, json!({ "security_profile": "Open" }));
        self.phones.remove(&phone);
        device
    }
}
