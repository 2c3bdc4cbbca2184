//! Keysets through their lives, and the days that pass meanwhile.

use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::time::{Day, Timestamp};
use tacit_ecash::condition::Preimage;
use tacit_ecash::keyset::{KeysetId, KeysetSpec};
use tacit_ecash::proof::Proof;

use super::rig::{Rig, identity, usd};
use crate::identity::Identity;
use crate::keyset::{KeysetState, SealedTotals};
use crate::ledger::Account;
use crate::mint::{InputError, OutputError};
use crate::vault::{Change, Outcome, ProofState};

/// What is old is taken, what is new is given in the new keyset only, what was answered is answered again.
pub fn a_rotated_keyset_redeems_and_does_not_sign(rig: &mut Rig) {
    let coins = rig.issue(&[4, 8, 16]);
    let drafts = rig.drafts(&[4]);
    let signed = rig.swap(&coins[..1], &drafts);
    let late = rig.drafts(&[8]);
    rig.rotate();
    assert_eq!(rig.swap(&coins[..1], &drafts), signed, "a repetition is answered");
    let refused = rig.swap(&coins[1..2], &late);
    assert_eq!(refused, Err(OutputError::KeysetInactive { index: 0 }.into()), "a new one is not");
    let fresh = rig.drafts(&[8, 16]);
    rig.swap(&coins[1..], &fresh).expect("old proofs are redeemed");
    let states: Vec<_> = rig.mint.keysets().iter().map(|keyset| keyset.record().state).collect();
    assert_eq!(states, [KeysetState::Inactive, KeysetState::Active]);
    let same = rig.mint.keysets()[1].record().clone();
    let again = Change::AddKeyset { id: same.id, spec: same.spec };
    assert_eq!(rig.commit_one(again), Outcome::Applied(false), "a keyset is added once");
}

/// A keyset that ends in 10 days, with proofs of 4, 8 and 16, and a swap of the first.
fn expiring(rig: &mut Rig) -> (KeysetId, Vec<Proof>, Timestamp) {
    let end = Timestamp::from_seconds(rig.now.seconds() + 10 * Day::SECONDS);
    let last = rig.mint.keysets()[0].record().spec;
    let id = rig.add_keyset(KeysetSpec { index: 1, final_expiry: Some(end), ..last });
    let coins = rig.issue(&[4, 8, 16]);
    (id, coins, end)
}

fn state_of(rig: &Rig, id: &KeysetId) -> KeysetState {
    rig.mint.keyset(id).expect("known").record().state
}

/// Fails if whether a keyset is closed is asked of the clock, and not of the vault.
pub fn closed_keyset_stays_closed(rig: &mut Rig) {
    let (id, coins, end) = expiring(rig);
    let drafts = rig.drafts(&[4]);
    let signed = rig.swap(&coins[..1], &drafts);
    let quote = rig.melt_quote_for(8, 0);
    let late = rig.drafts(&[8]);
    let prepared = rig.prepare_melt(&quote, &coins[1..2], &[]);
    let early = rig.now;
    rig.now = end;
    let refused = rig.swap(&coins[1..2], &late);
    assert_eq!(refused, Err(InputError::KeysetExpired { index: 0 }.into()), "at its end");
    assert_eq!(state_of(rig, &id), KeysetState::Closed, "a refused request latches it, too");
    rig.now = early;
    rig.restart();
    let refused = rig.swap(&coins[1..2], &late);
    assert_eq!(refused, Err(InputError::KeysetExpired { index: 0 }.into()), "the clock went back");
    let refused = rig.commit_one(Change::StartMelt(prepared));
    let expired = InputError::KeysetExpired { index: 0 };
    assert_eq!(refused, Outcome::Melt(Err(expired.into())), "a payment");
    assert_eq!(rig.swap(&coins[..1], &drafts), signed, "a repetition is answered");
    assert_eq!(state_of(rig, &id), KeysetState::Closed);
    assert_eq!(rig.states(&coins[1..]), [ProofState::Unspent; 2], "they stay redeemable elsewhere");
}

/// What the books say must be sealed, if anything must.
fn totals(rig: &mut Rig) -> Vec<SealedTotals> {
    let identity = Identity::derive(&Secret::new([7; 32]));
    let sealable = rig.bed().reader().sealable_keysets().expect("readable");
    sealable.into_iter().map(|(keyset, sums)| identity.seal(keyset.id, sums)).collect()
}

