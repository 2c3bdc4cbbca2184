//! Invoices in the shape of BOLT11, for wallets that accept no other payment request. **Not Lightning**: signed by
//! a key of the demo rail, payable nowhere. One satoshi stands for one minor unit of whatever unit is meant.

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Fe32, Fe32IterExt, Hrp};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, SECP256K1, SecretKey};
use sha2::{Digest, Sha256};
use tacit_core::time::Timestamp;

/// What stands in each invoice for whoever decodes it.
const DESCRIPTION: &[u8] = b"Tacit demo, not Lightning";

/// Length of the longest invoice that is read; the checksum's own bound is 1,023.
const LENGTH_MAX: usize = 1023;

/// What a new invoice says.
#[derive(Clone, Debug)]
pub struct NewInvoice {
    /// Minor units, above 0.
    pub amount: u64,
    /// SHA-256 of the preimage that is evidence of payment.
    pub payment_hash: [u8; 32],
    /// Moment it is made.
    pub created: Timestamp,
    /// For how long it may be paid, in seconds.
    pub expiry_seconds: u32,
}

/// What is read of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// Minor units, above 0; parts of a satoshi are rounded up. `None` if the invoice names no amount.
    pub amount: Option<u64>,
    /// Names the payment.
    pub payment_hash: [u8; 32],
}

/// The text is no invoice in the shape of BOLT11.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an invoice in the shape of BOLT11")]
pub struct NotAnInvoice;

impl NewInvoice {
    /// The invoice, signed.
    ///
    /// `payment_secret`: 32 random bytes, as wallets expect them; nobody checks them here.
    ///
    /// # Errors
    /// [`NotAnInvoice`] if the amount is 0 or above 2^53 - 1.
    ///
    /// Source: BOLT 11, "Human-Readable Part", "Tagged Fields", "Signature"; BOLT 9 for the feature bits
    /// (8 `var_onion_optin`, 14 `payment_secret`, both compulsory).
    pub fn sign(&self, payment_secret: &[u8; 32], key: &SecretKey) -> Result<String, NotAnInvoice> {
        let amount = write_amount(self.amount).ok_or(NotAnInvoice)?;
        let hrp = Hrp::parse(&format!("lnbcrt{amount}")).map_err(|_| NotAnInvoice)?;
        let mut words = number_words(self.created.seconds(), 7);
        push_field(&mut words, b'p', &byte_words(&self.payment_hash));
        push_field(&mut words, b's', &byte_words(payment_secret));
        push_field(&mut words, b'd', &byte_words(DESCRIPTION));
        push_field(&mut words, b'x', &number_words(self.expiry_seconds.into(), 7));
        push_field(&mut words, b'c', &number_words(18, 1));
        push_field(&mut words, b'9', &number_words((1 << 14) | (1 << 8), 3));
        let mut signed = hrp.to_string().into_bytes();
        signed.extend(words.iter().copied().fes_to_bytes_padded());
        let digest = Message::from_digest(Sha256::digest(&signed).into());
        let signature: RecoverableSignature = SECP256K1.sign_ecdsa_recoverable(digest, key);
        let (recovery, compact) = signature.serialize_compact();
        let mut bytes = compact.to_vec();
        bytes.push(u8::try_from(i32::from(recovery)).expect("0 to 3"));
        words.extend(byte_words(&bytes));
        Ok(words.iter().copied().with_checksum::<Bech32>(&hrp).chars().collect())
    }
}

impl Invoice {
    /// Reads amount and payment hash; the checksum must hold. The signature is not looked at: nothing is
    /// owed to whoever made it.
    ///
    /// # Errors
    /// [`NotAnInvoice`].
    pub fn parse(text: &str) -> Result<Self, NotAnInvoice> {
        if text.len() > LENGTH_MAX {
            return Err(NotAnInvoice);
        }
        let checked = CheckedHrpstring::new::<Bech32>(text).map_err(|_| NotAnInvoice)?;
        let hrp: String = checked.hrp().lowercase_char_iter().collect();
        let amount = read_prefix(&hrp)?;
        let words: Vec<u8> = checked.fe32_iter().map(Fe32::to_u8).collect();
        // 7 words of time before the fields, 104 of signature behind them.
        let end = words.len().checked_sub(104).filter(|end| *end >= 7).ok_or(NotAnInvoice)?;
        let payment_hash = find_payment_hash(&words[7..end]).ok_or(NotAnInvoice)?;
        Ok(Self { amount, payment_hash })
    }
}

