//! What stands between a wallet's storage and whoever has a copy of it.
//!
//! A passphrase makes a key (Argon2id), or a passkey does (WebAuthn's PRF, by HMAC); that key opens 32 random bytes, and those make two keys: one seals the contents
//! of rows (XChaCha20-Poly1305), the other makes their names (HMAC-SHA256). So a new passphrase rewrites one row.
//! Sources: W3C Web Authentication Level 3, section 10.1.4 (PRF); RFC 9106 (Argon2id), section 4; RFC 8439 and draft-irtf-cfrg-xchacha-03 (the cipher); RFC 2104 (HMAC).

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use tacit_core::secret::Secret;
use zeroize::Zeroizing;

/// Bytes of a nonce.
pub const NONCE: usize = 24;
/// Contents are filled up to a multiple of this, so that a length tells the kind of a row and little else.
const BLOCK: usize = 256;

/// Who keeps the passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// Its owner remembers it.
    Person,
    /// The system's keyring.
    Keyring,
    /// A passkey: it makes 32 random bytes each time, the same ones.
    Passkey,
}

impl Keeper {
    /// As it is written down.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Keyring => "keyring",
            Self::Passkey => "passkey",
        }
    }

    /// The one of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Person, Self::Keyring, Self::Passkey]
            .into_iter()
            .find(|keeper| keeper.name() == name)
    }
}

/// What Argon2id costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Parts of it that could be filled in parallel.
    pub lanes: u32,
}

impl Cost {
    /// The second choice of RFC 9106, section 4: 64 MiB, three passes, four lanes. As for the seed of a mint.
    pub const RECOMMENDED: Self = Self { memory_kib: 1 << 16, passes: 3, lanes: 4 };
    /// For a secret that nobody could find by trying.
    pub const NONE: Self = Self { memory_kib: 0, passes: 0, lanes: 0 };

    /// `None` for costs that no file may ask for: the most is the first choice of RFC 9106, and some passes.
    fn params(self) -> Option<Params> {
        let is_bearable = self.memory_kib <= 1 << 21 && self.passes <= 16 && self.lanes <= 16;
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok();
        params.filter(|_| is_bearable)
    }
}

/// The row that a passphrase opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Who keeps the secret.
    pub keeper: Keeper,
    /// What it costs to try one.
    pub cost: Cost,
    /// Random.
    pub salt: [u8; 16],
    /// The 32 bytes, sealed.
    pub sealed: Vec<u8>,
}

/// Why a lock does not open. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// It asks for what nobody bears.
    #[error("the lock is damaged")]
    Damaged,
    /// The memory that the key costs is not there.
    #[error("the passphrase needs {mib} MiB of memory, which this machine does not give")]
    Memory {
        /// How much.
        mib: u32,
    },
    /// The key is not the one it was sealed with.
    #[error("this does not open the wallet")]
    WrongPassphrase,
}

impl Lock {
    /// Locks the 32 bytes that everything is sealed with. `salt` and `nonce` must be fresh; a passkey's secret has 32 random bytes.
    ///
    /// # Errors
    /// [`LockError::Memory`].
    pub fn close(
        bytes: &[u8; 32],
        secret: &[u8],
        keeper: Keeper,
        salt: [u8; 16],
        nonce: [u8; NONCE],
    ) -> Result<Self, LockError> {
        let cost = match keeper {
            Keeper::Person | Keeper::Keyring => Cost::RECOMMENDED,
            Keeper::Passkey => Cost::NONE,
        };
        let mut lock = Self { keeper, cost, salt, sealed: Vec::new() };
        let cipher = lock.cipher(secret)?;
        lock.sealed = seal(&cipher, lock.context().as_bytes(), bytes, nonce);
        Ok(lock)
    }

    /// The keys of the storage.
    ///
    /// # Errors
    /// [`LockError`].
    pub fn open(&self, secret: &[u8]) -> Result<Keys, LockError> {
        let bytes = open(&self.cipher(secret)?, self.context().as_bytes(), &self.sealed);
        let bytes = bytes.ok_or(LockError::WrongPassphrase)?;
        let bytes: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| LockError::Damaged)?;
        Ok(Keys::of(bytes))
    }

    fn context(&self) -> String {
        let Cost { memory_kib, passes, lanes } = self.cost;
        let keeper = self.keeper.name();
        format!("tacit wallet lock 1 {keeper} argon2id v=19 m={memory_kib} t={passes} p={lanes}")
    }

    fn cipher(&self, secret: &[u8]) -> Result<XChaCha20Poly1305, LockError> {
        let mut key = Zeroizing::new([0; 32]);
        if self.keeper == Keeper::Passkey {
            *key = mac(secret, &[self.context().as_bytes(), &self.salt].concat());
            return Ok(XChaCha20Poly1305::new((&*key).into()));
        }
        let params = self.cost.params().ok_or(LockError::Damaged)?;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(secret, &self.salt, &mut *key)
            .map_err(|_| LockError::Memory { mib: self.cost.memory_kib.div_ceil(1024) })?;
        Ok(XChaCha20Poly1305::new((&*key).into()))
    }
}

/// The keys of an open storage.
#[derive(Debug)]
pub struct Keys {
    /// For a new lock.
    bytes: Secret<Zeroizing<[u8; 32]>>,
    contents: Cipher,
    names: Secret<Zeroizing<[u8; 32]>>,
}

