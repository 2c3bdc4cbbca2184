//! A state as rows, each of which changes by itself: keysets, their proofs, operations, tokens, and whatever else the
//! wallet comes to keep. What a row is called says where in the state's JSON its content stands.

use std::collections::BTreeMap;

use crate::state::State;
use serde_json::{Map, Value};

/// Paths with their contents, as JSON.
pub type Rows = BTreeMap<String, Value>;

/// Separates the steps of a path; no key of a state holds it.
const STEP: char = '\u{1f}';

/// The rows of a state.
pub fn split(state: &State) -> Rows {
    let value = serde_json::to_value(state).expect("a state has text keys and no failing field");
    let mut rows = Rows::new();
    let Value::Object(fields) = value else { unreachable!("a state is a struct") };
    for (field, value) in fields {
        let Value::Object(entries) = value else {
            rows.insert(field, value);
            continue;
        };
        for (key, mut entry) in entries {
            // Proofs are many and change one by one; the keyset around them hardly ever does.
            if let Some(Value::Object(proofs)) = entry.get_mut("proofs") {
                for (counter, proof) in std::mem::take(proofs) {
                    let path = format!("{field}{STEP}{key}{STEP}proofs{STEP}{counter}");
                    rows.insert(path, proof);
                }
            }
            rows.insert(format!("{field}{STEP}{key}"), entry);
        }
        // So that a map without entries is not forgotten.
        rows.insert(field, Value::Object(Map::new()));
    }
    rows
}

/// The state of rows; `None` if they are not those of one.
pub fn join(rows: &Rows) -> Option<State> {
    let mut root = Map::new();
    // In the order of their paths, so that what holds others comes before them.
    for (path, value) in rows {
        let mut steps: Vec<&str> = path.split(STEP).collect();
        let last = steps.pop()?;
        let mut at = &mut root;
        for step in steps {
            at = at.get_mut(step)?.as_object_mut()?;
        }
        at.insert(last.to_owned(), value.clone());
    }
    serde_json::from_value(Value::Object(root)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Batch;
    use serde_json::json;

    /// A state of each kind of entry.
    fn state() -> State {
        let (keyset, point) = (format!("01{}", "02".repeat(32)), format!("02{}", "11".repeat(32)));
        let (other, zeros) = (format!("01{}", "03".repeat(32)), "00".repeat(32));
        let proof = |status| {
            json!({
                "amount": 8, "signature": point, "dleq": {"e": zeros, "s": zeros}, "status": status
            })
        };
        let pinned = json!({
            "mint": "https://mint.example/usd", "unit": "usd", "input_fee_ppk": 100, "final_expiry": null,
            "keys": {"1": point, "9223372036854775808": point}
        });
        let mut value = serde_json::to_value(State::default()).unwrap();
        value["keysets"] = json!({
            keyset.clone(): {"pinned": pinned, "is_active": true, "counter": 12,
                     "proofs": {"3": proof(json!("Unspent")), "11": proof(json!("Spent"))}},
            other: {"pinned": pinned, "is_active": false, "counter": 0, "proofs": {}},
        });
        value["tokens"] = json!({"2": {
            "mint": "https://mint.example/usd", "unit": "usd", "memo": "\u{1f}odd", "proofs": [{"keyset": keyset, "counter": 3}]
        }});
        value["next_operation"] = json!(3);
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn rows_give_the_state_back() {
        for state in [State::default(), state()] {
            assert_eq!(join(&split(&state)), Some(state));
        }
    }

    #[test]
    fn each_proof_and_token_is_a_row_of_its_own() {
        let (empty, full) = (split(&State::default()), split(&state()));
        let added = full.keys().filter(|path| !empty.contains_key(*path));
        assert_eq!(added.count(), 2 + 2 + 1, "two keysets, two proofs, a token");
    }

    #[test]
    fn a_change_of_one_thing_changes_few_rows() {
        let (before, mut after) = (state(), state());
        let change = json!({"changes": [{"RemoveToken": {"id": 2}}]});
        after.apply(&serde_json::from_value::<Batch>(change).unwrap()).unwrap();
        let (before, after) = (split(&before), split(&after));
        assert_eq!(
            before.iter().filter(|(path, value)| after.get(*path) != Some(value)).count(),
            1
        );
        assert!(after.keys().all(|path| before.contains_key(path)));
    }
}
