//! Requests that no wallet makes: honest ones with bits, bytes, fields, lengths and JSON changed, cut off, spliced, or thrown together.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hyper::Method;
use rand_08::seq::SliceRandom as _;
use rand_08::{Rng as _, RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use serde_json::{Map, Value, json};

use super::honest::{Honest, Question, Shape, Town};

/// A request that must change nothing.
pub(crate) struct Hostile {
    pub(crate) method: Method,
    pub(crate) host: &'static str,
    pub(crate) path: String,
    pub(crate) bearer: Option<String>,
    pub(crate) body: Vec<u8>,
    /// How it was made.
    pub(crate) kind: &'static str,
}

impl fmt::Debug for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, host, path, bearer, body, kind } = self;
        let body = String::from_utf8_lossy(body);
        write!(f, "{kind}, {method} {path} at {host}, bearer {bearer:?}, body {body}")
    }
}

/// Bytes before the terms of a passport's request.
const HEAD: usize = 68;
/// The generator of the group, and its order.
const GENERATOR: [u8; 32] = [
    0xe2, 0xf2, 0xae, 0x0a, 0x6a, 0xbc, 0x4e, 0x71, 0xa8, 0x84, 0xa9, 0x61, 0xc5, 0x00, 0x51, 0x5f,
    0x58, 0xe3, 0x0b, 0x6a, 0xa5, 0x82, 0xdd, 0x8d, 0xb6, 0xa6, 0x59, 0x45, 0xe0, 0x8d, 0x2d, 0x76,
];
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
/// Ends of the range of lengths, as postcard writes them.
const LENGTHS: [&[u8]; 5] = [
    &[0],
    &[1],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
];
/// Parts of paths and queries.
const ODD: [&str; 15] = [
    "",
    "%00",
    "%ff%fe",
    "..%2f..",
    "%2e%2e",
    "0",
    "-1",
    "65535",
    "65536",
    "4095",
    "4094",
    "18446744073709551616",
    "2199-13",
    "1e9",
    "%F0%9F%92%A3",
];

/// Makes requests, all from a seed.
pub(crate) struct Mutator<'a> {
    town: &'a Town,
    random: ChaCha20Rng,
}

impl<'a> Mutator<'a> {
    /// For the so-manieth request of a seed.
    pub(crate) fn new(town: &'a Town, seed: u64, number: u64) -> Self {
        let mut random = ChaCha20Rng::seed_from_u64(seed);
        random.set_stream(number);
        Self { town, random }
    }

    /// A request that is not like any honest one where it goes.
    pub(crate) fn hostile(&mut self) -> Hostile {
        if self.chance(8) {
            return self.question();
        }
        loop {
            let honest = self.town.honest.choose(&mut self.random).expect("there are some");
            let hostile = self.change(honest);
            let is_other_bearer = hostile.bearer != honest.bearer;
            let is_elsewhere = hostile.path != honest.path || hostile.method != Method::POST;
            if is_other_bearer || is_elsewhere || !honest.is_alike(&hostile.body, &self.town.honest)
            {
                return hostile;
            }
        }
    }

    /// One time in so many.
    fn chance(&mut self, of: u32) -> bool {
        self.random.gen_ratio(1, of)
    }

    fn below(&mut self, end: usize) -> usize {
        self.random.gen_range(0..end.max(1))
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.random.fill_bytes(&mut bytes);
        bytes
    }

    fn change(&mut self, honest: &Honest) -> Hostile {
        let mut hostile = Hostile {
            method: Method::POST,
            host: honest.host,
            path: honest.path.clone(),
            bearer: honest.bearer.clone(),
            body: honest.body.to_string().into_bytes(),
            kind: "as it was",
        };
        match self.below(20) {
            0..12 => {
                let (request, kind) = self.request(honest);
                (hostile.body, hostile.kind) = (with_request(honest, &request), kind);
            }
            12..16 => (hostile.body, hostile.kind) = self.json(honest),
            16..18 => (hostile.body, hostile.kind) = self.body(&hostile.body),
            18 => {
                // Whatever the path comes to mean, its request is not one that holds.
                let (request, _) = self.request(honest);
                hostile.body = with_request(honest, &request);
                hostile.path = self.path(&honest.path);
                hostile.kind = "path";
            }
            _ => self.head(&mut hostile),
        }
        hostile
    }

