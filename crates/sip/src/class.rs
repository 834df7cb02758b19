//! Which octets may stand where, as a table of bits.

/// `token`.
pub(crate) const TOKEN: u16 = 1;
/// `unreserved`: needs no escape anywhere in a URI.
pub(crate) const UNRESERVED: u16 = 1 << 1;
/// The user of a SIP URI.
pub(crate) const USER: u16 = 1 << 2;
/// What phones put into the user without the escape it needs, as in `*21#`.
pub(crate) const USER_SENT: u16 = 1 << 3;
/// The password of a SIP URI.
pub(crate) const PASSWORD: u16 = 1 << 4;
/// Names and values of the headers of a URI.
pub(crate) const URI_HEADER: u16 = 1 << 5;
/// Values of URI parameters.
pub(crate) const URI_PARAM: u16 = 1 << 6;
/// Names of parameters.
pub(crate) const PARAM_NAME: u16 = 1 << 7;
/// Values of parameters that are not quoted: a token, a host (also an IPv6 address without
/// brackets), and what else phones put into tags and branches that can't be mistaken.
pub(crate) const PARAM_VALUE: u16 = 1 << 8;
/// Display names that are not quoted: tokens and spaces by the RFC; also what phones send and
/// can't be mistaken.
pub(crate) const DISPLAY: u16 = 1 << 9;
/// Labels of a host name. Underscores are not in the grammar, but in names of real machines.
pub(crate) const LABEL: u16 = 1 << 10;
/// The classes of an octet.
pub(crate) fn of(byte: u8) -> u16 {
    TABLE[usize::from(byte)]
}

static TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = classes(byte as u8);
        byte += 1;
    }
    table
};

const fn classes(byte: u8) -> u16 {
    let alphanumeric = byte.is_ascii_alphanumeric();
    let visible = byte.is_ascii_graphic();
    let unreserved = alphanumeric || has(b"-_.!~*'()", byte);
    let user = unreserved || has(b"&=+$,;?/", byte);
    bit(TOKEN, alphanumeric || has(b"-.!%*_+`'~", byte))
        | bit(UNRESERVED, unreserved)
        | bit(USER, user)
        | bit(USER_SENT, user || byte == b'#')
        | bit(PASSWORD, unreserved || has(b"&=+$,", byte))
        | bit(URI_HEADER, unreserved || has(b"[]/?:+$", byte))
        | bit(URI_PARAM, unreserved || has(b"[]/:&+$", byte))
        | bit(PARAM_NAME, alphanumeric || has(b"-.!%*_+`'~[]/:&$", byte))
        | bit(PARAM_VALUE, visible && !has(b"\",;<>\\?", byte))
        | bit(DISPLAY, byte >= 128 || has(b" \t", byte) || (visible && !has(b"\"<>,;:@\\", byte)))
        | bit(LABEL, alphanumeric || has(b"-_", byte))
}

const fn bit(class: u16, member: bool) -> u16 {
    if member { class } else { 0 }
}

const fn has(set: &[u8], byte: u8) -> bool {
    let mut at = 0;
    while at < set.len() {
        if set[at] == byte {
            return true;
        }
        at += 1;
    }
    false
}
