//! Leaks made on purpose, one at a time, in a copy of the recording: each is found, or the recorder is worth nothing.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

use crate::event::Kind;
use crate::names::LOG;
use crate::stored::Row;
use crate::tape::{Exchange, Message};
use crate::{Recording, link, recording, say, shape};

type Check = fn(&Recording) -> BTreeSet<String>;

/// Changes a copy of the first months, and asks a check for what it finds in it.
fn found(check: Check, said: &str, change: impl FnOnce(&mut Recording)) {
    let mut changed = recording().clone();
    changed.exchanges.truncate(changed.exchanges.len() * 2 / 5);
    changed.rows.retain(|row| ["answer", "shown"].contains(&row.table.as_str()));
    change(&mut changed);
    let found = check(&changed);
    assert!(found.iter().any(|it| it.contains(said)), "{said:?} is not among {found:?}");
}

/// A person's exchanges of a kind.
fn of(recording: &mut Recording, person: usize, kind: Kind) -> impl Iterator<Item = &mut Exchange> {
    let all = recording.exchanges.iter_mut();
    all.filter(move |it| it.person == person && Kind::of(it) == kind)
}

/// Changes the JSON of a message.
fn edit(message: &mut Message, change: impl FnOnce(&mut Value)) {
    let mut body = serde_json::from_slice(&message.body).unwrap();
    change(&mut body);
    message.body = body.to_string().into_bytes();
}

fn bytes(value: &Value) -> Vec<u8> {
    BASE64.decode(value.as_str().unwrap()).unwrap()
}

fn field(message: &Message, name: &str) -> Vec<u8> {
    bytes(&serde_json::from_slice::<Value>(&message.body).unwrap()[name])
}

/// Puts bytes into a field of JSON.
fn put(message: &mut Message, name: &str, at: usize, new: &[u8]) {
    edit(message, |body| {
        let mut old = bytes(&body[name]);
        old[at..at + new.len()].copy_from_slice(new);
        body[name] = json!(BASE64.encode(old));
    });
}

/// Numbers of the rows in which a person's ticks are kept.
fn kept(recording: &mut Recording, person: usize) -> Vec<usize> {
    let replies: BTreeSet<Vec<u8>> =
        of(recording, person, Kind::Tick).map(|it| field(&it.told, "reply")).collect();
    let is_kept = |row: &Row| {
        row.cells.iter().any(|(_, cell)| matches!(cell, Cell::Blob(it) if replies.contains(it)))
    };
    let rows = recording.rows.iter().enumerate();
    rows.filter(|(_, row)| is_kept(row)).map(|(at, _)| at).collect()
}

#[test]
fn a_constant_of_one_wallet_is_found_wherever_it_is() {
    found(link::links, "ask header accept-language", |recording| {
        for exchange in recording.exchanges.iter_mut().filter(|it| it.person == 0) {
            exchange.asked.headers.push(("accept-language".to_owned(), "sw-KE".to_owned()));
        }
    });
    found(link::links, "Ben: tick ask.sealed and tick ask.sealed", |recording| {
        for tick in of(recording, 1, Kind::Tick) {
            put(&mut tick.asked, "sealed", 0, &[7; 24]);
        }
    });
    // Blank and tick of one month by the same nonce.
    found(link::links, "Cy: blank ask.request and tick ask.request", |recording| {
        let nonce = field(&of(recording, 2, Kind::Blank).next().unwrap().asked, "request");
        let tick = of(recording, 2, Kind::Tick).next().unwrap();
        put(&mut tick.asked, "request", 36, &nonce[36..68]);
    });
    // What a signature was proven with, shown with the e-cash that it made: so it once was.
    found(link::links, "Ben: swap tell.signatures.dleq.e and pay ask.proofs.dleq.e", |recording| {
        let swap: Value =
            serde_json::from_slice(&of(recording, 1, Kind::Swap).next().unwrap().told.body)
                .unwrap();
        let pay = of(recording, 1, Kind::Pay).last().unwrap();
        edit(&mut pay.asked, |body| {
            body["proofs"][0]["dleq"]["e"] = swap["signatures"][0]["dleq"]["e"].clone();
        });
    });
    // Two looks for something lost.
    found(link::links, "Cy: bucket query.by and bucket query.by", |recording| {
        for look in of(recording, 2, Kind::Bucket) {
            look.asked.line = look.asked.line.replace(" HTTP", "?by=00112233445566 HTTP");
        }
    });
    // What an account is known by, with what nobody is to be known by.
    found(link::links, "Ada: ask header authorization and ask header authorization", |recording| {
        let income = of(recording, 0, Kind::Income).next().unwrap();
        let shown = income.asked.headers.iter().find(|(name, _)| name == "authorization");
        let shown = shown.unwrap().clone();
        of(recording, 0, Kind::Tick).next().unwrap().asked.headers.push(shown);
    });
}

