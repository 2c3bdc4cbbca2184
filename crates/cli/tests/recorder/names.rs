//! Every field of every message, and every column that a wallet's life changes: what it says, and why it may.

use serde_json::Value;

use crate::event::Holds::{self, Bytes, Plain, Receipt, Request, Text};
use crate::life::AMOUNTS;
use crate::town::wages;

/// The server's standard error.
pub(crate) const LOG: &str = "log";
/// What its lines tell of, while wallets live.
pub(crate) const EVENTS: [&str; 1] = ["the demo clock was moved"];

/// Scores that the demo's card is made for certificates of.
pub(crate) const THRESHOLDS: [u64; 8] = [546, 682, 740, 800, 835, 859, 884, 896];

/// What a place holds; nothing if nobody has declared it.
pub(crate) fn holds(place: &str) -> Option<Holds> {
    let of = |fields: &[Field]| fields.iter().find(|(name, ..)| *name == place).map(|it| it.1);
    of(HEADS).or_else(|| of(PASSPORT)).or_else(|| of(BILLS)).or_else(|| of(CASH))
}

type Field = (&'static str, Holds, &'static str);

/// Headers of both sides, and parts of paths.
const HEADS: &[Field] = &[
    ("ask header accept", Text, "json"),
    ("ask header authorization", Text, "an account's, by rule 14"),
    ("ask header content-length", Plain(digits), "of the body"),
    ("ask header content-type", Text, "json"),
    ("ask header host", Text, "whom it is to"),
    ("tell header access-control-allow-origin", Text, "any page"),
    ("tell header access-control-expose-headers", Text, "always retry-after: how long to wait"),
    ("tell header cache-control", Text, "none"),
    ("tell header content-length", Plain(digits), "of the body"),
    ("tell header content-security-policy", Text, "a rule for browsers"),
    ("tell header content-type", Text, "json"),
    ("tell header cross-origin-opener-policy", Text, "a rule for browsers"),
    ("tell header cross-origin-resource-policy", Text, "a rule for browsers"),
    ("tell header date", Plain(moment), "now: rule 15"),
    ("tell header referrer-policy", Text, "a rule for browsers"),
    ("tell header x-content-type-options", Text, "a rule for browsers"),
    ("tell header x-frame-options", Text, "a rule for browsers"),
    ("blank path", Text, "fixed"),
    ("bucket path", Plain(part), "the bucket: two bytes of what is looked for"),
    ("certify path", Text, "fixed"),
    ("contract path", Text, "the contract's number"),
    ("earned path", Text, "fixed"),
    ("enrol path", Text, "fixed"),
    ("income path", Text, "fixed"),
    ("info path", Text, "fixed"),
    ("issuer path", Text, "fixed"),
    ("keys path", Text, "a keyset's name"),
    ("keysets path", Text, "fixed"),
    ("mint path", Text, "fixed"),
    ("pay path", Text, "the contract's number, and the month"),
    ("place path", Text, "fixed"),
    ("quiet path", Text, "the contract's number, and the month"),
    ("quote path", Text, "fixed"),
    ("quoted path", Text, "the quote's name"),
    ("swap path", Text, "fixed"),
    ("terms path", Text, "fixed"),
    ("tick path", Text, "fixed"),
];

