//! A disk that is full: nothing is half written, what is known is answered, and it goes on once there is room.

use tacit_service::conformance::Bed;
use tacit_service::conformance::rig::{self, Rig};
use tacit_service::vault::{Change, StoreError, VaultReader, VaultStore};
use tacit_store::sqlite::{SqliteReader, SqliteVault};

/// A vault with room for so many pages; after a restart there is room again.
struct Full {
    folder: tempfile::TempDir,
    open: Option<(SqliteVault, SqliteReader)>,
}

impl Full {
    fn at(pages: u32) -> Self {
        let mut full = Self { folder: tempfile::tempdir().unwrap(), open: None };
        full.restart();
        let (vault, reader) = full.open.take().unwrap();
        full.open = Some((vault.with_pages_max(pages).unwrap(), reader));
        full
    }
}

impl Bed for Full {
    fn store(&mut self) -> &mut dyn VaultStore {
        &mut self.open.as_mut().unwrap().0
    }

    fn reader(&mut self) -> &mut dyn VaultReader {
        &mut self.open.as_mut().unwrap().1
    }

    fn restart(&mut self) {
        self.open = None;
        let path = self.folder.path().join("vault.sqlite");
        let vault = SqliteVault::open(&path, &rig::identity()).unwrap();
        self.open = Some((vault, SqliteReader::open(&path).unwrap()));
    }
}

#[test]
fn a_full_disk_refuses_whole_batches_and_forgets_nothing() {
    let mut rig = Rig::new(Box::new(Full::at(60)));
    let coins = rig.issue(&[1, 2, 4, 8]);
    let drafts = rig.drafts(&[1]);
    let signed = rig.swap(&coins[..1], &drafts).unwrap();
    let now = rig.now;
    let mut refused = None;
    for _ in 0..2_000 {
        let batch: Vec<Change> =
            (0..8).map(|_| rig.new_mint_quote(5)).map(Change::OpenMintQuote).collect();
        match rig.bed().store().commit(&batch, now) {
            Ok(_) => {}
            Err(error) => {
                refused = Some((batch, error));
                break;
            }
        }
    }
    let (batch, error) = refused.expect("sixty pages are soon full");
    assert!(matches!(error, StoreError::Unwritable(_)), "{error:?}");
    for change in &batch {
        let Change::OpenMintQuote(quote) = change else { unreachable!() };
        assert_eq!(rig.mint_quote(quote.id), None, "nothing of the batch is there");
    }
    let again = rig.bed().store().commit(&batch, now);
    assert!(matches!(again, Err(StoreError::Unwritable(_))), "and stays so: {again:?}");
    let books = rig.bed().reader().books().expect("questions are answered");
    assert!(tacit_service::audit::check(&books, &rig::identity()).iter().all(|check| check.holds));

    rig.restart(); // There is room again.
    assert!(rig.bed().store().commit(&batch, now).is_ok(), "the same batch is taken now");
    assert_eq!(rig.swap(&coins[..1], &drafts), Ok(signed), "what was answered is answered");
    let drafts = rig.drafts(&[2, 4, 8]);
    rig.swap(&coins[1..], &drafts).unwrap();
    rig.audit();
}
