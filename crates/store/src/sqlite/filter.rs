//! A Bloom filter: whether a key may be there, without a look at the disk.
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

/// Bytes of a vault's salt.
pub(super) const SALT: usize = 16;

/// What a filter asks of a key: drawn from its hash with the vault's salt, so that nobody can choose keys which filters
/// take for their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place([u64; 4]);

impl Place {
    /// Where a point stands, by its x coordinate.
    pub(super) fn of(salt: &[u8; SALT], x: &[u8; 32]) -> Self {
        let digest: [u8; 32] = Sha256::new().chain_update(salt).chain_update(x).finalize().into();
        let (words, _) = digest.as_chunks::<8>();
        Self(std::array::from_fn(|word| u64::from_be_bytes(words[word])))
    }

    /// Which of so many blocks.
    fn block(self, blocks: usize) -> usize {
        // A 64-bit fraction of the number of blocks: no division, and every block is as likely.
        let blocks = u128::try_from(blocks).expect("a length");
        usize::try_from((u128::from(self.0[0]) * blocks) >> 64).expect("below the number of blocks")
    }

    /// Word and bit within the block, [`PROBES`] times: nine bits of the hash for each.
    fn probes(self) -> impl Iterator<Item = (usize, u64)> {
        (0..PROBES).map(move |probe| {
            let bits = if probe < PROBES / 2 { self.0[1] } else { self.0[2] };
            let place = (bits >> (9 * (probe % (PROBES / 2)))) & 511;
            (usize::try_from(place / 64).expect("below eight"), 1 << (place % 64))
        })
    }
}

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

    /// Remembers a key.
    pub(super) fn add(&mut self, place: Place) {
        let block = place.block(self.blocks.len());
        for (word, bit) in place.probes() {
            self.blocks[block][word] |= bit;
        }
    }

    /// Whether a key may have been added. Never false for one that was.
    pub(super) fn may_hold(&self, place: Place) -> bool {
        let block = &self.blocks[place.block(self.blocks.len())];
        place.probes().all(|(word, bit)| block[word] & bit != 0)
    }

    /// As kept on disk: checksum, then the blocks, little-endian. `label`: what it is a filter of, part of the checksum.
    pub(super) fn to_bytes(&self, label: &str) -> Vec<u8> {
        let words = self.blocks.iter().flatten().flat_map(|word| word.to_le_bytes());
        let body: Vec<u8> = words.collect();
        [&checksum(label, &body)[..], &body].concat()
    }

    /// Reads what [`Self::to_bytes`] wrote; `None` if it is damaged, or a filter of something else.
    pub(super) fn from_bytes(label: &str, bytes: &[u8]) -> Option<Self> {
        let (sum, body) = bytes.split_at_checked(CHECKSUM)?;
        let (words, rest) = body.as_chunks::<8>();
        let (blocks, odd) = words.as_chunks::<WORDS>();
        if blocks.is_empty() || !rest.is_empty() || !odd.is_empty() || checksum(label, body) != sum
        {
            return None;
        }
        let blocks = blocks.iter().map(|block| block.map(u64::from_le_bytes)).collect();
        Some(Self { blocks })
    }
}

fn checksum(label: &str, body: &[u8]) -> [u8; CHECKSUM] {
    let digest: [u8; 32] =
        Sha256::new().chain_update(label).chain_update([0]).chain_update(body).finalize().into();
    let mut sum = [0; CHECKSUM];
    sum.copy_from_slice(&digest[..CHECKSUM]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Place {
        Place::of(&[7; SALT], &Sha256::digest(number.to_be_bytes()).into())
    }

    fn filled(count: u64) -> Filter {
        let mut filter = Filter::for_keys(count);
        (0..count).for_each(|number| filter.add(key(number)));
        filter
    }

    #[test]
    fn no_key_is_forgotten_and_few_others_are_taken_for_keys() {
        let filter = filled(20_000);
        assert!((0..20_000).all(|number| filter.may_hold(key(number))));
        let mistaken = (20_000..120_000).filter(|number| filter.may_hold(key(*number))).count();
        assert!(mistaken < 500, "{mistaken} of 100,000");
    }

    /// Whoever chooses keys does not know where they stand: with the key's own bits as places, one whose bits repeat
    /// would pass two fifths of all filters.
    #[test]
    fn chosen_keys_are_taken_for_keys_no_more_than_others() {
        let filter = filled(20_000);
        let chosen = |number: u64| {
            let mut x = [0x55; 32];
            x[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
            Place::of(&[7; SALT], &x)
        };
        let mistaken = (0..100_000).filter(|number| filter.may_hold(chosen(*number))).count();
        assert!(mistaken < 500, "{mistaken} of 100,000");
    }

    #[test]
    fn an_empty_filter_holds_nothing() {
        assert!(!Filter::for_keys(0).may_hold(key(1)));
    }

    #[test]
    fn a_filter_is_read_as_it_was_written_and_damage_is_noticed() {
        let filter = filled(1_000);
        let bytes = filter.to_bytes("a");
        assert_eq!(Filter::from_bytes("a", &bytes), Some(filter));
        for place in [0, 7, 8, 500, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            assert_eq!(Filter::from_bytes("a", &damaged), None, "byte {place}");
        }
        assert_eq!(Filter::from_bytes("b", &bytes), None, "a filter of something else");
        for length in [0, 7, 8, 71, bytes.len() - 64, bytes.len() - 1] {
            assert_eq!(Filter::from_bytes("a", &bytes[..length]), None, "{length} bytes");
        }
    }

    /// What is on operators' disks must be understood for ever.
    #[test]
    fn a_filter_at_rest_never_changes_its_form() {
        let digest: [u8; 32] = Sha256::digest(filled(1_000).to_bytes("spent of era 3")).into();
        assert_eq!(
            tacit_core::hex::encode(&digest),
            "cac5949fa411471aca1f901b37219f9a311257d89b616421fe498730930fb809"
        );
    }
}
