//! One town: requests on their way, the store they reach, a rail beside it, and the auditor.

use std::collections::BTreeMap;
use std::fmt;

use secp256k1::PublicKey;
use tacit_core::secret::Secret;
use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;
use tacit_ecash::blinding::Blinding;
use tacit_ecash::keyset::SecretKeyset;
use tacit_ecash::message;
use tacit_ecash::proof::{BlindSignature, BlindedMessage, Proof};
use tacit_ecash::request::{Inputs, MeltRequest, MintRequest, Outputs, SwapRequest};
use tacit_service::identity::Identity;
use tacit_service::issue::MintError;
use tacit_service::keyset::{KeysetRecord, KeysetState};
use tacit_service::mint::Mint;
use tacit_service::quote::{MeltQuote, MeltQuoteState, Method, MintQuote, MintQuoteState, QuoteId};
use tacit_service::vault::{Change, Outcome, ProofState, VaultReader, VaultStore};

use crate::edge::Edge;
use crate::wallet::{Coin, Dice, Errand, Kind, Wallet, blank, coin};

/// A store that can be cut off and opened again.
pub(crate) trait Site {
    fn store(&mut self) -> &mut dyn VaultStore;
    fn reader(&mut self) -> &mut dyn VaultReader;
    fn reopen(&mut self);
}

