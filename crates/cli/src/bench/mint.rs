//! What is asked of a mint before and after the clock runs: its keys, quotes, signatures.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tacit_core::unit::Unit;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::message::info::{Cache, InfoResponse};
use tacit_ecash::message::{
    BlindSignature, BlindedMessage, ErrorResponse, KeysResponse, Keyset, KeysetsResponse,
    MintQuoteRequest, MintQuoteResponse, MintQuoteState, MintRequest, SignaturesResponse,
};

use crate::bench::error::BenchError;
use crate::bench::http::{Connection, MintUrl};
use crate::bench::wallet::PublicKeyset;

/// How money gets into the mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Method {
    /// Bank transfer, the native method of Tacit
    Bank,
    /// Lightning, or an alias for it (NUT-23)
    Bolt11,
}

impl Method {
    /// As it stands in paths.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bank => "bank",
            Self::Bolt11 => "bolt11",
        }
    }
}

/// What a mint says of itself, as far as it matters here.
pub(crate) struct MintInfo {
    pub(crate) version: Option<String>,
    pub(crate) method: Method,
    /// The most it issues on one quote, in minor units.
    pub(crate) amount_max: Option<u64>,
    /// For how many seconds it answers a repeated swap (NUT-19).
    pub(crate) repeats: Repeats,
}

/// What a mint promises to whoever sends a swap twice (NUT-19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// Nothing.
    NotPromised,
    /// The same answer for so many seconds.
    Seconds(u64),
    /// The same answer, for ever.
    Always,
}

/// A mint, asked one thing at a time. Each request has a connection of its own: between them
/// the generator computes for longer than servers keep a silent connection.
pub(crate) struct MintClient {
    pub(crate) url: MintUrl,
}

impl MintClient {
    /// Reads what the mint says of itself and chooses the method: the one given, or else what the mint offers.
    ///
    /// # Errors
    /// [`BenchError`] if the mint does not answer or offers no known method for the unit.
    pub(crate) async fn info(
        &self,
        unit: Unit,
        wanted: Option<Method>,
    ) -> Result<MintInfo, BenchError> {
        let info: InfoResponse = self.get("/v1/info", "information").await?;
        let offered = info.nuts.mint.map(|settings| settings.methods).unwrap_or_default();
        let find = |method: Method| {
            offered.iter().find(|entry| entry.method == method.name() && entry.unit == unit.code())
        };
        let candidates = match &wanted {
            Some(method) => std::slice::from_ref(method),
            None => &[Method::Bank, Method::Bolt11],
        };
        let found =
            candidates.iter().find_map(|method| find(*method).map(|entry| (*method, entry)));
        let Some((method, entry)) = found else {
            let offered =
                list(offered.iter().map(|entry| format!("{} {}", entry.method, entry.unit)));
            return Err(BenchError::NoMethod { unit: unit.to_string(), offered });
        };
        let repeats = repeats_of_swaps(info.nuts.cache);
        Ok(MintInfo { version: info.version, method, amount_max: entry.max_amount, repeats })
    }

    /// The active keyset of the unit with the lowest fee, its keys checked against its id if that is of version 2.
    ///
    /// # Errors
    /// [`BenchError`] if there is none, or its keys are missing or false.
    pub(crate) async fn keyset(&self, unit: Unit) -> Result<PublicKeyset, BenchError> {
        let listed: KeysetsResponse = self.get("/v1/keysets", "keysets").await?;
        let usable = |keyset: &&Keyset| {
            keyset.active && keyset.unit == unit.code() && keyset.id.id().is_some()
        };
        let chosen = listed.keysets.iter().filter(usable).min_by_key(|keyset| keyset.input_fee_ppk);
        let Some((keyset, id)) = chosen.and_then(|keyset| Some((keyset, keyset.id.id()?))) else {
            let active = listed.keysets.iter().filter(|keyset| keyset.active);
            let offered = list(active.map(|keyset| keyset.unit.clone()));
            return Err(BenchError::UnknownUnit { unit: unit.to_string(), offered });
        };
        let answer: KeysResponse = self.get(&format!("/v1/keys/{id}"), "keys").await?;
        let keys = answer.keysets.into_iter().find(|found| found.keyset.id.id() == Some(id));
        let keys = keys.ok_or(BenchError::NoKeys { keyset: id.to_string() })?.keys;
        let keys = keys
            .into_iter()
            .map(|(amount, key)| key.parse().map(|key| (amount, key)))
            .collect::<Result<_, _>>()
            .map_err(|_| BenchError::FalseKeysetId { keyset: id.to_string() })?;
        let keyset =
            PublicKeyset { id, fee_ppk: keyset.input_fee_ppk, keys: check_id(keyset, id, keys)? };
        Ok(keyset)
    }

