//! What the desk's database keeps of billers.

use tacit_service::inventory::Declaration;

use super::{column, table};

const LICENCE: &str = "with the shop";
const PROPOSAL: &str = "it is granted or declined";
const CONTRACT: &str = "25 months after it ended";

pub(super) const BILLERS: &[Declaration] = &[
    table("licence_proposal", "Licences to bill that wait for a second member of staff.", PROPOSAL),
    column("licence_proposal.merchant", "For which shop.", "console", PROPOSAL),
    column("licence_proposal.floor", "Below how much nothing is billed.", "console", PROPOSAL),
    column("licence_proposal.contracts_max", "How many contracts at once.", "console", PROPOSAL),
    column("licence_proposal.staff", "Who proposed it, and cannot grant it.", "console", PROPOSAL),
    column("licence_proposal.day", "When.", "console", PROPOSAL),
    table("licence", "Licences to bill.", LICENCE),
    column("licence.merchant", "Of which shop.", "console, API", LICENCE),
    column("licence.floor", "Below how much nothing is billed.", "console, API", LICENCE),
    column("licence.contracts_max", "How many contracts at once.", "console, API", LICENCE),
    column("licence.granted", "The day it was granted as it stands.", "console", LICENCE),
    column("licence.ended", "The day it was ended.", "console, API", LICENCE),
    table(
        "contract_paper",
        "Contracts as their billers write them down: who a customer is, a biller knows in its own books. Nothing of passports, \
         and nothing joins two contracts of one payer.",
        CONTRACT,
    ),
    column(
        "contract_paper.id",
        "Its number: opens its bills to whoever has it.",
        "API, payer",
        CONTRACT,
    ),
    column("contract_paper.merchant", "Whose.", "API, console", CONTRACT),
    column("contract_paper.number", "Counts the biller's contracts.", "API, console", CONTRACT),
    column("contract_paper.request_key", "The key it was asked for under.", "API", CONTRACT),
    column("contract_paper.request_digest", "SHA-256 of what was asked.", "API", CONTRACT),
    column(
        "contract_paper.reference",
        "What the biller calls it, if anything.",
        "console",
        CONTRACT,
    ),
    column("contract_paper.description", "What it is for.", "payer, console", CONTRACT),
    column("contract_paper.created", "The day it was made.", "console", CONTRACT),
    column("contract_paper.state", "How far it is.", "API, console", CONTRACT),
    column("contract_paper.ended", "The day it ended.", "desk", CONTRACT),
];
