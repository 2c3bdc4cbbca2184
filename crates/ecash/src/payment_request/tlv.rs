//! Version B: type, length, value (NUT-26, "TLV Structure").
//!
//! Unknown tags are passed over, as NUT-26 asks; an unknown kind of transport is kept, for a request without any
//! transport means something else.

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use tacit_core::hex;

use super::lock_option::{LockKind, LockOption};
use super::{
    Long, Method, NotWritable, PaymentRequest, PaymentRequestError, Transport, TransportKind,
};

/// Relays of a Nostr profile stand among the tags under this name.
const RELAY: &str = "r";

type Read<T> = Result<T, PaymentRequestError>;

/// Cuts bytes into fields of a tag, a length in `N` bytes, and a value.
struct Fields<'a, const N: usize>(&'a [u8]);

impl<'a, const N: usize> Fields<'a, N> {
    fn next(&mut self) -> Read<Option<(u8, &'a [u8])>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (tag, rest) = self.0.split_first().ok_or(PaymentRequestError::Form)?;
        let (length, rest) = rest.split_first_chunk::<N>().ok_or(PaymentRequestError::Form)?;
        let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let (value, rest) = rest.split_at_checked(length).ok_or(PaymentRequestError::Form)?;
        self.0 = rest;
        Ok(Some((*tag, value)))
    }
}

pub(super) fn read(bytes: &[u8]) -> Read<PaymentRequest> {
    let mut read = PaymentRequest::default();
    let mut fields = Fields::<2>(bytes);
    while let Some((tag, value)) = fields.next()? {
        match tag {
            1 => once(&mut read.id, text(value)?)?,
            2 => once(&mut read.amount, number(value)?)?,
            3 if value == [0] => once(&mut read.unit, "sat".to_owned())?,
            3 => once(&mut read.unit, text(value)?)?,
            4 => once(&mut read.is_single_use, flag(value)?)?,
            5 => read.mints.push(text(value)?),
            6 => once(&mut read.description, text(value)?)?,
            7 => read.transports.push(read_transport(value)?),
            8 => once(&mut read.lock, read_lock(value)?)?,
            9 => once(&mut read.is_any_mint_taken, flag(value)?)?,
            10 => read.methods.push(read_method(value)?),
            _ => {}
        }
    }
    Ok(read)
}

/// Kind, target or data, and tags: what transports and locks have in common.
type Parts<'a> = (u8, &'a [u8], Vec<Vec<String>>);

fn read_parts(bytes: &[u8]) -> Read<Parts<'_>> {
    let (mut kind, mut data, mut tags) = (None, None, Vec::new());
    let mut fields = Fields::<2>(bytes);
    while let Some((tag, value)) = fields.next()? {
        match (tag, value) {
            (1, [number]) => once(&mut kind, *number)?,
            (1, _) => return Err(PaymentRequestError::Form),
            (2, _) => once(&mut data, value)?,
            (3, _) => tags.push(read_tag(value)?),
            _ => {}
        }
    }
    Ok((kind.ok_or(PaymentRequestError::Form)?, data.ok_or(PaymentRequestError::Form)?, tags))
}

fn read_transport(bytes: &[u8]) -> Read<Transport> {
    let (kind, target, mut tags) = read_parts(bytes)?;
    match kind {
        0 => {
            let is_relay = |tag: &mut Vec<String>| tag.first().is_some_and(|name| name == RELAY);
            let relays: Vec<String> =
                tags.extract_if(.., is_relay).flat_map(|tag| tag.into_iter().skip(1)).collect();
            let key = target.try_into().map_err(|_| PaymentRequestError::Form)?;
            let target = write_profile(key, &relays);
            Ok(Transport { kind: TransportKind::Nostr, target, tags })
        }
        1 => Ok(Transport { kind: TransportKind::Post, target: text(target)?, tags }),
        _ => {
            let target = hex::encode(target);
            Ok(Transport { kind: TransportKind::Numbered(kind), target, tags })
        }
    }
}

fn read_lock(bytes: &[u8]) -> Read<LockOption> {
    let (kind, data, tags) = read_parts(bytes)?;
    let kind = match kind {
        0 => LockKind::P2pk,
        1 => LockKind::Htlc,
        _ => LockKind::Numbered(kind),
    };
    Ok(LockOption { kind, data: text(data)?, tags })
}

fn read_method(bytes: &[u8]) -> Read<Method> {
    let (mut name, mut fee) = (None, None);
    let mut fields = Fields::<2>(bytes);
    while let Some((tag, value)) = fields.next()? {
        match tag {
            1 => once(&mut name, text(value)?)?,
            2 => once(&mut fee, number(value)?)?,
            _ => {}
        }
    }
    Ok(Method { name: name.ok_or(PaymentRequestError::Form)?, fee })
}

/// NUT-26, "Tag Tuple Encoding".
fn read_tag(mut bytes: &[u8]) -> Read<Vec<String>> {
    let mut words = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let word = rest.split_at_checked(usize::from(*length)).ok_or(PaymentRequestError::Form)?;
        words.push(text(word.0)?);
        bytes = word.1;
    }
    if words.is_empty() { Err(PaymentRequestError::Form) } else { Ok(words) }
}

fn once<T>(place: &mut Option<T>, value: T) -> Read<()> {
    if place.replace(value).is_some() { Err(PaymentRequestError::Form) } else { Ok(()) }
}

fn text(value: &[u8]) -> Read<String> {
    String::from_utf8(value.to_vec()).map_err(|_| PaymentRequestError::Form)
}

