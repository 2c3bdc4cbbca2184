//! Version A: CBOR with keys of few letters (NUT-18, "Payment Request").

use serde::{Deserialize, Serialize};

use super::lock_option::{LockKind, LockOption};
use super::{Method, NotWritable, PaymentRequest, PaymentRequestError, Transport, TransportKind};

/// In the order of the specification. Wallets also write fields as `null` or `undefined`.
#[derive(Serialize, Deserialize)]
struct RequestA {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    i: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    s: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    m: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mp: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sm: Option<Vec<MethodA>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<Vec<TransportA>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nut10: Option<LockA>,
}

#[derive(Serialize, Deserialize)]
struct MethodA {
    mn: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mf: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct TransportA {
    t: String,
    a: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    g: Option<Vec<Vec<String>>>,
}

#[derive(Serialize, Deserialize)]
struct LockA {
    k: String,
    d: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<Vec<Vec<String>>>,
}

pub(super) fn read(mut cbor: &[u8]) -> Result<PaymentRequest, PaymentRequestError> {
    let read: RequestA = ciborium::from_reader(&mut cbor).map_err(|_| PaymentRequestError::Form)?;
    if !cbor.is_empty() {
        return Err(PaymentRequestError::Form);
    }
    let method = |MethodA { mn: name, mf: fee }| Method { name, fee };
    let transport = |TransportA { t, a: target, g }| {
        let kind = match t.as_str() {
            "nostr" => TransportKind::Nostr,
            "post" => TransportKind::Post,
            _ => TransportKind::Named(t),
        };
        Transport { kind, target, tags: g.unwrap_or_default() }
    };
    let lock = |LockA { k, d: data, t }| {
        let kind = match k.as_str() {
            "P2PK" => LockKind::P2pk,
            "HTLC" => LockKind::Htlc,
            _ => LockKind::Named(k),
        };
        LockOption { kind, data, tags: t.unwrap_or_default() }
    };
    Ok(PaymentRequest {
        id: read.i,
        amount: read.a,
        unit: read.u,
        is_single_use: read.s,
        mints: read.m.unwrap_or_default(),
        is_any_mint_taken: read.mp,
        methods: read.sm.unwrap_or_default().into_iter().map(method).collect(),
        description: read.d,
        transports: read.t.unwrap_or_default().into_iter().map(transport).collect(),
        lock: read.nut10.map(lock),
    })
}

pub(super) fn write(request: &PaymentRequest) -> Result<Vec<u8>, NotWritable> {
    let method = |method: &Method| MethodA { mn: method.name.clone(), mf: method.fee };
    let transports = request.transports.iter().map(write_transport);
    let written = RequestA {
        i: request.id.clone(),
        a: request.amount,
        u: request.unit.clone(),
        s: request.is_single_use,
        m: some(request.mints.clone()),
        mp: request.is_any_mint_taken,
        sm: some(request.methods.iter().map(method).collect()),
        d: request.description.clone(),
        t: some(transports.collect::<Result<_, _>>()?),
        nut10: request.lock.as_ref().map(write_lock).transpose()?,
    };
    let mut cbor = Vec::new();
    ciborium::into_writer(&written, &mut cbor).expect("a vector takes everything");
    Ok(cbor)
}

fn write_transport(transport: &Transport) -> Result<TransportA, NotWritable> {
    let Transport { kind, target, tags } = transport;
    let t = match kind {
        TransportKind::Nostr => "nostr",
        TransportKind::Post => "post",
        TransportKind::Named(name) => name,
        TransportKind::Numbered(_) => return Err(NotWritable::Kind),
    };
    Ok(TransportA { t: t.to_owned(), a: target.clone(), g: some(tags.clone()) })
}

fn write_lock(lock: &LockOption) -> Result<LockA, NotWritable> {
    let k = lock.kind.name().ok_or(NotWritable::Kind)?;
    Ok(LockA { k: k.to_owned(), d: lock.data.clone(), t: some(lock.tags.clone()) })
}

/// An empty list is left out.
fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}
