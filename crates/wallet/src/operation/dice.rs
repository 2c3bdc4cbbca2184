//! Randomness of an operation: a machine has none of its own.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tacit_core::secret::Secret;

/// Randomness: each draw follows from 32 random bytes that are the operation's own, so none is drawn twice.
#[derive(Debug)]
pub(super) struct Dice {
    root: Secret<[u8; 32]>,
    drawn: u64,
}

impl Dice {
    /// `random`: 32 bytes that nothing else is made of.
    pub(super) const fn new(random: Secret<[u8; 32]>) -> Self {
        Self { root: random, drawn: 0 }
    }

    /// The next 32 bytes.
    pub(super) fn draw(&mut self) -> Secret<[u8; 32]> {
        self.drawn += 1;
        let keyed = Hmac::<Sha256>::new_from_slice(self.root.expose()).expect("HMAC takes any key");
        let drawn =
            keyed.chain_update(b"tacit passport draw").chain_update(self.drawn.to_be_bytes());
        Secret::new(drawn.finalize().into_bytes().into())
    }

    /// The next 24 bytes.
    pub(super) fn nonce(&mut self) -> [u8; 24] {
        let drawn = self.draw();
        *drawn.expose().first_chunk().expect("32 bytes have 24")
    }
}