    /// Asks for a quote and returns its id.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn quote(
        &self,
        method: Method,
        unit: Unit,
        amount: u64,
    ) -> Result<String, BenchError> {
        let request = MintQuoteRequest {
            amount: Some(amount),
            unit: unit.to_string(),
            description: None,
            pubkey: None,
        };
        let path = format!("/v1/mint/quote/{}", method.name());
        let quote: MintQuoteResponse = self.post(&path, &request, "a quote").await?;
        Ok(quote.quote)
    }

    /// Whether a quote is paid.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn is_paid(&self, method: Method, quote: &str) -> Result<bool, BenchError> {
        let path = format!("/v1/mint/quote/{}/{quote}", method.name());
        let quote: MintQuoteResponse = self.get(&path, "the state of a quote").await?;
        Ok(quote.state == MintQuoteState::Paid)
    }

    /// Has outputs signed against a paid quote.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(crate) async fn issue(
        &self,
        method: Method,
        quote: String,
        outputs: Vec<BlindedMessage>,
    ) -> Result<Vec<BlindSignature>, BenchError> {
        let asked = outputs.len();
        let request = MintRequest { quote, outputs, signature: None };
        let path = format!("/v1/mint/{}", method.name());
        let SignaturesResponse { signatures } = self.post(&path, &request, "e-cash").await?;
        if signatures.len() != asked {
            return Err(BenchError::MissingSignatures { asked, signed: signatures.len() });
        }
        Ok(signatures)
    }

    /// Sends the bytes of a request, whatever the answer says: its status and body.
    ///
    /// # Errors
    /// [`BenchError::Unreachable`].
    pub(crate) async fn send(
        &self,
        request: &[u8],
        what: &'static str,
    ) -> Result<(u16, Vec<u8>), BenchError> {
        let unreachable = |source| BenchError::Unreachable { what, source };
        let mut connection = Connection::open(&self.url).await.map_err(unreachable)?;
        let mut body = Vec::new();
        let status = connection.exchange(request, &mut body).await.map_err(unreachable)?;
        Ok((status, body))
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        what: &'static str,
    ) -> Result<T, BenchError> {
        self.read(&self.url.render_get(path), what).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        what: &'static str,
    ) -> Result<T, BenchError> {
        let body = serde_json::to_vec(body).expect("ids that were read can be written");
        self.read(&self.url.render_post(path, &body), what).await
    }

    async fn read<T: DeserializeOwned>(
        &self,
        request: &[u8],
        what: &'static str,
    ) -> Result<T, BenchError> {
        let (status, body) = self.send(request, what).await?;
        if status != 200 {
            let detail = serde_json::from_slice::<ErrorResponse>(&body)
                .map_or_else(|_| beginning(&body), |error| error.detail);
            return Err(BenchError::Refused { what, status, detail });
        }
        serde_json::from_slice(&body).map_err(|source| BenchError::Unreadable { what, source })
    }
}

type Keys = std::collections::BTreeMap<u64, secp256k1::PublicKey>;

/// The keys, if the id is theirs. Of version 1 nothing is checked: 31 bits prove little.
fn check_id(keyset: &Keyset, id: KeysetId, keys: Keys) -> Result<Keys, BenchError> {
    let is_true = match id {
        KeysetId::V1(_) => true,
        KeysetId::V2(_) => keyset.unit.parse().is_ok_and(|unit| {
            let named = keys.iter().map(|(amount, key)| (*amount, key));
            id == KeysetId::derive(named, unit, keyset.input_fee_ppk, keyset.final_expiry)
        }),
    };
    if is_true { Ok(keys) } else { Err(BenchError::FalseKeysetId { keyset: id.to_string() }) }
}

fn repeats_of_swaps(cache: Option<Cache>) -> Repeats {
    let is_swap = |cache: &Cache| {
        let mut endpoints = cache.cached_endpoints.iter();
        endpoints.any(|endpoint| endpoint.method == "POST" && endpoint.path.ends_with("/v1/swap"))
    };
    match cache.filter(is_swap).map(|cache| cache.ttl) {
        None => Repeats::NotPromised,
        Some(None) => Repeats::Always,
        Some(Some(seconds)) => Repeats::Seconds(seconds),
    }
}

fn list(names: impl Iterator<Item = String>) -> String {
    let distinct: BTreeSet<String> = names.collect();
    if distinct.is_empty() {
        return "nothing".to_owned();
    }
    distinct.into_iter().collect::<Vec<_>>().join(", ")
}

/// Enough of a body that is no error message to see what it is.
fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use tacit_ecash::message::info::Endpoint;

    use super::*;

    #[test]
    fn a_promise_of_repeats_is_read_for_swaps_only() {
        let cache = |ttl, path: &str| {
            let endpoint = Endpoint { method: "POST".to_owned(), path: path.to_owned() };
            Some(Cache { ttl, cached_endpoints: vec![endpoint] })
        };
        assert_eq!(repeats_of_swaps(None), Repeats::NotPromised);
        assert_eq!(repeats_of_swaps(cache(Some(60), "/v1/mint/bolt11")), Repeats::NotPromised);
        assert_eq!(repeats_of_swaps(cache(Some(60), "/v1/swap")), Repeats::Seconds(60));
        assert_eq!(repeats_of_swaps(cache(None, "/v1/swap")), Repeats::Always);
    }

    #[test]
    fn offers_are_listed_once_each() {
        assert_eq!(list(std::iter::empty()), "nothing");
        assert_eq!(list(["usd", "eur", "usd"].map(str::to_owned).into_iter()), "eur, usd");
    }
}
