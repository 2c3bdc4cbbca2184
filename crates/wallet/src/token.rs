//! Tokens that this wallet handed out, and how to have their text again.

use tacit_ecash::token::{ProofDleq, Token, TokenKeyset, TokenProof};

use crate::derive::DeriveError;
use crate::locked::LockedProof;
use crate::operation::Wallet;
use crate::state::{OperationId, ProofId};

/// A token that the state holds. Whoever has its text has the money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedToken {
    /// Under which it stands in the state until it is known to be spent.
    pub id: OperationId,
    /// The token.
    pub token: Token,
}

impl SealedToken {
    /// The token of an id: also after a crash between making it and showing it.
    ///
    /// Without the mint's proofs (NUT-12): by them, whoever sees the token and asks the mint knows which signing each proof is of, and
    /// so when this wallet had the money signed. Whoever receives it learns from the mint whether it holds, when they take it.
    ///
    /// `None` if the state holds no such token: it is spent, or was taken back.
    ///
    /// # Errors
    /// [`DeriveError`], which no input is known to reach.
    pub fn open(wallet: Wallet<'_>, id: OperationId) -> Result<Option<Self>, DeriveError> {
        let mut opened = Self::open_proven(wallet, id)?;
        for proof in opened.iter_mut().flat_map(|sealed| &mut sealed.token.proofs) {
            proof.dleq = None;
        }
        Ok(opened)
    }

    /// The same with the mint's proofs, for a receiver without a network, or whose wallet insists on them.
    ///
    /// # Errors
    /// As [`SealedToken::open`].
    pub fn open_proven(wallet: Wallet<'_>, id: OperationId) -> Result<Option<Self>, DeriveError> {
        let Some(sent) = wallet.state.tokens.get(&id) else { return Ok(None) };
        let proof = |id: &ProofId| -> Result<TokenProof, DeriveError> {
            let stored = wallet.state.proof(id).expect("a token's proofs stay in the state");
            let derived = wallet.seed.derive(&id.keyset, id.counter)?;
            let dleq = ProofDleq { dleq: stored.dleq.into(), blinding_factor: derived.factor };
            Ok(TokenProof {
                amount: stored.amount,
                keyset: TokenKeyset::Full(id.keyset),
                secret: derived.secret,
                signature: stored.signature,
                witness: None,
                dleq: Some(dleq),
            })
        };
        let own = sent.proofs.iter().map(proof);
        let locked = sent.locked.iter().map(LockedProof::token_proof);
        let token = Token {
            mint: sent.mint.as_str().to_owned(),
            unit: Some(sent.unit.code().to_owned()),
            memo: sent.memo.clone(),
            proofs: own.chain(locked).collect::<Result<_, _>>()?,
        };
        Ok(Some(Self { id, token }))
    }
}
