//! A vault in a schema of its own.

use tacit_service::conformance::Bed;
use tacit_service::conformance::rig;
use tacit_service::vault::{VaultReader, VaultStore};
use tacit_store::postgres::{PostgresReader, PostgresVault, Target};

use crate::postgres::Postgres;

/// A vault that any number of writers take turns at: each commit is the next one's.
pub(crate) struct OnServer {
    target: Target,
    writers: Vec<PostgresVault>,
    turn: usize,
    reader: PostgresReader,
}

impl OnServer {
    pub(crate) fn new(server: &Postgres, writers: usize) -> Self {
        let target = server.new_target();
        let open = |_| PostgresVault::open(&target, &rig::identity()).unwrap();
        let writers = (0..writers).map(open).collect();
        let reader = PostgresReader::open(&target).unwrap();
        Self { target, writers, turn: 0, reader }
    }

    /// A vault that is there.
    pub(crate) fn at(target: Target) -> Self {
        let writers = vec![PostgresVault::open(&target, &rig::identity()).unwrap()];
        let reader = PostgresReader::open(&target).unwrap();
        Self { target, writers, turn: 0, reader }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }
}

impl Bed for OnServer {
    fn store(&mut self) -> &mut dyn VaultStore {
        self.turn = (self.turn + 1) % self.writers.len();
        &mut self.writers[self.turn]
    }

    fn reader(&mut self) -> &mut dyn VaultReader {
        &mut self.reader
    }

    fn restart(&mut self) {
        for writer in &mut self.writers {
            *writer = PostgresVault::open(&self.target, &rig::identity()).unwrap();
        }
        self.reader = PostgresReader::open(&self.target).unwrap();
    }
}
