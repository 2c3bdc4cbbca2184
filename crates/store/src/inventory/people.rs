//! What the desk keeps of decisions about people, of who they are, and of what they complain of.

use tacit_service::inventory::Declaration;

use super::{column, table};

const DECISION: &str = "the vault has it: moments, unless something is down";
const CASE: &str = "a level is set";
const LIST: &str = "the list is imported anew";
const DUE: &str = "they are screened: minutes";
const HIT: &str = "as the account; cleared ones, until the name leaves the list";
const COMPLAINT: &str = "as long as the law wants complaints known";

/// What is on its way to the vault.
pub(super) const DECISIONS: &[Declaration] = &[
    table(
        "decision",
        "Freezing, closing and levels that the vault has not carried out yet.",
        DECISION,
    ),
    column("decision.person", "About whom.", "desk", DECISION),
    column(
        "decision.id",
        "16 random bytes: which of several decisions has arrived.",
        "desk",
        DECISION,
    ),
    column("decision.closing", "Whether the account is to be closed.", "desk", DECISION),
];

/// Whom the law asks about: identification and screening.
pub(super) const KNOWN: &[Declaration] = &[
    table("identification", "Who has asked to be identified, or was seen with a document.", CASE),
    column("identification.person", "Who.", "portal, teller, compliance", CASE),
    column(
        "identification.id",
        "16 random bytes: all that a provider outside is told.",
        "desk, provider",
        CASE,
    ),
    column("identification.state", "How far it is.", "portal, teller, compliance", CASE),
    column("identification.document", "What kind was seen; never its number.", "compliance", CASE),
    column("identification.since", "Since which day.", "teller, compliance", CASE),
    table("screening_list", "Lists of sanctions and public office in use.", LIST),
    column("screening_list.name", "What it is called.", "compliance", "for good"),
    column("screening_list.import", "Which import is in use.", "desk", LIST),
    column("screening_list.names", "How many names it has.", "compliance", LIST),
    column("screening_list.imported", "The day it was imported.", "compliance", LIST),
    table("listed_name", "Names on those lists, which are public.", LIST),
    column("listed_name.import", "Of which import.", "desk", LIST),
    column("listed_name.number", "Its place.", "desk", LIST),
    column("listed_name.entry", "What the list calls the entry.", "compliance", LIST),
    column("listed_name.name", "The name.", "compliance", LIST),
    table("screening_due", "Who is to be screened: newcomers, and all after an import.", DUE),
    column("screening_due.person", "Who.", "desk", DUE),
    column(
        "screening_due.occasion",
        "Their own identifier, or the import's: a later one is another screening.",
        "desk",
        DUE,
    ),
    table(
        "screening_hit",
        "People who are called like somebody on a list. Of others, nothing is kept.",
        HIT,
    ),
    column("screening_hit.id", "16 random bytes: its name.", "compliance", HIT),
    column("screening_hit.person", "Who.", "compliance", HIT),
    column("screening_hit.list", "Which list.", "compliance", HIT),
    column("screening_hit.entry", "What the list calls the entry.", "compliance", HIT),
    column("screening_hit.name", "The name on the list.", "compliance", HIT),
    column("screening_hit.likeness", "How alike the names are, in thousandths.", "compliance", HIT),
    column("screening_hit.found", "The day it was found.", "compliance", HIT),
    column(
        "screening_hit.state",
        "Whether it waits, was cleared, or led to a freeze.",
        "compliance",
        HIT,
    ),
];

/// What people complain of.
pub(super) const COMPLAINTS: &[Declaration] = &[
    table("complaint", "Complaints, and what was answered.", COMPLAINT),
    column("complaint.number", "From 1: what both sides call it.", "portal, compliance", COMPLAINT),
    column("complaint.id", "16 random bytes: sent twice, it is made once.", "desk", COMPLAINT),
    column("complaint.person", "Whose.", "portal, compliance", COMPLAINT),
    column("complaint.topic", "What it is about, of five.", "portal, compliance", COMPLAINT),
    column("complaint.text", "What they wrote.", "portal, compliance", COMPLAINT),
    column("complaint.came", "The day it came.", "portal, compliance", COMPLAINT),
    column(
        "complaint.due",
        "The day by which it has to be answered.",
        "portal, compliance",
        COMPLAINT,
    ),
    column(
        "complaint.holding",
        "Why it takes longer, if it does.",
        "portal, compliance",
        COMPLAINT,
    ),
    column("complaint.answer", "The answer.", "portal, compliance", COMPLAINT),
    column("complaint.answered", "The day it was given.", "portal, compliance", COMPLAINT),
];

const ENROLLED: &str = "as the account: one account has one passport";
const CODE: &str = "a later code takes its place";

pub(super) const ENROLMENTS: &[Declaration] = &[
    table(
        "enrolment",
        "Who asked for a passport. Nothing of what is in it, or of when it is used.",
        ENROLLED,
    ),
    column("enrolment.person", "Whose account.", "portal, passport desk", ENROLLED),
    column(
        "enrolment.number",
        "1, and one more each time somebody began again with other words.",
        "portal, passport desk",
        ENROLLED,
    ),
    column(
        "enrolment.holder",
        "The holder's point: a number that follows from the wallet's words, and that no later request shows.",
        "passport desk",
        ENROLLED,
    ),
    column(
        "enrolment.access",
        "Hash of the key that the wallet asks for income with.",
        "passport desk",
        ENROLLED,
    ),
    column("enrolment.code", "Hash of the code that lets a wallet ask.", "passport desk", CODE),
    column(
        "enrolment.expires",
        "Until when that code counts: an hour.",
        "portal, passport desk",
        CODE,
    ),
];
