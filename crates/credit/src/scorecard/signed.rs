//! The file a scorecard travels in: canonical JSON (RFC 8785) with an Ed25519 signature (RFC 8032).
//!
//! Numbers in it are whole and below 2^53, so that no reader rounds one. What is signed is the canonical form of `card`
//! behind [`DOMAIN`]; a file is read only if it is that form itself, byte by byte: one card has one file, one id.

use std::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_core::secret::Secret;

use crate::scorecard::{Band, CardError, Counter, CounterName, Scorecard, is_readable};

/// What stands before the signed bytes, so that a signature under the same key means nothing else.
pub const DOMAIN: &[u8] = b"tacit-scorecard-v1\n";
/// Bytes a file may have.
pub const FILE_BYTES_MAX: usize = 64 * 1024;

/// What a card is, and what it was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// What the card is called.
    pub name: CounterName,
    /// Its version.
    pub version: u32,
    /// One line for people.
    pub title: String,
    /// SHA-256 of the data it was fitted on, in hexadecimal.
    pub data_sha256: String,
    /// SHA-256 of the counters file.
    pub counters_sha256: String,
    /// The seed of the split.
    pub seed: String,
    /// Rows it was fitted on.
    pub train_rows: u32,
    /// Rows it was measured on.
    pub test_rows: u32,
    /// AUC there, in ten-thousandths.
    pub test_auc_per_10000: u16,
}

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    format: String,
    origin: Origin,
    counters: Vec<Counter>,
    bands: Vec<Band>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    card: Body,
    key: String,
    signature: String,
}

const FORMAT: &str = "tacit-scorecard-v1";

/// A card's id: SHA-256 of what is signed, domain and all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CardId([u8; 32]);

impl CardId {
    /// The id of 32 bytes; whether there is such a card is another question.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for CardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for CardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardId({self})")
    }
}

/// A key that signs cards.
#[derive(Clone, Debug)]
pub struct CardKey(Secret<SigningKey>);

impl CardKey {
    /// The key of 32 random bytes.
    pub fn new(seed: &[u8; 32]) -> Self {
        Self(Secret::new(SigningKey::from_bytes(seed)))
    }

    /// What everybody may know of it.
    pub fn public(&self) -> CardPublicKey {
        CardPublicKey(self.0.expose().verifying_key())
    }
}

/// The key that a card's signature is checked with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CardPublicKey(VerifyingKey);

impl fmt::Debug for CardPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardPublicKey({self})")
    }
}

impl CardPublicKey {
    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let bytes = hex::decode::<32>(text).map_err(|_| KeyError)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError)?;
        // Some points have a second spelling, which would give one key two names.
        let is_canonical = key.to_edwards().compress().to_bytes() == bytes;
        if is_canonical && !key.is_weak() { Ok(Self(key)) } else { Err(KeyError) }
    }
}

impl fmt::Display for CardPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0.as_bytes()))
    }
}

/// A text that is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the 64 hexadecimal digits of an Ed25519 public key")]
pub struct KeyError;

/// A card whose signature is right under the key it names. Whether that key is trusted, the reader knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCard {
    body: Body,
    card: Scorecard,
    key: CardPublicKey,
    id: CardId,
    bytes: Vec<u8>,
}

