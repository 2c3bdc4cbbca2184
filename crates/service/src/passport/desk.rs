//! The passport desk: whether a request may be answered, and the answer.
//!
//! Three steps. [`PassportDesk::open`] reads a request and checks what needs no proof. The caller looks up what it [`Opened::names`]:
//! most repetitions end there, without a proof being checked. [`PassportDesk::prepare`] checks the proof and makes the reply, which the
//! vault commits ([`Change::Answer`](crate::vault::Change)) before it is sent.

use tacit_core::time::Timestamp;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::issuer::{Facts, Opened as Proven, Refused};
use tacit_credit::passport::key::{IssuerKeys, KeyId, PublicKeys};
use tacit_credit::passport::message::{KeysDigest, Malformed, Request, Terms};
use tacit_credit::passport::proof::Bins;
use tacit_credit::passport::standing::{Contract, INCOME_MAX, ReceiptFacts, UNITS_MAX};
use tacit_credit::passport::tag::{Entropy, Loan, Tag};
use tacit_credit::scorecard::signed::CardId;

use super::{AnswerError, Bucket, FOR_GOOD, Name, PreparedAnswer, RequestDigest};
use crate::vault::{StoreError, VaultReader};

/// Months ahead of the present one that a receipt may be of: bills come no earlier than a year before they are due.
const MONTHS_AHEAD: u16 = 13;

/// Bytes that a wallet may seal for itself beside an answer.
pub const SEALED_MAX: usize = 8192;

/// What the desk knows of a request, from the account that asks, a bill, a loan's record or its own settings. A request whose terms
/// are not these is refused.
#[derive(Clone, Copy, Debug)]
pub enum Claim<'a> {
    /// The first passport of an account, or the next one after the words were lost.
    Enrol {
        /// Of which account, and the how-manieth.
        once: Name,
        /// The holder's point the account keeps; none at the first enrolment, which brings it.
        holder: Option<Tag>,
        /// The month the passport's age counts from.
        since: Epoch,
    },
    /// A receipt for something: a bill that was paid, a contract's month.
    Receipt {
        /// What for, as the desk and the payer name it.
        subject: [u8; 32],
        /// Of which month.
        epoch: Epoch,
        /// What it says.
        facts: ReceiptFacts,
    },
    /// A receipt of nothing, for whoever asks.
    Blank,
    /// A month's income of an account.
    Income {
        /// Of which account and month.
        once: Name,
        /// Units.
        units: u16,
    },
    /// A loan whose terms both sides have signed is drawn.
    Borrow {
        /// Which.
        loan: Loan,
        /// When the first instalment is due.
        due: Epoch,
    },
    /// An instalment was paid.
    Repay {
        /// Of which loan.
        loan: Loan,
        /// Who drew it.
        borrower: Tag,
        /// When it was due.
        due: Epoch,
        /// When the next is.
        next: Option<Epoch>,
        /// What of it may be counted, at most; the borrower may count less.
        units: u8,
    },
    /// The end of a month, for whoever has a passport.
    Tick,
    /// A certificate, for whoever has a passport.
    Certify {
        /// By which card.
        card: CardId,
        /// As the proof computes it.
        bins: &'a Bins,
        /// The thresholds that certificates are made for: few, so that a threshold tells nobody apart.
        thresholds: &'a [u16],
        /// The ages in months that they are made for.
        tenures: &'a [u16],
        /// The keys that came with the request, which the certificates are bound to.
        keys: KeysDigest,
    },
}

impl<'a> Claim<'a> {
    /// What the request does not say.
    const fn facts(&self) -> Facts<'a> {
        match *self {
            Claim::Receipt { facts, .. } => Facts::Receipt(facts),
            Claim::Blank => Facts::Receipt(ReceiptFacts::BLANK),
            Claim::Certify { bins, .. } => Facts::Card(bins),
            Claim::Enrol { .. }
            | Claim::Income { .. }
            | Claim::Borrow { .. }
            | Claim::Repay { .. }
            | Claim::Tick => Facts::None,
        }
    }
}

/// Why a request is not answered. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassportError {
    /// The bytes are no request.
    #[error("the request is malformed")]
    Malformed(#[from] Malformed),
    /// Keys that the desk has not, or has retired.
    #[error("the keys are not known")]
    UnknownKeys,
    /// A passport is received under the newest keys, or under those it is shown under.
    #[error("a passport is not received under older keys")]
    OlderKeys,
    /// The proof's bytes are no proof, or it does not hold.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The passport did not tick, or the month is not over.
    #[error("the passport stands in {epoch}, and it is {now}")]
    Month {
        /// Where it stands.
        epoch: Epoch,
        /// The present month.
        now: Epoch,
    },
    /// Another kind of request than is asked for here, or other terms than the desk knows.
    #[error("the terms are not those that were agreed")]
    Terms,
    /// More was sealed than is kept.
    #[error("{found} bytes were sealed, of at most {most}")]
    Sealed {
        /// How many there are.
        found: usize,
        /// How many are kept.
        most: usize,
    },
}

