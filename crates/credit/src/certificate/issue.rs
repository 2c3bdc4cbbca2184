//! The desk's side: certificates are signed.

use rand_08::RngCore as _;
use serde_json::json;
use tacit_core::time::Day;

use super::disclosure::{Disclosure, SALT_BYTES};
use super::issuer::Metadata;
use super::jws::{self, Header};
use super::key::{PublicKey, SecretKey};
use super::statement::{Claim, Statement, TYPE, Validity};
use crate::passport::tag::{self, Entropy};

/// How signed certificates are typed.
pub(super) const TYP: &str = "dc+sd-jwt";

/// Who signs certificates.
#[derive(Clone, Debug)]
pub struct Issuer {
    name: String,
    key: SecretKey,
}

impl Issuer {
    /// An issuer of this name, the URL under which [`Metadata`] is found.
    pub fn new(name: &str, key: SecretKey) -> Self {
        Self { name: name.to_owned(), key }
    }

    /// What everybody may know of it. `attester`: the key that signs what is attested of verifiers.
    pub fn metadata(&self, attester: &PublicKey) -> Metadata {
        Metadata::new(&self.name, &self.key.public(), attester)
    }

    /// Signs a certificate of one statement for each key.
    ///
    /// `day`: the one the proof was made on.
    ///
    /// Nothing in them is common but what all certificates of a day with that statement have. What was not proven has a random digest in
    /// its place: how many claims there are tells nothing.
    pub fn issue(
        &self,
        statement: &Statement,
        keys: &[PublicKey],
        day: Day,
        entropy: &Entropy,
    ) -> Vec<String> {
        let mut random = tag::generator_of(entropy);
        let mut draw = || {
            let mut bytes = [0; 32];
            random.fill_bytes(&mut bytes);
            bytes
        };
        let Validity { since, until } = Validity::of(day);
        let header = Header { kid: Some(self.key.public().thumbprint()), ..Header::new(TYP) };
        let sign = |key: &PublicKey| {
            let mut disclosures = Vec::new();
            let mut digests = Vec::new();
            for claim in Claim::ALL {
                let random = draw();
                let Some(value) = statement.value(claim) else {
                    digests.push(jws::encode(&random));
                    continue;
                };
                let (salt, _) = random.split_first_chunk::<SALT_BYTES>().expect("32 bytes have 16");
                let disclosure = Disclosure::new(salt, claim.name(), &value);
                digests.push(disclosure.digest());
                disclosures.push(disclosure);
            }
            digests.sort_unstable(); // Their order says nothing of what stands behind them.
            let claims = json!({
                "iss": self.name, "vct": TYPE, "iat": since, "exp": until,
                "cnf": {"jwk": key.to_jwk()}, "_sd_alg": "sha-256", "_sd": digests,
            });
            let mut text = jws::sign(&header, &claims, &self.key);
            text.push('~');
            for disclosure in disclosures {
                text.push_str(disclosure.as_str());
                text.push('~');
            }
            text
        };
        keys.iter().map(sign).collect()
    }
}
