//! A mint as the wallet knows it: its address, and keysets that it can never change again.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use secp256k1::PublicKey;
use serde::{Deserialize, Serialize};
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::point::PointBytes;

/// The address of a mint: `http` or `https`, without slashes at its end. Requests append paths such as `/v1/swap`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MintUrl(String);

/// The text is no address of a mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address of a mint begins with http:// or https:// and has no spaces")]
pub struct MintUrlError;

impl MintUrl {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MintUrl {
    type Err = MintUrlError;

    fn from_str(text: &str) -> Result<Self, MintUrlError> {
        let trimmed = text.trim_end_matches('/');
        let host = ["http://", "https://"].iter().find_map(|scheme| trimmed.strip_prefix(scheme));
        let is_clean = !trimmed.contains(|c: char| c.is_whitespace() || c.is_control());
        match host {
            Some(host) if !host.is_empty() && !host.starts_with('/') && is_clean => {
                Ok(Self(trimmed.to_owned()))
            }
            Some(_) | None => Err(MintUrlError),
        }
    }
}

impl TryFrom<String> for MintUrl {
    type Error = MintUrlError;

    fn try_from(text: String) -> Result<Self, MintUrlError> {
        text.parse()
    }
}

impl From<MintUrl> for String {
    fn from(mint: MintUrl) -> Self {
        mint.0
    }
}

impl fmt::Display for MintUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A keyset as it was when first seen, its keys checked against its id. Every later answer must agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedKeyset {
    /// Whose it is. One id stands for one mint: secrets are derived from the id alone.
    pub mint: MintUrl,
    /// What its amounts count.
    pub unit: Unit,
    /// Fee for each input, in thousandths of the minor unit.
    pub input_fee_ppk: u64,
    /// When its e-cash stops being redeemable.
    pub final_expiry: Option<Timestamp>,
    /// Denomination in minor units to public key.
    pub keys: BTreeMap<u64, PointBytes>,
}

impl PinnedKeyset {
    /// Whether the id is the name of these keys (NUT-02, "Deriving the keyset ID").
    pub fn is_named(&self, id: &KeysetId) -> bool {
        let parsed: Option<Vec<(u64, PublicKey)>> = self
            .keys
            .iter()
            .map(|(amount, key)| key.parse().ok().map(|key| (*amount, key)))
            .collect();
        parsed.is_some_and(|keys| {
            let keys = keys.iter().map(|(amount, key)| (*amount, key));
            id.names(keys, self.unit, self.input_fee_ppk, self.final_expiry)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_slashes_and_others_are_refused() {
        for (text, address) in [
            ("https://mint.example/usd//", "https://mint.example/usd"),
            ("http://127.0.0.1:3338/usd", "http://127.0.0.1:3338/usd"),
        ] {
            assert_eq!(text.parse::<MintUrl>().unwrap().as_str(), address);
        }
        for text in
            ["", "mint.example", "ftp://mint.example", "https://", "http:///x", "http://a b"]
        {
            assert_eq!(text.parse::<MintUrl>(), Err(MintUrlError), "{text:?}");
        }
    }
}
