//! Merchants: who owns a shop, what its payments are locked to, and the keys its programs come with.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use tacit_core::secret::Secret;
use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;
use tacit_credit::passport::standing::Contract;
use tacit_ecash::point::PointBytes;

use super::login::Label;
use super::paper::{CheckoutId, RefundCode};
use super::person::{Name, PersonId};
use crate::account::AccountId;
use crate::order::OrderId;
use crate::posting::FactId;
use crate::vault::StoreError;

/// A shop.
#[derive(Clone, Debug)]
pub struct Merchant {
    /// Its account in the vault.
    pub account: AccountId,
    /// What payers read.
    pub name: Name,
    /// Whose it is. One person has one shop.
    pub owner: PersonId,
    /// The currency it sells in.
    pub unit: Unit,
    /// The key its payments are locked to (NUT-11); the other half is the merchant's alone.
    pub key: PointBytes,
    /// What the names of its orders and refunds are made with.
    pub naming: NamingSecret,
    /// Where its webhooks go, if anywhere.
    pub webhook: Option<String>,
    /// What its webhooks are signed with.
    pub webhook_secret: Secret<[u8; 32]>,
    /// The day it came.
    pub opened: Day,
    /// Whether the vault is known to have the account. Until it is, opening it there is tried again.
    pub is_in_vault: bool,
}

/// What the names of a shop's orders and refunds are made with: nobody else can guess one from a key that a merchant chose.
///
/// The same request leads to the same names, so that desk and vault can both be asked again after a crash.
#[derive(Clone, Debug)]
pub struct NamingSecret(Secret<[u8; 32]>);

impl NamingSecret {
    /// Of 32 random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(Secret::new(random))
    }

    /// The 32 bytes.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The checkout of the order that was asked for under this key.
    pub fn checkout(&self, request_key: &str) -> CheckoutId {
        CheckoutId::from_bytes(self.derive("checkout", &[], request_key))
    }

    /// The refund of an order that was asked for under this key.
    pub fn refund(&self, order: OrderId, request_key: &str) -> FactId {
        FactId::from_bytes(self.derive("refund", order.as_bytes(), request_key))
    }

    /// The contract that was asked for under this key.
    pub fn contract(&self, request_key: &str) -> Contract {
        Contract(self.derive("contract", &[], request_key))
    }

    /// What a refund is fetched with.
    pub fn refund_code(&self, refund: FactId) -> RefundCode {
        RefundCode::from_bytes(self.derive("refund code", refund.as_bytes(), ""))
    }

    fn derive(&self, what: &str, of: &[u8], key: &str) -> [u8; 16] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.expose()).expect("any length is a key");
        // Each part but the last is of a fixed length, or ends with a byte that it cannot hold.
        mac.update(what.as_bytes());
        mac.update(&[0]);
        mac.update(of);
        mac.update(key.as_bytes());
        let bytes: [u8; 32] = mac.finalize().into_bytes().into();
        bytes[..16].try_into().expect("16 of 32")
    }
}

/// What a program may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Look at orders.
    ReadOrders,
    /// Make orders and cancel them.
    WriteOrders,
    /// Refund.
    WriteRefunds,
    /// Look at contracts and bills.
    ReadBills,
    /// Make contracts and bills, end them and take them back.
    WriteBills,
}

/// What a key may be used for: at least one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes(u8);

/// What a merchant's program shows: `tct_`, 43 letters and digits, and a checksum of 6.
///
/// The checksum tells a mistyped key from one that is unknown, and lets scanners of source code know one when they see it.
#[derive(Clone, Debug)]
pub struct ApiKeyText(Secret<[u8; 32]>);

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is tct_ and 49 letters and digits, of which the last six are a checksum")]
pub struct ApiKeyError;

/// SHA-256 of a key: all that is kept of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ApiKeyHash([u8; 32]);

/// A key, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Of the key.
    pub hash: ApiKeyHash,
    /// Whose.
    pub merchant: AccountId,
    /// What the merchant calls it.
    pub label: Label,
    /// What it may be used for.
    pub scopes: Scopes,
    /// The day it was made.
    pub added: Day,
    /// The first day it is worth nothing.
    pub expires: Day,
    /// Whether the merchant took it back.
    pub is_revoked: bool,
}

