//! A passport's way back: what a wallet seals beside each request, and how it finds its passport from the words alone.
//!
//! The desk keeps each answer with what the wallet sealed for itself. Answers lie in buckets, by two bytes of what only the holder
//! knew before; who looks for one fetches a whole bucket. A tick is found by the holder's mark of its month, an enrolment by the
//! holder's point: both follow from the words. The passport it brought has a serial, by which the answer to its next update is
//! found; and so on, until there is none: that passport is the present one. The same answers make the same passports, so nothing forks, and a wallet that was
//! put back to an older state comes forward again.
//!
//! Source: PASSPORT.md, "Recovery".

use std::collections::VecDeque;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use tacit_core::hex;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::holder::{Passport, Receipt};
use tacit_credit::passport::key::PublicKeys;
use tacit_credit::passport::message::Mark;
use tacit_credit::passport::pending::{Pending, Received, ReplyError};
use tacit_credit::passport::tag::{Base, Holder};
use zeroize::Zeroizing;

use crate::seed::Seed;
use crate::transport::Bearer;

/// Bytes that sealing adds: nonce and authentication code.
pub const SEAL: usize = 24 + 16;

/// The holder of a wallet's words.
pub fn holder(seed: &Seed) -> Holder {
    Holder::of_seed(seed.as_bytes())
}

/// The key that a wallet asks for its account's income with: of its words, so that they alone bring it back.
pub fn access(seed: &Seed) -> Bearer {
    let keyed = Hmac::<Sha256>::new_from_slice(seed.as_bytes()).expect("HMAC takes any key");
    let key = keyed.chain_update(b"tacit passport access").finalize().into_bytes();
    Bearer::new(&hex::encode(&key)).expect("hexadecimal digits")
}

/// Seals what opens the reply of a pending request, for the desk to keep. `nonce`: random.
pub fn seal(seed: &Seed, pending: &Pending, nonce: [u8; 24]) -> Vec<u8> {
    let mark = pending.mark();
    let keepsake = pending.to_keepsake();
    let payload = Payload { msg: &keepsake, aad: &mark.0 };
    let sealed = cipher(seed, mark).encrypt(&XNonce::from(nonce), payload);
    [&nonce[..], &sealed.expect("it is short")].concat()
}

/// Opens what [`seal`] sealed, if it is this wallet's and of this mark: most of a bucket is not.
pub fn open(seed: &Seed, mark: Mark, sealed: &[u8]) -> Option<Pending> {
    let (nonce, sealed) = sealed.split_first_chunk::<24>()?;
    let payload = Payload { msg: sealed, aad: &mark.0 };
    let keepsake = cipher(seed, mark).decrypt(&XNonce::from(*nonce), payload).ok()?;
    let keepsake = Zeroizing::new(keepsake);
    Pending::from_keepsake(&keepsake).ok().filter(|pending| pending.mark() == mark)
}

fn cipher(seed: &Seed, mark: Mark) -> XChaCha20Poly1305 {
    let keyed = Hmac::<Sha256>::new_from_slice(seed.as_bytes()).expect("HMAC takes any key");
    let keyed = keyed.chain_update(b"tacit passport recovery").chain_update(mark.0);
    let key: Zeroizing<[u8; 32]> = Zeroizing::new(keyed.finalize().into_bytes().into());
    XChaCha20Poly1305::new((&*key).into())
}

/// One answer of a bucket, as the desk keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The reply.
    pub reply: Vec<u8>,
    /// What opens it, sealed.
    pub sealed: Vec<u8>,
}

/// Why a passport is not found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryError {
    /// An answer is this wallet's own and does not open: the desk sent another reply than it gave, or keys are missing that it
    /// was given under.
    #[error("an answer of the desk's cannot be opened")]
    Answer(#[from] ReplyError),
    /// Public keys are missing that an answer was given under.
    #[error("the keys of an answer are not known")]
    Keys,
}

/// A passport being found again. Fetch [`Self::bucket`], give it to [`Self::step`], until there is none to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// What answers may be found by, the likeliest first.
    marks: VecDeque<Mark>,
    found: Option<Passport>,
}

impl Recovery {
    /// Months that are looked back: longer than any keys last.
    const MONTHS: u16 = 25;