/// Why bytes are no signed card. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum SignedCardError {
    /// Larger than [`FILE_BYTES_MAX`].
    #[error("larger than {FILE_BYTES_MAX} bytes")]
    TooLarge,
    /// Not JSON, not with these fields, or with a counter that is refused.
    #[error("cannot be read as a scorecard")]
    Json(#[from] serde_json::Error),
    /// Written for another version of this program.
    #[error("its format is {format:?}, and {FORMAT:?} is known here")]
    Format {
        /// What it says, cut short.
        format: String,
    },
    /// Spaces, another order of fields, another spelling of a number or a text, hexadecimal in capitals.
    #[error("not in canonical form (RFC 8785)")]
    NotCanonical,
    /// What it says of its origin is empty, too long, or no hash.
    #[error("its origin cannot be read")]
    Origin,
    /// The counters make no card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The key is none.
    #[error("its key cannot be read")]
    Key(#[from] KeyError),
    /// The signature does not fit.
    #[error("its signature is not right")]
    Signature,
}

impl SignedCard {
    /// Signs a card.
    ///
    /// # Errors
    /// Those of [`Self::read`]: what would not be read back is not written.
    pub fn sign(card: &Scorecard, origin: Origin, key: &CardKey) -> Result<Self, SignedCardError> {
        let body = Body {
            format: FORMAT.to_owned(),
            origin,
            counters: card.counters().to_vec(),
            bands: card.bands().to_vec(),
        };
        let signature = key.0.expose().sign(&signed_bytes(&body)?);
        let signature = hex::encode(&signature.to_bytes());
        let file = File { card: body, key: key.public().to_string(), signature };
        Self::read(&serde_json_canonicalizer::to_vec(&file)?)
    }

    /// Reads a file and checks its signature.
    ///
    /// # Errors
    /// [`SignedCardError`].
    pub fn read(bytes: &[u8]) -> Result<Self, SignedCardError> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(SignedCardError::TooLarge);
        }
        let file: File = serde_json::from_slice(bytes)?;
        if file.card.format != FORMAT {
            let format = file.card.format.chars().take(32).collect();
            return Err(SignedCardError::Format { format });
        }
        // What is not signed could be spelt in capitals by anybody who hands the file on.
        let are_small = [&file.key, &file.signature]
            .into_iter()
            .all(|digits| !digits.bytes().any(|digit| digit.is_ascii_uppercase()));
        if !are_small || serde_json_canonicalizer::to_vec(&file)? != bytes {
            return Err(SignedCardError::NotCanonical);
        }
        let File { card: body, key, signature } = file;
        let origin = &body.origin;
        let are_hashes = [&origin.data_sha256, &origin.counters_sha256]
            .into_iter()
            .all(|hash| hex::decode::<32>(hash).is_ok());
        if !are_hashes || !is_readable(&origin.title) || !is_readable(&origin.seed) {
            return Err(SignedCardError::Origin);
        }
        let card = Scorecard::new(body.counters.clone(), body.bands.clone())?;
        let key = CardPublicKey::new(&key)?;
        let signed = signed_bytes(&body)?;
        let signature = hex::decode::<64>(&signature).map_err(|_| SignedCardError::Signature)?;
        key.0
            .verify_strict(&signed, &Signature::from_bytes(&signature))
            .map_err(|_| SignedCardError::Signature)?;
        let id = CardId(Sha256::digest(&signed).into());
        Ok(Self { body, card, key, id, bytes: bytes.to_vec() })
    }

    /// The card.
    pub fn card(&self) -> &Scorecard {
        &self.card
    }

    /// What it is and was made of.
    pub fn origin(&self) -> &Origin {
        &self.body.origin
    }

    /// The key that signed it.
    pub fn key(&self) -> CardPublicKey {
        self.key
    }

    /// Its id.
    pub fn id(&self) -> CardId {
        self.id
    }

    /// The file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn signed_bytes(body: &Body) -> Result<Vec<u8>, serde_json::Error> {
    Ok([DOMAIN, &serde_json_canonicalizer::to_vec(body)?].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scorecard::testing::arb_card;

    fn origin() -> Origin {
        Origin {
            name: CounterName::new("small").unwrap(),
            version: 3,
            title: "A small card, \"quoted\" and größer".to_owned(),
            data_sha256: "00".repeat(32),
            counters_sha256: "ff".repeat(32),
            seed: "seed0".to_owned(),
            train_rows: 700,
            test_rows: 300,
            test_auc_per_10000: 7811,
        }
    }

    fn key() -> CardKey {
        CardKey::new(&[7; 32])
    }

    fn card() -> Scorecard {
        let text = |text: &str| text.to_owned();
        let counter = crate::scorecard::CounterParts {
            name: CounterName::new("late").unwrap(),
            riskier: crate::scorecard::Riskier::High,
            most: 9,
            cuts: vec![0, 3],
            points: vec![600, 30, 0],
            history: true,
            optional: false,
            texts: crate::scorecard::Texts {
                title: text("Late"),
                reason: text("Was late"),
                advice: text("Wait"),
            },
        };
        let bands = vec![Band { from: 350, default_per_10000: 900 }];
        Scorecard::new(vec![Counter::new(counter).unwrap()], bands).unwrap()
    }

    fn signed() -> SignedCard {
        SignedCard::sign(&card(), origin(), &key()).unwrap()
    }

    proptest! {
        /// Every card survives its file.
        #[test]
        fn a_card_is_read_as_it_was_signed(card in arb_card(), seed: [u8; 32]) {
            let key = CardKey::new(&seed);
            let signed = SignedCard::sign(&card, origin(), &key).unwrap();
            let again = SignedCard::read(signed.as_bytes()).unwrap();
            prop_assert_eq!(again.card(), &card);
            prop_assert_eq!((again.key(), again.id()), (key.public(), signed.id()));
        }

        /// One bit more or less, and it is no card, or not a signed one.
        #[test]
        fn no_byte_can_be_changed(at in any::<prop::sample::Index>(), bit in 0..8_u32) {
            let mut bytes = signed().as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(SignedCard::read(&bytes).is_err());
        }
    }

    /// The id by other means: SHA-256 over the domain and the card as it stands in the file.
    #[test]
    fn the_id_is_the_hash_of_what_is_signed() {
        let signed = signed();
        let text = std::str::from_utf8(signed.as_bytes()).unwrap();
        let card = text.strip_prefix("{\"card\":").unwrap().split(",\"key\":").next().unwrap();
        let expected: [u8; 32] = Sha256::digest([DOMAIN, card.as_bytes()].concat()).into();
        assert_eq!(signed.id().as_bytes(), &expected);
        let keys: Vec<&str> =
            ["{\"bands\":", ",\"counters\":", ",\"format\":", ",\"origin\":"].to_vec();
        let places: Vec<usize> = keys.iter().map(|key| card.find(key).unwrap()).collect();
        assert!(places.is_sorted(), "keys stand in order: {card}");
    }

    #[test]
    fn another_domain_or_key_is_no_signature() {
        let text = String::from_utf8(signed().as_bytes().to_vec()).unwrap();
        let other = CardKey::new(&[8; 32]).public().to_string();
        let renamed = text.replace(&key().public().to_string(), &other);
        assert!(matches!(SignedCard::read(renamed.as_bytes()), Err(SignedCardError::Signature)));

        let card = text.strip_prefix("{\"card\":").unwrap().split(",\"key\":").next().unwrap();
        let bare = hex::encode(&key().0.expose().sign(card.as_bytes()).to_bytes());
        let (before, _) = text.split_once("\"signature\":\"").unwrap();
        let undomained = format!("{before}\"signature\":\"{bare}\"}}");
        assert!(matches!(SignedCard::read(undomained.as_bytes()), Err(SignedCardError::Signature)));
    }

    #[test]
    fn other_spellings_and_other_rules_are_refused_by_name() {
        let text = String::from_utf8(signed().as_bytes().to_vec()).unwrap();
        let said = |from: &str, to: &str| {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            let error = SignedCard::read(changed.as_bytes()).unwrap_err();
            match std::error::Error::source(&error) {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            }
        };
        for (from, to, expected) in [
            ("tacit-scorecard-v1", "tacit-scorecard-v2", "its format is \"tacit-scorecard-v2\""),
            ("{\"card\"", "{ \"card\"", "canonical form"),
            ("größer", "gr\\u00f6\\u00dfer", "canonical form"),
            (
                "\"most\":9",
                "\"most\":9.0",
                "cannot be read as a scorecard: invalid type: floating point",
            ),
            ("\"most\":9", "\"most\":1e1", "cannot be read as a scorecard"),
            ("\"most\":9", "\"most\":4294967296", "cannot be read as a scorecard: invalid value"),
            ("\"most\":9", "\"most\":9,\"most\":9", "duplicate field `most`"),
            ("\"most\":9", "\"least\":0,\"most\":9", "unknown field `least`"),
            ("\"cuts\":[0,3]", "\"cuts\":[3,0]", "the cuts of counter late do not rise"),
            ("\"points\":[600,30,0]", "\"points\":[600,0,30]", "rise towards the risk"),
            ("\"name\":\"late\"", "\"name\":\"Late\"", "is no name"),
            ("\"from\":350", "\"from\":351", "the bands do not begin at 350"),
            ("\"version\":3", "\"version\":4", "its signature is not right"),
            ("Was late", "Was late\\u0007", "holds control characters"),
            (&"ff".repeat(32), "ff", "its origin cannot be read"),
        ] {
            let said = said(from, to);
            assert!(said.contains(expected), "{from} as {to}: {said}");
        }
        let large = vec![b' '; FILE_BYTES_MAX + 1];
        assert!(matches!(SignedCard::read(&large), Err(SignedCardError::TooLarge)));
        let deep = "[".repeat(10_000);
        assert!(matches!(SignedCard::read(deep.as_bytes()), Err(SignedCardError::Json(_))));
    }

    #[test]
    fn weak_and_misspelt_keys_are_refused_and_secret_ones_do_not_print() {
        // The neutral element: under it, one signature fits many messages.
        let neutral = format!("01{}", "00".repeat(31));
        for text in ["", "00", &neutral, &"zz".repeat(32), &"ff".repeat(32)] {
            assert_eq!(CardPublicKey::new(text), Err(KeyError), "{text}");
        }
        assert_eq!(format!("{:?}", key()), "CardKey(Secret(..))");
    }
}
