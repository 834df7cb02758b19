use twox_hash::XxHash3_64;

/// Writes a file in one pass into one buffer.
#[derive(Debug)]
pub(crate) struct Writer {
    body: Vec<u8>,
}

impl Writer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { body: Vec::with_capacity(capacity) }
    }

    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// Writes text of our own as it is.
    pub(crate) fn raw(&mut self, text: &str) -> &mut Self {
        self.body.extend_from_slice(text.as_bytes());
        self
    }

    /// Writes a number in decimal digits.
    pub(crate) fn number(&mut self, number: impl Into<u64>) -> &mut Self {
        let mut digits = [0_u8; 20];
        let mut at = digits.len();
        let mut rest = number.into();
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.body.extend_from_slice(&digits[at..]);
        self
    }

    /// Writes somebody's text into XML: whatever has a meaning there is escaped, and what may not
    /// stand there becomes a space.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        let bytes = text.as_bytes();
        let mut done = 0;
        while let Some(length) = bytes[done..].iter().position(|byte| ESCAPED[usize::from(*byte)]) {
            let at = done + length;
            self.body.extend_from_slice(&bytes[done..at]);
            let written: &[u8] = match bytes[at] {
                b'&' => b"&amp;",
                b'<' => b"&lt;",
                b'>' => b"&gt;",
                b'"' => b"&quot;",
                b'\'' => b"&#39;",
                // U+FFFE and U+FFFF are no characters of XML: they become U+FFFD, the replacement character.
                0xbe | 0xbf if bytes[..at].ends_with(&[0xef, 0xbf]) => &[0xbd],
                0xbe => &[0xbe],
                0xbf => &[0xbf],
                _ => b" ",
            };
            self.body.extend_from_slice(written);
            done = at + 1;
        }
        self.body.extend_from_slice(&bytes[done..]);
        self
    }

    /// Writes `<name>text</name>`.
    pub(crate) fn element(&mut self, name: &str, text: &str) -> &mut Self {
        self.raw("<").raw(name).raw(">").text(text).raw("</").raw(name).raw(">\n")
    }

    /// Writes `<name>number</name>`.
    pub(crate) fn number_element(&mut self, name: &str, number: impl Into<u64>) -> &mut Self {
        self.raw("<").raw(name).raw(">").number(number).raw("</").raw(name).raw(">\n")
    }

    /// Writes `<name_n_>text</name_n_>`, as flat profiles number lines.
    pub(crate) fn numbered(&mut self, name: &str, index: usize, text: &str) -> &mut Self {
        let number = index as u64;
        self.raw("<").raw(name).number(number).raw("_>").text(text);
        self.raw("</").raw(name).number(number).raw("_>\n")
    }

    /// Writes `key=value` as a line; what would end the line becomes a space.
    pub(crate) fn pair(&mut self, key: &str, value: &str) -> &mut Self {
        self.raw(key).raw("=").line_text(value).raw("\n")
    }

    /// Writes text that stays in its line.
    pub(crate) fn line_text(&mut self, text: &str) -> &mut Self {
        let from = self.body.len();
        self.raw(text);
        for byte in &mut self.body[from..] {
            if *byte < 0x20 || *byte == 0x7f {
                *byte = b' ';
            }
        }
        self
    }

    /// Leaves room for [`Writer::stamp`].
    pub(crate) fn stamp_room(&mut self) -> usize {
        let at = self.body.len();
        self.raw("0000000000000000");
        at
    }

    /// Writes a hash of everything that was written into the room at `at`, in 16 digits.
    pub(crate) fn stamp(&mut self, at: usize) {
        let hash = hash(&self.body);
        if let Some(room) = self.body.get_mut(at..at + 16) {
            room.copy_from_slice(&hex(hash));
        }
    }
}

/// The octets that are not written into XML as they are, or may not be.
const ESCAPED: [bool; 256] = {
    let mut escaped = [false; 256];
    let mut octet = 0;
    while octet < 0x20 {
        escaped[octet] = true;
        octet += 1;
    }
    let others = *b"&<>\"'\x7f\xbe\xbf";
    let mut at = 0;
    while at < others.len() {
        escaped[others[at] as usize] = true;
        at += 1;
    }
    escaped
};

/// A hash (XXH3) that tells one version of a file from another; it protects nothing.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

/// Sixteen hexadecimal digits.
pub(crate) fn hex(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    for (at, digit) in digits.iter_mut().enumerate() {
        let nibble = (number >> (60 - at * 4)) & 0xf;
        *digit = b"0123456789abcdef"[nibble as usize];
    }
    digits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Writer) -> &mut Writer) -> String {
        let mut writer = Writer::with_capacity(0);
        write(&mut writer);
        String::from_utf8(writer.into_body()).unwrap()
    }

    #[test]
    fn what_has_a_meaning_in_xml_is_escaped() {
        let text = written(|w| w.element("name", "<b>\"R&D's\"</b>\u{1}\n"));
        assert_eq!(text, "<name>&lt;b&gt;&quot;R&amp;D&#39;s&quot;&lt;/b&gt;  </name>\n");
        assert_eq!(written(|w| w.text("a\u{ffff}b日本")), "a\u{fffd}b日本");
    }

    #[test]
    fn numbers_are_decimal() {
        assert_eq!(
            written(|w| w.number(0_u8).raw(" ").number(u64::MAX)),
            format!("0 {}", u64::MAX)
        );
    }

    #[test]
    fn a_pair_stays_in_its_line() {
        assert_eq!(written(|w| w.pair("name", "a\r\npassword=x")), "name=a  password=x\n");
    }

    #[test]
    fn a_stamp_tells_versions_apart() {
        let stamped = |text: &str| {
            written(|w| {
                let at = w.stamp_room();
                w.raw(text).stamp(at);
                w
            })
        };
        assert_eq!(stamped("one")[16..], *"one");
        assert_ne!(stamped("one")[..16], stamped("two")[..16]);
        assert_eq!(stamped("one"), stamped("one"));
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_element(text in "\\PC*|[\\x00-\\x7f\u{fffe}\u{ffff}]*") {
            let inner = written(|w| w.text(&text));
            let forbidden = ['<', '>', '"', '\'', '\u{fffe}', '\u{ffff}'];
            prop_assert!(!inner.contains(forbidden));
            prop_assert!(inner.chars().all(|c| !c.is_control() || c as u32 > 0x7f));
        }
    }
}
