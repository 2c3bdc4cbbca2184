//! Requests made, paid and received in the town; and what of them is refused.

use tacit_core::amount::Amount;
use tacit_ecash::condition::lock::{Condition, Lock, SignatureFlag, Terms};
use tacit_ecash::payment_request::lock_option::LockOption;
use tacit_ecash::payment_request::payload::Payload;
use tacit_ecash::payment_request::{PaymentRequest, Transport, TransportKind};
use tacit_ecash::token::Token;
use tacit_wallet::batch::Batch;
use tacit_wallet::operation::Wallet;
use tacit_wallet::operation::pay::{Deliver, Pay, payable};
use tacit_wallet::operation::receive::Receive;
use tacit_wallet::state::OperationId;
use tacit_wallet::token::SealedToken;

use super::person::{CALM, NOW, Network, Person, Trouble, address};
use super::schedule::Town;

/// Why no token says more than it must.
const UNSEEN: &str = "by NUT-12 the mint would know who pays";

/// A request for an amount in a unit, at the town's mint.
pub(crate) fn request(id: &str, amount: Amount) -> PaymentRequest {
    PaymentRequest {
        id: Some(id.to_owned()),
        amount: Some(amount.value()),
        unit: Some(amount.unit().to_string()),
        mints: vec![format!("{}/", address())],
        description: Some("a coat".to_owned()),
        ..PaymentRequest::default()
    }
}

/// By HTTP.
pub(crate) fn post() -> Transport {
    let target = "https://shop.example/pay/".to_owned();
    Transport { kind: TransportKind::Post, target, tags: Vec::new() }
}

impl Person {
    fn persist(&mut self, batch: &Batch) {
        let mut state = self.state();
        state.apply(batch).unwrap();
        self.stored = serde_json::to_string(&state).unwrap();
    }

    /// Gives a request out, with a lock to a fresh key of this person, if there is to be one.
    pub(crate) fn ask(&mut self, request: &mut PaymentRequest, lock: Option<SignatureFlag>) {
        if let Some(flag) = lock {
            let (key, batch) = self.state().lock_key(&self.seed).unwrap();
            self.persist(&batch);
            let terms = Terms { flag, ..Terms::new(Lock::Key(key)) };
            request.lock = Some(LockOption::of(&Condition::new(terms).unwrap()));
        }
        self.persist(&self.state().ask(request, NOW).unwrap());
    }

    pub(crate) fn receive(
        &mut self,
        network: &mut Network,
        trouble: Trouble,
        mut receive: Receive,
    ) -> Option<Result<u64, tacit_wallet::operation::receive::ReceiveError>> {
        self.drive(network, trouble, |wallet, answer| receive.step(wallet, answer))
    }

    /// Tokens of this person that only somebody else can spend.
    fn locked_tokens(&self) -> Vec<(OperationId, Token)> {
        let state = self.state();
        let wallet = Wallet { seed: &self.seed, state: &state, now: NOW };
        let locked = state.tokens().iter().filter(|(_, token)| !token.locked.is_empty());
        let open = |id: &OperationId| {
            let token = SealedToken::open(wallet, *id).unwrap().unwrap().token;
            let proven = SealedToken::open_proven(wallet, *id).unwrap().unwrap().token;
            assert!(token.proofs.iter().all(|proof| proof.dleq.is_none()), "{UNSEEN}");
            assert!(proven.proofs.iter().all(|proof| proof.dleq.is_some()));
            assert!(token.to_text().expose().len() < proven.to_text().expose().len());
            token
        };
        locked.map(|(id, _)| (*id, open(id))).collect()
    }
}

impl Town {
    /// One asks, the other pays.
    pub(crate) fn pay_request(&mut self, who: usize) {
        let amount = self.amount();
        let mut asked = request(&format!("{:x}", self.random.next()), amount);
        asked.is_single_use = Some(self.random.below(2) == 0);
        if self.random.below(2) == 0 {
            asked.transports.push(post());
        }
        // What is locked is in no words: an older copy of the payer's state may have lost it.
        let lock = match self.random.below(3) {
            1 if !self.is_stale => Some(SignatureFlag::Inputs),
            2 if !self.is_stale => Some(SignatureFlag::All),
            _ => None,
        };
        self.people[1 - who].ask(&mut asked, lock);
        let text = match self.random.below(2) {
            0 => asked.to_creq_a(),
            _ => asked.to_creq_b(),
        };
        let asked: PaymentRequest = text.unwrap().parse().unwrap();
        let payer = &mut self.people[who];
        let Ok(offers) = payable(&payer.state(), &asked, None) else {
            self.tally.refused += 1;
            return;
        };
        let mut pay = Pay::new(&asked, offers[0].clone(), None, self.random.bytes());
        let end =
            payer.drive(&mut self.network, self.trouble, |wallet, answer| pay.step(wallet, answer));
        match end {
            Some(Ok(paid)) => {
                assert_eq!(paid.is_delivered, !asked.transports.is_empty());
                if !paid.is_delivered {
                    self.tokens.push(paid.token.token);
                }
                self.tally.requests += 1;
            }
            Some(Err(_)) => self.tally.refused += 1,
            None => {}
        }
    }

    /// Whoever asked takes what came; payments stay in the box, so that some are taken again.
    pub(crate) fn receive_payment(&mut self) {
        let Some(json) = self.network.inbox.last().cloned() else { return };
        let payload = Payload::from_json(json.as_bytes()).unwrap();
        assert!(payload.token.proofs.iter().all(|proof| proof.dleq.is_none()), "{UNSEEN}");
        let id = payload.id.clone().unwrap();
        let asks = |person: &&mut Person| person.state().requests().contains_key(&id);
        let Some(payee) = self.people.iter_mut().find(asks) else { return };
        let text = payee.state().requests()[&id].text.clone();
        let asked: PaymentRequest = text.parse().unwrap();
        match payee.receive(&mut self.network, self.trouble, Receive::payment(payload)) {
            Some(Ok(received)) => {
                assert!(asked.amount.unwrap() <= received, "{asked:?} {received}");
                self.tally.payments += 1;
            }
            Some(Err(_)) => self.tally.refused += 1,
            None => {}
        }
    }

    /// What was paid under a lock is of use to its receiver alone: it gets there in the end.
    pub(crate) fn hand_over_all(&mut self) {
        for payer in 0..self.people.len() {
            for (id, token) in self.people[payer].locked_tokens() {
                let mut deliver = Deliver::new(id);
                self.people[payer]
                    .drive(&mut self.network, CALM, |wallet, answer| deliver.step(wallet, answer));
                let receive = Receive::new(token);
                self.people[1 - payer].receive(&mut self.network, CALM, receive);
            }
        }
    }
}
