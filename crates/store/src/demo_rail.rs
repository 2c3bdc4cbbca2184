//! The demo rail: plays the world outside in trials and tests. No real money moves.
//!
//! It keeps its own file, because a rail outlives the mint's process: killed at any moment and asked again, the mint
//! must find what became of its payments here, as it would at a bank.
//!
//! What a payee's name begins with decides what happens: `fails`, `slow` (a minute), `dear` (costs more than its
//! reserve, so it is not paid). Everybody else is paid after about a second, for half of the reserve.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use secp256k1::SecretKey;
use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::time::{Clock, Timestamp};
use tacit_core::unit::Unit;
use tacit_service::invoice::{Invoice, NewInvoice};
use tacit_service::payto::{Payto, PaytoError};
use tacit_service::quote::{Method, QuoteId};
use tacit_service::rail::{Offer, Payment, PaymentId, PaymentStatus, Rail, RailError};

/// Its tables. The file is a demo's, so it has one version.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS payment (
    quote BLOB NOT NULL, attempt INTEGER NOT NULL, target BLOB NOT NULL, settles INTEGER NOT NULL,
    fee INTEGER, evidence TEXT, PRIMARY KEY (quote, attempt)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS invoice (hash BLOB PRIMARY KEY, preimage BLOB NOT NULL) STRICT, WITHOUT ROWID;
";

/// How long a payment takes, and one to `slow`.
const DELAY_SECONDS: u64 = 1;
const SLOW_SECONDS: u64 = 60;

/// For how long an invoice says it may be paid.
const INVOICE_SECONDS: u32 = 3600;

/// The demo rail in its file.
pub struct DemoRail {
    connection: Mutex<Connection>,
    clock: Arc<dyn Clock>,
    delay: Duration,
    seed: Secret<[u8; 32]>,
    key: Secret<SecretKey>,
}

/// Whom a request pays, and how.
struct Target {
    amount: u64,
    /// Names what can be paid once only; `None` for a person, who can be paid any number of times.
    invoice: Option<[u8; 32]>,
    name: String,
}

