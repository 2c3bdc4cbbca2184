//! The town's wallet: what it owns, what it asked for, and what it makes of the answers.

use std::collections::BTreeMap;

use secp256k1::SecretKey;
use tacit_core::secret::Secret;
use tacit_ecash::blind::hash_to_curve;
use tacit_ecash::blinding::Blinding;
use tacit_ecash::keyset::{KeysetId, SecretKeyset};
use tacit_ecash::point::Y;
use tacit_ecash::proof::{BlindSignature, Proof};
use tacit_service::quote::QuoteId;

/// The one source of chance: SplitMix64 (G. Steele et al., "Fast Splittable Pseudorandom Number Generators", 2014).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).expect("small")).expect("below a usize")
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_le_bytes()[0])
    }
}

/// A proof the wallet may spend, with its name at the mint.
#[derive(Clone, Debug)]
pub(crate) struct Coin {
    pub(crate) proof: Proof,
    pub(crate) y: Y,
}

/// An output with a secret and factor drawn by dice.
pub(crate) fn blank(dice: &mut Dice, amount: u64, keyset: KeysetId) -> Blinding {
    let secret = Secret::new(tacit_core::hex::encode(&dice.bytes::<32>()));
    let factor = SecretKey::from_byte_array(dice.bytes()).expect("a scalar, but for 2^-128");
    Blinding::new(amount, keyset, secret, factor).expect("points")
}

/// The coin a signature makes of an output.
pub(crate) fn coin(blank: &Blinding, signed: &BlindSignature, keyset: &SecretKeyset) -> Coin {
    let key = keyset.key(signed.amount).expect("a denomination of the keyset").public();
    let proof = blank.unblind(signed, key).expect("the signature that was asked for");
    let y = hash_to_curve(proof.secret.expose().as_bytes()).expect("a point").y();
    Coin { proof, y }
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Swap,
    Mint(QuoteId),
    Melt(QuoteId),
}

/// A request whose outcome the wallet does not know for certain.
#[derive(Clone, Debug)]
pub(crate) struct Errand {
    pub(crate) kind: Kind,
    /// The request as sent: sent again, it is the same bytes.
    pub(crate) body: Vec<u8>,
    pub(crate) inputs: Vec<Coin>,
    pub(crate) outputs: Vec<Blinding>,
    /// The signatures that arrived first and the batch that gave them; every later answer must equal them.
    pub(crate) answer: Option<(u64, Vec<u8>)>,
}

/// Everything the wallet knows.
#[derive(Default)]
pub(crate) struct Wallet {
    pub(crate) coins: Vec<Coin>,
    pub(crate) errands: BTreeMap<u64, Errand>,
    /// Coins known to be spent, and errands known to be done: material for attempts that must fail.
    pub(crate) spent: Vec<Coin>,
    pub(crate) done: Vec<Errand>,
}

impl Wallet {
    pub(crate) fn value(coins: &[Coin]) -> u64 {
        coins.iter().map(|coin| coin.proof.amount).sum()
    }

    /// Takes up to `count` coins that lie in one unit's keysets, at random.
    pub(crate) fn take(
        &mut self,
        dice: &mut Dice,
        count: usize,
        usable: impl Fn(&Coin) -> bool,
    ) -> Vec<Coin> {
        let mut taken = Vec::new();
        for _ in 0..count * 4 {
            if taken.len() == count || self.coins.is_empty() {
                break;
            }
            let at = dice.below(self.coins.len());
            if usable(&self.coins[at]) {
                taken.push(self.coins.swap_remove(at));
            }
        }
        taken
    }
}
