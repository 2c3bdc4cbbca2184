//! Who asks, for what, and where the answer goes (OpenID4VP 1.0, sections 5 and 12).
//!
//! A wallet reads an [`Invitation`] (a QR code, a link), fetches what it points to, and reads that as a [`Request`]. Nothing of a request is
//! believed but what is signed by somebody: the operator's word makes a verifier registered, all others are unknown, and known by
//! the host that the answer goes to.

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tacit_core::time::Timestamp;

use super::attestation::{AttestationError, Verifier, is_showable};
use super::issuer::Trusted;
use super::jws::{self, Header, JwsError, Unchecked};
use super::key::{Jwk, PublicKey, SecretKey};
use super::query::{Query, QueryError, Wanted};

/// How signed requests are typed.
const TYP: &str = "oauth-authz-req+jwt";
/// The audience of a request to whatever wallet there is (OpenID4VP 1.0, section 5.8).
const WALLETS: &str = "https://self-issued.me/v2";
/// Bytes an invitation or a request may have.
pub const REQUEST_BYTES_MAX: usize = 32 * 1024;
/// Characters of a nonce, a state and a client id.
const TEXT_MAX: usize = 1024;
/// Seconds a request of ours may be answered in.
pub const LIFETIME_SECONDS: u64 = 600;
/// Links that are read.
const SCHEMES: [&str; 3] = ["openid4vp:", "haip-vp:", "haip:"];

const ATTESTED: &str = "verifier_attestation:";
const X509_HASH: &str = "x509_hash:";
const UNSIGNED: &str = "redirect_uri:";

/// A URL that a wallet may contact: over TLS, or on this very machine.
///
/// Invariant: its host is of `a-z`, `0-9`, `-` and `.`, and nothing stands before it, so that what is shown as its host is its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    url: String,
    host: String,
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`RequestError::Address`].
    pub fn new(url: &str) -> Result<Self, RequestError> {
        let refused = RequestError::Address;
        let is_plain = url.len() <= 2048 && url.bytes().all(|byte| (0x21..0x7f).contains(&byte));
        let (rest, is_secure) = match url.strip_prefix("https://") {
            Some(rest) => (rest, true),
            None => (url.strip_prefix("http://").ok_or(refused)?, false),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
        let is_name = host.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.'
        });
        let is_here = host == "localhost" || host.ends_with(".localhost") || host == "127.0.0.1";
        let is_whole = !host.is_empty() && !host.starts_with('.') && port.parse::<u16>().is_ok();
        if !is_plain
            || !is_name
            || !is_whole
            || url.contains(['#', '\\'])
            || !(is_secure || is_here)
        {
            return Err(refused);
        }
        Ok(Self { url: url.to_owned(), host: authority.to_owned() })
    }

    /// The URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its host, with the port if one is named.
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// What a link or a QR code says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invitation {
    /// The request is to be fetched.
    Fetch {
        /// Whose it must be.
        client: String,
        /// From where. Whoever fetches it tells this host that they are there.
        from: Address,
    },
    /// The request is the link itself, and nobody signed it.
    Whole(Box<Claims>),
}

/// What a request says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    client_id: String,
    response_type: String,
    #[serde(default)]
    response_mode: String,
    #[serde(default)]
    response_uri: String,
    nonce: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    dcql_query: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_metadata: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aud: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iat: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exp: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transaction_data: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<String>,
}

/// Who asks, as far as anybody vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asker {
    /// The operator has registered it.
    Registered {
        /// What it is called.
        name: String,
        /// What it has told the operator it asks for.
        purpose: String,
    },
    /// Nobody vouches for it.
    Unknown {
        /// What it says it asks for: in its own words, checked by nobody.
        purpose: Option<String>,
    },
}

/// How the answer travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As a form.
    Plain,
    /// Encrypted to a key of the verifier, as a form.
    Encrypted(Encryption),
}

/// What an answer is encrypted with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    pub(super) key: PublicKey,
    pub(super) kid: Option<String>,
}

/// A request that can be shown to the person, and answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Who asks, for what purpose.
    pub asker: Asker,
    /// The audience of the answer.
    pub client: String,
    /// Makes the answer good for this request alone.
    pub nonce: String,
    /// What the verifier finds its own request again by.
    pub state: Option<String>,
    /// Where the answer goes.
    pub to: Address,
    /// How.
    pub mode: Mode,
    /// What is asked for.
    pub wanted: Wanted,
}