    /// From the words alone, in a month. The last tick is looked for first, month by month; then the enrolment.
    pub fn from_words(seed: &Seed, now: Epoch) -> Self {
        let holder = holder(seed);
        let months = (1..=Self::MONTHS).filter_map(|back| now.number().checked_sub(back));
        let months = months.filter_map(|number| Epoch::new(number).ok());
        let ticks = months.map(|month| holder.tag(Base::Month(month)));
        let marks = ticks.chain([holder.tag(Base::Account)]).map(|tag| Mark(*tag.as_bytes()));
        Self { marks: marks.collect(), found: None }
    }

    /// From a passport that is perhaps an older one.
    pub fn from_passport(seed: &Seed, held: Passport) -> Self {
        Self { marks: after(seed, &held), found: Some(held) }
    }

    /// The bucket to be fetched next; none if all is found.
    pub fn bucket(&self) -> Option<u16> {
        self.marks.front().map(Mark::bucket)
    }

    /// Looks through the bucket. `keys`: all that the desk has published. `true`: a later passport was found.
    ///
    /// # Errors
    /// [`RecoveryError`]; what was found stays.
    pub fn step(
        &mut self,
        seed: &Seed,
        keys: &[PublicKeys],
        bucket: &[Kept],
    ) -> Result<bool, RecoveryError> {
        let Some(mark) = self.marks.front() else { return Ok(false) };
        match answer(seed, keys, *mark, bucket)? {
            Some(Received::Passport(passport)) => {
                self.marks = after(seed, &passport);
                self.found = Some(*passport);
                Ok(true)
            }
            Some(Received::Receipt(_)) | None => {
                self.marks.pop_front();
                Ok(false)
            }
        }
    }

    /// The passport, as far as it was found.
    pub const fn passport(&self) -> Option<&Passport> {
        self.found.as_ref()
    }
}

/// What the answer to a passport's next update is found by: its serial, or, if that is a tick, the holder's mark of its month.
fn after(seed: &Seed, passport: &Passport) -> VecDeque<Mark> {
    let tick = holder(seed).tag(Base::Month(passport.standing().epoch));
    VecDeque::from([passport.mark(), Mark(*tick.as_bytes())])
}

/// The receipt for something, if a bucket has it.
///
/// # Errors
/// [`RecoveryError`]
pub fn receipt(
    seed: &Seed,
    keys: &[PublicKeys],
    subject: [u8; 32],
    bucket: &[Kept],
) -> Result<Option<Receipt>, RecoveryError> {
    Ok(match answer(seed, keys, Mark(subject), bucket)? {
        Some(Received::Receipt(receipt)) => Some(receipt),
        Some(Received::Passport(_)) | None => None,
    })
}

/// What was answered to the request of a mark, if a bucket has it.
fn answer(
    seed: &Seed,
    keys: &[PublicKeys],
    mark: Mark,
    bucket: &[Kept],
) -> Result<Option<Received>, RecoveryError> {
    let mut found: Option<Received> = None;
    for Kept { reply, sealed } in bucket {
        let Some(pending) = open(seed, mark, sealed) else { continue };
        let keys = keys.iter().find(|keys| keys.id() == pending.received());
        let answer = pending.finish(reply, keys.ok_or(RecoveryError::Keys)?)?;
        // One thing has one answer, but for a holder who enrolled again: the later counts.
        if found.as_ref().is_none_or(|found| month(found) < month(&answer)) {
            found = Some(answer);
        }
    }
    Ok(found)
}

