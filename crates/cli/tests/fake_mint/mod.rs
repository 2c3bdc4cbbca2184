//! A mint small enough to be read in one go: one keyset, everything in memory, at fault where told to.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde::Serialize;
use serde_json::{Value, json};
use tacit_core::secret::Secret;
use tacit_core::unit::Unit;
use tacit_ecash::keyset::{KeysetSpec, SecretKeyset};
use tacit_ecash::message::{self, SignaturesResponse};
use tacit_ecash::point::{PointBytes, Y};
use tacit_ecash::proof::{BlindSignature, sign, verify};
use tacit_ecash::request::{MintRequest, SwapRequest};

/// What is wrong with the mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    SignsDoubleSpends,
    FailsOnDoubleSpends,
    FalseDleqInSwaps,
    FalseDleqInIssues,
    OtherKeyInSwaps,
    RepeatsDiffer,
    NoRepeats,
    BreaksPromiseOfRepeats,
    EveryTenthSwapFails,
    NeverPays,
    FalseKeysetId,
}

/// A running mint; it ends with the test's process.
pub(crate) struct FakeMint {
    pub(crate) url: String,
}

struct State {
    keyset: SecretKeyset,
    fault: Fault,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// Amount of each quote, by its number.
    quotes: Vec<u64>,
    spent: HashSet<Y>,
    answered: HashMap<Vec<u8>, Value>,
    swaps: usize,
}

/// Status and body, or nothing: the connection is closed without an answer.
type Answer = Option<(u16, Value)>;

impl FakeMint {
    /// Starts a mint for `usd` on a port of its own.
    pub(crate) fn start(fault: Fault, input_fee_ppk: u64) -> Self {
        let unit = Unit::new("usd").unwrap();
        let spec = KeysetSpec { unit, index: 0, orders: 12, input_fee_ppk, final_expiry: None };
        let keyset = SecretKeyset::derive(&Secret::new([9; 32]), spec);
        let state = Arc::new(State { keyset, fault, memory: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/usd", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&state);
                std::thread::spawn(move || state.serve(stream.unwrap()));
            }
        });
        Self { url }
    }
}

