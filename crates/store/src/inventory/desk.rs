//! What the desk's database keeps.

use tacit_service::inventory::{Declaration, Section};

use super::agent::AGENTS;
use super::biller::BILLERS;
use super::merchant::{MERCHANTS, ORDERS};
use super::people::{COMPLAINTS, DECISIONS, ENROLMENTS, KNOWN};
use super::tables::{count, joined};
use super::verifier::VERIFIERS;
use super::{column, table};

const BOOKING: &str = "as long as the law wants payments known";
const RESOLUTION: &str =
    "the vault has it, or refused it: seconds, or until a second person has looked at it";
const FOR_GOOD: &str = "for good";
const ACCOUNT: &str = "as long as the law wants accounts known, after it is closed";
const PASSKEY: &str = "its owner removes it, or is let go";
const SESSION: &str = "the session ends: at most 12 hours, or half an hour without a question";
const INVITATION: &str = "it is used or stopped, or a day or two are over; that on a card, a year";
const STAFF: &str = "as long as the trail that names them";

/// The desk: people and paperwork, no money.
pub const DESK: Section = Section {
    title: "Desk",
    about: "`desk.sqlite`, readable by the operator's account alone; or a database on PostgreSQL, apart from the vault's. \
            What is deleted is overwritten in the file. No field says nationality, religion, ethnicity, location or a face, \
            and none names a proof, a quote or who paid an order.",
    declarations: &ALL,
};

static ALL: [Declaration; count(PARTS)] = joined(PARTS);

const PARTS: &[&[Declaration]] = &[
    DESK_ITSELF,
    PEOPLE,
    DECISIONS,
    KNOWN,
    COMPLAINTS,
    ENROLMENTS,
    STAFF_TABLE,
    LOGINS,
    TRAIL,
    BOOKINGS,
    PAYOUTS,
    RECONCILIATION,
    MERCHANTS,
    ORDERS,
    BILLERS,
    AGENTS,
    VERIFIERS,
];

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
    column(
        "session.ends",
        "When it ends whatever is asked, in steps of five minutes.",
        "login",
        SESSION,
    ),
    table("invitation", "Codes that lead to a passkey, not used yet.", INVITATION),
    column("invitation.hash", "SHA-256 of the code.", "login", INVITATION),
    column("invitation.owner_kind", "Whether a person's or staff's.", "login", INVITATION),
    column("invitation.owner", "Whose passkey it leads to.", "login", INVITATION),
    column(
        "invitation.opens",
        "When it is good; empty until a second member of staff has confirmed it, and 0 if it was good at once.",
        "login, portal",
        INVITATION,
    ),
    column("invitation.expires", "When it is worth nothing.", "login", INVITATION),
    column(
        "invitation.made_by",
        "Which member of staff made it: another has to confirm it.",
        "desk",
        INVITATION,
    ),
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
    column("booking.why", "Why not, or why somebody set it aside.", "finance", BOOKING),
    table(
        "booking_resolution",
        "What somebody said of a booking, until the vault has it.",
        RESOLUTION,
    ),
    column("booking_resolution.booking", "Which.", "finance", RESOLUTION),
    column("booking_resolution.purpose", "What it was for, in a word.", "finance", RESOLUTION),
    column(
        "booking_resolution.about",
        "Whose: an account's number, a payout's name, or a hash that finds a mint quote among the open ones and names none.",
        "finance",
        RESOLUTION,
    ),
    column("booking_resolution.staff", "Who said it.", "finance", RESOLUTION),
    column(
        "booking_resolution.is_approved",
        "Whether the vault may be told: what takes two waits for the second.",
        "finance",
        RESOLUTION,
    ),
];

