//! Requests and replies that nobody's wallet or desk made.

use rand_08::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use tacit_core::secret::Secret;

use super::{Bed, bill, bins, month, requests};
use crate::passport::holder::{Event, Prover};
use crate::passport::issuer::{Facts, Opened, Refused};
use crate::passport::key::IssuerKeys;
use crate::passport::message::{Malformed, Request};
use crate::passport::pending::ReplyError;
use crate::passport::standing::ReceiptFacts;
use crate::passport::tag::Holder;

/// Reads, opens and answers whatever bytes there are.
fn answer(bed: &Bed, bytes: &[u8], facts: Facts<'_>) -> Result<Vec<u8>, String> {
    let request = Request::read(bytes).map_err(|error| error.to_string())?;
    let opened = Opened::new(request).map_err(|error| error.to_string())?;
    let answer = opened.answer(&bed.keys, &bed.keys, facts, &bed.entropy());
    answer.map_err(|error| error.to_string())
}

/// Where the proof begins.
fn proof_of(bytes: &[u8]) -> usize {
    bytes.len() - Request::read(bytes).unwrap().proof.len()
}

#[test]
fn what_stands_before_a_proof_cannot_be_exchanged() {
    let bed = Bed::new();
    let bins = bins();
    for (pending, facts) in requests(&bed, &bins) {
        let bytes = pending.request();
        answer(&bed, bytes, facts).unwrap();
        for at in 0..proof_of(bytes) {
            let mut other = bytes.to_vec();
            other[at] ^= 1;
            assert!(answer(&bed, &other, facts).is_err(), "protocol {}, byte {at}", bytes[1]);
        }
    }
}

#[test]
fn only_whole_requests_are_read() {
    let bed = Bed::new();
    let bins = bins();
    for (pending, _) in requests(&bed, &bins) {
        let bytes = pending.request();
        assert_eq!(Request::read(bytes).unwrap().to_bytes(), bytes);
        for length in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
            let cut = Request::read(&bytes[..length]);
            assert!(matches!(cut, Err(Malformed::Short | Malformed::Length { .. })), "{length}");
        }
        let longer = [bytes, &[0]].concat();
        let (expected, found) = (bytes.len(), bytes.len() + 1);
        assert_eq!(Request::read(&longer), Err(Malformed::Length { expected, found }));
    }
    assert_eq!(Request::read(&[2, 1]), Err(Malformed::Version(2)));
    assert_eq!(Request::read(&[1, 0]), Err(Malformed::Protocol(0)));
    assert_eq!(Request::read(&[1, 8]), Err(Malformed::Protocol(8)));
}

#[test]
fn terms_out_of_range_are_not_read() {
    let bed = Bed::new();
    let bins = bins();
    let with = |protocol: u8, at: usize, bytes: &[u8]| {
        let all = requests(&bed, &bins);
        let (pending, _) = all.iter().find(|(it, _)| it.request()[1] == protocol).unwrap();
        let mut request = pending.request().to_vec();
        request[at..at + bytes.len()].copy_from_slice(bytes);
        Request::read(&request).map(drop)
    };
    assert_eq!(with(3, 34, &[0x0f, 0xff]), Err(Malformed::Epoch));
    assert_eq!(with(1, 68, &[0; 32]), Err(Malformed::Point(crate::passport::tag::NoPoint)));
    assert_eq!(with(7, 68 + 36, &[2]), Err(Malformed::Flag));
}

/// The neutral point, in each field and anywhere in the proof: the generated code panics on it, the desk does not.
#[test]
fn neutral_points_are_refused() {
    let bed = Bed::new();
    let bins = bins();
    for (pending, facts) in requests(&bed, &bins) {
        let bytes = pending.request();
        let (start, step) = (proof_of(bytes), if bytes.len() < 3000 { 8 } else { 32 * 7 });
        for at in (start..bytes.len() - 32).step_by(step) {
            let mut other = bytes.to_vec();
            other[at..at + 32].fill(0);
            assert!(answer(&bed, &other, facts).is_err(), "protocol {}, byte {at}", bytes[1]);
        }
        let mut first = bytes.to_vec();
        first[start..start + 32].fill(0);
        assert_eq!(answer(&bed, &first, facts), Err(Refused::Malformed.to_string()));
    }
}

/// The length before the proof, in a byte more than it needs: the same number, other bytes.
#[test]
fn what_is_written_otherwise_is_not_read() {
    let bed = Bed::new();
    let bins = bins();
    for (pending, _) in requests(&bed, &bins) {
        let mut request = Request::read(pending.request()).unwrap();
        Opened::new(request.clone()).unwrap();
        let proof = &mut request.proof;
        // Before the length stand fields of 32 bytes, behind it as many bytes as it says.
        let is_length = |at: &usize| {
            let read = postcard::take_from_bytes::<usize>(&proof[*at..]);
            read.is_ok_and(|(length, rest)| length == rest.len())
        };
        let start = (0..proof.len()).step_by(32).find(is_length).unwrap();
        let last = (start..).find(|at| proof[*at] < 0x80).unwrap();
        proof[last] |= 0x80;
        proof.insert(last + 1, 0);
        let (read, _) = postcard::take_from_bytes::<usize>(&proof[start..]).unwrap();
        assert_eq!(read, proof.len() - last - 2, "postcard reads it all the same");
        assert_eq!(Opened::new(request.clone()).err(), Some(Refused::Malformed));
        request.proof.remove(last + 1);
        request.proof[last] &= 0x7f;
        request.proof.push(0);
        assert_eq!(Opened::new(request).err(), Some(Refused::Malformed));
    }
}