/// The desk's keys: one set a key epoch.
#[derive(Debug)]
pub struct PassportDesk {
    /// In ascending order of their numbers; not empty.
    keys: Vec<(u32, IssuerKeys)>,
}

/// A request that may be answered, if nothing it shows was shown before and its proof holds.
pub struct Opened<'a> {
    proven: Proven,
    /// What the desk knows beside it, from the claim it was held against.
    facts: Facts<'a>,
    names: Vec<Name>,
    digest: RequestDigest,
    sealed: Vec<u8>,
}

impl Opened<'_> {
    /// What it shows and uses up, the passport first.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// What was answered to these very bytes, if they were answered; asked before the proof is checked, which costs much more.
    ///
    /// # Errors
    /// [`StoreError`]; within, [`AnswerError`] if something it shows was answered to other bytes.
    pub fn known(
        &self,
        reader: &mut (impl VaultReader + ?Sized),
    ) -> Result<Result<Option<Vec<u8>>, AnswerError>, StoreError> {
        let shown = reader.shown(&self.names)?;
        if !shown.is_empty() && shown.iter().all(|request| *request == Some(self.digest)) {
            return Ok(Ok(reader.reply(self.digest)?));
        }
        let other = |request: &Option<RequestDigest>| request.is_some();
        Ok(shown.iter().position(other).map_or(Ok(None), |index| Err(AnswerError::Shown { index })))
    }

    /// The month of a passport whose request must wait if the vault of that month was an older copy: where a second passport would
    /// be worth something.
    pub const fn pausable(&self) -> Option<Epoch> {
        let request = self.proven.request();
        match request.terms {
            Terms::Borrow { .. } | Terms::Certify { .. } => Some(request.epoch),
            Terms::Enrol { .. }
            | Terms::Receipt { .. }
            | Terms::Income { .. }
            | Terms::Repay { .. }
            | Terms::Tick { .. } => None,
        }
    }

    /// The digest of its bytes: what was answered to these is answered again.
    pub const fn digest(&self) -> RequestDigest {
        self.digest
    }
}

impl PassportDesk {
    /// A desk with these keys, numbered by key epoch.
    ///
    /// # Panics
    /// Without any.
    pub fn new(mut keys: Vec<(u32, IssuerKeys)>) -> Self {
        assert!(!keys.is_empty(), "a desk has keys");
        keys.sort_by_key(|(number, _)| *number);
        Self { keys }
    }

    /// The keys that passports are shown under, oldest first; the last are those they are received under.
    pub fn public_keys(&self) -> impl Iterator<Item = (u32, &PublicKeys)> {
        self.keys.iter().map(|(number, keys)| (*number, keys.public()))
    }

    fn keys(&self, id: KeyId) -> Result<&(u32, IssuerKeys), PassportError> {
        let found = self.keys.iter().find(|(_, keys)| keys.public().id() == id);
        found.ok_or(PassportError::UnknownKeys)
    }

    /// Reads a request, and checks all that needs no proof: keys, month, terms. `sealed`: what the wallet keeps beside its answer.
    ///
    /// # Errors
    /// [`PassportError`].
    pub fn open<'a>(
        &self,
        bytes: &[u8],
        sealed: &[u8],
        claim: &Claim<'a>,
        now: Timestamp,
    ) -> Result<Opened<'a>, PassportError> {
        let request = Request::read(bytes)?;
        let (shown, _) = self.keys(request.shown)?;
        let (received, _) = self.keys(request.received)?;
        let newest = self.keys.last().map(|(number, _)| number);
        if Some(received) != newest && received != shown {
            return Err(PassportError::OlderKeys);
        }
        let proven = Proven::new(request)?;
        let request = proven.request();
        check_month(request, now)?;
        let mut names = Vec::new();
        for (index, serial) in proven.serials().iter().enumerate() {
            names.push(Name::of(if index == 0 { "passport" } else { "receipt" }, &serial.0));
        }
        names.extend(check_terms(request, claim)?);
        if SEALED_MAX < sealed.len() {
            return Err(PassportError::Sealed { found: sealed.len(), most: SEALED_MAX });
        }
        let digest = RequestDigest::of(bytes);
        let facts = claim.facts();
        Ok(Opened { proven, facts, names, digest, sealed: sealed.to_vec() })
    }

    /// Checks the proof and makes the reply: pure computation, for the crypto pool. Nothing is changed yet.
    ///
    /// # Errors
    /// [`PassportError::Refused`] or [`PassportError::UnknownKeys`].
    pub fn prepare(
        &self,
        opened: Opened<'_>,
        entropy: &Entropy,
    ) -> Result<PreparedAnswer, PassportError> {
        let Opened { proven, facts, names, digest, sealed } = opened;
        let (keys, shown) = self.keys(proven.request().shown)?;
        let (_, received) = self.keys(proven.request().received)?;
        let bucket = Bucket::new(proven.mark().bucket());
        let is_first = matches!(proven.request().terms, Terms::Enrol { .. });
        let reply = proven.answer(shown, received, facts, entropy)?;
        let keys = if is_first { FOR_GOOD } else { *keys };
        Ok(PreparedAnswer { names, bucket, digest, reply, sealed, keys })
    }
}