/// Satoshis as BOLT 11 writes them: the shortest of whole, milli, micro and nano bitcoins.
fn write_amount(satoshis: u64) -> Option<String> {
    if satoshis == 0 || satoshis > tacit_core::amount::Amount::MAX_VALUE {
        return None;
    }
    let steps = [(100_000_000, ""), (100_000, "m"), (100, "u")];
    let step = steps.iter().find(|(step, _)| satoshis.is_multiple_of(*step));
    Some(match step {
        Some((step, letter)) => format!("{}{letter}", satoshis / step),
        None => format!("{}n", satoshis * 10), // Below 2^53, times ten, fits.
    })
}

/// Amount of a human-readable part: `ln`, a network, digits with a multiplier. Rounded up to whole satoshis.
fn read_prefix(hrp: &str) -> Result<Option<u64>, NotAnInvoice> {
    let rest = hrp.strip_prefix("ln").ok_or(NotAnInvoice)?;
    let networks = ["bcrt", "tbs", "bc", "tb"]; // Longest first: `bcrt` begins with `bc`.
    let amount =
        networks.iter().find_map(|network| rest.strip_prefix(network)).ok_or(NotAnInvoice)?;
    if amount.is_empty() {
        return Ok(None);
    }
    // Millisatoshis of one in each multiplier; a pico-bitcoin is a tenth of one.
    let (digits, (times, per)) = match amount.char_indices().next_back() {
        Some((at, 'm')) => (&amount[..at], (100_000_000, 1)),
        Some((at, 'u')) => (&amount[..at], (100_000, 1)),
        Some((at, 'n')) => (&amount[..at], (100, 1)),
        Some((at, 'p')) => (&amount[..at], (1, 10)),
        Some(_) | None => (amount, (100_000_000_000, 1)),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.starts_with('0') {
        return Err(NotAnInvoice);
    }
    let count: u64 = digits.parse().map_err(|_| NotAnInvoice)?;
    let tenths = count.checked_mul(times).ok_or(NotAnInvoice)?;
    let satoshis = tenths.div_ceil(1000 * per);
    Ok(Some(satoshis).filter(|satoshis| *satoshis > 0))
}

/// The first field of tag `p` with the length a hash has. Fields of other lengths are to be skipped.
fn find_payment_hash(mut fields: &[u8]) -> Option<[u8; 32]> {
    let tag = Fe32::P.to_u8();
    while let [kind, high, low, rest @ ..] = fields {
        let length = usize::from(*high) * 32 + usize::from(*low);
        let (body, others) = rest.split_at_checked(length)?;
        if *kind == tag && length == 52 {
            let words = body.iter().map(|word| Fe32::try_from(*word).expect("five bits"));
            let bytes: Vec<u8> = words.fes_to_bytes().collect();
            return bytes.try_into().ok();
        }
        fields = others;
    }
    None
}

fn push_field(words: &mut Vec<Fe32>, tag: u8, body: &[Fe32]) {
    words.push(Fe32::from_char(char::from(tag)).expect("a letter of the alphabet"));
    words.extend(number_words(u64::try_from(body.len()).expect("short"), 2));
    words.extend_from_slice(body);
}

/// A number as so many words of five bits, the highest first.
fn number_words(number: u64, count: u32) -> Vec<Fe32> {
    let word = |place| u8::try_from((number >> (5 * place)) & 31).expect("five bits");
    (0..count).rev().map(|place| Fe32::try_from(word(place)).expect("five bits")).collect()
}

fn byte_words(bytes: &[u8]) -> Vec<Fe32> {
    use bech32::ByteIterExt;
    bytes.iter().copied().bytes_to_fes().collect()
}

/// Packs words into bytes, the last filled up with zero bits: what BOLT 11 signs.
trait PaddedBytes: Iterator<Item = Fe32> + Sized {
    fn fes_to_bytes_padded(self) -> Vec<u8> {
        let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
        for word in self {
            held = (held << 5) | u32::from(word.to_u8());
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push(u8::try_from((held >> bits) & 0xff).expect("eight bits"));
            }
        }
        if bits > 0 {
            bytes.push(u8::try_from((held << (8 - bits)) & 0xff).expect("eight bits"));
        }
        bytes
    }
}

