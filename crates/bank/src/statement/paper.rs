//! The paper of a payment: who, and what they wrote.

use std::fmt;

use super::{Direction, id};
use crate::document::Node;
use crate::iban::BankAccount;
use crate::reference::{self, Found};

/// What the bank says of a payment beside its amount. All texts are the bank's or the payer's: untrusted.
///
/// `Debug` shows which of it is there, nothing of what it says.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Paper {
    /// Who paid, or was paid.
    pub counterparty: Counterparty,
    /// `EndToEndId`, written by whoever gave the order: ours, if the payment is a payout of ours. Of a returned payment it
    /// is that of the original.
    pub end_to_end_id: Option<String>,
    /// `PmtInfId`: the group of an order file of ours.
    pub payment_information_id: Option<String>,
    /// Creditor references in the field that is meant for them, as they were written.
    pub structured: Vec<String>,
    /// Free text, in the lines that the bank cut it into.
    pub remittance: Vec<String>,
    /// What the bank itself adds to the payment or, if it is the only one, to the booking.
    pub additional: Vec<String>,
    /// That the payment is an earlier one that came back.
    pub returned: Option<Returned>,
}

/// The other side of a payment.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Counterparty {
    /// Its name.
    pub name: Option<String>,
    /// Its account.
    pub account: Option<BankAccount>,
}

/// Why a payment came back, in the bank's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Returned {
    /// A code of ISO 20022's list of external codes, such as `AC01` (account number wrong), or the bank's own.
    pub reason: Option<String>,
    /// What the bank adds.
    pub information: Vec<String>,
}

impl Paper {
    /// The reference of ours that the payment names, wherever the payer put it.
    pub fn reference(&self) -> Found {
        let whole = self.remittance.join("\n");
        let texts = [whole.as_str()].into_iter();
        let texts = texts.chain(self.structured.iter().map(String::as_str));
        let texts = texts.chain(self.end_to_end_id.as_deref());
        reference::find_in_all(texts.chain(self.additional.iter().map(String::as_str)))
    }
}

impl fmt::Debug for Paper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paper")
            .field("name", &self.counterparty.name.is_some())
            .field("account", &self.counterparty.account)
            .field("end_to_end_id", &self.end_to_end_id)
            .field("payment_information_id", &self.payment_information_id)
            .field("structured", &self.structured.len())
            .field("remittance", &self.remittance.len())
            .field("returned", &self.returned)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Counterparty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_ref().map(|_| "..");
        f.debug_struct("Counterparty").field("name", &name).field("account", &self.account).finish()
    }
}

/// The paper of one payment: of `TxDtls`, or of `Ntry` if the booking has no details.
pub(super) fn read(
    entry: &Node<'_>,
    detail: Option<&Node<'_>>,
    own_account: &BankAccount,
    direction: Direction,
) -> Paper {
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<String>>();
    let Some(detail) = detail else {
        return Paper {
            additional: owned(texts(entry, "AddtlNtryInf")),
            returned: returned(entry, entry),
            ..Paper::default()
        };
    };
    let information = detail.at(&["RmtInf"]);
    let structured = information.into_iter().flat_map(|information| information.all("Strd"));
    let structured = structured.filter_map(|one| one.text_at(&["CdtrRefInf", "Ref"]));
    let remittance = information.map(|information| texts(information, "Ustrd")).unwrap_or_default();
    let batch = entry.at(&["NtryDtls", "Btch"]);
    let group = detail.text_at(&["Refs", "PmtInfId"]);
    let group = group.or_else(|| batch.and_then(|batch| batch.text_at(&["PmtInfId"])));
    Paper {
        counterparty: counterparty(detail, own_account, direction),
        end_to_end_id: id::meaningful(detail.text_at(&["Refs", "EndToEndId"])).map(str::to_owned),
        payment_information_id: id::meaningful(group).map(str::to_owned),
        structured: owned(structured.collect()),
        remittance: owned(remittance),
        additional: owned(texts(detail, "AddtlTxInf")),
        returned: returned(entry, detail),
    }
}

/// Texts of all children of a name.
fn texts<'n>(node: &'n Node<'_>, name: &'n str) -> Vec<&'n str> {
    node.all(name).filter_map(Node::text).collect()
}

/// The party on the other side: by direction, but never the one whose account is our own (a payout that came back may
/// name the parties of the original).
fn counterparty(detail: &Node<'_>, own: &BankAccount, direction: Direction) -> Counterparty {
    let (debtor, creditor) = (party(detail, "Dbtr"), party(detail, "Cdtr"));
    let (first, second) = match direction {
        Direction::Credit => (debtor, creditor),
        Direction::Debit => (creditor, debtor),
    };
    if first.account.as_ref() == Some(own) { second } else { first }
}

/// One of the parties; from version 08 on its name stands one level deeper.
fn party(detail: &Node<'_>, role: &str) -> Counterparty {
    let Some(parties) = detail.at(&["RltdPties"]) else { return Counterparty::default() };
    let name = parties.text_at(&[role, "Nm"]).or_else(|| parties.text_at(&[role, "Pty", "Nm"]));
    let account = format!("{role}Acct");
    let number = [&["Id", "IBAN"][..], &["Id", "Othr", "Id"]];
    let number = number.iter().find_map(|path| parties.at(&[&account])?.text_at(path));
    Counterparty { name: name.map(str::to_owned), account: number.and_then(BankAccount::named) }
}

/// Whether a payment came back: it says why, or its code is that of returns.
fn returned(entry: &Node<'_>, detail: &Node<'_>) -> Option<Returned> {
    let code = |node: &Node<'_>| {
        node.text_at(&["BkTxCd", "Domn", "Fmly", "SubFmlyCd"]).map(|code| code == "RRTN")
    };
    let by_code = code(detail).or_else(|| code(entry)).unwrap_or(false);
    let Some(information) = detail.at(&["RtrInf"]) else {
        return by_code.then(Returned::default);
    };
    let reason =
        information.text_at(&["Rsn", "Cd"]).or_else(|| information.text_at(&["Rsn", "Prtry"]));
    Some(Returned {
        reason: reason.map(str::to_owned),
        information: texts(information, "AddtlInf").into_iter().map(str::to_owned).collect(),
    })
}