impl State {
    /// Answers requests until the other side closes.
    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some((line, body)) = read_request(&mut reader) {
            let path = line.split(' ').nth(1).unwrap().strip_prefix("/usd").unwrap().to_owned();
            let Some((status, answer)) = self.answer(&path, &body) else { return };
            let answer = answer.to_string();
            let length = answer.len();
            let head = format!("HTTP/1.1 {status} Status\r\nContent-Length: {length}\r\n\r\n");
            if (&stream).write_all(format!("{head}{answer}").as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, path: &str, body: &[u8]) -> Answer {
        let id = self.keyset.id().to_string();
        match path {
            "/v1/info" => Some((200, self.info())),
            "/v1/keysets" => Some((200, json!({ "keysets": [self.keyset_entry(&id)] }))),
            "/v1/mint/quote/bank" => Some((200, self.quote(body))),
            "/v1/mint/bank" => Some((200, self.issue(body))),
            "/v1/swap" => self.swap(body),
            _ if path == format!("/v1/keys/{id}") => {
                let mut entry = self.keyset_entry(&id);
                entry["keys"] = self.keys();
                Some((200, json!({ "keysets": [entry] })))
            }
            _ => {
                let number = path.strip_prefix("/v1/mint/quote/bank/")?.parse().unwrap();
                Some((200, self.quote_entry(number)))
            }
        }
    }

    fn info(&self) -> Value {
        let method = |name: &str| json!({ "method": name, "unit": "usd", "max_amount": 100 });
        let mut info = json!({
            "version": "fake/1",
            "nuts": { "4": { "methods": [method("bolt11"), method("bank")], "disabled": false } },
        });
        if self.fault != Fault::NoRepeats {
            info["nuts"]["19"] = json!({ "ttl": 60, "cached_endpoints": [{ "method": "POST", "path": "/v1/swap" }] });
        }
        info
    }

    fn keyset_entry(&self, id: &str) -> Value {
        let fee = self.keyset.spec().input_fee_ppk;
        json!({ "id": id, "unit": "usd", "active": true, "input_fee_ppk": fee })
    }

    fn keys(&self) -> Value {
        let mut keys: HashMap<u64, PointBytes> =
            self.keyset.public_keys().map(|(amount, key)| (amount, key.into())).collect();
        if self.fault == Fault::FalseKeysetId {
            keys.insert(1, keys[&2]);
        }
        to_json(&keys)
    }

    fn quote(&self, body: &[u8]) -> Value {
        let request: message::MintQuoteRequest = serde_json::from_slice(body).unwrap();
        let amount = request.amount.unwrap();
        assert!(amount <= 100, "the limit of the mint is kept");
        let mut memory = self.memory.lock().unwrap();
        memory.quotes.push(amount);
        let number = memory.quotes.len() - 1;
        drop(memory);
        self.quote_entry(number)
    }

    fn quote_entry(&self, number: usize) -> Value {
        let amount = self.memory.lock().unwrap().quotes[number];
        let state = if self.fault == Fault::NeverPays { "UNPAID" } else { "PAID" };
        let quote = number.to_string();
        json!({ "quote": quote, "request": "", "amount": amount, "unit": "usd", "state": state, "expiry": null })
    }

    fn issue(&self, body: &[u8]) -> Value {
        let request: message::MintRequest = serde_json::from_slice(body).unwrap();
        let request = MintRequest::try_from(request).unwrap();
        let number: usize = request.quote.parse().unwrap();
        let asked: u64 = request.outputs.as_slice().iter().map(|output| output.amount).sum();
        let paid = std::mem::take(&mut self.memory.lock().unwrap().quotes[number]);
        assert_eq!(asked, paid, "a quote is minted whole, and once");
        let outputs = request.outputs.as_slice().iter();
        let signatures = outputs.map(|output| sign(output, &self.keyset).unwrap());
        let is_false = self.fault == Fault::FalseDleqInIssues;
        to_json(&SignaturesResponse::from(
            signatures.map(|s| falsify_if(is_false, s)).collect::<Vec<_>>(),
        ))
    }

    fn swap(&self, body: &[u8]) -> Answer {
        let mut memory = self.memory.lock().unwrap();
        memory.swaps += 1;
        if self.fault == Fault::EveryTenthSwapFails {
            // Of the forty that are timed; what is sent afterwards is served.
            match memory.swaps {
                10 => return None,
                20 => return Some((503, json!({ "detail": "busy" }))),
                30 => return Some((200, json!({ "signatures": [] }))),
                40 => return Some((200, json!({ "neither": "fish nor fowl" }))),
                _ => {}
            }
        }
        if let Some(answer) = self.repeat(&memory, body) {
            return Some((200, answer));
        }
        let request: message::SwapRequest = serde_json::from_slice(body).unwrap();
        let request = SwapRequest::try_from(request).unwrap();
        let inputs: Vec<_> = request
            .inputs
            .as_slice()
            .iter()
            .map(|proof| verify(proof, &self.keyset).expect("the load generator sends true proofs"))
            .collect();
        let outputs = request.outputs.as_slice();
        let paid: u64 = inputs.iter().map(|proof| proof.amount()).sum();
        let asked: u64 = outputs.iter().map(|output| output.amount).sum();
        let fee = (u64::try_from(inputs.len()).unwrap() * self.keyset.spec().input_fee_ppk)
            .div_ceil(1000);
        assert_eq!(paid, asked + fee, "the load generator pays the fee to the unit");
        let unspent = inputs.iter().all(|proof| !memory.spent.contains(&proof.y()));
        if !unspent && self.fault == Fault::FailsOnDoubleSpends {
            return Some((500, json!({ "detail": "internal" })));
        }
        if !unspent && self.fault != Fault::SignsDoubleSpends {
            return Some((400, json!({ "detail": "already spent", "code": 11001 })));
        }
        memory.spent.extend(inputs.iter().map(|proof| proof.y()));
        let signatures: Vec<_> = outputs.iter().map(|output| self.sign_in_swap(output)).collect();
        let answer = to_json(&SignaturesResponse::from(signatures));
        memory.answered.insert(body.to_vec(), answer.clone());
        Some((200, answer))
    }

    fn repeat(&self, memory: &Memory, body: &[u8]) -> Option<Value> {
        let mut answer = memory.answered.get(body)?.clone();
        if matches!(self.fault, Fault::NoRepeats | Fault::BreaksPromiseOfRepeats) {
            return None;
        }
        if self.fault == Fault::RepeatsDiffer {
            answer["signatures"].as_array_mut().unwrap().reverse();
        }
        Some(answer)
    }

    fn sign_in_swap(&self, output: &tacit_ecash::proof::BlindedMessage) -> BlindSignature {
        if self.fault == Fault::OtherKeyInSwaps {
            let mut larger = *output;
            larger.amount *= 2;
            return BlindSignature {
                amount: output.amount,
                ..sign(&larger, &self.keyset).unwrap()
            };
        }
        falsify_if(self.fault == Fault::FalseDleqInSwaps, sign(output, &self.keyset).unwrap())
    }
}

fn falsify_if(is_false: bool, mut signature: BlindSignature) -> BlindSignature {
    if is_false {
        signature.dleq.s[31] ^= 1;
    }
    signature
}

fn to_json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// The request line and the body, or nothing at the end of the connection.
fn read_request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut length = 0;
    loop {
        let mut field = String::new();
        reader.read_line(&mut field).ok()?;
        if field == "\r\n" {
            break;
        }
        if let Some(value) = field.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((line, body))
}
