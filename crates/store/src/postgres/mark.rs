//! The high-water mark: a file of each server's own that says what it last saw of the database.
//!
//! An older copy (a backup that was restored, a standby that was behind and took over) forgets what was spent since, so
//! that it could be spent again. A server that runs finds out by its own row; one that is started on such a copy finds out by
//! its mark. Of all servers it notes how many commits they had made: none ever has fewer again, and a row goes no sooner than
//! the second day after its last commit. The mark follows the database: it is written once a second while there are commits,
//! and when the server stops, so a crash leaves it behind and never ahead.
//!
//! Once the loss is accepted, every keyset that still redeems is newer than the mark: then nothing that was forgotten can be
//! spent again, and the mark is begun anew. So the other servers need not be told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tacit_core::hex;
use tacit_core::time::Timestamp;
use tacit_ecash::keyset::KeysetId;
use tacit_service::keyset::KeysetState;

use super::OpenError;
use super::fault::Fault;
use super::link::Link;
use super::row::{self, at, bytes};
use crate::file;

/// Commits after which the mark is written, whatever the clock says.
const COMMITS_UNMARKED_MAX: u32 = 256;

/// Days for which a row in `writer` stays after its last commit, at the least: it goes when a later day is closed.
const DAYS_KEPT: i64 = 2;

/// What a database shows of how far it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// How often keysets or the open day changed.
    epoch: i64,
    open_day: i64,
    /// Of each server that has a row: its commits, and the open day at the last.
    writers: BTreeMap<[u8; 16], (i64, i64)>,
    /// Keysets there have been.
    keysets: BTreeSet<KeysetId>,
    /// A server that found this lost while it ran: its row must be there, however many days have passed.
    awaited: Option<[u8; 16]>,
}

impl Seen {
    /// Whether a database that shows `now` has lost something of this.
    fn is_lost_in(&self, now: &Self) -> bool {
        let is_lost = |(id, (commits, day)): (&[u8; 16], &(i64, i64))| match now.writers.get(id) {
            Some((found, _)) => found < commits,
            None => self.awaited == Some(*id) || now.open_day < day + DAYS_KEPT,
        };
        now.epoch < self.epoch || now.open_day < self.open_day || self.writers.iter().any(is_lost)
    }

    /// One line for each number, server and keyset.
    fn text(&self) -> String {
        let mut text = format!("epoch {}\nday {}\n", self.epoch, self.open_day);
        let mut line = |line: std::fmt::Arguments<'_>| {
            text.write_fmt(line).expect("a text takes all");
            text.push('\n');
        };
        for (id, (commits, day)) in &self.writers {
            line(format_args!("server {} {commits} {day}", hex::encode(id)));
        }
        for id in &self.keysets {
            line(format_args!("keyset {id}"));
        }
        if let Some(id) = self.awaited {
            line(format_args!("awaits {}", hex::encode(&id)));
        }
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let number = |line: &str, name: &str| line.strip_prefix(name)?.parse().ok();
        let epoch = number(lines.next()?, "epoch ")?;
        let open_day = number(lines.next()?, "day ")?;
        let mut seen = Self { epoch, open_day, ..Self::default() };
        for line in lines {
            let mut words = line.split(' ');
            match (words.next()?, words.next()?, words.next(), words.next(), words.next()) {
                ("server", id, Some(commits), Some(day), None) => {
                    let standing = (commits.parse().ok()?, day.parse().ok()?);
                    seen.writers.insert(hex::decode(id).ok()?, standing);
                }
                ("keyset", id, None, None, None) => {
                    seen.keysets.insert(id.parse().ok()?);
                }
                ("awaits", id, None, None, None) => seen.awaited = Some(hex::decode(id).ok()?),
                _ => return None,
            }
        }
        Some(seen)
    }
}

/// What a database shows now.
struct Standing {
    seen: Seen,
    /// Keysets that redeem.
    redeeming: Vec<KeysetId>,
}

impl Standing {
    /// Reads it, of one moment.
    fn read(link: &mut Link) -> Result<Self, Fault> {
        let answers = link.ask_all(&[
            (row::KEYSETS, vec![]),
            ("SELECT open_day, epoch FROM vault", vec![]),
            ("SELECT id, commits, day FROM writer", vec![]),
        ])?;
        let [keysets, vault, writers] = &answers[..] else {
            return Err(Fault::Malformed("three questions have three answers"));
        };
        let vault = vault.first().ok_or(Fault::Malformed("the vault's own row is missing"))?;
        let mut seen = Seen { open_day: at(vault, 0)?, epoch: at(vault, 1)?, ..Seen::default() };
        for writer in writers {
            seen.writers.insert(bytes(writer, 0)?, (at(writer, 1)?, at(writer, 2)?));
        }
        let mut redeeming = Vec::new();
        for keyset in keysets {
            let keyset = row::keyset(keyset)?;
            seen.keysets.insert(keyset.id);
            if keyset.state < KeysetState::Closed {
                redeeming.push(keyset.id);
            }
        }
        Ok(Self { seen, redeeming })
    }
}

/// Why a commit is the last one.
pub(super) struct Lost;

/// The mark of a server that runs.
pub(super) struct Mark {
    path: PathBuf,
    seen: Seen,
    marked_at: Option<Timestamp>,
    /// Commits since.
    unmarked: u32,
}

