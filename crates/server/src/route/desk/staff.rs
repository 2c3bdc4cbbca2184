//! Who works here, on the console: those who may manage staff take them in, change roles and let them go.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_service::desk::Owner;
use tacit_service::desk::login::InvitationCode;
use tacit_service::desk::person::Name;
use tacit_service::desk::staff::{Permission, Role, Staff, StaffChange, StaffChanged, StaffId};
use tacit_service::desk::trail::{Action, Deed};

use super::operator;
use super::see;
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{SignedForm, StaffLogin};
use crate::desk::{Desk, staffing};
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/operator/staff";

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(PATH, get(list))
        .route("/operator/staff/add", post(add))
        .route("/operator/staff/change", post(change))
}

#[derive(Template)]
#[template(path = "operator/staff.html")]
struct StaffPage {
    page: Page,
    rows: Vec<Row>,
    roles: [&'static str; 5],
    may_manage: bool,
    /// Of the invitation that was just made: it is shown once.
    link: Option<String>,
}

struct Row {
    id: String,
    name: String,
    role: &'static str,
    state: &'static str,
    is_active: bool,
}

/// `GET /operator/staff`.
async fn list(State(desk): State<Desk>, login: StaffLogin) -> Result<Response, Refusal> {
    show_list(&desk, &login, None).await
}

async fn show_list(
    desk: &Desk,
    login: &StaffLogin,
    code: Option<InvitationCode>,
) -> Result<Response, Refusal> {
    login.may(Permission::SeeStaff)?;
    let text = &ENGLISH.operator;
    let staff = desk.run(|store| Ok(store.all_staff()?)).await?;
    let row = |staff: Staff| Row {
        id: staff.id.to_string(),
        name: staff.name.as_str().to_owned(),
        role: staff.role.name(),
        state: if staff.is_active { text.staff_here } else { text.staff_gone },
        is_active: staff.is_active,
    };
    Ok(show(&StaffPage {
        page: operator::page(desk, login, PATH, text.menu_staff),
        rows: staff.into_iter().map(row).collect(),
        roles: Role::ALL.map(Role::name),
        may_manage: login.staff.role.may(Permission::ManageStaff),
        link: code.map(|code| staffing::link(&desk.handle, &code)),
    }))
}

#[derive(Deserialize)]
struct Newcomer {
    name: String,
    role: String,
}

/// `POST /operator/staff/add`.
async fn add(
    State(desk): State<Desk>,
    signed: SignedForm<StaffLogin, Newcomer>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::ManageStaff)?;
    let name = Name::new(&form.name);
    let name = name.map_err(|why| Refusal::Field(fill(ENGLISH.refusal.name, "why", why)))?;
    let role = Role::of_name(&form.role).ok_or(Refusal::Bad)?;
    let by = Some(login.staff.id);
    let code = staffing::add(&desk.handle, name, role, by, desk.now()).await?;
    show_list(&desk, &login, Some(code)).await
}

#[derive(Deserialize)]
struct Change {
    id: String,
    role: String,
    what: What,
}

/// Which of the buttons.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Role,
    Invite,
    Dismiss,
}

/// `POST /operator/staff/change`.
async fn change(
    State(desk): State<Desk>,
    signed: SignedForm<StaffLogin, Change>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::ManageStaff)?;
    let id: StaffId = form.id.parse().map_err(|_| Refusal::NotFound)?;
    let role = Role::of_name(&form.role).ok_or(Refusal::Bad)?;
    let (by, now, owner) = (Some(login.staff.id), desk.now(), Owner::Staff(id));
    let (change, deed) = match form.what {
        What::Invite => {
            let code = staffing::invite(&desk.handle, id, by, now).await?;
            return show_list(&desk, &login, Some(code)).await;
        }
        What::Role => {
            let deed = Deed::about(now, by, Action::StaffRoleChanged, owner);
            (StaffChange::Role(role), Deed { detail: role.name().to_owned(), ..deed })
        }
        What::Dismiss => {
            (StaffChange::Dismiss, Deed::about(now, by, Action::StaffDismissed, owner))
        }
    };
    match desk.run(move |store| Ok(store.change_staff(id, change, &deed)?)).await? {
        StaffChanged::Done | StaffChanged::Nothing => Ok(see(PATH)),
        StaffChanged::LastAdmin => Err(Refusal::LastAdmin),
    }
}