#[test]
fn what_is_kept_and_logged_is_looked_at() {
    // Stored blobs that have something in common, which was never on the wire.
    found(link::links, "Cy: answer.sealed and answer.sealed", |recording| {
        for at in kept(recording, 2) {
            for (name, cell) in &mut recording.rows[at].cells {
                if let (Cell::Blob(sealed), true) = (cell, name == "sealed") {
                    let end = sealed.len() - 12;
                    sealed[end..].copy_from_slice(b"the same one");
                }
            }
        }
    });
    // A column of few bytes.
    found(link::links, "Ada: answer.device and answer.device", |recording| {
        for at in kept(recording, 0) {
            let cell = Cell::Blob(vec![1, 2, 3, 4, 5, 6, 7, 8]);
            recording.rows[at].cells.push(("device".to_owned(), cell));
        }
    });
    // A row of its own that names two ticks by what stands in the rows of them.
    found(link::links, "Ben: visit.", |recording| {
        let rows = kept(recording, 1);
        let cell = |at: usize| recording.rows[rows[at]].cells[0].clone();
        let cells = vec![("first".to_owned(), cell(0).1), ("then".to_owned(), cell(1).1)];
        recording.rows.push(Row { table: "visit".to_owned(), cells });
    });
    let serial = |recording: &mut Recording| {
        let tick = of(recording, 0, Kind::Tick).next().unwrap();
        tacit_core::hex::encode(&field(&tick.asked, "request")[36..68])
    };
    let log = |recording: &mut Recording, line: String| {
        let log = recording.others.iter_mut().find(|(name, _)| name == LOG).unwrap();
        log.1.extend(line.into_bytes());
    };
    found(link::links, "log has something of Ada: tick ask.request", |recording| {
        let line = format!("a tick came: {}\n", serial(recording));
        log(recording, line);
    });
    found(say::undeclared, "the log says", |recording| {
        log(recording, "{\"event\":\"a tick came\"}\n".to_owned());
    });
}

#[test]
fn a_longer_tick_and_a_counter_are_found() {
    found(shape::unlike, "one tick is unlike another", |recording| {
        let tick = of(recording, 1, Kind::Tick).nth(3).unwrap();
        edit(&mut tick.asked, |body| {
            let longer = [bytes(&body["sealed"]), vec![0]].concat();
            body["sealed"] = json!(BASE64.encode(longer));
        });
    });
    found(shape::unlike, "one tick is unlike another", |recording| {
        let tick = of(recording, 1, Kind::Tick).nth(3).unwrap();
        edit(&mut tick.told, |body| body["late"] = json!(true));
    });
    found(shape::unlike, "receipts differ by tell.reply", |recording| {
        let pay = of(recording, 0, Kind::Pay).next().unwrap();
        edit(&mut pay.told, |body| body["receipt"]["reply"] = json!(BASE64.encode([1; 9])));
    });
    let secret = *recording().secrets.first().unwrap();
    found(say::undeclared, "tick tell.paid is not declared", |recording| {
        let tick = of(recording, 0, Kind::Tick).next().unwrap();
        edit(&mut tick.told, |body| body["paid"] = json!(secret));
    });
    found(say::undeclared, "earned tell.units tells a counter or a score", |recording| {
        let earned = of(recording, 0, Kind::Earned).next().unwrap();
        edit(&mut earned.told, |body| body["units"] = json!(secret));
    });
    found(say::undeclared, "answer.paid has a counter or a score", |recording| {
        let at = kept(recording, 0)[0];
        let secret = Cell::Integer(secret.try_into().unwrap());
        recording.rows[at].cells.push(("paid".to_owned(), secret));
    });
    found(say::undeclared, "log tells a counter or a score", |recording| {
        let log = recording.others.iter_mut().find(|(name, _)| name == LOG).unwrap();
        log.1.extend(format!("\"score\":{secret}\n").into_bytes());
    });
}
