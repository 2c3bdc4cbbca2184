//! A shop comes: at the desk first, then in the vault.

use secp256k1::{PublicKey, SECP256K1, SecretKey};
use tacit_core::secret::Secret;
use tacit_ecash::point::PointBytes;
use tacit_service::account::{Holder, HolderKind, HolderState, Level};
use tacit_service::desk::merchant::Merchant;
use tacit_service::vault::Change;

use super::not_committed;
use super::refusal::ShopRefusal;
use crate::desk::Desk;
use crate::desk::refusal::Refusal;
use crate::random;

/// Takes a shop in.
///
/// # Errors
/// [`ShopRefusal::HasShop`], and those of both databases.
pub(crate) async fn register(desk: &Desk, merchant: Merchant) -> Result<(), Refusal> {
    let own = merchant.clone();
    if !desk.run(move |store| Ok(store.register(&own)?)).await? {
        return Err(ShopRefusal::HasShop.into());
    }
    open_account(desk, &merchant).await
}

/// Opens the account of a shop, unless it is open.
pub(crate) async fn open_account(desk: &Desk, merchant: &Merchant) -> Result<(), Refusal> {
    if merchant.is_in_vault {
        return Ok(());
    }
    let holder = Holder {
        id: merchant.account,
        kind: HolderKind::Merchant,
        level: Level::default(),
        state: HolderState::Open,
        key: Some(merchant.key),
    };
    // Opened before, it stays as it is.
    desk.shared.writer.commit(Change::OpenHolder(holder)).await.map_err(not_committed)?;
    let account = merchant.account;
    desk.run(move |store| Ok(store.set_merchant_in_vault(account)?)).await
}

/// A key that payments to a shop are locked to, and its other half.
///
/// # Errors
/// [`Refusal::Internal`] if the machine gives no random bytes.
pub(crate) fn new_key() -> Result<(PointBytes, Secret<[u8; 32]>), Refusal> {
    // One in 2^128 draws is no key: then it is our fault, and the next draw will do.
    let random = random::bytes().map_err(|error| Refusal::internal(&error))?;
    let secret = SecretKey::from_byte_array(random).map_err(|error| Refusal::internal(&error))?;
    let key = PointBytes::from(PublicKey::from_secret_key(SECP256K1, &secret));
    Ok((key, Secret::new(random)))
}