/// The passport desk, and certificates.
const PASSPORT: &[Field] = &[
    ("blank ask.request", Request, "a receipt is asked for, of nothing"),
    ("blank ask.sealed", Bytes, "nothing"),
    ("blank tell.reply", Receipt, "the receipt"),
    ("bucket tell.answers.reply", Bytes, "what was answered to somebody"),
    ("bucket tell.answers.sealed", Bytes, "what they open it with"),
    ("bucket tell.next", Plain(nothing), "that this is all"),
    ("certify ask.keys", Bytes, "keys of the certificates, new each time"),
    ("certify ask.request", Request, "card, threshold, age: the statement"),
    ("certify ask.sealed", Bytes, "what opens the reply"),
    ("certify tell.certificates.claim.nothing_overdue", Plain(flag), "the statement"),
    ("certify tell.certificates.claim.scorecard", Text, "the statement"),
    ("certify tell.certificates.claim.tenure_months", Plain(tenure), "the statement"),
    ("certify tell.certificates.claim.threshold", Plain(threshold), "the statement"),
    ("certify tell.certificates.header.alg", Text, "how it is signed"),
    ("certify tell.certificates.header.kid", Text, "the issuer's key"),
    ("certify tell.certificates.header.typ", Text, "what it is"),
    ("certify tell.certificates.payload._sd", Bytes, "hashes of the claims, salted"),
    ("certify tell.certificates.payload._sd_alg", Text, "of which hash"),
    ("certify tell.certificates.payload.cnf.jwk.crv", Text, "the curve"),
    ("certify tell.certificates.payload.cnf.jwk.kty", Text, "the kind of key"),
    ("certify tell.certificates.payload.cnf.jwk.x", Bytes, "the certificate's own key"),
    ("certify tell.certificates.payload.cnf.jwk.y", Bytes, "the certificate's own key"),
    ("certify tell.certificates.payload.exp", Plain(midnight), "a day: rule 15"),
    ("certify tell.certificates.payload.iat", Plain(midnight), "a day: rule 15"),
    ("certify tell.certificates.payload.iss", Text, "the issuer"),
    ("certify tell.certificates.payload.vct", Text, "what it is"),
    ("certify tell.certificates.salt", Bytes, "of one claim"),
    ("certify tell.certificates.signature", Bytes, "of one certificate"),
    ("certify tell.reply", Bytes, "the next passport"),
    ("earned tell.is_counted", Plain(flag), "whether the account's month was counted"),
    ("earned tell.month", Plain(month), "the clock"),
    ("earned tell.of", Plain(month), "the clock"),
    ("earned tell.units", Plain(income), "what the account earned, and nothing else"),
    ("enrol ask.access", Text, "an account's"),
    ("enrol ask.request", Request, "the holder's point, which the account keeps"),
    ("enrol ask.sealed", Bytes, "what opens the reply"),
    ("enrol tell.reply", Bytes, "the first passport"),
    ("income ask.request", Request, "units of the account's income"),
    ("income ask.sealed", Bytes, "what opens the reply"),
    ("income tell.reply", Bytes, "the next passport"),
    ("info tell.keys.epoch", Plain(small), "a year"),
    ("info tell.keys.id", Text, "the desk's keys"),
    ("info tell.keys.public", Bytes, "the desk's keys"),
    ("info tell.month", Plain(month), "the clock"),
    ("info tell.now", Plain(hour), "the clock"),
    ("info tell.paths.*", Text, "where a currency is"),
    ("info tell.scorecard.id", Text, "the card"),
    ("info tell.scorecard.tenures", Plain(small), "what certificates are made for"),
    ("info tell.scorecard.thresholds", Plain(threshold), "what certificates are made for"),
    ("info tell.units.*", Plain(unit_size), "a setting"),
    ("info tell.version", Plain(small), "of the protocols"),
    ("issuer tell.issuer", Text, "public"),
    ("issuer tell.jwks.keys.alg", Text, "public"),
    ("issuer tell.jwks.keys.crv", Text, "public"),
    ("issuer tell.jwks.keys.kid", Text, "public"),
    ("issuer tell.jwks.keys.kty", Text, "public"),
    ("issuer tell.jwks.keys.use", Text, "public"),
    ("issuer tell.jwks.keys.x", Bytes, "public"),
    ("issuer tell.jwks.keys.y", Bytes, "public"),
    ("issuer tell.verifier_attestation_jwks.keys.alg", Text, "public"),
    ("issuer tell.verifier_attestation_jwks.keys.crv", Text, "public"),
    ("issuer tell.verifier_attestation_jwks.keys.kid", Text, "public"),
    ("issuer tell.verifier_attestation_jwks.keys.kty", Text, "public"),
    ("issuer tell.verifier_attestation_jwks.keys.use", Text, "public"),
    ("issuer tell.verifier_attestation_jwks.keys.x", Bytes, "public"),
    ("issuer tell.verifier_attestation_jwks.keys.y", Bytes, "public"),
    ("place tell.mint", Text, "public"),
    ("terms tell.month", Plain(month), "the clock"),
    ("terms tell.since", Plain(month), "from when the passport counts"),
    ("tick ask.request", Request, "that some passport's month is over"),
    ("tick ask.sealed", Bytes, "what opens the reply"),
    ("tick tell.reply", Bytes, "the next passport"),
];

