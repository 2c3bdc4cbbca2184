//! What the cryptography of a swap costs on this machine, one thread: `cargo run --release -p tacit-ecash --example costs`.
//!
//! Prints the median of 21 rounds in microseconds for each step, and the swaps a second that a core could do if it
//! did nothing else.

use std::hint::black_box;
use std::time::Instant;

use secp256k1::SecretKey;
use tacit_core::secret::Secret;
use tacit_core::unit::Unit;
use tacit_ecash::blind::{blind, hash_to_curve, unblind};
use tacit_ecash::keyset::{KeysetSpec, SecretKeyset};
use tacit_ecash::proof::{BlindedMessage, Proof, sign, verify};

const ROUNDS: usize = 21;
const PER_ROUND: usize = 200;

/// Median over the rounds of the mean of a round, in microseconds.
fn median(mut step: impl FnMut(usize)) -> f64 {
    let mut means: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            (0..PER_ROUND).for_each(&mut step);
            start.elapsed().as_secs_f64() * 1e6 / PER_ROUND as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    means[ROUNDS / 2]
}

fn main() {
    let unit = Unit::new("usd").expect("a unit");
    let spec = KeysetSpec { unit, index: 0, orders: 32, input_fee_ppk: 0, final_expiry: None };
    let keyset = SecretKeyset::derive(&Secret::new([7; 32]), spec);
    let key = keyset.key(8).expect("a denomination").public();
    let made: Vec<(BlindedMessage, Proof)> = (0..PER_ROUND)
        .map(|number| {
            let secret = format!("{number:064x}");
            let point = hash_to_curve(secret.as_bytes()).expect("a point");
            let factor = SecretKey::from_byte_array([9; 32]).expect("a scalar");
            let blinded = blind(&point, &factor).expect("a point");
            let message = BlindedMessage { amount: 8, keyset: keyset.id(), blinded };
            let signed = sign(&message, &keyset).expect("signed");
            let signature = unblind(&signed.signature, &factor, key).expect("a point");
            let (secret, keyset) = (Secret::new(secret), keyset.id());
            (message, Proof { amount: 8, keyset, secret, signature, witness: None })
        })
        .collect();

    let to_curve = median(|at| _ = black_box(hash_to_curve(made[at].1.secret.expose().as_bytes())));
    let parsed = median(|at| _ = black_box(made[at].0.blinded.parse()));
    let verified = median(|at| _ = black_box(verify(&made[at].1, &keyset)));
    let signed = median(|at| _ = black_box(sign(&made[at].0, &keyset)));
    let swap = 2.0 * (verified + signed);
    println!("hash to curve          {to_curve:6.1} us");
    println!("parse a point          {parsed:6.1} us");
    println!("verify a proof         {verified:6.1} us (with its hash to curve)");
    println!("sign with DLEQ         {signed:6.1} us (with its parse)");
    println!("swap, 2 in and 2 out   {swap:6.1} us, {:.0} a second and core", 1e6 / swap);
}
