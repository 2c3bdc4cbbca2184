//! The encrypted form of a seed: a key made of a passphrase by Argon2id, and the seed under it.
//!
//! Lines of text, in this order (`docs/adr/0008`):
//!
//! ```text
//! tacit seed version 1
//! mint: PUBLIC KEY OF THE MINT
//! kdf: argon2id v=19 m=KIBIBYTES t=PASSES p=LANES
//! salt: 16 BYTES
//! cipher: xchacha20-poly1305
//! nonce: 24 BYTES
//! sealed: SEED AND TAG, 48 BYTES
//! sha256: OF ALL LINES ABOVE
//! ```
//!
//! The lines above `sealed` are the cipher's associated data. The last line tells a damaged file from a wrong
//! passphrase; it protects nothing.
//! Sources: RFC 9106 (Argon2id), section 4 for its parameters; RFC 8439 and draft-irtf-cfrg-xchacha-03 (the cipher).

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secp256k1::PublicKey;
use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_service::identity::Identity;
use zeroize::Zeroizing;

use crate::passphrase::Passphrase;

/// Begins the file, whatever its version.
pub(super) const MAGIC: &str = "tacit seed version ";

const VERSION: &str = "1";

/// A seed that a passphrase opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SealedSeed {
    header: Header,
    /// The seed under the key, and the tag over it and the header.
    sealed: [u8; 48],
}

/// All but the seed. Its text is the cipher's associated data.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Header {
    /// Names the mint: which vault this seed belongs to can be seen without the passphrase.
    mint: PublicKey,
    cost: Cost,
    lock: Lock,
}

/// What Argon2id costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    /// Memory in KiB.
    pub(super) memory_kib: u32,
    /// Passes over it.
    pub(super) passes: u32,
    /// Parts of it that could be filled in parallel.
    pub(super) lanes: u32,
}

/// What is drawn at random for each file, and never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lock {
    /// Goes into the key with the passphrase.
    pub(super) salt: [u8; 16],
    /// Goes into the cipher.
    pub(super) nonce: [u8; 24],
}

/// Why a text is no sealed seed. Variants stand in the order they are checked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FormatError {
    /// It was written by another version of this program.
    Version,
    /// It is not what was once written.
    Damaged,
}

/// Why a seed does not open. Variants stand in the order they are checked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum UnsealError {
    /// The memory that the key costs is not there.
    Memory {
        /// How much is wanted.
        memory_kib: u32,
    },
    /// The key is not the one it was sealed with.
    WrongPassphrase,
}

impl Cost {
    /// The second choice of RFC 9106, section 4, for machines whose memory is not all there for this: 64 MiB, three
    /// passes, four lanes. More than OWASP's Password Storage Cheat Sheet asks for (19 MiB, two passes, one lane).
    pub(super) const RECOMMENDED: Self = Self { memory_kib: 1 << 16, passes: 3, lanes: 4 };

    /// Whether a file may ask for it. The most is the first choice of RFC 9106, 2 GiB, and some passes.
    fn is_bearable(self) -> bool {
        self.memory_kib <= 1 << 21
            && self.passes <= 16
            && self.lanes <= 16
            && self.params().is_some()
    }

    fn params(self) -> Option<Params> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok()
    }

    /// The key of a passphrase; `None` if the memory is not there.
    fn key(self, passphrase: &Passphrase, salt: &[u8; 16]) -> Option<Zeroizing<[u8; 32]>> {
        let params = self.params().expect("only what is bearable is made or read");
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose(), salt, &mut *key)
            .ok()?; // Lengths are right, so that it can only be the memory.
        Some(key)
    }
}

impl Header {
    fn text(&self) -> String {
        let Self { mint, cost: Cost { memory_kib, passes, lanes }, lock } = self;
        format!(
            "{MAGIC}{VERSION}\nmint: {mint}\nkdf: argon2id v=19 m={memory_kib} t={passes} p={lanes}\n\
             salt: {}\ncipher: xchacha20-poly1305\nnonce: {}\n",
            hex::encode(&lock.salt),
            hex::encode(&lock.nonce),
        )
    }
}

