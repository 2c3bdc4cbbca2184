//! Creditor references (ISO 11649): what a payer writes so that a payment finds its account or quote.
//!
//! Ours have a body of twelve characters of Crockford's base 32, which has no I, L, O and U: whoever reads 0 for O or 1 for
//! I still writes the right one. The check notices nearly every slip; the few that it does not (`1B` and `B1` count the
//! same) lead to one of 2^60 numbers, of which next to none is in use. Fixed in length, one can be found in free text,
//! where people write spaces, hyphens, line ends, lower case and words around it.

use std::fmt;
use std::str::FromStr;

use crate::iban::in_groups_of_four;

/// Crockford's base 32: digits and letters but I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a body of ours.
const OUR_BODY: usize = 12;

/// Longest body that ISO 11649 allows.
const LONGEST_BODY: usize = 21;

/// Spaces, line ends, hyphens and full stops read over between two characters of a reference.
const LONGEST_GAP: usize = 40;

/// A creditor reference: `RF`, two check digits, a body of 1 to 21 letters and digits.
///
/// Invariants: upper case without spaces; the check digits are right (ISO 7064 mod 97-10).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference(String);

/// Why a text or number is no reference. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Not `RF`, two digits and 1 to 21 letters and digits; or, for one of ours, not twelve of our alphabet.
    #[error("a reference is RF, two digits and at most 21 letters and digits")]
    Form,
    /// Mistyped, most likely.
    #[error("the check digits are wrong")]
    Checksum,
}

/// What a text says about references of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// None, or none whose check digits are right.
    Nothing,
    /// One, perhaps more than once.
    One(Reference),
    /// Several that differ: nobody can say which was meant.
    Several,
}

impl Reference {
    /// The reference of ours with this body, twelve characters of our alphabet.
    ///
    /// # Errors
    /// [`ReferenceError::Form`] for any other body.
    pub fn of_body(body: &str) -> Result<Self, ReferenceError> {
        let ours = body.len() == OUR_BODY && body.bytes().all(|byte| ALPHABET.contains(&byte));
        if ours { Ok(Self::with_body(body)) } else { Err(ReferenceError::Form) }
    }

    /// `body`: letters and digits.
    fn with_body(body: &str) -> Self {
        let check = 98 - remainder(body.bytes().chain(*b"RF00"));
        Self(format!("RF{check:02}{body}"))
    }

    /// The reference in its electronic form, `RF18539007547034`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// All after the check digits.
    pub fn body(&self) -> &str {
        &self.0[4..]
    }

    /// As it is shown to people, in groups of four: `RF18 5390 0754 7034`.
    pub fn grouped(&self) -> String {
        in_groups_of_four(&self.0)
    }
}

/// The characters' number modulo 97, letters counted as 10 to 35 (ISO 7064). Only letters and digits.
fn remainder(characters: impl Iterator<Item = u8>) -> u32 {
    characters.fold(0, |remainder, character| {
        let value = char::from(character).to_digit(36).expect("a letter or digit");
        (remainder * if value < 10 { 10 } else { 100 } + value) % 97
    })
}

/// Whether `text`, of letters and digits from the fifth character on, has the right check digits.
fn is_right(text: &str) -> bool {
    remainder(text[4..].bytes().chain(text[..4].bytes())) == 1
}

impl FromStr for Reference {
    type Err = ReferenceError;

    /// Any creditor reference, also of others; spaces and lower case are read.
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let text: String = text.split_whitespace().collect::<String>().to_ascii_uppercase();
        let has_form = (5..=4 + LONGEST_BODY).contains(&text.len())
            && text.starts_with("RF")
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && text[2..4].bytes().all(|byte| byte.is_ascii_digit());
        if !has_form {
            return Err(ReferenceError::Form);
        }
        if is_right(&text) { Ok(Self(text)) } else { Err(ReferenceError::Checksum) }
    }
}

/// In its electronic form.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The reference of ours that a text holds.
///
/// It begins and ends where no letter or digit stands beside it; within it spaces, line ends, hyphens and full stops are
/// read over, and I, L and O are read as 1, 1 and 0. One with wrong check digits is no reference.
pub fn find(text: &str) -> Found {
    find_in_all([text])
}

/// As [`find`], of several texts; a reference does not go from one into the next.
pub fn find_in_all<'a>(texts: impl IntoIterator<Item = &'a str>) -> Found {
    let mut found = Found::Nothing;
    for text in texts {
        let characters: Vec<char> = text.chars().collect();
        for start in 0..characters.len() {
            let Some(reference) = at(&characters, start) else { continue };
            match &found {
                Found::One(other) if *other != reference => return Found::Several,
                Found::Nothing | Found::One(_) | Found::Several => found = Found::One(reference),
            }
        }
    }
    found
}

/// The reference of ours that begins at `start`.
fn at(characters: &[char], start: usize) -> Option<Reference> {
    let starts_word = start == 0 || !characters[start - 1].is_alphanumeric();
    let is_rf = characters[start].eq_ignore_ascii_case(&'R')
        && characters.get(start + 1).is_some_and(|next| next.eq_ignore_ascii_case(&'F'));
    if !starts_word || !is_rf {
        return None;
    }
    let mut read = String::with_capacity(4 + OUR_BODY);
    read.push_str("RF");
    let mut place = start + 2;
    while read.len() < 4 + OUR_BODY {
        let rest = characters.get(place..)?;
        let gap = rest.iter().take_while(|character| is_gap(**character)).count();
        let character = meant(*rest.get(gap).filter(|_| gap <= LONGEST_GAP)?)?;
        if read.len() < 4 && !character.is_ascii_digit() {
            return None;
        }
        read.push(character);
        place += gap + 1;
    }
    let ends_word = characters.get(place).is_none_or(|next| !next.is_alphanumeric());
    (ends_word && is_right(&read)).then_some(Reference(read))
}