/// Contracts and their bills, which their biller knows.
const BILLS: &[Field] = &[
    ("contract tell.begun", Plain(month_text), "since when bills come"),
    ("contract tell.biller", Text, "its name"),
    ("contract tell.contract", Text, "the contract's number"),
    ("contract tell.description", Text, "what the biller calls it"),
    ("contract tell.ended", Plain(nothing), "that it goes on"),
    ("contract tell.months.bill", Plain(nothing), "that there is none"),
    ("contract tell.months.bill.amount", Plain(bill_amount), "rule 15"),
    ("contract tell.months.bill.due", Plain(due), "rule 15"),
    ("contract tell.months.bill.last", Plain(flag), "whether it is the last"),
    ("contract tell.months.bill.payment_request", Holds::Creq, "where it is paid"),
    ("contract tell.months.bill.state", Plain(state), "of this bill"),
    ("contract tell.months.bill.units", Plain(bill_units), "of this bill"),
    ("contract tell.months.month", Plain(month_text), "the clock"),
    ("contract tell.months.quiet", Plain(nothing), "that there is none"),
    ("contract tell.months.quiet.amount", Plain(zero), "that nothing was due"),
    ("contract tell.months.quiet.contract", Text, "the contract's number"),
    ("contract tell.months.quiet.last", Plain(flag), "whether it is the last"),
    ("contract tell.months.quiet.met", Plain(flag), "whether this contract has an open bill"),
    ("contract tell.months.subject", Bytes, "a name for contract and month"),
    ("contract tell.unit", Text, "the currency"),
    ("pay ask.mint", Text, "whose e-cash it is"),
    ("pay ask.proofs.C", Text, "e-cash"),
    ("pay ask.proofs.amount", Plain(denomination), "e-cash"),
    ("pay ask.proofs.id", Text, "the keyset"),
    ("pay ask.proofs.secret", Text, "e-cash"),
    ("pay ask.receipt.request", Request, "a receipt is asked for, of contract and month"),
    ("pay ask.receipt.sealed", Bytes, "what opens the reply"),
    ("pay ask.unit", Text, "the currency"),
    ("pay tell.receipt.reply", Receipt, "the receipt"),
    ("pay tell.state", Plain(state), "of this bill"),
    ("pay tell.unit", Text, "the currency"),
    ("quiet ask.request", Request, "a receipt is asked for, of contract and month"),
    ("quiet ask.sealed", Bytes, "what opens the reply"),
    ("quiet tell.reply", Receipt, "the receipt"),
];

/// E-cash.
const CASH: &[Field] = &[
    ("keys tell.keysets.active", Plain(flag), "public"),
    ("keys tell.keysets.id", Text, "public"),
    ("keys tell.keysets.input_fee_ppk", Plain(zero), "public"),
    ("keys tell.keysets.keys.*", Text, "public"),
    ("keys tell.keysets.unit", Text, "public"),
    ("keysets tell.keysets.active", Plain(flag), "public"),
    ("keysets tell.keysets.id", Text, "public"),
    ("keysets tell.keysets.input_fee_ppk", Plain(zero), "public"),
    ("keysets tell.keysets.unit", Text, "public"),
    ("mint ask.outputs.B_", Text, "blinded"),
    ("mint ask.outputs.amount", Plain(denomination), "e-cash"),
    ("mint ask.outputs.id", Text, "the keyset"),
    ("mint ask.quote", Text, "the quote's name"),
    ("mint ask.signature", Text, "by the quote's key"),
    ("mint tell.signatures.C_", Text, "blinded"),
    ("mint tell.signatures.amount", Plain(denomination), "e-cash"),
    ("mint tell.signatures.dleq.e", Text, "of this signature, never to be shown to the mint again"),
    ("mint tell.signatures.dleq.s", Text, "of this signature, never to be shown to the mint again"),
    ("mint tell.signatures.id", Text, "the keyset"),
    ("quote ask.amount", Plain(purse), "what is paid in"),
    ("quote ask.pubkey", Text, "the quote's key"),
    ("quote ask.unit", Text, "the currency"),
    ("quote tell.amount", Plain(purse), "what is paid in"),
    ("quote tell.amount_issued", Plain(purse), "how far it is"),
    ("quote tell.amount_paid", Plain(purse), "how far it is"),
    ("quote tell.expiry", Plain(second), "until when"),
    ("quote tell.method", Text, "how it is paid"),
    ("quote tell.pubkey", Text, "the quote's key"),
    ("quote tell.quote", Text, "the quote's name"),
    ("quote tell.request", Text, "how it is paid"),
    ("quote tell.state", Plain(state), "how far it is"),
    ("quote tell.unit", Text, "the currency"),
    ("quoted tell.amount", Plain(purse), "what is paid in"),
    ("quoted tell.amount_issued", Plain(purse), "how far it is"),
    ("quoted tell.amount_paid", Plain(purse), "how far it is"),
    ("quoted tell.expiry", Plain(second), "until when"),
    ("quoted tell.method", Text, "how it is paid"),
    ("quoted tell.pubkey", Text, "the quote's key"),
    ("quoted tell.quote", Text, "the quote's name"),
    ("quoted tell.request", Text, "how it is paid"),
    ("quoted tell.state", Plain(state), "how far it is"),
    ("quoted tell.unit", Text, "the currency"),
    ("swap ask.inputs.C", Text, "e-cash"),
    ("swap ask.inputs.amount", Plain(denomination), "e-cash"),
    ("swap ask.inputs.id", Text, "the keyset"),
    ("swap ask.inputs.secret", Text, "e-cash"),
    ("swap ask.outputs.B_", Text, "blinded"),
    ("swap ask.outputs.amount", Plain(denomination), "e-cash"),
    ("swap ask.outputs.id", Text, "the keyset"),
    ("swap tell.signatures.C_", Text, "blinded"),
    ("swap tell.signatures.amount", Plain(denomination), "e-cash"),
    ("swap tell.signatures.dleq.e", Text, "of this signature, never to be shown to the mint again"),
    ("swap tell.signatures.dleq.s", Text, "of this signature, never to be shown to the mint again"),
    ("swap tell.signatures.id", Text, "the keyset"),
];