/// How many keys a shop may have that still count.
pub const API_KEYS_MAX: u64 = 20;

/// What the desk keeps of merchants.
pub trait MerchantStore {
    /// Takes a shop in. `false` if its owner has one, or the account's number is taken.
    ///
    /// # Errors
    /// [`StoreError`]
    fn register(&mut self, merchant: &Merchant) -> Result<bool, StoreError>;

    /// The shop of an account.
    ///
    /// # Errors
    /// [`StoreError`]
    fn merchant(&mut self, account: AccountId) -> Result<Option<Merchant>, StoreError>;

    /// Somebody's shop.
    ///
    /// # Errors
    /// [`StoreError`]
    fn merchant_of(&mut self, owner: PersonId) -> Result<Option<Merchant>, StoreError>;

    /// Sends webhooks there from now on, or nowhere.
    ///
    /// # Errors
    /// [`StoreError`]
    fn set_webhook(&mut self, account: AccountId, url: Option<&str>) -> Result<(), StoreError>;

    /// Shops that the vault is not known to have, at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn merchants_not_in_vault(&mut self, max: u32) -> Result<Vec<Merchant>, StoreError>;

    /// The vault has the account. Done twice, it is done once.
    ///
    /// # Errors
    /// [`StoreError`]
    fn set_merchant_in_vault(&mut self, account: AccountId) -> Result<(), StoreError>;

    /// Adds a key. `false` if the shop has [`API_KEYS_MAX`] already.
    ///
    /// # Errors
    /// [`StoreError`]
    fn add_api_key(&mut self, key: &ApiKey) -> Result<bool, StoreError>;

    /// A shop's keys that were not taken back, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn api_keys(&mut self, merchant: AccountId) -> Result<Vec<ApiKey>, StoreError>;

    /// Takes a key back. `false` if the shop has none of that hash.
    ///
    /// # Errors
    /// [`StoreError`]
    fn revoke_api_key(&mut self, merchant: AccountId, hash: ApiKeyHash)
    -> Result<bool, StoreError>;

    /// The key of a hash, with its shop, if it still counts.
    ///
    /// # Errors
    /// [`StoreError`]
    fn api_key(
        &mut self,
        hash: ApiKeyHash,
        now: Timestamp,
    ) -> Result<Option<(ApiKey, Merchant)>, StoreError>;
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 5] = [
        Self::ReadOrders,
        Self::WriteOrders,
        Self::WriteRefunds,
        Self::ReadBills,
        Self::WriteBills,
    ];

    /// As it is written in documents and on pages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadOrders => "orders:read",
            Self::WriteOrders => "orders:write",
            Self::WriteRefunds => "refunds:write",
            Self::ReadBills => "bills:read",
            Self::WriteBills => "bills:write",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::ReadOrders => 1,
            Self::WriteOrders => 2,
            Self::WriteRefunds => 4,
            Self::ReadBills => 8,
            Self::WriteBills => 16,
        }
    }
}

impl Scopes {
    /// Of these; `None` without any.
    pub fn new(scopes: &[Scope]) -> Option<Self> {
        Self::of_number(scopes.iter().fold(0, |bits, scope| bits | scope.bit()))
    }

    /// Of the number stored.
    pub fn of_number(number: u8) -> Option<Self> {
        (1..=31).contains(&number).then_some(Self(number))
    }

    /// The number stored.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Whether this is among them.
    pub const fn allow(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }
}

/// As they are written beside each other.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = Scope::ALL.into_iter().filter(|scope| self.allow(*scope));
        let names: Vec<&str> = own.map(Scope::name).collect();
        f.write_str(&names.join(" "))
    }
}

const PREFIX: &str = "tct_";
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BODY: usize = 43;
const CHECK: usize = 6;

impl ApiKeyText {
    /// Of 32 random bytes.
    pub fn from_random(random: [u8; 32]) -> Self {
        Self(Secret::new(random))
    }

    /// As it is shown once.
    pub fn reveal(&self) -> String {
        let body = base62(self.0.expose(), BODY);
        let check = checksum(&body);
        format!("{PREFIX}{body}{check}")
    }

