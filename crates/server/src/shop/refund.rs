//! Refunds: on the payer's own outputs, or by a code that yields a token.

use hmac::{Hmac, KeyInit, Mac};
use secp256k1::SecretKey;
use sha2::Sha256;
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::unit::Unit;
use tacit_ecash::blind::{blind, hash_to_curve, unblind};
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::proof::{BlindSignature, BlindedMessage};
use tacit_ecash::token::{Token, TokenKeyset, TokenProof};
use tacit_service::desk::merchant::Merchant;
use tacit_service::desk::paper::{Begun, OrderPaper, RefundPaper, RefundWay};
use tacit_service::mint::{Mint, OutputError};
use tacit_service::order::{FetchError, RefundError, RefundTo};
use tacit_service::posting::FactId;
use tacit_service::vault::{Change, Outcome};

use super::order::digest;
use super::refusal::ShopRefusal;
use super::{not_committed, refused, request};
use crate::desk::Desk;
use crate::desk::refusal::Refusal;
use crate::state::Step;

/// Gives back all or part of what was paid, or finds the refund that was made under the same key.
///
/// # Errors
/// [`ShopRefusal`], and those of both databases.
pub(crate) async fn refund(
    desk: &Desk,
    merchant: &Merchant,
    paper: &OrderPaper,
    request_key: &str,
    amount: u64,
) -> Result<RefundPaper, Refusal> {
    let id = merchant.naming.refund(paper.id, request_key);
    let begun = RefundPaper {
        id,
        order: paper.id,
        request_key: request_key.to_owned(),
        request_digest: digest(&amount),
        amount,
        way: RefundWay::Blanks,
        code_hash: merchant.naming.refund_code(id).hash(),
        created: desk.now().day(),
        is_done: false,
    };
    match desk.run(move |store| Ok(store.begin_refund(&begun)?)).await? {
        Begun::New(refund) | Begun::Same(refund) => carry_out(desk, refund).await,
        Begun::Other => Err(ShopRefusal::RequestKeyReused.into()),
    }
}

/// Carries out a refund that is not known to be done: on the payer's outputs if they suffice, else by its code. Which way is
/// tried is put down before it is, so that whoever takes this up again knows how it was done.
pub(super) async fn carry_out(
    desk: &Desk,
    mut refund: RefundPaper,
) -> Result<RefundPaper, Refusal> {
    while !refund.is_done {
        let id = refund.id;
        match commit(desk, &refund).await? {
            Ok(()) => {
                let order = refund.order;
                let finish = desk.run(move |store| {
                    store.finish_refund(id)?;
                    Ok(store.refunds(order)?.into_iter().find(|known| known.id == id))
                });
                // Gone only if the same request was refused beside this one: the next puts it down again.
                refund = finish.await?.ok_or(Refusal::Busy)?;
            }
            Err(RefundError::NoBlanks) if refund.way == RefundWay::Blanks => {
                desk.run(move |store| Ok(store.set_refund_way(id, RefundWay::Code)?)).await?;
                refund.way = RefundWay::Code;
            }
            Err(error) => {
                desk.run(move |store| Ok(store.drop_refund(id)?)).await?;
                return Err(match error {
                    RefundError::UnknownOrder | RefundError::NotPaid => ShopRefusal::NotPaid,
                    RefundError::Conflict => ShopRefusal::RequestKeyReused,
                    RefundError::TooMuch => ShopRefusal::TooMuch,
                    RefundError::Account(_) | RefundError::NoBlanks => ShopRefusal::Account,
                }
                .into());
            }
        }
    }
    Ok(refund)
}

async fn commit(desk: &Desk, refund: &RefundPaper) -> Result<Result<(), RefundError>, Refusal> {
    let (order, id, amount) = (refund.order, refund.id, refund.amount);
    let to = match refund.way {
        RefundWay::Blanks => RefundTo::Blanks,
        RefundWay::Code => RefundTo::Code,
    };
    let known = desk.shared.ask(move |reader| Ok(reader.order(order)?)).await.map_err(refused)?;
    let Some(order) = known else { return Ok(Err(RefundError::UnknownOrder)) };
    let change = Change::Refund { order, refund: id, amount, to };
    let committed = desk.shared.writer.commit(change).await.map_err(not_committed)?;
    let Outcome::Refunded(refunded) = committed.outcome else { unreachable!("it was a refund") };
    Ok(refunded.map(|_| ()))
}

