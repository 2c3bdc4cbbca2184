//! The bytes of a request: what both sides must know, then the proof.
//!
//! `version | protocol | key shown | key received | month | nonce | terms | proof`. Everything before the proof is hashed into
//! the proof's session, so that none of it can be exchanged. For each protocol the length is fixed.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tacit_core::time::Day;

use super::epoch::Epoch;
use super::key::KeyId;
use super::tag::{Loan, NoPoint, Tag};
use crate::scorecard::signed::CardId;

/// The first byte of every request.
pub const VERSION: u8 = 1;
/// Bytes before the terms.
const HEAD: usize = 2 + 16 + 16 + 2 + 32;

/// What the answer to a request is found again by: the passport's serial, which only its holder knew before; of a tick, the holder's
/// mark of that month; of an enrolment, the holder's point; of a receipt, its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark(pub [u8; 32]);

impl Mark {
    /// The bucket an answer is kept in: who looks for one fetches all of a bucket, and does not say which.
    pub const fn bucket(&self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }
}

/// A public key of P-256 that a certificate is bound to, compressed (SEC 1, section 2.3.3).
pub type ConfirmationKey = [u8; 33];

/// Names the keys that certificates are asked for, all of one proof in their order: who took the proof from the wire cannot have
/// keys of his own certified by it, nor can the holder have more on a retry than were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeysDigest([u8; 32]);

impl KeysDigest {
    /// The digest of these keys. Whether they are points of the curve is another question.
    pub fn of(keys: &[ConfirmationKey]) -> Self {
        let mut hash = Sha256::new_with_prefix(b"tacit certificate keys");
        for key in keys {
            hash.update(key);
        }
        Self(hash.finalize().into())
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What a request asks for, and all of it that the desk must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// The first passport of a holder, whose point the account keeps.
    Enrol {
        /// `h * G`.
        holder: Tag,
        /// The month its age counts from: the present one, or a later one for whoever had a passport before.
        since: Epoch,
    },
    /// A receipt for something the desk knows by a name: a bill, a contract's month without a bill, a blank.
    Receipt {
        /// What it is for, as the desk names it.
        subject: [u8; 32],
    },
    /// A month's income of the account that asks.
    Income {
        /// Units, at most 510.
        units: u16,
    },
    /// A loan is drawn.
    Borrow {
        /// Which.
        loan: Loan,
        /// `h * H(loan)`: its repayments show the same.
        tag: Tag,
        /// When the first instalment is due.
        due: Epoch,
    },
    /// An instalment is paid.
    Repay {
        /// Of which loan.
        loan: Loan,
        /// `h * H(loan)`.
        tag: Tag,
        /// When it was due.
        due: Epoch,
        /// When the next is; none after the last.
        next: Option<Epoch>,
        /// What of it counts, in units.
        units: u8,
    },
    /// The month that the passport stands in is over.
    Tick {
        /// `h * H(month)`: one tick a holder and month.
        nym: Tag,
    },
    /// A certificate.
    Certify {
        /// By which scorecard.
        card: CardId,
        /// The score is at least this.
        threshold: u16,
        /// The passport is at least so many months old.
        tenure: u16,
        /// Whether no bill is open from months before, either. That no instalment is overdue is always proven.
        strict: bool,
        /// The day it is asked for, which the certificates are of: whoever sends the same again gets them as of that day, whatever
        /// became of the passport since.
        day: Day,
        /// The keys of the certificates.
        keys: KeysDigest,
    },
}

/// A request as it was read, its proof unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The keys of the passport that is shown; those it is received under, where none is.
    pub shown: KeyId,
    /// The keys of the passport that is received.
    pub received: KeyId,
    /// The month the passport stands in. Of a tick: the one that ends. Of a receipt: the one it is for.
    pub epoch: Epoch,
    /// Random.
    pub nonce: [u8; 32],
    /// What is asked.
    pub terms: Terms,
    pub(super) proof: Vec<u8>,
}

/// Why bytes are not a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Too few bytes for any request.
    #[error("the request is cut off")]
    Short,
    /// Another version of the protocols.
    #[error("version {0} is not known")]
    Version(u8),
    /// A protocol that does not exist.
    #[error("protocol {0} is not known")]
    Protocol(u8),
    /// Not as long as every request of its protocol.
    #[error("expected {expected} bytes, found {found}")]
    Length {
        /// What it should have.
        expected: usize,
        /// What it has.
        found: usize,
    },
    /// A month outside the clock.
    #[error("a month is out of range")]
    Epoch,
    /// A point that is none.
    #[error(transparent)]
    Point(#[from] NoPoint),
    /// A flag that is neither 0 nor 1.
    #[error("a flag is neither 0 nor 1")]
    Flag,
}

impl Terms {
    /// The protocol's number.
    pub const fn protocol(&self) -> u8 {
        match self {
            Self::Enrol { .. } => 1,
            Self::Receipt { .. } => 2,
            Self::Income { .. } => 3,
            Self::Borrow { .. } => 4,
            Self::Repay { .. } => 5,
            Self::Tick { .. } => 6,
            Self::Certify { .. } => 7,
        }
    }

