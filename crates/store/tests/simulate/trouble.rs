//! What goes wrong in town: the rail's words, attempts that must fail, the passing of time.

use std::time::Duration;

use tacit_core::time::{Day, Timestamp};
use tacit_ecash::keyset::{KeysetSpec, SecretKeyset};
use tacit_ecash::message;
use tacit_ecash::proof::BlindedMessage;
use tacit_ecash::request::{Outputs, SwapRequest};
use tacit_service::identity::Identity;
use tacit_service::keyset::KeysetRecord;
use tacit_service::melt::MeltEnd;
use tacit_service::mint::Mint;
use tacit_service::quote::{MeltQuote, MeltQuoteState, QuoteId};
use tacit_service::vault::{Change, Outcome};

use crate::town::{Town, asked, json, mint_quote_of, proofs, read, refusal};
use crate::wallet::{Coin, Errand, Kind, Wallet, coin};

impl Town {
    // --- the rail ----------------------------------------------------------------------------------

    pub(crate) fn receive_money(&mut self) {
        let waiting = self.site.reader().unpaid_mint_quotes(self.now).expect("the store works");
        if waiting.is_empty() {
            return;
        }
        let quote = &waiting[self.dice.below(waiting.len())];
        let wrong = Change::Receive { quote: quote.id, amount: quote.amount + 1 };
        let right = || Change::Receive { quote: quote.id, amount: quote.amount };
        let outcomes = self.commit(vec![wrong, right(), right()]); // A bank statement read twice.
        let applied = |done| Outcome::Applied(done);
        assert_eq!(outcomes, [applied(false), applied(true), applied(false)]);
        self.outside.received += quote.amount;
    }

    pub(crate) fn receive_all_money(&mut self) {
        let open: Vec<QuoteId> = self.wallet.errands.values().filter_map(mint_quote_of).collect();
        for id in open {
            let quote = self.site.reader().mint_quote(id).expect("the store works");
            let Some(quote) = quote else { continue }; // Never paid, and past its retention.
            if self.commit(vec![Change::Receive { quote: id, amount: quote.amount }])
                == [Outcome::Applied(true)]
            {
                self.outside.received += quote.amount;
            }
        }
    }

    pub(crate) fn let_rail_speak(&mut self) {
        let pending = self.site.reader().pending_melt_quotes().expect("the store works");
        if pending.is_empty() {
            return self.ask_after_payments();
        }
        let quote = pending[self.dice.below(pending.len())].clone();
        self.end_payment(&quote);
        if self.dice.once_in(2) {
            self.ask_after_payments();
        }
    }

    /// The rail's final word, surrounded by words that are late or repeated.
    pub(crate) fn end_payment(&mut self, quote: &MeltQuote) {
        let fails = self.dice.once_in(3);
        // Once in a while the rail takes more than it said: the operator's loss, nobody else's.
        let most = if self.dice.once_in(10) { quote.fee_reserve + 5 } else { quote.fee_reserve };
        let fee = self.dice.next() % (most + 1);
        let end = if fails { MeltEnd::Failed } else { MeltEnd::Paid { fee, evidence: None } };
        let word = |attempt, end| Change::FinishMelt { quote: quote.id, attempt, end };
        let batch = vec![
            word(quote.attempt.wrapping_sub(1), MeltEnd::Paid { fee: 0, evidence: None }),
            word(quote.attempt, end.clone()),
            word(quote.attempt, MeltEnd::Failed),
            word(quote.attempt, end),
        ];
        let outcomes = self.commit(batch);
        let finished = |outcome: &Outcome| matches!(outcome, Outcome::Finished(Some(_)));
        let first_word_only: Vec<bool> = outcomes.iter().map(finished).collect();
        assert_eq!(first_word_only, [false, true, false, false], "one word ends a payment");
        self.tally.count("late words");
        self.tally.count(if fails { "melts failed" } else { "melts paid" });
        if !fails {
            self.outside.paid_out += quote.amount + fee;
        }
    }

