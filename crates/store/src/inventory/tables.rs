//! Tables that both kinds of vault have alike, and how lists of declarations become one.

use tacit_service::inventory::Declaration;

use super::{EDGE, FOR_GOOD, HOLD, MELT, ORDER, OUT, QUOTE, SEAL, column, table};

pub(super) const KEYSET: [Declaration; 9] = [
    table("keyset", "Keysets, by number.", FOR_GOOD),
    column("keyset.number", "The short number other rows name it by.", "all", FOR_GOOD),
    column("keyset.id", "Its public name (NUT-02).", "mint", FOR_GOOD),
    column("keyset.unit", "What its amounts count.", "mint, verify", FOR_GOOD),
    column(
        "keyset.unit_index",
        "Which of the unit's keysets: its keys are derived from it and the seed.",
        "mint",
        FOR_GOOD,
    ),
    column("keyset.orders", "How many denominations it has.", "mint, verify", FOR_GOOD),
    column("keyset.input_fee_ppk", "Fee for each input, in thousandths.", "mint", FOR_GOOD),
    column(
        "keyset.final_expiry",
        "When it stops being redeemable at the mint, if ever.",
        "mint, writer",
        FOR_GOOD,
    ),
    column(
        "keyset.state",
        "Active, inactive, closed or sealed; it only moves on.",
        "mint, writer, verify",
        FOR_GOOD,
    ),
];

pub(super) const SEALED_KEYSET: [Declaration; 6] = [
    table("sealed_keyset", "Signed totals of closed keysets.", FOR_GOOD),
    column("sealed_keyset.keyset", "Which keyset.", "verify", FOR_GOOD),
    column("sealed_keyset.issued", "What it issued in all.", "verify", FOR_GOOD),
    column("sealed_keyset.redeemed", "What came back.", "verify", FOR_GOOD),
    column(
        "sealed_keyset.outstanding",
        "What did not: owed at the desk.",
        "verify, desk",
        FOR_GOOD,
    ),
    column("sealed_keyset.signature", "The mint's signature under the three.", "verify", FOR_GOOD),
];

pub(super) const PREIMAGE: [Declaration; 4] = [
    table(
        "preimage",
        "What opened hash locks: the sender of a locked proof may ask for it (NUT-14).",
        SEAL,
    ),
    column("preimage.y", "Name of the proof.", "state checks (NUT-07)", SEAL),
    column("preimage.keyset", "Keyset of the proof, to know when to drop this.", "writer", SEAL),
    column("preimage.preimage", "The preimage.", "state checks (NUT-07)", SEAL),
];

pub(super) const MINT_QUOTE: [Declaration; 10] = [
    table("mint_quote", "Offers to issue e-cash against money (NUT-04).", QUOTE),
    column(
        "mint_quote.id",
        "Secret name: who knows it may have the e-cash, or see its state.",
        "mint",
        QUOTE,
    ),
    column("mint_quote.unit", "Unit to be issued.", "mint", QUOTE),
    column("mint_quote.method", "How it is to be paid.", "mint", QUOTE),
    column(
        "mint_quote.request",
        "What the payer was given to pay: a reference or an invoice.",
        "mint, rail",
        QUOTE,
    ),
    column("mint_quote.amount", "How much.", "mint, verify", QUOTE),
    column(
        "mint_quote.pubkey",
        "Key that must sign the request for the e-cash (NUT-20).",
        "mint",
        QUOTE,
    ),
    column(
        "mint_quote.expiry",
        "Until when it may be paid; of one that was issued, rounded up to the hour.",
        "mint, writer",
        QUOTE,
    ),
    column("mint_quote.state", "Unpaid, paid or issued.", "mint, writer, verify", QUOTE),
    column(
        "mint_quote.outputs_digest",
        "Hash of the outputs it was issued for, to know the same request again.",
        "writer",
        QUOTE,
    ),
];