/// The seal moves what is outstanding, under totals of the books and no others, and the archive forgets nothing.
pub fn a_sealed_keyset_keeps_signed_totals(rig: &mut Rig) {
    let (id, coins, end) = expiring(rig);
    let drafts = rig.drafts(&[4]);
    let signed = rig.swap(&coins[..1], &drafts);
    assert_eq!(totals(rig), [], "nothing is closed");
    rig.now = end;
    rig.commit_one(Change::Tick);
    let sealed = totals(rig).remove(0);
    assert_eq!(
        (sealed.keyset, sealed.issued, sealed.redeemed, sealed.outstanding),
        (id, 28, 0, 28)
    );
    let wrong = SealedTotals { outstanding: 27, ..sealed.clone() };
    assert_eq!(rig.commit_one(Change::Seal(wrong)), Outcome::Applied(false), "other totals");
    let seal = || Change::Seal(sealed.clone());
    assert_eq!(rig.commit(&[seal(), seal()]), [Outcome::Applied(true), Outcome::Applied(false)]);
    assert_eq!(state_of(rig, &id), KeysetState::Sealed);
    assert_eq!(totals(rig), []);
    let books = rig.audit();
    assert_eq!(books.sealed, std::slice::from_ref(&sealed));
    assert_eq!(books.transfers[&Account::Expired(usd())].credits, 28);

    for _ in 0..3 {
        rig.commit_one(Change::Tick); // Time for an archive, where there is one.
    }
    let spent = rig.audit().keysets.into_iter().find(|keyset| keyset.record.id == id);
    let spent = spent.map(|keyset| (keyset.spent, keyset.spent_rows, keyset.signed_rows));
    assert_eq!(spent, Some((4, 1, 4)));
    let states = [ProofState::Spent(None), ProofState::Unspent, ProofState::Unspent];
    assert_eq!(rig.states(&coins), states);
    assert_eq!(rig.swap(&coins[..1], &drafts), signed, "a repetition is answered for good");
    assert_eq!(rig.commit_one(seal()), Outcome::Applied(false), "sealed once");
    let known = rig.bed().reader().books().expect("readable");
    assert!(known.sealed.iter().all(|totals| crate::identity::sealed_by(&identity(), totals)));
}

/// A payment holds proofs of one keyset and was promised change in another, which ends meanwhile: sealed before the
/// payment is, its signed totals would lack the change.
pub fn a_keyset_that_owes_change_is_not_sealed(rig: &mut Rig) {
    let coins = rig.issue(&[16]);
    let (id, _, end) = expiring(rig);
    let quote = rig.melt_quote_for(8, 8);
    let blanks = rig.drafts(&[1, 1, 1]);
    let started = rig.start_melt(&quote, &coins, &blanks).expect("change in the keyset that ends");
    rig.now = end;
    rig.commit_one(Change::Tick);
    assert_eq!(state_of(rig, &id), KeysetState::Closed);
    assert_eq!(totals(rig), [], "it is left out while the payment is pending");
    let number = rig.mint.keyset(&id).expect("known").record().number;
    let sums = rig.audit().balances[&Account::Ecash(usd(), number)];
    let early = Change::Seal(Identity::derive(&Secret::new([7; 32])).seal(id, sums));
    assert_eq!(rig.commit_one(early), Outcome::Applied(false), "and refused if asked for");
    let paid = crate::melt::MeltEnd::Paid { fee: 1, evidence: None };
    rig.finish_melt(&started, paid).expect("in time");
    let sealed = totals(rig).remove(0);
    assert_eq!((sealed.issued, sealed.outstanding), (28 + 7, 28 + 7));
    assert_eq!(rig.commit_one(Change::Seal(sealed)), Outcome::Applied(true));
}

/// Kept for the sender of an HTLC (NUT-07, NUT-14) as long as the keyset lives, and no longer.
pub fn preimages_are_kept_until_the_seal(rig: &mut Rig) {
    let (id, _, end) = expiring(rig);
    let preimage = Preimage::from_bytes([5; 32]);
    let lock = hex::encode(&Sha256::digest([5; 32]));
    let locked = |nonce| format!("[\"HTLC\",{{\"nonce\":\"{nonce}\",\"data\":\"{lock}\"}}]");
    let drafts = [rig.draft_of(locked("a"), 4, id), rig.draft_of(locked("b"), 8, id)];
    let mut coins = rig.issue_on(&drafts);
    for coin in &mut coins {
        coin.witness = Some(Secret::new(preimage.to_state_witness()));
    }
    let outputs = rig.drafts(&[4]);
    rig.swap(&coins[..1], &outputs).expect("the preimage opens it");
    let quote = rig.melt_quote_for(8, 0);
    let started = rig.start_melt(&quote, &coins[1..], &[]).expect("and so in a melt");
    let spent = ProofState::Spent(Some(preimage));
    assert_eq!(rig.states(&coins), [spent, ProofState::Pending], "not before it is spent");
    let paid = crate::melt::MeltEnd::Paid { fee: 0, evidence: None };
    rig.finish_melt(&started, paid).expect("in time");
    assert_eq!(rig.states(&coins), [spent, spent]);
    rig.now = end;
    rig.commit_one(Change::Tick);
    assert_eq!(rig.states(&coins), [spent, spent], "closed, not sealed");
    let sealed = totals(rig).remove(0);
    assert_eq!(rig.commit_one(Change::Seal(sealed)), Outcome::Applied(true));
    assert_eq!(rig.states(&coins), [ProofState::Spent(None); 2]);
}

