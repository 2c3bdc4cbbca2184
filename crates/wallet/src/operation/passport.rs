//! A passport's affairs: the first one, months that are over, income, and finding it again.
//!
//! Whatever is asked for, the same comes first: the desk's keys are held against those pinned, an update under way is sent
//! again, and if the desk does not take it, what it answered is looked for where only this wallet finds it. Then the months
//! that are over are closed one by one, and then what was asked for is done.
//!
//! Source: PASSPORT.md, "Epoch", "Tick", "Recovery".

mod month;
mod search;

use serde::Deserialize;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_credit::certificate::hold::Certificate;
use tacit_credit::certificate::issuer::{self, Metadata};
use tacit_credit::certificate::statement::Statement;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::holder::{Event, Passport, PrepareError, Prover, Receipt};
use tacit_credit::passport::key::PublicKeys;
use tacit_credit::passport::message;
use tacit_credit::passport::pending::{Pending, Received, ReplyError};
use tacit_credit::passport::proof::Bins;
use tacit_credit::passport::standing::Contract;
use tacit_credit::passport::wire;
use tacit_credit::scorecard::signed::CardId;

use super::dice::Dice;
use super::{Wallet, Yield};
use crate::batch::{Batch, Change};
use crate::certificate::{Certificates, Order, OrderError};
use crate::mint::MintUrl;
use crate::passport::bills::stays;
use crate::passport::kept::{Errand, Kept, Waiting};
use crate::passport::recovery::{RecoveryError, access, holder, seal};
use crate::transport::{Answer, Bearer, Reading, Refusal, Request, read};
use month::Step;
use search::Search;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A first passport, with a code of the operator's portal.
    Enrol {
        /// The code.
        code: Bearer,
    },
    /// The passport as it should be now: months that are over are closed.
    Present,
    /// The same, and the income of the month before, if there is any that is not counted.
    Income,
    /// The passport, found again from the words.
    Find,
    /// Certificates, four of one proof.
    Certify(Box<Certifying>),
}

/// What certificates are to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certifying {
    /// By which scorecard.
    pub card: CardId,
    /// As the proof computes it.
    pub bins: Bins,
    /// The score is at least this: one that the desk offers.
    pub threshold: u16,
    /// The passport is at least so many months old: as many as the desk offers.
    pub tenure: u16,
    /// No bill is open, either.
    pub nothing_overdue: bool,
}

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Months that were closed.
    pub closed: u16,
    /// Contracts of which no receipt was to be had for a month that was closed, which is late by it.
    pub missed: Vec<(Contract, Epoch)>,
    /// Units of income that were counted.
    pub income: Option<u16>,
    /// Later passports that were found at the desk.
    pub found: u16,
    /// Certificates that came.
    pub certificates: u16,
}

