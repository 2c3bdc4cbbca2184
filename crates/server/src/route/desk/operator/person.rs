//! One person, as staff see them: who they are, what their account holds and may take, and what staff did about them.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use tacit_core::amount::Amount;
use tacit_core::unit::Unit;
use tacit_service::account::{AccountId, Direction, Holder, HolderState, Level};
use tacit_service::desk::Owner;
use tacit_service::desk::agent::Agent;
use tacit_service::desk::identification::{Case, CaseState, Document};
use tacit_service::desk::login::Invitation;
use tacit_service::desk::merchant::Merchant;
use tacit_service::desk::person::{Iban, KycLevel, Person, PersonId, PersonState};
use tacit_service::desk::staff::{Permission, Staff};
use tacit_service::desk::trail::{Action, Deed, Entry};
use tacit_service::vault::StoreError;

use super::logins::{self, Waiting};
use super::people::{Choice, Purpose, choices, state_name};
use super::{called, identification, page, people};
use crate::desk::Desk;
use crate::desk::judgement::{further, leftovers};
use crate::desk::money::{amount, ask, written};
use crate::desk::page::{Page, show, utc};
use crate::desk::refusal::Refusal;
use crate::desk::session::StaffLogin;
use crate::state::Shared;
use crate::text::{ENGLISH, fill};

/// Deeds shown of what staff did about somebody.
const DEEDS: u32 = 50;

/// The page of somebody.
pub(super) fn path(id: PersonId, why: Purpose) -> String {
    format!("{}/{id}?why={}", people::PATH, why.name())
}

/// What was just done, and what the look is for.
#[derive(Deserialize)]
pub(super) struct Asked {
    why: Option<String>,
    done: Option<String>,
    /// What staff did is shown from before this entry on.
    before: Option<u64>,
}

#[derive(Template)]
#[template(path = "operator/person_ask.html")]
struct AskPage {
    page: Page,
    path: String,
    choices: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "operator/person.html")]
struct PersonPage {
    page: Page,
    id: String,
    why: &'static str,
    name: String,
    state: &'static str,
    account: String,
    contact: Option<String>,
    iban: Option<String>,
    since: String,
    level: &'static str,
    /// What is to be known about how the vault has it.
    remarks: Vec<String>,
    purses: Vec<PurseRow>,
    shop: Option<ShopPart>,
    float: Option<ShopPart>,
    serving: Option<Serving>,
    /// A code that a second member of staff can confirm.
    waiting: Option<Waiting>,
    level_part: Option<LevelPart>,
    /// Whether a number is on record of a closed account, which its owner would need to come back.
    may_release: bool,
    judging: Option<Judging>,
    /// What staff did about them, for those who may read the trail.
    deeds: Option<Vec<DeedRow>>,
    /// Where older ones are, if these are not all.
    deeds_older: Option<String>,
}

/// A currency: what is held, and what has passed the edge.
struct PurseRow {
    unit: String,
    balance: String,
    passed: [(&'static str, String); 4],
}

/// An account that somebody has beside their own.
struct ShopPart {
    name: String,
    account: String,
    balance: String,
    state: &'static str,
}

/// What may be decided.
struct Judging {
    may_freeze: bool,
    may_thaw: bool,
    /// What keeps the account from being closed.
    left: Vec<String>,
    reason: String,
    wrong: Option<String>,
}

/// What a teller may do.
struct Serving {
    /// How far it is found out who they are.
    case: Option<String>,
    documents: Vec<DocumentChoice>,
    /// Whether a number is on record, so that the document has to be shown again for a login.
    is_shown: bool,
    document: NumberPart,
    login: NumberPart,
}

/// A document to choose.
struct DocumentChoice {
    name: &'static str,
    said: &'static str,
}

/// A country and a number, as they were typed and refused.
#[derive(Default)]
struct NumberPart {
    country: String,
    number: String,
    wrong: Option<String>,
}

/// What compliance may set.
struct LevelPart {
    case: Option<String>,
    may_refuse: bool,
    /// Whether a number can be taken off that was written down wrongly.
    may_release: bool,
    levels: Vec<LevelChoice>,
    reason: String,
    wrong: Option<String>,
}

/// A level to choose.
struct LevelChoice {
    number: u8,
    said: &'static str,
    is_chosen: bool,
}

struct DeedRow {
    moment: String,
    staff: String,
    action: String,
    detail: String,
}

/// Which part of the page was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Judge,
    Level,
    Document,
    Invite,
}

/// What was written and refused, to be shown again.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) part: Option<Part>,
    pub(super) reason: String,
    pub(super) country: String,
    pub(super) number: String,
    pub(super) wrong: Option<String>,
    /// What staff did is shown from before this entry on.
    pub(super) before: Option<u64>,
}