/// Swaps between keysets reach the ledger with the day's end, once, whatever the clock does then.
pub fn a_day_that_ends_is_posted_once(rig: &mut Rig) {
    let coins = rig.issue(&[4, 8]);
    rig.rotate();
    let drafts = rig.drafts(&[4]);
    rig.swap(&coins[..1], &drafts).expect("from the old keyset to the new");
    let today = rig.now;
    let ecash = |rig: &mut Rig| {
        let books = rig.audit();
        let sums = |index: usize| {
            let number = books.keysets[index].record.number;
            books.transfers.get(&Account::Ecash(usd(), number)).copied().unwrap_or_default()
        };
        (sums(0).debits, sums(1).credits, books.open_day)
    };
    assert_eq!(ecash(rig), (0, 0, today.day()));
    let tomorrow = Day::from_number(today.day().number() + 1);
    rig.now = tomorrow.start();
    rig.commit_one(Change::Tick);
    assert_eq!(ecash(rig), (4, 4, tomorrow));
    rig.now = today;
    let drafts = rig.drafts(&[8]);
    rig.swap(&coins[1..], &drafts).expect("the clock went back");
    rig.commit_one(Change::Tick);
    assert_eq!(ecash(rig), (4, 4, tomorrow), "a day once closed stays closed");
    rig.now = Day::from_number(tomorrow.number() + 1).start();
    rig.commit_one(Change::Tick);
    assert_eq!(ecash(rig).0, 12);
}

/// What an operator accepts who has only an older copy left: nothing of before is redeemed, issued or paid again, no
/// money leaves the books, what the rail still decides is decided, and a new keyset serves.
pub fn an_older_copy_redeems_and_issues_nothing_it_may_have_done_before(rig: &mut Rig) {
    let coins = rig.issue(&[4, 8, 16]);
    let swapped = rig.drafts(&[4]);
    let signed = rig.swap(&coins[..1], &swapped);
    let (unpaid, paid) = (rig.new_mint_quote(32), rig.paid_mint_quote(64));
    assert_eq!(rig.commit_one(Change::OpenMintQuote(unpaid.clone())), Outcome::Applied(true));
    let (never, under_way) = (rig.melt_quote_for(4, 0), rig.melt_quote_for(8, 0));
    let started = rig.start_melt(&under_way, &coins[1..2], &[]).expect("a payment");
    rig.commit_one(Change::AcceptLoss);
    rig.commit_one(Change::AcceptLoss); // Asked again, there is nothing left to do.
    let last = rig.mint.keysets()[0].record().clone();
    assert_eq!(last.state, KeysetState::Closed);
    rig.add_keyset(KeysetSpec { index: last.spec.index + 1000, ..last.spec });

    let drafts = rig.drafts(&[16]);
    let refused = rig.swap(&coins[2..], &drafts);
    assert_eq!(refused, Err(InputError::KeysetExpired { index: 0 }.into()), "it may be spent");
    assert_eq!(rig.swap(&coins[..1], &swapped), signed, "what it knows of it answers");
    assert_eq!(rig.mint_quote(unpaid.id), None, "it may be issued");
    assert_eq!(rig.mint_quote(paid.id), None, "it may be issued");
    let received = Change::Receive { quote: unpaid.id, amount: 32 };
    assert_eq!(rig.commit_one(received), Outcome::Applied(false));
    assert_eq!(rig.bed().reader().melt_quote(never.id).expect("readable"), None, "it may be paid");
    let end = crate::melt::MeltEnd::Paid { fee: 0, evidence: None };
    rig.finish_melt(&started, end).expect("the rail knows");

    let books = rig.audit();
    assert_eq!(books.transfers[&Account::SetAside(usd())].credits, 64);
    assert_eq!(books.paid_quotes.get(&usd()), None);
    let fresh = rig.issue(&[2]);
    let drafts = rig.drafts(&[2]);
    rig.swap(&fresh, &drafts).expect("it serves again");
}
