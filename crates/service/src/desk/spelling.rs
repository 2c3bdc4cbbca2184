//! Numbers as people read them aloud, in D. Crockford's Base32: no letter that is taken for a digit, or makes a word.

use crate::account::DIGITS;

/// The last `5 * length` bits of a number, in groups.
pub(super) fn spelled(number: u128, length: usize, group: usize, between: char) -> String {
    let mut text = String::with_capacity(length + length / group);
    for place in 0..length {
        if place > 0 && place.is_multiple_of(group) {
            text.push(between);
        }
        let digit = usize::try_from(number >> (5 * (length - 1 - place)) & 31).expect("five bits");
        text.push(char::from(DIGITS[digit]));
    }
    text
}

/// What somebody wrote, in either case, with dashes and blanks or without; `O` is taken for 0, `I` and `L` for 1. `None` if it
/// is not of so many digits.
pub(super) fn read(text: &str, length: usize) -> Option<u128> {
    let (mut number, mut count) = (0_u128, 0);
    for byte in text.bytes().filter(|byte| !matches!(byte, b'-' | b' ')) {
        let byte = match byte.to_ascii_uppercase() {
            b'O' => b'0',
            b'I' | b'L' => b'1',
            other => other,
        };
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        count += 1;
        if length < count {
            return None;
        }
        number = number << 5 | digit as u128;
    }
    (count == length).then_some(number)
}