    pub(crate) fn finish_all_melts(&mut self) {
        for quote in self.site.reader().pending_melt_quotes().expect("the store works") {
            self.end_payment(&quote);
        }
        self.ask_after_payments();
    }

    /// The wallet polls its melt quotes (NUT-05).
    pub(crate) fn ask_after_payments(&mut self) {
        let open: Vec<(u64, QuoteId)> = self
            .wallet
            .errands
            .iter()
            .filter_map(|(id, errand)| match errand.kind {
                Kind::Melt(quote) => Some((*id, quote)),
                Kind::Swap | Kind::Mint(_) => None,
            })
            .collect();
        for (id, quote) in open {
            let quote =
                self.site.reader().melt_quote(quote).expect("the store works").expect("open");
            match quote.state {
                MeltQuoteState::Unpaid if quote.attempt > 0 => self.give_up(id),
                MeltQuoteState::Unpaid | MeltQuoteState::Pending(_) => {}
                MeltQuoteState::Paid { change, .. } => {
                    let errand = self.wallet.errands.remove(&id).expect("listed above");
                    for (blank, output) in errand.outputs.iter().zip(&change) {
                        let signature = self.mint.sign_again(output).expect("ours");
                        let keyset = self.mint.keyset(&signature.keyset).expect("ours").keys();
                        self.wallet.coins.push(coin(blank, &signature, keyset));
                    }
                    self.wallet.spent.extend(errand.inputs);
                }
            }
        }
    }

    // --- attempts that must fail ---------------------------------------------------------------------

    /// Sends a forbidden swap and returns its refusal.
    pub(crate) fn forbidden(&mut self, inputs: &[Coin], outputs: Vec<BlindedMessage>) -> String {
        let outputs = Outputs::new(outputs).expect("a few messages");
        let body =
            json(&message::SwapRequest::from(SwapRequest { inputs: proofs(inputs), outputs }));
        let request: SwapRequest = read::<message::SwapRequest, _>(&body).expect("well-formed");
        let (proofs, messages) = (request.inputs.as_slice(), request.outputs.as_slice());
        let answer = match self.mint.prepare_swap(self.unit, proofs, messages, self.now) {
            Err(error) => refusal(error),
            Ok(swap) => {
                let outcomes = self.commit(vec![Change::Swap(swap)]);
                let [Outcome::Swap(result)] = outcomes.as_slice() else {
                    panic!("a swap's outcome")
                };
                refusal(result.as_ref().expect_err("a forbidden swap is refused"))
            }
        };
        String::from_utf8(answer).expect("text")
    }

    pub(crate) fn attempt_double_spend(&mut self) {
        if self.wallet.spent.is_empty() {
            return;
        }
        let at = self.dice.below(self.wallet.spent.len());
        let spent = self.wallet.spent[at].clone();
        let mut inputs = self.take_coins(1); // Beside an honest coin, which must not be lost with it.
        inputs.push(spent);
        let Some(value) =
            Wallet::value(&inputs).checked_sub(self.fee(&inputs)).filter(|value| *value > 0)
        else {
            inputs.pop();
            return self.wallet.coins.extend(inputs);
        };
        let amounts = self.active().split(value);
        let outputs = self.blanks(&amounts);
        let text = self.forbidden(&inputs, asked(&outputs));
        assert!(text.contains("AlreadySpent"), "{text}");
        self.tally.count("double spends refused");
        inputs.pop();
        self.wallet.coins.extend(inputs);
    }