const PAYOUTS: &[Declaration] = &[
    table("payout", "Money that people want at their bank.", BOOKING),
    column("payout.id", "Random: names what the vault holds for it, too.", "finance", BOOKING),
    column("payout.account", "Whose money: the number of their account.", "finance", BOOKING),
    column(
        "payout.booking",
        "In its place, the booking whose money goes back to its sender.",
        "finance",
        BOOKING,
    ),
    column(
        "payout.asked_by",
        "Whether the account's holder, the machine's, or which member of staff.",
        "finance",
        BOOKING,
    ),
    column("payout.asked", "The day it was asked for: the earliest go first.", "finance", BOOKING),
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

const RECONCILIATION: &[Declaration] = &[
    table("statement_file", "Files of the bank's that were imported.", BOOKING),
    column(
        "statement_file.hash",
        "SHA-256 of its bytes: the same file is known again.",
        "finance",
        BOOKING,
    ),
    column("statement_file.day", "The day it was imported first.", "finance", BOOKING),
    column("statement_file.is_statement", "Whether camt.053 or camt.054.", "finance", BOOKING),
    column("statement_file.new", "How many bookings in it were new.", "finance", BOOKING),
    column("statement_file.known", "How many were known.", "finance", BOOKING),
    column("statement_file.unclear", "How many of the new ones were unclear.", "finance", BOOKING),
    column("statement_file.unbooked", "How many entries were not booked yet.", "finance", BOOKING),
    table("statement_balance", "What the bank says that the operator's accounts hold.", BOOKING),
    column("statement_balance.account", "The operator's own account.", "finance", BOOKING),
    column("statement_balance.day", "The day it closes.", "finance", BOOKING),
    column("statement_balance.statement", "What the bank calls the statement.", "finance", BOOKING),
    column("statement_balance.unit", "Currency.", "finance", BOOKING),
    column("statement_balance.opening", "At the beginning, in minor units.", "finance", BOOKING),
    column("statement_balance.closing", "At the end.", "finance", BOOKING),
    column(
        "statement_balance.adds_up",
        "Whether its bookings lead from the one to the other.",
        "finance",
        BOOKING,
    ),
    column(
        "statement_balance.contradicted",
        "Whether another file says other balances of it.",
        "finance",
        BOOKING,
    ),
    table("statement_handed", "Who handed which file in, so that they do not judge it.", BOOKING),
    column("statement_handed.hash", "SHA-256 of its bytes.", "finance", BOOKING),
    column("statement_handed.staff", "Who.", "finance", BOOKING),
    column("statement_handed.first", "The first day it tells of.", "finance", BOOKING),
    column("statement_handed.last", "The last.", "finance", BOOKING),
    table("money_exception", "What of money only a person can set right.", FOR_GOOD),
    column("money_exception.kind", "What is wrong.", "finance, auditor", FOR_GOOD),
    column(
        "money_exception.subject",
        "With which payout or booking.",
        "finance, auditor",
        FOR_GOOD,
    ),
    column("money_exception.raised", "The day it was found.", "finance, auditor", FOR_GOOD),
    column(
        "money_exception.is_open",
        "Whether it waits for somebody.",
        "finance, auditor",
        FOR_GOOD,
    ),
    table("safeguarding", "What was owed at the end of each day: sums of everybody.", FOR_GOOD),
    column("safeguarding.unit", "Currency.", "finance, auditor", FOR_GOOD),
    column("safeguarding.day", "The day.", "finance, auditor", FOR_GOOD),
    column(
        "safeguarding.settlement",
        "What rails held, in minor units.",
        "finance, auditor",
        FOR_GOOD,
    ),
    column("safeguarding.ecash", "E-cash outstanding.", "finance, auditor", FOR_GOOD),
    column("safeguarding.accounts", "All accounts together.", "finance, auditor", FOR_GOOD),
    column("safeguarding.unissued", "Paid for and not issued.", "finance, auditor", FOR_GOOD),
    column(
        "safeguarding.held",
        "Set apart for payouts and cash codes.",
        "finance, auditor",
        FOR_GOOD,
    ),
    column("safeguarding.refunds", "Refunds that waited.", "finance, auditor", FOR_GOOD),
    column(
        "safeguarding.suspense",
        "What nobody had been found for.",
        "finance, auditor",
        FOR_GOOD,
    ),
    table("explanation", "What staff said of differences between bank and books.", FOR_GOOD),
    column("explanation.unit", "Currency.", "finance, auditor", FOR_GOOD),
    column("explanation.day", "The day it is about.", "finance, auditor", FOR_GOOD),
    column("explanation.number", "Which of the day's.", "finance, auditor", FOR_GOOD),
    column(
        "explanation.difference",
        "The difference as it was then.",
        "finance, auditor",
        FOR_GOOD,
    ),
    column("explanation.note", "In their words.", "finance, auditor", FOR_GOOD),
    column("explanation.staff", "Who said it.", "finance, auditor", FOR_GOOD),
    column("explanation.noted", "The day they said it.", "finance, auditor", FOR_GOOD),
    column("explanation.approver", "Who else found it right.", "finance, auditor", FOR_GOOD),
    column("explanation.approved", "The day they did.", "finance, auditor", FOR_GOOD),
];