    /// Changes method or bearer.
    fn head(&mut self, hostile: &mut Hostile) {
        let Some(bearer) = hostile.bearer.clone().filter(|_| !self.chance(3)) else {
            let methods = [Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE];
            hostile.method = methods.choose(&mut self.random).expect("some").clone();
            hostile.kind = "method";
            return;
        };
        hostile.bearer = self.bearer(&bearer);
        hostile.kind = "bearer";
    }

    fn bearer(&mut self, bearer: &str) -> Option<String> {
        match self.below(5) {
            0 => None,
            1 => Some(String::new()),
            2 => Some("\u{fc}".repeat(9)),
            3 => Some(bearer[1..].to_owned()),
            _ => {
                // A digit, but not the one that stands there.
                let at = self.below(bearer.len());
                let other = if bearer.as_bytes()[at] == b'0' { "1" } else { "0" };
                Some([&bearer[..at], other, &bearer[at + 1..]].concat())
            }
        }
    }

    /// Another request's bytes, or this one's changed.
    fn request(&mut self, honest: &Honest) -> (Vec<u8>, &'static str) {
        let mut bytes = honest.request.clone();
        let length = bytes.len();
        let kind = match self.below(13) {
            0 | 1 => self.flip(&mut bytes, 0..length),
            2 => self.flip(&mut bytes, 0..HEAD + 34),
            3 => {
                bytes.truncate(self.below(length));
                "cut off"
            }
            4 => {
                let more = self.below(64) + 1;
                let more = self.bytes(more);
                bytes.extend(more);
                "trailing bytes"
            }
            5 => {
                let other = self.any_request();
                let (at, from) = (self.below(length), self.below(other.len()));
                bytes.truncate(at);
                bytes.extend(&other[from..]);
                "spliced"
            }
            6 => {
                // Of the same length: what one protocol's reader takes, with parts of another request.
                let other = self.any_request();
                let at = self.below(length.min(other.len()));
                let count = length.min(other.len()) - at;
                bytes[at..at + count].copy_from_slice(&other[at..at + count]);
                "spliced in place"
            }
            7..10 => self.field(&mut bytes),
            10 => self.length(&mut bytes),
            11 => {
                let random = self.bytes(length - HEAD);
                bytes[HEAD..].copy_from_slice(&random);
                "random behind the head"
            }
            _ => return (self.any_request(), "another kind of request"),
        };
        (bytes, kind)
    }

    /// The bytes of some request, also of those that no path takes.
    fn any_request(&mut self) -> Vec<u8> {
        let all = self.town.honest.iter().map(|honest| &honest.request);
        let all: Vec<&Vec<u8>> = all.chain(&self.town.homeless).collect();
        (*all.choose(&mut self.random).expect("there are some")).clone()
    }

