//! What the desk's database keeps.

use tacit_service::inventory::{Declaration, Section};

use super::merchant::{MERCHANTS, ORDERS};
use super::tables::{count, joined};
use super::{column, table};

const BOOKING: &str = "as long as the law wants payments known";
const FOR_GOOD: &str = "for good";
const ACCOUNT: &str = "as long as the law wants accounts known, after it is closed";
const PASSKEY: &str = "its owner removes it, or is let go";
const SESSION: &str = "the session ends: at most 12 hours, or half an hour without a question";
const INVITATION: &str = "it is used, or a day is over";
const STAFF: &str = "as long as the trail that names them";

/// The desk: people and paperwork, no money.
pub const DESK: Section = Section {
    title: "Desk",
    about: "`desk.sqlite`, readable by the operator's account alone; or a database on PostgreSQL, apart from the vault's. \
            What is deleted is overwritten in the file. No field says nationality, religion, ethnicity, location or a face, \
            and none names a proof, a quote or who paid an order.",
    declarations: &ALL,
};

const ALL: [Declaration; count(PARTS)] = joined(PARTS);

const PARTS: &[&[Declaration]] =
    &[DESK_ITSELF, PEOPLE, STAFF_TABLE, LOGINS, TRAIL, BOOKINGS, PAYOUTS, MERCHANTS, ORDERS];

const DESK_ITSELF: &[Declaration] = &[
    table("desk", "The desk itself: one row.", FOR_GOOD),
    column("desk.one", "Always 1: there is one row.", "desk", FOR_GOOD),
    column(
        "desk.mint",
        "Public identity key of the mint: the desk of another is not opened.",
        "desk",
        FOR_GOOD,
    ),
    column("desk.trail_length", "How many entries the trail has.", "desk, verify", FOR_GOOD),
    column("desk.trail_hash", "Hash of its last entry.", "desk, verify", FOR_GOOD),
];

const PEOPLE: &[Declaration] = &[
    table("person", "People with an account.", ACCOUNT),
    column("person.id", "16 random bytes: their name at the desk.", "desk", ACCOUNT),
    column(
        "person.account",
        "Number of their account, all that vault and desk have in common.",
        "desk",
        ACCOUNT,
    ),
    column("person.name", "What they want to be called.", "portal, teller", ACCOUNT),
    column("person.name_key", "The same in lower case, to be looked for.", "teller", ACCOUNT),
    column(
        "person.contact",
        "How they want to be reached, if they said.",
        "portal, teller",
        "they remove it, or as the account",
    ),
    column(
        "person.iban",
        "Where payouts go, if they said. It never leaves the desk but in payout files.",
        "portal, payouts",
        "they remove it, or as the account",
    ),
    column("person.kyc", "How well they are known, 0 to 2: limits follow.", "desk", ACCOUNT),
    column("person.state", "Open, frozen or closed.", "desk", ACCOUNT),
    column(
        "person.national_number",
        "Keyed hash of their national number, if a teller saw it: finds a second account of one person.",
        "desk",
        ACCOUNT,
    ),
    column("person.opened", "The day they came.", "desk", ACCOUNT),
    column(
        "person.in_vault",
        "Whether the vault is known to have the account: what a crash cut off is taken up again.",
        "desk",
        ACCOUNT,
    ),
];

const STAFF_TABLE: &[Declaration] = &[
    table("staff", "Who works or worked here.", STAFF),
    column("staff.id", "16 random bytes: their name in the trail.", "console", STAFF),
    column("staff.name", "What they are called.", "console", STAFF),
    column("staff.role", "What they are here for, and so what they may do.", "console", STAFF),
    column("staff.active", "Whether they still may log in.", "console", STAFF),
];

