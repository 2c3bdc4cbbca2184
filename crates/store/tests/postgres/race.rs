//! Several writers at once: what one of them decided must not make what another decides at the same moment wrong.

use std::sync::Barrier;

use tacit_core::time::{Day, Timestamp};
use tacit_ecash::blinding::Blinding;
use tacit_ecash::keyset::KeysetSpec;
use tacit_ecash::proof::Proof;
use tacit_service::audit::check;
use tacit_service::conformance::rig::{self, Rig, messages, usd};
use tacit_service::issue::MintError;
use tacit_service::keyset::KeysetState;
use tacit_service::melt::MeltError;
use tacit_service::mint::{InputError, OutputError};
use tacit_service::quote::Method;
use tacit_service::swap::SwapError;
use tacit_service::vault::{Change, Outcome, StoreError, VaultReader, VaultStore};
use tacit_store::postgres::{PostgresReader, PostgresVault, Target};

use crate::bed::OnServer;
use crate::postgres::Postgres;

/// Commits as the server's writer does: what is busy is tried again.
fn commit(store: &mut PostgresVault, batch: &[Change], now: Timestamp) -> Vec<Outcome> {
    loop {
        match store.commit(batch, now) {
            Ok(outcomes) => return outcomes,
            Err(StoreError::Busy) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Lets writers commit their batches at the same moment, and returns what became of each change.
fn at_once(
    writers: &mut [PostgresVault],
    batches: Vec<Vec<Change>>,
    now: Timestamp,
) -> Vec<Outcome> {
    let barrier = Barrier::new(batches.len());
    std::thread::scope(|scope| {
        let threads: Vec<_> = writers
            .iter_mut()
            .zip(&batches)
            .map(|(writer, batch)| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    commit(writer, batch, now)
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// A rig over a vault, with so many further writers of it.
fn contest(server: &Postgres, writers: usize) -> (Rig, Vec<PostgresVault>, Target) {
    let bed = OnServer::new(server, 1);
    let target = bed.target().clone();
    let rig = Rig::new(Box::new(bed));
    let open = |_| PostgresVault::open(&target, &rig::identity()).unwrap();
    (rig, (0..writers).map(open).collect(), target)
}

fn assert_books(target: &Target) {
    let books = PostgresReader::open(target).unwrap().books().unwrap();
    let wrong: Vec<_> =
        check(&books, &rig::identity()).into_iter().filter(|check| !check.holds).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn one_of_two_servers_spends_a_proof() {
    let server = Postgres::start();
    let (mut rig, mut writers, target) = contest(&server, 2);
    for round in 0..20 {
        let coins = rig.issue(&[4, 4, 8]);
        let (one, other) = (rig.drafts(&[16]), rig.drafts(&[8, 8]));
        // In another order: waiting for each other must not end in a deadlock for good.
        let turned: Vec<_> = coins.iter().rev().cloned().collect();
        let batches = vec![
            vec![Change::Swap(rig.prepare_swap(&coins, &one))],
            vec![Change::Swap(rig.prepare_swap(&turned, &other))],
        ];
        let mut ends = at_once(&mut writers, batches, rig.now);
        let lost = ends.extract_if(.., |end| *end != Outcome::Swap(Ok(()))).collect::<Vec<_>>();
        let spent = matches!(
            lost[..],
            [Outcome::Swap(Err(SwapError::Input(InputError::AlreadySpent { .. })))]
        );
        assert!(spent, "round {round}: {lost:?}");
    }
    assert_books(&target);
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_repetition_that_reaches_another_server_at_once_is_answered_alike() {
    let server = Postgres::start();
    let (mut rig, mut writers, target) = contest(&server, 2);
    for _ in 0..20 {
        let coins = rig.issue(&[4, 4]);
        let drafts = rig.drafts(&[8]);
        let batch = || vec![Change::Swap(rig.prepare_swap(&coins, &drafts))];
        let ends = at_once(&mut writers, vec![batch(), batch()], rig.now);
        assert_eq!(ends, [Outcome::Swap(Ok(())), Outcome::Swap(Ok(()))]);
    }
    assert_books(&target);
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_proof_is_spent_or_held_and_never_both() {
    let server = Postgres::start();
    let (mut rig, mut writers, target) = contest(&server, 2);
    for round in 0..20 {
        let coins = rig.issue(&[16]);
        let quote = rig.melt_quote_for(10, 1);
        let drafts = rig.drafts(&[16]);
        let batches = vec![
            vec![Change::Swap(rig.prepare_swap(&coins, &drafts))],
            vec![Change::StartMelt(rig.prepare_melt(&quote, &coins, &[]))],
        ];
        let ends = at_once(&mut writers, batches, rig.now);
        let is_one = match &ends[..] {
            [Outcome::Swap(Ok(())), Outcome::Melt(Err(MeltError::Input(refused)))] => {
                matches!(refused, InputError::AlreadySpent { .. })
            }
            [Outcome::Swap(Err(SwapError::Input(refused))), Outcome::Melt(Ok(_))] => {
                matches!(refused, InputError::Pending { .. })
            }
            _ => false,
        };
        assert!(is_one, "round {round}: {ends:?}");
    }
    assert_books(&target);
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn an_output_is_signed_or_promised_and_never_both() {
    let server = Postgres::start();
    let (mut rig, mut writers, target) = contest(&server, 2);
    for round in 0..20 {
        let (coins, more) = (rig.issue(&[16]), rig.issue(&[16]));
        let quote = rig.melt_quote_for(10, 1);
        let drafts = rig.drafts(&[16]);
        let batches = vec![
            vec![Change::Swap(rig.prepare_swap(&coins, &drafts))],
            vec![Change::StartMelt(rig.prepare_melt(&quote, &more, &drafts))],
        ];
        let ends = at_once(&mut writers, batches, rig.now);
        let is_one = match &ends[..] {
            [Outcome::Swap(Ok(())), Outcome::Melt(Err(MeltError::Output(refused)))] => {
                matches!(refused, OutputError::AlreadySigned { .. })
            }
            [Outcome::Swap(Err(SwapError::Output(refused))), Outcome::Melt(Ok(_))] => {
                matches!(refused, OutputError::Promised { .. })
            }
            _ => false,
        };
        assert!(is_one, "round {round}: {ends:?}");
    }
    assert_books(&target);
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_quote_is_paid_once_and_issued_once() {
    let server = Postgres::start();
    let (mut rig, mut writers, target) = contest(&server, 2);
    for _ in 0..10 {
        let quote = rig.new_mint_quote(8);
        let (id, amount) = (quote.id, quote.amount);
        rig.commit(&[Change::OpenMintQuote(quote)]);
        let receive = || vec![Change::Receive { quote: id, amount }];
        let ends = at_once(&mut writers, vec![receive(), receive()], rig.now);
        assert!(ends.contains(&Outcome::Applied(true)) && ends.contains(&Outcome::Applied(false)));
        let quote = rig.mint_quote(id).unwrap();
        let (one, other) = (rig.drafts(&[8]), rig.drafts(&[8]));
        let mint = |drafts: &[Blinding]| {
            let prepared =
                rig.mint.prepare_mint((usd(), Method::Bank), &quote, &messages(drafts), None);
            vec![Change::Mint(prepared.unwrap())]
        };
        let mut ends = at_once(&mut writers, vec![mint(&one), mint(&other)], rig.now);
        ends.sort_by_key(|end| *end != Outcome::Mint(Ok(())));
        assert_eq!(ends, [Outcome::Mint(Ok(())), Outcome::Mint(Err(MintError::AlreadyIssued))]);
    }
    assert_books(&target);
}

/// Counters of several servers, and a day that all of them find over at once.
#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn no_counter_is_lost_and_a_day_is_posted_once() {
    let server = Postgres::start();
    let (mut rig, mut writers, target) = contest(&server, 3);
    for day in 0..3 {
        let coins: Vec<Vec<Proof>> = (0..9).map(|_| rig.issue(&[16])).collect();
        rig.rotate(); // So that swaps move value from one keyset to another.
        let mut batches: Vec<Vec<Change>> = vec![Vec::new(), Vec::new(), Vec::new()];
        for (at, coins) in coins.iter().enumerate() {
            let drafts = rig.drafts(&[8, 8]);
            batches[at % 3].push(Change::Swap(rig.prepare_swap(coins, &drafts)));
        }
        if day == 1 {
            // The swaps themselves are what ends the day.
            rig.now = Timestamp::from_seconds(rig.now.seconds() + Day::SECONDS);
        }
        let ends = at_once(&mut writers, batches, rig.now);
        assert!(ends.iter().all(|end| *end == Outcome::Swap(Ok(()))), "{ends:?}");
        assert_books(&target);
        rig.now = Timestamp::from_seconds(rig.now.seconds() + Day::SECONDS);
        let ticks = vec![vec![Change::Tick], vec![Change::Tick], vec![Change::Tick]];
        at_once(&mut writers, ticks, rig.now);
        assert_books(&target);
    }
    let books = PostgresReader::open(&target).unwrap().books().unwrap();
    assert!(books.day_flows.is_empty(), "{:?}", books.day_flows);
}

/// Two clocks never agree to the second: what one server has closed, the other must not redeem.
#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_keyset_that_one_server_closed_is_redeemed_by_none() {
    let server = Postgres::start();
    let (mut rig, mut writers, target) = contest(&server, 2);
    let expiry = Timestamp::from_seconds(rig.now.seconds() + 100);
    let last = rig.mint.keysets().last().unwrap().record().spec;
    rig.add_keyset(KeysetSpec { index: 1, final_expiry: Some(expiry), ..last });
    let coins = rig.issue(&[8]);
    let drafts = rig.drafts(&[8]);
    let [ahead, behind] = &mut writers[..] else { panic!("two") };
    commit(ahead, &[Change::Tick], expiry);
    let swap = Change::Swap(rig.prepare_swap(&coins, &drafts));
    let ends = commit(behind, &[swap], rig.now);
    let closed = SwapError::Input(InputError::KeysetExpired { index: 0 });
    assert_eq!(ends, [Outcome::Swap(Err(closed))]);
    assert_books(&target);
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn rotations_at_once_leave_one_keyset_that_signs() {
    let server = Postgres::start();
    let (mut rig, mut writers, target) = contest(&server, 3);
    let last = rig.mint.keysets().last().unwrap().record().spec;
    let add = |index| {
        let spec = KeysetSpec { index, ..last };
        vec![Change::AddKeyset { id: rig::keyset_id(spec), spec }]
    };
    // Two of them are the same one: a rotation ordered twice.
    let ends = at_once(&mut writers, vec![add(1), add(2), add(2)], rig.now);
    assert_eq!(ends.iter().filter(|end| **end == Outcome::Applied(true)).count(), 2, "{ends:?}");
    let keysets = PostgresReader::open(&target).unwrap().keysets().unwrap();
    let active = keysets.iter().filter(|keyset| keyset.state == KeysetState::Active);
    assert_eq!((keysets.len(), active.count()), (3, 1));
    let proofs = rig.commit(&[Change::Tick]); // Of a writer that knew nothing of it.
    assert_eq!(proofs, [Outcome::Applied(true)]);
    assert_books(&target);
}