impl SealedSeed {
    /// Locks a seed. `lock` must be fresh from the operating system's randomness.
    ///
    /// # Errors
    /// [`UnsealError::Memory`].
    pub(super) fn seal(
        seed: &Secret<[u8; 32]>,
        passphrase: &Passphrase,
        cost: Cost,
        lock: Lock,
    ) -> Result<Self, UnsealError> {
        let header = Header { mint: Identity::derive(seed).public(), cost, lock };
        let (text, cipher) = (header.text(), header.cipher(passphrase)?);
        let payload = Payload { msg: seed.expose(), aad: text.as_bytes() };
        let sealed = cipher
            .encrypt(&XNonce::from(lock.nonce), payload)
            .ok()
            .and_then(|sealed| sealed.try_into().ok())
            .expect("32 bytes make 48");
        Ok(Self { header, sealed })
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`UnsealError`].
    pub(super) fn open(&self, passphrase: &Passphrase) -> Result<Secret<[u8; 32]>, UnsealError> {
        let (text, cipher) = (self.header.text(), self.header.cipher(passphrase)?);
        let payload = Payload { msg: &self.sealed, aad: text.as_bytes() };
        let opened = cipher.decrypt(&XNonce::from(self.header.lock.nonce), payload);
        let opened = Zeroizing::new(opened.map_err(|_| UnsealError::WrongPassphrase)?);
        Ok(Secret::new(opened.as_slice().try_into().expect("48 bytes hold 32")))
    }

    /// The public key of the mint that the seed makes.
    pub(super) fn mint(&self) -> PublicKey {
        self.header.mint
    }

    /// The file.
    pub(super) fn text(&self) -> String {
        let body = format!("{}sealed: {}\n", self.header.text(), hex::encode(&self.sealed));
        format!("{body}sha256: {}\n", hex::encode(&Sha256::digest(&body)))
    }

    /// Reads a file: exactly what [`Self::text`] writes.
    ///
    /// # Errors
    /// [`FormatError`].
    pub(super) fn parse(text: &str) -> Result<Self, FormatError> {
        let first = text.strip_prefix(MAGIC).and_then(|rest| rest.lines().next());
        let is_number =
            |found: &str| !found.is_empty() && found.bytes().all(|b| b.is_ascii_digit());
        if first.is_some_and(|found| found != VERSION && is_number(found)) {
            return Err(FormatError::Version);
        }
        // Rendered again it must be the same, the sum included: one seed has one spelling.
        fields(text).filter(|seed| seed.text() == text).ok_or(FormatError::Damaged)
    }
}

impl Header {
    fn cipher(&self, passphrase: &Passphrase) -> Result<XChaCha20Poly1305, UnsealError> {
        let memory_kib = self.cost.memory_kib;
        let key = self.cost.key(passphrase, &self.lock.salt);
        let key = key.ok_or(UnsealError::Memory { memory_kib })?;
        Ok(XChaCha20Poly1305::new((&*key).into()))
    }
}

