//! The high-water mark: a file beside the vault that says how many commits it has had, at the least.
//!
//! An older copy of the vault forgets what was spent since, so that it could be spent again. A copy put in the
//! place of the vault has fewer commits than the mark, and is not opened. The mark follows the vault: it is
//! written after a commit is durable, about once a second, so a crash leaves it behind and never ahead. Who
//! restores the mark with the copy is not found out here.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tacit_core::time::Timestamp;

/// Commits after which the mark is written, whatever the clock says.
const COMMITS_UNMARKED_MAX: u64 = 256;

/// The mark of one vault.
#[derive(Debug)]
pub(super) struct Mark {
    path: PathBuf,
    marked: u64,
    marked_at: Option<Timestamp>,
}

impl Mark {
    /// Reads the mark of the vault at `path`. A vault that never had one is at 0.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".mark");
        let path = PathBuf::from(beside);
        let marked = match fs::read_to_string(&path) {
            Ok(text) => text.trim_end().parse().map_err(io::Error::other)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(Self { path, marked, marked_at: None })
    }

    /// Commits that the vault has had, at the least.
    pub(super) fn commits(&self) -> u64 {
        self.marked
    }

    /// Notes durable commits, if it is time to.
    pub(super) fn follow(&mut self, commits: u64, now: Timestamp) -> io::Result<()> {
        let is_due = self.marked_at != Some(now) || commits >= self.marked + COMMITS_UNMARKED_MAX;
        if is_due && commits > self.marked {
            self.marked_at = Some(now);
            self.write(commits)?;
        }
        Ok(())
    }

    /// Notes durable commits: the whole file at once, so that a crash leaves the old mark or the new.
    pub(super) fn write(&mut self, commits: u64) -> io::Result<()> {
        let mut new = self.path.as_os_str().to_owned();
        new.push(".new");
        let mut file = fs::File::create(&new)?;
        writeln!(file, "{commits}")?;
        drop(file);
        fs::rename(&new, &self.path)?;
        self.marked = commits;
        Ok(())
    }
}
