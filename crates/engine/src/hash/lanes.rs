//! Interleaved SHA-256 on processors with SHA extensions (FIPS 180-4; Intel's instruction set
//! reference for how state and message words are packed).

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x,
    _mm_setzero_si128, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32,
    _mm_shuffle_epi8, _mm_shuffle_epi32,
};

use super::LANES;
use crate::id::Id;

const BLOCK: usize = 64;

#[rustfmt::skip]
const K: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// Words a to h at the beginning.
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The hashes, if this processor can.
#[expect(
    unsafe_code,
    reason = "calls code for features that were found to be there"
)]
pub(super) fn all(messages: &[&[u8]]) -> Option<Vec<Id>> {
    let able = is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("sse4.1")
        && is_x86_feature_detected!("ssse3");
    // SAFETY: the features that `hash_all` is compiled for were detected the line above.
    able.then(|| unsafe { hash_all(messages) })
}

/// A message on its way, with its words in the order that the instructions want.
#[derive(Clone, Copy)]
struct Lane<'a> {
    number: usize,
    /// Whole blocks not taken yet.
    blocks: &'a [u8],
    /// The rest of the message with its padding.
    tail: [u8; 2 * BLOCK],
    /// Where in the tail the lane is, and its end.
    at: usize,
    end: usize,
    state: State,
}

#[derive(Clone, Copy)]
struct State {
    abef: __m128i,
    cdgh: __m128i,
}

impl<'a> Lane<'a> {
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn new(number: usize, message: &'a [u8]) -> Self {
        let (blocks, rest) = message.split_at(message.len() / BLOCK * BLOCK);
        let mut tail = [0; 2 * BLOCK];
        tail[..rest.len()].copy_from_slice(rest);
        tail[rest.len()] = 0x80;
        let end = if rest.len() < BLOCK - 8 {
            BLOCK
        } else {
            2 * BLOCK
        };
        tail[end - 8..end].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
        let start = START.map(u32::cast_signed);
        let state = State {
            abef: _mm_set_epi32(start[0], start[1], start[4], start[5]),
            cdgh: _mm_set_epi32(start[2], start[3], start[6], start[7]),
        };
        Self {
            number,
            blocks,
            tail,
            at: 0,
            end,
            state,
        }
    }

    /// What comes next, without a break.
    fn next(&self) -> &[u8] {
        if self.blocks.is_empty() {
            &self.tail[self.at..self.end]
        } else {
            self.blocks
        }
    }

    fn advance(&mut self, bytes: usize) {
        if self.blocks.is_empty() {
            self.at += bytes;
        } else {
            self.blocks = &self.blocks[bytes..];
        }
    }

    fn is_done(&self) -> bool {
        self.blocks.is_empty() && self.at == self.end
    }

    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn id(&self) -> Id {
        let State { abef, cdgh } = self.state;
        let words = [
            _mm_extract_epi32::<3>(abef),
            _mm_extract_epi32::<2>(abef),
            _mm_extract_epi32::<3>(cdgh),
            _mm_extract_epi32::<2>(cdgh),
            _mm_extract_epi32::<1>(abef),
            _mm_extract_epi32::<0>(abef),
            _mm_extract_epi32::<1>(cdgh),
            _mm_extract_epi32::<0>(cdgh),
        ];
        let mut bytes = [0; 32];
        for (bytes, word) in bytes.chunks_exact_mut(4).zip(words) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        Id::from_bytes(bytes)
    }
}

#[target_feature(enable = "sha,sse4.1,ssse3")]
fn hash_all(messages: &[&[u8]]) -> Vec<Id> {
    let mut ids = vec![Id::from_bytes([0; 32]); messages.len()];
    // The longest first, so that lanes are busy to the end.
    let mut order: Vec<usize> = (0..messages.len()).collect();
    order.sort_unstable_by_key(|&number| std::cmp::Reverse(messages[number].len()));
    let mut waiting = order.into_iter();
    let mut lanes: Vec<Lane<'_>> = Vec::with_capacity(LANES);
    loop {
        for number in waiting.by_ref().take(LANES - lanes.len()) {
            lanes.push(Lane::new(number, messages[number]));
        }
        match &mut lanes[..] {
            [] => return ids,
            [a] => run([a]),
            [a, b] => run([a, b]),
            [a, b, c] => run([a, b, c]),
            [a, b, c, d, ..] => run([a, b, c, d]),
        }
        lanes.retain(|lane| {
            if lane.is_done() {
                ids[lane.number] = lane.id();
            }
            !lane.is_done()
        });
    }
}

/// Takes as many blocks as all lanes have.
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn run<const N: usize>(mut lanes: [&mut Lane<'_>; N]) {
    let bytes = lanes
        .iter()
        .map(|lane| lane.next().len())
        .min()
        .unwrap_or(0);
    let mut states: [State; N] = std::array::from_fn(|lane| lanes[lane].state);
    let data: [&[u8]; N] = std::array::from_fn(|lane| &lanes[lane].next()[..bytes]);
    for at in (0..bytes).step_by(BLOCK) {
        compress(&mut states, &data, at);
    }
    for (lane, state) in lanes.iter_mut().zip(states) {
        lane.state = state;
        lane.advance(bytes);
    }
}

/// The block of each lane that begins at `at`.
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn compress<const N: usize>(states: &mut [State; N], data: &[&[u8]; N], at: usize) {
    let before = *states;
    let mut words = [[_mm_setzero_si128(); 4]; N];
    for (words, data) in words.iter_mut().zip(data) {
        for (part, word) in words.iter_mut().enumerate() {
            *word = load(&data[at + 16 * part..]);
        }
    }
    for group in 0..16 {
        let [k0, k1, k2, k3] = [0, 1, 2, 3].map(|i| K[4 * group + i].cast_signed());
        let k = _mm_set_epi32(k3, k2, k1, k0);
        for lane in 0..N {
            let State { abef, cdgh } = states[lane];
            let w = words[lane];
            let sum = _mm_add_epi32(w[0], k);
            let cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            let abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32::<0x0e>(sum));
            states[lane] = State { abef, cdgh };
            let next = _mm_add_epi32(
                _mm_sha256msg1_epu32(w[0], w[1]),
                _mm_alignr_epi8::<4>(w[3], w[2]),
            );
            words[lane] = [w[1], w[2], w[3], _mm_sha256msg2_epu32(next, w[3])];
        }
    }
    for (state, before) in states.iter_mut().zip(before) {
        state.abef = _mm_add_epi32(state.abef, before.abef);
        state.cdgh = _mm_add_epi32(state.cdgh, before.cdgh);
    }
}

/// The first four big-endian words of a block's rest.
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn load(data: &[u8]) -> __m128i {
    let words: &[u8; 16] = data.first_chunk().expect("parts of a block are 16 bytes");
    let (halves, _) = words.as_chunks::<8>();
    let [low, high] = [halves[0], halves[1]].map(i64::from_le_bytes);
    let bytes = _mm_set_epi64x(high, low);
    let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    _mm_shuffle_epi8(bytes, swap)
}
