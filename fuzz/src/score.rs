//! Parsers of scorecards and of what they are made of; `crates/credit/tests/fuzz.rs` includes this file and runs them on stable.

use tacit_credit::scorecard::definition::{Definition, Preset};
use tacit_credit::scorecard::sample::Sample;
use tacit_credit::scorecard::signed::{CardPublicKey, SignedCard};

/// A target: bytes in, whether they were read out.
pub type Target = fn(&[u8]) -> bool;

/// All targets by name; each has its file in `fuzz_targets/` and its folder in `seeds/`.
pub const TARGETS: &[(&str, Target)] = &[
    ("counters_file", counters_file),
    ("people_table", people_table),
    ("scorecard_file", scorecard_file),
];

/// A signed card. One that is read is the file itself, names the key it gives, and explains any values that fit.
pub fn scorecard_file(data: &[u8]) -> bool {
    let Ok(signed) = SignedCard::read(data) else { return false };
    assert_eq!(signed.as_bytes(), data);
    assert_eq!(CardPublicKey::new(&signed.key().to_string()), Ok(signed.key()));
    let counters = || signed.card().counters().iter();
    for share in 0..=4 {
        let values = counters().map(|c| (c.name().as_str(), c.most() / 4 * share));
        let explanation = signed.card().read(values).expect("no value is too large").explain();
        assert_eq!(explanation.parts.len(), counters().count());
    }
    true
}

/// A counters file. One that is read has values, or says why not, for rows of small, of large and of no numbers.
pub fn counters_file(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let Ok(definition) = Definition::new(text) else { return false };
    for number in [0, 1, -7, i64::MAX, i64::MIN] {
        let row = vec![number; definition.inputs.len()];
        for counter in &definition.counters {
            _ = counter.formula.value(&row);
        }
    }
    true
}

/// A table of people for the passport's counters. One that is read has a value of each counter for each row, in bounds.
pub fn people_table(data: &[u8]) -> bool {
    let definition = Definition::new(Preset::Passport.text()).expect("it is shipped");
    let Ok(sample) = Sample::read(data, &definition, &["SEX".to_owned()]) else { return false };
    for (counter, values) in definition.counters.iter().zip(&sample.counters) {
        assert_eq!(values.len(), sample.bad.len());
        assert!(values.iter().all(|value| *value <= counter.most));
    }
    true
}
