//! A passport's affairs: the first one, months that are over, income, and finding it again.
//!
//! Whatever is asked for, the same comes first: the desk's keys are held against those pinned, an update under way is sent
//! again, and if the desk does not take it, what it answered is looked for where only this wallet finds it. Then the months
//! that are over are closed one by one, and then what was asked for is done.
//!
//! Source: PASSPORT.md, "Epoch", "Tick", "Recovery".

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
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
use tacit_credit::passport::standing::STREAMS;
use tacit_credit::passport::wire;
use tacit_credit::scorecard::signed::CardId;

use super::{Wallet, Yield};
use crate::batch::{Batch, Change};
use crate::certificate::{Certificates, Order, OrderError};
use crate::mint::MintUrl;
use crate::passport::kept::{Errand, Kept, Waiting};
use crate::passport::recovery::{self, Recovery, RecoveryError, access, holder, seal};
use crate::transport::{Answer, Bearer, Reading, Refusal, Request, read};

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
    /// Receipts for the month that is being closed.
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

/// A look for what the desk answered.
#[derive(Debug)]
struct Search {
    recovery: Recovery,
    /// The bucket being read.
    bucket: Vec<recovery::Kept>,
    /// Why the search began: said if it finds nothing.
    refusal: Option<Refusal>,
}

#[derive(Debug)]
enum Phase {
    Begin,
    Place,
    Info,
    Go,
    Terms,
    Blank(Box<Pending>),
    Income,
    Issuer,
    Sent,
    Bucket,
}

/// Randomness: each draw follows from 32 random bytes that are the operation's own, so none is drawn twice.
#[derive(Debug)]
struct Dice {
    root: Secret<[u8; 32]>,
    drawn: u64,
}

impl Dice {
    fn draw(&mut self) -> Secret<[u8; 32]> {
        self.drawn += 1;
        let keyed = Hmac::<Sha256>::new_from_slice(self.root.expose()).expect("HMAC takes any key");
        let drawn =
            keyed.chain_update(b"tacit passport draw").chain_update(self.drawn.to_be_bytes());
        Secret::new(drawn.finalize().into_bytes().into())
    }
}

type Result<T> = std::result::Result<T, PassportError>;
type Want = Yield<Result<Done>>;

