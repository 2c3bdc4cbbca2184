//! What a wallet does on a good day.

use secp256k1::{PublicKey, SECP256K1, SecretKey};
use serde_json::{Value, json};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_ecash::condition::Preimage;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::message::info::InfoResponse;
use tacit_ecash::message::{
    self, CheckStateResponse, KeysResponse, KeysetsResponse, MintQuoteResponse, MintQuoteState,
    RestoreRequest, RestoreResponse, SignaturesResponse, SpendState,
};
use tacit_ecash::proof::Proof;
use tacit_ecash::quote_lock;

use crate::support::local::Local;
use crate::support::wallet::{
    Wallet, blind_secret, mint_request, random, split, swap_request, total, y,
};

#[tokio::test(flavor = "multi_thread")]
async fn money_is_minted_and_swapped_in_every_unit() {
    let local = Local::demo().await;
    for (unit, method) in
        [("usd", "bank"), ("eur", "bolt11"), ("kes", "bank"), ("inr", "bank"), ("sat", "bolt11")]
    {
        let mut wallet = Wallet::new(local.address(), unit).await;
        let proofs = wallet.mint(method, 1050).await;
        assert_eq!(total(&proofs), 1050);
        let left = 1050 - wallet.fee(proofs.len());
        let swapped = wallet.swap(&proofs, &split(left)).await;
        assert_eq!(wallet.states(&proofs).await, vec![SpendState::Spent; proofs.len()]);
        assert_eq!(wallet.states(&swapped).await, vec![SpendState::Unspent; swapped.len()]);
        assert_eq!(left, if unit == "sat" { 1049 } else { 1050 }, "only sat has an input fee");
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_keysets_are_those_of_the_path() {
    let local = Local::demo().await;
    let mut usd = Wallet::new(local.address(), "usd").await;
    let eur = Wallet::new(local.address(), "eur").await;
    let keysets: KeysetsResponse = usd.get("/v1/keysets").await.ok();
    assert_eq!(keysets.keysets.len(), 1);
    let keyset = &keysets.keysets[0];
    assert_eq!((keyset.unit.as_str(), keyset.active), ("usd", true));
    assert!(matches!(usd.keyset, KeysetId::V2(_)));
    let all: KeysResponse = usd.get("/v1/keys").await.ok();
    let one: KeysResponse = usd.get(&format!("/v1/keys/{}", usd.keyset)).await.ok();
    assert_eq!(all, one);
    assert_eq!(one.keysets[0].keys.len(), 32);
    usd.get(&format!("/v1/keys/{}", eur.keyset)).await.refused(12_001);
    usd.get("/v1/keys/00").await.refused(12_001);
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn info_says_what_is_served() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "kes").await;
    let info: InfoResponse = wallet.get("/v1/info").await.ok();
    assert_eq!(info.version.as_deref(), Some("tacit/0.1.0"));
    assert!(info.pubkey.is_some() && info.time.is_some());
    assert!(info.description_long.unwrap().contains("not Lightning"));
    let mint = info.nuts.mint.unwrap();
    assert!(!mint.disabled);
    let methods: Vec<_> =
        mint.methods.iter().map(|m| (m.method.as_str(), m.unit.as_str())).collect();
    assert_eq!(methods, [("bank", "kes"), ("bolt11", "kes")]);
    let kinds = &info.nuts.subscriptions.unwrap().supported[0].commands;
    assert_eq!(kinds, &["bank_mint_quote", "bank_melt_quote", "proof_state"]);
    let cache = info.nuts.cache.unwrap();
    assert_eq!(cache.ttl, None);
    assert_eq!(cache.cached_endpoints.len(), 5);
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mint_quote_goes_from_unpaid_to_issued() {
    let local = Local::with_slow_receipts().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let bank = wallet.mint_quote("bank", 8).await;
    assert_eq!((bank.state, bank.amount), (MintQuoteState::Unpaid, 8));
    assert_eq!((bank.amount_paid, bank.amount_issued), (Some(0), Some(0)));
    let alias = wallet.mint_quote("bolt11", 8).await;
    assert!(alias.request.starts_with("lnbcrt") && alias.amount_paid.is_none());
    wallet.until_paid(&bank).await;
    let path = format!("/v1/mint/quote/bank/{}", bank.quote);
    let paid: MintQuoteResponse = wallet.get(&path).await.ok();
    assert_eq!((paid.state, paid.amount_paid), (MintQuoteState::Paid, Some(8)));
    wallet.issue("bank", &bank.quote, &[8]).await;
    let issued: MintQuoteResponse = wallet.get(&path).await.ok();
    assert_eq!((issued.state, issued.amount_issued), (MintQuoteState::Issued, Some(8)));
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_rail_pays_out_and_change_comes_back() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let invoice = json!({"unit": "usd", "amount": 1000});
    let invoice: Value = wallet.client.post("/demo/invoice", &invoice).await.ok();
    let targets = [
        ("bank", "payto://demo/alice?amount=usd:10.00"),
        ("bolt11", invoice["request"].as_str().unwrap()),
    ];
    for (method, request) in targets {
        let quote = wallet.melt_quote(method, request).await;
        assert_eq!((quote.amount, quote.fee_reserve), (1000, 10));
        let proofs = wallet.mint("bank", 1024).await;
        let (paid, change) = wallet.melt(method, &quote.quote, &proofs, 6).await;
        assert!(paid.payment_preimage.is_some());
        assert_eq!(total(&change), 1024 - 1000 - 5, "the rail takes half of the reserve");
        assert_eq!(wallet.states(&proofs).await, vec![SpendState::Spent; proofs.len()]);
        assert_eq!(wallet.swap(&change, &[16, 2, 1]).await.len(), 3, "change is money");
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_is_restored_and_nothing_else() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let quote = wallet.mint_quote("bank", 12).await;
    wallet.until_paid(&quote).await;
    let signed = wallet.blind(&[8, 4]);
    let answer = wallet.post("/v1/mint/bank", &mint_request(&quote.quote, &signed)).await;
    let proofs = wallet.unblind(&signed, &answer.ok());
    let unknown = wallet.blind(&[2]);
    // Amounts and keysets do not matter: a wallet that restores does not know the amounts.
    let asked = [&signed[1], &unknown[0], &signed[0]];
    let outputs =
        asked.map(|blinding| message::BlindedMessage { amount: 1, ..(*blinding.message()).into() });
    let body = RestoreRequest { outputs: outputs.to_vec() };
    let restored: RestoreResponse = wallet.post("/v1/restore", &body).await.ok();
    let amounts: Vec<u64> = restored.outputs.iter().map(|output| output.amount).collect();
    assert_eq!(amounts, [4, 8]);
    let blindings = [signed[1].clone(), signed[0].clone()];
    let signatures = SignaturesResponse { signatures: restored.signatures };
    let again = wallet.unblind(&blindings, &signatures);
    assert_eq!(again, [proofs[1].clone(), proofs[0].clone()]);
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preimage_of_a_hash_lock_is_given_to_the_sender() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 4).await;
    let preimage = Preimage::from_bytes(random());
    let hash = hex::encode(&preimage.hash());
    let lock = json!(["HTLC", {"nonce": hex::encode(&random()), "data": hash, "tags": []}]);
    let locking = [blind_secret(4, wallet.keyset, lock.to_string())];
    let answer = wallet.post("/v1/swap", &swap_request(proofs, &locking)).await;
    let mut locked = wallet.unblind(&locking, &answer.ok());
    let free = wallet.prepare_swap(&locked, &[4]);
    wallet.try_swap(&free).await.unwrap().refused(10_001);
    let witness = json!({"preimage": hex::encode(preimage.as_bytes())}).to_string();
    locked[0] = Proof { witness: Some(Secret::new(witness)), ..locked[0].clone() };
    wallet.swap(&locked, &[4]).await;
    let states: CheckStateResponse =
        wallet.post("/v1/checkstate", &json!({"Ys": [y(&locked[0])]})).await.ok();
    assert_eq!(states.states[0].state, SpendState::Spent);
    let told: Value = serde_json::from_str(states.states[0].witness.as_ref().unwrap()).unwrap();
    assert_eq!(told["preimage"], hex::encode(preimage.as_bytes()));
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_with_a_key_is_minted_with_its_signature_only() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let key = SecretKey::from_byte_array(random()).unwrap();
    let public = PublicKey::from_secret_key(SECP256K1, &key).to_string();
    let body = json!({"amount": 2, "unit": "usd", "pubkey": public});
    let quote: MintQuoteResponse = wallet.post("/v1/mint/quote/bolt11", &body).await.ok();
    assert_eq!(quote.pubkey.unwrap().to_string(), public);
    wallet.until_paid(&quote).await;
    let blindings = wallet.blind(&[2]);
    let mut body = mint_request(&quote.quote, &blindings);
    wallet.post("/v1/mint/bolt11", &body).await.refused(20_008);
    let messages = [*blindings[0].message()];
    let signature = quote_lock::sign(&quote.quote, &messages, &key, &random());
    body.signature = Some(hex::encode(&signature));
    let answer = wallet.post("/v1/mint/bolt11", &body).await;
    assert_eq!(total(&wallet.unblind(&blindings, &answer.ok())), 2);
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_rail_quotes_are_opened_and_nothing_is_paid() {
    let local = Local::with(|_| {}, |parts| parts.rail = None).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let quote = wallet.mint_quote("bank", 8).await;
    assert!(
        quote.request.starts_with("RF")
            && quote.request.len() == 16
            && !quote.request.contains(&quote.quote[..8])
    );
    let info: InfoResponse = wallet.get("/v1/info").await.ok();
    assert!(info.nuts.melt.unwrap().disabled);
    let body = json!({"request": "payto://demo/alice?amount=usd:1", "unit": "usd"});
    wallet.post("/v1/melt/quote/bank", &body).await.refused(10_000);
    local.stop().await;
}
