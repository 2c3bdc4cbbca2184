//! Outputs under a lock, for somebody else: not from the words, which could not find them again.
//!
//! A lock is not in the words, so neither its proofs' secrets nor their blinding factors need to come from them; the
//! counters of NUT-13 stay for what can be restored. Until they are handed out, the state is the only place where
//! they are, and it keeps them whole.

use hmac::{Hmac, KeyInit, Mac};
use secp256k1::SecretKey;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tacit_core::hex;
use tacit_core::secret::{self, Secret};
use tacit_ecash::blinding::Blinding;
use tacit_ecash::condition::lock::Malformed;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::message::Dleq;
use tacit_ecash::payment_request::lock_option::LockOption;
use tacit_ecash::point::PointBytes;
use tacit_ecash::proof::Proof;
use tacit_ecash::token::{ProofDleq, TokenKeyset, TokenProof};

use crate::derive::DeriveError;

/// What a token's proofs are to be locked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locking {
    /// The lock.
    pub option: LockOption,
    /// 32 random bytes, used for nothing else: nonces and blinding factors come from them.
    pub random: Secret<[u8; 32]>,
}

/// An output under a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedOutput {
    /// Place among the outputs of its request, from 0.
    pub place: usize,
    /// Denomination, in minor units.
    pub amount: u64,
    /// `x`: the lock.
    #[serde(with = "secret::text")]
    pub secret: Secret<String>,
    /// `r`, in hexadecimal.
    #[serde(with = "secret::text")]
    pub factor: Secret<String>,
}

/// A proof under a lock, with all that its receiver needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedProof {
    /// Keyset that signed it.
    pub keyset: KeysetId,
    /// Denomination, in minor units.
    pub amount: u64,
    /// `x`: the lock.
    #[serde(with = "secret::text")]
    pub secret: Secret<String>,
    /// `r`, in hexadecimal.
    #[serde(with = "secret::text")]
    pub factor: Secret<String>,
    /// `C`.
    pub signature: PointBytes,
    /// The mint's proof of its key (NUT-12).
    pub dleq: Dleq,
}

impl Locking {
    /// Outputs of these amounts, at these places in a request.
    ///
    /// # Errors
    /// [`Malformed`] if the lock opens for nobody: money under it would be lost.
    pub(crate) fn outputs(&self, parts: &[(usize, u64)]) -> Result<Vec<LockedOutput>, Malformed> {
        self.option.condition()?;
        let output = |(number, (place, amount)): (u64, &(usize, u64))| {
            let secret = self.option.to_secret(&self.digest(b"nonce", number))?;
            // A digest that is no scalar is not known to exist; the mint would be shown it, and nothing be lost.
            let factor = Secret::new(hex::encode(&self.digest(b"factor", number)));
            Ok(LockedOutput { place: *place, amount: *amount, secret, factor })
        };
        (0..).zip(parts).map(output).collect()
    }

    fn digest(&self, what: &[u8], number: u64) -> [u8; 32] {
        let keyed = Hmac::<Sha256>::new_from_slice(self.random.expose());
        let keyed = keyed.expect("HMAC takes any key").chain_update(what);
        keyed.chain_update(number.to_be_bytes()).finalize().into_bytes().into()
    }
}

impl LockedOutput {
    pub(crate) fn blinding(&self, keyset: KeysetId) -> Result<Blinding, DeriveError> {
        let factor = factor(&self.factor)?;
        Ok(Blinding::new(self.amount, keyset, self.secret.clone(), factor)?)
    }
}

impl LockedProof {
    /// As it is spent, without witness.
    pub(crate) fn proof(&self) -> Proof {
        let Self { keyset, amount, secret, signature, .. } = self.clone();
        Proof { amount, keyset, secret, signature, witness: None }
    }

    /// As it is handed out.
    pub(crate) fn token_proof(&self) -> Result<TokenProof, DeriveError> {
        let dleq = ProofDleq { dleq: self.dleq.into(), blinding_factor: factor(&self.factor)? };
        Ok(TokenProof {
            amount: self.amount,
            keyset: TokenKeyset::Full(self.keyset),
            secret: self.secret.clone(),
            signature: self.signature,
            witness: None,
            dleq: Some(dleq),
        })
    }
}

fn factor(text: &Secret<String>) -> Result<SecretKey, DeriveError> {
    let bytes = hex::decode(text.expose()).ok();
    bytes
        .and_then(|bytes| SecretKey::from_byte_array(bytes).ok())
        .ok_or(DeriveError::NoScalar { counter: 0 })
}