impl<I: Iterator<Item = Fe32>> PaddedBytes for I {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn invoice(amount: u64) -> String {
        let new = NewInvoice {
            amount,
            payment_hash: [7; 32],
            created: Timestamp::from_seconds(1_800_000_000),
            expiry_seconds: 3600,
        };
        let key = SecretKey::from_byte_array([9; 32]).unwrap();
        new.sign(&[3; 32], &key).unwrap()
    }

    /// The example of BOLT 11, "Examples", "Please send $3 for a cup of coffee", 2500 micro-bitcoins.
    const COFFEE: &str = "lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqf\
                          qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8\
                          j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4v\
                          gpfna3rh";

    #[test]
    fn the_specifications_invoice_is_read() {
        let invoice = Invoice::parse(&COFFEE.replace(' ', "")).unwrap();
        assert_eq!(invoice.amount, Some(250_000));
        let hash = "0001020304050607080900010203040506070809000102030405060708090102";
        assert_eq!(tacit_core::hex::encode(&invoice.payment_hash), hash);
    }

    #[test]
    fn what_is_signed_is_read_back() {
        for amount in [1, 100, 1050, 100_000, 123_456_789, 100_000_000, (1 << 53) - 1] {
            let read = Invoice::parse(&invoice(amount)).unwrap();
            assert_eq!(read, Invoice { amount: Some(amount), payment_hash: [7; 32] });
        }
    }

    #[test]
    fn the_signature_is_by_the_key_over_what_is_shown() {
        let text = invoice(1050);
        let checked = CheckedHrpstring::new::<Bech32>(&text).unwrap();
        let words: Vec<Fe32> = checked.fe32_iter().collect();
        let (shown, signature) = words.split_at(words.len() - 104);
        let mut signed = checked.hrp().to_string().into_bytes();
        signed.extend(shown.iter().copied().fes_to_bytes_padded());
        let bytes: Vec<u8> = signature.iter().copied().fes_to_bytes().collect();
        let recovery = i32::from(bytes[64]).try_into().unwrap();
        let signature = RecoverableSignature::from_compact(&bytes[..64], recovery).unwrap();
        let digest = Message::from_digest(Sha256::digest(&signed).into());
        let key = SecretKey::from_byte_array([9; 32]).unwrap().public_key(SECP256K1);
        assert_eq!(SECP256K1.recover_ecdsa(digest, &signature), Ok(key));
    }

    #[test]
    fn damaged_or_foreign_texts_are_refused() {
        let good = invoice(1050);
        let damaged = good.replace("lnbcrt", "lnbc");
        for text in ["", "lnbc", "cashuB", damaged.as_str(), &good[..good.len() - 1]] {
            assert_eq!(Invoice::parse(text), Err(NotAnInvoice), "{text}");
        }
        assert_eq!(read_prefix("lnbc01u"), Err(NotAnInvoice));
        assert_eq!(read_prefix("lnbc99999999999999999999"), Err(NotAnInvoice));
        assert_eq!(read_prefix("lnbc9999999999"), Err(NotAnInvoice));
        assert_eq!(read_prefix("lnbc"), Ok(None));
        assert_eq!(read_prefix("lnbc15p"), Ok(Some(1)), "parts of a satoshi are rounded up");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*", words in "[02-9ac-hj-np-z]{0,200}") {
            _ = Invoice::parse(&text);
            _ = Invoice::parse(&format!("lnbcrt10n1{words}"));
            let fields: Vec<u8> = words.bytes().map(|byte| byte % 32).collect();
            _ = find_payment_hash(&fields);
        }
    }
}
