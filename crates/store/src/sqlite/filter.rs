//! A Bloom filter of keys that are hashes already: whether a key may be there, without a look at the disk.
//!
//! B. H. Bloom, "Space/Time Trade-offs in Hash Coding with Allowable Errors", CACM 13 (1970); in blocks of one cache line as in
//! F. Putze, P. Sanders, J. Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2007). Our own, because filters are kept
//! on disk, where a library that one day hashes otherwise would forget spent proofs.

use sha2::{Digest, Sha256};

/// Bits for a key: about one key in 500 that is not there is taken for one that may be.
const BITS_PER_KEY: u64 = 16;

/// Bits of a key that are set in its block.
const PROBES: u32 = 8;

/// Words of a block: one cache line.
const WORDS: usize = 8;

/// Bytes of the checksum before the blocks of a filter at rest.
const CHECKSUM: usize = 8;

/// A set of keys that forgets none and may take others for its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    blocks: Vec<[u64; WORDS]>,
}

impl Filter {
    /// An empty filter for so many keys.
    pub(super) fn for_keys(count: u64) -> Self {
        let bits = u64::try_from(WORDS).expect("a few") * 64;
        let blocks = (count * BITS_PER_KEY).div_ceil(bits).max(1);
        let blocks = usize::try_from(blocks).expect("a filter that fits into memory");
        Self { blocks: vec![[0; WORDS]; blocks] }
    }

    /// Remembers a key: the x coordinate of a point.
    pub(super) fn add(&mut self, x: &[u8; 32]) {
        let block = self.block_of(x);
        for (word, bit) in probes(x) {
            self.blocks[block][word] |= bit;
        }
    }

    /// Whether a key may have been added. Never false for one that was.
    pub(super) fn may_hold(&self, x: &[u8; 32]) -> bool {
        let block = &self.blocks[self.block_of(x)];
        probes(x).all(|(word, bit)| block[word] & bit != 0)
    }

    fn block_of(&self, x: &[u8; 32]) -> usize {
        // A 64-bit fraction of the number of blocks: no division, and every block is as likely.
        let blocks = u128::try_from(self.blocks.len()).expect("a length");
        usize::try_from((u128::from(word_at(x, 0)) * blocks) >> 64)
            .expect("below the number of blocks")
    }

    /// As kept on disk: checksum, then the blocks, little-endian.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let words = self.blocks.iter().flatten().flat_map(|word| word.to_le_bytes());
        let body: Vec<u8> = words.collect();
        [&checksum(&body)[..], &body].concat()
    }

    /// Reads what [`Self::to_bytes`] wrote; `None` if it is damaged.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (sum, body) = bytes.split_at_checked(CHECKSUM)?;
        let (words, rest) = body.as_chunks::<8>();
        let (blocks, odd) = words.as_chunks::<WORDS>();
        if blocks.is_empty() || !rest.is_empty() || !odd.is_empty() || checksum(body) != sum {
            return None;
        }
        let blocks = blocks.iter().map(|block| block.map(u64::from_le_bytes)).collect();
        Some(Self { blocks })
    }
}

/// Where the bits of a key stand within its block: nine bits of the key for each.
fn probes(x: &[u8; 32]) -> impl Iterator<Item = (usize, u64)> {
    let (low, high) = (word_at(x, 8), word_at(x, 16));
    (0..PROBES).map(move |probe| {
        let bits = if probe < PROBES / 2 { low } else { high };
        let place = (bits >> (9 * (probe % (PROBES / 2)))) & 511;
        (usize::try_from(place / 64).expect("below eight"), 1 << (place % 64))
    })
}

fn word_at(x: &[u8; 32], from: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&x[from..from + 8]);
    u64::from_be_bytes(word)
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM] {
    let digest: [u8; 32] = Sha256::digest(body).into();
    let mut sum = [0; CHECKSUM];
    sum.copy_from_slice(&digest[..CHECKSUM]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> [u8; 32] {
        Sha256::digest(number.to_be_bytes()).into()
    }

    fn filled(count: u64) -> Filter {
        let mut filter = Filter::for_keys(count);
        (0..count).for_each(|number| filter.add(&key(number)));
        filter
    }

    #[test]
    fn no_key_is_forgotten_and_few_others_are_taken_for_keys() {
        let filter = filled(20_000);
        assert!((0..20_000).all(|number| filter.may_hold(&key(number))));
        let mistaken = (20_000..120_000).filter(|number| filter.may_hold(&key(*number))).count();
        assert!(mistaken < 500, "{mistaken} of 100,000");
    }

    #[test]
    fn an_empty_filter_holds_nothing() {
        assert!(!Filter::for_keys(0).may_hold(&key(1)));
    }

    #[test]
    fn a_filter_is_read_as_it_was_written_and_damage_is_noticed() {
        let filter = filled(1_000);
        let bytes = filter.to_bytes();
        assert_eq!(Filter::from_bytes(&bytes), Some(filter));
        for place in [0, 7, 8, 500, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            assert_eq!(Filter::from_bytes(&damaged), None, "byte {place}");
        }
        for length in [0, 7, 8, 71, bytes.len() - 64, bytes.len() - 1] {
            assert_eq!(Filter::from_bytes(&bytes[..length]), None, "{length} bytes");
        }
    }

    /// What is on operators' disks must be understood for ever.
    #[test]
    fn a_filter_at_rest_never_changes_its_form() {
        let digest: [u8; 32] = Sha256::digest(filled(1_000).to_bytes()).into();
        assert_eq!(
            tacit_core::hex::encode(&digest),
            "cf3b899f57f699fb7924069eed09d441cf43784b3d44bfa1992c930d180e22ae"
        );
    }
}