impl Draft {
    /// What was written into one part: nothing, if it was another that was sent.
    fn of(&self, part: Part) -> Option<&Self> {
        (self.part == Some(part)).then_some(self)
    }

    /// The reason in one part, and what is wrong there.
    fn reason_of(&self, part: Part) -> (String, Option<String>) {
        self.of(part).map(|draft| (draft.reason.clone(), draft.wrong.clone())).unwrap_or_default()
    }

    fn number_of(&self, part: Part) -> NumberPart {
        self.of(part).map_or_else(NumberPart::default, |draft| NumberPart {
            country: draft.country.clone(),
            number: draft.number.clone(),
            wrong: draft.wrong.clone(),
        })
    }
}

/// `GET /operator/people/{id}`: shown once it is said what for, and noted before it is shown.
pub(super) async fn look(
    State(desk): State<Desk>,
    login: StaffLogin,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    login.may(Permission::SeePeople)?;
    let id: PersonId = id.parse().map_err(|_| Refusal::NotFound)?;
    let text = &ENGLISH.people;
    let Some(why) = asked.why.as_deref().and_then(Purpose::of_name) else {
        let page = page(&desk, &login, people::PATH, text.ask_title);
        let path = format!("{}/{id}", people::PATH);
        return Ok(show(&AskPage { page, path, choices: choices(None) }));
    };
    let notice = match asked.done.as_deref() {
        Some("frozen") => Some(text.done_frozen),
        Some("thawed") => Some(text.done_thawed),
        Some("closed") => Some(text.done_closing),
        Some("closed-before") => Some(text.done_closed_before),
        Some("not-closed") => Some(text.done_not_closed),
        Some("waiting") => Some(text.done_waiting),
        Some("taken-in") => Some(text.done_taken_in),
        Some("confirmed") => Some(text.done_confirmed),
        Some("confirmed-late") => Some(text.done_confirmed_late),
        Some("document") => Some(text.done_document),
        Some("level") => Some(text.done_level),
        _ => None,
    };
    let draft = Draft { before: asked.before, ..Draft::default() };
    show_person(&desk, &login, id, why, notice, draft).await
}

/// All that the desk has about somebody.
struct Known {
    person: Person,
    shop: Option<Merchant>,
    agent: Option<Agent>,
    case: Option<Case>,
    requested: Option<Invitation>,
    is_under_way: bool,
    deeds: Vec<Entry>,
    staff: Vec<Staff>,
}

