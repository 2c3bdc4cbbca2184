//! Filling an empty vault with the rows of another store, in one transaction.

use std::sync::Arc;

use secp256k1::PublicKey;
use tacit_core::time::Day;

use super::fault::Fault;
use super::link::{Link, Param, Step, Wants};
use super::row::at;
use super::target::Target;
use super::{OpenError, examine, migrate, mint_identity, register};
use crate::spelling::integer;

/// One column of some rows.
pub(crate) enum Column {
    Bytes(Vec<Option<Vec<u8>>>),
    Integer(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
}

impl Column {
    fn param(self) -> Param {
        match self {
            Self::Bytes(values) => Box::new(values),
            Self::Integer(values) => Box::new(values),
            Self::Text(values) => Box::new(values),
        }
    }
}

/// A vault being filled. Dropped before [`Self::commit`], it stays empty.
pub(crate) struct Load {
    link: Link,
    writer: [u8; 16],
}

impl Load {
    /// Makes the vault of a mint in a database that has none, or takes one that has no keyset yet; `None` if it has.
    pub(crate) fn begin(target: &Target, mint: &PublicKey) -> Result<Option<Self>, OpenError> {
        let mut link = Link::new(Arc::new(target.clone())).map_err(OpenError::System)?;
        examine(&mut link)?;
        migrate(&mut link, mint)?;
        if mint_identity(&mut link)? != *mint {
            return Err(OpenError::OtherMint);
        }
        let writer = register(&mut link)?;
        // As whoever changes what all take for granted: two that fill at once wait for each other here.
        let queue =
            Step::new("UPDATE vault SET epoch = epoch WHERE one = 1", Wants::Certainly(1), vec![]);
        let answers = link.begin(&[queue], &[("SELECT count(*) FROM keyset", vec![])])?;
        let row = answers.first().and_then(|rows| rows.first());
        let keysets: i64 = row.map_or(Err(Fault::Malformed("no count")), |row| at(row, 0))?;
        if keysets > 0 {
            link.roll_back();
            return Ok(None);
        }
        Ok(Some(Self { link, writer }))
    }

    /// Adds rows. `sql`: an insert of as many columns, each an array. `has_writer`: the name of the writer whose share of
    /// the counters these are comes first.
    pub(crate) fn add(
        &mut self,
        sql: &'static str,
        columns: Vec<Column>,
        has_writer: bool,
    ) -> Result<(), OpenError> {
        let mut params: Vec<Param> = Vec::new();
        if has_writer {
            params.push(Box::new(self.writer.to_vec()));
        }
        params.extend(columns.into_iter().map(Column::param));
        Ok(self.link.go_on(&[Step::new(sql, Wants::Any, params)])?)
    }

    /// Makes all of it durable. `day`: the day that swaps are counted on.
    pub(crate) fn commit(mut self, day: Day) -> Result<(), OpenError> {
        let day = || Box::new(integer(day.number()));
        let vault = "UPDATE vault SET open_day = $1 WHERE one = 1";
        let writer = "UPDATE writer SET day = $1 WHERE id = $2";
        self.link.go_on(&[
            Step::new(vault, Wants::Certainly(1), vec![day()]),
            Step::new(writer, Wants::Certainly(1), vec![day(), Box::new(self.writer.to_vec())]),
        ])?;
        Ok(self.link.commit()?)
    }
}