fn is_gap(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '.')
}

/// The character of our alphabet that somebody meant.
fn meant(written: char) -> Option<char> {
    match written.to_ascii_uppercase() {
        'O' => Some('0'),
        'I' | 'L' => Some('1'),
        other => ALPHABET.iter().copied().map(char::from).find(|character| *character == other),
    }
}

/// Strategies for property tests.
#[cfg(any(test, feature = "test-util"))]
pub mod testing {
    use proptest::prelude::*;

    use super::Reference;

    /// Any reference of ours.
    pub fn arb_reference() -> impl Strategy<Value = Reference> {
        "[0-9A-HJKMNP-TV-Z]{12}".prop_map(|body| Reference::of_body(&body).expect("our alphabet"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::testing::arb_reference;
    use super::*;

    fn ours() -> Reference {
        Reference::of_body("5390075470AZ").unwrap()
    }

    /// The examples that ISO 11649 and the European Payments Council print.
    #[test]
    fn published_references_are_read() {
        for text in
            ["RF18539007547034", "RF18 5390 0754 7034", "rf712348231", "RF18000000000539007547034"]
        {
            assert!(text.parse::<Reference>().is_ok(), "{text}");
        }
        assert_eq!("RF19539007547034".parse::<Reference>(), Err(ReferenceError::Checksum));
        for text in [
            "",
            "RF18",
            "RFA1539007547034",
            "18RF539007547034",
            "RF18ü",
            "RF18 5390-0754",
            "RF1812345678901234567890123",
        ] {
            assert_eq!(text.parse::<Reference>(), Err(ReferenceError::Form), "{text:?}");
        }
    }

    #[test]
    fn a_body_gets_its_check_digits() {
        assert_eq!(Reference::with_body("2348231").as_str(), "RF712348231");
        assert_eq!(Reference::with_body("539007547034").as_str(), "RF18539007547034");
        assert_eq!(ours().body(), "5390075470AZ");
        for body in
            ["", "5390075470A", "5390075470AZ5", "5390075470AI", "5390075470az", "5390075470é"]
        {
            assert_eq!(Reference::of_body(body), Err(ReferenceError::Form), "{body:?}");
        }
    }

    #[test]
    fn a_reference_is_found_however_people_write_it() {
        let reference = ours();
        let (whole, grouped) = (reference.as_str().to_owned(), reference.grouped());
        let with_letters = whole.replace('0', "o").replace('1', "l");
        for text in [
            whole.clone(),
            grouped.clone(),
            grouped.to_lowercase(),
            grouped.replace(' ', "\n"),
            grouped.replace(' ', "-"),
            grouped.replace(' ', " \u{a0} "),
            format!("Savings for Anna {grouped} thank you"),
            format!("/ROC/{whole}/"),
            format!("REF:{whole}."),
            format!("{whole} {grouped}"),
            with_letters,
        ] {
            assert_eq!(find(&text), Found::One(reference.clone()), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_surely_one_of_ours_is_not_found() {
        let whole = ours().as_str().to_owned();
        for text in [
            String::new(),
            "RF".to_owned(),
            "RF18 5390 0754 70".to_owned(),
            format!("X{whole}"),
            format!("{whole}7"),
            format!("ü{whole}"),
            whole.replace("AZ", "AY"),
            whole.replacen("RF", "RF ", 1).replace('5', "ü"),
            format!("RF{}{}", " ".repeat(50), &whole[2..]),
            whole.replacen("RF", "R F", 1),
            "RF18000000000539007547034".to_owned(), // Somebody else's, longer.
        ] {
            assert_eq!(find(&text), Found::Nothing, "{text:?}");
        }
    }

    #[test]
    fn two_references_are_one_too_many() {
        let other = Reference::of_body("000000000077").unwrap();
        assert_eq!(find(&format!("{} or {other}", ours())), Found::Several);
        assert_eq!(find_in_all([ours().as_str(), other.as_str()]), Found::Several);
        assert_eq!(find_in_all([ours().as_str(), "hello"]), Found::One(ours()));
        let whole = ours();
        let (first, second) = whole.as_str().split_at(8);
        assert_eq!(find_in_all([first, second]), Found::Nothing);
    }

    proptest! {
        /// Every reference is found in what surrounds it, and reads back.
        #[test]
        fn references_survive_text(reference in arb_reference(), before in "[ a-z]{0,20}[ :/]", after in "[ ,/][ a-z]{0,20}") {
            prop_assert_eq!(reference.as_str().parse::<Reference>(), Ok(reference.clone()));
            prop_assert_eq!(find(&format!("{before}{}{after}", reference.grouped())), Found::One(reference));
        }

        /// A wrong digit for a digit or letter for a letter is always noticed.
        #[test]
        fn slips_of_the_pen_are_noticed(reference in arb_reference(), place in 4..16_usize, other in 0..32_usize) {
            let mut wrong = reference.as_str().as_bytes().to_vec();
            let other = ALPHABET[other];
            prop_assume!(wrong[place] != other && wrong[place].is_ascii_digit() == other.is_ascii_digit());
            wrong[place] = other;
            prop_assert_eq!(find(&String::from_utf8(wrong).unwrap()), Found::Nothing);
        }

        #[test]
        fn no_text_panics(text in "([rR][fF]|[ -]|[0-9A-Zo]|.){0,60}") {
            let _ = find(&text);
            let _ = text.parse::<Reference>();
        }
    }
}