/// How often each trouble was met: a simulator that never met one has tested nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    const ALL: [&'static str; 24] = [
        "swaps",
        "mints",
        "melts paid",
        "melts failed",
        "late words",
        "replays",
        "torn",
        "lost",
        "crashes",
        "double spends refused",
        "stale counters refused",
        "other amounts refused",
        "rotations",
        "expiries",
        "seals",
        "paid in",
        "approved",
        "held",
        "given back",
        "handed over",
        "moved",
        "paid out",
        "sold",
        "refunded",
    ];

    pub(crate) fn count(&mut self, what: &'static str) {
        debug_assert!(Self::ALL.contains(&what), "{what} is not listed");
        *self.0.entry(what).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    pub(crate) fn assert_all_seen(&self, expected: bool) {
        let unseen: Vec<_> = Self::ALL.iter().filter(|what| !self.0.contains_key(*what)).collect();
        assert!(!expected || unseen.is_empty(), "never met: {unseen:?}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> =
            self.0.iter().map(|(what, count)| format!("{what} {count}")).collect();
        f.write_str(&parts.join(", "))
    }
}

/// What the world outside knows of money: the auditor compares it with the settlement account.
#[derive(Default)]
pub(crate) struct Outside {
    pub(crate) received: u64,
    pub(crate) paid_out: u64,
}

/// An answer on its way back. Answers overtake each other, so each says in which batch it was given.
pub(crate) struct Reply {
    errand: u64,
    served: u64,
    answer: Vec<u8>,
}

pub(crate) struct Town {
    pub(crate) dice: Dice,
    pub(crate) site: Box<dyn Site>,
    pub(crate) seed: Secret<[u8; 32]>,
    pub(crate) unit: Unit,
    pub(crate) mint: Mint,
    pub(crate) now: Timestamp,
    pub(crate) wallet: Wallet,
    pub(crate) wire: Vec<(u64, Vec<u8>)>,
    pub(crate) replies: Vec<Reply>,
    pub(crate) served: u64,
    pub(crate) errands: u64,
    pub(crate) keysets: u32,
    pub(crate) outside: Outside,
    pub(crate) edge: Edge,
    pub(crate) tally: Tally,
}

impl Town {
    /// A town with one keyset. `site`: makes the store of a mint of this identity.
    pub(crate) fn found(seed: u64, site: impl Fn(PublicKey) -> Box<dyn Site>) -> Self {
        let mut dice = Dice::new(seed);
        let secret = Secret::new(dice.bytes());
        let site = site(Identity::derive(&secret).public());
        let mint = Mint::new(&secret, Vec::new()).expect("no keysets, no contradiction");
        let mut town = Self {
            dice,
            site,
            seed: secret,
            unit: Unit::new("usd").expect("a unit"),
            mint,
            now: Timestamp::from_seconds(1_800_000_000),
            wallet: Wallet::default(),
            wire: Vec::new(),
            replies: Vec::new(),
            served: 0,
            errands: 0,
            keysets: 0,
            outside: Outside::default(),
            edge: Edge::default(),
            tally: Tally::default(),
        };
        town.rotate();
        town.open_accounts();
        town.order_mint();
        town.audit();
        town
    }

    pub(crate) fn step(&mut self) {
        match self.dice.below(48) {
            0..=2 => self.order_mint(),
            3..=5 => self.receive_money(),
            6..=13 => self.order_swap(),
            14..=16 => self.order_melt(),
            17..=19 => self.let_rail_speak(),
            20..=26 => self.deliver(),
            27..=30 => self.hand_over_replies(),
            31 | 32 => self.send_again(),
            33 => self.attempt_double_spend(),
            34 => self.attempt_stale_counter(),
            35 => self.attempt_other_amount(),
            36 => self.move_clock(),
            37 if self.dice.once_in(3) => self.rotate(),
            37 | 38 => self.keep_house(),
            39 => self.crash(),
            _ => self.live_at_the_edge(),
        }
        self.audit();
    }

    /// Lets every trouble end, then asks whether everybody has what is theirs.
    pub(crate) fn settle(mut self) -> Tally {
        for _ in 0..200 {
            if self.wallet.errands.is_empty() {
                break;
            }
            // A keyset that expired signs no more, whatever the wallet still believes: without this it would ask for ever.
            self.keep_house();
            self.receive_all_money();
            self.wire.clear();
            self.replies.clear();
            self.send_again();
            while !self.wire.is_empty() {
                self.deliver_surely();
            }
            self.finish_all_melts();
            self.audit();
        }
        assert!(self.wallet.errands.is_empty(), "every errand ends once the network is well");
        self.tally
    }

    // --- what the wallet wants -------------------------------------------------------------------

    pub(crate) fn active(&self) -> &SecretKeyset {
        let active = |record: &KeysetRecord| record.state == KeysetState::Active;
        let keyset = self.mint.keysets().iter().find(|keyset| active(keyset.record()));
        keyset.expect("rotation leaves one active").keys()
    }

    pub(crate) fn blanks(&mut self, amounts: &[u64]) -> Vec<Blinding> {
        let id = self.active().id();
        amounts.iter().map(|amount| blank(&mut self.dice, *amount, id)).collect()
    }

    pub(crate) fn order_mint(&mut self) {
        let quote = MintQuote {
            id: QuoteId::from_random(self.dice.bytes()),
            unit: self.unit,
            method: Method::Bank,
            request: "reference".to_owned(),
            amount: 1 + self.dice.next() % 3000,
            pubkey: None,
            expiry: self.now.after(std::time::Duration::from_secs(3600)),
            state: MintQuoteState::Unpaid,
        };
        let id = quote.id;
        let amounts = self.active().split(quote.amount);
        assert_eq!(self.commit(vec![Change::OpenMintQuote(quote)]), [Outcome::Applied(true)]);
        self.order_outputs_of(id, &amounts);
    }

    pub(crate) fn order_outputs_of(&mut self, quote: QuoteId, amounts: &[u64]) {
        let outputs = self.blanks(amounts);
        let request =
            MintRequest { quote: quote.to_string(), outputs: messages(&outputs), signature: None };
        let body = json(&message::MintRequest::from(request));
        self.send_off(Errand {
            kind: Kind::Mint(quote),
            body,
            inputs: vec![],
            outputs,
            answer: None,
        });
    }

    fn redeemable(mint: &Mint, now: Timestamp, coin: &Coin) -> bool {
        mint.keyset(&coin.proof.keyset).is_some_and(|keyset| keyset.record().redeems(now))
    }

    pub(crate) fn take_coins(&mut self, count: usize) -> Vec<Coin> {
        let (mint, now) = (&self.mint, self.now);
        self.wallet.take(&mut self.dice, count, |coin| Self::redeemable(mint, now, coin))
    }

    pub(crate) fn fee(&self, coins: &[Coin]) -> u64 {
        let ppk = |coin: &Coin| {
            self.mint
                .keyset(&coin.proof.keyset)
                .map_or(0, |keyset| keyset.record().spec.input_fee_ppk)
        };
        coins.iter().map(ppk).sum::<u64>().div_ceil(1000)
    }

    pub(crate) fn order_swap(&mut self) {
        let count = 1 + self.dice.below(4);
        let inputs = self.take_coins(count);
        let Some(value) =
            Wallet::value(&inputs).checked_sub(self.fee(&inputs)).filter(|value| *value > 0)
        else {
            return self.wallet.coins.extend(inputs);
        };
        let cut = self.dice.next() % (value + 1);
        let mut amounts = self.active().split(cut);
        amounts.extend(self.active().split(value - cut));
        let outputs = self.blanks(&amounts);
        let body = swap_body(&inputs, &outputs);
        self.send_off(Errand { kind: Kind::Swap, body, inputs, outputs, answer: None });
    }

    pub(crate) fn order_melt(&mut self) {
        let count = 1 + self.dice.below(3);
        let inputs = self.take_coins(count);
        let Some(value) =
            Wallet::value(&inputs).checked_sub(self.fee(&inputs)).filter(|value| *value > 2)
        else {
            return self.wallet.coins.extend(inputs);
        };
        let fee_reserve = self.dice.next() % (value / 2);
        let spare = self.dice.next() % 3;
        let quote = MeltQuote {
            id: QuoteId::from_random(self.dice.bytes()),
            unit: self.unit,
            method: Method::Bank,
            request: "payto://demo/somebody".to_owned(),
            amount: (value - fee_reserve).saturating_sub(spare).max(1),
            fee_reserve,
            expiry: self.now.after(std::time::Duration::from_secs(900 * Day::SECONDS)),
            attempt: 0,
            state: MeltQuoteState::Unpaid,
        };
        let id = quote.id;
        let blanks = self.dice.below(8);
        let outputs = self.blanks(&vec![1; blanks]);
        assert_eq!(self.commit(vec![Change::OpenMeltQuote(quote)]), [Outcome::Applied(true)]);
        let request = MeltRequest {
            quote: id.to_string(),
            inputs: proofs(&inputs),
            outputs: Outputs::blank(asked(&outputs)).expect("few"),
            prefer_async: false,
        };
        let body = json(&message::MeltRequest::from(request));
        self.send_off(Errand { kind: Kind::Melt(id), body, inputs, outputs, answer: None });
    }

    pub(crate) fn send_off(&mut self, errand: Errand) {
        self.errands += 1;
        self.wire.push((self.errands, errand.body.clone()));
        self.wallet.errands.insert(self.errands, errand);
    }

    /// A wallet that heard nothing sends the same bytes again, and asks after its payments.
    pub(crate) fn send_again(&mut self) {
        let open: Vec<(u64, Vec<u8>)> =
            self.wallet.errands.iter().map(|(id, errand)| (*id, errand.body.clone())).collect();
        for (id, body) in open {
            if !self.wire.iter().any(|(sent, _)| *sent == id) {
                self.wire.push((id, body));
            }
        }
    }

    // --- the way there and back ------------------------------------------------------------------

    pub(crate) fn deliver(&mut self) {
        let mut batch = Vec::new();
        for _ in 0..1 + self.dice.below(8) {
            if self.wire.is_empty() {
                break;
            }
            let at = self.dice.below(self.wire.len()); // Any order.
            match self.dice.below(10) {
                0 => {
                    self.wire.swap_remove(at);
                    self.tally.count("lost");
                }
                1 => {
                    let (id, body) = self.wire[at].clone();
                    let torn = self.dice.below(body.len());
                    assert!(self.prepare(id, &body[..torn]).is_err(), "half a request is none");
                    self.tally.count("torn");
                }
                2 | 3 => batch.push(self.wire[at].clone()), // Delivered, and still on its way.
                _ => batch.push(self.wire.swap_remove(at)),
            }
        }
        let heard = !self.dice.once_in(8);
        self.serve(batch, heard);
    }

    pub(crate) fn deliver_surely(&mut self) {
        let rest = self.wire.split_off(self.wire.len().saturating_sub(8));
        self.serve(rest, true);
        while !self.replies.is_empty() {
            let reply = self.replies.remove(0);
            self.hear(reply);
        }
    }

    /// Prepares and commits a batch as the server does. `heard`: whether any answer leaves before a crash.
    pub(crate) fn serve(&mut self, batch: Vec<(u64, Vec<u8>)>, heard: bool) {
        let (mut ids, mut changes, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        for (id, body) in batch {
            match self.prepare(id, &body) {
                Ok(change) => {
                    ids.push(id);
                    changes.push(change);
                }
                Err(refusal) => answers.push((id, refusal)),
            }
        }
        if !changes.is_empty() {
            let outcomes = self.site.store().commit(&changes, self.now).expect("the store works");
            for ((id, change), outcome) in ids.into_iter().zip(changes).zip(outcomes) {
                answers.push((id, answer(change, outcome)));
            }
        }
        self.served += 1;
        if heard {
            let served = self.served;
            let reply = |(errand, answer)| Reply { errand, served, answer };
            self.replies.extend(answers.into_iter().map(reply));
        } else {
            self.site.reopen();
            self.tally.count("crashes");
        }
    }

    /// The change a request asks for, or the refusal that needs no store.
    pub(crate) fn prepare(&mut self, id: u64, body: &[u8]) -> Result<Change, Vec<u8>> {
        let kind = self.wallet.errands.get(&id).map_or(Kind::Swap, |errand| errand.kind);
        match kind {
            Kind::Swap => {
                let request: SwapRequest = read::<message::SwapRequest, _>(body)?;
                let (inputs, outputs) = (request.inputs.as_slice(), request.outputs.as_slice());
                let swap = self.mint.prepare_swap(self.unit, inputs, outputs, self.now);
                swap.map(Change::Swap).map_err(refusal)
            }
            Kind::Mint(quote) => {
                let request: MintRequest = read::<message::MintRequest, _>(body)?;
                let quote = self.site.reader().mint_quote(quote).expect("the store works");
                let quote = quote.ok_or_else(|| refusal(MintError::UnknownQuote))?;
                let outputs = request.outputs.as_slice();
                let mint = self.mint.prepare_mint((self.unit, Method::Bank), &quote, outputs, None);
                mint.map(Change::Mint).map_err(refusal)
            }
            Kind::Melt(quote) => {
                let request: MeltRequest = read::<message::MeltRequest, _>(body)?;
                let quote = self.site.reader().melt_quote(quote).expect("the store works");
                let quote = quote.expect("a quote is kept while it is open");
                let (inputs, outputs) = (request.inputs.as_slice(), request.outputs.as_slice());
                let of = (self.unit, Method::Bank);
                let melt = self.mint.prepare_melt(of, &quote, inputs, outputs, self.now);
                melt.map(Change::StartMelt).map_err(refusal)
            }
        }
    }

    pub(crate) fn hand_over_replies(&mut self) {
        for _ in 0..1 + self.dice.below(6) {
            if self.replies.is_empty() {
                return;
            }
            let at = self.dice.below(self.replies.len());
            let reply = self.replies.swap_remove(at);
            if self.dice.once_in(6) {
                self.tally.count("lost");
            } else {
                self.hear(reply);
            }
        }
    }

    pub(crate) fn hear(&mut self, reply: Reply) {
        let Reply { errand: id, served, answer } = reply;
        let Some(errand) = self.wallet.errands.get_mut(&id) else {
            return; // A later copy's answer: the errand ended with an earlier one.
        };
        let past_retention = answer.ends_with(b"UnknownQuote");
        if past_retention {
            return self.restore(id);
        }
        if let Some((granted_at, earlier)) = &errand.answer {
            if served < *granted_at && answer.ends_with(b"NotPaid") {
                return; // From before the money came; the signatures overtook it.
            }
            let text = String::from_utf8_lossy;
            assert_eq!(text(earlier), text(&answer), "the same bytes get the same answer");
            self.tally.count("replays");
        }
        let granted = answer.first() == Some(&b'{');
        match errand.kind {
            Kind::Swap | Kind::Mint(_) if granted => {
                // Half of the time the wallet forgets, and asks again.
                if errand.answer.is_none() && self.dice.once_in(2) {
                    errand.answer = Some((served, answer));
                } else {
                    self.collect(id, &answer);
                }
            }
            Kind::Melt(_) if granted => {} // Started: how it ends is asked later.
            Kind::Swap | Kind::Melt(_) => {
                let text = String::from_utf8_lossy(&answer).into_owned();
                let ended = text.contains("KeysetInactive") || text.contains("KeysetExpired");
                if ended {
                    self.give_up(id);
                } else {
                    assert!(text.contains("Pending"), "an honest request is not refused: {text}");
                }
            }
            Kind::Mint(quote) => {
                let text = String::from_utf8_lossy(&answer).into_owned();
                if text.contains("KeysetInactive") || text.contains("KeysetExpired") {
                    let errand = self.wallet.errands.remove(&id).expect("just seen");
                    let value = errand.outputs.iter().map(|blank| blank.message().amount).sum();
                    let amounts = self.active().split(value);
                    self.order_outputs_of(quote, &amounts);
                } else {
                    assert!(text.contains("NotPaid"), "an honest request is not refused: {text}");
                }
            }
        }
    }

    pub(crate) fn collect(&mut self, id: u64, answer: &[u8]) {
        let errand = self.wallet.errands.remove(&id).expect("the caller looked");
        let signed: message::SignaturesResponse =
            serde_json::from_slice(answer).expect("signatures");
        assert_eq!(signed.signatures.len(), errand.outputs.len());
        for (blank, signature) in errand.outputs.iter().zip(signed.signatures) {
            let signature = BlindSignature::try_from(signature).expect("with its proof");
            assert_eq!(signature.amount, blank.message().amount, "signed for what was asked");
            let keyset = self.mint.keyset(&signature.keyset).expect("the mint's keyset");
            self.wallet.coins.push(coin(blank, &signature, keyset.keys()));
        }
        self.tally.count(if errand.kind == Kind::Swap { "swaps" } else { "mints" });
        self.wallet.spent.extend(errand.inputs.iter().cloned());
        self.wallet.done.push(errand);
    }

    /// The quote is forgotten, so the wallet asks for its signatures by themselves (NUT-09).
    fn restore(&mut self, id: u64) {
        let errand = &self.wallet.errands[&id];
        let blinded: Vec<_> = errand.outputs.iter().map(|blank| blank.message().blinded).collect();
        let known = self.site.reader().signed(&blinded).expect("the store works");
        let found = self.mint.restore(self.unit, &blinded, &known).expect("ours");
        if found.len() == blinded.len() {
            let signatures: Vec<_> = found.into_iter().map(|(_, signature)| signature).collect();
            let answer = json(&message::SignaturesResponse::from(signatures));
            self.collect(id, &answer);
        } else {
            assert!(found.is_empty(), "issued whole or not at all");
            self.wallet.errands.remove(&id); // Never paid.
        }
    }

    /// Takes back what a refused request would have spent. The auditor sees that it was not.
    pub(crate) fn give_up(&mut self, id: u64) {
        let errand = self.wallet.errands.remove(&id).expect("the caller looked");
        self.wire.retain(|(sent, _)| *sent != id);
        let ys: Vec<_> = errand.inputs.iter().map(|coin| coin.y).collect();
        let states = self.site.reader().proof_states(&ys).expect("the store works");
        assert!(
            states.iter().all(|state| *state == ProofState::Unspent),
            "refused, so nothing was spent"
        );
        self.wallet.coins.extend(errand.inputs);
    }
}

pub(crate) fn mint_quote_of(errand: &Errand) -> Option<QuoteId> {
    match errand.kind {
        Kind::Mint(quote) => Some(quote),
        Kind::Swap | Kind::Melt(_) => None,
    }
}

fn answer(change: Change, outcome: Outcome) -> Vec<u8> {
    let signatures = |signed: Vec<BlindSignature>| json(&message::SignaturesResponse::from(signed));
    match (change, outcome) {
        (Change::Swap(swap), outcome) => swap.answer(outcome).map_or_else(refusal, signatures),
        (Change::Mint(mint), outcome) => mint.answer(outcome).map_or_else(refusal, signatures),
        (Change::StartMelt(_), Outcome::Melt(Ok(_))) => b"{}".to_vec(),
        (Change::StartMelt(_), Outcome::Melt(Err(error))) => refusal(error),
        _ => unreachable!("errands are swaps, mints and melts"),
    }
}

pub(crate) fn refusal(error: impl fmt::Debug) -> Vec<u8> {
    format!("refused: {error:?}").into_bytes()
}

pub(crate) fn json<T: serde::Serialize>(message: &T) -> Vec<u8> {
    serde_json::to_vec(message).expect("messages are written")
}

pub(crate) fn read<M, R>(body: &[u8]) -> Result<R, Vec<u8>>
where
    M: serde::de::DeserializeOwned,
    R: TryFrom<M>,
    R::Error: fmt::Debug,
{
    let message: M = serde_json::from_slice(body).map_err(refusal)?;
    R::try_from(message).map_err(refusal)
}

pub(crate) fn proofs(coins: &[Coin]) -> Inputs {
    let proofs: Vec<Proof> = coins.iter().map(|coin| coin.proof.clone()).collect();
    Inputs::new(proofs).expect("a few proofs")
}

pub(crate) fn asked(blanks: &[Blinding]) -> Vec<BlindedMessage> {
    blanks.iter().map(|blank| *blank.message()).collect()
}

fn messages(blanks: &[Blinding]) -> Outputs {
    Outputs::new(asked(blanks)).expect("a few messages")
}

fn swap_body(inputs: &[Coin], outputs: &[Blinding]) -> Vec<u8> {
    json(&message::SwapRequest::from(SwapRequest {
        inputs: proofs(inputs),
        outputs: messages(outputs),
    }))
}
