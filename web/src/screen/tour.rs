//! Five minutes in demo mode, and what the operator knows.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;

use super::{View, Work};
use crate::app::{app, go, take_incoming};
use crate::net;
use crate::session::session;
use crate::task::credit;
use crate::task::tour::{self, Meeting};
use crate::text::{Text, fill, text};
use crate::trouble::Trouble;

/// The steps in which months pass, and in which a lender is met.
const MONTHS: u8 = 6;
const LENDER: u8 = 8;

/// What a step leads to.
#[derive(Clone)]
enum Way {
    /// A screen, or a page of the desk.
    Place(String),
    /// Somebody on the street.
    Meeting(Meeting),
    /// Months that pass at once.
    Months,
}

/// A step: what, and where it is done.
struct Step {
    name: &'static str,
    what: &'static str,
    way: Way,
}

fn steps(t: &'static Text, desk: &str, has_passport: bool) -> Vec<Step> {
    let place = |place: &str| Way::Place(place.to_owned());
    let passport = if has_passport { place("#/score") } else { Way::Meeting(Meeting::Passport) };
    let all = [
        (t.tour_money, t.tour_money_what, place("#/cash")),
        (t.tour_shop, t.tour_shop_what, Way::Place(format!("{desk}/demo"))),
        (t.tour_receipt, t.tour_receipt_what, place("#/history")),
        (t.tour_passport, t.tour_passport_what, passport),
        (t.tour_bill, t.tour_bill_what, Way::Meeting(Meeting::Contract)),
        (t.tour_score, t.tour_score_what, Way::Months),
        (t.tour_proofs, t.tour_proofs_what, place("#/proofs")),
        (t.tour_lender, t.tour_lender_what, Way::Meeting(Meeting::Question)),
        (t.tour_known, t.tour_known_what, place("#/known")),
    ];
    all.into_iter().map(|(name, what, way)| Step { name, what, way }).collect()
}

pub(crate) fn tour() -> View {
    let (t, work) = (text(), Work::new());
    let desk = session().peek(|_, book| book.operator.desk.clone());
    let desk = desk.map(|desk| desk.to_string()).unwrap_or_default();
    let has_passport = credit::passport(&session(), |_, _| ()).is_ok();
    let end = move |_| {
        work.run(async move { session().note(|book| book.tour_done = true).await }, |()| go(""))
    };
    let line = |(at, step): (u8, Step)| {
        let is_seen = move || session().with(|_, book| book.toured.contains(&at));
        let way = way(at, step.name, step.way, work);
        view! { <li class="item" class:seen-it=is_seen><span class="what"><span>{way}</span><span class="soft">{step.what}</span>{outcome(at, work)}</span></li> }
    };
    let lines = (1..).zip(steps(t, &desk, has_passport)).map(line).collect_view();
    view! { <p>{t.tour_what}</p>{work.view(t.loading)}<section class="card"><ol class="list steps">{lines}</ol></section>
        <button class="wide plain" on:click=end>{t.tour_end}</button> }
    .into_any()
}

/// What came of a step: the scores so far, and what the lender sees.
fn outcome(at: u8, work: Work) -> Option<View> {
    let scores = move || {
        work.is_busy.get();
        super::score::grown()
    };
    let lender = move || {
        let page = session().with(|_, book| book.tour_lender.clone());
        page.map(|page| view! { <a href=page target="_blank" rel="noreferrer">{text().tour_lender_page}</a> })
    };
    match at {
        MONTHS => Some(view! { {scores} }.into_any()),
        LENDER => Some(view! { {lender} }.into_any()),
        _ => None,
    }
}

/// Notes that a step was begun.
async fn begun(at: u8) -> Result<(), Trouble> {
    session().note(|book| _ = book.toured.insert(at)).await
}