/// Shows somebody's page, and notes first that it was shown.
///
/// # Errors
/// [`Refusal::NotFound`] if there is nobody of that name, and those of both databases.
pub(super) async fn show_person(
    desk: &Desk,
    login: &StaffLogin,
    id: PersonId,
    why: Purpose,
    notice: Option<&'static str>,
    draft: Draft,
) -> Result<Response, Refusal> {
    let (owner, now) = (Owner::Person(id), desk.now());
    let seen = Deed::about(now, Some(login.staff.id), Action::PersonSeen, owner);
    let seen = Deed { detail: why.name().to_owned(), ..seen };
    let reads_trail = login.staff.role.may(Permission::SeeTrail);
    let before = draft.before;
    let known = desk.run(move |store| {
        let person = store.person(id)?.ok_or(Refusal::NotFound)?;
        store.note(&seen)?;
        let subject = owner.to_string();
        let deeds =
            if reads_trail { store.trail_about(&subject, before, DEEDS + 1)? } else { Vec::new() };
        Ok(Known {
            shop: store.merchant_of(id)?,
            agent: store.agent_of(id)?,
            case: store.case(id)?,
            requested: store.requested_login(id, now)?,
            is_under_way: store.decision(id)?.is_some(),
            staff: store.all_staff()?,
            person,
            deeds,
        })
    });
    let mut known = known.await?;
    let deeds_older = cut_deeds(&mut known.deeds, &path(id, why));
    let found = in_vault(desk, &known).await?;
    let person = &known.person;
    let is_closed = person.state == PersonState::Closed;
    let judges = login.staff.role.may(Permission::JudgePeople);
    let may = |permission| !is_closed && login.staff.role.may(permission);
    let judging = if may(Permission::JudgePeople) {
        Some(judging(desk, &known, &found, &draft).await?)
    } else {
        None
    };
    let waiting = known.requested.as_ref();
    let waiting = waiting.and_then(|code| logins::waiting(code, &known.staff, login, now));
    let sees_shops = login.staff.role.may(Permission::SeeMerchants);
    let sees_agents = login.staff.role.may(Permission::SeeAgents);
    Ok(show(&PersonPage {
        page: page(desk, login, people::PATH, person.name.as_str()).with_notice(notice),
        id: id.to_string(),
        why: why.name(),
        name: person.name.as_str().to_owned(),
        state: state_name(person.state),
        account: person.account.to_string(),
        contact: person.contact.as_ref().map(|contact| contact.as_str().to_owned()),
        iban: person.iban.as_ref().map(Iban::grouped),
        since: person.opened.to_string(),
        level: level_name(person.kyc),
        remarks: remarks(&known, &found),
        shop: known.shop.as_ref().filter(|_| sees_shops).map(|shop| shop_part(shop, &found)),
        float: known.agent.as_ref().filter(|_| sees_agents).map(|own| float_part(own, &found)),
        purses: found.purses,
        serving: may(Permission::ServePeople).then(|| serving(&known, &draft)),
        waiting,
        level_part: may(Permission::JudgePeople).then(|| level_part(&known, &draft)),
        judging,
        may_release: is_closed && judges && person.national_number.is_some(),
        deeds: reads_trail.then(|| deed_rows(&known.deeds, &known.staff)),
        deeds_older,
    }))
}

/// Cuts what staff did to what fits on the page, and says where older entries are, if there are any.
fn cut_deeds(deeds: &mut Vec<Entry>, path: &str) -> Option<String> {
    let has_older = (DEEDS as usize) < deeds.len();
    deeds.truncate(DEEDS as usize);
    let last = deeds.last().filter(|_| has_older)?;
    Some(format!("{path}&before={}#deeds", last.number))
}

/// What the vault says.
struct InVault {
    holder: Option<Holder>,
    purses: Vec<PurseRow>,
    shop_state: Option<HolderState>,
    shop_balance: Option<Amount>,
    float_state: Option<HolderState>,
    float_balance: Option<Amount>,
}

