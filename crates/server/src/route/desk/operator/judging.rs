//! Freezing, thawing and closing accounts, by those who may.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use tacit_service::desk::Owner;
use tacit_service::desk::judgement::{CarriedOut, DecisionId, Judgement, Reason};
use tacit_service::desk::person::{PersonId, PersonState};
use tacit_service::desk::staff::Permission;
use tacit_service::desk::trail::{Action, Deed};

use super::super::{new_id, see};
use super::people::Purpose;
use super::person::{Draft, Part, is_open_in_vault, path, show_person};
use crate::desk::Desk;
use crate::desk::judgement::{carry_out, further, leftovers};
use crate::desk::refusal::Refusal;
use crate::desk::session::{SignedForm, StaffLogin};
use crate::text::{ENGLISH, fill};

#[derive(Deserialize)]
pub(super) struct Decided {
    why: String,
    reason: String,
    what: What,
}

/// Which of the buttons.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Freeze,
    Thaw,
    Close,
}

impl What {
    const fn judgement(self) -> (Judgement, Action) {
        match self {
            Self::Freeze => (Judgement::Freeze, Action::PersonFrozen),
            Self::Thaw => (Judgement::Thaw, Action::PersonThawed),
            Self::Close => (Judgement::Close, Action::PersonClosing),
        }
    }
}

/// `POST /operator/people/{id}/state`. A second click finds it done, and does nothing.
pub(super) async fn decide(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<StaffLogin, Decided>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::JudgePeople)?;
    let id: PersonId = id.parse().map_err(|_| Refusal::NotFound)?;
    let why = Purpose::of_name(&form.why).ok_or(Refusal::Bad)?;
    let reason = match Reason::new(&form.reason) {
        Ok(reason) => reason,
        Err(wrong) => {
            let wrong = Some(fill(ENGLISH.people.reason_wrong, "why", wrong));
            let part = Some(Part::Judge);
            let draft = Draft { part, reason: form.reason, wrong, ..Draft::default() };
            return show_person(&desk, &login, id, why, None, draft).await;
        }
    };
    let found = desk.run(move |store| {
        let person = store.person(id)?.ok_or(Refusal::NotFound)?;
        let is_under_way = store.decision(id)?.is_some();
        Ok((person, store.merchant_of(id)?, store.agent_of(id)?, is_under_way))
    });
    let (person, shop, agent, is_under_way) = found.await?;
    let is_done = match form.what {
        What::Freeze | What::Close => false, // The desk itself knows.
        What::Thaw => {
            let is_open = person.state == PersonState::Open && !is_under_way;
            is_open && is_open_in_vault(&desk, person.account).await?
        }
    };
    if is_done {
        return Ok(see(&path(id, why)));
    }
    if form.what == What::Close {
        let further = further(shop.as_ref(), agent.as_ref());
        if !leftovers(&desk, person.account, &further).await?.is_empty() {
            let part = Some(Part::Judge);
            let draft = Draft { part, reason: form.reason, ..Draft::default() };
            return show_person(&desk, &login, id, why, None, draft).await;
        }
    }
    let (judgement, action) = form.what.judgement();
    let decision = DecisionId::from_bytes(new_id()?);
    let deed = Deed::about(desk.now(), Some(login.staff.id), action, Owner::Person(id));
    let deed = Deed { detail: reason.as_str().to_owned(), ..deed };
    let is_new = desk.run(move |store| Ok(store.judge(id, judgement, decision, &deed)?)).await?;
    let done = match (carry_out(&desk, id).await, form.what) {
        (Err(_), _) => "waiting",
        (Ok(CarriedOut::NotEmpty), _) => "not-closed",
        (Ok(CarriedOut::Closed), What::Freeze | What::Thaw) => "closed-before",
        (Ok(_), _) if !is_new => return Ok(see(&path(id, why))),
        (Ok(_), What::Freeze) => "frozen",
        (Ok(_), What::Thaw) => "thawed",
        (Ok(_), What::Close) => "closed",
    };
    Ok(see(&format!("{}&done={done}", path(id, why))))
}
