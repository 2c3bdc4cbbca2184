//! Five minutes in demo mode, and what the operator knows.

use leptos::prelude::*;
use serde_json::Value;

use super::{View, Work};
use crate::app::go;
use crate::net;
use crate::session::session;
use crate::text::{Text, text};
use crate::trouble::Trouble;

/// The steps: what, and where it is done.
fn steps(t: &'static Text, desk: &str) -> Vec<(&'static str, &'static str, String)> {
    vec![
        (t.tour_1, t.tour_1_what, "#/cash".to_owned()),
        (t.tour_2, t.tour_2_what, format!("{desk}/demo-shop")),
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
    let end = move |_| {
        work.run(async move { session().note(|book| book.tour_done = true).await }, |()| go(""))
    };
    view! { <p>{t.tour_what}</p><section class="card"><ol class="list">{steps(t, &desk).into_iter().map(step).collect_view()}</ol></section>
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

/// The tables of the inventory, as the server declares them.
fn inventory(found: &Value) -> View {
    let t = text();
    let tables = found
        .as_array()
        .cloned()
        .or_else(|| found["entries"].as_array().cloned())
        .unwrap_or_default();
    let text_of = |row: &Value, names: &[&str]| {
        names.iter().find_map(|name| row[*name].as_str()).unwrap_or_default().to_owned()
    };
    let line = |row: &Value| {
        let place = [
            text_of(row, &["store", "database"]),
            text_of(row, &["table"]),
            text_of(row, &["column", "name", "field"]),
        ];
        let place: Vec<String> = place.into_iter().filter(|part| !part.is_empty()).collect();
        view! { <li class="item"><span class="what"><span class="raw">{place.join(".")}</span><span class="small">{text_of(row, &["purpose", "what"])}</span>
        <span class="small soft">{text_of(row, &["retention", "kept"])}</span></span></li> }
    };
    view! { <section class="card"><h2>{t.known_all}</h2><p class="soft">{t.known_all_what}</p><ul class="list" lang="en" dir="ltr">{tables.iter().map(line).collect_view()}</ul></section> }.into_any()
}
