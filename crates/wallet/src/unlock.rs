//! Opens the locks of what is received: with the wallet's own keys, and a preimage if there is one (NUT-11, NUT-14).

use std::collections::BTreeMap;

use secp256k1::{SecretKey, XOnlyPublicKey};
use tacit_ecash::condition::lock::{Condition, Lock, SignatureFlag, Terms};
use tacit_ecash::condition::witness::{Signature, Witness, sign_all, sign_input};
use tacit_ecash::condition::{ConditionError, Preimage, Spend, unlock};
use tacit_ecash::proof::{BlindedMessage, Proof};

use crate::operation::Wallet;

/// Keys tried beyond those that the state knows of: it may be an older copy, or made from the words alone.
const KEYS_AHEAD: u32 = 100;

/// Gives the proofs their witnesses, and makes sure that they open what they are for, as a mint would see it.
///
/// Signatures that a proof carries already are kept: they may be those of others who must sign, too.
///
/// # Errors
/// [`ConditionError`] for the first proof that stays locked.
pub(crate) fn open(
    wallet: Wallet<'_>,
    proofs: &mut [Proof],
    outputs: &[BlindedMessage],
    preimage: Option<Preimage>,
) -> Result<(), ConditionError> {
    let condition_of = |proof: &Proof| Condition::parse(proof.secret.expose()).ok().flatten();
    let conditions: Vec<Option<Condition>> = proofs.iter().map(condition_of).collect();
    if conditions.iter().any(Option::is_some) {
        let keys = own_keys(wallet);
        let locked = proofs.to_vec();
        let spend = Spend { inputs: &locked, outputs, melt_quote: None };
        let is_all = |condition: &Condition| condition.terms().flag == SignatureFlag::All;
        let is_together = conditions.iter().flatten().any(is_all);
        for (index, (proof, condition)) in proofs.iter_mut().zip(&conditions).enumerate() {
            let Some(condition) = condition else { continue };
            if is_together && index != 0 {
                break; // The first witness is for all (NUT-11, "SIG_ALL").
            }
            let signers = signers(condition.terms(), &keys);
            let sign = |key: &&SecretKey| -> Signature {
                let aux = wallet.seed.aux(proof.secret.expose());
                match is_together {
                    true => sign_all(&spend, key, &aux),
                    false => sign_input(&proof.secret, key, &aux),
                }
            };
            let carried = proof.witness.as_ref().map(|text| Witness::parse(text.expose()));
            let mut witness = carried.and_then(Result::ok).unwrap_or_default();
            witness.signatures.extend(signers.iter().map(sign));
            if let Lock::Hash(hash) = condition.terms().lock {
                let fits = |preimage: &Preimage| preimage.hash() == hash;
                witness.preimage = preimage.filter(fits).or(witness.preimage);
            }
            if witness != Witness::default() {
                proof.witness = Some(witness.to_text());
            }
        }
    }
    let spend = Spend { inputs: proofs, outputs, melt_quote: None };
    unlock(&spend, wallet.now).map(|_| ())
}

/// The wallet's own keys by what locks show of them.
fn own_keys(wallet: Wallet<'_>) -> BTreeMap<XOnlyPublicKey, SecretKey> {
    let count = wallet.state.lock_keys.saturating_add(KEYS_AHEAD);
    let keys = wallet.seed.lock_keys(0..count);
    keys.map(|key| (key.x_only_public_key(secp256k1::SECP256K1).0, key)).collect()
}

/// Own keys among those of a lock, each once.
fn signers<'a>(terms: &Terms, keys: &'a BTreeMap<XOnlyPublicKey, SecretKey>) -> Vec<&'a SecretKey> {
    let locking = match &terms.lock {
        Lock::Key(key) => Some(key),
        Lock::Hash(_) => None,
    };
    let named = locking.into_iter().chain(&terms.pubkeys).chain(terms.refund.iter().flatten());
    let mut named: Vec<XOnlyPublicKey> = named.map(|key| key.x_only_public_key().0).collect();
    named.sort_unstable();
    named.dedup();
    named.iter().filter_map(|key| keys.get(key)).collect()
}