impl Affairs {
    /// With an operator. `random`: 32 bytes that nothing else is made of.
    pub fn new(desk: MintUrl, wish: Wish, random: Secret<[u8; 32]>) -> Self {
        Self {
            desk,
            wish,
            dice: Dice { root: random, drawn: 0 },
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
            Phase::Blank(pending) => {
                let reply: wire::Answer = taken(answer)?;
                let keys = kept(wallet, &self.desk)?.keys_of(pending.received());
                match pending.finish(&reply.reply, &keys.ok_or(PassportError::Expired)?)? {
                    Received::Receipt(receipt) => self.receipts.push(receipt),
                    Received::Passport(_) => return Err(ReplyError::Malformed.into()),
                }
                self.go_on(wallet)
            }
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

    /// Keys that a passport is shown under, and those it is received under.
    fn keys(&self, kept: &Kept, held: &Passport) -> Result<(PublicKeys, PublicKeys)> {
        let info = self.info.as_ref().expect("it was taken");
        if !info.keys.iter().any(|key| key.id == held.keys()) {
            return Err(PassportError::Expired);
        }
        let shown = kept.keys_of(held.keys()).ok_or(PassportError::Expired)?;
        Ok((shown, self.newest(kept)?))
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

    /// Fetches what a tick takes, and makes the tick.
    fn close_month(&mut self, wallet: Wallet<'_>, kept: &Kept, held: &Passport) -> Result<Want> {
        let ((shown, received), holder) = (self.keys(kept, held)?, holder(wallet.seed));
        if self.receipts.len() < STREAMS {
            let prover = Prover { holder: &holder, shown: &shown, received: &shown };
            let epoch = held.standing().epoch;
            let subject = *self.dice.draw().expose();
            let pending = prover.receipt(epoch, subject, None, &self.dice.draw())?;
            let (request, sealed) = (pending.request().to_vec(), Vec::new());
            self.phase = Phase::Blank(Box::new(pending));
            let ask = wire::Ask { request, sealed };
            return Ok(Yield::Send(Request::post(self.mint(), "/v1/passport/blank", &ask)));
        }
        let receipts = std::mem::take(&mut self.receipts);
        let receipts: [Receipt; STREAMS] = receipts.try_into().expect("as many as slots");
        let prover = Prover { holder: &holder, shown: &shown, received: &received };
        let event = Event::Tick { receipts: &receipts };
        let pending = prover.update(held, event, &self.dice.draw())?;
        Ok(self.send_later(wallet, kept, Errand::Tick, pending))
    }

    fn earn(&mut self, wallet: Wallet<'_>, income: &wire::Income) -> Result<Want> {
        let kept = kept(wallet, &self.desk)?;
        let held = kept.held.as_ref().ok_or(PassportError::NoAnswer)?;
        if income.units == 0 || income.is_counted || income.month != held.standing().epoch {
            return self.go_on(wallet);
        }
        let ((shown, received), holder) = (self.keys(kept, held)?, holder(wallet.seed));
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
        let ((shown, received), holder) = (self.keys(kept, held)?, holder(wallet.seed));
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
        let drawn = self.dice.draw();
        let (nonce, _) = drawn.expose().split_first_chunk().expect("32 bytes have 24");
        let sealed = seal(wallet.seed, &pending, *nonce);
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
        let came = self.take_certificates(waiting, &reply.certificates);
        if !came.is_empty() {
            self.done.certificates = u16::try_from(came.len()).unwrap_or(u16::MAX);
            next.certificates.add(came);
            next.issuer.clone_from(&self.issuer);
        }
        Ok(self.keep(next))
    }

    /// A search from what is held, or from the words.
    fn search(&self, wallet: Wallet<'_>, kept: &Kept, refusal: Option<Refusal>) -> Search {
        let month = self.info.as_ref().expect("it was taken").month;
        let recovery = match &kept.held {
            Some(held) => Recovery::from_passport(wallet.seed, held.clone()),
            None => Recovery::from_words(wallet.seed, month),
        };
        Search { recovery, bucket: Vec::new(), refusal }
    }

    fn ask_bucket(&mut self, after: Option<&str>) -> Result<Want> {
        let search = self.search.as_ref().expect("a search is on");
        let bucket = search.recovery.bucket().ok_or(PassportError::NoAnswer)?;
        self.phase = Phase::Bucket;
        let after = after.map(|after| format!("?after={after}")).unwrap_or_default();
        let path = format!("/v1/passport/answers/{bucket}{after}");
        Ok(Yield::Send(Request::get(self.mint(), path)))
    }

    /// Looks through a bucket, and goes on to the next as long as there is one.
    fn look(&mut self, wallet: Wallet<'_>, page: wire::Bucket) -> Result<Want> {
        let kept = kept(wallet, &self.desk)?;
        let mut search = self.search.take().ok_or(PassportError::NoAnswer)?;
        let answers = page.answers.into_iter();
        let read = |kept: wire::Kept| recovery::Kept { reply: kept.reply, sealed: kept.sealed };
        search.bucket.extend(answers.map(read));
        if let Some(after) = page.next {
            self.search = Some(search);
            return self.ask_bucket(Some(&after));
        }
        let bucket = std::mem::take(&mut search.bucket);
        self.done.found +=
            u16::from(search.recovery.step(wallet.seed, &kept.all_keys(), &bucket)?);
        if search.recovery.bucket().is_some() {
            self.search = Some(search);
            return self.ask_bucket(None);
        }
        let found = search.recovery.passport().cloned();
        let is_news = found != kept.held;
        if is_news || kept.waiting.is_some() {
            // What was under way was answered, or never will be.
            self.refusal = search.refusal.filter(|_| !is_news);
            self.has_changed |= is_news;
            return Ok(self.keep(Kept { held: found, waiting: None, ..kept.next() }));
        }
        self.go_on(wallet)
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