pub(super) const MELT_QUOTE: [Declaration; 15] = [
    table("melt_quote", "Offers to pay money out (NUT-05).", MELT),
    column("melt_quote.id", "Secret name: who knows it may see its state.", "mint", MELT),
    column("melt_quote.unit", "Unit to be redeemed.", "mint", MELT),
    column("melt_quote.method", "How it is paid out.", "mint, rail", MELT),
    column(
        "melt_quote.request",
        "Whom to pay: an address or an invoice, as the wallet gave it.",
        "rail",
        MELT,
    ),
    column("melt_quote.amount", "What the payee gets.", "mint, rail", MELT),
    column("melt_quote.fee_reserve", "What is held for the rail's cost.", "mint, rail", MELT),
    column(
        "melt_quote.expiry",
        "Until when it may be started; of one that was paid, rounded up to the hour.",
        "writer",
        MELT,
    ),
    column(
        "melt_quote.attempt",
        "Payments started: with the id, what a rail knows one by.",
        "writer, rail",
        MELT,
    ),
    column("melt_quote.state", "Unpaid, pending or paid.", "mint, writer, verify", MELT),
    column(
        "melt_quote.inputs",
        "While pending: value of the proofs held, by keyset.",
        "writer, verify",
        HOLD,
    ),
    column("melt_quote.input_fee", "While pending: fee for spending them.", "writer", HOLD),
    column(
        "melt_quote.outputs",
        "While pending: the blank outputs; once paid: those signed as change (NUT-08).",
        "writer, mint",
        MELT,
    ),
    column("melt_quote.fee_paid", "Once paid: what the rail took.", "mint", MELT),
    column("melt_quote.evidence", "Once paid: the rail's preimage or reference.", "mint", MELT),
];

pub(super) const TRANSFER: [Declaration; 7] = [
    table(
        "transfer",
        "Immutable movements between two accounts. Swaps appear as one sum a day.",
        FOR_GOOD,
    ),
    column(
        "transfer.id",
        "Hash of what it records, so that nothing is posted twice.",
        "writer",
        FOR_GOOD,
    ),
    column(
        "transfer.kind",
        "What it records: received, issued, melted, swapped, fee, expired, set-aside; of accounts also booked, assigned, approved, held, released, moved, charged, sold, refunded, fetched.",
        "verify",
        FOR_GOOD,
    ),
    column("transfer.debit", "Account debited.", "verify", FOR_GOOD),
    column("transfer.credit", "Account credited.", "verify", FOR_GOOD),
    column("transfer.amount", "How much.", "verify", FOR_GOOD),
    column("transfer.day", "Day it was posted.", "verify", FOR_GOOD),
];

pub(super) const HOLDER: [Declaration; 6] = [
    table(
        "holder",
        "Accounts of people and firms, by number. Whose they are, stands in the desk's database.",
        FOR_GOOD,
    ),
    column("holder.id", "Number of the account: random.", "writer, desk", FOR_GOOD),
    column("holder.kind", "Customer, merchant, agent or lender.", "writer, desk", FOR_GOOD),
    column(
        "holder.level",
        "How well its holder is known, 0 to 3: sets the limits.",
        "desk",
        FOR_GOOD,
    ),
    column("holder.state", "Open, frozen or closed.", "writer, desk", FOR_GOOD),
    column(
        "holder.key",
        "A merchant's public key: payments to its orders are locked to it.",
        "mint, checkout",
        FOR_GOOD,
    ),
];

pub(super) const EDGE_USAGE: [Declaration; 9] = [
    table(
        "edge_usage",
        "How much of an account's money has passed the edge lately, for the limits of its level.",
        FOR_GOOD,
    ),
    column("edge_usage.holder", "Whose account.", "writer", FOR_GOOD),
    column("edge_usage.unit", "Which currency.", "writer", FOR_GOOD),
    column(
        "edge_usage.day",
        "The last day that anything passed, or was taken off the account.",
        "writer",
        EDGE,
    ),
    column("edge_usage.in_day", "In, that day.", "writer", EDGE),
    column("edge_usage.out_day", "Out, that day.", "writer", EDGE),
    column("edge_usage.in_month", "In, that month.", "writer", EDGE),
    column("edge_usage.out_month", "Out, that month.", "writer", EDGE),
    column(
        "edge_usage.version",
        "How often it was written: two servers that read the same cannot both write.",
        "writer",
        FOR_GOOD,
    ),
];

pub(super) const SALE: [Declaration; 9] = [
    table(
        "sale",
        "Orders of merchants. Nothing of who paid, and nothing that names a proof.",
        ORDER,
    ),
    column(
        "sale.id",
        "Its name: random, and secret to the shop and its customer.",
        "checkout, desk",
        ORDER,
    ),
    column("sale.holder", "The merchant's account.", "writer", ORDER),
    column("sale.unit", "Currency.", "checkout", ORDER),
    column("sale.amount", "How much is to be paid.", "writer, checkout", ORDER),
    column("sale.expiry", "Until when it may be paid.", "writer, checkout", ORDER),
    column("sale.state", "Open, paid or cancelled.", "writer, checkout", ORDER),
    column("sale.refunded", "How much was given back.", "writer, checkout", ORDER),
    column(
        "sale.blanks",
        "Blank outputs that came with the payment: a refund is signed on them.",
        "writer",
        ORDER,
    ),
];