async fn in_vault(desk: &Desk, known: &Known) -> Result<InVault, Refusal> {
    let (own, shared) = (known.person.account, Arc::clone(&desk.shared));
    let shop = known.shop.as_ref().map(|shop| (shop.account, shop.unit));
    let float = known.agent.as_ref().map(|agent| (agent.account, agent.unit));
    ask(&desk.shared, move |reader| {
        let holder = reader.holder(own)?;
        let mut purses = Vec::new();
        if let Some(holder) = &holder {
            for terms in &shared.config.units {
                let purse = reader.purse(own, terms.unit)?;
                let usage = purse.usage.at(shared.now());
                let held = amount(purse.balance.owed()?, terms.unit)?;
                let used = [usage.in_day, usage.in_month, usage.out_day, usage.out_month];
                purses.push(purse_row(&shared, holder.level, held, used)?);
            }
        }
        let mut beside = |account: Option<(AccountId, Unit)>| -> Result<_, StoreError> {
            let Some((account, unit)) = account else { return Ok((None, None)) };
            let state = reader.holder(account)?.map(|holder| holder.state);
            Ok((state, Some(amount(reader.purse(account, unit)?.balance.owed()?, unit)?)))
        };
        let (shop_state, shop_balance) = beside(shop)?;
        let (float_state, float_balance) = beside(float)?;
        Ok(InVault { holder, purses, shop_state, shop_balance, float_state, float_balance })
    })
    .await
}

fn purse_row(
    shared: &Shared,
    level: Level,
    held: Amount,
    used: [u64; 4],
) -> Result<PurseRow, StoreError> {
    let (text, unit) = (&ENGLISH.people, held.unit());
    let limits = |direction| shared.config.limits(unit, direction, level);
    let (come, go) = (limits(Direction::In), limits(Direction::Out));
    let passed = |used: u64, limit: Option<u64>| -> Result<String, StoreError> {
        let used = number(used, unit)?;
        Ok(match limit {
            Some(limit) => fill(&fill(text.money_of, "used", used), "limit", number(limit, unit)?),
            None => used,
        })
    };
    Ok(PurseRow {
        unit: unit.to_string().to_uppercase(),
        balance: written(held),
        passed: [
            (text.money_in_day, passed(used[0], come.map(|limits| limits.day))?),
            (text.money_in_month, passed(used[1], come.map(|limits| limits.month))?),
            (text.money_out_day, passed(used[2], go.map(|limits| limits.day))?),
            (text.money_out_month, passed(used[3], go.map(|limits| limits.month))?),
        ],
    })
}

/// An amount without its currency, which stands before the row.
fn number(value: u64, unit: Unit) -> Result<String, StoreError> {
    let whole = amount(value.min(Amount::MAX_VALUE), unit)?.to_string();
    Ok(whole.split(' ').next().unwrap_or(&whole).to_owned())
}

const fn level_name(level: KycLevel) -> &'static str {
    let text = &ENGLISH.people;
    match level {
        KycLevel::Unknown => text.level_0,
        KycLevel::Identified => text.level_1,
        KycLevel::Verified => text.level_2,
    }
}

const fn vault_state_name(state: HolderState) -> &'static str {
    match state {
        HolderState::Open => ENGLISH.people.state_open,
        HolderState::Frozen => ENGLISH.people.state_frozen,
        HolderState::Closed => ENGLISH.people.state_closed,
    }
}

/// Where desk and vault do not say the same.
fn remarks(known: &Known, found: &InVault) -> Vec<String> {
    let text = &ENGLISH.people;
    if known.is_under_way {
        return vec![text.under_way.to_owned()];
    }
    let said = known.person.state.in_vault();
    let mut remarks = match &found.holder {
        None => vec![text.vault_none.to_owned()],
        Some(holder) if holder.state != said => {
            vec![fill(text.vault_differs, "state", vault_state_name(holder.state))]
        }
        Some(_) => Vec::new(),
    };
    for (state, text) in
        [(found.shop_state, text.shop_differs), (found.float_state, text.float_differs)]
    {
        let differs = state.filter(|state| *state != said);
        remarks.extend(differs.map(|state| fill(text, "state", vault_state_name(state))));
    }
    remarks
}

