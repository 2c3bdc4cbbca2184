//! Stands between a wallet and its mint and does to requests and answers what networks and bad mints do.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The mint answers it.
    Pass,
    /// It never arrives.
    LoseRequest,
    /// The mint follows it, and nobody hears.
    LoseAnswer,
    /// It is answered with this status and nothing else.
    Status(u16),
}

/// What a test decides about a request: its number, counted from 0, method with path, and body.
type Decide = Box<dyn FnMut(usize, &str, &[u8]) -> Fate + Send>;
/// What a test makes of an answer's body.
type Bend = Box<dyn Fn(&str, String) -> String + Send>;

pub(crate) struct Relay {
    pub(crate) address: String,
    rules: Arc<Mutex<Rules>>,
}

struct Rules {
    count: usize,
    decide: Decide,
    bend: Bend,
    seen: Vec<String>,
    heads: Vec<String>,
}

impl Relay {
    /// To a mint at `HOST:PORT`, whose own address in answers does not matter.
    pub(crate) fn to(mint: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let rules = Rules {
            count: 0,
            decide: Box::new(|_, _, _| Fate::Pass),
            bend: Box::new(|_, body| body),
            seen: Vec::new(),
            heads: Vec::new(),
        };
        let rules = Arc::new(Mutex::new(rules));
        let shared = Arc::clone(&rules);
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (mint, rules) = (mint.clone(), Arc::clone(&shared));
                std::thread::spawn(move || _ = serve(stream, &mint, &rules));
            }
        });
        Self { address, rules }
    }

    pub(crate) fn url(&self, unit: &str) -> String {
        format!("http://{}/{unit}", self.address)
    }

    /// From now on, counted from 0 again.
    pub(crate) fn decide(&self, decide: impl FnMut(usize, &str, &[u8]) -> Fate + Send + 'static) {
        let mut rules = self.rules.lock().unwrap();
        rules.decide = Box::new(decide);
        rules.count = 0;
        rules.seen.clear();
    }

    pub(crate) fn pass(&self) {
        self.decide(|_, _, _| Fate::Pass);
    }

    pub(crate) fn bend(&self, bend: impl Fn(&str, String) -> String + Send + 'static) {
        self.rules.lock().unwrap().bend = Box::new(bend);
    }

    /// Method and path of each request since the last [`Self::decide`].
    pub(crate) fn seen(&self) -> Vec<String> {
        self.rules.lock().unwrap().seen.clone()
    }

    /// The heads of all requests, as sent.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.rules.lock().unwrap().heads.clone()
    }
}

fn serve(mut stream: TcpStream, mint: &str, rules: &Mutex<Rules>) -> std::io::Result<()> {
    while let Some((head, body)) = read_message(&mut stream)? {
        let what = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
        let fate = {
            let mut rules = rules.lock().unwrap();
            let count = rules.count;
            rules.count += 1;
            rules.seen.push(what.clone());
            rules.heads.push(head.clone());
            (rules.decide)(count, &what, &body)
        };
        if fate == Fate::LoseRequest {
            return Ok(());
        }
        if let Fate::Status(status) = fate {
            write!(stream, "HTTP/1.1 {status} no\r\ncontent-length: 0\r\n\r\n")?;
            continue;
        }
        let mut upstream = TcpStream::connect(mint)?;
        let head: String = head
            .lines()
            .filter(|line| !line.is_empty() && !line.to_lowercase().starts_with("connection:"))
            .map(|line| format!("{line}\r\n"))
            .collect();
        upstream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes())?;
        upstream.write_all(&body)?;
        let Some((head, body)) = read_message(&mut upstream)? else { return Ok(()) };
        if fate == Fate::LoseAnswer {
            return Ok(());
        }
        let body = String::from_utf8(body).unwrap();
        let body = (rules.lock().unwrap().bend)(&what, body);
        let status = head.lines().next().unwrap_or_default();
        let length = body.len();
        write!(
            stream,
            "{status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )?;
    }
    Ok(())
}

/// A head and its body; `None` at the end of the connection.
fn read_message(stream: &mut TcpStream) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body)?;
    Ok(Some((head, body)))
}
