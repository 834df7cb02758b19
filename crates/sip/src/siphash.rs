//! SipHash-2-4 with 128 bits: a keyed hash that nobody can steer without the key.

/// The hash of `data` under `key`.
pub(crate) fn siphash(key: [u64; 2], data: &[u8]) -> [u64; 2] {
    let mut state = State([
        key[0] ^ 0x736f_6d65_7073_6575,
        key[1] ^ 0x646f_7261_6e64_6f6d ^ 0xee,
        key[0] ^ 0x6c79_6765_6e65_7261,
        key[1] ^ 0x7465_6462_7974_6573,
    ]);
    let mut words = data.chunks_exact(8);
    for word in words.by_ref() {
        state.absorb(word);
    }
    let mut last = [0; 8];
    last[..words.remainder().len()].copy_from_slice(words.remainder());
    last[7] = (data.len() & 0xff) as u8;
    state.absorb(&last);
    [state.squeeze(2, 0xee), state.squeeze(1, 0xdd)]
}

/// The key made of sixteen octets.
pub(crate) fn key(octets: &[u8]) -> [u64; 2] {
    let mut key = [0; 2];
    for (at, octet) in octets.iter().take(16).enumerate() {
        key[at / 8] |= u64::from(*octet) << (at % 8 * 8);
    }
    key
}

struct State([u64; 4]);

impl State {
    fn absorb(&mut self, word: &[u8]) {
        let word = word.iter().rev().fold(0, |word, octet| word << 8 | u64::from(*octet));
        self.0[3] ^= word;
        self.round();
        self.round();
        self.0[0] ^= word;
    }

    fn squeeze(&mut self, lane: usize, mark: u64) -> u64 {
        self.0[lane] ^= mark;
        (0..4).for_each(|_| self.round());
        self.0.iter().fold(0, |sum, lane| sum ^ lane)
    }

    fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.0;
        a = a.wrapping_add(b);
        b = b.rotate_left(13) ^ a;
        a = a.rotate_left(32);
        c = c.wrapping_add(d);
        d = d.rotate_left(16) ^ c;
        a = a.wrapping_add(d);
        d = d.rotate_left(21) ^ a;
        c = c.wrapping_add(b);
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
        self.0 = [a, b, c, d];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(length: u8) -> Vec<u8> {
        let octets: Vec<u8> = (0..16).collect();
        let data: Vec<u8> = (0..length).collect();
        siphash(key(&octets), &data).iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// The first two vectors of the reference implementation.
    #[test]
    fn reference_vectors() {
        assert_eq!(vector(0)[..4], [0xa3, 0x81, 0x7f, 0x04]);
        assert_eq!(vector(0)[8..12], [0x6d, 0xf6, 0x72, 0x14]);
        assert_eq!(vector(1)[..4], [0xda, 0x87, 0xc1, 0xd8]);
    }
}
