//! The `cashu` crate opens the same locks, except where a reason is named here and checked.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use cashu::SwapRequest as OracleSwap;
use cashu::nuts::nut10::SpendingConditionVerification;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use secp256k1::{PublicKey, SECP256K1, SecretKey};
use serde_json::json;
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_ecash::condition::witness::{sign_all, sign_input};
use tacit_ecash::condition::{Preimage, Spend, unlock};
use tacit_ecash::message;
use tacit_ecash::point::PointBytes;
use tacit_ecash::proof::{BlindedMessage, Proof};

/// The oracle reads the clock of the machine. Locktimes are 1 or the year 2100, so that ours does not matter.
const NOW: Timestamp = Timestamp::from_seconds(1_795_305_600);
const PAST: &str = "1";
const FUTURE: &str = "4102444800";

/// Why the oracle and we may differ: each is a rule of NUT-11 or NUT-14 that one of us keeps and the other does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Reasons {
    /// We refuse: a tag that NUT-11 knows stands twice; cdk takes the first.
    repeated_tag: bool,
    /// We refuse: keys are repeated in the refund pathway before the locktime; cdk looks at them after it.
    repeated_refund_key: bool,
    /// We refuse: more signatures than keys; cdk sees it only when it counts them.
    impossible_count: bool,
    /// We open: a locktime that is no time locks for ever; cdk takes the whole lock for malformed.
    no_time: bool,
    /// We open: one key signed twice and counts once; cdk refuses.
    signed_twice: bool,
    /// We open: an HTLC by its refund keys though a good preimage came along; cdk then wants the receivers.
    preimage_with_refund: bool,
    /// We open: a signature that is no hexadecimal is left out; cdk refuses the witness.
    odd_signature: bool,
}

impl Reasons {
    fn we_may_refuse(self) -> bool {
        self.repeated_tag || self.repeated_refund_key || self.impossible_count
    }

    fn we_may_open(self) -> bool {
        self.no_time || self.signed_twice || self.preimage_with_refund || self.odd_signature
    }
}

/// One of four keys as it is spelled in a lock.
#[derive(Clone, Copy, Debug)]
struct Spelling {
    key: u8,
    odd: bool,
    upper: bool,
}

impl Spelling {
    fn text(self) -> String {
        let text = PointBytes::from(public(self.key)).to_string();
        let text = format!("{}{}", if self.odd { "03" } else { "02" }, &text[2..]);
        if self.upper { text.to_uppercase() } else { text }
    }
}

fn secret_key(number: u8) -> SecretKey {
    SecretKey::from_byte_array([number + 1; 32]).unwrap()
}

fn public(number: u8) -> PublicKey {
    PublicKey::from_secret_key(SECP256K1, &secret_key(number))
}

#[derive(Clone, Debug)]
struct Case {
    htlc: bool,
    data: Spelling,
    pubkeys: Option<Vec<Spelling>>,
    refund: Option<Vec<Spelling>>,
    n_sigs: Option<u8>,
    n_sigs_refund: Option<u8>,
    locktime: Option<&'static str>,
    flag: Option<&'static str>,
    repeat: Option<usize>,
    signers: Vec<u8>,
    odd_signature: bool,
    foreign_signature: bool,
    preimage: bool,
    second: Second,
}

/// What stands beside the lock in the transaction.
#[derive(Clone, Copy, Debug)]
enum Second {
    Nothing,
    Same,
    Plain,
    PlainFirst,
}

fn arb_spelling() -> impl Strategy<Value = Spelling> {
    (0..4_u8, any::<bool>(), prop::bool::weighted(0.2)).prop_map(|(key, odd, upper)| Spelling {
        key,
        odd,
        upper,
    })
}

/// Different keys as a rule, so that most locks make sense.
fn arb_keys() -> impl Strategy<Value = Vec<Spelling>> {
    let distinct = prop::sample::subsequence(vec![1, 2, 3_u8], 1..=3).prop_map(|keys| {
        keys.into_iter().map(|key| Spelling { key, odd: false, upper: false }).collect()
    });
    prop_oneof![4 => distinct, 1 => prop::collection::vec(arb_spelling(), 1..4)]
}

fn arb_case() -> impl Strategy<Value = Case> {
    let lock = (
        any::<bool>(),
        prop_oneof![3 => Just(Spelling { key: 0, odd: false, upper: false }), 1 => arb_spelling()],
        prop::option::of(arb_keys()),
        prop::option::of(arb_keys()),
        prop::option::weighted(0.4, 0..4_u8),
        prop::option::weighted(0.3, 0..4_u8),
    );
    let tags = (
        prop::sample::select(vec![
            None,
            Some(PAST),
            Some(PAST),
            Some(FUTURE),
            Some("x"),
            Some("-1"),
        ]),
        prop::sample::select(vec![None, Some("SIG_INPUTS"), Some("SIG_ALL"), Some("SIG_NONE")]),
        prop::option::weighted(0.1, 0..6_usize),
    );
    let second = prop_oneof![
        Just(Second::Nothing),
        Just(Second::Same),
        Just(Second::Plain),
        Just(Second::PlainFirst)
    ];
    let witness = (
        prop::collection::vec(0..4_u8, 0..5),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.2),
        any::<bool>(),
    );
    (lock, tags, witness, second).prop_map(|(lock, tags, witness, second)| Case {
        htlc: lock.0,
        data: lock.1,
        pubkeys: lock.2,
        refund: lock.3,
        n_sigs: lock.4,
        n_sigs_refund: lock.5,
        locktime: tags.0,
        flag: tags.1,
        repeat: tags.2,
        signers: witness.0,
        odd_signature: witness.1,
        foreign_signature: witness.2,
        preimage: witness.3,
        second,
    })
}