/// Whether a request's month may be used now.
fn check_month(request: &Request, now: Timestamp) -> Result<(), PassportError> {
    let (epoch, month) = (request.epoch, Epoch::of(now));
    let may = match request.terms {
        Terms::Enrol { .. } => epoch == month,
        // A wallet that stayed away closes one month after another, each with receipts of that month; and who pays a bill before the
        // month it is due in has the receipt at once.
        Terms::Receipt { .. } => epoch.since(month) <= MONTHS_AHEAD,
        Terms::Tick { .. } => epoch < month,
        Terms::Certify { day, .. } => {
            // Who asks at midnight is answered after it.
            let today = now.day().number();
            (today.saturating_sub(1)..=today).contains(&day.number()) && epoch.is_usable(now)
        }
        Terms::Income { .. } | Terms::Borrow { .. } | Terms::Repay { .. } => epoch.is_usable(now),
    };
    if may { Ok(()) } else { Err(PassportError::Month { epoch, now: month }) }
}

/// Whether a request's terms are what the desk knows; what it uses up, besides the serials.
fn check_terms(request: &Request, claim: &Claim<'_>) -> Result<Vec<Name>, PassportError> {
    let used = match (request.terms, *claim) {
        (Terms::Enrol { holder, since }, Claim::Enrol { once, holder: known, since: due })
            if known.is_none_or(|known| known == holder) && since == due =>
        {
            vec![once]
        }
        (Terms::Receipt { subject }, Claim::Receipt { subject: known, epoch, facts })
            if subject == known && request.epoch == epoch && facts.amount <= UNITS_MAX =>
        {
            vec![receipt_name(&subject)]
        }
        // Worth nothing, and free: whoever asked for many would fill the vault.
        (Terms::Receipt { .. }, Claim::Blank) => vec![],
        (Terms::Income { units }, Claim::Income { once, units: known })
            if units == known && units <= INCOME_MAX =>
        {
            vec![once]
        }
        (Terms::Borrow { loan, due, .. }, Claim::Borrow { loan: known, due: known_due })
            if (loan, due) == (known, known_due) =>
        {
            vec![Name::of("loan", &loan.0)]
        }
        (
            Terms::Repay { loan, tag, due, next, units },
            Claim::Repay { loan: known, borrower, due: known_due, next: known_next, units: most },
        ) if (loan, tag, due, next) == (known, borrower, known_due, known_next)
            && units <= most =>
        {
            vec![Name::of("instalment", &[&loan.0[..], &due.number().to_be_bytes()].concat())]
        }
        (Terms::Tick { nym }, Claim::Tick) => vec![Name::of("tick", nym.as_bytes())],
        (
            Terms::Certify { card, threshold, tenure, keys, .. },
            Claim::Certify { card: known, thresholds, tenures, keys: known_keys, .. },
        ) if (card, keys) == (known, known_keys)
            && thresholds.contains(&threshold)
            && tenures.contains(&tenure) =>
        {
            vec![]
        }
        _ => return Err(PassportError::Terms),
    };
    Ok(used)
}

/// The name of a receipt for something.
pub(crate) fn receipt_name(subject: &[u8; 32]) -> Name {
    Name::of("receipt-of", subject)
}

/// What the receipt of a contract's month is for, with a bill or without: one a contract and month.
pub fn month_subject(contract: Contract, epoch: Epoch) -> [u8; 32] {
    let month = epoch.number().to_be_bytes();
    *Name::of("month", &[&contract.0[..], &month].concat()).as_bytes()
}

#[cfg(test)]
mod tests;
