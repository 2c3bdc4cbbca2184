//! The desk on PostgreSQL: the statements of [`crate::desk`], each transaction as if it were the only one.
//!
//! `SERIALIZABLE` makes the desk's rules as true here as on SQLite, where one transaction waits for another: whoever was
//! overtaken is told so (40001) and begins again. A desk is no load, so that this costs nothing that anybody notices.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use secp256k1::PublicKey;
use tacit_service::vault::StoreError;
use tokio_postgres::Row as PostgresRow;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::TRIES;
use super::fault::{Fault as LinkFault, Remedy};
use super::link::{Link, Param, Step, Wants};
use super::target::Target;
use crate::desk::engine::{Engine, Fault, Row, Statements, Value};
use crate::desk::{Desk, MIGRATIONS, OpenError};

/// A connection to the desk's database.
pub struct PostgresEngine {
    link: Link,
}

/// The desk in a database. Several may be open, in one process or in many.
pub type PostgresDesk = Desk<PostgresEngine>;

impl PostgresDesk {
    /// Opens the desk in a database, and makes or migrates it first, if need be.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(target: &Target, mint: &PublicKey) -> Result<Self, OpenError> {
        let mut link = Link::new(Arc::new(target.clone())).map_err(OpenError::File)?;
        migrate(&mut link)?;
        Self::on(PostgresEngine { link }, mint)
    }
}

impl From<LinkFault> for OpenError {
    fn from(fault: LinkFault) -> Self {
        Self::Store(fault.before_commit())
    }
}

/// As the vault's: servers that start at once queue up at the one row of `schema_version`.
fn migrate(link: &mut Link) -> Result<(), OpenError> {
    let vaults = "SELECT 1 FROM information_schema.tables
                  WHERE table_schema = current_schema() AND table_name = 'vault'";
    if !link.ask((vaults, vec![]))?.is_empty() {
        return Err(OpenError::Vault);
    }
    let make = "CREATE TABLE IF NOT EXISTS schema_version (one bigint NOT NULL PRIMARY KEY, version bigint NOT NULL);
                INSERT INTO schema_version (one, version) VALUES (1, 0) ON CONFLICT DO NOTHING";
    for _ in 0..TRIES {
        match link.run(make) {
            Ok(()) => break,
            Err(fault) if fault.is_made_meanwhile() => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    let queue = "UPDATE schema_version SET version = version WHERE one = 1";
    link.begin(&[Step::new(queue, Wants::Certainly(1), vec![])], &[])?;
    let done = migrate_in_turn(link);
    if done.is_err() {
        link.roll_back();
    }
    done
}

fn migrate_in_turn(link: &mut Link) -> Result<(), OpenError> {
    let rows = link.ask_within(("SELECT version FROM schema_version WHERE one = 1", vec![]))?;
    let version: Option<i64> = rows.first().and_then(|row| row.try_get(0).ok());
    let found = version.and_then(|version| usize::try_from(version).ok());
    let found = found.ok_or(OpenError::NotADesk)?;
    let known = MIGRATIONS.len();
    if found > known {
        return Err(OpenError::TooNew { found, known });
    }
    for migration in &MIGRATIONS[found..] {
        link.run_within(migration)?;
    }
    let known = i64::try_from(known).expect("few");
    let sql = "UPDATE schema_version SET version = $1 WHERE one = 1";
    link.go_on(&[Step::new(sql, Wants::Certainly(1), vec![Box::new(known)])])?;
    Ok(link.commit()?)
}

impl Engine for PostgresEngine {
    fn transact<T>(
        &mut self,
        mut work: impl FnMut(&mut dyn Statements) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        for _ in 0..TRIES {
            self.link
                .run("BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE")
                .map_err(LinkFault::before_commit)?;
            match work(&mut Open { link: &mut self.link }) {
                Ok(done) => match self.link.commit() {
                    Ok(()) => return Ok(done),
                    Err(fault) if fault.is_rolled_back() => {}
                    Err(fault) => return Err(StoreError::InDoubt(fault.cause())),
                },
                Err(fault) => {
                    self.link.roll_back();
                    if !matches!(fault, Fault::Again) {
                        return Err(fault.into());
                    }
                }
            }
        }
        Err(StoreError::Busy)
    }
}

struct Open<'a> {
    link: &'a mut Link,
}

impl Statements for Open<'_> {
    fn execute(&mut self, sql: &'static str, parameters: &[Value]) -> Result<u64, Fault> {
        let step = Step::new(spelled(sql), Wants::Any, params(parameters));
        self.link.change_within(&step).map_err(fault)
    }

    fn query(&mut self, sql: &'static str, parameters: &[Value]) -> Result<Vec<Row>, Fault> {
        let rows = self.link.ask_within((spelled(sql), params(parameters))).map_err(fault)?;
        rows.iter().map(row).collect()
    }
}

fn params(parameters: &[Value]) -> Vec<Param> {
    parameters.iter().map(|value| Box::new(value.clone()) as Param).collect()
}

/// A key that is there already was made by a transaction in between: looked at again, it is seen.
fn fault(fault: LinkFault) -> Fault {
    let is_taken = matches!(
        &fault,
        LinkFault::Database(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION)
    );
    if is_taken || fault.remedy() == Remedy::Again {
        return Fault::Again;
    }
    Fault::Store(fault.before_commit())
}

/// A statement with its parameters as PostgreSQL names them: `$1` for `?1`. Each is spelled once in the life of the process,
/// for there are no more of them than stand in the program.
fn spelled(sql: &'static str) -> &'static str {
    static KNOWN: OnceLock<Mutex<HashMap<&'static str, &'static str>>> = OnceLock::new();
    let mut known =
        KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(sql).or_insert_with(|| Box::leak(sql.replace('?', "$").into_boxed_str()))
}

impl ToSql for Value {
    fn to_sql(
        &self,
        of: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(number) if <i64 as ToSql>::accepts(of) => number.to_sql(of, out),
            Self::Text(text) if <&str as ToSql>::accepts(of) => text.as_str().to_sql(of, out),
            Self::Bytes(bytes) if <&[u8] as ToSql>::accepts(of) => bytes.as_slice().to_sql(of, out),
            Self::Integer(_) | Self::Text(_) | Self::Bytes(_) => {
                Err("a parameter is of another type than its column".into())
            }
        }
    }

    // Whether it fits depends on what it is, so that it is said above.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn row(row: &PostgresRow) -> Result<Row, Fault> {
    const WRONG: Fault =
        Fault::Malformed("a column of the desk holds what was never written to it");
    let value = |column: usize, of: &Type| -> Result<Value, Fault> {
        let wrong = |_| WRONG;
        let value = if *of == Type::INT8 {
            row.try_get::<_, Option<i64>>(column).map_err(wrong)?.map(Value::Integer)
        } else if *of == Type::INT4 {
            let number = row.try_get::<_, Option<i32>>(column).map_err(wrong)?;
            number.map(|number| Value::Integer(number.into()))
        } else if *of == Type::TEXT {
            row.try_get::<_, Option<String>>(column).map_err(wrong)?.map(Value::Text)
        } else if *of == Type::BYTEA {
            row.try_get::<_, Option<Vec<u8>>>(column).map_err(wrong)?.map(Value::Bytes)
        } else {
            return Err(WRONG);
        };
        Ok(value.unwrap_or(Value::Null))
    };
    let columns = row.columns().iter().enumerate();
    let values: Result<_, Fault> =
        columns.map(|(number, column)| value(number, column.type_())).collect();
    Ok(Row(values?))
}