impl Case {
    fn preimage() -> Preimage {
        Preimage::from_bytes([42; 32])
    }

    fn tags(&self) -> Vec<Vec<String>> {
        let keys = |keys: &Vec<Spelling>| keys.iter().map(|key| key.text()).collect::<Vec<_>>();
        let mut tags = Vec::new();
        let mut add = |name: &str, values: Option<Vec<String>>| {
            tags.extend(values.map(|values| [vec![name.to_owned()], values].concat()));
        };
        add("pubkeys", self.pubkeys.as_ref().map(keys));
        add("refund", self.refund.as_ref().map(keys));
        add("n_sigs", self.n_sigs.map(|count| vec![count.to_string()]));
        add("n_sigs_refund", self.n_sigs_refund.map(|count| vec![count.to_string()]));
        add("locktime", self.locktime.map(|time| vec![time.to_owned()]));
        add("sigflag", self.flag.map(|flag| vec![flag.to_owned()]));
        add("unknown", Some(vec!["value".to_owned()]));
        if let Some(tag) = self.repeat.and_then(|index| tags.get(index).cloned()) {
            tags.push(tag);
        }
        tags
    }

    fn secret(&self, nonce: &str) -> String {
        let (kind, data) = if self.htlc {
            ("HTLC", hex::encode(&Self::preimage().hash()))
        } else {
            ("P2PK", self.data.text())
        };
        json!([kind, { "nonce": nonce, "data": data, "tags": self.tags() }]).to_string()
    }

    fn reasons(&self) -> Reasons {
        let is_repeated = |keys: &[u8]| (1..keys.len()).any(|end| keys[..end].contains(&keys[end]));
        let numbers = |keys: &Option<Vec<Spelling>>| {
            keys.iter().flatten().map(|spelling| spelling.key).collect::<Vec<_>>()
        };
        let mut main = numbers(&self.pubkeys);
        if !self.htlc {
            main.push(self.data.key);
        }
        let mut signed = self.signers.clone();
        signed.retain(|signer| main.contains(signer) || numbers(&self.refund).contains(signer));
        let known = self.repeat.and_then(|index| {
            let before = self.tags();
            before.last().filter(|tag| before.len() > index + 1 && tag[0] != "unknown").cloned()
        });
        Reasons {
            repeated_tag: known.is_some(),
            repeated_refund_key: is_repeated(&numbers(&self.refund)),
            impossible_count: self.n_sigs.is_some_and(|count| usize::from(count) > main.len()),
            no_time: self.locktime.is_some_and(|time| time != PAST && time != FUTURE),
            signed_twice: is_repeated(&signed),
            preimage_with_refund: self.htlc && self.preimage,
            odd_signature: self.odd_signature,
        }
    }

    fn inputs(&self) -> Vec<Proof> {
        let locked = |nonce| proof(self.secret(nonce));
        let plain = || proof("00".repeat(32));
        match self.second {
            Second::Nothing => vec![locked("a")],
            Second::Same => vec![locked("a"), locked("b")],
            Second::Plain => vec![locked("a"), plain()],
            Second::PlainFirst => vec![plain(), locked("a")],
        }
    }

    /// The transaction with its witnesses: the signatures are on whatever the flag says they must be on.
    fn transaction(&self) -> (Vec<Proof>, Vec<BlindedMessage>) {
        let (unsigned, outputs) = (self.inputs(), vec![output()]);
        let spend = Spend { inputs: &unsigned, outputs: &outputs, melt_quote: None };
        let all = self.flag == Some("SIG_ALL");
        let mut inputs = unsigned.clone();
        for (index, input) in inputs.iter_mut().enumerate() {
            if !input.secret.expose().starts_with('[') || (all && index > 0) {
                continue;
            }
            let mut signatures: Vec<String> = self
                .signers
                .iter()
                .enumerate()
                .map(|(number, signer)| {
                    let (key, aux) = (secret_key(*signer), [u8::try_from(number).unwrap(); 32]);
                    let signature = if all {
                        sign_all(&spend, &key, &aux)
                    } else {
                        sign_input(&input.secret, &key, &aux)
                    };
                    hex::encode(signature.as_bytes())
                })
                .collect();
            if self.foreign_signature {
                let other = Secret::new("another secret".to_owned());
                signatures
                    .push(hex::encode(sign_input(&other, &secret_key(0), &[0; 32]).as_bytes()));
            }
            if self.odd_signature {
                signatures.push("zz".to_owned());
            }
            let mut witness = json!({ "signatures": signatures });
            if self.htlc {
                // cdk knows an HTLC's witness by this field.
                let right = hex::encode(Self::preimage().as_bytes());
                witness["preimage"] = if self.preimage { right.into() } else { "00".into() };
            }
            input.witness = Some(Secret::new(witness.to_string()));
        }
        (inputs, outputs)
    }
}

