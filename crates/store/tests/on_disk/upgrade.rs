//! Vaults of every schema there has been, kept as files under `tests/fixtures`, are brought up to date and go on.
//!
//! `BLESS=1 cargo test -p tacit-store upgrade` makes the file of the schema this program writes, if there is none. Once
//! a release has shipped, its file is never made anew.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::time::{Day, Timestamp};
use tacit_ecash::blinding::Blinding;
use tacit_ecash::condition::Preimage;
use tacit_ecash::keyset::KeysetSpec;
use tacit_ecash::proof::Proof;
use tacit_service::account::{AccountId, Holder, HolderKind, HolderState, Level};
use tacit_service::audit::Books;
use tacit_service::conformance::rig::{self, Rig, usd};
use tacit_service::identity::Identity;
use tacit_service::ledger::Account;
use tacit_service::melt::MeltEnd;
use tacit_service::mint::InputError;
use tacit_service::quote::MeltQuote;
use tacit_service::vault::{Change, Outcome, ProofState, VaultReader};
use tacit_store::sqlite::SqliteReader;

use crate::bed::OnDisk;
use crate::kept;

/// What a wallet holds after [`live`].
struct Lived {
    kept: Vec<Proof>,
    /// A swap that was answered: asked again, it is answered again.
    swap: (Vec<Proof>, Vec<Blinding>),
    pending: MeltQuote,
    now: Timestamp,
    draws: u64,
    books: Books,
}

/// A short life with something in every table: three keysets of which one is sealed, two closed eras, a payment made
/// and one under way, quotes in every state, a day that is not posted yet. The same for each rig.
fn live(rig: &mut Rig) -> Lived {
    rig.commit(&[Change::OpenHolder(Holder {
        id: AccountId::from_random([3; 8]),
        kind: HolderKind::Customer,
        level: Level::default(),
        state: HolderState::Open,
        key: None,
    })]);
    let coins = rig.issue(&[1, 2, 4, 8, 16, 32, 64]);
    let end = Timestamp::from_seconds(rig.now.seconds() + 2 * Day::SECONDS);
    let first = rig.mint.keysets()[0].record().spec;
    rig.add_keyset(KeysetSpec { index: 1, final_expiry: Some(end), input_fee_ppk: 100, ..first });
    let short = rig.issue(&[4, 8]);
    let drafts = rig.drafts(&[1]);
    rig.swap(&coins[..1], &drafts).unwrap();
    rig.add_keyset(KeysetSpec { index: 2, ..first });
    let drafts = rig.drafts(&[1, 2]);
    rig.swap(&short[..1], &drafts).unwrap();
    rig.now = end;
    rig.commit(&[Change::Tick]);
    seal(rig);
    rig.commit(&[Change::Tick]); // Into the archive.
    assert_eq!(rig.states(&short), [ProofState::Spent(None), ProofState::Unspent]);

    let quote = rig.melt_quote_for(2, 1);
    let blanks = rig.drafts(&[1]);
    let started = rig.start_melt(&quote, &coins[2..3], &blanks).unwrap();
    rig.finish_melt(&started, MeltEnd::Paid { fee: 0, evidence: Some("of a kind".to_owned()) });
    rig.now = Day::from_number(rig.now.day().number() + 1).start();
    rig.commit(&[Change::Tick]);

    let (unpaid, never) = (rig.new_mint_quote(5), rig.melt_quote_for(7, 0));
    rig.commit(&[Change::OpenMintQuote(unpaid), Change::OpenMeltQuote(never)]);
    rig.paid_mint_quote(6);
    let quote = rig.melt_quote_for(8, 0);
    let (lock, blanks) = (hash_locked(rig), rig.drafts(&[1]));
    let mut locked = rig.issue_on(&[lock]);
    locked[0].witness = Some(Secret::new(Preimage::from_bytes([5; 32]).to_state_witness()));
    let outputs = rig.drafts(&[4]);
    rig.swap(&locked, &outputs).unwrap();
    let pending = rig.start_melt(&quote, &coins[3..4], &blanks).unwrap();
    let outputs = rig.drafts(&[8, 8]);
    rig.swap(&coins[4..5], &outputs).unwrap();
    Lived {
        kept: coins[5..].to_vec(),
        swap: (coins[4..5].to_vec(), outputs),
        pending,
        now: rig.now,
        draws: 10_000,
        books: rig.audit(),
    }
}

fn hash_locked(rig: &mut Rig) -> Blinding {
    let lock = hex::encode(&Sha256::digest([5; 32]));
    let secret = format!("[\"HTLC\",{{\"nonce\":\"a\",\"data\":\"{lock}\"}}]");
    let keyset = rig.drafts(&[1])[0].message().keyset;
    rig.draft_of(secret, 4, keyset)
}

fn seal(rig: &mut Rig) {
    let identity = Identity::derive(&rig::seed());
    for (keyset, sums) in rig.bed().reader().sealable_keysets().unwrap() {
        let change = Change::Seal(identity.seal(keyset.id, sums));
        assert_eq!(rig.commit(&[change]), [Outcome::Applied(true)]);
    }
}

/// As a vault would be that has lived so under this program.
fn lived_today() -> (Lived, PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.sqlite");
    let bed = OnDisk::with_era_rows(1);
    let vault = bed.path();
    let mut rig = Rig::new(Box::new(bed));
    let lived = live(&mut rig);
    Connection::open(&vault).unwrap().execute("VACUUM INTO ?1", [path.to_str().unwrap()]).unwrap();
    (lived, path, folder)
}

/// Brought up to date, an old vault says what a new one would, and serves on.
fn goes_on(fixture: &Path, expected: Lived) {
    let bed = OnDisk::copy_of(fixture);
    let path = bed.path();
    let mut rig = Rig::unaudited(Box::new(bed));
    rig.skip(expected.draws);
    rig.now = expected.now;
    let books = SqliteReader::open(&path).unwrap().books().unwrap();
    assert_eq!(books, expected.books);

    let (inputs, outputs) = &expected.swap;
    rig.swap(inputs, outputs).expect("what was answered is answered again");
    let others = rig.drafts(&[16]);
    let spent = InputError::AlreadySpent { index: 0 };
    assert_eq!(rig.swap(inputs, &others), Err(spent.into()), "what was spent stays spent");
    let fresh = rig.drafts(&[32, 64]);
    rig.swap(&expected.kept, &fresh).expect("what was not can be spent");
    rig.finish_melt(&expected.pending, MeltEnd::Paid { fee: 0, evidence: None }).expect("ends");
    let books = rig.audit();
    let received = books.transfers[&Account::Settlement(usd())];
    assert_eq!((received.debits, received.credits), (127 + 12 + 6 + 4, 2 + 8));
}

#[test]
fn every_schema_there_has_been_is_brought_up_to_date() {
    let folder = kept::folder();
    let current: u32 = Connection::open(lived_today().1)
        .unwrap()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    for version in 1..=current {
        let fixture = folder.join(format!("vault-{version}.sqlite"));
        let (lived, path, _folder) = lived_today();
        if version == current && !fixture.exists() && std::env::var_os("BLESS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::copy(path, &fixture).unwrap();
        }
        assert!(fixture.exists(), "there is no {}: BLESS=1 makes that of today", fixture.display());
        let schema = Connection::open(&fixture).unwrap();
        let found: u32 = schema.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(found, version, "{}", fixture.display());
        drop(schema);
        goes_on(&fixture, lived);
    }
}
