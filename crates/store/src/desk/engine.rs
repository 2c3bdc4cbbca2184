//! What the desk's two databases have in common, as far as its statements need it.

use tacit_service::vault::StoreError;

/// A database that the desk can be kept in.
pub trait Engine: Send {
    /// Does all of `work` in one transaction that sees no other's, or none of it; from the beginning if another was
    /// quicker. It is durable once this returns `Ok`.
    fn transact<T>(
        &mut self,
        work: impl FnMut(&mut dyn Statements) -> Result<T, Fault>,
    ) -> Result<T, StoreError>;
}

/// The open transaction. Parameters are `?1`, `?2`, each named as often as it is needed.
pub trait Statements {
    /// Changes rows, and says how many.
    fn execute(&mut self, sql: &'static str, parameters: &[Value]) -> Result<u64, Fault>;

    /// Reads rows.
    fn query(&mut self, sql: &'static str, parameters: &[Value]) -> Result<Vec<Row>, Fault>;
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// What a statement answered: its columns in order.
#[derive(Clone, Debug)]
pub struct Row(pub Vec<Value>);

/// Why a transaction did not come to its end.
#[derive(Debug)]
pub enum Fault {
    /// The database, as far as a caller can know it.
    Store(StoreError),
    /// The database, which says that the same may go well another time.
    Again,
    /// A row says what no row can say.
    Malformed(&'static str),
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(error) => error,
            Fault::Again => Self::Busy,
            Fault::Malformed(what) => Self::Corrupt(what),
        }
    }
}

const WRONG: Fault = Fault::Malformed("a column of the desk holds what was never written to it");

impl Row {
    fn value(&self, column: usize) -> Result<&Value, Fault> {
        self.0.get(column).ok_or(WRONG)
    }

    pub fn integer(&self, column: usize) -> Result<i64, Fault> {
        match self.value(column)? {
            Value::Integer(number) => Ok(*number),
            Value::Null | Value::Text(_) | Value::Bytes(_) => Err(WRONG),
        }
    }

    /// A number that is not negative: a count, a day, a moment.
    pub fn count(&self, column: usize) -> Result<u64, Fault> {
        u64::try_from(self.integer(column)?).map_err(|_| WRONG)
    }

    pub fn boolean(&self, column: usize) -> Result<bool, Fault> {
        match self.integer(column)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WRONG),
        }
    }

    pub fn text(&self, column: usize) -> Result<&str, Fault> {
        match self.value(column)? {
            Value::Text(text) => Ok(text),
            Value::Null | Value::Integer(_) | Value::Bytes(_) => Err(WRONG),
        }
    }

    pub fn blob(&self, column: usize) -> Result<&[u8], Fault> {
        match self.value(column)? {
            Value::Bytes(bytes) => Ok(bytes),
            Value::Null | Value::Integer(_) | Value::Text(_) => Err(WRONG),
        }
    }

    pub fn bytes<const N: usize>(&self, column: usize) -> Result<[u8; N], Fault> {
        self.blob(column)?.try_into().map_err(|_| WRONG)
    }

    pub fn is_null(&self, column: usize) -> Result<bool, Fault> {
        Ok(*self.value(column)? == Value::Null)
    }

    /// What `read` makes of a column, unless it is empty.
    pub fn optional<T>(
        &self,
        column: usize,
        read: impl FnOnce(&Self, usize) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        if self.is_null(column)? { Ok(None) } else { read(self, column).map(Some) }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(is: bool) -> Self {
        Self::Integer(i64::from(is))
    }
}

/// Days, moments and lengths of trails, which stay far below the largest integer of a column.
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