    /// What is kept of it.
    pub fn hash(&self) -> ApiKeyHash {
        ApiKeyHash(Sha256::digest(self.0.expose()).into())
    }
}

impl FromStr for ApiKeyText {
    type Err = ApiKeyError;

    fn from_str(text: &str) -> Result<Self, ApiKeyError> {
        let rest = text.strip_prefix(PREFIX).ok_or(ApiKeyError)?;
        if rest.len() != BODY + CHECK || !rest.is_ascii() {
            return Err(ApiKeyError);
        }
        let (body, check) = rest.split_at(BODY);
        if checksum(body) != check {
            return Err(ApiKeyError);
        }
        let mut bytes = [0_u8; 32];
        for digit in body.bytes() {
            let place = DIGITS.iter().position(|known| *known == digit).ok_or(ApiKeyError)?;
            let mut carry = u32::try_from(place).expect("below 62");
            for byte in bytes.iter_mut().rev() {
                carry += u32::from(*byte) * 62;
                *byte = u8::try_from(carry & 0xff).expect("one byte");
                carry >>= 8;
            }
            if carry != 0 {
                return Err(ApiKeyError);
            }
        }
        Ok(Self(Secret::new(bytes)))
    }
}

/// A number of big-endian bytes in so many digits.
fn base62(bytes: &[u8], length: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits = Vec::with_capacity(length);
    for _ in 0..length {
        let mut remainder = 0_u32;
        for byte in &mut number {
            let value = remainder << 8 | u32::from(*byte);
            *byte = u8::try_from(value / 62).expect("a remainder is below 62");
            remainder = value % 62;
        }
        digits.push(char::from(DIGITS[remainder as usize]));
    }
    digits.into_iter().rev().collect()
}

fn checksum(body: &str) -> String {
    base62(&Sha256::digest(body.as_bytes())[..4], CHECK)
}

impl ApiKeyHash {
    /// The hash of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(self) -> [u8; 32] {
        self.0
    }
}

impl ApiKey {
    /// Whether it counts at `now`.
    pub fn is_good(&self, now: Timestamp) -> bool {
        !self.is_revoked && now.day() < self.expires
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_is_read_back_and_no_other(random: [u8; 32], place in 4_usize..53, digit in 0_usize..62) {
            let text = ApiKeyText::from_random(random).reveal();
            prop_assert_eq!(text.len(), 53);
            let read: ApiKeyText = text.parse().unwrap();
            prop_assert_eq!(read.hash(), ApiKeyText::from_random(random).hash());
            let mut wrong = text.clone().into_bytes();
            wrong[place] = DIGITS[digit];
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert!(wrong == text || wrong.parse::<ApiKeyText>().is_err());
        }
    }

    #[test]
    fn texts_of_another_form_are_no_keys() {
        for text in ["", "tct_", "tct_é", &format!("tct_{}", "z".repeat(49))] {
            assert_eq!(text.parse::<ApiKeyText>().map(|_| ()), Err(ApiKeyError), "{text}");
        }
    }

    #[test]
    fn a_name_depends_on_the_secret_the_kind_the_order_and_the_key() {
        let (one, other) = (NamingSecret::new([1; 32]), NamingSecret::new([2; 32]));
        let order = OrderId::from_bytes([7; 16]);
        assert_eq!(one.checkout("a"), one.checkout("a"));
        assert_ne!(one.checkout("a"), one.checkout("b"));
        assert_ne!(one.checkout("a"), other.checkout("a"));
        assert_ne!(one.refund(order, "a").as_bytes(), &one.checkout("a").bytes());
        assert_ne!(one.refund(order, "a"), one.refund(OrderId::from_bytes([8; 16]), "a"));
    }

    #[test]
    fn a_scope_allows_itself_alone() {
        assert_eq!(Scopes::new(&[]), None);
        let scopes = Scopes::new(&[Scope::ReadOrders, Scope::WriteRefunds]).unwrap();
        assert!(scopes.allow(Scope::ReadOrders) && !scopes.allow(Scope::WriteOrders));
        assert_eq!(scopes.to_string(), "orders:read refunds:write");
        assert_eq!(Scopes::of_number(scopes.number()), Some(scopes));
        assert_eq!(Scopes::of_number(32), None);
    }
}
