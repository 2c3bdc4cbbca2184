//! Five minutes in demo mode, and what the operator knows.

use leptos::prelude::*;
use serde_json::Value;

use super::{View, Work};
use crate::app::{app, go};
use crate::net;
use crate::session::session;
use crate::task;
use crate::text::{Text, text};
use crate::trouble::Trouble;

/// The steps: what, and where it is done.
fn steps(t: &'static Text, desk: &str) -> Vec<(&'static str, &'static str, String)> {
    vec![
        (t.tour_1, t.tour_1_what, "#/cash".to_owned()),
        (t.tour_2, t.tour_2_what, format!("{desk}/merchant")),
        (t.tour_3, t.tour_3_what, "#/history".to_owned()),
        (t.tour_4, t.tour_4_what, "#/bills".to_owned()),
        (t.tour_5, t.tour_5_what, "#/score".to_owned()),
        (t.tour_6, t.tour_6_what, "#/proofs".to_owned()),
        (t.tour_7, t.tour_7_what, "#/known".to_owned()),
    ]
}

pub(crate) fn tour() -> View {
    let (t, work) = (text(), Work::new());
    let desk = session()
        .peek(|_, book| book.operator.desk.clone())
        .map(|desk| desk.to_string())
        .unwrap_or_default();
    let step = |(name, what, place): (&'static str, &'static str, String)| {
        view! { <li class="item"><span class="what"><a href=place><strong>{name}</strong></a><span class="soft">{what}</span></span></li> }
    };
    let month = move |_| {
        work.run(task::next_month(), |()| app().notice.set(Some(text().tour_month_done.to_owned())))
    };
    let end = move |_| {
        work.run(async move { session().note(|book| book.tour_done = true).await }, |()| go(""))
    };
    view! { <p>{t.tour_what}</p><section class="card"><ol class="list">{steps(t, &desk).into_iter().map(step).collect_view()}</ol></section>
        <button class="wide" disabled=move || work.is_busy.get() on:click=month>{t.tour_month}</button>
        <button class="wide plain" on:click=end>{t.tour_end}</button>{work.view(t.loading)} }
    .into_any()
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
