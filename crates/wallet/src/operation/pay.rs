//! Pays a request: makes a token of what is asked, locked if that is asked, and sends it where it is asked (NUT-18).
//!
//! A driver asks [`payable`] what of the wallet could pay, lets the person choose, and drives [`Pay`]. What is paid is
//! in the state as a token before it is sent; if no answer comes, [`Deliver`] sends the same again, or
//! [`crate::operation::reclaim::Reclaim`] takes it back. What goes along for a refund is told in [`refund`].

use serde::Serialize;
use tacit_core::amount::{Amount, AmountError};
use tacit_core::secret::Secret;
use tacit_core::unit::{Unit, UnitError};
use tacit_credit::passport::pending::{Received, ReplyError};
use tacit_credit::passport::wire::bill;
use tacit_ecash::condition::lock::Malformed;
use tacit_ecash::message::info::InfoResponse;
use tacit_ecash::payment_request::lock_option::LockKind;
use tacit_ecash::payment_request::payload::Payload;
use tacit_ecash::payment_request::{Method, PaymentRequest};

use super::ask::{is_listed, is_taken};
use super::send::{Order, Send, SendError};
use super::{Wallet, Yield, refund};
use crate::batch::{Batch, Change};
use crate::locked::Locking;
use crate::mint::MintUrl;
use crate::passport::bills::Asked;
use crate::state::{Delivery, OperationId, State};
use crate::token::SealedToken;
use crate::transport::{Answer, PayeeUrl, PayeeUrlError, Reading, Refusal, Request, read};

/// What of a wallet could pay a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payable {
    /// With e-cash of this mint.
    pub mint: MintUrl,
    /// What the receiver is to have, before fees of other mints than those listed.
    pub amount: Amount,
    /// Whether the request lists the mint: others may cost a fee.
    pub is_listed: bool,
    /// Where the payment goes; `None` if the token goes back the way the request came.
    pub delivery: Option<Delivery>,
}

