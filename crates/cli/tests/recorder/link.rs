//! What two events of one person have in common, be it on the wire, in a row, or by way of several rows.
//!
//! All that is not plain is compared in windows of [`WINDOW`] bytes. What several people's events have is public, as keys and names of
//! fields are; what one person's events alone have must be of one of the bonds that rule 15 admits. A row belongs to the
//! events whose bytes it holds, and what it holds besides then counts as theirs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::types::Value;

use crate::Recording;
use crate::event::{Bond, Holds, Kind, items, leaves, reply, text_items};
use crate::names::holds;
use crate::stored::Row;
use crate::town::NAMES;

/// Bytes that two events may have in common by chance once in 2^96 pairs of places.
pub(crate) const WINDOW: usize = 12;
/// Most of a window.
const MOST: usize = 8;
/// What a bucket's answers stand under.
const ANSWERS: &str = "bucket tell.answers.";
/// Texts that are shorter are compared whole, from so many bytes on.
const SHORTEST: usize = 4;

type Window = [u8; WINDOW];
/// Events by number, and where each of them has something.
type Places = BTreeMap<usize, String>;

/// What an exchange was.
struct Event {
    person: usize,
    kind: Kind,
    bond: Option<Bond>,
    /// Path and body: a request that is sent again is the same event.
    asked: (String, Vec<u8>),
}

#[derive(Default)]
struct Index {
    events: Vec<Event>,
    ids: HashMap<Vec<u8>, usize>,
    /// For each byte string.
    places: Vec<Places>,
    /// The first byte string with a window.
    windows: HashMap<Window, usize>,
    /// All of them, if there are several.
    shared: HashMap<Window, Vec<usize>>,
}

/// What links events, in words; nothing if all is well.
pub(crate) fn links(recording: &Recording) -> BTreeSet<String> {
    let mut index = Index::default();
    for exchange in &recording.exchanges {
        let (number, kind) = (index.events.len(), Kind::of(exchange));
        let asked = (exchange.path().to_owned(), exchange.asked.body.clone());
        let bond = kind.bond(exchange);
        index.events.push(Event { person: exchange.person, kind, bond, asked });
        for leaf in leaves(exchange) {
            for item in items(&leaf.value, holds(&leaf.place).unwrap_or(Holds::Text)) {
                index.add(item, number, &leaf.place);
            }
        }
    }
    index.attach(&recording.rows);
    let mut found = index.common();
    for (name, bytes) in &recording.others {
        let mut words = vec![bytes.clone()];
        words.extend(text_items(&String::from_utf8_lossy(bytes)));
        for (event, place) in index.touched(&words) {
            found.insert(format!("{name} has something of {}: {place}", index.name(event)));
        }
    }
    found
}

/// What a row has that could be of an event.
fn cells(row: &Row) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for (name, value) in &row.cells {
        let items = match value {
            Value::Blob(bytes) => reply(bytes),
            Value::Text(text) => text_items(text),
            Value::Null | Value::Integer(_) | Value::Real(_) => Vec::new(),
        };
        found.extend(items.into_iter().map(|item| (format!("{}.{name}", row.table), item)));
    }
    found
}