impl DemoRail {
    /// Opens the rail's file at `path`, or makes it.
    ///
    /// `seed`: 32 secret bytes from which preimages and the invoices' key are drawn. A payment takes about a second.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn open(
        path: &Path,
        clock: Arc<dyn Clock>,
        seed: &Secret<[u8; 32]>,
    ) -> Result<Self, rusqlite::Error> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.execute_batch(SCHEMA)?;
        let drawn = draw(seed, b"key", &[]);
        // 2^-128 of all seeds draw no key; those get a fixed one, for what it signs is worth nothing.
        let key = SecretKey::from_byte_array(drawn)
            .unwrap_or(SecretKey::from_byte_array([1; 32]).expect("1 is a scalar"));
        Ok(Self {
            connection: Mutex::new(connection),
            clock,
            delay: Duration::from_secs(DELAY_SECONDS),
            seed: seed.clone(),
            key: Secret::new(key),
        })
    }

    /// The same rail, taking this long for a payment.
    #[must_use]
    pub fn with_delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// An invoice of the demo, for wallets to pay. `nonce`: 16 random bytes that make it another one each time.
    ///
    /// # Errors
    /// [`RailError::NoAmount`] if the amount is 0 or too large, [`RailError::Unreachable`] if the file fails.
    pub fn invoice(&self, amount: u64, nonce: &[u8; 16]) -> Result<String, RailError> {
        let preimage = draw(&self.seed, b"preimage", nonce);
        let payment_hash: [u8; 32] = Sha256::digest(preimage).into();
        let new = NewInvoice {
            amount,
            payment_hash,
            created: self.clock.now(),
            expiry_seconds: INVOICE_SECONDS,
        };
        let payment_secret = draw(&self.seed, b"payment secret", nonce);
        let text = new.sign(&payment_secret, self.key.expose()).map_err(|_| RailError::NoAmount)?;
        let insert = "INSERT INTO invoice (hash, preimage) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.connection().execute(insert, params![payment_hash, preimage]).map_err(unreachable)?;
        Ok(text)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // Each statement is whole by itself, so a panic in between left nothing half done.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a payment will end, decided when it is submitted: the fee, or `None` if it fails.
    fn fee(target: &Target, payment: &Payment) -> Option<u64> {
        let cost = if target.name.starts_with("dear") {
            payment.fee_max + 1
        } else {
            payment.fee_max / 2 // The floor is meant: the rail's rounding is in the payer's favour.
        };
        let fails = target.name.starts_with("fails") || target.amount != payment.amount;
        (!fails && cost <= payment.fee_max).then_some(cost)
    }

    fn evidence(
        connection: &Connection,
        target: &Target,
        id: PaymentId,
    ) -> rusqlite::Result<String> {
        let find = "SELECT preimage FROM invoice WHERE hash = ?1";
        let preimage = |hash| connection.query_row(find, [hash], |row| row.get(0)).optional();
        if let Some(preimage) = target.invoice.map(preimage).transpose()?.flatten() {
            let preimage: [u8; 32] = preimage;
            return Ok(hex::encode(&preimage));
        }
        // Somebody else's invoice, or a person: a reference, as a bank would give.
        let digest = Sha256::new_with_prefix(b"tacit/demo-reference/v1")
            .chain_update(id.quote.as_bytes())
            .chain_update(id.attempt.to_be_bytes())
            .finalize();
        Ok(hex::encode(&digest))
    }

    fn submit(&self, payment: &Payment, target: &Target) -> rusqlite::Result<()> {
        let mut connection = self.connection();
        let change = connection.transaction()?;
        let taken = "SELECT 1 FROM payment WHERE target = ?1 AND fee IS NOT NULL AND (quote, attempt) <> (?2, ?3)";
        let key = params![target.invoice, payment.id.quote.as_bytes(), payment.id.attempt];
        let is_taken = target.invoice.is_some() && change.prepare(taken)?.exists(key)?;
        let fee = Self::fee(target, payment).filter(|_| !is_taken);
        let evidence = fee.map(|_| Self::evidence(&change, target, payment.id)).transpose()?;
        let seconds =
            if target.name.starts_with("slow") { SLOW_SECONDS } else { self.delay.as_secs() };
        let settles = self.clock.now().after(Duration::from_secs(seconds));
        let insert = "INSERT INTO payment (quote, attempt, target, settles, fee, evidence)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
        let target = target.invoice.map_or(Vec::new(), |hash| hash.to_vec());
        let id = payment.id;
        let row =
            params![id.quote.as_bytes(), id.attempt, target, settles.seconds(), fee, evidence];
        change.execute(insert, row)?;
        change.commit()
    }
}

impl Rail for DemoRail {
    fn request(
        &self,
        quote: QuoteId,
        method: Method,
        unit: Unit,
        amount: u64,
    ) -> Result<String, RailError> {
        // Drawn from the quote's id, and not to be turned back into it: the id is the right to the e-cash.
        let drawn = draw(&self.seed, b"request", quote.as_bytes());
        let nonce = drawn[..16].try_into().expect("16 of 32 bytes");
        match method {
            Method::Bolt11 => self.invoice(amount, &nonce),
            Method::Bank => {
                Ok(format!("TACIT-DEMO-{}-{unit}-{amount}", hex::encode(&drawn[16..24])))
            }
        }
    }

    fn offer(&self, method: Method, unit: Unit, request: &str) -> Result<Offer, RailError> {
        let target = read(method, unit, request)?;
        if let Some(hash) = target.invoice {
            let paid = "SELECT 1 FROM payment WHERE target = ?1 AND fee IS NOT NULL";
            let is_paid = self.connection().prepare(paid).and_then(|mut paid| paid.exists([hash]));
            if is_paid.map_err(unreachable)? {
                return Err(RailError::AlreadyPaid);
            }
        }
        Ok(Offer { amount: target.amount, fee_reserve: target.amount.div_ceil(100) })
    }