fn shop_part(shop: &Merchant, found: &InVault) -> ShopPart {
    ShopPart {
        name: shop.name.as_str().to_owned(),
        account: shop.account.to_string(),
        balance: found.shop_balance.map(written).unwrap_or_default(),
        state: vault_state_name(found.shop_state.unwrap_or(HolderState::Open)),
    }
}

fn float_part(agent: &Agent, found: &InVault) -> ShopPart {
    ShopPart {
        name: agent.name.as_str().to_owned(),
        account: agent.account.to_string(),
        balance: found.float_balance.map(written).unwrap_or_default(),
        state: vault_state_name(found.float_state.unwrap_or(HolderState::Open)),
    }
}

async fn judging(
    desk: &Desk,
    known: &Known,
    found: &InVault,
    draft: &Draft,
) -> Result<Judging, Refusal> {
    let text = &ENGLISH.people;
    let is_frozen = known.person.state == PersonState::Frozen;
    let vault_froze =
        found.holder.as_ref().is_some_and(|holder| holder.state == HolderState::Frozen);
    let further = further(known.shop.as_ref(), known.agent.as_ref());
    let rest = leftovers(desk, known.person.account, &further).await?;
    let said = |text: &str, held: &Amount| fill(text, "amount", written(*held));
    let mut left: Vec<String> =
        rest.balances.iter().map(|held| said(text.close_balance, held)).collect();
    let further = rest.further_balances.iter();
    left.extend(further.map(|held| said(text.close_further_balance, held)));
    if rest.payouts > 0 {
        left.push(fill(text.close_payouts, "count", rest.payouts));
    }
    if rest.cash > 0 {
        left.push(fill(text.close_cash, "count", rest.cash));
    }
    if !left.is_empty() && is_frozen {
        left.push(text.close_frozen.to_owned());
    }
    let (reason, wrong) = draft.reason_of(Part::Judge);
    Ok(Judging { may_freeze: !is_frozen, may_thaw: is_frozen || vault_froze, left, reason, wrong })
}

fn serving(known: &Known, draft: &Draft) -> Serving {
    let choice = |document: Document| DocumentChoice {
        name: document.name(),
        said: identification::document_name(document),
    };
    Serving {
        case: known.case.as_ref().map(|case| identification::state_said(case.state)),
        documents: Document::ALL.map(choice).into(),
        is_shown: known.person.national_number.is_some(),
        document: draft.number_of(Part::Document),
        login: draft.number_of(Part::Invite),
    }
}

fn level_part(known: &Known, draft: &Draft) -> LevelPart {
    let choice = |level: KycLevel| LevelChoice {
        number: level.number(),
        said: level_name(level),
        is_chosen: level == known.person.kyc,
    };
    let (reason, wrong) = draft.reason_of(Part::Level);
    let case = known.case.as_ref();
    LevelPart {
        case: case.map(|case| identification::state_said(case.state)),
        may_refuse: case.is_some_and(|case| case.state != CaseState::Refused),
        may_release: known.person.kyc == KycLevel::Unknown
            && known.person.national_number.is_some(),
        levels: KycLevel::ALL.map(choice).into(),
        reason,
        wrong,
    }
}

fn deed_rows(deeds: &[Entry], staff: &[Staff]) -> Vec<DeedRow> {
    let machine = ENGLISH.operator.trail_machine;
    let row = |entry: &Entry| DeedRow {
        moment: utc(entry.moment),
        staff: match entry.staff {
            None => machine.to_owned(),
            Some(id) => called(staff, id),
        },
        action: entry.action.clone(),
        detail: entry.detail.clone(),
    };
    deeds.iter().map(row).collect()
}

/// Whether the vault has an account as open.
///
/// # Errors
/// As [`ask`].
pub(super) async fn is_open_in_vault(desk: &Desk, account: AccountId) -> Result<bool, Refusal> {
    let holder = ask(&desk.shared, move |reader| reader.holder(account)).await?;
    Ok(holder.is_some_and(|holder| holder.state == HolderState::Open))
}