impl Mark {
    /// Fails if the database has lost something of what the mark at `path` says. Where there is no mark, nothing is known.
    pub(super) fn hold_against(path: &Path, link: &mut Link) -> Result<(), OpenError> {
        let Some(seen) = read(path).map_err(unusable(path))? else { return Ok(()) };
        let Standing { seen: now, redeeming } = Standing::read(link)?;
        if !seen.is_lost_in(&now) {
            return Ok(());
        }
        if now.keysets.is_empty() && !seen.keysets.is_empty() {
            return Err(OpenError::Emptied);
        }
        if redeeming.iter().any(|id| seen.keysets.contains(id)) {
            return Err(OpenError::OlderCopy);
        }
        Ok(())
    }

    /// Marks what the database shows.
    pub(super) fn begin(path: &Path, link: &mut Link) -> Result<Self, OpenError> {
        let Standing { seen, .. } = Standing::read(link)?;
        let mark = Self { path: path.into(), seen, marked_at: None, unmarked: 0 };
        let written = mark.write().and_then(|()| file::sync_folder_of(path));
        written.map_err(unusable(path))?;
        Ok(mark)
    }

    /// Notes how far the database has come, if it is time to. What cannot be asked or written now stays behind.
    pub(super) fn follow(&mut self, link: &mut Link, now: Timestamp) -> Result<(), Lost> {
        self.unmarked += 1;
        if self.marked_at == Some(now) && self.unmarked < COMMITS_UNMARKED_MAX {
            return Ok(());
        }
        let Ok(Standing { seen, .. }) = Standing::read(link) else { return Ok(()) };
        if self.seen.is_lost_in(&seen) {
            return Err(Lost);
        }
        (self.marked_at, self.unmarked) = (Some(now), 0);
        if seen != self.seen {
            self.seen = seen;
            _ = self.write(); // Behind a failed mark nothing is lost: it refuses older copies, it does not guard this one.
        }
        Ok(())
    }

    /// Notes that a writer, who writes no more, has had so many commits.
    pub(super) fn close(&mut self, writer: [u8; 16], commits: i64) -> io::Result<()> {
        // A row that was never seen may have gone by now, for all that is known.
        let standing = self.seen.writers.entry(writer).or_insert((0, 0));
        standing.0 = standing.0.max(commits);
        self.write()
    }

    /// The same for one that found some of them lost: a database that lacks its row is not the one.
    pub(super) fn lose(&mut self, writer: [u8; 16], commits: i64) -> io::Result<()> {
        self.seen.awaited = Some(writer);
        self.close(writer, commits)
    }

    fn write(&self) -> io::Result<()> {
        file::replace(&self.path, &self.seen.text())
    }
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    move |source| OpenError::Mark { path: path.into(), source }
}

fn read(path: &Path) -> io::Result<Option<Seen>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let no_mark = || io::Error::new(io::ErrorKind::InvalidData, "the mark is no mark");
    Seen::parse(&text).map(Some).ok_or_else(no_mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyset(number: u8) -> KeysetId {
        format!("00{}", hex::encode(&[number; 7])).parse().unwrap()
    }

    fn seen() -> Seen {
        let writers = BTreeMap::from([([1; 16], (40, 99)), ([2; 16], (7, 100))]);
        let keysets = BTreeSet::from([keyset(1), keyset(2)]);
        Seen { epoch: 3, open_day: 100, writers, keysets, awaited: None }
    }

    #[test]
    fn a_mark_is_read_whole_or_not_at_all() {
        let awaiting = Seen { awaited: Some([2; 16]), ..seen() };
        for seen in [Seen::default(), seen(), awaiting] {
            let text = seen.text();
            assert_eq!(Seen::parse(&text), Some(seen));
            assert_eq!(Seen::parse(text.trim_end()), None, "cut short");
            for rubbish in ["x\n", "keyset x\n", "server 00 1 1\n", "awaits\n", "\n"] {
                assert_eq!(Seen::parse(&format!("{text}{rubbish}")), None, "{rubbish:?}");
            }
        }
        for text in ["", "\n", "epoch 1\n", "day 1\nepoch 1\n", "epoch -\nday 1\n"] {
            assert_eq!(Seen::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_goes_on_has_lost_nothing() {
        assert!(!seen().is_lost_in(&seen()));
        let mut later = seen();
        later.epoch += 1;
        later.open_day += 1;
        later.writers.insert([2; 16], (8, 101));
        later.writers.insert([3; 16], (1, 101));
        later.writers.remove(&[1; 16]); // Its last commit was the day before.
        assert!(!seen().is_lost_in(&later));
    }

    #[test]
    fn what_has_less_of_anything_has_lost_something() {
        let less: [fn(&mut Seen); 5] = [
            |seen| seen.epoch -= 1,
            |seen| seen.open_day -= 1,
            |seen| seen.writers.get_mut(&[1; 16]).unwrap().0 -= 1,
            |seen| _ = seen.writers.remove(&[1; 16]),
            |seen| _ = seen.writers.remove(&[2; 16]),
        ];
        for (number, change) in less.into_iter().enumerate() {
            let mut now = seen();
            change(&mut now);
            assert!(seen().is_lost_in(&now), "{number}");
        }
        let mut days_later = Seen { open_day: 200, ..seen() };
        days_later.writers.clear();
        assert!(!seen().is_lost_in(&days_later), "servers that were gone for long");
        let awaiting = Seen { awaited: Some([2; 16]), ..seen() };
        assert!(awaiting.is_lost_in(&days_later), "but one that saw its commits lost");
    }
}
