//! Measures the passport desk over HTTP, and the same proofs checked in this process, turn by turn.
//!
//! `passport_load [--rounds N] [--requests PERCENT] [--connections LIST] [--data DIR] COMMAND...`, where COMMAND begins a `tacitd`:
//! `taskset -c 0 target/release/tacitd` keeps it to one core. `tests/bench/passport.sh` builds both and calls this.
//!
//! Reading order: [`earner`] (accounts with income), [`insider`] (passports), [`prepare`] (requests, all made before the clock starts), [`run`] (the clock),
//! [`table`]. In the timed part over HTTP this process only sends and receives bytes. Afterwards each reply is opened as a wallet
//! would, and `tacitd verify` looks at the books.
#![allow(clippy::unwrap_used, reason = "a measurement for people")]

#[path = "../../tests/support/client.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tests use the rest of it")]
mod client;
#[path = "../../tests/support/earner.rs"]
#[allow(unreachable_pub, reason = "the tests have it in common")]
mod earner;
#[path = "../../tests/support/insider.rs"]
#[allow(unreachable_pub, reason = "the tests have it in common")]
mod insider;
mod prepare;
mod run;
mod table;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tacit_core::time::Timestamp;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::issuer::Facts;
use tacit_credit::passport::key::IssuerKeys;
use tacit_credit::passport::proof::Bins;
use tacit_credit::passport::standing::ReceiptFacts;
use tacit_credit::scorecard::signed::SignedCard;
use tacit_server::config::setting::Given;
use tacit_server::config::{Config, Overrides};
use tacit_server::server::Parts;
use tacit_service::passport::key_epoch;

use self::client::Client;
use self::earner::Earner;
use self::prepare::{Kind, blanks, certificates, incomes, ticks};
use self::run::{Mint, measure};
use self::table::Table;

/// Requests of each kind in a round, for each number of connections: about two seconds' worth each.
const BLANKS: usize = 2000;
const INCOMES: usize = 500;
const TICKS: usize = 60;
const CERTIFICATES: usize = 60;

/// What is asked for on the command line.
struct Arguments {
    rounds: usize,
    percent: usize,
    connections: Vec<usize>,
    data: PathBuf,
    command: Vec<String>,
}

impl Arguments {
    fn read() -> Self {
        let mut read = Self {
            rounds: 3,
            percent: 100,
            connections: vec![1, 8],
            data: std::env::temp_dir(),
            command: Vec::new(),
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{word} wants a value"));
            match word.as_str() {
                "--rounds" => read.rounds = value().parse().unwrap(),
                "--requests" => read.percent = value().parse().unwrap(),
                "--connections" => {
                    read.connections =
                        value().split(' ').map(|text| text.parse().unwrap()).collect();
                }
                "--data" => read.data = value().into(),
                _ => read.command = std::iter::once(word).chain(words.by_ref()).collect(),
            }
        }
        assert!(!read.command.is_empty(), "name the command that begins a tacitd");
        read
    }

    /// How many of something all rounds take, if each takes so many.
    fn all(&self, each: usize) -> usize {
        self.rounds * self.connections.len() * self.part(each)
    }

    fn part(&self, each: usize) -> usize {
        (each * self.percent / 100).max(1)
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_seconds(since.as_secs())
}

/// The desk's keys of a new directory, which then has this many accounts that were paid something last month.
fn open(data: &Path, earners: usize) -> (IssuerKeys, Vec<Earner>) {
    let overrides = Overrides {
        data: Some(Given::flag("--data", data.to_owned())),
        demo: Some(Given::flag("--demo", true)),
        ..Overrides::default()
    };
    let config = Config::load(overrides, None).expect("a demo needs no file");
    let mut parts = Parts::open(&config).expect("the directory opens");
    let earners = earner::settle(&mut parts, earners, now());
    for earner in &earners {
        earner.enrol(parts.desk[0].as_mut(), now());
    }
    (IssuerKeys::derive(&parts.seed, key_epoch(Epoch::of(now()))), earners)
}

/// The signed card of the desk that runs.
async fn card(mint: &Mint) -> SignedCard {
    let mut client = Client::new(mint.address);
    let answer = client.get("/v1/passport/scorecard").await;
    SignedCard::read(&answer.body).unwrap()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments = Arguments::read();
    let folder = tempfile::tempdir_in(&arguments.data).expect("a directory");
    eprintln!("preparing: accounts");
    let (keys, earners) = open(folder.path(), arguments.all(INCOMES));
    let mint = Mint::start(&arguments.command, folder.path());
    let card = card(&mint).await;
    let bins = Bins::of_card(card.card()).unwrap();
    let month = Epoch::of(now());
    let blank = Facts::Receipt(ReceiptFacts::BLANK);
    eprintln!("preparing: requests");
    let certificates = {
        let count = arguments.all(CERTIFICATES);
        certificates(&keys, month, count, (&card, &bins), now().day())
    };
    let kinds = [
        (BLANKS, "blank", blank, blanks(&keys, month, arguments.all(BLANKS))),
        (INCOMES, "income", Facts::None, incomes(&keys, month, &earners)),
        (TICKS, "tick", Facts::None, ticks(&keys, month, arguments.all(TICKS))),
        (CERTIFICATES, "certify", Facts::Card(&bins), certificates),
    ];
    let kinds = kinds.map(|(each, name, facts, prepared)| {
        Kind::new(name, facts, arguments.part(each), prepared)
    });
    let mut table = Table::begin();
    let mut at = 0;
    for round in 1..=arguments.rounds {
        for connections in &arguments.connections {
            for kind in &kinds {
                let measured = measure(&mint, &keys, kind, at, *connections).await;
                table.add(round, kind.name, *connections, measured);
            }
            at += 1;
        }
    }
    table.end();
    mint.stop(&arguments.command, folder.path());
}
