//! Names of files, as phones ask for them. What is no name of ours is found missing here, before
//! anything is looked up: phones ask for a handful of files that nobody has at every boot.
//!
//! The same name may be written in several ways (RFC 3986 section 6.2.2): with octets in
//! hexadecimal, empty parts, in another case, and hardware addresses with the separators that their
//! makers like. They are brought into one form first. What leads elsewhere is refused in every one
//! of them.

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
    /// `<device>.softkeys.xml`: which softkeys an enterprise phone shows.
    Softkeys {
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

/// The one form of a TFTP file name or the path of a URL, without its query.
pub(crate) fn normal_form(path: &str) -> Result<String, FileError> {
    if path.len() > 3 * LONGEST {
        return Err(FileError::Refused);
    }
    let path = decoded(path).ok_or(FileError::Refused)?;
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    let mut path = parts.collect::<Vec<_>>().join("/");
    if let Some(start) = hardware_address(&path) {
        let (before, name) = path.split_at(start);
        path = format!("{before}{}", compact(name));
    }
    if is_trick(&path) { Err(FileError::Refused) } else { Ok(path) }
}

impl<'a> FileName<'a> {
    /// Reads a name in its normal form.
    pub(crate) fn parse(path: &'a str) -> Result<Self, FileError> {
        let name = without_folder(path).ok_or(FileError::NotFound)?;
        if name.eq_ignore_ascii_case(DEFAULT) {
            return Ok(Self::Default);
        }
        if name.eq_ignore_ascii_case(DIAL_PLAN) {
            return Ok(Self::DialPlan);
        }
        if let Some(device) = strip_suffix(name, ".cnf.xml") {
            return Ok(Self::Enterprise { device });
        }
        if let Some(device) = strip_suffix(name, SOFTKEYS) {
            return Ok(Self::Softkeys { device });
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

/// With the octets that are written in hexadecimal. None when they are none, or would be
/// separators: those mean something else then.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let byte = u8::try_from(digit()? * 16 + digit()?).ok()?;
        if matches!(byte, b'/' | b'\\' | b'%') {
            return None;
        }
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

/// Where the name begins when it is a hardware address with separators, as in
/// `00:11:22:AA:BB:CC.cfg` or `SEP0011.22aa.bbcc.cnf.xml`.
fn hardware_address(path: &str) -> Option<usize> {
    let start = path.rfind('/').map_or(0, |slash| slash + 1);
    let (stem, _) = stem_and_suffix(&path[start..])?;
    let address = stem.get(..3).filter(|prefix| prefix.eq_ignore_ascii_case("SEP"));
    let address = &stem[address.map_or(0, str::len)..];
    let separated = address.contains([':', '-', '.']) && address.parse::<Mac>().is_ok();
    separated.then_some(start)
}

fn compact(name: &str) -> String {
    let (stem, suffix) = stem_and_suffix(name).unwrap_or((name, ""));
    stem.replace([':', '-', '.'], "") + suffix
}

fn stem_and_suffix(name: &str) -> Option<(&str, &str)> {
    let suffixes = [".cnf.xml", SOFTKEYS, ".xml", ".txt", ".cfg"];
    let stem = suffixes.iter().find_map(|suffix| strip_suffix(name, suffix))?;
    Some(name.split_at(stem.len()))
}

/// Climbing, other people's separators, control characters, and what is too long for any phone.
fn is_trick(path: &str) -> bool {
    path.is_empty()
        || path.len() > LONGEST
        || path.bytes().any(|byte| matches!(byte, 0..=0x1f | 0x7f | b'\\' | b':' | b'%'))
        || path.split('/').any(|part| part.starts_with('.'))
}

/// The only folder that phones put before a name is the maker's, as in `Cisco/CP-7832-3PCC/`.
fn without_folder(path: &str) -> Option<&str> {
    match path.rsplit_once('/') {
        None => Some(path),
        Some((folder, name)) => {
            let (maker, product) = folder.split_once('/')?;
            (maker.eq_ignore_ascii_case("Cisco") && !product.contains('/')).then_some(name)
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
    let stem = stem.to_ascii_lowercase();
    let stem = stem.strip_prefix("cp-").unwrap_or(&stem);
    let is_number = |text: &str| {
        (2..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    stem.strip_suffix("-3pcc").is_some_and(is_number)
        || stem.strip_prefix("spa").is_some_and(is_number)
}

fn strip_suffix<'a>(name: &'a str, suffix: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(suffix.len())?;
    let end = name.get(at..)?;
    (at > 0 && end.eq_ignore_ascii_case(suffix)).then(|| &name[..at])
}

pub(crate) const DIAL_PLAN: &str = "dialplan.xml";
/// Stands behind the device's name.
pub(crate) const SOFTKEYS: &str = ".softkeys.xml";
const DEFAULT: &str = "XMLDefault.cnf.xml";
const LONGEST: usize = 128;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_maker_names_files_in_its_own_way() {
        let mac: Mac = "001122AABBCC".parse().unwrap();
        let hardware = |form| FileName::Hardware { mac, form };
        let table = [
            ("SEP001122AABBCC.cnf.xml", FileName::Enterprise { device: "SEP001122AABBCC" }),
            ("/SEP001122AABBCC.cnf.xml", FileName::Enterprise { device: "SEP001122AABBCC" }),
            ("SEP001122AABBCC.softkeys.xml", FileName::Softkeys { device: "SEP001122AABBCC" }),
            ("XMLDefault.cnf.xml", FileName::Default),
            ("dialplan.xml", FileName::DialPlan),
            ("/7832-3PCC.xml", FileName::Bootstrap),
            ("CP-8841-3PCC.xml", FileName::Bootstrap),
            ("spa525.cfg", FileName::Bootstrap),
            ("001122aabbcc.xml", hardware(Form::FlatProfile)),
            ("SEP001122aabbcc.xml", hardware(Form::FlatProfile)),
            ("001122aabbcc.txt", hardware(Form::Plain)),
            ("Cisco/CP-7832-3PCC/001122aabbcc.cfg", hardware(Form::Either)),
        ];
        for (name, expected) in table {
            assert_eq!(read(name), Ok(expected), "{name}");
        }
    }

    /// What a name asks for, however it is written.
    fn read(name: &str) -> Result<FileName<'static>, FileError> {
        let name = normal_form(name)?;
        FileName::parse(name.leak())
    }

    #[test]
    fn a_name_may_be_written_in_several_ways() {
        for (usual, others) in [
            (
                "001122AABBCC.cfg",
                &[
                    "00:11:22:aa:bb:cc.cfg",
                    "00-11-22-AA-BB-CC.cfg",
                    "0011.22aa.bbcc.CFG",
                    "0011-22AA-BBCC.cfg",
                    "00%3A11%3a22:AA:BB:CC.cfg",
                    "//001122AABBCC.cfg",
                    "/./001122aabbcc%2Ecfg",
                    "%30%301122AABBCC.cfg",
                ][..],
            ),
            (
                "Cisco/CP-7832-3PCC/001122AABBCC.xml",
                &["/cisco//CP-7832-3PCC/./00-11-22-AA-BB-CC.XML", "Cisco/x/00:11:22:AA:BB:CC.xml"],
            ),
            ("XMLDefault.cnf.xml", &["/xmldefault.CNF.XML", "//XMLDefault%2ecnf.xml"]),
            ("dialplan.xml", &["DialPlan.xml", "//dialplan.xml"]),
            (
                "SEP001122AABBCC.softkeys.xml",
                &["/SEP00-11-22-AA-BB-CC.SoftKeys.XML", "SEP0011.22AA.BBCC%2esoftkeys.xml"],
            ),
            ("7832-3PCC.xml", &["7832-3pcc.XML", "/%37832-3PCC.xml", "cp-7832-3pcc.xml"]),
        ] {
            for name in others {
                assert_eq!(read(name), read(usual), "{name}");
                assert!(read(name).is_ok(), "{name}");
            }
        }
        for name in [
            "SEP00:11:22:AA:BB:CC.cnf.xml",
            "/SEP0011.22AA.BBCC.cnf.xml",
            "SEP%30011-22AA-BBCC.cnf.xml",
        ] {
            assert_eq!(
                read(name),
                Ok(FileName::Enterprise { device: "SEP001122AABBCC" }),
                "{name}"
            );
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
            let found = read(name);
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
            ".cnf.xml",
            "/.../SEP001122AABBCC.cnf.xml",
            "Cisco/%2E%2e/SEP001122AABBCC.cnf.xml",
            "//..//SEP001122AABBCC.cnf.xml",
            "Cisco%2FCP-7832-3PCC%2f001122AABBCC.cfg",
            "%5CSEP001122AABBCC.cnf.xml",
            "%252e%252e/SEP001122AABBCC.cnf.xml",
            "%2",
            "%zz.xml",
            "%ff.xml",
            "00:11:22:AA:BB:CC:DD.cfg",
            "C:SEP001122AABBCC.cnf.xml",
            "%2e%2e/SEP001122AABBCC.cnf.xml",
            "SEP001122AABBCC.cnf.xml\0.txt",
            "a\nb.xml",
        ] {
            assert_eq!(read(name), Err(FileError::Refused), "{name:?}");
        }
        assert_eq!(read(&"a".repeat(129)), Err(FileError::Refused));
        assert_eq!(read(&"/".repeat(500)), Err(FileError::Refused));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(name in "\\PC*") {
            let _ = normal_form(&name).map(|name| FileName::parse(&name).is_ok());
        }

        #[test]
        fn a_device_name_never_leaves_its_folder(name in "[A-Za-z0-9./\\\\%:]{0,40}") {
            let Ok(name) = normal_form(&name) else { return Ok(()) };
            if let Ok(FileName::Enterprise { device }) = FileName::parse(&name) {
                prop_assert!(!device.contains(['/', '\\', '%', ':']));
                prop_assert!(!device.starts_with('.'));
            }
        }
    }
}