fn number(value: &[u8]) -> Read<u64> {
    value.try_into().map(u64::from_be_bytes).map_err(|_| PaymentRequestError::Form)
}

fn flag(value: &[u8]) -> Read<bool> {
    match value {
        [0] => Ok(false),
        [1] => Ok(true),
        _ => Err(PaymentRequestError::Form),
    }
}

pub(super) fn write(request: &PaymentRequest) -> Result<Vec<u8>, NotWritable> {
    let mut bytes = Vec::new();
    let mut add = |tag: u8, value: &[u8]| add(&mut bytes, tag, value);
    if let Some(id) = &request.id {
        add(1, id.as_bytes())?;
    }
    if let Some(amount) = request.amount {
        add(2, &amount.to_be_bytes())?;
    }
    match request.unit.as_deref() {
        Some("sat") => add(3, &[0])?,
        Some(unit) => add(3, unit.as_bytes())?,
        None => {}
    }
    if let Some(is_single_use) = request.is_single_use {
        add(4, &[u8::from(is_single_use)])?;
    }
    for mint in &request.mints {
        add(5, mint.as_bytes())?;
    }
    if let Some(description) = &request.description {
        add(6, description.as_bytes())?;
    }
    for transport in &request.transports {
        add(7, &write_transport(transport)?)?;
    }
    if let Some(lock) = &request.lock {
        let kind = lock.kind.number().ok_or(NotWritable::Kind)?;
        add(8, &write_parts(kind, lock.data.as_bytes(), &lock.tags)?)?;
    }
    if let Some(is_any_mint_taken) = request.is_any_mint_taken {
        add(9, &[u8::from(is_any_mint_taken)])?;
    }
    for method in &request.methods {
        add(10, &write_method(method)?)?;
    }
    Ok(bytes)
}

fn write_transport(transport: &Transport) -> Result<Vec<u8>, NotWritable> {
    let Transport { kind, target, tags } = transport;
    match kind {
        TransportKind::Nostr => {
            let (key, relays) = read_profile(target).ok_or(NotWritable::Nostr)?;
            let relays = relays.into_iter().map(|relay| vec![RELAY.to_owned(), relay]);
            let tags: Vec<_> = tags.iter().cloned().chain(relays).collect();
            write_parts(0, &key, &tags)
        }
        TransportKind::Post => write_parts(1, target.as_bytes(), tags),
        TransportKind::Numbered(kind) => {
            let target = const_hex::decode(target).map_err(|_| NotWritable::Kind)?;
            write_parts(*kind, &target, tags)
        }
        TransportKind::Named(_) => Err(NotWritable::Kind),
    }
}

fn write_parts(kind: u8, data: &[u8], tags: &[Vec<String>]) -> Result<Vec<u8>, NotWritable> {
    let mut bytes = Vec::new();
    add(&mut bytes, 1, &[kind])?;
    add(&mut bytes, 2, data)?;
    for tag in tags {
        add(&mut bytes, 3, &write_tag(tag)?)?;
    }
    Ok(bytes)
}

fn write_method(method: &Method) -> Result<Vec<u8>, NotWritable> {
    let mut bytes = Vec::new();
    add(&mut bytes, 1, method.name.as_bytes())?;
    if let Some(fee) = method.fee {
        add(&mut bytes, 2, &fee.to_be_bytes())?;
    }
    Ok(bytes)
}

fn write_tag(words: &[String]) -> Result<Vec<u8>, NotWritable> {
    let mut bytes = Vec::new();
    for word in words {
        bytes.push(u8::try_from(word.len()).map_err(|_| NotWritable::TooLong)?);
        bytes.extend(word.as_bytes());
    }
    Ok(bytes)
}

fn add(bytes: &mut Vec<u8>, tag: u8, value: &[u8]) -> Result<(), NotWritable> {
    let length = u16::try_from(value.len()).map_err(|_| NotWritable::TooLong)?;
    bytes.push(tag);
    bytes.extend(length.to_be_bytes());
    bytes.extend(value);
    Ok(())
}

/// A Nostr profile as text: key and relays (NIP-19, `nprofile`).
fn write_profile(key: [u8; 32], relays: &[String]) -> String {
    let mut bytes = [&[0, 32], key.as_slice()].concat();
    for relay in relays {
        bytes.push(1);
        bytes.push(u8::try_from(relay.len()).expect("a word of a tag has at most 255 bytes"));
        bytes.extend(relay.as_bytes());
    }
    let hrp = Hrp::parse("nprofile").expect("eight letters are a prefix");
    bech32::encode::<Long<Bech32>>(hrp, &bytes).expect("a profile out of a request fits a text")
}

/// Key and relays of `nprofile1…`, or the key of `npub1…` (NIP-19).
fn read_profile(target: &str) -> Option<([u8; 32], Vec<String>)> {
    let read = CheckedHrpstring::new::<Long<Bech32>>(target).ok()?;
    let bytes: Vec<u8> = read.byte_iter().collect();
    match read.hrp().to_lowercase().as_str() {
        "npub" => Some((bytes.try_into().ok()?, Vec::new())),
        "nprofile" => {
            let (mut key, mut relays) = (None, Vec::new());
            let mut fields = Fields::<1>(&bytes);
            while let Some((tag, value)) = fields.next().ok()? {
                match tag {
                    0 => key = Some(value.try_into().ok()?),
                    1 => relays.push(text(value).ok()?),
                    _ => {}
                }
            }
            Some((key?, relays))
        }
        _ => None,
    }
}
