//! Locks open for whom NUT-11 and NUT-14 say, and for nobody else.
#![allow(clippy::unwrap_used, reason = "tests")]

use secp256k1::{PublicKey, SECP256K1, SecretKey};
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_ecash::condition::lock::{Condition, Lock, Malformed, SignatureFlag, Terms};
use tacit_ecash::condition::witness::{NotAWitness, Signature, Witness, sign_all, sign_input};
use tacit_ecash::condition::{ConditionError, Preimage, Spend, unlock};
use tacit_ecash::limit;
use tacit_ecash::point::PointBytes;
use tacit_ecash::proof::{BlindedMessage, Proof};
use tacit_ecash::quote_lock::{self, BadSignature};

const KEYSET: &str = "01adc013fa9d85171586660abab27579888611659d357bc86bc09cb26eee8bc035";
const LOCKTIME: Timestamp = Timestamp::from_seconds(1000);
const BEFORE: Timestamp = Timestamp::from_seconds(999);
const AFTER: Timestamp = Timestamp::from_seconds(1001);
const AUX: [u8; 32] = [0; 32];

fn key(byte: u8) -> SecretKey {
    SecretKey::from_byte_array([byte; 32]).unwrap()
}

fn public(byte: u8) -> PublicKey {
    PublicKey::from_secret_key(SECP256K1, &key(byte))
}

fn hex_key(byte: u8) -> String {
    PointBytes::from(public(byte)).to_string()
}

fn proof(secret: Secret<String>) -> Proof {
    let signature = PointBytes::from(public(99));
    Proof { amount: 1, keyset: KEYSET.parse().unwrap(), secret, signature, witness: None }
}

fn plain() -> Proof {
    proof(Secret::new("00".repeat(32)))
}

fn output(byte: u8) -> BlindedMessage {
    let blinded = PointBytes::from(public(byte));
    BlindedMessage { amount: 8, keyset: KEYSET.parse().unwrap(), blinded }
}

fn terms(lock: Lock, change: impl FnOnce(&mut Terms)) -> Terms {
    let mut terms = Terms::new(lock);
    change(&mut terms);
    terms
}

fn p2pk(change: impl FnOnce(&mut Terms)) -> Proof {
    locked(terms(Lock::Key(public(1)), change), 0)
}

fn htlc(change: impl FnOnce(&mut Terms)) -> Proof {
    locked(terms(Lock::Hash(preimage().hash()), change), 0)
}

fn preimage() -> Preimage {
    Preimage::from_bytes([7; 32])
}

fn locked(terms: Terms, nonce: u8) -> Proof {
    proof(Condition::new(terms).unwrap().to_secret(&[nonce; 32]))
}

/// A proof with the signatures of these keys on its own secret.
fn signed(mut proof: Proof, preimage: Option<Preimage>, keys: &[u8]) -> Proof {
    let signatures = keys.iter().map(|byte| sign_input(&proof.secret, &key(*byte), &AUX)).collect();
    proof.witness = Some(Witness { preimage, signatures }.to_text());
    proof
}

fn open(inputs: &[Proof], now: Timestamp) -> Result<Vec<Option<Preimage>>, ConditionError> {
    unlock(&Spend { inputs, outputs: &[output(50)], melt_quote: None }, now)
}

fn opens(proof: &Proof, now: Timestamp) -> bool {
    match open(std::slice::from_ref(proof), now) {
        Ok(_) => true,
        Err(ConditionError::Locked { index: 0 }) => false,
        Err(error) => panic!("{error:?}"),
    }
}

fn parsed(secret: &str) -> Result<Option<Condition>, Malformed> {
    Condition::parse(secret)
}