fn proof(secret: String) -> Proof {
    let signature = PointBytes::from(public(9));
    let (keyset, secret) = ("009a1f293253e41e".parse().unwrap(), Secret::new(secret));
    Proof { amount: 1, keyset, secret, signature, witness: None }
}

fn output() -> BlindedMessage {
    let blinded = PointBytes::from(public(8));
    BlindedMessage { amount: 2, keyset: "009a1f293253e41e".parse().unwrap(), blinded }
}

/// Whether we open it, whether they do.
fn verdicts(case: &Case) -> (bool, bool) {
    let (inputs, outputs) = case.transaction();
    let ours = unlock(&Spend { inputs: &inputs, outputs: &outputs, melt_quote: None }, NOW);
    let written = message::SwapRequest {
        inputs: inputs.into_iter().map(Into::into).collect(),
        outputs: outputs.into_iter().map(Into::into).collect(),
    };
    let theirs: OracleSwap =
        serde_json::from_value(serde_json::to_value(written).unwrap()).unwrap();
    (ours.is_ok(), theirs.verify_spending_conditions().is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The same locks open, unless a named reason lets them differ, and then in the named direction only.
    #[test]
    fn the_same_locks_open(case in arb_case()) {
        let (ours, theirs) = verdicts(&case);
        let reasons = case.reasons();
        match (ours, theirs) {
            (true, false) => prop_assert!(reasons.we_may_open(), "only we open it: {reasons:?}"),
            (false, true) => prop_assert!(reasons.we_may_refuse(), "only they open it: {reasons:?}"),
            (true, true) | (false, false) => {}
        }
    }
}

/// The property above says nothing if hardly any lock opens.
#[test]
fn the_cases_are_not_all_alike() {
    let mut runner = TestRunner::deterministic();
    let mut tally = BTreeMap::new();
    for _ in 0..1000 {
        let case = arb_case().new_tree(&mut runner).unwrap().current();
        *tally.entry((verdicts(&case), case.reasons() == Reasons::default())).or_insert(0) += 1;
    }
    let of = |verdict, plain| tally.get(&(verdict, plain)).copied().unwrap_or(0);
    assert!(of((true, true), true) > 50, "{tally:?}");
    assert!(of((false, false), true) > 50, "{tally:?}");
    assert!(of((true, false), false) > 20, "{tally:?}");
    assert!(of((false, true), false) > 20, "{tally:?}");
    assert_eq!(of((true, false), true) + of((false, true), true), 0, "{tally:?}");
}

/// Each reason does make a difference, and in the direction that it names.
#[test]
fn each_reason_is_real() {
    let key = |key| Spelling { key, odd: false, upper: false };
    let base = Case {
        htlc: false,
        data: key(0),
        pubkeys: None,
        refund: None,
        n_sigs: None,
        n_sigs_refund: None,
        locktime: None,
        flag: None,
        repeat: None,
        signers: vec![0],
        odd_signature: false,
        foreign_signature: false,
        preimage: false,
        second: Second::Nothing,
    };
    assert_eq!(verdicts(&base), (true, true));
    let refund = Some(vec![key(1)]);
    let (only_ours, only_theirs) = ((true, false), (false, true));
    for (name, case, expected) in [
        (
            "repeated tag",
            Case { flag: Some("SIG_INPUTS"), repeat: Some(0), ..base.clone() },
            only_theirs,
        ),
        (
            "repeated refund key",
            Case { refund: Some(vec![key(1), key(1)]), ..base.clone() },
            only_theirs,
        ),
        (
            "impossible count",
            Case { n_sigs: Some(2), locktime: Some(PAST), ..base.clone() },
            only_theirs,
        ),
        ("no time", Case { locktime: Some("x"), ..base.clone() }, only_ours),
        ("signed twice", Case { signers: vec![0, 0], ..base.clone() }, only_ours),
        ("odd signature", Case { odd_signature: true, ..base.clone() }, only_ours),
        (
            "preimage with refund",
            Case {
                htlc: true,
                pubkeys: Some(vec![key(0)]),
                refund,
                locktime: Some(PAST),
                signers: vec![1],
                preimage: true,
                ..base.clone()
            },
            only_ours,
        ),
    ] {
        assert_eq!(verdicts(&case), expected, "{name}");
        assert_ne!(case.reasons(), Reasons::default(), "{name}");
    }
}
