//! Names of files, as phones and everybody else ask for them by TFTP and HTTP.

use std::sync::OnceLock;

use jackfield_files::{Asker, Context, FileError, FileRequest, render, subject};
use jackfield_model::Directory;
use jackfield_model::setup::SipPorts;

/// A name: it names a file whole, or none. No secret is in what a stranger gets.
pub fn file_name(data: &[u8]) {
    static COMPANY: OnceLock<Directory> = OnceLock::new();
    let company = COMPANY.get_or_init(crate::common::company);
    let Ok(path) = core::str::from_utf8(data) else { return };
    let context =
        Context { node: "node1", sip_ports: &SipPorts::new(), web_port: 8080, file_port: 6970 };
    let stranger = Asker { trusted: false };
    let found = render(&FileRequest { path, asker: stranger }, company, &context);
    // Two dots inside a part are part of a name; a part that begins with one leads elsewhere, unless
    // it is nothing but one. So it does when the dot is written in hexadecimal.
    let plain = path.replace("%2e", ".").replace("%2E", ".");
    let mut parts = plain.split('/');
    let tricky = parts.any(|part| part.len() > 1 && part.starts_with('.'))
        || plain.contains(['\\', '\0', '\n'])
        || ["%2f", "%2F", "%5c", "%5C", "%25", "%00"].iter().any(|trick| path.contains(trick));
    match found {
        Ok(file) => {
            assert!(!tricky, "a trick was served");
            let text = core::str::from_utf8(&file.body).expect("a text");
            if let Some(device) = subject(path, company) {
                let password = company.secrets().sip_password(device);
                assert!(!text.contains(password.reveal()), "a stranger got a password");
            }
        }
        Err(FileError::NotFound | FileError::Refused) => {}
        Err(_) => unreachable!("another fault"),
    }
}