pub(super) const OUTBOX: [Declaration; 5] = [
    table("outbox", "What happened to orders and is not at the desk yet.", OUT),
    column("outbox.id", "Name of the event, made from the transfer it tells of.", "desk", OUT),
    column("outbox.kind", "Paid or refunded.", "desk", OUT),
    column("outbox.sale", "Which order.", "desk", OUT),
    column("outbox.amount", "How much.", "desk", OUT),
];

pub(super) const RELEASED: [Declaration; 2] = [
    table("released", "Payments to merchants that went astray and that they let go.", FOR_GOOD),
    column("released.y", "The proof: whoever has it may spend it.", "mint", FOR_GOOD),
];

/// When the keys a passport was shown under are retired.
const KEYS: &str = "when the passport keys it was shown under are retired";

pub(super) const PASSPORT: [Declaration; 10] = [
    table(
        "shown",
        "What was shown to the passport desk: serials of passports and receipts, a holder's tick of a month, a receipt of a bill.",
        KEYS,
    ),
    column(
        "shown.name",
        "A hash of it. Serials are random and seen once; a tick's mark is its holder's in that month and in no other.",
        "passport desk",
        KEYS,
    ),
    column("shown.request", "Hash of the request that showed it.", "passport desk", KEYS),
    column("shown.keys", "Which key epoch: with its keys, it is dropped.", "passport desk", KEYS),
    table(
        "answer",
        "What the passport desk answered: the same bytes again get the same reply.",
        KEYS,
    ),
    column("answer.request", "Hash of the request.", "passport desk", KEYS),
    column(
        "answer.bucket",
        "Two bytes of the serial that was shown, of the holder's point at enrolment, or of what a receipt is for: a wallet that lost a reply fetches all of a bucket.",
        "passport desk",
        KEYS,
    ),
    column("answer.keys", "Which key epoch: with its keys, it is dropped.", "passport desk", KEYS),
    column(
        "answer.reply",
        "The reply: a credential that only who asked can open.",
        "passport desk",
        KEYS,
    ),
    column(
        "answer.sealed",
        "What the wallet opens it with, sealed by the wallet for itself.",
        "passport desk",
        KEYS,
    ),
];

/// When bills of a month are dropped.
const BILLED: &str = "at the end of the year after the one it is of";

pub(super) const BILLS: [Declaration; 13] = [
    table(
        "contract",
        "Contracts of billers. Nothing of who has one: its number opens it, and each has its own.",
        BILLED,
    ),
    column(
        "contract.id",
        "Its number: random, and secret to biller and payer.",
        "biller, payer",
        BILLED,
    ),
    column("contract.holder", "The biller's account.", "writer", BILLED),
    column("contract.unit", "Currency.", "payer", BILLED),
    column("contract.begun", "The first month a bill may be due in.", "writer, payer", BILLED),
    column("contract.ended", "The last one, once that is known.", "writer, payer", BILLED),
    table("bill", "What a biller asks for, month by month.", BILLED),
    column("bill.contract", "Of which contract.", "biller, payer", BILLED),
    column("bill.month", "The month it is due in: one a contract and month.", "writer", BILLED),
    column("bill.amount", "How much is to be paid.", "writer, biller, payer", BILLED),
    column(
        "bill.due",
        "The last day on which it is paid in time.",
        "writer, biller, payer",
        BILLED,
    ),
    column("bill.last", "Whether the contract ends with it.", "writer, payer", BILLED),
    column(
        "bill.state",
        "Open, paid in time, paid late or taken back; no day and no hour.",
        "writer, biller, payer",
        BILLED,
    ),
];

/// How many declarations the lists hold in all.
pub(super) const fn count(lists: &[&[Declaration]]) -> usize {
    let (mut sum, mut at) = (0, 0);
    while at < lists.len() {
        sum += lists[at].len();
        at += 1;
    }
    sum
}

/// The lists as one, in their order; `N` is their [`count`], or this does not compile.
pub(super) const fn joined<const N: usize>(lists: &[&[Declaration]]) -> [Declaration; N] {
    assert!(N == count(lists));
    let mut all = [lists[0][0]; N];
    let (mut next, mut list) = (0, 0);
    while list < lists.len() {
        let mut at = 0;
        while at < lists[list].len() {
            all[next] = lists[list][at];
            next += 1;
            at += 1;
        }
        list += 1;
    }
    all
}
