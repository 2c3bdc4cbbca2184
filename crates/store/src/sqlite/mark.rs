//! The high-water mark: a file beside the vault that says how many commits it has had, at the least.
//!
//! An older copy of the vault forgets what was spent since, so that it could be spent again. A copy put in the
//! place of the vault has fewer commits than the mark, or is of another lineage, and is not opened. The mark follows the
//! vault: it is written after a commit is durable, about once a second, so a crash leaves it behind and never ahead. When
//! the vault is closed the mark says so, and is exact: that alone proves a copy current. Who restores the mark with the
//! copy is not found out here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tacit_core::hex;
use tacit_core::time::Timestamp;

use super::Lineage;
use super::backup::Standing;
use crate::file;

/// Commits after which the mark is written, whatever the clock says.
const COMMITS_UNMARKED_MAX: u64 = 256;

/// What a mark says of its vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marked {
    /// Commits it has had, at the least; exactly, if [`Self::is_closed`].
    pub commits: u64,
    /// Which of several copies that went on; `None` in marks from before there were lineages.
    pub lineage: Option<Lineage>,
    /// Whether nobody has written to the vault since.
    pub is_closed: bool,
}

impl Marked {
    /// Reads the mark at `path`; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be read, or is no mark.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let no_mark = || io::Error::new(io::ErrorKind::InvalidData, "the vault's mark is no mark");
        Self::parse(&text).map(Some).ok_or_else(no_mark)
    }

    /// `COMMITS LINEAGE open` or `COMMITS LINEAGE closed`; of old, `COMMITS` alone.
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.strip_suffix('\n').unwrap_or(text).split(' ');
        let commits = words.next()?.parse().ok()?;
        let Some(lineage) = words.next() else {
            return Some(Self { commits, lineage: None, is_closed: false });
        };
        let lineage = Some(hex::decode(lineage).ok()?);
        let is_closed = match (words.next()?, words.next()) {
            ("open", None) => false,
            ("closed", None) => true,
            _ => return None,
        };
        Some(Self { commits, lineage, is_closed })
    }
}

/// Where the mark of the vault at `path` stands.
pub fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".mark");
    PathBuf::from(beside)
}

/// Marks a copy as the vault itself, closed: for whoever has made sure that nothing is forgotten with it.
///
/// # Errors
/// If the mark cannot be written.
pub fn vouch(path: &Path, standing: &Standing) -> io::Result<()> {
    let mut mark =
        Mark { path: beside(path), lineage: standing.lineage, marked: 0, marked_at: None };
    mark.close(standing.commits)
}

/// The mark of the vault that is open.
#[derive(Debug)]
pub(super) struct Mark {
    path: PathBuf,
    lineage: Lineage,
    marked: u64,
    marked_at: Option<Timestamp>,
}

impl Mark {
    /// Marks the vault at `path` as open, durably: from now on the number is a lower bound.
    pub(super) fn open(path: &Path, lineage: Lineage, commits: u64) -> io::Result<Self> {
        let mut mark = Self { path: beside(path), lineage, marked: 0, marked_at: None };
        mark.write(commits, "open")?;
        file::sync_folder_of(&mark.path)?;
        Ok(mark)
    }

    /// Notes durable commits, if it is time to.
    pub(super) fn follow(&mut self, commits: u64, now: Timestamp) -> io::Result<()> {
        let is_due = self.marked_at != Some(now) || commits >= self.marked + COMMITS_UNMARKED_MAX;
        if is_due && commits > self.marked {
            self.marked_at = Some(now);
            self.write(commits, "open")?;
        }
        Ok(())
    }

    /// Says that nobody writes any more, after so many commits.
    pub(super) fn close(&mut self, commits: u64) -> io::Result<()> {
        self.write(commits, "closed")
    }

    /// The vault's lineage has changed.
    pub(super) fn set_lineage(&mut self, lineage: Lineage) -> io::Result<()> {
        self.lineage = lineage;
        self.write(self.marked, "open")
    }

    /// The whole file at once, so that a crash leaves the old mark or the new.
    fn write(&mut self, commits: u64, state: &str) -> io::Result<()> {
        let text = format!("{commits} {} {state}\n", hex::encode(&self.lineage));
        file::replace(&self.path, &text)?;
        self.marked = commits;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_whole_or_not_at_all() {
        let lineage = "000102030405060708090a0b0c0d0e0f";
        let of = |text: &str| Marked::parse(text).map(|mark| (mark.commits, mark.is_closed));
        assert_eq!(of("7\n"), Some((7, false)), "as the first version wrote it");
        assert_eq!(of(&format!("7 {lineage} open\n")), Some((7, false)));
        assert_eq!(of(&format!("7 {lineage} closed\n")), Some((7, true)));
        for text in ["", "x", "7 ", "7 00 open", "-1", "7  closed"] {
            assert_eq!(of(text), None, "{text:?}");
        }
        for state in ["", "ope", "closed open", "open "] {
            assert_eq!(of(&format!("7 {lineage} {state}x")), None, "{state:?}");
        }
    }
}
