//! What the desk's database keeps of agents and of cash.

use tacit_service::inventory::Declaration;

use super::{column, table};

const AGENT: &str = "as long as the law wants accounts known, after it is closed";
const CASH: &str =
    "called off or expired: at once; done: 400 days, as long as a payment may be disputed";
const CODE: &str = "it has ended, in whatever way";

pub(super) const AGENTS: &[Declaration] = &[
    table("agent", "Shops that take and give cash.", AGENT),
    column("agent.account", "Number of its float in the vault.", "desk", AGENT),
    column("agent.name", "What people who come in read above the door.", "receipts", AGENT),
    column("agent.owner", "Who works there: a person at the desk.", "console", AGENT),
    column("agent.unit", "The currency of its till.", "agent", AGENT),
    column("agent.opened", "The day it was taken in.", "console", AGENT),
    column("agent.state", "Whether it may work.", "agent, console", AGENT),
    column(
        "agent.in_vault",
        "Whether the vault is known to have the float: what a crash cut off is taken up again.",
        "desk",
        AGENT,
    ),
    table(
        "cash",
        "Cash that people asked an agent for or gave to one. Whom an agent served stands here and, for cash that came in, in \
         the vault's transfers: the law wants payments in cash known.",
        CASH,
    ),
    column("cash.id", "Random: names it in the vault, too.", "desk", CASH),
    column("cash.kind", "Whether it goes out or comes in, or is a card.", "portal, agent", CASH),
    column("cash.account", "Whose account. No page shows it to the agent.", "desk", CASH),
    column("cash.unit", "Currency.", "portal, agent", CASH),
    column("cash.amount", "Minor units.", "portal, agent", CASH),
    column("cash.fee", "What the person pays for it, in minor units.", "portal, agent", CASH),
    column(
        "cash.code_hash",
        "Keyed hash of the code; the key follows from the mint's seed, which is not kept here.",
        "desk",
        CODE,
    ),
    column("cash.expires", "Until when the code is good: a full minute.", "portal", CODE),
    column("cash.state", "How far it is.", "portal, agent", CASH),
    column(
        "cash.agent",
        "The agent that confirmed it; of a card, the one that gave it out.",
        "receipts",
        CASH,
    ),
    column("cash.day", "The day it was done; never finer.", "receipts", CASH),
];