    fn flip(&mut self, bytes: &mut [u8], within: std::ops::Range<usize>) -> &'static str {
        for _ in 0..self.random.gen_range(1..9) {
            let at = self.random.gen_range(within.clone());
            bytes[at] ^= 1 << self.below(8);
        }
        "bits"
    }

    /// Puts something that a reader may stumble over where a point, a number or a serial stands.
    fn field(&mut self, bytes: &mut [u8]) -> &'static str {
        let fields = (bytes.len() - HEAD) / 32;
        // Terms are 2 to 73 bytes long; fields follow each other without a gap behind them.
        let start = HEAD + [0, 2, 32, 34, 73][self.below(5)];
        let at = (start + 32 * self.below(fields)).min(bytes.len() - 32);
        let from = (start + 32 * self.below(fields)).min(bytes.len() - 32);
        let mut field: [u8; 32] = bytes[from..from + 32].try_into().expect("32 bytes");
        let kind = match self.below(6) {
            0 => {
                field = [0; 32];
                "a neutral point"
            }
            1 => {
                field = GENERATOR;
                "the generator"
            }
            2 => {
                field = ORDER;
                "the group's order"
            }
            3 => {
                field = [0xff; 32];
                "ones"
            }
            4 => {
                field = [0; 32];
                field[0] = 1;
                "one"
            }
            _ => "another field",
        };
        bytes[at..at + 32].copy_from_slice(&field);
        kind
    }

    /// Edits a length: the one that says how far it is to the end, where there is one.
    fn length(&mut self, bytes: &mut Vec<u8>) -> &'static str {
        let to_the_end = |at: usize| {
            let [low, high, ..] = bytes[at..] else { return false };
            let told = usize::from(low & 0x7f) | usize::from(high) << 7;
            0x80 <= low && high < 0x80 && told == bytes.len() - at - 2
        };
        let found: Vec<usize> = (HEAD..bytes.len()).filter(|at| to_the_end(*at)).collect();
        let at = found.choose(&mut self.random).copied();
        let at =
            at.filter(|_| !self.chance(4)).unwrap_or_else(|| HEAD + self.below(bytes.len() - HEAD));
        let new = LENGTHS[self.below(LENGTHS.len())];
        let end = bytes.len();
        if self.chance(2) {
            // In the place of what stands there: the whole stays as long as it was.
            let count = new.len().min(end - at);
            bytes[at..at + count].copy_from_slice(&new[..count]);
        } else {
            bytes.splice(at..(at + 2).min(end), new.iter().copied());
        }
        "lengths"
    }

    /// Another JSON, mostly well formed.
    fn json(&mut self, honest: &Honest) -> (Vec<u8>, &'static str) {
        let mut body = honest.body.clone();
        let text = body.to_string();
        let kind = match self.below(8) {
            0 => {
                let name = self.field_name(honest);
                let twice = format!("{{\"{name}\":\"AAAA\",{}", &text[1..]);
                return (twice.into_bytes(), "a field twice");
            }
            1 => {
                let deep = "[".repeat(self.below(5000) + 1);
                return (deep.into_bytes(), "deep");
            }
            2 => {
                let object = self.object(&mut body);
                object.insert("more".to_owned(), json!(1));
                "one field more"
            }
            3 | 4 => {
                let junk = self.junk();
                let name = self.field_name(honest);
                body[&name] = junk;
                "another type"
            }
            5 if honest.shape == Shape::Pay => {
                self.bend_proofs(&mut body);
                "proofs"
            }
            5 | 6 => {
                let name = self.field_name(honest);
                self.object(&mut body).remove(&name);
                "a field less"
            }
            _ => {
                self.bend_text(&mut body);
                "base64"
            }
        };
        (body.to_string().into_bytes(), kind)
    }

    /// The body's object, or one within.
    fn object<'b>(&mut self, body: &'b mut Value) -> &'b mut Map<String, Value> {
        let is_within = body["receipt"].is_object() && self.random.gen_ratio(1, 2);
        let found = if is_within { &mut body["receipt"] } else { body };
        found.as_object_mut().expect("bodies are objects")
    }

    fn field_name(&mut self, honest: &Honest) -> String {
        let names: Vec<&String> = honest.body.as_object().expect("an object").keys().collect();
        (*names.choose(&mut self.random).expect("there are fields")).clone()
    }

    fn junk(&mut self) -> Value {
        let long = "A".repeat(self.below(200_000));
        let all = [
            json!(null),
            json!(-1),
            json!(1e300),
            json!(u64::MAX),
            json!(true),
            json!(""),
            json!("****"),
            json!("\u{0}\u{fffd}"),
            json!([]),
            json!([[[]]]),
            json!({}),
            json!([1, 2, 3]),
            json!({"request": {"request": {}}}),
            json!(long),
        ];
        all.choose(&mut self.random).expect("there are some").clone()
    }

    /// Base64url that is none, or other bytes.
    fn bend_text(&mut self, body: &mut Value) {
        let place = if body["receipt"].is_object() { "/receipt/request" } else { "/request" };
        let Some(Value::String(text)) = body.pointer_mut(place) else { return };
        let at = self.below(text.len());
        let odd = ["+", "/", "=", " ", "\n", "\u{e9}", "\"", "A", "_", ""][self.below(10)];
        text.replace_range(at..=at, odd);
    }

    fn bend_proofs(&mut self, body: &mut Value) {
        let proofs = body["proofs"].as_array_mut().expect("proofs");
        let at = self.random.gen_range(0..proofs.len());
        match self.random.gen_range(0..5) {
            0 => drop(proofs.remove(at)),
            1 => proofs.push(proofs[at].clone()),
            2 => {
                let amounts = [json!(0), json!(-1), json!(3), json!(1_u64 << 63), json!(0.5)];
                proofs[at]["amount"] = amounts.choose(&mut self.random).expect("some").clone();
            }
            3 => {
                let points = ["02".repeat(33), "00".repeat(33), String::new(), "03".repeat(3000)];
                proofs[at]["C"] = json!(points.choose(&mut self.random));
            }
            _ => {
                let ids = ["00ad268c4d1f5826", "", "zz", "01", "\u{0}"];
                proofs[at]["id"] = json!(ids.choose(&mut self.random));
            }
        }
    }

    /// A body that was JSON.
    fn body(&mut self, body: &[u8]) -> (Vec<u8>, &'static str) {
        let mut body = body.to_vec();
        let length = body.len();
        match self.below(5) {
            0 => {
                self.flip(&mut body, 0..length);
                (body, "the body's bits")
            }
            1 => {
                body.truncate(self.below(length));
                (body, "the body cut off")
            }
            2 => {
                let more = self.below(99) + 1;
                body.extend(self.bytes(more));
                (body, "behind the body")
            }
            3 => {
                let other = self.town.honest.choose(&mut self.random).expect("some");
                let other = other.body.to_string().into_bytes();
                let (at, from) = (self.below(length), self.below(other.len()));
                body.truncate(at);
                body.extend(&other[from..]);
                (body, "bodies spliced")
            }
            _ => {
                let length = self.below(40_000);
                (self.bytes(length), "garbage")
            }
        }
    }

    /// Another value in one part of a path, or its query.
    fn path(&mut self, path: &str) -> String {
        let (path, query) =
            path.split_once('?').map_or((path, None), |(path, it)| (path, Some(it)));
        let odd = ODD[self.below(ODD.len())];
        if let Some(query) = query.filter(|_| !self.chance(4)) {
            let (name, value) = query.split_once('=').expect("a name");
            let at = self.below(value.len());
            return match self.below(5) {
                0 => format!("{path}?{name}={odd}"),
                1 => format!("{path}?{query}&{name}={value}"),
                2 => format!("{path}?{name}[]={value}"),
                3 => format!("{path}?{name}={}", value.repeat(40)),
                _ => format!("{path}?{name}={}{odd}{}", &value[..at], &value[at..]),
            };
        }
        // Not the first parts: what stands under other paths is not what is tried here.
        let mut parts: Vec<&str> = path.split('/').collect();
        let from = parts.len().min(4) - 1;
        let at = from + self.below(parts.len() - from);
        parts[at] = odd;
        parts.join("/")
    }

    fn question(&mut self) -> Hostile {
        let question = self.town.questions.choose(&mut self.random).expect("there are some");
        let Question { host, path, bearer } = question.clone();
        let (mut path, mut bearer) = (path, bearer);
        match bearer.clone().filter(|_| self.chance(2)) {
            Some(shown) => bearer = self.bearer(&shown),
            None => path = self.path(&path),
        }
        Hostile { method: Method::GET, host, path, bearer, body: Vec::new(), kind: "question" }
    }
}

/// An honest body with another passport's request in it.
fn with_request(honest: &Honest, request: &[u8]) -> Vec<u8> {
    let mut body = honest.body.clone();
    let text = json!(BASE64_URL_SAFE_NO_PAD.encode(request));
    match honest.shape {
        Shape::Pay => body["receipt"]["request"] = text,
        Shape::Ask | Shape::Enrol | Shape::Certify => body["request"] = text,
    }
    body.to_string().into_bytes()
}