impl Keys {
    /// Of 32 random bytes.
    pub fn of(bytes: &[u8; 32]) -> Self {
        let contents = Zeroizing::new(mac(bytes, b"tacit wallet contents 1"));
        let names = Zeroizing::new(mac(bytes, b"tacit wallet names 1"));
        Self {
            bytes: Secret::new(Zeroizing::new(*bytes)),
            contents: Cipher(XChaCha20Poly1305::new((&*contents).into())),
            names: Secret::new(names),
        }
    }

    /// The bytes they come from, to be locked again.
    pub fn bytes(&self) -> &[u8; 32] {
        self.bytes.expose()
    }

    /// What a row is called: the same for the same path, and nothing to those without the key.
    pub fn name(&self, path: &str) -> [u8; 16] {
        *mac(&self.names.expose()[..], path.as_bytes())
            .first_chunk()
            .expect("32 bytes have a first 16")
    }

    /// Seals the content of a row. `nonce` must be fresh.
    pub fn seal(&self, name: &[u8], content: &[u8], nonce: [u8; NONCE]) -> Vec<u8> {
        let length = u32::try_from(content.len()).expect("a row is shorter than 4 GiB");
        let mut padded = Zeroizing::new(Vec::with_capacity(content.len() + 4 + BLOCK));
        padded.extend_from_slice(&length.to_le_bytes());
        padded.extend_from_slice(content);
        let whole = padded.len().next_multiple_of(BLOCK);
        padded.resize(whole, 0);
        seal(&self.contents.0, name, &padded, nonce)
    }

    /// Opens the content of a row; `None` if it is not what was sealed under this name.
    pub fn open(&self, name: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let padded = open(&self.contents.0, name, sealed)?;
        let (length, rest) = padded.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        rest.get(..length).map(|content| Zeroizing::new(content.to_vec()))
    }
}

struct Cipher(XChaCha20Poly1305);

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(..)")
    }
}

/// Nonce, then what the cipher made.
fn seal(cipher: &XChaCha20Poly1305, context: &[u8], content: &[u8], nonce: [u8; NONCE]) -> Vec<u8> {
    let payload = Payload { msg: content, aad: context };
    let sealed = cipher.encrypt(&XNonce::from(nonce), payload);
    [&nonce[..], &sealed.expect("a row is shorter than the cipher's 256 GiB")].concat()
}

fn open(cipher: &XChaCha20Poly1305, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
    let payload = Payload { msg: sealed, aad: context };
    cipher.decrypt(&XNonce::from(*nonce), payload).ok().map(Zeroizing::new)
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.chain_update(message).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_passphrase_alone_opens_and_every_field_is_bound() {
        let lock = Lock::close(&[7; 32], b"open", Keeper::Person, [1; 16], [2; 24]);
        let lock = lock.unwrap();
        assert_eq!(lock.open(b"open").unwrap().bytes(), &[7; 32]);
        let refused = |lock: &Lock, with: &str| lock.open(with.as_bytes()).err();
        assert_eq!(refused(&lock, "Open"), Some(LockError::WrongPassphrase));
        let bends: [fn(&mut Lock); 5] = [
            |bent| bent.keeper = Keeper::Keyring,
            |bent| bent.cost.passes = 2,
            |bent| bent.salt[0] ^= 1,
            |bent| bent.sealed[0] ^= 1,
            |bent| *bent.sealed.last_mut().unwrap() ^= 1,
        ];
        for bend in bends {
            let mut bent = lock.clone();
            bend(&mut bent);
            assert_eq!(refused(&bent, "open"), Some(LockError::WrongPassphrase), "{bent:?}");
        }
        let costly = Lock { cost: Cost { memory_kib: 1 << 22, passes: 1, lanes: 1 }, ..lock };
        assert_eq!(refused(&costly, "open"), Some(LockError::Damaged));
    }

    #[test]
    fn a_passkey_opens_without_memory() {
        let lock = Lock::close(&[7; 32], &[5; 32], Keeper::Passkey, [1; 16], [2; 24]).unwrap();
        assert_eq!(lock.cost, Cost::NONE);
        assert_eq!(lock.open(&[5; 32]).unwrap().bytes(), &[7; 32]);
        assert_eq!(lock.open(&[6; 32]).err(), Some(LockError::WrongPassphrase));
        let salted = Lock { salt: [3; 16], ..lock };
        assert_eq!(salted.open(&[5; 32]).err(), Some(LockError::WrongPassphrase));
    }

    #[test]
    fn a_row_opens_under_its_own_name_only_and_hides_its_length() {
        let keys = Keys::of(&[9; 32]);
        let (name, other) = (keys.name("proof 1"), keys.name("proof 2"));
        assert_ne!(name, other);
        let sealed = keys.seal(&name, b"content", [3; 24]);
        assert_eq!(keys.open(&name, &sealed).unwrap().as_slice(), b"content");
        assert!(keys.open(&other, &sealed).is_none());
        assert!(Keys::of(&[8; 32]).open(&name, &sealed).is_none());
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(keys.open(&name, &bent).is_none(), "byte {at}");
        }
        let length = |content: &[u8]| keys.seal(&name, content, [3; 24]).len();
        assert_eq!(length(b""), length(&[0; 252]));
        assert_eq!(length(b"") + BLOCK, length(&[0; 253]));
    }
}
