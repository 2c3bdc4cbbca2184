//! Bill streams that a wallet has taken on, and the receipts of their months.
//!
//! A receipt waits here until its month is closed: then it is shown with the tick, which proves a history of payments and names no
//! biller. Receipts that are lost are found again by the contract's number, so that the words and the passport suffice.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tacit_core::unit::Unit;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::holder::{Passport, Receipt};
use tacit_credit::passport::key::KeyId;
use tacit_credit::passport::pending::Pending;
use tacit_credit::passport::standing::Contract;
use tacit_credit::passport::wire;

use super::kept::Kept;
use crate::mint::MintUrl;
use crate::state::State;

/// Months after the passport's own whose bills can be paid with a receipt. A passport stays under the keys of such a receipt until it is
/// shown, and keys last a year at least.
pub const AHEAD: u16 = 3;

/// What a biller hands over: where the bills of a contract are. Whoever has it sees them.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    pub(crate) mint: MintUrl,
    pub(crate) contract: Contract,
}

/// The text is no such link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no code of a contract: it looks like https://mint.example/usd/v1/contracts/ and 32 digits"
)]
pub struct LinkError;

impl FromStr for Link {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let (mint, contract) = text.trim().rsplit_once("/v1/contracts/").ok_or(LinkError)?;
        let mint: MintUrl = mint.parse().map_err(|_| LinkError)?;
        let contract = Contract::try_from(contract.to_owned()).map_err(|_| LinkError)?;
        let link = Self { mint, contract };
        if link.path().is_some() { Ok(link) } else { Err(LinkError) }
    }
}

/// The number is a secret of two.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("mint", &self.mint).finish_non_exhaustive()
    }
}

impl Link {
    /// The unit's part of the address: `/usd`.
    pub(crate) fn path(&self) -> Option<String> {
        let (host, last) = self.mint.as_str().rsplit_once('/')?;
        (!host.ends_with('/')).then(|| format!("/{last}"))
    }
}

/// A contract whose bills count in a passport.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    pub(crate) contract: Contract,
    /// The unit's part of the mint's address: `/usd`.
    pub(crate) path: String,
    /// The mint, by the address that the biller gave.
    pub(crate) mint: MintUrl,
    pub(crate) unit: Unit,
    pub(crate) biller: Option<String>,
    pub(crate) description: Option<String>,
    /// Receipts of months that are not closed.
    pub(crate) receipts: BTreeMap<Epoch, Receipt>,
}

/// The contract's number is a secret of two.
impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("unit", &self.unit).finish_non_exhaustive()
    }
}

impl Stream {
    /// Its number.
    pub fn contract(&self) -> Contract {
        self.contract
    }

    /// The mint, by the address that the biller gave. A wallet may deal with the same under another.
    pub fn mint(&self) -> &MintUrl {
        &self.mint
    }

    /// What its bills are in.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// The biller's name: text from outside.
    pub fn biller(&self) -> Option<&str> {
        self.biller.as_deref()
    }

    /// What the contract is for: text from outside.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Receipts of months that are not closed.
    pub fn receipts(&self) -> &BTreeMap<Epoch, Receipt> {
        &self.receipts
    }

    /// Where the mint's keysets are listed, from the passport desk's address on (NUT-02).
    pub fn keysets(&self) -> String {
        format!("{}/v1/keysets", self.path)
    }

    /// Where the contract is, from the passport desk's address on.
    pub fn place(&self) -> String {
        place(&self.path, self.contract)
    }
}

/// Where a contract is, from the passport desk's address on.
pub(crate) fn place(path: &str, contract: Contract) -> String {
    format!("{path}/v1/contracts/{}", String::from(contract))
}

/// A receipt that is asked for with a bill's payment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The operator's desk: whose passport it is for.
    pub(crate) desk: MintUrl,
    pub(crate) contract: Contract,
    pub(crate) month: Epoch,
    pub(crate) pending: Pending,
    /// The same, sealed for this wallet: the desk keeps it.
    pub(crate) sealed: Vec<u8>,
}

/// The contract's number is a secret of two.
impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("month", &self.month).finish_non_exhaustive()
    }
}

impl Asked {
    /// The operator's desk: whose passport it is for.
    pub fn desk(&self) -> &MintUrl {
        &self.desk
    }

    /// As it is sent.
    pub(crate) fn message(&self) -> wire::Ask {
        wire::Ask { request: self.pending.request().to_vec(), sealed: self.sealed.clone() }
    }
}

impl Kept {
    /// Contracts whose bills count, in the order in which they were taken on.
    pub fn streams(&self) -> &[Stream] {
        &self.streams
    }

    pub(crate) fn stream(&self, contract: Contract) -> Option<&Stream> {
        self.streams.iter().find(|stream| stream.contract == contract)
    }

    /// With the receipt of a contract's month.
    pub(crate) fn add_receipt(&mut self, contract: Contract, receipt: Receipt) {
        let stream = self.streams.iter_mut().find(|stream| stream.contract == contract);
        if let Some(stream) = stream {
            stream.receipts.insert(receipt.epoch(), receipt);
        }
    }

    /// Without receipts of months that are closed: no passport takes them any more.
    pub(crate) fn drop_receipts(&mut self) {
        let Some(now) = self.held.as_ref().map(|held| held.standing().epoch) else { return };
        for stream in &mut self.streams {
            stream.receipts.retain(|month, _| now <= *month);
        }
    }
}

/// Whether a passport has to stay under its keys until a month: a receipt of that month or a later one is under them, and all that
/// is shown together is under the same.
pub(crate) fn stays(
    state: &State,
    desk: &MintUrl,
    kept: &Kept,
    held: &Passport,
    from: Epoch,
) -> bool {
    let counts = |month: Epoch, keys: KeyId| from <= month && keys == held.keys();
    let mut receipts = kept.streams.iter().flat_map(|stream| &stream.receipts);
    let tokens = state.tokens.values();
    let mut asked = tokens.filter_map(|token| token.delivery.as_ref()?.receipt.as_ref());
    receipts.any(|(month, receipt)| counts(*month, receipt.keys()))
        || asked.any(|it| it.desk == *desk && counts(it.month, it.pending.received()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_mint_unit_and_contract() {
        let number = "0123456789abcdef0123456789abcdef";
        let text = format!(" https://mint.example/usd/v1/contracts/{number}\n");
        let link: Link = text.parse().unwrap();
        assert_eq!(link.mint.as_str(), "https://mint.example/usd");
        assert_eq!(link.path().as_deref(), Some("/usd"));
        assert_eq!(place("/usd", link.contract), format!("/usd/v1/contracts/{number}"));
        for wrong in [
            "",
            number,
            "https://mint.example/usd/v1/contracts/",
            "https://mint.example/usd/v1/contracts/0123",
            &format!("https://mint.example/v1/contracts/{number}"),
            &format!("mint.example/usd/v1/contracts/{number}"),
            &format!("https://mint.example/usd/v1/contracts/{number}/2026-12"),
        ] {
            assert_eq!(wrong.parse::<Link>(), Err(LinkError), "{wrong}");
        }
        assert!(!format!("{link:?}").contains(number));
    }
}