/// Why a request is not shown to anybody. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Larger than [`REQUEST_BYTES_MAX`].
    #[error("larger than {REQUEST_BYTES_MAX} bytes")]
    TooLarge,
    /// No link of a kind that is read, or without what it needs.
    #[error("not a request for a certificate")]
    Link,
    /// A URL that is neither of TLS nor of this machine, or hides its host.
    #[error("an address is not an https one")]
    Address,
    /// A request's signed part, or its signature.
    #[error("the request: {0}")]
    Jws(#[from] JwsError),
    /// Not the one the link names.
    #[error("the request is not by whom the link says")]
    OtherClient,
    /// Nobody here can tell who such a client is.
    #[error("clients are not known here by such a name")]
    UnknownPrefix,
    /// The operator's word is missing or not believed.
    #[error("who asks is not attested: {0}")]
    Attestation(#[from] AttestationError),
    /// The answer would go elsewhere than is attested.
    #[error("the answer would go somewhere that is not attested")]
    OtherAddress,
    /// A certificate of X.509 that is none, or not the named one.
    #[error("the request's certificate is not the one it names")]
    X509,
    /// Too late, or too early.
    #[error("the request has expired, or is not valid yet")]
    Expired,
    /// Something must be understood that is not.
    #[error("the request wants something that is not known here")]
    Unsupported,
    /// A nonce or state that is missing or no plain text.
    #[error("the request's nonce or state cannot be used")]
    Nonce,
    /// What is asked for.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl Invitation {
    /// Reads a link, such as `openid4vp://?client_id=..&request_uri=..`.
    ///
    /// # Errors
    /// [`RequestError::TooLarge`], [`RequestError::Link`] or [`RequestError::Address`].
    pub fn read(link: &str) -> Result<Self, RequestError> {
        if REQUEST_BYTES_MAX < link.len() {
            return Err(RequestError::TooLarge);
        }
        let is_known = SCHEMES.iter().any(|scheme| link.starts_with(scheme));
        let (_, query) = link.split_once('?').filter(|_| is_known).ok_or(RequestError::Link)?;
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(query).map_err(|_| RequestError::Link)?;
        let value = |name: &str| {
            let mut found = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
            found.next().filter(|_| found.next().is_none())
        };
        let client = value("client_id").ok_or(RequestError::Link)?;
        if let Some(from) = value("request_uri") {
            let from = Address::new(from)?;
            return Ok(Self::Fetch { client: client.clone(), from });
        }
        // Members that are JSON are JSON in the link, too.
        let member = |(name, value): &(String, String)| {
            let is_json = matches!(name.as_str(), "dcql_query" | "client_metadata");
            let read = if is_json { serde_json::from_str(value) } else { Ok(json!(value)) };
            read.map(|value| (name.clone(), value)).map_err(|_| RequestError::Link)
        };
        let members = pairs.iter().map(member).collect::<Result<serde_json::Map<_, _>, _>>()?;
        let claims = serde_json::from_value(Value::Object(members));
        Ok(Self::Whole(Box::new(claims.map_err(|_| RequestError::Link)?)))
    }
}

impl Request {
    /// Reads a signed request. `client`: whose it must be. `operator`: whose word makes a verifier registered.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn read(
        text: &str,
        client: &str,
        operator: &Trusted,
        now: Timestamp,
    ) -> Result<Self, RequestError> {
        if REQUEST_BYTES_MAX < text.len() {
            return Err(RequestError::TooLarge);
        }
        let unchecked = Unchecked::<Claims>::read(text.trim(), TYP)?;
        if unchecked.unchecked().client_id != client {
            return Err(RequestError::OtherClient);
        }
        let header = unchecked.header();
        if let Some(id) = client.strip_prefix(ATTESTED) {
            let word = header.jwt.as_deref().ok_or(AttestationError::UnknownAttester)?;
            let verifier = Verifier::read(word, operator, now)?;
            if verifier.id != id {
                return Err(RequestError::OtherClient);
            }
            let claims = unchecked.check(&verifier.key)?;
            if !verifier.addresses.contains(&claims.response_uri) {
                return Err(RequestError::OtherAddress);
            }
            let Verifier { name, purpose, .. } = verifier;
            Self::of(claims, Asker::Registered { name, purpose }, now)
        } else if let Some(hash) = client.strip_prefix(X509_HASH) {
            let leaf = header.x5c.as_ref().and_then(|chain| chain.first());
            let der = leaf.and_then(|leaf| base64::prelude::BASE64_STANDARD.decode(leaf).ok());
            let der = der.filter(|der| jws::encode(&Sha256::digest(der)) == hash);
            let key = PublicKey::from_x509(&der.ok_or(RequestError::X509)?);
            let claims = unchecked.check(&key.map_err(|_| RequestError::X509)?)?;
            Self::of_unknown(claims, now)
        } else {
            Err(RequestError::UnknownPrefix)
        }
    }

    /// Takes a request that is the link itself. Nobody has signed it, so its client is no more than the address the answer goes to.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn of_link(claims: Claims, now: Timestamp) -> Result<Self, RequestError> {
        let address = claims.client_id.strip_prefix(UNSIGNED);
        if address.ok_or(RequestError::UnknownPrefix)? != claims.response_uri {
            return Err(RequestError::OtherAddress);
        }
        Self::of_unknown(claims, now)
    }

    fn of_unknown(claims: Claims, now: Timestamp) -> Result<Self, RequestError> {
        let purpose = claims.purpose.clone().filter(|purpose| is_showable(purpose));
        Self::of(claims, Asker::Unknown { purpose }, now)
    }

    fn of(claims: Claims, asker: Asker, now: Timestamp) -> Result<Self, RequestError> {
        let is_late = claims.exp.is_some_and(|end| end <= now);
        let ahead = super::verify::AHEAD_SECONDS_MAX;
        let is_early =
            claims.iat.is_some_and(|made| now.seconds().saturating_add(ahead) < made.seconds());
        if is_late || is_early {
            return Err(RequestError::Expired);
        }
        let for_wallets = claims.aud.as_ref().is_none_or(|aud| *aud == json!(WALLETS));
        let is_plain = claims.response_type == "vp_token"
            && claims.transaction_data.is_none()
            && claims.redirect_uri.is_none();
        if !for_wallets || !is_plain {
            return Err(RequestError::Unsupported);
        }
        let mode = match claims.response_mode.as_str() {
            "direct_post" => Mode::Plain,
            "direct_post.jwt" => {
                let found = encryption(claims.client_metadata.as_ref());
                Mode::Encrypted(found.ok_or(RequestError::Unsupported)?)
            }
            _ => return Err(RequestError::Unsupported),
        };
        let is_text = |text: &str| {
            let is_plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
            is_plain && !text.is_empty() && text.len() <= TEXT_MAX
        };
        let is_state = claims.state.as_deref().is_none_or(is_text);
        if !is_text(&claims.nonce) || !is_state || !is_text(&claims.client_id) {
            return Err(RequestError::Nonce);
        }
        let to = Address::new(&claims.response_uri)?;
        let query: Query =
            serde_json::from_value(claims.dcql_query).map_err(|_| QueryError::OtherCredential)?;
        let wanted = query.wanted()?;
        let Claims { client_id: client, nonce, state, .. } = claims;
        Ok(Self { asker, client, nonce, state, to, mode, wanted })
    }
}