const LOGINS: &[Declaration] = &[
    table("passkey", "Passkeys of people and staff: their public halves.", PASSKEY),
    column("passkey.credential", "What the passkey calls itself.", "login", PASSKEY),
    column("passkey.owner_kind", "Whether a person's or staff's.", "login", PASSKEY),
    column("passkey.owner", "Whose.", "login", PASSKEY),
    column(
        "passkey.record",
        "Its public key, its counter, and how its device can be spoken to.",
        "login",
        PASSKEY,
    ),
    column("passkey.label", "What its owner calls it.", "its owner", PASSKEY),
    column("passkey.added", "The day it was made.", "its owner", PASSKEY),
    column("passkey.last_used", "The day it was last used; never finer.", "its owner", PASSKEY),
    table("session", "Who is logged in.", SESSION),
    column("session.hash", "SHA-256 of the cookie.", "login", SESSION),
    column("session.owner_kind", "Whether a person or staff.", "login", SESSION),
    column("session.owner", "Who.", "login", SESSION),
    column(
        "session.idle_until",
        "When it ends without a question, in steps of five minutes.",
        "login",
        SESSION,
    ),
    column("session.ends", "When it ends whatever is asked.", "login", SESSION),
    table("invitation", "Codes that lead to a passkey, not used yet.", INVITATION),
    column("invitation.hash", "SHA-256 of the code.", "login", INVITATION),
    column("invitation.owner_kind", "Whether a person's or staff's.", "login", INVITATION),
    column("invitation.owner", "Whose passkey it leads to.", "login", INVITATION),
    column("invitation.expires", "When it is worth nothing.", "login", INVITATION),
];

const TRAIL: &[Declaration] = &[
    table("trail", "What staff did, each entry bound to the one before.", FOR_GOOD),
    column("trail.number", "Its place.", "auditor", FOR_GOOD),
    column("trail.moment", "When it was done, to the second.", "auditor", FOR_GOOD),
    column("trail.staff", "Who did it; empty for the machine's command line.", "auditor", FOR_GOOD),
    column("trail.action", "What.", "auditor", FOR_GOOD),
    column("trail.subject", "To whom or what, by identifier.", "auditor", FOR_GOOD),
    column("trail.detail", "What else is said: a role, a reason.", "auditor", FOR_GOOD),
    column("trail.previous", "Hash of the entry before.", "auditor", FOR_GOOD),
    column("trail.hash", "Its own hash.", "auditor", FOR_GOOD),
];

const BOOKINGS: &[Declaration] = &[
    table("booking", "What the bank booked on the operator's accounts, with its paper.", BOOKING),
    column(
        "booking.id",
        "Hash of what the bank names it by: its name in the vault, too.",
        "finance",
        BOOKING,
    ),
    column("booking.entry", "The same of the bank's booking it is a part of.", "finance", BOOKING),
    column("booking.day", "The day the bank booked it.", "finance", BOOKING),
    column("booking.direction", "Whether it came or went.", "finance", BOOKING),
    column("booking.unit", "Currency.", "finance", BOOKING),
    column("booking.amount", "How much, in minor units.", "finance", BOOKING),
    column("booking.name", "Who paid or was paid, as the bank says.", "finance", BOOKING),
    column("booking.account", "Their account at their bank.", "finance", BOOKING),
    column(
        "booking.end_to_end",
        "What the order was called by whoever gave it: leads back to payouts.",
        "finance",
        BOOKING,
    ),
    column("booking.text", "What they and the banks wrote.", "finance", BOOKING),
    column("booking.reference", "The payment reference in it.", "finance", BOOKING),
    column("booking.returned", "Why it came back, if it did.", "finance", BOOKING),
    column("booking.state", "Whether it is known what it was for.", "finance", BOOKING),
    column("booking.why", "Why not.", "finance", BOOKING),
];

const PAYOUTS: &[Declaration] = &[
    table("payout", "Money that people want at their bank.", BOOKING),
    column("payout.id", "Random: names what the vault holds for it, too.", "finance", BOOKING),
    column("payout.account", "Whose money: the number of their account.", "finance", BOOKING),
    column("payout.name", "Who is paid.", "finance, payout files", BOOKING),
    column("payout.iban", "Where.", "finance, payout files", BOOKING),
    column("payout.unit", "Currency.", "finance", BOOKING),
    column("payout.amount", "How much, in minor units.", "finance, payout files", BOOKING),
    column("payout.text", "What the payee reads.", "finance, payout files", BOOKING),
    column("payout.state", "How far it is.", "finance", BOOKING),
    column("payout.payout_order", "Which order it stands in.", "finance", BOOKING),
    table("payout_approval", "Who approved a payout.", BOOKING),
    column("payout_approval.payout", "Which.", "finance", BOOKING),
    column("payout_approval.staff", "Who.", "finance", BOOKING),
    table("payout_order", "Orders to the bank.", BOOKING),
    column("payout_order.id", "Random: the bank knows it by this.", "finance", BOOKING),
    column("payout_order.unit", "Currency.", "finance", BOOKING),
    column("payout_order.made", "When it was made, to the second.", "payout files", BOOKING),
    column("payout_order.execution", "The day the bank shall pay.", "payout files", BOOKING),
];
