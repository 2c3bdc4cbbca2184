//! Both fields against their definition, and codes that are read in them.
#![allow(clippy::unwrap_used, reason = "tests")]

use fast_qr::{ECL, QRBuilder, QRCode};
use g2p::{GaloisField, g2p};
use rqrr::{Grid, SimpleGrid};

g2p!(Sixteen, 4, modulus: 0b1_0011);
g2p!(Byte, 8, modulus: 0b1_0001_1101);

/// The product of two polynomials, and what a division by the modulus leaves of it.
fn product(left: u8, right: u8, modulus: u32, bits: u32) -> u8 {
    let terms = (0..8).filter(|at| right >> at & 1 == 1).map(|at| u32::from(left) << at);
    let whole = terms.fold(0, |sum, term| sum ^ term);
    let reduce = |rest, at| if rest >> at & 1 == 1 { rest ^ modulus << (at - bits) } else { rest };
    u8::try_from((bits..16).rev().fold(whole, reduce)).unwrap()
}

fn check<F: GaloisField + std::fmt::Debug>(
    make: fn(u8) -> F,
    read: fn(F) -> u8,
    modulus: u32,
    bits: u32,
) {
    let last = u8::try_from((1_u32 << bits) - 1).unwrap();
    for (left, right) in (0..=last).flat_map(|left| (0..=last).map(move |right| (left, right))) {
        let (a, b) = (make(left), make(right));
        assert_eq!(read(a * b), product(left, right, modulus, bits), "{left} times {right}");
        assert_eq!(read(a + b), left ^ right);
        if right != 0 {
            assert_eq!(a / b * b, a, "{left} by {right}");
        }
    }
    for element in [F::ZERO, F::ONE, F::GENERATOR, make(last)] {
        let mut power = F::ONE;
        for exponent in 0..600 {
            assert_eq!(element.pow(exponent), power, "{element:?} to the {exponent}");
            power *= element;
        }
    }
}

#[test]
fn products_and_quotients_are_those_of_polynomials() {
    check(Sixteen, |element| element.0, 0b1_0011, 4);
    check(Byte, |element| element.0, 0b1_0001_1101, 8);
}

#[test]
#[should_panic(expected = "division by zero")]
fn nothing_is_divided_by_zero() {
    _ = Byte(1) / Byte(0);
}

/// What is read of a code of which each module is flipped that `harms` says.
fn read(code: &QRCode, harms: impl Fn(usize, usize) -> bool) -> Option<String> {
    let is_dark = |x: usize, y: usize| code[y][x].value() != harms(x, y);
    Grid::new(SimpleGrid::from_func(code.size, is_dark)).decode().ok().map(|(_, text)| text)
}

#[test]
fn codes_are_read_and_mended() {
    for length in [10, 100, 700, 1500] {
        let text: String = "cashuB-0123456789/".chars().cycle().take(length).collect();
        for level in [ECL::L, ECL::M, ECL::Q, ECL::H] {
            let Ok(code) = QRBuilder::new(text.as_str()).ecl(level).build() else {
                assert!(matches!(level, ECL::H), "{length} letters fit a code");
                continue;
            };
            assert_eq!(read(&code, |_, _| false).as_ref(), Some(&text), "{length} letters");
            // Eight modules in the middle of the right side, and one of the format beside a corner.
            let harms = |x: usize, y: usize| {
                (x + 1 == code.size && (10..18).contains(&y)) || (x, y) == (8, 0)
            };
            assert_eq!(read(&code, harms).as_ref(), Some(&text), "{length} letters, harmed");
            let is_lost = |x: usize, y: usize| 8 < x && 8 < y && (x + y).is_multiple_of(2);
            assert_ne!(read(&code, is_lost).as_ref(), Some(&text), "{length} letters, lost");
        }
    }
}