/// The month an answer was given in, or for.
const fn month(received: &Received) -> Epoch {
    match received {
        Received::Passport(passport) => passport.standing().epoch,
        Received::Receipt(receipt) => receipt.epoch(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::seed::Words;
    use tacit_core::secret::Secret;
    use tacit_credit::passport::holder::{Event, Prover};
    use tacit_credit::passport::issuer::{Facts, Opened};
    use tacit_credit::passport::key::IssuerKeys;
    use tacit_credit::passport::message::Request;
    use tacit_credit::passport::standing::ReceiptFacts;

    /// A desk that answers everything once, and a wallet that seals.
    struct Town {
        keys: IssuerKeys,
        seed: Seed,
        kept: BTreeMap<u16, Vec<Kept>>,
        drawn: u8,
    }

    impl Town {
        fn new(words: u8) -> Self {
            let keys = IssuerKeys::derive(&Secret::new([1; 32]), 0);
            let seed = Words::from_entropy(&[words; 16]).seed();
            Self { keys, seed, kept: BTreeMap::new(), drawn: 0 }
        }

        fn entropy(&mut self) -> Secret<[u8; 32]> {
            self.drawn += 1;
            Secret::new([self.drawn; 32])
        }

        /// The desk answers and keeps; the reply is the caller's to lose.
        fn send(&mut self, pending: &Pending, facts: Facts<'_>) -> Vec<u8> {
            let opened = Opened::new(Request::read(pending.request()).unwrap()).unwrap();
            assert_eq!(opened.mark(), pending.mark(), "both look in one place");
            let entropy = self.entropy();
            let reply = opened.answer(&self.keys, &self.keys, facts, &entropy).unwrap();
            let sealed = seal(&self.seed, pending, [self.drawn; 24]);
            let bucket = self.kept.entry(pending.mark().bucket()).or_default();
            bucket.push(Kept { reply: reply.clone(), sealed });
            reply
        }

        fn update(&mut self, held: &Passport, units: u16) -> Passport {
            let (holder, entropy) = (holder(&self.seed), self.entropy());
            let public = self.keys.public().clone();
            let prover = Prover { holder: &holder, shown: &public, received: &public };
            let pending = prover.update(held, Event::Income { units }, &entropy).unwrap();
            let reply = self.send(&pending, Facts::None);
            passport(pending.finish(&reply, &public).unwrap())
        }

        fn enrol(&mut self) -> Passport {
            let (holder, entropy) = (holder(&self.seed), self.entropy());
            let public = self.keys.public().clone();
            let prover = Prover { holder: &holder, shown: &public, received: &public };
            let pending =
                prover.enrol(Epoch::new(80).unwrap(), Epoch::new(80).unwrap(), &entropy).unwrap();
            let reply = self.send(&pending, Facts::None);
            passport(pending.finish(&reply, &public).unwrap())
        }

        fn recover(
            &self,
            mut recovery: Recovery,
            keys: &[PublicKeys],
        ) -> Result<Option<Passport>, RecoveryError> {
            let empty = Vec::new();
            while let Some(bucket) = recovery.bucket() {
                recovery.step(&self.seed, keys, self.kept.get(&bucket).unwrap_or(&empty))?;
            }
            Ok(recovery.passport().cloned())
        }

        fn tick(&mut self, held: &Passport) -> Passport {
            let public = self.keys.public().clone();
            let holder = holder(&self.seed);
            let prover = Prover { holder: &holder, shown: &public, received: &public };
            let mut receipts = Vec::new();
            for _ in 0..2 {
                let (epoch, entropy) = (held.standing().epoch, self.entropy());
                let pending = prover.receipt(epoch, [9; 32], None, &entropy).unwrap();
                let opened = Opened::new(Request::read(pending.request()).unwrap()).unwrap();
                let entropy = self.entropy();
                let blank = Facts::Receipt(ReceiptFacts::BLANK);
                let reply = opened.answer(&self.keys, &self.keys, blank, &entropy).unwrap();
                let Received::Receipt(receipt) = pending.finish(&reply, &public).unwrap() else {
                    panic!("a receipt was asked for")
                };
                receipts.push(receipt);
            }
            let receipts: [Receipt; 2] = receipts.try_into().unwrap();
            let entropy = self.entropy();
            let event = Event::Tick { receipts: &receipts };
            let pending = prover.update(held, event, &entropy).unwrap();
            let reply = self.send(&pending, Facts::None);
            passport(pending.finish(&reply, &public).unwrap())
        }
    }

    fn passport(received: Received) -> Passport {
        match received {
            Received::Passport(passport) => *passport,
            Received::Receipt(_) => panic!("a passport was asked for"),
        }
    }

    #[test]
    fn the_words_alone_find_the_passport_as_it_is() {
        let mut town = Town::new(1);
        let first = town.enrol();
        let second = town.update(&first, 5);
        let third = town.update(&second, 7);
        let keys = [town.keys.public().clone()];
        let words = || Recovery::from_words(&town.seed, Epoch::new(80).unwrap());
        assert_eq!(town.recover(words(), &keys).unwrap().as_ref(), Some(&third));
        // And so does a copy from before.
        for older in [first, second, third.clone()] {
            let recovery = Recovery::from_passport(&town.seed, older);
            assert_eq!(
                town.recover(recovery, &keys).unwrap().as_ref(),
                Some(&third),
                "nothing forks"
            );
        }
        let other = Town::new(2);
        let others = Recovery::from_words(&other.seed, Epoch::new(80).unwrap());
        assert_eq!(town.recover(others, &keys), Ok(None));
    }

    /// What was answered under retired keys is dropped, the way from the enrolment with it: a tick is a beginning, too.
    #[test]
    fn the_words_find_a_passport_whose_beginnings_are_dropped() {
        let mut town = Town::new(1);
        let first = town.enrol();
        let second = town.update(&first, 5);
        town.kept.clear();
        let third = town.tick(&second);
        let fourth = town.update(&third, 3);
        let keys = [town.keys.public().clone()];
        for months in [1, 2, 24] {
            let now = Epoch::new(80 + months).unwrap();
            let found = town.recover(Recovery::from_words(&town.seed, now), &keys);
            assert_eq!(found.unwrap().as_ref(), Some(&fourth), "{months} months later");
        }
        // And from a passport whose next step was a tick.
        let found = town.recover(Recovery::from_passport(&town.seed, second), &keys);
        assert_eq!(found.unwrap(), Some(fourth));
    }

    #[test]
    fn what_is_in_a_bucket_beside_it_does_not_matter() {
        let mut town = Town::new(1);
        let held = town.enrol();
        let after = town.update(&held, 5);
        let keys = [town.keys.public().clone()];
        for bucket in town.kept.values_mut() {
            let own = bucket[0].clone();
            let cut = Kept { sealed: own.sealed[..SEAL].to_vec(), ..own.clone() };
            let other = Kept { sealed: vec![7; own.sealed.len()], ..own.clone() };
            let empty = Kept { sealed: vec![], ..own.clone() };
            *bucket = vec![cut, other, empty, own];
        }
        let words = || Recovery::from_words(&town.seed, Epoch::new(80).unwrap());
        assert_eq!(town.recover(words(), &keys), Ok(Some(after)));
        // A reply that was exchanged is not a passport that ended.
        for bucket in town.kept.values_mut() {
            bucket.last_mut().unwrap().reply[40] ^= 1;
        }
        let words = || Recovery::from_words(&town.seed, Epoch::new(80).unwrap());
        let answer = town.recover(words(), &keys);
        assert!(matches!(answer, Err(RecoveryError::Answer(_))), "{answer:?}");
        let none: [PublicKeys; 0] = [];
        assert_eq!(town.recover(words(), &none), Err(RecoveryError::Keys));
    }

    #[test]
    fn a_receipt_is_found_by_what_it_is_for() {
        let mut town = Town::new(1);
        let (holder, entropy) = (holder(&town.seed), town.entropy());
        let public = town.keys.public().clone();
        let prover = Prover { holder: &holder, shown: &public, received: &public };
        let epoch = Epoch::new(80).unwrap();
        let pending = prover.receipt(epoch, [9; 32], None, &entropy).unwrap();
        let reply = town.send(&pending, Facts::Receipt(ReceiptFacts::BLANK));
        let Received::Receipt(expected) = pending.finish(&reply, &public).unwrap() else {
            panic!("a receipt was asked for")
        };
        let bucket = &town.kept[&pending.mark().bucket()];
        let keys = [public];
        assert_eq!(receipt(&town.seed, &keys, [9; 32], bucket), Ok(Some(expected)));
        assert_eq!(receipt(&town.seed, &keys, [8; 32], bucket), Ok(None));
    }

    /// A thief has the desk's database: it says nothing of the passport without the words, nor which answers are one person's.
    #[test]
    fn what_is_sealed_opens_for_nobody_else() {
        let mut town = Town::new(1);
        let held = town.enrol();
        town.update(&held, 5);
        let thief = Words::from_entropy(&[2; 16]).seed();
        for kept in town.kept.values().flatten() {
            assert!(open(&thief, held.mark(), &kept.sealed).is_none());
            assert!(open(&town.seed, Mark([0; 32]), &kept.sealed).is_none(), "of another mark");
        }
    }
}