/// What is pressed for a step.
fn way(at: u8, name: &'static str, way: Way, work: Work) -> View {
    match way {
        Way::Place(place) => {
            let go = move |_| spawn_local(async move { _ = begun(at).await });
            view! { <a href=place on:click=go><strong>{name}</strong></a> }.into_any()
        }
        Way::Meeting(whom) => {
            let meet = move |_| {
                let met = async move {
                    let met = tour::meet(whom).await?;
                    begun(at).await?;
                    if let Some(page) = met.page {
                        session().note(|book| book.tour_lender = Some(page)).await?;
                    }
                    Ok::<_, Trouble>(met.link)
                };
                work.run(met, |link| {
                    app().incoming.set(Some(link));
                    take_incoming();
                });
            };
            view! { <button class="plain" disabled=move || work.is_busy.get() on:click=meet>{name}</button> }.into_any()
        }
        Way::Months => {
            let t = text();
            let month = move |_| {
                let lived = async move {
                    let score = tour::live_month(&session()).await?;
                    begun(at).await?;
                    Ok::<_, Trouble>(score)
                };
                work.run(lived, |score| {
                    let t = text();
                    let told = match score {
                        Some(score) => fill(t.tour_month_score, &[&score.to_string()]),
                        None => t.tour_month_done.to_owned(),
                    };
                    app().notice.set(Some(told));
                });
            };
            view! { <a href="#/score"><strong>{name}</strong></a> <button class="plain" disabled=move || work.is_busy.get() on:click=month>{t.tour_month}</button> }.into_any()
        }
    }
}

/// What the operator keeps, column by column, beside what is kept elsewhere.
pub(crate) fn known() -> View {
    let (t, work, list) = (text(), Work::new(), RwSignal::new(None::<Value>));
    work.run(
        async {
            let bytes = net::own("./inventory.json").await.ok_or(Trouble::NoAnswer)?;
            serde_json::from_slice(&bytes).map_err(|_| Trouble::NoAnswer)
        },
        move |found| list.set(Some(found)),
    );
    let row = |what: &'static str, here: &'static str, there: &'static str| view! { <tr><th scope="row">{what}</th><td>{here}</td><td>{there}</td></tr> };
    view! {
        <section class="card"><h2>{t.known_beside}</h2><table><thead><tr><td></td><th scope="col">{t.known_here}</th><th scope="col">{t.known_elsewhere}</th></tr></thead><tbody>
            {row(t.known_balance, t.known_no, t.known_yes)}{row(t.known_whom, t.known_no, t.known_yes)}{row(t.known_when, t.known_no, t.known_yes)}
            {row(t.known_score, t.known_no, t.known_yes)}{row(t.known_cash, t.known_yes, t.known_yes)}{row(t.known_name, t.known_yes, t.known_yes)}</tbody></table></section>
        {work.view(t.loading)}
        {move || list.get().map(|found| inventory(&found))}
    }
    .into_any()
}

/// The inventory, as the server declares it: sections, and what is kept in each.
fn inventory(found: &Value) -> View {
    let t = text();
    let said = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let line = |row: &Value| {
        view! {
            <li class="item">
                <span class="what">
                    <code>{said(row, "name")}</code>
                    <span class="small">{said(row, "purpose")}</span>
                    <span class="small soft">{said(row, "retention")}</span>
                </span>
            </li>
        }
    };
    let section = |section: &Value| {
        let kept = section["kept"].as_array().cloned().unwrap_or_default();
        view! {
            <details>
                <summary>{said(section, "title")}</summary>
                <p class="small soft">{said(section, "about")}</p>
                <ul class="list">{kept.iter().map(line).collect_view()}</ul>
            </details>
        }
    };
    let sections = found.as_array().cloned().unwrap_or_default();
    view! {
        <section class="card">
            <h2>{t.known_all}</h2>
            <p class="soft">{t.known_all_what}</p>
            <div lang="en" dir="ltr">{sections.iter().map(section).collect_view()}</div>
        </section>
    }
    .into_any()
}