/// What a plain number is, or may be.
fn number(value: &Value, fits: impl Fn(u64) -> bool) -> bool {
    value.as_u64().is_some_and(fits)
}

fn text(value: &Value, fits: impl Fn(&str) -> bool) -> bool {
    value.as_str().is_some_and(fits)
}

fn digits(value: &Value) -> bool {
    text(value, |it| it.parse::<u32>().is_ok())
}

fn part(value: &Value) -> bool {
    let fixed = ["v1", "passport", "answers"];
    text(value, |it| fixed.contains(&it) || it.parse::<u16>().is_ok())
}

/// `Mon, 23 Nov 2026 14:59:27 GMT`
fn moment(value: &Value) -> bool {
    text(value, |it| it.len() == 29 && it.ends_with(" GMT"))
}

fn nothing(value: &Value) -> bool {
    value.is_null()
}

fn flag(value: &Value) -> bool {
    value.is_boolean()
}

fn zero(value: &Value) -> bool {
    number(value, |it| it == 0)
}

fn small(value: &Value) -> bool {
    number(value, |it| it < 64)
}

/// Years of months.
fn month(value: &Value) -> bool {
    number(value, |it| it < 600)
}

fn hour(value: &Value) -> bool {
    number(value, |it| it.is_multiple_of(3600))
}

fn midnight(value: &Value) -> bool {
    number(value, |it| it.is_multiple_of(86_400))
}

fn second(value: &Value) -> bool {
    value.is_null() || number(value, |it| 1_000_000_000 < it)
}

fn tenure(value: &Value) -> bool {
    number(value, |it| it == 3)
}

fn threshold(value: &Value) -> bool {
    number(value, |it| THRESHOLDS.contains(&it))
}

fn income(value: &Value) -> bool {
    number(value, |it| it == 0 || (0..40).any(|month| wages(month) == it))
}

fn unit_size(value: &Value) -> bool {
    number(value, |it| it.is_multiple_of(10))
}

fn bill_amount(value: &Value) -> bool {
    number(value, |it| AMOUNTS.as_flattened().contains(&it))
}

fn bill_units(value: &Value) -> bool {
    number(value, |it| AMOUNTS.as_flattened().contains(&(it * 1000)))
}

fn purse(value: &Value) -> bool {
    number(value, |it| it == 0 || it == crate::life::PURSE)
}

fn denomination(value: &Value) -> bool {
    number(value, u64::is_power_of_two)
}

fn month_text(value: &Value) -> bool {
    text(value, |it| it.parse::<tacit_credit::passport::epoch::Epoch>().is_ok())
}

fn due(value: &Value) -> bool {
    text(value, |it| it.ends_with("-20") && it.parse::<tacit_core::time::Day>().is_ok())
}