    /// A wallet restored with an old counter asks for outputs that were signed before.
    pub(crate) fn attempt_stale_counter(&mut self) {
        let swaps: Vec<&Errand> =
            self.wallet.done.iter().filter(|errand| errand.kind == Kind::Swap).collect();
        if swaps.is_empty() {
            return;
        }
        let old = swaps[self.dice.below(swaps.len())].clone();
        let wanted: u64 = old.outputs.iter().map(|blank| blank.message().amount).sum();
        let inputs = self.take_coins(3);
        let value = Wallet::value(&inputs).saturating_sub(self.fee(&inputs));
        if let Some(rest) = value.checked_sub(wanted).filter(|_| !inputs.is_empty()) {
            let mut outputs = old.outputs;
            let amounts = self.active().split(rest);
            outputs.extend(self.blanks(&amounts));
            let text = self.forbidden(&inputs, asked(&outputs));
            assert!(text.contains("AlreadySigned"), "{text}");
            self.tally.count("stale counters refused");
        }
        self.wallet.coins.extend(inputs);
    }

    /// A swap repeated with two outputs' amounts exchanged is another swap.
    pub(crate) fn attempt_other_amount(&mut self) {
        let swaps: Vec<&Errand> =
            self.wallet.done.iter().filter(|errand| errand.kind == Kind::Swap).collect();
        if swaps.is_empty() {
            return;
        }
        let old = swaps[self.dice.below(swaps.len())].clone();
        let mut asked: Vec<BlindedMessage> =
            old.outputs.iter().map(|blank| *blank.message()).collect();
        let first = asked[0].amount;
        let Some(other) = asked.iter().position(|message| message.amount != first) else { return };
        asked[0].amount = asked[other].amount;
        asked[other].amount = first;
        let text = self.forbidden(&old.inputs, asked);
        assert!(text.contains("AlreadySigned"), "{text}");
        self.tally.count("other amounts refused");
    }

    // --- the passing of time ---------------------------------------------------------------------------

    pub(crate) fn move_clock(&mut self) {
        let hours = self.dice.next() % 96;
        self.now = Timestamp::from_seconds(self.now.seconds() + hours * 3600);
        if self.dice.once_in(6) {
            self.now = Timestamp::from_seconds(self.now.seconds() - 2 * 3600); // A clock is set back.
        }
    }

    pub(crate) fn rotate(&mut self) {
        let days = 3 + self.dice.next() % 20;
        let lives = Duration::from_secs(days * Day::SECONDS);
        let spec = KeysetSpec {
            unit: self.unit,
            index: self.keysets,
            orders: 12,
            input_fee_ppk: self.dice.next() % 4 * 100,
            final_expiry: self.dice.once_in(2).then(|| self.now.after(lives)),
        };
        let id = SecretKeyset::derive(&self.seed, spec).id();
        let add = || Change::AddKeyset { id, spec };
        assert_eq!(
            self.commit(vec![add(), add()]),
            [Outcome::Applied(true), Outcome::Applied(false)]
        );
        self.keysets += 1;
        if self.keysets > 1 {
            self.tally.count("rotations");
        }
        self.reload();
    }

    pub(crate) fn keep_house(&mut self) {
        self.commit(vec![Change::Tick]);
        let identity = Identity::derive(&self.seed);
        for (keyset, balance) in self.site.reader().sealable_keysets().expect("the store works") {
            self.tally.count("expiries");
            if self.commit(vec![Change::Seal(identity.seal(keyset.id, balance))])
                == [Outcome::Applied(true)]
            {
                self.tally.count("seals");
            }
        }
        self.reload();
        let signs = |record: &KeysetRecord| record.signs(self.now);
        if !self.mint.keysets().iter().any(|keyset| signs(keyset.record())) {
            self.rotate();
        }
    }

    pub(crate) fn crash(&mut self) {
        self.site.reopen();
        self.wire.clear();
        self.replies.clear();
        self.tally.count("crashes");
    }

    pub(crate) fn reload(&mut self) {
        let records = self.site.reader().keysets().expect("the store works");
        self.mint = Mint::new(&self.seed, records).expect("the seed of this vault");
    }

    pub(crate) fn commit(&mut self, batch: Vec<Change>) -> Vec<Outcome> {
        let outcomes = self.site.store().commit(&batch, self.now).expect("the store works");
        assert_eq!(outcomes.len(), batch.len(), "one outcome a change");
        outcomes
    }
}
