//! What the desk's database keeps of merchants.

use tacit_service::inventory::Declaration;

use super::{column, table};

const SHOP: &str = "as long as the law wants accounts known, after it is closed";
const KEY: &str =
    "with the shop; a key that was taken back is kept as a hash that counts for nothing";
const ORDER: &str = "as long as the law wants the merchant's books kept";
const DELIVERY: &str = "with the order";

pub(super) const MERCHANTS: &[Declaration] = &[
    table("merchant", "Shops.", SHOP),
    column("merchant.account", "Number of its account in the vault.", "desk", SHOP),
    column("merchant.name", "What payers read.", "checkout, console", SHOP),
    column("merchant.owner", "Whose it is: a person at the desk.", "console", SHOP),
    column("merchant.unit", "The currency it sells in.", "console, checkout", SHOP),
    column("merchant.lock_key", "Public key that its payments are locked to.", "checkout", SHOP),
    column(
        "merchant.naming_secret",
        "What the names of its orders and refunds are made with, so that nobody guesses one.",
        "desk",
        SHOP,
    ),
    column("merchant.webhook_url", "Where its program is told of payments.", "webhooks", SHOP),
    column("merchant.webhook_secret", "What webhooks are signed with.", "webhooks", SHOP),
    column("merchant.opened", "The day it came.", "console", SHOP),
    column(
        "merchant.in_vault",
        "Whether the vault is known to have the account: what a crash cut off is taken up again.",
        "desk",
        SHOP,
    ),
    table("api_key", "Keys of merchants' programs.", KEY),
    column("api_key.hash", "SHA-256 of the key.", "API", KEY),
    column("api_key.merchant", "Whose.", "API", KEY),
    column("api_key.label", "What the merchant calls it.", "console", KEY),
    column("api_key.scopes", "What it may be used for.", "API", KEY),
    column("api_key.added", "The day it was made.", "console", KEY),
    column("api_key.expires", "The first day it counts for nothing.", "API", KEY),
    column("api_key.revoked", "Whether the merchant took it back.", "API", KEY),
];

pub(super) const ORDERS: &[Declaration] = &[
    table("order_paper", "What merchants sell. Who bought it is known to nobody here.", ORDER),
    column("order_paper.id", "The order's name in the vault.", "desk", ORDER),
    column("order_paper.merchant", "Whose.", "API, console", ORDER),
    column("order_paper.number", "Counts the merchant's orders.", "API, console", ORDER),
    column("order_paper.checkout", "Its name to merchant and payer.", "checkout, API", ORDER),
    column("order_paper.request_key", "The key it was asked for under.", "API", ORDER),
    column("order_paper.request_digest", "SHA-256 of what was asked.", "API", ORDER),
    column("order_paper.reference", "What the merchant calls it, if anything.", "receipt", ORDER),
    column("order_paper.description", "What is sold.", "checkout, receipt", ORDER),
    column("order_paper.amount", "Minor units.", "checkout, receipt", ORDER),
    column("order_paper.unit", "Currency.", "checkout, receipt", ORDER),
    column("order_paper.created", "The day it was made.", "API, console", ORDER),
    column("order_paper.expiry", "Until when it may be paid: a full minute.", "checkout", ORDER),
    column("order_paper.state", "How far it is, as the vault last said.", "API, console", ORDER),
    column("order_paper.paid_day", "The day it was paid; never finer.", "receipt, chart", ORDER),
    column("order_paper.refunded", "Minor units given back.", "receipt, console", ORDER),
    table("refund_paper", "Refunds.", ORDER),
    column("refund_paper.id", "The refund's name in the vault.", "desk", ORDER),
    column("refund_paper.order_id", "Of which order.", "receipt, console", ORDER),
    column("refund_paper.request_key", "The key it was asked for under.", "API", ORDER),
    column("refund_paper.request_digest", "SHA-256 of what was asked.", "API", ORDER),
    column("refund_paper.amount", "Minor units.", "receipt, console", ORDER),
    column("refund_paper.way", "On the payer's outputs, or by a code.", "receipt", ORDER),
    column("refund_paper.code_hash", "SHA-256 of the code it is fetched with.", "receipt", ORDER),
    column("refund_paper.created", "The day it was asked for.", "receipt, console", ORDER),
    column("refund_paper.is_done", "Whether the vault is known to have done it.", "desk", ORDER),
    table("webhook_delivery", "What merchants' programs are told.", DELIVERY),
    column("webhook_delivery.event", "Name of the event.", "webhooks", DELIVERY),
    column("webhook_delivery.merchant", "Whose program.", "webhooks", DELIVERY),
    column("webhook_delivery.kind", "What happened.", "webhooks", DELIVERY),
    column("webhook_delivery.order_id", "To which order.", "webhooks", DELIVERY),
    column("webhook_delivery.amount", "Minor units paid or refunded.", "webhooks", DELIVERY),
    column("webhook_delivery.day", "The day it happened; never finer.", "console", DELIVERY),
    column("webhook_delivery.attempts", "How often it was tried.", "webhooks", DELIVERY),
    column(
        "webhook_delivery.next_attempt",
        "When it is tried next: at once, or at a full minute.",
        "webhooks",
        "it has arrived, or was given up",
    ),
    column("webhook_delivery.state", "Waiting, arrived or given up.", "webhooks", DELIVERY),
    column(
        "webhook_delivery.last_status",
        "What came of the last attempt: a status, or a word.",
        "console",
        DELIVERY,
    ),
];