/// The token of a refund that waits under a code. Asked again, it is the same: what it is made of follows from the mint's seed
/// and the refund's name.
///
/// # Errors
/// Those of the vault; [`Refusal::NotFound`] if no refund waits there.
pub(crate) async fn fetch(
    desk: &Desk,
    paper: &OrderPaper,
    refund: &RefundPaper,
) -> Result<Secret<String>, Refusal> {
    let (unit, id, amount) = (paper.unit, refund.id, refund.amount);
    let mint = desk.shared.mint();
    // What was fetched before a rotation is of a keyset that no longer signs, so the older ones are tried, too.
    let mut keysets: Vec<KeysetId> = mint
        .keysets()
        .iter()
        .filter(|keyset| keyset.record().spec.unit == unit)
        .map(|keyset| keyset.record().id)
        .collect();
    keysets.reverse();
    for keyset in keysets {
        let own = Own::derive(desk.shared.seed.expose(), &mint, keyset, id, amount)?;
        match sign(desk, unit, id, own.messages.clone()).await? {
            Ok(signatures) => {
                let url = request::mint_url(&desk.shared, paper.unit).ok_or(Refusal::Internal)?;
                return own.token(&mint, keyset, &signatures, url, unit);
            }
            Err(FetchError::Fetched | FetchError::Output(OutputError::KeysetInactive { .. })) => {}
            Err(FetchError::Unknown | FetchError::WrongAmount) => return Err(Refusal::NotFound),
            Err(error @ FetchError::Output(_)) => return Err(Refusal::internal(&error)),
        }
    }
    Err(Refusal::NotFound)
}

async fn sign(
    desk: &Desk,
    unit: Unit,
    refund: FactId,
    messages: Vec<BlindedMessage>,
) -> Result<Result<Vec<BlindSignature>, FetchError>, Refusal> {
    let done = desk.shared.transact(
        move |_, shared| match shared.mint().prepare_fetch(unit, refund, &messages) {
            Ok(prepared) => Ok(Step::Commit(Change::FetchRefund(prepared))),
            Err(error) => Ok(Step::Done(Err(error))),
        },
        |change, outcome| {
            let Change::FetchRefund(prepared) = change else { unreachable!("it was a fetch") };
            Ok(prepared.answer(outcome))
        },
    );
    done.await.map_err(refused)
}

/// Outputs the mint makes in the payer's place.
struct Own {
    messages: Vec<BlindedMessage>,
    /// Secret text and blinding factor of each.
    secrets: Vec<(String, SecretKey)>,
}

impl Own {
    fn derive(
        seed: &[u8; 32],
        mint: &Mint,
        keyset: KeysetId,
        refund: FactId,
        amount: u64,
    ) -> Result<Self, Refusal> {
        let keys = mint.keyset(&keyset).ok_or(Refusal::Internal)?.keys();
        let (mut messages, mut secrets) = (Vec::new(), Vec::new());
        for (index, part) in keys.split(amount).into_iter().enumerate() {
            let derive = |what: &str, attempt: u8| -> [u8; 32] {
                let mut mac = Hmac::<Sha256>::new_from_slice(seed).expect("any length is a key");
                mac.update(b"Tacit refund by code\0");
                mac.update(what.as_bytes());
                mac.update(keyset.as_bytes());
                mac.update(refund.as_bytes());
                mac.update(&(index as u64).to_be_bytes());
                mac.update(&[attempt]);
                mac.finalize().into_bytes().into()
            };
            let secret = hex::encode(&derive("secret\0", 0));
            let factor = (0..=u8::MAX)
                .find_map(|attempt| SecretKey::from_byte_array(derive("factor\0", attempt)).ok());
            let factor = factor.ok_or(Refusal::Internal)?;
            let point =
                hash_to_curve(secret.as_bytes()).map_err(|error| Refusal::internal(&error))?;
            let blinded = blind(&point, &factor).map_err(|error| Refusal::internal(&error))?;
            messages.push(BlindedMessage { amount: part, keyset, blinded });
            secrets.push((secret, factor));
        }
        Ok(Self { messages, secrets })
    }

    fn token(
        self,
        mint: &Mint,
        keyset: KeysetId,
        signatures: &[BlindSignature],
        url: String,
        unit: Unit,
    ) -> Result<Secret<String>, Refusal> {
        let keys = mint.keyset(&keyset).ok_or(Refusal::Internal)?.keys();
        let mut proofs = Vec::with_capacity(signatures.len());
        for (signature, (secret, factor)) in signatures.iter().zip(self.secrets) {
            let key = keys.key(signature.amount).ok_or(Refusal::Internal)?.public();
            let unblinded = unblind(&signature.signature, &factor, key);
            proofs.push(TokenProof {
                amount: signature.amount,
                keyset: TokenKeyset::Full(keyset),
                secret: Secret::new(secret),
                signature: unblinded.map_err(|error| Refusal::internal(&error))?,
                witness: None,
                dleq: None,
            });
        }
        let token = Token { mint: url, unit: Some(unit.code().to_owned()), memo: None, proofs };
        Ok(token.to_text())
    }
}