/// The fields of a file whose sum nobody has checked yet.
fn fields(text: &str) -> Option<SealedSeed> {
    let mut lines = text.lines().skip(1);
    let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(": ");
    let mint = field("mint")?.parse().ok()?;
    let mut costs = field("kdf")?.strip_prefix("argon2id v=19 ")?.split(' ');
    let mut cost = |name: &str| costs.next()?.strip_prefix(name)?.parse().ok();
    let cost = Cost { memory_kib: cost("m=")?, passes: cost("t=")?, lanes: cost("p=")? };
    let salt = hex::decode(field("salt")?).ok()?;
    field("cipher")?;
    let nonce = hex::decode(field("nonce")?).ok()?;
    let sealed = hex::decode(field("sealed")?).ok()?;
    let header = Header { mint, cost, lock: Lock { salt, nonce } };
    cost.is_bearable().then_some(SealedSeed { header, sealed })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };
    const LOCK: Lock = Lock { salt: [7; 16], nonce: [9; 24] };

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.into()).unwrap()
    }

    fn seed() -> Secret<[u8; 32]> {
        Secret::new([42; 32])
    }

    fn sealed() -> SealedSeed {
        SealedSeed::seal(&seed(), &passphrase("open sesame"), CHEAP, LOCK).unwrap()
    }

    #[test]
    fn the_passphrase_alone_opens() {
        let sealed = sealed();
        assert_eq!(SealedSeed::parse(&sealed.text()), Ok(sealed.clone()));
        assert_eq!(sealed.open(&passphrase("open sesame")), Ok(seed()));
        for wrong in ["open sesam", "open sesame ", "Open sesame", "\u{0}"] {
            let opened = sealed.open(&passphrase(wrong));
            assert_eq!(opened, Err(UnsealError::WrongPassphrase), "{wrong:?}");
        }
        assert_eq!(sealed.mint(), Identity::derive(&seed()).public());
        assert!(!sealed.text().contains(&hex::encode(seed().expose())));
    }

    /// Made by argon2-cffi 25.1 and PyCryptodome 4.4 from `docs/adr/0008`: seed 00 to 1f, passphrase
    /// "correct horse battery staple".
    #[test]
    fn a_file_of_another_program_opens() {
        let text = "\
            tacit seed version 1\n\
            mint: 03a032e09901235df1163c531e86ae925a5290181ddd7dd11798e988cfba13b2ef\n\
            kdf: argon2id v=19 m=65536 t=3 p=4\n\
            salt: 202122232425262728292a2b2c2d2e2f\n\
            cipher: xchacha20-poly1305\n\
            nonce: 404142434445464748494a4b4c4d4e4f5051525354555657\n\
            sealed: 6c36cdf409b94c9b598417a05d397eaa42cacc98182475225115bac9cdfbfe25\
            5a2a5b7213e96f186dcb0bb98da0263c\n\
            sha256: 1916bd34d20a96607b961d70ec7a7c6b76176a0a9b5d66678a2d1755f8e1ca60\n";
        let read = SealedSeed::parse(text).unwrap();
        let seed = read.open(&passphrase("correct horse battery staple")).unwrap();
        assert_eq!(*seed.expose(), std::array::from_fn(|at| u8::try_from(at).unwrap()));
        assert_eq!(read.mint(), Identity::derive(&seed).public());
        let again = SealedSeed::seal(
            &seed,
            &passphrase("correct horse battery staple"),
            Cost::RECOMMENDED,
            read.header.lock,
        );
        assert_eq!(again.unwrap().text(), text);
    }

    #[test]
    fn any_damage_is_seen_without_the_passphrase() {
        let text = sealed().text();
        for at in 0..text.len() {
            assert!(SealedSeed::parse(&text[..at]).is_err(), "cut at {at}");
            for bit in 0..7 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let bent = String::from_utf8(bytes).unwrap();
                assert!(SealedSeed::parse(&bent).is_err(), "bit {bit} of byte {at}");
            }
        }
        assert!(SealedSeed::parse(&format!("{text}\n")).is_err());
        assert!(SealedSeed::parse(&text.replace('\n', "\r\n")).is_err());
    }

    #[test]
    fn every_field_is_bound_to_the_seed() {
        let sealed = sealed();
        let other = SealedSeed::seal(&Secret::new([1; 32]), &passphrase("open"), CHEAP, LOCK);
        let changes: [fn(&mut SealedSeed, &SealedSeed); 6] = [
            |bent, other| bent.header.mint = other.header.mint,
            |bent, _| bent.header.cost.memory_kib = 9,
            |bent, _| bent.header.cost.passes = 2,
            |bent, _| bent.header.lock.salt[0] ^= 1,
            |bent, _| bent.header.lock.nonce[23] ^= 1,
            |bent, _| bent.sealed[47] ^= 1,
        ];
        let other = other.unwrap();
        for (number, change) in changes.iter().enumerate() {
            let mut bent = sealed.clone();
            change(&mut bent, &other);
            // The sum holds again, so that only the cipher stands against it.
            let bent = SealedSeed::parse(&bent.text()).unwrap();
            let opened = bent.open(&passphrase("open sesame"));
            assert_eq!(opened, Err(UnsealError::WrongPassphrase), "change {number}");
        }
    }

    #[test]
    fn a_later_version_is_named_as_one() {
        let text = sealed().text().replace("version 1", "version 2");
        assert_eq!(SealedSeed::parse(&text), Err(FormatError::Version));
        assert_eq!(SealedSeed::parse("tacit seed version 10"), Err(FormatError::Version));
        for text in ["", "tacit seed version ", "tacit seed version one\n", "other"] {
            assert_eq!(SealedSeed::parse(text), Err(FormatError::Damaged), "{text:?}");
        }
    }

    #[test]
    fn costs_nobody_bears_are_not_read() {
        let costs =
            [(7, 1, 1), (1 << 21 | 1, 1, 1), (8, 17, 1), (8, 0, 1), (136, 1, 17), (8, 1, 0)];
        for (memory_kib, passes, lanes) in costs {
            let mut bent = sealed();
            bent.header.cost = Cost { memory_kib, passes, lanes };
            let read = SealedSeed::parse(&bent.text());
            assert_eq!(read, Err(FormatError::Damaged), "{memory_kib} {passes} {lanes}");
        }
        assert!(Cost::RECOMMENDED.is_bearable());
        assert!(Cost { memory_kib: 1 << 21, passes: 1, lanes: 4 }.is_bearable());
    }
}
