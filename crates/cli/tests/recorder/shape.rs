//! Whether events of one kind look alike, whatever the passport says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::Recording;
use crate::event::{Kind, Leaf, leaves};
use crate::tape::Exchange;

/// Events of which all are of one length, to the byte.
const ALIKE: [Kind; 6] =
    [Kind::Tick, Kind::Blank, Kind::Quiet, Kind::Enrol, Kind::Income, Kind::Certify];
/// Events of which all have the same fields.
const SAME_FIELDS: [Kind; 5] = [Kind::Place, Kind::Info, Kind::Terms, Kind::Earned, Kind::Issuer];
/// What the public statement of a certificate makes longer or shorter.
const STATED: &str = "certify tell.certificates";

/// What does not look alike, in words; nothing if all is well.
pub(crate) fn unlike(recording: &Recording) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let of_kind = |kind: Kind| {
        recording.exchanges.iter().filter(move |it| it.is_ok() && Kind::of(it) == kind)
    };
    for kind in ALIKE {
        let shapes: BTreeSet<_> = of_kind(kind).map(|it| shape(it, kind)).collect();
        differing(kind.name(), shapes, &mut found);
    }
    for kind in SAME_FIELDS {
        let fields = |it: &Exchange| -> BTreeSet<String> {
            leaves(it).iter().map(|leaf| format!("{} {}", leaf.place, sort(&leaf.value))).collect()
        };
        let shapes: BTreeSet<_> =
            of_kind(kind).map(|it| fields(it).into_iter().collect::<Vec<_>>()).collect();
        differing(kind.name(), shapes, &mut found);
    }
    let mut receipts: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for kind in [Kind::Blank, Kind::Quiet, Kind::Pay] {
        for leaf in of_kind(kind).flat_map(leaves) {
            let (kind, field) = leaf.place.split_once(' ').unwrap_or_default();
            let field = field.replace("receipt.", "");
            for of in ["ask.request", "ask.sealed", "tell.reply"] {
                // Of a blank nothing is kept, so there is nothing to seal.
                if field == of && !(kind == "blank" && of == "ask.sealed") {
                    let length = leaf.value.as_str().map_or(0, str::len);
                    receipts.entry(of).or_default().insert(length);
                }
            }
        }
    }
    for (field, lengths) in receipts {
        if lengths.len() != 1 {
            found.insert(format!("receipts differ by {field}: {lengths:?}"));
        }
    }
    found
}

fn differing(kind: &str, shapes: BTreeSet<Vec<String>>, found: &mut BTreeSet<String>) {
    if shapes.is_empty() {
        found.insert(format!("there was no {kind}"));
    }
    let mut shapes = shapes.into_iter();
    let Some(first) = shapes.next() else { return };
    for other in shapes {
        let differs = first.iter().zip(&other).find(|(one, other)| one != other);
        found.insert(format!("one {kind} is unlike another: {differs:?}"));
    }
}

/// All lengths of an exchange.
fn shape(exchange: &Exchange, kind: Kind) -> Vec<String> {
    let leaf = |leaf: &Leaf| {
        let length = match &leaf.value {
            Value::String(text) if !leaf.place.starts_with(STATED) => text.len(),
            Value::String(_) | Value::Null | Value::Bool(_) => 0,
            Value::Number(_) | Value::Array(_) | Value::Object(_) => 0,
        };
        format!("{} {} of {length}", leaf.place, sort(&leaf.value))
    };
    let is_claim = |leaf: &Leaf| leaf.place.starts_with(STATED);
    let mut shape: Vec<String> =
        leaves(exchange).iter().filter(|leaf| !is_claim(leaf)).map(leaf).collect();
    shape.push(format!("asked with {}", exchange.asked.body.len()));
    if kind != Kind::Certify {
        shape.push(format!("told with {}", exchange.told.body.len()));
    }
    shape
}

const fn sort(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) | Value::Object(_) => "parts",
    }
}