impl Index {
    fn name(&self, event: usize) -> &'static str {
        NAMES[self.events[event].person]
    }

    fn add(&mut self, item: Vec<u8>, event: usize, place: &str) {
        if item.len() < SHORTEST {
            return;
        }
        let next = self.places.len();
        let id = *self.ids.entry(item.clone()).or_insert(next);
        if id == next {
            self.places.push(Places::new());
            for window in item.windows(WINDOW) {
                let window = Window::try_from(window).expect("as long");
                let first = *self.windows.entry(window).or_insert(id);
                if first != id {
                    let all = self.shared.entry(window).or_insert_with(|| vec![first]);
                    if all.last() != Some(&id) {
                        all.push(id);
                    }
                }
            }
        }
        self.places[id].entry(event).or_insert_with(|| place.to_owned());
    }

    /// The events of byte strings, if they are all one person's.
    fn of_one(&self, ids: &[usize]) -> Places {
        let mut all = Places::new();
        for id in ids {
            all.extend(self.places[*id].iter().map(|(event, place)| (*event, place.clone())));
        }
        let people: BTreeSet<usize> = all.keys().map(|event| self.events[*event].person).collect();
        if people.len() == 1 { all } else { Places::new() }
    }

    /// One person's events that have something of this.
    fn touched(&self, items: &[Vec<u8>]) -> Places {
        let mut touched = Places::new();
        for item in items {
            if let Some(id) = self.ids.get(item).filter(|_| WINDOW <= item.len()) {
                touched.extend(self.of_one(&[*id]));
                continue;
            }
            for window in item.windows(WINDOW) {
                let Some(first) = self.windows.get(window) else { continue };
                let ids =
                    self.shared.get(window).map_or(std::slice::from_ref(first), Vec::as_slice);
                touched.extend(self.of_one(ids));
            }
        }
        touched
    }

    /// Gives rows to the events that they hold something of, until there is nothing more to give.
    fn attach(&mut self, rows: &[Row]) {
        let mut left: Vec<Vec<(String, Vec<u8>)>> = rows.iter().map(cells).collect();
        loop {
            let before = left.len();
            let touched = |row: &Vec<(String, Vec<u8>)>| -> Vec<usize> {
                let items: Vec<Vec<u8>> = row.iter().map(|(_, item)| item.clone()).collect();
                let touched = self.touched(&items).into_keys();
                // An answer is that of who asked, and not of who looked.
                touched.filter(|event| self.events[*event].kind != Kind::Bucket).collect()
            };
            let (taken, rest): (Vec<_>, Vec<_>) = left
                .into_iter()
                .map(|row| (touched(&row), row))
                .partition(|(places, _)| !places.is_empty());
            for (places, row) in taken {
                for (place, item) in row {
                    for event in &places {
                        self.add(item.clone(), *event, &place);
                    }
                }
            }
            left = rest.into_iter().map(|(_, row)| row).collect();
            if left.len() == before {
                return;
            }
        }
    }

    /// What events of one person have in common that no bond joins.
    fn common(&self) -> BTreeSet<String> {
        let whole = (0..self.places.len()).map(|id| (vec![id], Vec::new()));
        let mut groups: BTreeMap<Vec<usize>, Vec<Window>> = whole.collect();
        for (window, ids) in &self.shared {
            groups.entry(ids.clone()).or_default().push(*window);
        }
        let mut found = BTreeSet::new();
        for (ids, windows) in groups {
            let places: Vec<(usize, String)> = self.of_one(&ids).into_iter().collect();
            let mut said = BTreeSet::new();
            for (at, one) in places.iter().enumerate() {
                for other in &places[at + 1..] {
                    if !self.is_admitted(one, other) {
                        said.insert(format!("{}: {} and {}", self.name(one.0), one.1, other.1));
                    }
                }
            }
            let is_theirs = |window: &Window| !self.is_mostly_public(window, places[0].0);
            if !said.is_empty() && (windows.is_empty() || windows.iter().any(is_theirs)) {
                found.append(&mut said);
            }
        }
        found
    }

    /// Whether most of a window is what others have, too: lengths within a proof are the same for all, and two random bytes beside
    /// ten of them are met again.
    fn is_mostly_public(&self, window: &Window, event: usize) -> bool {
        let person = self.events[event].person;
        let is_others =
            |id: &usize| self.places[*id].keys().any(|event| self.events[*event].person != person);
        let items = self.ids.iter().filter(|(_, id)| is_others(id));
        items.into_iter().any(|(item, _)| {
            item.windows(MOST).any(|part| window.windows(MOST).any(|own| own == part))
        })
    }

    /// Whether events have this in common by design.
    fn is_admitted(
        &self,
        (one, place): &(usize, String),
        (other, other_place): &(usize, String),
    ) -> bool {
        let (one, other) = (&self.events[*one], &self.events[*other]);
        let is_bound = one.bond.is_some() && one.bond == other.bond;
        // A bucket holds what was answered to whoever it may have been: "Recovery".
        let is_answer = [place, other_place].into_iter().any(|it| it.starts_with(ANSWERS));
        is_bound || is_answer || (one.asked == other.asked && !one.asked.1.is_empty())
    }
}