fn with_tags(tags: &str) -> Result<Option<Condition>, Malformed> {
    let data = hex_key(1);
    parsed(&format!(r#"["P2PK",{{"nonce":"n","data":"{data}","tags":{tags}}}]"#))
}

#[test]
fn what_is_no_lock_is_plain() {
    for text in [
        "",
        "00",
        "{}",
        "[",
        "[]",
        "[1]",
        r#"["P2PK""#,
        r#"["P2PK",{}] x"#,
        r#""P2PK""#,
        r#"[["P2PK"],{"nonce":"n","data":"d"}]"#,
        r#"["FOO"]"#,
        r#"["FOO",{"nonce":"n"}]"#,
        r#"["FOO",["n","d"]]"#,
        r#"["FOO",{"nonce":"n","data":"d"},1]"#,
        r#"{"P2PK":{"nonce":"n","data":"d"}}"#,
    ] {
        assert_eq!(parsed(text), Ok(None), "{text}");
    }
}

#[test]
fn a_plain_secret_needs_no_witness_and_takes_any() {
    let mut proof = plain();
    assert_eq!(open(&[proof.clone()], AFTER), Ok(vec![None]));
    proof.witness = Some(Secret::new("no witness at all".to_owned()));
    assert_eq!(open(&[proof.clone(), signed(p2pk(|_| ()), None, &[1])], AFTER), Ok(vec![None; 2]));
}

#[test]
fn malformed_locks_open_for_nobody() {
    let data = hex_key(1);
    let ok = format!(r#"["P2PK",{{"nonce":"n","data":"{data}"}}]"#);
    assert!(parsed(&ok).unwrap().is_some());
    assert!(parsed(&format!(" \n{ok}\t")).unwrap().is_some(), "JSON may have space around it");
    assert!(parsed(&ok.replace("P2PK", r"P2\u0050K")).unwrap().is_some(), "escapes are resolved");
    assert!(parsed(&ok.replace("}", r#","tags":null,"more":[1]}"#)).unwrap().is_some());
    for (text, error) in [
        (r#"["P2PK"]"#.to_owned(), Malformed::Form),
        (r#"["HTLC",5]"#.to_owned(), Malformed::Form),
        (r#"["P2PK",{"data":"d"}]"#.to_owned(), Malformed::Form),
        (format!(r#"["P2PK",["n","{data}",[]]]"#), Malformed::Form),
        (ok.replace("}", r#","tags":[["locktime",5]]}"#), Malformed::Form),
        (ok.replace("}", r#","tags":["locktime","5"]}"#), Malformed::Form),
        (ok.replace("}", r#","data":"02"}"#), Malformed::Form),
        (ok.replace("]", ",1]"), Malformed::Form),
        (r#"["FOO",{"nonce":"n","data":"d"}]"#.to_owned(), Malformed::UnknownKind),
        (ok.replace("P2PK", "p2pk"), Malformed::UnknownKind),
        (ok.replace("P2PK", "HTLC"), Malformed::Hash),
        (ok.replace(&data, &data[2..]), Malformed::Key),
        (ok.replace(&data, &format!("04{}", &data[2..])), Malformed::Key),
        (ok.replace(&data, &format!("02{}", "f".repeat(64))), Malformed::Key),
    ] {
        assert_eq!(parsed(&text), Err(error), "{text}");
        let error = open(&[plain(), proof(Secret::new(text))], AFTER).unwrap_err();
        assert!(matches!(error, ConditionError::Malformed { index: 1, .. }));
    }
}

#[test]
fn malformed_tags_open_for_nobody() {
    let (a, b) = (hex_key(2), hex_key(3));
    for tags in ["[]", r#"[["pubkeys"]]"#, r#"[["foo"]]"#, r#"[["foo","1"],["foo","2"]]"#] {
        assert!(with_tags(tags).is_ok(), "{tags}");
    }
    let key_1 = format!("03{}", &hex_key(1).to_uppercase()[2..]);
    for (tags, error) in [
        ("[[]]".to_owned(), Malformed::EmptyTag),
        (r#"[["locktime",""]]"#.to_owned(), Malformed::EmptyTag),
        (r#"[["locktime","1"],["locktime","1"]]"#.to_owned(), Malformed::RepeatedTag),
        (r#"[["locktime","x"],["locktime","1"]]"#.to_owned(), Malformed::RepeatedTag),
        (format!(r#"[["pubkeys","{a}"],["pubkeys","{b}"]]"#), Malformed::RepeatedTag),
        (r#"[["sigflag","SIG_NONE"]]"#.to_owned(), Malformed::SignatureFlag),
        (r#"[["sigflag"]]"#.to_owned(), Malformed::SignatureFlag),
        (r#"[["sigflag","SIG_ALL","SIG_INPUTS"]]"#.to_owned(), Malformed::SignatureFlag),
        (r#"[["pubkeys","02"]]"#.to_owned(), Malformed::Key),
        (format!(r#"[["refund","{a}00"]]"#), Malformed::Key),
        (format!(r#"[["pubkeys","{key_1}"]]"#), Malformed::RepeatedKey),
        (format!(r#"[["pubkeys","{a}","{a}"]]"#), Malformed::RepeatedKey),
        (format!(r#"[["refund","{a}","{a}"]]"#), Malformed::RepeatedKey),
        (r#"[["n_sigs","2"]]"#.to_owned(), Malformed::SignatureCount),
        (r#"[["n_sigs"]]"#.to_owned(), Malformed::SignatureCount),
        (r#"[["n_sigs","1","1"]]"#.to_owned(), Malformed::SignatureCount),
        (r#"[["n_sigs","+1"]]"#.to_owned(), Malformed::SignatureCount),
        (r#"[["n_sigs","1.0"]]"#.to_owned(), Malformed::SignatureCount),
        (r#"[["n_sigs","18446744073709551617"]]"#.to_owned(), Malformed::SignatureCount),
        (r#"[["n_sigs_refund","1"]]"#.to_owned(), Malformed::SignatureCount),
        (format!(r#"[["refund","{a}"],["n_sigs_refund","2"]]"#), Malformed::SignatureCount),
    ] {
        assert_eq!(with_tags(&tags), Err(error), "{tags}");
    }
}

/// cdk 0.17.0: a condition satisfied by no signature.
#[test]
fn zero_signature_condition_is_refused() {
    let a = hex_key(2);
    for tags in [
        r#"[["n_sigs","0"]]"#.to_owned(),
        r#"[["n_sigs","00"]]"#.to_owned(),
        r#"[["n_sigs","-1"]]"#.to_owned(),
        format!(r#"[["locktime","1"],["refund","{a}"],["n_sigs_refund","0"]]"#),
    ] {
        assert_eq!(with_tags(&tags), Err(Malformed::SignatureCount), "{tags}");
    }
    let no_signature = Witness { preimage: None, signatures: Vec::new() }.to_text();
    let mut proof = p2pk(|_| ());
    assert!(!opens(&proof, AFTER), "no witness");
    proof.witness = Some(no_signature.clone());
    assert!(!opens(&proof, AFTER), "empty witness");
    let mut proof = p2pk(|terms| (terms.locktime, terms.refund) = (Some(LOCKTIME), Some(vec![])));
    proof.witness = Some(no_signature);
    assert!(
        !opens(&proof, AFTER),
        "a refund tag without keys is no refund, and no way round the lock"
    );
    let result = Condition::new(terms(Lock::Key(public(1)), |terms| terms.n_sigs = Some(0)));
    assert_eq!(result, Err(Malformed::SignatureCount));
}

#[test]
fn a_key_opens_its_own_lock_only() {
    assert!(opens(&signed(p2pk(|_| ()), None, &[1]), BEFORE));
    assert!(!opens(&signed(p2pk(|_| ()), None, &[2]), BEFORE));
    assert!(
        opens(&signed(p2pk(|_| ()), None, &[3, 2, 1]), BEFORE),
        "foreign signatures do not hurt"
    );
    let other = signed(locked(Terms::new(Lock::Key(public(1))), 1), None, &[1]);
    let stolen = Proof { witness: other.witness, ..p2pk(|_| ()) };
    assert!(!opens(&stolen, BEFORE), "the signature is on another secret");
}

#[test]
fn several_keys_sign_as_asked() {
    let two_of_three = |terms: &mut Terms| {
        terms.pubkeys = vec![public(2), public(3)];
        terms.n_sigs = Some(2);
    };
    for (keys, enough) in
        [(&[1_u8][..], false), (&[1, 2], true), (&[3, 2], true), (&[1, 4], false), (&[], false)]
    {
        assert_eq!(opens(&signed(p2pk(two_of_three), None, keys), BEFORE), enough, "{keys:?}");
    }
    let one_of_two = |terms: &mut Terms| terms.pubkeys = vec![public(2)];
    assert!(opens(&signed(p2pk(one_of_two), None, &[2]), BEFORE));
}

/// nutshell #969, cdk #2389: prefixes and cases of one key counted as several signers.
#[test]
fn multisig_counts_x_only_keys_once() {
    let (even, odd) = (format!("02{}", &hex_key(1)[2..]), format!("03{}", &hex_key(1)[2..]));
    let variants = [even.clone(), odd.clone(), even.to_uppercase(), odd.to_uppercase()];
    for first in &variants {
        for second in &variants {
            for text in [
                format!(
                    r#"["P2PK",{{"nonce":"n","data":"{first}","tags":[["pubkeys","{second}"],["n_sigs","2"]]}}]"#
                ),
                format!(
                    r#"["P2PK",{{"nonce":"n","data":"{}","tags":[["refund","{first}","{second}"],["locktime","1"],["n_sigs_refund","2"]]}}]"#,
                    hex_key(2)
                ),
                format!(
                    r#"["HTLC",{{"nonce":"n","data":"{}","tags":[["pubkeys","{first}","{second}"]]}}]"#,
                    "00".repeat(32)
                ),
            ] {
                let proof = signed(proof(Secret::new(text)), None, &[1, 1]);
                assert_eq!(
                    open(&[proof], AFTER),
                    Err(ConditionError::Malformed { index: 0, source: Malformed::RepeatedKey })
                );
            }
        }
    }
    // The same key signing twice, with different randomness, is one signer.
    let mut proof = p2pk(|terms| {
        terms.pubkeys = vec![public(2)];
        terms.n_sigs = Some(2);
    });
    let signatures: Vec<Signature> =
        (0..3).map(|aux| sign_input(&proof.secret, &key(1), &[aux; 32])).collect();
    assert_ne!(signatures[0], signatures[1]);
    proof.witness = Some(Witness { preimage: None, signatures }.to_text());
    assert!(!opens(&proof, BEFORE));
    // One key in both pathways is allowed.
    let both = |terms: &mut Terms| {
        terms.locktime = Some(LOCKTIME);
        terms.refund = Some(vec![public(1)]);
    };
    assert!(opens(&signed(p2pk(both), None, &[1]), BEFORE));
}

#[test]
fn the_locktime_adds_the_refund_and_takes_nothing_away() {
    let refund = |terms: &mut Terms| {
        terms.locktime = Some(LOCKTIME);
        terms.refund = Some(vec![public(8), public(9)]);
        terms.n_sigs_refund = Some(2);
    };
    for (keys, now, expected) in [
        (&[1_u8][..], BEFORE, true),
        (&[1], AFTER, true),
        (&[8, 9], BEFORE, false),
        (&[8, 9], LOCKTIME, false),
        (&[8, 9], AFTER, true),
        (&[8], AFTER, false),
        (&[8, 8], AFTER, false),
        (&[], AFTER, false),
    ] {
        let proof = signed(p2pk(refund), None, keys);
        assert_eq!(opens(&proof, now), expected, "{keys:?} {now}");
    }
    // Signatures of the two pathways do not add up.
    let mixed = |terms: &mut Terms| {
        refund(terms);
        (terms.pubkeys, terms.n_sigs) = (vec![public(2)], Some(2));
    };
    assert!(!opens(&signed(p2pk(mixed), None, &[1, 8]), AFTER));
}

#[test]
fn without_refund_keys_anyone_spends_after_the_locktime() {
    let timed = |terms: &mut Terms| terms.locktime = Some(LOCKTIME);
    assert!(!opens(&p2pk(timed), BEFORE));
    assert!(!opens(&p2pk(timed), LOCKTIME));
    assert!(opens(&p2pk(timed), AFTER));
    assert!(opens(&htlc(timed), AFTER));
    let all = |terms: &mut Terms| {
        timed(terms);
        terms.flag = SignatureFlag::All;
    };
    assert!(opens(&p2pk(all), AFTER));
}

#[test]
fn what_is_no_time_locks_for_ever() {
    let late = Timestamp::from_seconds(u64::MAX);
    for time in ["x", "-1", "1.5", "0x1", "18446744073709551616"] {
        let text = format!(
            r#"["P2PK",{{"nonce":"n","data":"{}","tags":[["locktime","{time}"],["refund","{}"]]}}]"#,
            hex_key(1),
            hex_key(2)
        );
        assert!(!opens(&signed(proof(Secret::new(text.clone())), None, &[2]), late), "{time}");
        assert!(opens(&signed(proof(Secret::new(text)), None, &[1]), late), "{time}");
    }
}

#[test]
fn a_preimage_opens_its_htlc() {
    let wrong = Preimage::from_bytes([8; 32]);
    let open_htlc = |proof: Proof| open(&[proof], BEFORE);
    let found = Ok(vec![Some(preimage())]);
    let closed = Err(ConditionError::Locked { index: 0 });
    assert_eq!(open_htlc(signed(htlc(|_| ()), Some(preimage()), &[])), found);
    assert_eq!(open_htlc(signed(htlc(|_| ()), Some(wrong), &[])), closed);
    assert_eq!(open_htlc(signed(htlc(|_| ()), None, &[1])), closed);
    let keyed = |terms: &mut Terms| terms.pubkeys = vec![public(1), public(2)];
    assert_eq!(open_htlc(signed(htlc(keyed), Some(preimage()), &[])), closed);
    assert_eq!(open_htlc(signed(htlc(keyed), None, &[1])), closed);
    assert_eq!(open_htlc(signed(htlc(keyed), Some(preimage()), &[2])), found);
    assert_eq!(open_htlc(signed(htlc(keyed), Some(preimage()), &[3])), closed);
    let threshold = |terms: &mut Terms| {
        keyed(terms);
        terms.n_sigs = Some(2);
    };
    assert_eq!(open_htlc(signed(htlc(threshold), Some(preimage()), &[2])), closed);
    assert_eq!(open_htlc(signed(htlc(threshold), Some(preimage()), &[2, 1])), found);
    assert_eq!(preimage().to_state_witness(), format!(r#"{{"preimage":"{}"}}"#, "07".repeat(32)));
}

/// nutshell #848: refund after the locktime wrongly asked for the preimage.
#[test]
fn htlc_refund_needs_no_preimage() {
    let refund = |terms: &mut Terms| {
        terms.pubkeys = vec![public(1)];
        terms.locktime = Some(LOCKTIME);
        terms.refund = Some(vec![public(2)]);
    };
    let wrong = Preimage::from_bytes([8; 32]);
    let none = Ok(vec![None]);
    assert_eq!(open(&[signed(htlc(refund), None, &[2])], AFTER), none);
    assert_eq!(open(&[signed(htlc(refund), Some(wrong), &[2])], AFTER), none);
    assert_eq!(open(&[signed(htlc(refund), Some(preimage()), &[2])], AFTER), none);
    assert!(!opens(&signed(htlc(refund), None, &[2]), BEFORE));
    assert!(!opens(&signed(htlc(refund), None, &[1]), AFTER));
    // The receiver's way stays open (NUT-14).
    let found = Ok(vec![Some(preimage())]);
    assert_eq!(open(&[signed(htlc(refund), Some(preimage()), &[1])], AFTER), found);
}

fn all(terms: &mut Terms) {
    terms.flag = SignatureFlag::All;
}

fn sign_first(inputs: &mut [Proof], outputs: &[BlindedMessage], quote: Option<&str>, by: u8) {
    let signature = sign_all(&Spend { inputs, outputs, melt_quote: quote }, &key(by), &AUX);
    inputs[0].witness = Some(Witness { preimage: None, signatures: vec![signature] }.to_text());
}

#[test]
fn sig_all_covers_inputs_outputs_and_quote() {
    let lock = || terms(Lock::Key(public(1)), all);
    let mut inputs = vec![locked(lock(), 1), locked(lock(), 2)];
    let outputs = [output(50), output(51)];
    let spend = |inputs: &[Proof], outputs: &[BlindedMessage], melt_quote| {
        unlock(&Spend { inputs, outputs, melt_quote }, BEFORE)
    };
    sign_first(&mut inputs, &outputs, None, 1);
    assert_eq!(spend(&inputs, &outputs, None), Ok(vec![None; 2]));
    let closed = Err(ConditionError::Locked { index: 0 });
    assert_eq!(spend(&inputs, &outputs, Some("q")), closed, "no quote was signed");
    assert_eq!(spend(&inputs, &outputs[..1], None), closed, "an output is missing");
    assert_eq!(spend(&inputs, &[outputs[1], outputs[0]], None), closed, "order is signed");
    let dearer = BlindedMessage { amount: 16, ..outputs[0] };
    assert_eq!(spend(&inputs, &[dearer, outputs[1]], None), closed, "amounts are signed");
    assert_eq!(spend(&inputs[..1], &outputs, None), closed, "all inputs are signed");
    sign_first(&mut inputs, &outputs, Some("q"), 1);
    assert_eq!(spend(&inputs, &outputs, Some("q")), Ok(vec![None; 2]));
    sign_first(&mut inputs, &outputs, None, 2);
    assert_eq!(spend(&inputs, &outputs, None), closed, "another key");
    let own = signed(locked(lock(), 1), None, &[1]);
    assert_eq!(spend(&[own], &outputs, None), closed, "a signature on the secret alone");
}

#[test]
fn sig_all_does_not_mix() {
    let lock = || terms(Lock::Key(public(1)), all);
    let outputs = [output(50)];
    let others = [
        plain(),
        locked(Terms::new(Lock::Key(public(1))), 2),
        locked(terms(Lock::Key(public(2)), all), 2),
        locked(terms(Lock::Hash([0; 32]), all), 2),
        locked(
            terms(Lock::Key(public(1)), |terms| {
                all(terms);
                terms.locktime = Some(LOCKTIME)
            }),
            2,
        ),
        proof(Secret::new(lock_with_tag(r#"["foo","1"]"#))),
    ];
    for (number, other) in others.into_iter().enumerate() {
        let mut inputs = vec![locked(lock(), 1), other];
        sign_first(&mut inputs, &outputs, None, 1);
        let spend = |inputs: &[Proof]| {
            unlock(&Spend { inputs, outputs: &outputs, melt_quote: None }, BEFORE)
        };
        assert_eq!(spend(&inputs), Err(ConditionError::Mixed { index: 1 }), "{number}");
        inputs.reverse();
        sign_first(&mut inputs, &outputs, None, 1);
        assert!(matches!(spend(&inputs), Err(ConditionError::Mixed { .. })), "{number}");
    }
}

fn lock_with_tag(tag: &str) -> String {
    let data = hex_key(1);
    format!(r#"["P2PK",{{"nonce":"n","data":"{data}","tags":[["sigflag","SIG_ALL"],{tag}]}}]"#)
}

#[test]
fn under_sig_all_one_preimage_opens_all() {
    let lock = || terms(Lock::Hash(preimage().hash()), all);
    let mut inputs = vec![locked(lock(), 1), locked(lock(), 2)];
    inputs[0].witness =
        Some(Witness { preimage: Some(preimage()), signatures: Vec::new() }.to_text());
    assert_eq!(open(&inputs, BEFORE), Ok(vec![Some(preimage()); 2]));
}

#[test]
fn witnesses_that_cannot_be_read_are_refused() {
    for text in ["", "x", "[]", "null", r#"[null,["00"]]"#, r#"{"signatures":"00"}"#] {
        assert_eq!(Witness::parse(text), Err(NotAWitness), "{text}");
        let proof = Proof { witness: Some(Secret::new(text.to_owned())), ..p2pk(|_| ()) };
        let error = ConditionError::Witness { index: 0, source: NotAWitness };
        assert_eq!(open(&[proof], BEFORE), Err(error));
    }
    for text in
        ["{}", r#"{"signatures":null,"preimage":null}"#, r#"{"signatures":["zz"],"preimage":"00"}"#]
    {
        assert_eq!(Witness::parse(text), Ok(Witness::default()), "{text}");
    }
}

/// Inputs that do open, but only after every other key and signature was tried.
#[test]
fn signature_checks_are_bounded() {
    let keys: Vec<PublicKey> = (2..13).map(public).collect();
    let mut costly = p2pk(|terms| terms.pubkeys = keys);
    let mut signatures = vec![Signature::from_bytes([1; 64]); 60];
    signatures.push(sign_input(&costly.secret, &key(12), &AUX));
    costly.witness = Some(Witness { preimage: None, signatures }.to_text());
    assert!(costly.witness.as_ref().unwrap().expose().len() <= limit::WITNESS);
    assert!(costly.secret.expose().len() <= limit::SECRET);
    let each = 12 * 61;
    let fitting = limit::SIGNATURE_CHECKS / each;
    assert!(open(&vec![costly.clone(); fitting], BEFORE).is_ok());
    assert_eq!(open(&vec![costly; fitting + 1], BEFORE), Err(ConditionError::TooManyChecks));

    let two_of_three = |terms: &mut Terms| {
        terms.pubkeys = vec![public(2), public(3)];
        terms.n_sigs = Some(2);
    };
    let honest = vec![signed(p2pk(two_of_three), None, &[3, 2]); limit::INPUTS];
    assert!(open(&honest, BEFORE).is_ok(), "the bound is above what wallets need");
}

#[test]
fn conditions_survive_writing() {
    for terms in [
        Terms::new(Lock::Key(public(1))),
        terms(Lock::Hash([9; 32]), |terms| {
            terms.pubkeys = vec![public(1), public(2)];
            terms.n_sigs = Some(2);
            terms.locktime = Some(LOCKTIME);
            terms.refund = Some(vec![public(1)]);
            terms.n_sigs_refund = Some(1);
            terms.flag = SignatureFlag::All;
        }),
    ] {
        let secret = Condition::new(terms.clone()).unwrap().to_secret(&[5; 32]);
        assert_eq!(parsed(secret.expose()).unwrap().unwrap().terms(), &terms);
    }
}

#[test]
fn mint_requests_are_signed_by_the_quotes_key() {
    let outputs = [output(50), output(51)];
    let signature = quote_lock::sign("quote", &outputs, &key(1), &AUX);
    let verify = |quote, outputs: &[BlindedMessage], by| {
        quote_lock::verify(&PointBytes::from(public(by)), quote, outputs, &signature)
    };
    assert_eq!(verify("quote", &outputs, 1), Ok(()));
    assert_eq!(verify("quote", &outputs, 2), Err(BadSignature));
    assert_eq!(verify("other", &outputs, 1), Err(BadSignature));
    assert_eq!(verify("quote", &outputs[..1], 1), Err(BadSignature));
    assert_eq!(verify("quote", &[outputs[1], outputs[0]], 1), Err(BadSignature));
    let no_point = PointBytes::from_bytes([2; 33]);
    assert_eq!(quote_lock::verify(&no_point, "quote", &outputs, &[0; 64]), Err(BadSignature));
}
