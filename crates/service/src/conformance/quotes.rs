//! Mint quotes: paid once, issued once, for their own outputs.

use tacit_core::time::{Day, Timestamp};
use tacit_ecash::blinding::Blinding;

use super::rig::{Rig, messages, usd};
use crate::decide::QUOTE_RETENTION_DAYS;
use crate::issue::{MintError, PreparedMint};
use crate::melt::{MeltEnd, MeltError};
use crate::mint::OutputError;
use crate::quote::{Method, MintQuote, MintQuoteState, outputs_digest};
use crate::vault::{Change, Outcome};

const ROUTE: fn() -> (tacit_core::unit::Unit, Method) = || (usd(), Method::Bank);

/// A request prepared as if the quote were paid: what the vault says of it is what is checked here.
fn prepare(rig: &Rig, quote: &MintQuote, drafts: &[Blinding]) -> PreparedMint {
    let paid = MintQuote { state: MintQuoteState::Paid, ..quote.clone() };
    let prepared = rig.mint.prepare_mint(ROUTE(), &paid, &messages(drafts), None);
    prepared.expect("a good request")
}

fn mint(rig: &mut Rig, quote: &MintQuote, drafts: &[Blinding]) -> Outcome {
    let prepared = prepare(rig, quote, drafts);
    rig.commit_one(Change::Mint(prepared))
}

/// From the offer to the e-cash, every step taken twice.
pub fn a_quote_is_paid_and_issued_once(rig: &mut Rig) {
    let quote = rig.new_mint_quote(12);
    let drafts = rig.drafts(&[4, 8]);
    let unknown = Outcome::Mint(Err(MintError::UnknownQuote));
    assert_eq!(mint(rig, &quote, &drafts), unknown, "not opened");
    let open = || Change::OpenMintQuote(quote.clone());
    assert_eq!(rig.commit(&[open(), open()]), [Outcome::Applied(true), Outcome::Applied(false)]);
    assert_eq!(mint(rig, &quote, &drafts), Outcome::Mint(Err(MintError::NotPaid)));

    let receive = |amount| Change::Receive { quote: quote.id, amount };
    assert_eq!(rig.commit_one(receive(11)), Outcome::Applied(false), "another amount");
    let twice = rig.commit(&[receive(12), receive(12)]);
    assert_eq!(twice, [Outcome::Applied(true), Outcome::Applied(false)]);
    assert_eq!(rig.commit_one(receive(12)), Outcome::Applied(false), "and once more, later");

    let both = [prepare(rig, &quote, &drafts), prepare(rig, &quote, &drafts)];
    let issued = Outcome::Mint(Ok(()));
    assert_eq!(rig.commit(&both.map(Change::Mint)), [Outcome::Mint(Ok(())), Outcome::Mint(Ok(()))]);
    let before = rig.audit();
    assert_eq!(mint(rig, &quote, &drafts), issued, "the same list again");
    assert_eq!(rig.audit(), before, "a repetition changes nothing");
    let others = rig.drafts(&[4, 8]);
    let refused = Outcome::Mint(Err(MintError::AlreadyIssued));
    assert_eq!(mint(rig, &quote, &others), refused, "another list");
    let reversed = [drafts[1].clone(), drafts[0].clone()];
    let refused = Outcome::Mint(Err(MintError::AlreadyIssued));
    assert_eq!(mint(rig, &quote, &reversed), refused, "the same outputs in another order");

    rig.rotate();
    assert_eq!(mint(rig, &quote, &drafts), Outcome::Mint(Ok(())), "after a rotation");
    let stored = rig.mint_quote(quote.id).expect("kept");
    let digest = outputs_digest(&messages(&drafts));
    assert_eq!(stored.state, MintQuoteState::Issued { outputs: digest });
    assert_eq!(stored.expiry.seconds() % 3600, 0, "no finer time is kept of a quote that is done");
}

/// INCIDENTS: nutshell #486. Fails if the quote is marked before all its outputs are known to be signed.
pub fn failed_mint_leaves_quote_unissued(rig: &mut Rig) {
    let used = rig.drafts(&[4]);
    let coin = rig.issue(&[4]);
    rig.swap(&coin, &used).expect("uses the output");
    let quote = rig.paid_mint_quote(12);
    let mut drafts = rig.drafts(&[8]);
    drafts.extend(used);
    let refused = Outcome::Mint(Err(OutputError::AlreadySigned { index: 1 }.into()));
    assert_eq!(mint(rig, &quote, &drafts), refused);
    let stored = rig.mint_quote(quote.id).expect("kept");
    assert_eq!(stored.state, MintQuoteState::Paid);
    let known = rig.bed().reader().signed(&[drafts[0].message().blinded]).expect("readable");
    assert_eq!(known, [None], "the good output is not signed either");

    let old = rig.drafts(&[4, 8]);
    rig.rotate();
    let refused = Outcome::Mint(Err(OutputError::KeysetInactive { index: 0 }.into()));
    assert_eq!(mint(rig, &quote, &old), refused);
    let fresh = rig.drafts(&[4, 8]);
    assert_eq!(mint(rig, &quote, &fresh), Outcome::Mint(Ok(())), "the money is still there");
}

