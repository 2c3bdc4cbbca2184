//! What the desk's database keeps of verifiers.

use tacit_service::inventory::Declaration;

use super::{column, table};

const VERIFIER: &str = "as long as the trail that names it";

pub(super) const VERIFIERS: &[Declaration] = &[
    table(
        "verifier",
        "Who asks people for certificates by a registered name; everybody may read the list. What was asked and shown is kept nowhere.",
        VERIFIER,
    ),
    column("verifier.id", "Random: its client id.", "wallets", VERIFIER),
    column(
        "verifier.name",
        "What people read before they agree.",
        "wallets, public list",
        VERIFIER,
    ),
    column("verifier.purpose", "What it asks for.", "wallets, public list", VERIFIER),
    column("verifier.owner", "Who asks: a person at the desk.", "console", VERIFIER),
    column("verifier.opened", "The day it was registered.", "console, public list", VERIFIER),
    column("verifier.state", "Whether it may ask.", "desk, console, public list", VERIFIER),
];