fn state(value: &Value) -> bool {
    let states = ["open", "paid", "paid-late", "UNPAID", "PAID", "ISSUED"];
    text(value, |it| states.contains(&it))
}

/// Columns of rows that a life adds or changes.
pub(crate) const COLUMNS: &[(&str, &str)] = &[
    ("account.credits", "sum of an account"),
    ("account.debits", "sum of an account"),
    ("account.name", "an account's"),
    ("account.number", "an account's"),
    ("answer.bucket", "two bytes of a serial"),
    ("answer.keys", "a year"),
    ("answer.reply", "what was answered"),
    ("answer.request", "hash of a request"),
    ("answer.sealed", "what opens the reply"),
    ("bill.amount", "rule 15"),
    ("bill.contract", "the contract's number"),
    ("bill.due", "rule 15"),
    ("bill.last", "whether it is the last"),
    ("bill.month", "the month it is due in"),
    ("bill.state", "how far it is, no moment"),
    ("contract.begun", "since when bills come"),
    ("contract.ended", "until when"),
    ("contract.holder", "the biller"),
    ("contract.id", "the contract's number"),
    ("contract.unit", "the currency"),
    ("contract_paper.created", "a day"),
    ("contract_paper.description", "what the biller calls it"),
    ("contract_paper.ended", "until when"),
    ("contract_paper.id", "the contract's number"),
    ("contract_paper.merchant", "the biller"),
    ("contract_paper.number", "the biller's count"),
    ("contract_paper.reference", "what the biller calls it"),
    ("contract_paper.request_digest", "of the biller's request"),
    ("contract_paper.request_key", "of the biller's request"),
    ("contract_paper.state", "how far it is"),
    ("enrolment.access", "an account's: hash of its key"),
    ("enrolment.code", "an account's: hash of its code"),
    ("enrolment.expires", "until when the code counts"),
    ("enrolment.holder", "an account's: the holder's point"),
    ("enrolment.number", "how many passports the account had"),
    ("enrolment.person", "whose account"),
    ("holder.id", "an account's"),
    ("holder.key", "the biller's"),
    ("holder.kind", "what sort of account"),
    ("holder.level", "how well it is known"),
    ("holder.state", "whether it is open"),
    ("merchant.account", "the biller"),
    ("merchant.in_vault", "the biller"),
    ("merchant.lock_key", "the biller's"),
    ("merchant.name", "the biller"),
    ("merchant.naming_secret", "the biller's"),
    ("merchant.opened", "a day"),
    ("merchant.owner", "whose shop"),
    ("merchant.unit", "the currency"),
    ("merchant.webhook_secret", "the biller's"),
    ("merchant.webhook_url", "the biller's"),
    ("mint_quote.amount", "what is paid in"),
    ("mint_quote.expiry", "until when, to the hour"),
    ("mint_quote.id", "the quote's name"),
    ("mint_quote.method", "how it is paid"),
    ("mint_quote.outputs_digest", "hash of what was issued for it"),
    ("mint_quote.pubkey", "the quote's key"),
    ("mint_quote.request", "how it is paid"),
    ("mint_quote.state", "how far it is"),
    ("mint_quote.unit", "the currency"),
    ("shown.keys", "a year"),
    ("shown.name", "hash of a serial, of a holder's mark of a month, of what is counted once"),
    ("shown.request", "hash of the request that showed it"),
    ("signed.b_", "what was signed, blinded"),
    ("signed.era", "a stretch of days"),
    ("signed.exponent", "the denomination"),
    ("signed.keyset", "the keyset"),
    ("spent.era", "a stretch of days"),
    ("spent.exponent", "the denomination"),
    ("spent.keyset", "the keyset"),
    ("spent.y", "what was spent"),
    ("transfer.amount", "a bill, wages, what was paid in, or a day's swaps"),
    ("transfer.credit", "an account"),
    ("transfer.day", "a day"),
    ("transfer.debit", "an account"),
    ("transfer.id", "hash of what it is for"),
    ("transfer.kind", "what it is"),
    ("vault.commits", "how many there were"),
    ("vault.filter_salt", "the vault's"),
    ("vault.lineage", "the vault's"),
    ("vault.mint", "the mint's key"),
    ("vault.moved", "the vault's"),
    ("vault.one", "that there is one"),
    ("vault.open_day", "a day"),
];