    /// Length of the terms and of the proof of a protocol, in bytes. The circuits set the second.
    const fn lengths(protocol: u8) -> Option<(usize, usize)> {
        match protocol {
            1 => Some((34, 167)),
            2 => Some((32, 167)),
            3 => Some((2, 1415)),
            4 => Some((66, 1319)),
            5 => Some((69, 2183)),
            6 => Some((32, 15_506)),
            7 => Some((73, 18_344)),
            _ => None,
        }
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Enrol { holder, since } => {
                bytes.extend(holder.as_bytes());
                bytes.extend(since.number().to_be_bytes());
            }
            Self::Tick { nym } => bytes.extend(nym.as_bytes()),
            Self::Receipt { subject } => bytes.extend(subject),
            Self::Income { units } => bytes.extend(units.to_be_bytes()),
            Self::Borrow { loan, tag, due } => {
                bytes.extend(loan.0);
                bytes.extend(tag.as_bytes());
                bytes.extend(due.number().to_be_bytes());
            }
            Self::Repay { loan, tag, due, next, units } => {
                bytes.extend(loan.0);
                bytes.extend(tag.as_bytes());
                bytes.extend(due.number().to_be_bytes());
                bytes.extend(next.map_or(Epoch::NEVER, Epoch::number).to_be_bytes());
                bytes.push(*units);
            }
            Self::Certify { card, threshold, tenure, strict, day, keys } => {
                bytes.extend(card.as_bytes());
                bytes.extend(threshold.to_be_bytes());
                bytes.extend(tenure.to_be_bytes());
                bytes.push(u8::from(*strict));
                // Days beyond are none that a clock shows.
                let day = u32::try_from(day.number()).unwrap_or(u32::MAX);
                bytes.extend(day.to_be_bytes());
                bytes.extend(keys.as_bytes());
            }
        }
    }

    fn read(protocol: u8, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match protocol {
            1 => Self::Enrol { holder: reader.tag()?, since: reader.epoch()? },
            2 => Self::Receipt { subject: reader.take()? },
            3 => Self::Income { units: reader.number()? },
            4 => Self::Borrow {
                loan: Loan(reader.take()?),
                tag: reader.tag()?,
                due: reader.epoch()?,
            },
            5 => Self::Repay {
                loan: Loan(reader.take()?),
                tag: reader.tag()?,
                due: reader.epoch()?,
                next: match reader.number()? {
                    Epoch::NEVER => None,
                    number => Some(Epoch::new(number).map_err(|_| Malformed::Epoch)?),
                },
                units: reader.byte()?,
            },
            6 => Self::Tick { nym: reader.tag()? },
            7 => Self::Certify {
                card: CardId::from_bytes(reader.take()?),
                threshold: reader.number()?,
                tenure: reader.number()?,
                strict: match reader.byte()? {
                    0 => false,
                    1 => true,
                    _ => return Err(Malformed::Flag),
                },
                day: Day::from_number(u32::from_be_bytes(reader.take()?).into()),
                keys: KeysDigest(reader.take()?),
            },
            other => return Err(Malformed::Protocol(other)),
        })
    }
}

impl Request {
    /// The longest request of any protocol, in bytes.
    pub const LENGTH_MAX: usize = match Terms::lengths(7) {
        Some((terms, proof)) => HEAD + terms + proof,
        None => HEAD,
    };

    /// Reads a request, all but its proof.
    ///
    /// # Errors
    /// [`Malformed`], by its first fault.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader(bytes);
        let version = reader.byte()?;
        if version != VERSION {
            return Err(Malformed::Version(version));
        }
        let protocol = reader.byte()?;
        let (terms, proof) = Terms::lengths(protocol).ok_or(Malformed::Protocol(protocol))?;
        let expected = HEAD + terms + proof;
        if bytes.len() != expected {
            return Err(Malformed::Length { expected, found: bytes.len() });
        }
        Ok(Self {
            shown: KeyId::from_bytes(reader.take()?),
            received: KeyId::from_bytes(reader.take()?),
            epoch: reader.epoch()?,
            nonce: reader.take()?,
            terms: Terms::read(protocol, &mut reader)?,
            proof: reader.0.to_vec(),
        })
    }

    /// The bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.bound();
        bytes.extend(&self.proof);
        bytes
    }

    /// What the proof is bound to: everything else.
    fn bound(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, self.terms.protocol()];
        bytes.extend(self.shown.as_bytes());
        bytes.extend(self.received.as_bytes());
        bytes.extend(self.epoch.number().to_be_bytes());
        bytes.extend(self.nonce);
        self.terms.write(&mut bytes);
        bytes
    }

    /// The session of the proofs of this request and of its reply.
    pub(super) fn session(&self) -> [u8; 32] {
        Sha256::new_with_prefix(b"tacit passport session")
            .chain_update(self.bound())
            .finalize()
            .into()
    }
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (first, rest) = self.0.split_first_chunk().ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(*first)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        self.take().map(|[byte]| byte)
    }

    fn number(&mut self) -> Result<u16, Malformed> {
        self.take().map(u16::from_be_bytes)
    }

    fn epoch(&mut self) -> Result<Epoch, Malformed> {
        Epoch::new(self.number()?).map_err(|_| Malformed::Epoch)
    }

    fn tag(&mut self) -> Result<Tag, Malformed> {
        Ok(Tag::new(self.take()?)?)
    }
}