/// INCIDENTS: cdk #2108. Fails if a quote is looked up by its id alone.
pub fn quote_of_another_method_is_refused(rig: &mut Rig) {
    let quote = rig.paid_mint_quote(4);
    let drafts = rig.drafts(&[4]);
    for route in [(usd(), Method::Bolt11), ("eur".parse().expect("a unit"), Method::Bank)] {
        let refused = rig.mint.prepare_mint(route, &quote, &messages(&drafts), None);
        assert_eq!(refused.map(|_| ()), Err(MintError::UnknownQuote), "{route:?}");
    }
    let coins = rig.issue(&[4]);
    let quote = rig.melt_quote_for(4, 0);
    for route in [(usd(), Method::Bolt11), ("eur".parse().expect("a unit"), Method::Bank)] {
        let refused = rig.mint.prepare_melt(route, &quote, &coins, &[], rig.now);
        assert_eq!(refused.map(|_| ()), Err(MeltError::UnknownQuote), "{route:?}");
    }
}

/// Retention: what is done or was never paid goes, what somebody still has a claim on stays.
pub fn old_quotes_are_dropped_and_open_ones_stay(rig: &mut Rig) {
    let unpaid = rig.new_mint_quote(4);
    rig.commit_one(Change::OpenMintQuote(unpaid.clone()));
    let paid = rig.paid_mint_quote(4);
    let issued = rig.paid_mint_quote(4);
    let drafts = rig.drafts(&[4]);
    assert_eq!(mint(rig, &issued, &drafts), Outcome::Mint(Ok(())));
    let coins = rig.issue(&[4, 8]);
    let [idle, pending, done] = [(); 3].map(|()| rig.melt_quote_for(4, 0));
    let started = rig.start_melt(&done, &coins[..1], &[]).expect("started");
    rig.finish_melt(&started, MeltEnd::Paid { fee: 0, evidence: None }).expect("in time");
    rig.start_melt(&pending, &coins[1..], &[]).expect("started");

    let at = |days: u64| Timestamp::from_seconds(unpaid.expiry.seconds() + days * Day::SECONDS);
    rig.now = at(QUOTE_RETENTION_DAYS);
    rig.commit_one(Change::Tick);
    assert!(rig.mint_quote(unpaid.id).is_some() && rig.melt_quote(idle.id).is_some(), "not yet");
    rig.now = at(QUOTE_RETENTION_DAYS + 1);
    rig.commit_one(Change::Tick);
    for (quote, kept) in [(unpaid.id, false), (issued.id, false), (paid.id, true)] {
        assert_eq!(rig.mint_quote(quote).is_some(), kept);
    }
    for (quote, kept) in [(idle.id, false), (done.id, false), (pending.id, true)] {
        assert_eq!(rig.melt_quote(quote).is_some(), kept);
    }
}

/// Every field and state of both quotes comes back as it went in; the lists name the right ones.
pub fn quotes_are_read_back_whole(rig: &mut Rig) {
    let mut quote = rig.new_mint_quote(u64::MAX >> 11);
    quote.pubkey = Some(super::rig::identity().into());
    quote.method = Method::Bolt11;
    rig.commit_one(Change::OpenMintQuote(quote.clone()));
    assert_eq!(rig.mint_quote(quote.id), Some(quote.clone()));
    let waiting =
        |rig: &mut Rig, now| rig.bed().reader().unpaid_mint_quotes(now).expect("readable");
    assert_eq!(waiting(rig, rig.now), [quote.clone()]);
    assert_eq!(waiting(rig, quote.expiry), [], "expired");
    let named = |rig: &mut Rig, request: &str| {
        rig.bed().reader().mint_quotes_of(request).expect("readable")
    };
    assert_eq!(named(rig, &quote.request), [quote.clone()]);
    assert_eq!(named(rig, "RF00NOBODY"), []);
    let paid = rig.paid_mint_quote(4);
    assert_eq!(paid.state, MintQuoteState::Paid);
    assert_eq!(named(rig, &paid.request), [paid], "whatever became of it");
    assert_eq!(waiting(rig, rig.now), [quote]);

    let coins = rig.issue(&[4, 8]);
    let blanks = rig.drafts(&[1, 1]);
    let quote = rig.melt_quote_for(8, 2);
    assert_eq!(rig.melt_quote(quote.id), Some(quote.clone()));
    let pending = |rig: &mut Rig| rig.bed().reader().pending_melt_quotes().expect("readable");
    assert_eq!(pending(rig), []);
    let started = rig.start_melt(&quote, &coins, &blanks).expect("started");
    assert_eq!(rig.melt_quote(quote.id), Some(started.clone()));
    assert_eq!(pending(rig), std::slice::from_ref(&started));
    let end = MeltEnd::Paid { fee: 1, evidence: Some("reference".to_owned()) };
    let paid = rig.finish_melt(&started, end).expect("in time");
    assert_eq!(rig.melt_quote(quote.id), Some(paid));
    assert_eq!(pending(rig), []);
}