/// The key that an answer is to be encrypted to: of P-256, for ECDH-ES, with AES in GCM.
fn encryption(metadata: Option<&Value>) -> Option<Encryption> {
    let metadata = metadata?;
    let methods = metadata.get("encrypted_response_enc_values_supported");
    // Without a list it is A128GCM (OpenID4VP 1.0, section 5.1).
    let is_known = methods.is_none_or(|methods| {
        methods.as_array().is_some_and(|all| all.contains(&json!("A128GCM")))
    });
    let keys = metadata.get("jwks")?.get("keys")?.as_array().filter(|_| is_known)?;
    keys.iter().find_map(|key| {
        let jwk: Jwk = serde_json::from_value(key.clone()).ok()?;
        let is_ours = jwk.usage.as_deref().is_none_or(|usage| usage == "enc")
            && jwk.alg.as_deref().is_none_or(|alg| alg == "ECDH-ES");
        let key = PublicKey::try_from(&jwk).ok().filter(|_| is_ours)?;
        Some(Encryption { key, kid: jwk.kid })
    })
}

/// A request that a registered verifier makes.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    /// Who asks; the answer goes to its first address.
    pub verifier: &'a Verifier,
    /// The operator's word for it.
    pub attestation: &'a str,
    /// Random: makes the answer good for this request alone.
    pub nonce: &'a str,
    /// Random: what the request is found again by.
    pub state: &'a str,
    /// What is asked for.
    pub query: &'a Query,
}

impl Draft<'_> {
    /// The verifier's client id: the audience of the answer.
    pub fn client(&self) -> String {
        client_of(&self.verifier.id)
    }

    /// Signs it.
    pub fn sign(&self, key: &SecretKey, now: Timestamp) -> String {
        let client = self.client();
        let mut claims = json!({
            "iss": client, "aud": WALLETS, "client_id": client,
            "response_type": "vp_token", "response_mode": "direct_post",
            "nonce": self.nonce, "state": self.state, "dcql_query": self.query,
            "iat": now, "exp": now.seconds() + LIFETIME_SECONDS,
            "client_metadata": {"vp_formats_supported": {
                "dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]},
            }},
        });
        if let Some(address) = self.verifier.addresses.first() {
            claims["response_uri"] = json!(address);
        }
        let jwt = Some(self.attestation.to_owned());
        jws::sign(&Header { jwt, ..Header::new(TYP) }, &claims, key)
    }
}

/// The client id of a registered verifier.
pub fn client_of(id: &str) -> String {
    format!("{ATTESTED}{id}")
}

/// The link that makes a wallet fetch a request: what the QR code shows.
pub fn link(client: &str, from: &str) -> String {
    let query = serde_urlencoded::to_string([("client_id", client), ("request_uri", from)]);
    format!("openid4vp://?{}", query.expect("texts"))
}