/// Why it was not done. Variants stand in the order they are checked. What was done until then stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassportError {
    /// The desk could not be reached, or answered something else: try again later.
    #[error("the passport desk did not answer")]
    NoAnswer,
    /// The desk says no.
    #[error("the passport desk refuses: {refusal}")]
    Refused {
        /// Why.
        refusal: Refusal,
    },
    /// The desk shows other keys than before for the same time: each wallet could be given its own, and so be known by them.
    #[error("the passport desk has changed its keys of epoch {epoch}")]
    Changed {
        /// Of which epoch.
        epoch: u32,
    },
    /// There is a passport with this operator.
    #[error("this wallet has a passport with {desk} already")]
    Held {
        /// The operator's desk.
        desk: MintUrl,
    },
    /// There is none.
    #[error("this wallet has no passport with {desk}")]
    None {
        /// The operator's desk.
        desk: MintUrl,
    },
    /// It was not used for longer than its keys last.
    #[error("the passport has expired: its keys are retired")]
    Expired,
    /// The request could not be made.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The desk's reply is not what it should be.
    #[error(transparent)]
    Reply(#[from] ReplyError),
    /// The way back was not found.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// The desk's certificates are not what was asked for. The passport is in order.
    #[error("the desk's certificates are not taken")]
    Certificates(#[from] OrderError),
}

/// A passport's affairs with one operator; see [`crate::operation`].
#[derive(Debug)]
pub struct Affairs {
    desk: MintUrl,
    wish: Wish,
    dice: Dice,
    phase: Phase,
    mint: Option<MintUrl>,
    info: Option<wire::Info>,
    done: Done,
    /// Receipts for the month that is being closed, a slot each.
    receipts: Vec<Receipt>,
    /// Whether the account was asked for its income.
    has_asked: bool,
    /// Whether an update was answered.
    has_changed: bool,
    /// Why an update was given up.
    refusal: Option<Refusal>,
    search: Option<Search>,
    /// Who signs certificates, if it was asked for.
    issuer: Option<Metadata>,
    /// Why certificates were not taken.
    untaken: Option<OrderError>,
}

/// A reply, and what comes with that to a request for certificates.
#[derive(Debug, Deserialize)]
struct Replied {
    #[serde(flatten)]
    answer: wire::Answer,
    #[serde(default)]
    certificates: Vec<String>,
}

#[derive(Debug)]
enum Phase {
    Begin,
    Place,
    Info,
    Go,
    Terms,
    /// Something of the month that is being closed.
    Closing(Box<Step>),
    Income,
    Issuer,
    Sent,
    Bucket,
}

type Result<T> = std::result::Result<T, PassportError>;
type Want = Yield<Result<Done>>;

impl Affairs {
    /// With an operator. `random`: 32 bytes that nothing else is made of.
    pub fn new(desk: MintUrl, wish: Wish, random: Secret<[u8; 32]>) -> Self {
        Self {
            desk,
            wish,
            dice: Dice::new(random),
            phase: Phase::Begin,
            mint: None,
            info: None,
            done: Done::default(),
            receipts: Vec::new(),
            has_asked: false,
            has_changed: false,
            refusal: None,
            search: None,
            issuer: None,
            untaken: None,
        }
    }

    /// Moves on; see [`crate::operation`].
    pub fn step(&mut self, wallet: Wallet<'_>, answer: Option<Answer>) -> Want {
        self.advance(wallet, answer).unwrap_or_else(|error| Yield::Done(Err(error)))
    }

    fn advance(&mut self, wallet: Wallet<'_>, answer: Option<Answer>) -> Result<Want> {
        match std::mem::replace(&mut self.phase, Phase::Go) {
            Phase::Begin => match wallet.state.passports.get(&self.desk) {
                Some(kept) => {
                    self.mint = Some(kept.mint.clone());
                    Ok(self.ask_info())
                }
                None => {
                    self.phase = Phase::Place;
                    let path = "/api/v1/passport".to_owned();
                    Ok(Yield::Send(Request::get(&self.desk, path)))
                }
            },
            Phase::Place => {
                let place: wire::Place = taken(answer)?;
                self.mint = Some(place.mint.parse().map_err(|_| PassportError::NoAnswer)?);
                Ok(self.ask_info())
            }
            Phase::Info => self.take_info(wallet, taken(answer)?),
            Phase::Go => self.go_on(wallet),
            Phase::Terms => self.enrol(wallet, &taken(answer)?),
            Phase::Closing(step) => self.take_step(wallet, *step, answer),
            Phase::Income => self.earn(wallet, &taken(answer)?),
            Phase::Issuer => {
                // Its own name, or it would be somebody else's certificates.
                let issuer: Metadata = taken(answer)?;
                let named = issuer.certificates();
                if named.issuer() != self.mint().as_str() {
                    return Err(PassportError::NoAnswer);
                }
                self.issuer = Some(issuer);
                self.go_on(wallet)
            }
            Phase::Sent => self.take_reply(wallet, answer),
            Phase::Bucket => self.look(wallet, taken(answer)?),
        }
    }

    fn mint(&self) -> &MintUrl {
        self.mint.as_ref().expect("asked for before anything else")
    }

    fn ask_info(&mut self) -> Want {
        self.phase = Phase::Info;
        Yield::Send(Request::get(self.mint(), "/v1/passport".to_owned()))
    }

    /// Holds the desk's keys against those pinned, and pins the others.
    fn take_info(&mut self, wallet: Wallet<'_>, info: wire::Info) -> Result<Want> {
        let known = wallet.state.passports.get(&self.desk);
        let mut next = known.map_or_else(
            || Kept {
                version: 1,
                mint: self.mint().clone(),
                keys: std::collections::BTreeMap::new(),
                held: None,
                waiting: None,
                streams: Vec::new(),
                issuer: None,
                certificates: Certificates::default(),
                consents: Vec::new(),
            },
            Kept::next,
        );
        for key in &info.keys {
            let named = PublicKeys::new(&key.public).ok().filter(|keys| keys.id() == key.id);
            let changed = PassportError::Changed { epoch: key.epoch };
            named.ok_or_else(|| changed.clone())?;
            if next.keys.entry(key.epoch).or_insert_with(|| key.clone()) != key {
                return Err(changed);
            }
        }
        self.info = Some(info);
        if self.wish == Wish::Find {
            // From the words, unless there is something later to begin with.
            self.search = Some(self.search(wallet, &next, None));
        }
        Ok(match known {
            Some(known) if known.keys == next.keys => self.go_on(wallet)?,
            _ => self.keep(next),
        })
    }

    fn keep(&self, kept: Kept) -> Want {
        let change = Change::SetPassport { desk: self.desk.clone(), kept: Box::new(kept) };
        Yield::Persist(Batch { changes: vec![change] })
    }

    /// What is to be done next, of what is kept.
    fn go_on(&mut self, wallet: Wallet<'_>) -> Result<Want> {
        let kept = kept(wallet, &self.desk)?;
        if self.search.is_some() {
            return self.ask_bucket(None);
        }
        if let Some(refusal) = self.refusal.take() {
            return Err(PassportError::Refused { refusal });
        }
        if let Some(error) = self.untaken.take() {
            return Err(error.into());
        }
        let is_certifying =
            kept.waiting.as_ref().is_some_and(|it| matches!(it.errand, Errand::Certify(_)));
        let wants = matches!(self.wish, Wish::Certify(_)) && self.done.certificates == 0;
        if self.issuer.is_none() && (is_certifying || wants) {
            self.phase = Phase::Issuer;
            return Ok(Yield::Send(Request::get(self.mint(), issuer::PATH.to_owned())));
        }
        if let Some(waiting) = &kept.waiting {
            self.phase = Phase::Sent;
            let access = access(wallet.seed);
            return Ok(Yield::Send(waiting.request(&self.desk, self.mint(), &access)));
        }
        let Some(held) = &kept.held else {
            let Wish::Enrol { code } = &self.wish else {
                return Err(PassportError::None { desk: self.desk.clone() });
            };
            self.phase = Phase::Terms;
            let path = "/api/v1/passport/enrolment";
            return Ok(Yield::Send(Request::to_desk::<()>(&self.desk, path, code, None)));
        };
        let month = self.info.as_ref().expect("it was taken").month;
        if held.standing().epoch < month {
            return self.close_month(wallet, kept, held);
        }
        match &self.wish {
            Wish::Income if !self.has_asked => {
                (self.has_asked, self.phase) = (true, Phase::Income);
                let (path, access) = ("/api/v1/passport/income", access(wallet.seed));
                Ok(Yield::Send(Request::to_desk::<()>(&self.desk, path, &access, None)))
            }
            Wish::Certify(wanted) if self.done.certificates == 0 => {
                let wanted = wanted.clone();
                self.certify(wallet, kept, held, &wanted)
            }
            Wish::Enrol { .. } if !self.has_changed => {
                Err(PassportError::Held { desk: self.desk.clone() })
            }
            Wish::Enrol { .. } | Wish::Present | Wish::Income | Wish::Find | Wish::Certify(_) => {
                Ok(Yield::Done(Ok(self.done.clone())))
            }
        }
    }

    /// Keys that a passport is shown under, and those it is received under in a month: the newest, unless receipts are kept for it
    /// that are under its own.
    fn keys(
        &self,
        wallet: Wallet<'_>,
        kept: &Kept,
        held: &Passport,
        month: Epoch,
    ) -> Result<(PublicKeys, PublicKeys)> {
        let info = self.info.as_ref().expect("it was taken");
        if !info.keys.iter().any(|key| key.id == held.keys()) {
            return Err(PassportError::Expired);
        }
        let shown = kept.keys_of(held.keys()).ok_or(PassportError::Expired)?;
        let received = match stays(wallet.state, &self.desk, kept, held, month) {
            true => shown.clone(),
            false => self.newest(kept)?,
        };
        Ok((shown, received))
    }

    fn newest(&self, kept: &Kept) -> Result<PublicKeys> {
        let last = self.info.as_ref().and_then(|info| info.keys.last());
        let last = last.ok_or(PassportError::NoAnswer)?;
        kept.keys_of(last.id).ok_or(PassportError::NoAnswer)
    }

    fn enrol(&mut self, wallet: Wallet<'_>, terms: &wire::Enrolment) -> Result<Want> {
        let Wish::Enrol { code } = self.wish.clone() else { return Err(PassportError::NoAnswer) };
        let kept = kept(wallet, &self.desk)?;
        let (newest, holder) = (self.newest(kept)?, holder(wallet.seed));
        let prover = Prover { holder: &holder, shown: &newest, received: &newest };
        let pending = prover.enrol(terms.month, terms.since, &self.dice.draw())?;
        Ok(self.send_later(wallet, kept, Errand::Enrol(code), pending))
    }

    fn earn(&mut self, wallet: Wallet<'_>, income: &wire::Income) -> Result<Want> {
        let kept = kept(wallet, &self.desk)?;
        let held = kept.held.as_ref().ok_or(PassportError::NoAnswer)?;
        if income.units == 0 || income.is_counted || income.month != held.standing().epoch {
            return self.go_on(wallet);
        }
        let month = held.standing().epoch;
        let (shown, received) = self.keys(wallet, kept, held, month)?;
        let holder = holder(wallet.seed);
        let prover = Prover { holder: &holder, shown: &shown, received: &received };
        let pending =
            prover.update(held, Event::Income { units: income.units }, &self.dice.draw())?;
        self.done.income = Some(income.units);
        let errand = Errand::Income(access(wallet.seed));
        Ok(self.send_later(wallet, kept, errand, pending))
    }

    fn certify(
        &mut self,
        wallet: Wallet<'_>,
        kept: &Kept,
        held: &Passport,
        wanted: &Certifying,
    ) -> Result<Want> {
        let month = held.standing().epoch;
        let (shown, received) = self.keys(wallet, kept, held, month)?;
        let holder = holder(wallet.seed);
        let prover = Prover { holder: &holder, shown: &shown, received: &received };
        let order = Order::new(&std::array::from_fn(|_| self.dice.draw()));
        let now = self.info.as_ref().map_or(0, |info| info.now);
        let Certifying { card, bins, threshold, tenure, nothing_overdue } = wanted;
        let event = Event::Certify {
            card: *card,
            bins,
            threshold: *threshold,
            tenure: *tenure,
            strict: *nothing_overdue,
            day: Timestamp::from_seconds(now).day(),
            keys: order.digest(),
        };
        let pending = prover.update(held, event, &self.dice.draw())?;
        Ok(self.send_later(wallet, kept, Errand::Certify(order), pending))
    }

    /// The certificates that came with a reply. What is wrong with them is said once the passport is kept.
    fn take_certificates(&mut self, waiting: &Waiting, texts: &[String]) -> Vec<Certificate> {
        let Errand::Certify(order) = &waiting.errand else { return Vec::new() };
        let request = message::Request::read(waiting.pending.request()).ok();
        let statement = request.and_then(|request| Statement::of(&request.terms));
        let (Some(statement), Some(issuer)) = (statement, &self.issuer) else { return Vec::new() };
        let now = self.info.as_ref().map_or(0, |info| info.now);
        let now = Timestamp::from_seconds(now);
        match order.receive(texts, &statement, &issuer.certificates(), now) {
            Ok(certificates) => certificates,
            Err(error) => {
                self.untaken = Some(error);
                Vec::new()
            }
        }
    }

    /// Writes an update down; it is sent in the next step.
    fn send_later(
        &mut self,
        wallet: Wallet<'_>,
        kept: &Kept,
        errand: Errand,
        pending: Pending,
    ) -> Want {
        let sealed = seal(wallet.seed, &pending, self.dice.nonce());
        let waiting = Some(Box::new(Waiting { errand, pending, sealed }));
        self.keep(Kept { waiting, ..kept.next() })
    }

    fn take_reply(&mut self, wallet: Wallet<'_>, answer: Option<Answer>) -> Result<Want> {
        let kept = kept(wallet, &self.desk)?;
        let waiting = kept.waiting.as_ref().ok_or(PassportError::NoAnswer)?;
        let reply: Replied = match read(answer) {
            Reading::Taken(reply) => reply,
            Reading::Unclear => return Err(PassportError::NoAnswer),
            Reading::Refused(refusal) => {
                // Perhaps it was answered before, and the answer was lost; or another device was here with the same words.
                self.search = Some(self.search(wallet, kept, Some(refusal)));
                return self.ask_bucket(None);
            }
        };
        let keys = kept.keys_of(waiting.pending.received()).ok_or(PassportError::Expired)?;
        let Received::Passport(held) = waiting.pending.finish(&reply.answer.reply, &keys)? else {
            return Err(ReplyError::Malformed.into());
        };
        self.has_changed = true;
        self.done.closed += u16::from(waiting.errand == Errand::Tick);
        let mut next = Kept { held: Some(*held), waiting: None, ..kept.next() };
        next.drop_receipts();
        let came = self.take_certificates(waiting, &reply.certificates);
        if !came.is_empty() {
            self.done.certificates = u16::try_from(came.len()).unwrap_or(u16::MAX);
            next.certificates.add(came);
            next.issuer.clone_from(&self.issuer);
        }
        Ok(self.keep(next))
    }
}

fn kept<'a>(wallet: Wallet<'a>, desk: &MintUrl) -> Result<&'a Kept> {
    wallet.state.passports.get(desk).ok_or_else(|| PassportError::None { desk: desk.clone() })
}

fn taken<T: serde::de::DeserializeOwned>(answer: Option<Answer>) -> Result<T> {
    match read(answer) {
        Reading::Taken(message) => Ok(message),
        Reading::Refused(refusal) => Err(PassportError::Refused { refusal }),
        Reading::Unclear => Err(PassportError::NoAnswer),
    }
}

/// The month that a passport of this state stands in.
pub fn month(kept: &Kept) -> Option<Epoch> {
    kept.held().map(|held| held.standing().epoch)
}
