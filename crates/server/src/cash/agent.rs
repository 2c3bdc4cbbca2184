//! Agents come: at the desk first, then their float in the vault. So do people who open an account at one.

use std::sync::Arc;
use std::time::Duration;

use tacit_core::time::Timestamp;
use tacit_service::account::{AccountId, Holder, HolderKind, HolderState, Level};
use tacit_service::desk::Owner;
use tacit_service::desk::agent::Agent;
use tacit_service::desk::cash::{Cash, CashKind, CashState};
use tacit_service::desk::login::{ALREADY, Invitation, InvitationCode};
use tacit_service::desk::person::{Name, Person, PersonId, SignedUp};
use tacit_service::desk::webhook::full_minute;
use tacit_service::posting::FactId;
use tacit_service::vault::Change;

use super::secret;
use crate::desk::refusal::Refusal;
use crate::desk::{DeskHandle, account};
use crate::shop::not_committed;
use crate::state::Shared;

/// Agents whose float is opened in one go, of those that were left over.
const A_ROUND: u32 = 100;

/// How long a card is good.
const CARD_LIFE: Duration = Duration::from_secs(365 * 24 * 3600);

/// What stands on a card. Shown to whoever opened the account, and kept nowhere.
pub(crate) struct Card {
    /// Leads to a passkey, once.
    pub(crate) link: InvitationCode,
    /// What an agent takes cash with.
    pub(crate) code: String,
    /// Until when.
    pub(crate) expires: Timestamp,
}

/// Opens an agent's float in the vault, unless it is open.
///
/// # Errors
/// Those of both databases.
pub(crate) async fn open_float(
    shared: &Arc<Shared>,
    handle: &Arc<DeskHandle>,
    agent: &Agent,
) -> Result<(), Refusal> {
    if agent.is_in_vault {
        return Ok(());
    }
    let holder = Holder {
        id: agent.account,
        kind: HolderKind::Agent,
        // A till turns over more than any person's account: its limits are those of the highest level.
        level: Level::new(Level::MAX).unwrap_or_default(),
        state: HolderState::Open,
        key: None,
    };
    // Opened before, it stays as it is.
    shared.writer.commit(Change::OpenHolder(holder)).await.map_err(not_committed)?;
    let account = agent.account;
    handle.run(move |store| Ok(store.set_agent_in_vault(account)?)).await
}

/// Opens floats that were left over by a crash, or while the vault was away.
///
/// # Errors
/// As [`open_float`].
pub(super) async fn open_left_over(
    shared: &Arc<Shared>,
    handle: &Arc<DeskHandle>,
) -> Result<(), Refusal> {
    for agent in handle.run(|store| Ok(store.agents_not_in_vault(A_ROUND)?)).await? {
        open_float(shared, handle, &agent).await?;
    }
    Ok(())
}

/// Opens an account for somebody without passkey and document. The same form sent again opens no second one, and shows the same
/// card.
///
/// # Errors
/// Those of the desk. What the vault cannot do now is done in a while.
pub(crate) async fn open_account(
    shared: &Arc<Shared>,
    handle: &Arc<DeskHandle>,
    agent: AccountId,
    nonce: FactId,
    name: Name,
) -> Result<Card, Refusal> {
    let (secret, now) = (secret(shared), shared.now());
    let (account, id) = secret.card_account(nonce);
    let (id, account) = (PersonId::from_bytes(id), AccountId::from_random(account));
    let person = Person::newcomer(id, account, name, now.day());
    let (link, code) = (InvitationCode::from_random(secret.card_link(nonce)), secret.code(nonce));
    let expires = full_minute(now.after(CARD_LIFE));
    let owner = Owner::Person(person.id);
    let invitation =
        Invitation { hash: link.hash(), owner, opens: Some(ALREADY), expires, by: None };
    let card = Cash {
        id: nonce,
        kind: CashKind::Card,
        account: person.account,
        unit: None,
        amount: 0,
        fee: 0,
        code: Some(secret.hash(&code)),
        expires,
        state: CashState::Ready,
        agent: Some(agent),
        day: None,
    };
    let newcomer = person.clone();
    let opened =
        handle.run(move |store| Ok(store.open_at_agent(&newcomer, &invitation, &card)?)).await?;
    if opened == SignedUp::Done {
        _ = account::open(shared, handle, &person).await;
    }
    Ok(Card { link, code: code.spelled(), expires })
}
