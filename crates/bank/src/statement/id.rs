//! What a booking is known by, in whichever file and however often it comes.

use std::fmt;

use sha2::{Digest, Sha256};
use tacit_core::amount::Amount;
use tacit_core::hex;

use super::{Direction, References};
use crate::document::Node;
use crate::iban::BankAccount;

/// Names of what is hashed, so that no digest of one kind is one of another.
const ENTRY: &[u8] = b"tacit/bank/entry/1";
const PART: &[u8] = b"tacit/bank/part/1";

/// SHA-256 of the account, the bank's own reference, direction and amount of a booking; for one payment of several in a
/// booking, of the booking's id and what tells the payment from the others.
///
/// Reference alone would not do: some banks give a payment, its charge and its reversal the same one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId([u8; 32]);

impl EntryId {
    /// The id that was kept as these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// In hexadecimal.
impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryId({self})")
    }
}

/// Digest of fields, each with its length before it.
fn digest(domain: &[u8], fields: &[&[u8]]) -> EntryId {
    let mut hash = Sha256::new_with_prefix(domain);
    for field in fields {
        hash.update(field.len().to_be_bytes());
        hash.update(field);
    }
    EntryId(hash.finalize().into())
}

/// References of a payment that one party makes unique, best first: the account's own bank, the network, the sender's
/// bank. `EndToEndId` is none of them: each payer writes what it likes.
const REFERENCES: [(&str, &[&str]); 3] = [
    ("AcctSvcrRef", &["Refs", "AcctSvcrRef"]),
    ("UETR", &["Refs", "UETR"]),
    ("TxId", &["Refs", "TxId"]),
];

/// What a bank writes where it has nothing to write.
const PLACEHOLDERS: [&str; 8] =
    ["NOTPROVIDED", "NOT PROVIDED", "NONREF", "NOREF", "NOTAVAILABLE", "N/A", "NA", "NONE"];

/// A reference that refers to something: neither a placeholder nor only zeros and signs.
pub(super) fn meaningful(reference: Option<&str>) -> Option<&str> {
    let reference = reference?.trim();
    let says = reference.chars().any(|character| character.is_alphanumeric() && character != '0');
    let is_placeholder = PLACEHOLDERS.iter().any(|known| reference.eq_ignore_ascii_case(known));
    Some(reference).filter(|_| says && !is_placeholder)
}

/// What a bank calls a booking, with the name of the element that says so.
pub(super) struct Reference {
    kind: &'static str,
    text: String,
}

/// The reference of a booking.
///
/// `entry`: `Ntry`; `details`: all its `TxDtls`.
///
/// Its own `AcctSvcrRef`, which ISO 20022 has for that; else, together, the references of its payments, if each has one of
/// the same kind; else, if that is allowed, its `NtryRef`.
pub(super) fn of_entry(
    entry: &Node<'_>,
    details: &[&Node<'_>],
    references: References,
) -> Option<Reference> {
    let single = |kind, name| {
        meaningful(entry.text_at(&[name])).map(|text| Reference { kind, text: text.to_owned() })
    };
    let of_details = || {
        REFERENCES.iter().find_map(|(kind, path)| {
            let all: Option<Vec<&str>> =
                details.iter().map(|detail| meaningful(detail.text_at(path))).collect();
            let mut all = all.filter(|all| !all.is_empty())?;
            all.sort_unstable(); // Banks do not promise an order.
            Some(Reference { kind, text: all.join("\n") })
        })
    };
    let own = single(REFERENCES[0].0, "AcctSvcrRef").or_else(of_details);
    match references {
        References::Standard => own,
        References::EntryReference => own.or_else(|| single("NtryRef", "NtryRef")),
    }
}

impl Reference {
    /// The id of the booking.
    pub(super) fn id(
        &self,
        account: &BankAccount,
        direction: Direction,
        amount: Amount,
    ) -> EntryId {
        let direction: &[u8] = match direction {
            Direction::Credit => b"CRDT",
            Direction::Debit => b"DBIT",
        };
        digest(
            ENTRY,
            &[
                account.as_str().as_bytes(),
                self.kind.as_bytes(),
                self.text.as_bytes(),
                direction,
                amount.unit().code().as_bytes(),
                &amount.value().to_be_bytes(),
            ],
        )
    }
}

/// Ids of the payments of a booking, in their order.
///
/// By the first kind of reference that each has and that tells them apart; else by all that is written of each. Those
/// that are the same in everything are counted: which of them is which does not matter then.
pub(super) fn of_parts(entry: EntryId, details: &[&Node<'_>], contents: &[String]) -> Vec<EntryId> {
    if let [_] = details {
        return vec![entry];
    }
    let payers: (&str, &[&str]) = ("EndToEndId", &["Refs", "EndToEndId"]);
    let references = REFERENCES.iter().chain([&payers]);
    for (kind, path) in references {
        let all: Option<Vec<&str>> =
            details.iter().map(|detail| meaningful(detail.text_at(path))).collect();
        let Some(all) = all else { continue };
        let mut sorted = all.clone();
        sorted.sort_unstable();
        if sorted.windows(2).all(|pair| pair[0] != pair[1]) {
            let id = |own: &str| digest(PART, &[entry.as_bytes(), kind.as_bytes(), own.as_bytes()]);
            return all.into_iter().map(id).collect();
        }
    }
    let mut seen = std::collections::HashMap::<&str, u64>::new();
    let id = |content: &String, count: u64| {
        digest(PART, &[entry.as_bytes(), b"content", content.as_bytes(), &count.to_be_bytes()])
    };
    let mut ids = Vec::with_capacity(contents.len());
    for content in contents {
        let count = seen.entry(content).or_default();
        ids.push(id(content, *count));
        *count += 1;
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_refer_to_nothing() {
        for text in ["", " ", "NOTPROVIDED", "notprovided", "NONREF", "0", "000-000", "--", "."] {
            assert_eq!(meaningful(Some(text)), None, "{text:?}");
        }
        assert_eq!(meaningful(Some(" 1234 ")), Some("1234"));
        assert_eq!(meaningful(None), None);
    }

    #[test]
    fn fields_do_not_flow_into_each_other() {
        assert_ne!(digest(ENTRY, &[b"ab", b"c"]), digest(ENTRY, &[b"a", b"bc"]));
        assert_ne!(digest(ENTRY, &[b"a"]), digest(PART, &[b"a"]));
        let id = digest(ENTRY, &[b"a"]);
        assert_eq!(EntryId::from_bytes(*id.as_bytes()), id);
        assert_eq!(id.to_string().len(), 64);
    }
}
