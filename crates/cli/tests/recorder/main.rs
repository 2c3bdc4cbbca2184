//! A recorder keeps all that the desk receives, stores, logs and serves while wallets live two years: what does it learn?
//!
//! PASSPORT.md, rule 15: what still links is public deltas, odd amounts and due dates, time and network address. A program of its own,
//! because its standard error is the log.
#![allow(clippy::unwrap_used, reason = "tests")]

mod control;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../wallet/demo.rs"]
mod demo;
mod event;
mod life;
mod link;
mod names;
#[allow(dead_code, reason = "the program uses the rest")]
#[path = "../../src/wallet/net.rs"]
mod net;
mod say;
mod shape;
mod stored;
mod tape;
mod town;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::sync::OnceLock;

use demo::Demo;
use event::Kind;
use life::{Person, live};
use stored::Row;
use tape::{Exchange, Tape};

/// All that could be had of the server, and what must not be in it.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    pub(crate) exchanges: Vec<Exchange>,
    /// Rows that were not there before.
    pub(crate) rows: Vec<Row>,
    /// Other files by name, the log and the metrics.
    pub(crate) others: Vec<(String, Vec<u8>)>,
    /// Counters and scores that the passports had, as far as they are numbers that nothing else has.
    pub(crate) secrets: BTreeSet<u64>,
}

/// Two years, lived once for all tests.
fn recording() -> &'static Recording {
    static RECORDING: OnceLock<Recording> = OnceLock::new();
    RECORDING.get_or_init(record)
}

fn record() -> Recording {
    let demo = Demo::start_with(town::found);
    // From here on whatever the server logs is in this file.
    let log = demo.path("log");
    rustix::stdio::dup2_stderr(File::create(&log).unwrap()).unwrap();
    let data = demo.path("mint");
    let before: Vec<Row> = stored::rows(&data);
    let tape = Tape::default();
    let mut people = [0, 1, 2].map(|number| Person::new(&demo, &tape, number));
    live(&demo, &mut people);
    let rows = stored::rows(&data).into_iter().filter(|row| !before.contains(row)).collect();
    let mut others = stored::others(&data);
    let url = format!("http://{}/metrics", demo.address());
    let metrics = ureq::get(&url).call().unwrap().body_mut().read_to_vec().unwrap();
    others.push(("metrics".to_owned(), metrics));
    others.push((names::LOG.to_owned(), std::fs::read(&log).unwrap()));
    let secrets = people.iter().flat_map(secrets).collect();
    Recording { exchanges: tape.exchanges(), rows, others, secrets }
}

/// Counters and scores of a life that no public number is.
fn secrets(person: &Person) -> Vec<u64> {
    let past = person.past.iter();
    let numbers = past.flat_map(|(standing, score)| [standing.paid, standing.income, *score]);
    let is_odd = |it: &u64| {
        let units = life::AMOUNTS.as_flattened().iter().map(|amount| amount / 1000);
        let public = (0..u64::from(life::MONTHS) + 2).map(town::wages).chain(units);
        350 < *it && !it.is_power_of_two() && !public.chain(names::THRESHOLDS).any(|own| own == *it)
    };
    numbers.map(u64::from).filter(is_odd).collect()
}

#[test]
fn nothing_joins_what_one_person_does_but_what_rule_15_admits() {
    assert_eq!(link::links(recording()), BTreeSet::new());
}

#[test]
fn months_and_certificates_look_alike_whatever_the_passport_says() {
    assert_eq!(shape::unlike(recording()), BTreeSet::new());
}

#[test]
fn nothing_undeclared_is_said_and_no_counter_and_no_score() {
    let recording = recording();
    assert!(40 < recording.secrets.len(), "{:?}", recording.secrets);
    assert_eq!(say::undeclared(recording), BTreeSet::new());
}

/// What the others rely on: that something of everything happened, to lives that differ.
#[test]
fn the_lives_differ_and_all_is_on_the_tape() {
    let mut events = BTreeMap::new();
    for exchange in &recording().exchanges {
        assert!(exchange.is_ok(), "{exchange:?}");
        *events.entry((exchange.person, Kind::of(exchange))).or_insert(0) += 1;
    }
    let events = |person, kind| events.get(&(person, kind)).copied().unwrap_or(0);
    // Whoever was away has caught up.
    for person in 0..3 {
        assert_eq!(events(person, Kind::Tick), usize::from(life::MONTHS) + 1);
        assert!(2 <= events(person, Kind::Bucket) && 2 <= events(person, Kind::Blank));
    }
    let [ada, ben] = [0, 1].map(|it| move |kind| events(it, kind));
    for kind in [Kind::Certify, Kind::Quiet, Kind::Pay, Kind::Swap, Kind::Mint] {
        assert!(3 <= ada(kind) && 3 <= ben(kind), "{kind:?}");
    }
    assert!(ben(Kind::Pay) < ada(Kind::Pay) && 20 < ada(Kind::Income) && ben(Kind::Income) == 0);
    assert_eq!((events(2, Kind::Pay), events(2, Kind::Blank)), (0, 50));
}
