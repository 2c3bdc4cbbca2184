//! The front door: what this is, and where to go on.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::desk::Desk;
use crate::desk::page::{Page, show};
use crate::desk::refusal::{Refusal, Said};
use crate::shop::refusal::ShopRefusal;
use crate::text::ENGLISH;

#[derive(Template)]
#[template(path = "front.html")]
struct Door {
    page: Page,
    wallet: Option<String>,
}

/// `GET /`.
pub(super) async fn door(State(desk): State<Desk>) -> Response {
    let page = Page::new(&desk, "/", ENGLISH.front.title);
    let wallet = desk.shared.origins.wallet.as_ref().map(ToString::to_string);
    show(&Door { page, wallet })
}

#[derive(Template)]
#[template(path = "problems.html")]
struct Problems {
    page: Page,
    problems: Vec<Said>,
}

/// `GET /problems`: what the `type` of problem details points to.
pub(super) async fn problems(State(desk): State<Desk>) -> Response {
    let page = Page::new(&desk, "/problems", ENGLISH.refusal.problems_title);
    let of_merchants = ShopRefusal::ALL.map(Refusal::from);
    let all = Refusal::all();
    let problems = all.iter().chain(&of_merchants).map(|refusal| refusal.said(&ENGLISH)).collect();
    show(&Problems { page, problems })
}