#[test]
fn keys_that_did_not_issue_a_passport_do_not_take_it() {
    let bed = Bed::new();
    let other = IssuerKeys::derive(&Secret::new([1; 32]), 1);
    let held = bed.enrol(month(80));
    let pending = bed.prover().update(&held, Event::Income { units: 3 }, &bed.entropy()).unwrap();
    let opened = || Opened::new(Request::read(pending.request()).unwrap()).unwrap();
    let entropy = bed.entropy();
    assert_eq!(opened().answer(&other, &bed.keys, Facts::None, &entropy), Err(Refused::Keys));
    // A passport of the other keys, told to be of these.
    let public = other.public();
    let prover = Prover { holder: &bed.holder, shown: public, received: public };
    let asked = prover.enrol(month(80), month(80), &bed.entropy()).unwrap();
    let enrol = Opened::new(Request::read(asked.request()).unwrap()).unwrap();
    let reply = enrol.answer(&other, &other, Facts::None, &bed.entropy()).unwrap();
    let foreign = super::passport(asked.finish(&reply, public).unwrap());
    let pending = prover.update(&foreign, Event::Income { units: 3 }, &bed.entropy()).unwrap();
    let mut renamed = pending.request().to_vec();
    renamed[2..18].copy_from_slice(bed.keys.public().id().as_bytes());
    renamed[18..34].copy_from_slice(bed.keys.public().id().as_bytes());
    assert_eq!(answer(&bed, &renamed, Facts::None), Err(Refused::Proof.to_string()));
}

#[test]
fn another_persons_receipt_counts_for_nobody_else() {
    let (bed, mut other) = (Bed::new(), Bed::new());
    other.holder = Holder::of_seed(&[3; 64]);
    let held = bed.enrol(month(80));
    let blank = bed.receipt(month(80), ReceiptFacts::BLANK);
    let theirs = other.receipt(month(80), bill(1, true, 100));
    let event = Event::Tick { receipts: &[theirs, blank] };
    let pending = bed.prover().update(&held, event, &bed.entropy()).unwrap();
    assert_eq!(bed.answer(pending.request(), Facts::None), Err(Refused::Proof));
}

#[test]
fn a_receipt_of_another_month_closes_no_month() {
    let bed = Bed::new();
    let held = bed.enrol(month(80));
    let receipts = [81, 80].map(|number| bed.receipt(month(number), ReceiptFacts::BLANK));
    let refused = bed.prover().update(&held, Event::Tick { receipts: &receipts }, &bed.entropy());
    assert_eq!(refused, Err(crate::passport::holder::PrepareError::OtherMonth { slot: 0 }));
}

#[test]
fn the_desk_answers_only_what_it_was_asked_with_what_it_knows() {
    let bed = Bed::new();
    let bins = bins();
    for (pending, facts) in requests(&bed, &bins) {
        let wrong = match facts {
            Facts::None => Facts::Card(&bins),
            Facts::Receipt(_) | Facts::Card(_) => Facts::None,
        };
        assert_eq!(answer(&bed, pending.request(), wrong), Err(Refused::Terms.to_string()));
    }
}

#[test]
fn a_reply_that_is_not_the_desks_is_refused() {
    let bed = Bed::new();
    let bins = bins();
    let all = requests(&bed, &bins);
    for (at, (pending, facts)) in all.iter().enumerate() {
        let reply = bed.answer(pending.request(), *facts).unwrap();
        let public = bed.keys.public();
        pending.finish(&reply, public).unwrap();
        for place in 0..reply.len() {
            let mut other = reply.clone();
            other[place] ^= 1;
            assert!(pending.finish(&other, public).is_err(), "reply {at}, byte {place}");
        }
        for length in [0, 1, reply.len() - 1] {
            assert_eq!(pending.finish(&reply[..length], public), Err(ReplyError::Malformed));
        }
        let longer = [reply.as_slice(), &[0]].concat();
        assert_eq!(pending.finish(&longer, public), Err(ReplyError::Malformed));
        let (neighbour, _) = &all[(at + 1) % all.len()];
        assert!(neighbour.finish(&reply, public).is_err());
    }
}

/// Requests of every protocol with bytes changed at random: none is answered, and nothing ends the desk.
fn fuzz(rounds: usize) {
    let bed = Bed::new();
    let bins = bins();
    let all = requests(&bed, &bins);
    let mut random = ChaCha20Rng::seed_from_u64(11);
    for round in 0..rounds {
        let (pending, facts) = &all[random.gen_range(0..all.len())];
        let mut bytes = pending.request().to_vec();
        let kind = random.gen_range(0..4);
        match kind {
            0 => bytes.truncate(random.gen_range(0..bytes.len())),
            1 => bytes.extend((0..random.gen_range(1..64)).map(|_| random.gen_range(0..=255_u8))),
            2 => random.fill(bytes.as_mut_slice()),
            _ => {
                for _ in 0..random.gen_range(1..9) {
                    let at = random.gen_range(0..bytes.len());
                    bytes[at] ^= random.gen_range(1..=255_u8);
                }
            }
        }
        assert!(answer(&bed, &bytes, *facts).is_err(), "round {round}, kind {kind}: {bytes:?}");
    }
    // It goes on.
    for (pending, facts) in &all {
        answer(&bed, pending.request(), *facts).unwrap();
    }
}

#[test]
fn changed_requests_are_refused() {
    fuzz(1_000);
}

#[test]
#[ignore = "long: about 5 minutes"]
fn a_hundred_thousand_changed_requests_are_refused() {
    fuzz(100_000);
}