    fn pay(&self, payment: &Payment) -> Result<PaymentStatus, RailError> {
        let target = read(payment.method, payment.unit, &payment.request)?;
        self.submit(payment, &target).map_err(unreachable)?;
        self.status(payment.id)
    }

    fn status(&self, id: PaymentId) -> Result<PaymentStatus, RailError> {
        let find = "SELECT settles, fee, evidence FROM payment WHERE quote = ?1 AND attempt = ?2";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let found = self
            .connection()
            .query_row(find, params![id.quote.as_bytes(), id.attempt], read)
            .optional()
            .map_err(unreachable)?;
        let now = self.clock.now();
        Ok(match found {
            None => PaymentStatus::Unknown,
            Some((settles, ..)) if now < Timestamp::from_seconds(settles) => {
                PaymentStatus::InFlight
            }
            Some((_, Some(fee), evidence)) => PaymentStatus::Paid { fee, evidence },
            Some((_, None, _)) => PaymentStatus::Failed,
        })
    }
}

fn read(method: Method, unit: Unit, request: &str) -> Result<Target, RailError> {
    match method {
        Method::Bolt11 => {
            let invoice = Invoice::parse(request).map_err(|_| RailError::BadRequest)?;
            let amount = invoice.amount.ok_or(RailError::NoAmount)?;
            Ok(Target { amount, invoice: Some(invoice.payment_hash), name: String::new() })
        }
        Method::Bank => {
            let payto = Payto::parse(request).map_err(|error| match error {
                PaytoError::NoAmount => RailError::NoAmount,
                PaytoError::Form | PaytoError::BadAmount => RailError::BadRequest,
            })?;
            if payto.kind != "demo" {
                return Err(RailError::BadRequest);
            }
            if payto.amount.unit() != unit {
                return Err(RailError::WrongUnit);
            }
            Ok(Target { amount: payto.amount.value(), invoice: None, name: payto.name })
        }
    }
}

fn draw(seed: &Secret<[u8; 32]>, purpose: &[u8], context: &[u8]) -> [u8; 32] {
    use hmac::{Hmac, KeyInit, Mac};
    let keyed = Hmac::<Sha256>::new_from_slice(seed.expose()).expect("HMAC takes any key");
    let tag =
        keyed.chain_update(b"tacit/demo-rail/v1|").chain_update(purpose).chain_update(context);
    tag.finalize().into_bytes().into()
}