/// Why a request is not paid. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayError {
    /// Neither the request nor the person says how much.
    #[error("the payment request leaves the amount open: say how much")]
    NoAmount,
    /// The person says another amount or unit than the request.
    #[error("the payment request is for another amount")]
    OtherAmount,
    /// The unit is none this wallet knows.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// More than any wallet counts.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// Nobody could open what is paid, or the kind of lock is not known.
    #[error("the payment request asks for a lock that opens for nobody")]
    Lock(#[from] Malformed),
    /// None of the ways to deliver is known here.
    #[error("the payment request cannot be answered: only HTTP is known here")]
    NoTransport,
    /// The address is none.
    #[error(transparent)]
    Url(#[from] PayeeUrlError),
    /// It was paid, and the payment is not known to have arrived: another would pay it twice.
    #[error("payment {number} is for this request, and is not known to have arrived", number = operation.number())]
    Undelivered {
        /// The token: [`Deliver`] sends it again, a reclaim takes it back.
        operation: OperationId,
    },
    /// The request takes e-cash of none of the wallet's mints in this unit.
    #[error("the payment request takes e-cash of none of this wallet's mints")]
    NotTaken,
    /// No mint that it takes holds enough.
    #[error("there is not enough to pay: {missing} more is needed at one mint")]
    NotEnough {
        /// What is lacking at the mint that holds most, in minor units, fees aside.
        missing: u64,
    },
    /// The mint was to say what it supports, and did not answer. Nothing has changed.
    #[error("the mint did not answer")]
    NoAnswer,
    /// The mint does not know such locks: what is locked could be taken by anybody.
    #[error("the mint does not keep locks of this kind")]
    LockUnsupported,
    /// The mint pays out by no method that the receiver can be paid by.
    #[error("the mint pays out by no method that the payment request names")]
    Method,
    /// There is no token.
    #[error(transparent)]
    Send(#[from] SendError),
    /// There is a token, and it is not known to have arrived.
    #[error(transparent)]
    Deliver(#[from] DeliverError),
}

/// What could pay a request, best first: a mint that it lists, then the one that holds most.
///
/// `amount`: for a request that leaves it open.
///
/// # Errors
/// [`PayError`], up to [`PayError::NotEnough`].
pub fn payable(
    state: &State,
    request: &PaymentRequest,
    amount: Option<Amount>,
) -> Result<Vec<Payable>, PayError> {
    let amount = asked(request, amount)?;
    if let Some(lock) = &request.lock {
        lock.condition()?;
    }
    let delivery = delivery(request)?;
    if let Some(operation) = delivery.as_ref().and_then(|to| on_its_way(state, to)) {
        return Err(PayError::Undelivered { operation });
    }
    let mut mints: Vec<&MintUrl> =
        state.keysets.values().map(|keyset| &keyset.pinned.mint).collect();
    mints.sort_unstable();
    mints.dedup();
    let has_unit = |mint: &&MintUrl| state.keysets_of(mint, amount.unit()).next().is_some();
    let held = |mint: &MintUrl| state.balance(mint, amount.unit());
    mints.retain(|mint| is_taken(request, mint) && has_unit(mint));
    mints.sort_by_key(|mint| (!is_listed(request, mint), std::cmp::Reverse(held(mint))));
    let most = mints.iter().map(|mint| held(mint)).max().ok_or(PayError::NotTaken)?;
    mints.retain(|mint| amount.value() <= held(mint));
    if mints.is_empty() {
        return Err(PayError::NotEnough { missing: amount.value().saturating_sub(most) });
    }
    let payable = |mint: &MintUrl| {
        let (is_listed, delivery) = (is_listed(request, mint), delivery.clone());
        Payable { mint: mint.clone(), amount, is_listed, delivery }
    };
    Ok(mints.into_iter().map(payable).collect())
}

fn asked(request: &PaymentRequest, amount: Option<Amount>) -> Result<Amount, PayError> {
    let unit: Option<Unit> = request.unit.as_deref().map(Unit::new).transpose()?;
    let amount = match (request.amount, unit, amount) {
        (None, _, None) | (Some(_), None, _) => return Err(PayError::NoAmount),
        (None, _, Some(chosen)) => chosen,
        (Some(asked), Some(unit), chosen) => {
            let asked = Amount::new(asked, unit)?;
            if chosen.is_some_and(|chosen| chosen != asked) {
                return Err(PayError::OtherAmount);
            }
            asked
        }
    };
    match unit {
        Some(unit) if unit != amount.unit() => Err(PayError::OtherAmount),
        Some(_) | None if amount.value() == 0 => Err(PayError::NoAmount),
        Some(_) | None => Ok(amount),
    }
}

fn delivery(request: &PaymentRequest) -> Result<Option<Delivery>, PayError> {
    if request.transports.is_empty() {
        return Ok(None);
    }
    let url = request.post_url().ok_or(PayError::NoTransport)?;
    let (id, url) = (request.id.clone(), PayeeUrl::try_from(url.to_owned())?);
    Ok(Some(Delivery { id, url, is_done: false, receipt: None }))
}

/// A payment to the same place for the same request, of which it is not known whether it arrived.
pub(crate) fn on_its_way(state: &State, to: &Delivery) -> Option<OperationId> {
    let waits = |delivery: &Delivery| {
        !delivery.is_done && (&delivery.id, &delivery.url) == (&to.id, &to.url)
    };
    let mut tokens = state.tokens.iter();
    let (id, _) = tokens.find(|(_, token)| token.delivery.as_ref().is_some_and(waits))?;
    Some(*id)
}

/// Pays a request.
#[derive(Debug)]
pub struct Pay {
    order: Order,
    methods: Vec<Method>,
    is_listed: bool,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Begin,
    /// What does the mint support?
    Info,
    Sending(Box<Send>),
    Delivering(Box<SealedToken>, Deliver),
}

/// A request that was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// What it was paid with. It stays in the state until it is known to be spent.
    pub token: SealedToken,
    /// Whether the receiver has said that it has it. If not, the token is to be handed over.
    pub is_delivered: bool,
}

impl Pay {
    /// With what [`payable`] offers.
    ///
    /// `memo`: to the receiver. `random`: 32 random bytes, used for nothing else.
    pub fn new(
        request: &PaymentRequest,
        payable: Payable,
        memo: Option<String>,
        random: [u8; 32],
    ) -> Self {
        let Payable { mint, amount, is_listed, delivery } = payable;
        let random = Secret::new(random);
        let lock = request.lock.clone().map(|option| Locking { option, random });
        // The receiver is to have the amount once the fee of swapping is paid.
        let order = Order { mint, amount, is_fee_added: true, memo, lock, delivery };
        Self { order, methods: request.methods.clone(), is_listed, phase: Phase::Begin }
    }

    /// Moves on; see [`crate::operation`].
    pub fn step(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Yield<Result<Paid, PayError>> {
        self.advance(wallet, answer).unwrap_or_else(|error| Yield::Done(Err(error)))
    }

    fn advance(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Result<Yield<Result<Paid, PayError>>, PayError> {
        match &mut self.phase {
            Phase::Begin if self.order.lock.is_some() || !self.methods.is_empty() => {
                self.phase = Phase::Info;
                Ok(Yield::Send(Request::get(&self.order.mint, "/v1/info".to_owned())))
            }
            Phase::Begin => self.send(wallet),
            Phase::Info => {
                let Reading::Taken(info) = read::<InfoResponse>(answer) else {
                    return Err(PayError::NoAnswer);
                };
                self.check(&info)?;
                self.send(wallet)
            }
            Phase::Sending(send) => match send.step(wallet, answer) {
                Yield::Persist(batch) => Ok(Yield::Persist(batch)),
                Yield::Send(request) => Ok(Yield::Send(request)),
                Yield::Done(sent) => {
                    let token = sent?;
                    if self.order.delivery.is_none() {
                        return Ok(Yield::Done(Ok(Paid { token, is_delivered: false })));
                    }
                    let deliver = Deliver::new(token.id);
                    self.phase = Phase::Delivering(Box::new(token), deliver);
                    self.advance(wallet, None)
                }
            },
            Phase::Delivering(token, deliver) => {
                let next = deliver.step(wallet, answer);
                let token = token.as_ref();
                Ok(next.map(|delivered| {
                    delivered?;
                    Ok(Paid { token: token.clone(), is_delivered: true })
                }))
            }
        }
    }

    /// Locks must be kept by the mint; and where the receiver has to be paid out, the mint must be able to.
    fn check(&mut self, info: &InfoResponse) -> Result<(), PayError> {
        let nuts = &info.nuts;
        let supports = match self.order.lock.as_ref().map(|lock| &lock.option.kind) {
            Some(LockKind::P2pk) => nuts.p2pk.as_ref(),
            Some(LockKind::Htlc) => nuts.htlc.as_ref(),
            Some(LockKind::Named(_) | LockKind::Numbered(_)) => None,
            None => return self.add_fee(info),
        };
        if !supports.is_some_and(|it| it.supported) {
            return Err(PayError::LockUnsupported);
        }
        self.add_fee(info)
    }

    fn add_fee(&mut self, info: &InfoResponse) -> Result<(), PayError> {
        if self.methods.is_empty() {
            return Ok(());
        }
        let unit = self.order.amount.unit();
        let offered = info.nuts.melt.iter().flat_map(|melt| &melt.methods);
        let offered: Vec<&str> = offered
            .filter(|method| method.unit == unit.code())
            .map(|method| method.method.as_str())
            .collect();
        let shared = self.methods.iter().filter(|method| offered.contains(&method.name.as_str()));
        let fee = shared.map(|method| method.fee.unwrap_or(0)).min().ok_or(PayError::Method)?;
        if !self.is_listed {
            self.order.amount = self.order.amount.checked_add(Amount::new(fee, unit)?)?;
        }
        Ok(())
    }

    fn send(&mut self, wallet: Wallet<'_>) -> Result<Yield<Result<Paid, PayError>>, PayError> {
        self.phase = Phase::Sending(Box::new(Send::new(self.order.clone())));
        self.advance(wallet, None)
    }
}

/// Sends a payment to the receiver, for the first time or again.
#[derive(Debug)]
pub struct Deliver {
    id: OperationId,
    phase: Delivering,
}

#[derive(Debug)]
enum Delivering {
    Begin,
    Asked,
    Persisting,
}

/// Why a payment is not known to have arrived. The token is out: send it again, or take it back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliverError {
    /// No such token is out, or it is not to be sent anywhere.
    #[error("there is no such payment to deliver")]
    UnknownPayment,
    /// The receiver could not be reached, or did not say yes or no. It may have the payment.
    #[error("the receiver did not answer: the payment may have arrived")]
    NoAnswer,
    /// The receiver says no.
    #[error("the receiver refuses the payment: HTTP status {status}")]
    Refused {
        /// HTTP status.
        status: u16,
    },
    /// The mint does not take the payment of a bill.
    #[error("the mint refuses the payment of the bill: {refusal}")]
    Bill {
        /// Why.
        refusal: Refusal,
    },
    /// The bill is paid, and what came for the passport is no receipt.
    #[error("the bill is paid, and its receipt is not taken: {0}")]
    Receipt(#[from] ReplyError),
}

impl Deliver {
    /// Of a token in the state.
    pub fn new(token: OperationId) -> Self {
        Self { id: token, phase: Delivering::Begin }
    }

    /// Moves on; see [`crate::operation`].
    pub fn step(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Yield<Result<(), DeliverError>> {
        match self.phase {
            Delivering::Begin => match self.request(wallet) {
                Some(request) => {
                    self.phase = Delivering::Asked;
                    Yield::Send(request)
                }
                None => Yield::Done(Err(DeliverError::UnknownPayment)),
            },
            Delivering::Asked => match self.read(wallet, answer) {
                Ok(changes) => {
                    self.phase = Delivering::Persisting;
                    Yield::Persist(Batch { changes })
                }
                Err(error) => Yield::Done(Err(error)),
            },
            Delivering::Persisting => Yield::Done(Ok(())),
        }
    }

    /// What the receiver's answer changes.
    fn read(
        &self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Result<Vec<Change>, DeliverError> {
        let done = Change::SetDelivered { id: self.id };
        if let Some(asked) = self.delivery(wallet).and_then(|to| to.receipt.as_deref()) {
            return match read::<bill::Paid>(answer) {
                Reading::Taken(paid) => {
                    let reply = paid.receipt.ok_or(ReplyError::Malformed)?.reply;
                    Ok(take_receipt(wallet, asked, &reply)?.into_iter().chain([done]).collect())
                }
                Reading::Refused(refusal) => Err(DeliverError::Bill { refusal }),
                Reading::Unclear => Err(DeliverError::NoAnswer),
            };
        }
        match answer {
            Some(Answer::Received { status: 200..=299, .. }) => Ok(vec![done]),
            // Timeout, too early, too many: the same payment may be taken later.
            Some(Answer::Received { status: 408 | 425 | 429, .. }) => Err(DeliverError::NoAnswer),
            Some(Answer::Received { status: status @ 400..=499, .. }) => {
                Err(DeliverError::Refused { status })
            }
            Some(Answer::Received { .. } | Answer::Lost) | None => Err(DeliverError::NoAnswer),
        }
    }

    fn delivery<'a>(&self, wallet: Wallet<'a>) -> Option<&'a Delivery> {
        wallet.state.tokens.get(&self.id)?.delivery.as_ref()
    }

    fn request(&self, wallet: Wallet<'_>) -> Option<Request> {
        let Delivery { id, url, receipt, .. } = self.delivery(wallet)?.clone();
        let mut token = SealedToken::open(wallet, self.id).ok()??.token;
        if receipt.is_some() {
            token.memo = None; // For the history alone: the mint knows which bill it is.
        }
        let payload = Payload { id, token }.to_json().ok()?;
        let payload = match receipt {
            Some(asked) => beside("receipt", &payload, &asked.message()),
            None => payload,
        };
        let payload = match refund::beside(wallet, self.id) {
            Some(outputs) => beside("refund_outputs", &payload, &outputs.ok()?),
            None => payload,
        };
        Some(Request::payment(url, payload))
    }
}

/// A payload with something else as its first member.
fn beside(name: &str, payload: &Secret<String>, what: &impl Serialize) -> Secret<String> {
    let what = serde_json::to_string(what).expect("text keys and no failing field");
    let members = payload.expose().strip_prefix('{').expect("a payload is an object");
    Secret::new(format!("{{\"{name}\":{what},{members}"))
}

/// Keeps the receipt for its month; if the passport is gone meanwhile, nothing.
fn take_receipt(
    wallet: Wallet<'_>,
    asked: &Asked,
    reply: &[u8],
) -> Result<Option<Change>, ReplyError> {
    let Some(kept) = wallet.state.passports.get(&asked.desk) else { return Ok(None) };
    let keys = kept.keys_of(asked.pending.received()).ok_or(ReplyError::Keys)?;
    let Received::Receipt(receipt) = asked.pending.finish(reply, &keys)? else {
        return Err(ReplyError::Malformed);
    };
    let mut next = kept.next();
    next.add_receipt(asked.contract, receipt);
    Ok(Some(Change::SetPassport { desk: asked.desk.clone(), kept: Box::new(next) }))
}
