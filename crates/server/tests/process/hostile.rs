//! Fuzzed requests to everything of the passport, at a process: each is refused, nothing changes, and the desk goes on.
//!
//! Reading order: [`honest`] (what is asked by right), [`mutation`] (what is made of it). Everything follows from a seed but the keys,
//! proofs and months of the honest requests; a failure prints the seed and the whole request.

mod honest;
mod mutation;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::client::{Answer, Client};
use crate::support::process::{Tacitd, verify};

use honest::Town;
use mutation::{Hostile, Mutator};

/// Connections at a time.
const CONNECTIONS: usize = 8;
/// How often a request is sent again that was told to wait.
const TRIES: usize = 50;

/// How long nothing may change until a server has settled.
const SETTLE: Duration = Duration::from_secs(2);

/// How often what was seen: by how a request was made, and by status and code.
type Tally = BTreeMap<(&'static str, String), u64>;

/// What the tables of a data directory hold, by file and table.
type Kept = BTreeMap<(String, String), String>;

fn kept(data: &Path) -> Kept {
    let mut kept = Kept::new();
    for entry in std::fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "sqlite") {
            continue;
        }
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let database =
            Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        for table in tables(&database) {
            let rows = rows(&database, &table);
            kept.insert((file.clone(), table), rows);
        }
    }
    assert!(kept.keys().any(|(file, _)| file == "vault.sqlite"), "{:?}", kept.keys());
    kept
}

/// The same, once a server that has just started has done what was left over: sessions that ended are forgotten, and the like.
fn settled(data: &Path) -> Kept {
    let mut last = kept(data);
    loop {
        std::thread::sleep(SETTLE);
        let now = kept(data);
        if now == last {
            return now;
        }
        last = now;
    }
}

/// The tables that hold other rows.
fn differences(before: &Kept, after: &Kept) -> Vec<String> {
    assert!(before.keys().eq(after.keys()), "{:?} and {:?}", before.keys(), after.keys());
    let changed = before.iter().filter(|(of, rows)| after.get(*of) != Some(*rows));
    changed.map(|((file, table), _)| format!("{file}, {table}")).collect()
}

fn tables(database: &Connection) -> Vec<String> {
    let named = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let mut query = database.prepare(named).unwrap();
    query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// How many rows a table has, and a digest of them.
fn rows(database: &Connection, table: &str) -> String {
    let mut query = database.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
    let columns = query.column_count();
    let mut all = Vec::new();
    let mut rows = query.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let cells = (0..columns).map(|column| row.get_ref(column).unwrap());
        all.push(Sha256::digest(format!("{:?}", cells.collect::<Vec<_>>())));
    }
    all.sort();
    let digest: [u8; 32] = Sha256::digest(all.concat()).into();
    format!("{} rows, {}", all.len(), tacit_core::hex::encode(&digest))
}

fn request(hostile: &Hostile) -> Request<Full<Bytes>> {
    let Hostile { method, host, path, bearer, body, .. } = hostile;
    let mut request = Request::builder().method(method).uri(path).header("host", *host);
    if let Some(bearer) = bearer {
        request = request.header("authorization", format!("Bearer {bearer}").into_bytes());
    }
    request = request.header("content-type", "application/json");
    request.body(Full::new(Bytes::from(body.clone()))).unwrap()
}

/// How a refusal names its reason, if it is one that is documented: a code, or a problem of the desk.
fn reason(answer: &Answer) -> Option<String> {
    let told: Value = serde_json::from_slice(&answer.body).ok()?;
    told["detail"].as_str()?;
    if let Some(problem) = told["type"].as_str() {
        return problem.starts_with("/problems#").then(|| problem.to_owned());
    }
    let code = told["code"].as_u64()?;
    let known =
        [10_000..=10_001, 11_001..=11_015, 12_001..=12_003, 20_000..=20_009, 40_000..=40_007];
    known.iter().any(|range| range.contains(&code)).then(|| code.to_string())
}

