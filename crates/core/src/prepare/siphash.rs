//! SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012) under a fixed key.
//!
//! The standard library's hasher may change from one release to the next; what chooses a control
//! group must not.

const KEY: (u64, u64) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);

struct State([u64; 4]);

impl State {
    const fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.0;
        a = a.wrapping_add(b);
        c = c.wrapping_add(d);
        b = b.rotate_left(13) ^ a;
        d = d.rotate_left(16) ^ c;
        a = a.rotate_left(32);
        c = c.wrapping_add(b);
        a = a.wrapping_add(d);
        b = b.rotate_left(17) ^ c;
        d = d.rotate_left(21) ^ a;
        c = c.rotate_left(32);
        self.0 = [a, b, c, d];
    }

    const fn absorb(&mut self, word: u64) {
        self.0[3] ^= word;
        self.round();
        self.round();
        self.0[0] ^= word;
    }

    const fn finish(&mut self, mark: (usize, u64)) -> u64 {
        let [a, b, c, d] = self.0;
        self.0 = match mark {
            (1, value) => [a, b ^ value, c, d],
            (_, value) => [a, b, c ^ value, d],
        };
        self.round();
        self.round();
        self.round();
        self.round();
        self.0[0] ^ self.0[1] ^ self.0[2] ^ self.0[3]
    }
}

/// The hash of these bytes: the same on every machine and in every version.
pub(super) fn hash128(bytes: &[u8]) -> u128 {
    let mut state = State([
        KEY.0 ^ 0x736f_6d65_7073_6575,
        KEY.1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
        KEY.0 ^ 0x6c79_6765_6e65_7261,
        KEY.1 ^ 0x7465_6462_7974_6573,
    ]);
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        state.absorb(little_endian(word));
    }
    state.absorb(little_endian(words.remainder()) | ((bytes.len() as u64) << 56));
    let low = state.finish((2, 0xee));
    let high = state.finish((1, 0xdd));
    u128::from(high) << 64 | u128::from(low)
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |word, &byte| word << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first of the published test vectors: the empty input, and one byte.
    #[test]
    fn agrees_with_the_published_vectors() {
        let hex = |bytes: &[u8]| {
            let hash = hash128(bytes).to_le_bytes();
            hash.iter().map(|b| format!("{b:02x}")).collect::<String>()
        };
        assert_eq!(hex(&[]), "a3817f04ba25a8e66df67214c7550293");
        assert_eq!(hex(&[0]), "da87c1d86b99af44347659119b22fc45");
    }
}
