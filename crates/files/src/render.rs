use jackfield_model::setup::SipPorts;
use jackfield_model::{Dialect, Directory};
use jackfield_vocabulary::{Mac, ObjectId};

use crate::name::{FileName, Form, normal_form};
use crate::newcomer::Newcomer;
use crate::view::View;
use crate::{
    bootstrap, default_file, dial_plan, enterprise, flat_profile, plain, softkeys, writer,
};

/// A wanted file.
#[derive(Clone, Copy, Debug)]
pub struct FileRequest<'a> {
    /// The TFTP file name, or the path of the URL without its query.
    pub path: &'a str,
    /// Who wants it.
    pub asker: Asker,
}

/// Who wants a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    /// May have the secrets in it: [`AccessTable::trusts`](crate::AccessTable::trusts) said so of
    /// the device that [`subject`] names.
    pub trusted: bool,
}

/// Where the file is rendered.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The name of the node.
    pub node: &'a str,
    /// The ports on which nodes listen for SIP.
    pub sip_ports: &'a SipPorts,
    /// The TCP port of web pages and REST.
    pub web_port: u16,
    /// The TCP port on which files are served by HTTP.
    pub file_port: u16,
}

/// A rendered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its media type.
    pub content_type: &'static str,
    /// The file.
    pub body: Vec<u8>,
}

/// Why there is no such file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// There is none of this name.
    #[error("no such file")]
    NotFound,
    /// The name is a trick.
    #[error("no acceptable file name")]
    Refused,
}

impl File {
    /// Its entity tag, in quotation marks.
    pub fn etag(&self) -> String {
        let digits = writer::hex(writer::hash(&self.body));
        let mut tag = String::with_capacity(18);
        tag.push('"');
        tag.extend(digits.map(char::from));
        tag.push('"');
        tag
    }
}

/// The device whose file a name asks for, where there is one: the device for which the asker's
/// address is judged.
pub fn subject(path: &str, directory: &Directory) -> Option<ObjectId> {
    match FileName::parse(&normal_form(path).ok()?).ok()? {
        FileName::Enterprise { device } | FileName::Softkeys { device } => directory.device(device),
        FileName::Hardware { mac, .. } => directory.phone_by_mac(mac),
        FileName::Default | FileName::DialPlan | FileName::Bootstrap => None,
    }
}

/// Renders a file.
pub fn render(
    request: &FileRequest<'_>,
    directory: &Directory,
    context: &Context<'_>,
) -> Result<File, FileError> {
    render_for(request.path, directory, context, |_| request.asker.trusted)
}

/// Renders a file for whoever may have the secrets of the devices that `trusts` says; finds the
/// device once.
pub fn render_for(
    path: &str,
    directory: &Directory,
    context: &Context<'_>,
    trusts: impl FnOnce(ObjectId) -> bool,
) -> Result<File, FileError> {
    let view = |device: ObjectId| {
        let asker = Asker { trusted: trusts(device) };
        View::find(device, asker, directory, context).ok_or(FileError::NotFound)
    };
    let path = normal_form(path)?;
    let name = FileName::parse(&path)?;
    match name {
        FileName::Default => Ok(xml(default_file::render(directory, context))),
        FileName::DialPlan => Ok(xml(dial_plan::render(&directory.cluster()))),
        FileName::Bootstrap => bootstrap::render(directory, context).map(xml),
        FileName::Enterprise { device } | FileName::Softkeys { device } => {
            let view = view(directory.device(device).ok_or(FileError::NotFound)?)?;
            match (view.model.dialect, name) {
                (Dialect::Enterprise | Dialect::Virtual, FileName::Softkeys { .. }) => {
                    Ok(xml(softkeys::render(&view)))
                }
                (Dialect::Enterprise | Dialect::Virtual, _) => Ok(xml(enterprise::render(&view))),
                _ => Err(FileError::NotFound),
            }
        }
        FileName::Hardware { mac, form } => match directory.phone_by_mac(mac) {
            Some(device) => by_hardware(form, &view(device)?),
            None => newcomer(mac, form, directory, context),
        },
    }
}

fn by_hardware(form: Form, view: &View<'_>) -> Result<File, FileError> {
    match (form, view.model.dialect) {
        (Form::FlatProfile, Dialect::Multiplatform | Dialect::Virtual)
        | (Form::Either, Dialect::Multiplatform) => Ok(xml(flat_profile::render(view))),
        (Form::Plain | Form::Either, Dialect::Generic | Dialect::Virtual) => {
            Ok(text(plain::render(view)))
        }
        _ => Err(FileError::NotFound),
    }
}

fn newcomer(
    mac: Mac,
    form: Form,
    directory: &Directory,
    context: &Context<'_>,
) -> Result<File, FileError> {
    let newcomer = Newcomer::find(mac, directory, context).ok_or(FileError::NotFound)?;
    Ok(match form {
        Form::FlatProfile => xml(newcomer.flat_profile()),
        Form::Plain | Form::Either => text(newcomer.plain()),
    })
}

fn xml(body: Vec<u8>) -> File {
    File { content_type: "text/xml; charset=utf-8", body }
}

fn text(body: Vec<u8>) -> File {
    File { content_type: "text/plain; charset=utf-8", body }
}