/// Sends a request and says what came of it.
///
/// A refusal may come before the whole request was read; then the server closes that connection, and what is sent on it next is lost
/// (RFC 9112, section 9.6). On a new connection nothing may be.
async fn judge(client: &mut Client, hostile: &Hostile) -> Result<String, String> {
    for _ in 0..TRIES {
        let answer = match client.send(request(hostile)).await {
            Ok(answer) => answer,
            Err(_) => {
                *client = Client::new(client.address());
                let again = client.send(request(hostile)).await;
                again.map_err(|_| "the connection was lost".to_owned())?
            }
        };
        let status = answer.status;
        let may_wait =
            matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        if may_wait && answer.headers.contains_key("retry-after") {
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        }
        return match reason(&answer) {
            Some(reason) if status.is_client_error() => Ok(format!("{} {reason}", status.as_u16())),
            None if hostile.method == Method::GET && status == StatusCode::OK => {
                Ok("200".to_owned())
            }
            Some(_) | None => Err(format!("{status}: {}", String::from_utf8_lossy(&answer.body))),
        };
    }
    Err("the server was busy all the time".to_owned())
}

/// Sends so many requests of a seed.
async fn attack(town: &Arc<Town>, address: SocketAddr, seed: u64, requests: u64) -> Tally {
    let mut workers = Vec::new();
    for worker in 0..CONNECTIONS {
        let town = Arc::clone(town);
        workers.push(tokio::spawn(async move {
            let (mut client, mut tally) = (Client::new(address), Tally::new());
            for number in (0..requests).skip(worker).step_by(CONNECTIONS) {
                let hostile = Mutator::new(&town, seed, number).hostile();
                let said = judge(&mut client, &hostile).await.unwrap_or_else(|fault| {
                    panic!("{fault}\nseed {seed}, request {number}: {hostile:?}")
                });
                *tally.entry((hostile.kind, said)).or_default() += 1;
            }
            tally
        }));
    }
    let mut tally = Tally::new();
    for worker in workers {
        let seen =
            worker.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        for (what, count) in seen {
            *tally.entry(what).or_default() += count;
        }
    }
    tally
}

fn table(tally: &Tally) -> String {
    let mut text = String::new();
    for ((kind, said), count) in tally {
        writeln!(text, "{count:>7}  {kind}: {said}").unwrap();
    }
    text
}

/// How many requests made the verifier panic, as the server counts them.
async fn panics(address: SocketAddr) -> u64 {
    let metrics = Client::new(address).get("/metrics").await;
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    let told = |line: &str| line.strip_prefix("tacit_passport_panics_total ")?.parse().ok();
    metrics.lines().find_map(told).expect("they are counted")
}

/// Founds a town, attacks it, and looks at what is left of it.
async fn withstand(seed: u64, requests: u64) {
    let (town, folder) = Town::found().await;
    let town = Arc::new(town);
    let tacitd = Tacitd::start(folder.path());
    let before = settled(folder.path());
    let tally = attack(&town, tacitd.address, seed, requests).await;
    println!("{}", table(&tally));
    println!("{} made the verifier panic", panics(tacitd.address).await);
    let changed = differences(&before, &kept(folder.path()));
    assert!(changed.is_empty(), "seed {seed}: {changed:?}");
    let mut client = Client::new(tacitd.address);
    for honest in &town.honest {
        let sent = Hostile {
            method: Method::POST,
            host: honest.host,
            path: honest.path.clone(),
            bearer: honest.bearer.clone(),
            body: honest.body.to_string().into_bytes(),
            kind: "honest",
        };
        client.send(request(&sent)).await.unwrap().ok::<Value>();
    }
    let changed = differences(&before, &kept(folder.path()));
    assert!(changed.contains(&"vault.sqlite, shown".to_owned()), "{changed:?}");
    let done = tacitd.terminate();
    let log: Vec<&str> = done.stderr.lines().filter(|line| !line.contains("\"info\"")).collect();
    assert_eq!((done.code, log.len()), (Some(0), 0), "seed {seed}: {log:?}");
    let books = verify(folder.path());
    assert_eq!(books.code, Some(0), "seed {seed}: {books:?}");
    assert!(requests < 1000 || is_broad(&tally), "each kind was tried: {tally:?}");
}

/// Whether requests came as far as each check that refuses them.
fn is_broad(tally: &Tally) -> bool {
    [
        "400 10000",
        "400 11005",
        "400 20000",
        "400 40000",
        "400 40001",
        "400 40002",
        "400 40004",
        "400 40006",
        "404 10000",
        "405 10000",
    ]
    .iter()
    .all(|wanted| tally.keys().any(|(_, said)| said == wanted))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_fuzzed_passport_requests_change_nothing() {
    withstand(1, 5_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: about 3 minutes"]
async fn a_hundred_thousand_fuzzed_passport_requests_change_nothing() {
    withstand(2, 100_000).await;
}
