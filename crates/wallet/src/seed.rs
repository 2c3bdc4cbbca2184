//! Twelve words, and the seed they spell: whoever has them has the money.

use std::fmt;
use std::str::FromStr;

use bip39::{Language, Mnemonic};
use tacit_core::secret::Secret;

/// An English phrase of BIP-39. Made with 12 words; read with 12, 15, 18, 21 or 24, as other wallets write them.
#[derive(Clone, PartialEq, Eq)]
pub struct Words(Mnemonic);

/// The text is no phrase of BIP-39: a word that is not in the list, a wrong count, or a checksum that fails.
///
/// Which of them is not said: the text may be nearly right, and a message must not help to guess it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these are not the words of a wallet: check spelling and order")]
pub struct WordsError;

impl Words {
    /// The 12 words of 128 bits, which must be random and never used before.
    pub fn from_entropy(entropy: &[u8; 16]) -> Self {
        let words = Mnemonic::from_entropy_in(Language::English, entropy);
        Self(words.expect("16 bytes are a length of BIP-39"))
    }

    /// The words, one space between two.
    pub fn to_text(&self) -> Secret<String> {
        Secret::new(self.0.to_string())
    }

    /// The seed of a phrase without passphrase, as NUT-13 uses it.
    pub fn seed(&self) -> Seed {
        Seed(Secret::new(self.0.to_seed_normalized("")))
    }
}

impl FromStr for Words {
    type Err = WordsError;

    /// Reads words in either case, with any white space between them.
    fn from_str(text: &str) -> Result<Self, WordsError> {
        let text = text.to_lowercase(); // The English list is ASCII: no other normal form matters.
        Mnemonic::parse_in_normalized(Language::English, &text).map(Self).map_err(|_| WordsError)
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words(..)")
    }
}

/// The 64 bytes from which every secret of a wallet comes; see [`crate::derive`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed(Secret<[u8; 64]>);

impl Seed {
    pub(crate) fn as_bytes(&self) -> &[u8; 64] {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BIP-39, "Test vectors" (github.com/trezor/python-mnemonic, vectors.json), first and second entry.
    #[test]
    fn entropy_spells_the_words_of_the_standard() {
        let words = Words::from_entropy(&[0; 16]);
        assert_eq!(
            words.to_text().expose(),
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
        );
        let second = Words::from_entropy(&[0x7f; 16]);
        let text = "legal winner thank year wave sausage worth useful legal winner thank yellow";
        assert_eq!(second.to_text().expose(), text);
        assert_eq!(text.parse(), Ok(second));
    }

    #[test]
    fn case_and_spaces_do_not_matter_but_words_and_order_do() {
        let text = "legal winner thank year wave sausage worth useful legal winner thank yellow";
        let words: Words = text.parse().unwrap();
        assert_eq!(
            "  Legal winner\nthank year wave SAUSAGE worth useful legal  winner thank yellow "
                .parse(),
            Ok(words.clone())
        );
        for wrong in [
            "",
            "legal",
            "winner legal thank year wave sausage worth useful legal winner thank yellow",
            "legal winner thank year wave sausage worth useful legal winner thank zzz",
        ] {
            assert_eq!(wrong.parse::<Words>(), Err(WordsError), "{wrong:?}");
        }
    }

    #[test]
    fn words_do_not_print() {
        let words = Words::from_entropy(&[1; 16]);
        assert_eq!(format!("{words:?} {:?}", words.seed()), "Words(..) Seed(Secret(..))");
    }
}