fn unreachable(error: rusqlite::Error) -> RailError {
    RailError::Unreachable(Box::new(error))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    struct StoppedClock(AtomicU64);

    impl Clock for StoppedClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_seconds(self.0.load(Ordering::Relaxed))
        }
    }

    struct Bench {
        folder: tempfile::TempDir,
        clock: Arc<StoppedClock>,
        unit: Unit,
    }

    impl Bench {
        fn new() -> Self {
            let clock = Arc::new(StoppedClock(AtomicU64::new(1_800_000_000)));
            Self { folder: tempfile::tempdir().unwrap(), clock, unit: Unit::new("usd").unwrap() }
        }

        /// Opened again each time: the rail remembers in its file, not in the process.
        fn rail(&self) -> DemoRail {
            let path = self.folder.path().join("demo-rail.sqlite");
            DemoRail::open(&path, self.clock.clone(), &Secret::new([5; 32])).unwrap()
        }

        fn wait(&self, seconds: u64) {
            self.clock.0.fetch_add(seconds, Ordering::Relaxed);
        }

        fn payment(&self, number: u8, method: Method, request: &str) -> Payment {
            let offer = self.rail().offer(method, self.unit, request).unwrap();
            let id = PaymentId { quote: QuoteId::from_random([number; 16]), attempt: 1 };
            let (amount, fee_max) = (offer.amount, offer.fee_reserve);
            Payment { id, unit: self.unit, method, request: request.to_owned(), amount, fee_max }
        }
    }

    #[test]
    fn a_payment_settles_after_its_delay_and_once() {
        let bench = Bench::new();
        let payment = bench.payment(1, Method::Bank, "payto://demo/alice?amount=usd:10.50");
        assert_eq!(bench.rail().status(payment.id).unwrap(), PaymentStatus::Unknown);
        assert_eq!(bench.rail().pay(&payment).unwrap(), PaymentStatus::InFlight);
        bench.wait(1);
        let PaymentStatus::Paid { fee, evidence } = bench.rail().pay(&payment).unwrap() else {
            panic!("paid after a second")
        };
        assert_eq!((payment.amount, payment.fee_max, fee), (1050, 11, 5));
        assert_eq!(bench.rail().status(payment.id).unwrap(), PaymentStatus::Paid { fee, evidence });
    }

    /// "Rug the mints": a payout that cost more than its reserve drained the mint.
    #[test]
    fn payout_dearer_than_reserve_is_refused() {
        let bench = Bench::new();
        let payment = bench.payment(1, Method::Bank, "payto://demo/dear-bank?amount=usd:10.50");
        bench.rail().pay(&payment).unwrap();
        bench.wait(1);
        assert_eq!(bench.rail().status(payment.id).unwrap(), PaymentStatus::Failed);
    }

    #[test]
    fn names_decide_what_happens() {
        let bench = Bench::new();
        let fails = bench.payment(1, Method::Bank, "payto://demo/fails?amount=usd:1");
        let slow = bench.payment(2, Method::Bank, "payto://demo/slow?amount=usd:1");
        bench.rail().pay(&fails).unwrap();
        bench.rail().pay(&slow).unwrap();
        bench.wait(2);
        assert_eq!(bench.rail().status(fails.id).unwrap(), PaymentStatus::Failed);
        assert_eq!(bench.rail().status(slow.id).unwrap(), PaymentStatus::InFlight);
        bench.wait(60);
        assert!(matches!(bench.rail().status(slow.id).unwrap(), PaymentStatus::Paid { .. }));
    }

    #[test]
    fn an_invoice_is_paid_once_and_its_preimage_proves_it() {
        let bench = Bench::new();
        let invoice = bench.rail().invoice(250, &[1; 16]).unwrap();
        let payment = bench.payment(1, Method::Bolt11, &invoice);
        let again = bench.payment(2, Method::Bolt11, &invoice);
        bench.rail().pay(&payment).unwrap();
        bench.rail().pay(&again).unwrap();
        bench.wait(1);
        let PaymentStatus::Paid { evidence: Some(evidence), .. } =
            bench.rail().status(payment.id).unwrap()
        else {
            panic!("paid, with a preimage")
        };
        let preimage: [u8; 32] = hex::decode(&evidence).unwrap();
        let hash: [u8; 32] = Sha256::digest(preimage).into();
        assert_eq!(Invoice::parse(&invoice).unwrap().payment_hash, hash);
        assert_eq!(bench.rail().status(again.id).unwrap(), PaymentStatus::Failed);
        let offer = bench.rail().offer(Method::Bolt11, bench.unit, &invoice);
        assert!(matches!(offer, Err(RailError::AlreadyPaid)));
    }

    #[test]
    fn what_cannot_be_paid_gets_no_offer() {
        let bench = Bench::new();
        let offer = |method, request: &str| bench.rail().offer(method, bench.unit, request);
        assert!(matches!(offer(Method::Bank, "alice"), Err(RailError::BadRequest)));
        let iban = "payto://iban/DE1?amount=usd:1";
        assert!(matches!(offer(Method::Bank, iban), Err(RailError::BadRequest)));
        let euros = "payto://demo/alice?amount=eur:1";
        assert!(matches!(offer(Method::Bank, euros), Err(RailError::WrongUnit)));
        assert!(matches!(offer(Method::Bank, "payto://demo/alice"), Err(RailError::NoAmount)));
        assert!(matches!(offer(Method::Bolt11, "lnbc"), Err(RailError::BadRequest)));
    }
}
