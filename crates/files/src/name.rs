//! Names of files, as phones ask for them. What is no name of ours is found missing here, before
//! anything is looked up: phones ask for a handful of files that nobody has at every boot.

use jackfield_vocabulary::Mac;

use crate::FileError;

/// What a file name asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileName<'a> {
    /// `<device>.cnf.xml`: the file of an enterprise phone.
    Enterprise {
        /// The device's name, in the case in which it was asked for.
        device: &'a str,
    },
    /// `XMLDefault.cnf.xml`: for enterprise phones that have no file yet.
    Default,
    /// `dialplan.xml`: which dialled digits need no waiting.
    DialPlan,
    /// `7832-3PCC.xml` or `spa525.cfg`: tells a multiplatform phone where its own file is.
    Bootstrap,
    /// A file by hardware address.
    Hardware {
        /// The address.
        mac: Mac,
        /// In which form.
        form: Form,
    },
}

/// The form in which a file by hardware address is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `.xml`: a flat profile.
    FlatProfile,
    /// `.txt`: the plain form.
    Plain,
    /// `.cfg`: whichever of the two the device reads.
    Either,
}

impl<'a> FileName<'a> {
    /// Reads a name: a TFTP file name or the path of a URL, without its query.
    pub(crate) fn parse(path: &'a str) -> Result<Self, FileError> {
        let path = path.strip_prefix('/').unwrap_or(path);
        if is_trick(path) {
            return Err(FileError::Refused);
        }
        let name = without_folder(path).ok_or(FileError::NotFound)?;
        if name.eq_ignore_ascii_case(DEFAULT) {
            return Ok(Self::Default);
        }
        if name == DIAL_PLAN {
            return Ok(Self::DialPlan);
        }
        if let Some(device) = strip_suffix(name, ".cnf.xml") {
            return Ok(Self::Enterprise { device });
        }
        let (stem, form) = form(name).ok_or(FileError::NotFound)?;
        if is_bootstrap(stem) {
            return Ok(Self::Bootstrap);
        }
        let digits = match stem.get(..3) {
            Some(prefix) if prefix.eq_ignore_ascii_case("SEP") => &stem[3..],
            _ => stem,
        };
        if digits.len() != 12 {
            return Err(FileError::NotFound);
        }
        let mac = digits.parse().map_err(|_| FileError::NotFound)?;
        Ok(Self::Hardware { mac, form })
    }
}

/// Climbing, other people's separators, control characters, and what is too long for any phone.
fn is_trick(path: &str) -> bool {
    path.is_empty()
        || path.len() > LONGEST
        || path.bytes().any(|byte| matches!(byte, 0..=0x1f | 0x7f | b'\\' | b':' | b'%'))
        || path.split('/').any(|part| part.is_empty() || part.starts_with('.'))
}

/// The only folder that phones put before a name is the maker's, as in `Cisco/CP-7832-3PCC/`.
fn without_folder(path: &str) -> Option<&str> {
    match path.rsplit_once('/') {
        None => Some(path),
        Some((folder, name)) => {
            let product = folder.strip_prefix("Cisco/")?;
            (!product.contains('/')).then_some(name)
        }
    }
}

fn form(name: &str) -> Option<(&str, Form)> {
    [(".xml", Form::FlatProfile), (".txt", Form::Plain), (".cfg", Form::Either)]
        .into_iter()
        .find_map(|(suffix, form)| Some((strip_suffix(name, suffix)?, form)))
}

/// `$PSN` of multiplatform phones is the series number and `-3PCC`; older ones ask for `spa...`.
fn is_bootstrap(stem: &str) -> bool {
    let stem = stem.strip_prefix("CP-").unwrap_or(stem);
    let is_number = |text: &str| {
        (2..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    stem.strip_suffix("-3PCC").is_some_and(is_number)
        || stem.strip_prefix("spa").is_some_and(is_number)
}

fn strip_suffix<'a>(name: &'a str, suffix: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(suffix.len())?;
    let end = name.get(at..)?;
    (at > 0 && end.eq_ignore_ascii_case(suffix)).then(|| &name[..at])
}

pub(crate) const DIAL_PLAN: &str = "dialplan.xml";
const DEFAULT: &str = "XMLDefault.cnf.xml";
const LONGEST: usize = 128;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_maker_names_files_in_its_own_way() {
        let mac: Mac = "001122AABBCC".parse().unwrap();
        let hardware = |form| Ok(FileName::Hardware { mac, form });
        let table = [
            ("SEP001122AABBCC.cnf.xml", Ok(FileName::Enterprise { device: "SEP001122AABBCC" })),
            ("/SEP001122AABBCC.cnf.xml", Ok(FileName::Enterprise { device: "SEP001122AABBCC" })),
            ("XMLDefault.cnf.xml", Ok(FileName::Default)),
            ("dialplan.xml", Ok(FileName::DialPlan)),
            ("/7832-3PCC.xml", Ok(FileName::Bootstrap)),
            ("CP-8841-3PCC.xml", Ok(FileName::Bootstrap)),
            ("spa525.cfg", Ok(FileName::Bootstrap)),
            ("001122aabbcc.xml", hardware(Form::FlatProfile)),
            ("SEP001122aabbcc.xml", hardware(Form::FlatProfile)),
            ("001122aabbcc.txt", hardware(Form::Plain)),
            ("Cisco/CP-7832-3PCC/001122aabbcc.cfg", hardware(Form::Either)),
        ];
        for (name, expected) in table {
            assert_eq!(FileName::parse(name), expected, "{name}");
        }
    }

    #[test]
    fn what_phones_ask_for_first_is_not_there() {
        for name in [
            "CTLSEP001122AABBCC.tlv",
            "ITLSEP001122AABBCC.tlv",
            "ITLFile.tlv",
            "SEP001122AABBCC.cnf.xml.sgn",
            "SEP001122AABBCC.cnf.xml.enc.sgn",
            "sip78xx.14-1-1.loads",
            "Ringlist.xml",
            "Ringlist-wb.xml",
            "English_United_States/mk-sip.jar",
            "United_States/g3-tones.xml",
            "Desktops/320x212x16/List.xml",
            "softkeyDefault.xml",
            "é.xml",
            ".cnf.xmlx",
        ] {
            let found = FileName::parse(name);
            assert!(found.is_err(), "{name}: {found:?}");
        }
    }

    #[test]
    fn tricks_are_refused() {
        for name in [
            "",
            "/",
            "../SEP001122AABBCC.cnf.xml",
            "Cisco/../SEP001122AABBCC.cnf.xml",
            "..\\SEP001122AABBCC.cnf.xml",
            "//SEP001122AABBCC.cnf.xml",
            "/etc//passwd",
            ".cnf.xml",
            "C:SEP001122AABBCC.cnf.xml",
            "%2e%2e/SEP001122AABBCC.cnf.xml",
            "SEP001122AABBCC.cnf.xml\0.txt",
            "a\nb.xml",
        ] {
            assert_eq!(FileName::parse(name), Err(FileError::Refused), "{name:?}");
        }
        assert_eq!(FileName::parse(&"a".repeat(129)), Err(FileError::Refused));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(name in "\\PC*") {
            let _ = FileName::parse(&name);
        }

        #[test]
        fn a_device_name_never_leaves_its_folder(name in "[A-Za-z0-9./\\\\%:]{0,40}") {
            if let Ok(FileName::Enterprise { device }) = FileName::parse(&name) {
                prop_assert!(!device.contains(['/', '\\', '%', ':']));
                prop_assert!(!device.starts_with('.'));
            }
        }
    }
}
