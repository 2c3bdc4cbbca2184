//! Screening: whether somebody's name stands on a list of sanctions, or of people in public office.
//!
//! Lists are imported from files ([`list`]), names are compared loosely ([`matching`]). Nobody is frozen by a program: a hit waits for
//! compliance, who clears it or freezes. Of people without a hit, nothing is kept, not even that they were screened.

pub mod list;
pub mod matching;

use tacit_core::time::Day;

use self::list::Listed;
use self::matching::Likeness;
use super::person::{Name, Person, PersonId};
use super::random_id;
use super::trail::Deed;
use crate::vault::StoreError;

random_id! {
    /// Names what one import brought.
    ImportId
}

random_id! {
    /// Names a hit.
    HitId
}

/// A list as it was last imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedList {
    /// What it is called.
    pub name: String,
    /// Which import.
    pub import: ImportId,
    /// How many names it has, with other spellings.
    pub names: u64,
    /// The day it was imported.
    pub imported: Day,
}

/// Somebody who is to be screened, since they came or since a list did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Who.
    pub person: PersonId,
    /// What they are called.
    pub name: Name,
    /// For which occasion: a later one is another screening.
    pub occasion: [u8; 16],
}

/// A name that is like one of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its name.
    pub id: HitId,
    /// Which list.
    pub list: String,
    /// What the list calls the entry.
    pub entry: String,
    /// The name that stands there.
    pub name: String,
    /// How alike the names are.
    pub likeness: Likeness,
    /// The day it was found.
    pub found: Day,
}

/// A name of a list that is like somebody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    /// Which list.
    pub list: String,
    /// What the list calls the entry.
    pub entry: String,
    /// The name that stands there.
    pub name: String,
    /// How alike.
    pub likeness: Likeness,
}

/// Why nobody can say whether a name is on a list. It is asked again.
#[derive(Debug, thiserror::Error)]
#[error("whoever screens names cannot be asked")]
pub struct ScreenerError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Whoever says which names of lists are like somebody's: [`matching::Screen`] with the lists that were imported, or a
/// service outside, which learns the name and nothing else.
///
/// Blocking: called where waiting is allowed.
pub trait Screener: Send + Sync {
    /// Names that are like this one, the most alike first.
    ///
    /// # Errors
    /// [`ScreenerError`].
    fn alike(&self, name: &Name) -> Result<Vec<Alike>, ScreenerError>;
}

/// How a hit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HitEnd {
    /// It is somebody else.
    Cleared,
    /// The account was frozen for it.
    Frozen,
}

/// What the desk keeps of screening.
pub trait ScreeningStore {
    /// Adds names to an import that is not in use yet. `from`: how many it has before these, so that a repeated part is
    /// added once. `false` if they do not follow.
    ///
    /// # Errors
    /// [`StoreError`]
    fn add_listed(
        &mut self,
        import: ImportId,
        from: u64,
        names: &[Listed],
    ) -> Result<bool, StoreError>;

    /// Puts an import into use, in the place of the list that was called so; everybody is to be screened again. Hits that
    /// were cleared are forgotten with the names they were about. `false` if the import has not as many names.
    ///
    /// # Errors
    /// [`StoreError`]
    fn put_list(&mut self, list: &ImportedList, deed: &Deed) -> Result<bool, StoreError>;

    /// Lists in use, by name.
    ///
    /// # Errors
    /// [`StoreError`]
    fn lists(&mut self) -> Result<Vec<ImportedList>, StoreError>;

    /// Names of an import from this one on, counted from 0; at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn listed(&mut self, import: ImportId, from: u64, max: u32) -> Result<Vec<Listed>, StoreError>;

    /// Who is to be screened, at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn due(&mut self, max: u32) -> Result<Vec<Due>, StoreError>;

    /// Somebody was screened. Hits that are known, whatever became of them, are not new.
    ///
    /// # Errors
    /// [`StoreError`]
    fn screened(&mut self, due: &Due, hits: &[Hit]) -> Result<(), StoreError>;

    /// Hits that wait, the most alike first, so many left out at the beginning; at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn open_hits(&mut self, skip: u64, max: u32) -> Result<Vec<(Hit, Person)>, StoreError>;

    /// A hit that waits.
    ///
    /// # Errors
    /// [`StoreError`]
    fn open_hit(&mut self, id: HitId) -> Result<Option<(Hit, Person)>, StoreError>;

    /// Ends a hit. `false` if it does not wait.
    ///
    /// # Errors
    /// [`StoreError`]
    fn end_hit(&mut self, id: HitId, end: HitEnd, deed: &Deed) -> Result<bool, StoreError>;
}

impl HitEnd {
    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cleared => "cleared",
            Self::Frozen => "frozen",
        }
    }
}
