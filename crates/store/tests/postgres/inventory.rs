//! Nothing is kept that is not declared.

use tacit_service::conformance::rig::identity;
use tacit_service::inventory::{Kind, differences};
use tacit_store::inventory::postgres::VAULT_ON_POSTGRES;
use tacit_store::postgres::PostgresVault;

use crate::postgres::Postgres;

/// Tables and columns of the first vault of a server, as they are.
pub(crate) fn schema(server: &Postgres) -> Vec<(Kind, String)> {
    let sql = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'vault_0'";
    let mut found = Vec::new();
    for line in server.psql(sql).unwrap().lines() {
        let (table, column) = line.split_once('|').unwrap();
        found.push((Kind::Table, table.to_owned()));
        found.push((Kind::Column, format!("{table}.{column}")));
    }
    found
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn every_column_of_the_vault_on_postgres_is_declared() {
    let server = Postgres::start();
    drop(PostgresVault::open(&server.new_target(), &identity()).unwrap());
    assert_eq!(differences(VAULT_ON_POSTGRES.declarations, schema(&server)), [""; 0]);
    let extended =
        "ALTER TABLE vault_0.proof ADD COLUMN ip text; CREATE TABLE vault_0.visitor (name text)";
    server.psql(extended).unwrap();
    let found = differences(VAULT_ON_POSTGRES.declarations, schema(&server));
    assert_eq!(found.len(), 3, "and one that is not is caught: {found:?}");
}
