//! What there is, and what one does most.

use leptos::prelude::*;

use super::{Icon, View, icon, shown};
use crate::session::session;
use crate::text::text;

/// Entries of the history that are shown here.
const LATEST: usize = 4;

pub(crate) fn home() -> View {
    let t = text();
    let balances = move || {
        let balances = session().balances();
        let mut held: Vec<_> = balances.iter().filter(|(_, _, sum)| 0 < *sum).cloned().collect();
        if held.is_empty() {
            held.extend(balances.into_iter().next());
        }
        let lines = held
            .into_iter()
            .map(|(_, unit, sum)| view! { <p class="figure">{shown(sum, unit)}</p> });
        view! { {lines.collect_view()} }
    };
    let is_unchecked = move || session().with(|_, book| book.words_checked.is_none());
    let is_tour = move || {
        session()
            .with(|state, book| book.operator.demo && !book.tour_done && state.history().len() < 40)
    };
    let action = |route: &'static str, kind: Icon, name: &'static str| view! { <a href=route>{icon(kind)}<span>{name}</span></a> };
    view! {
        <section class="card hero" aria-label=t.balance><p class="soft">{t.balance}</p>{balances}
            <p class="soft small">{move || session().with(|_, book| book.operator.name.clone())}</p></section>
        <nav class="actions" aria-label=t.money_menu>
            {action("#/pay", Icon::Scan, t.pay)}{action("#/send", Icon::Up, t.send)}{action("#/receive", Icon::Down, t.receive)}{action("#/cash", Icon::Cash, t.cash)}
        </nav>
        {move || is_unchecked().then(|| view! { <p class="note warn"><a href="#/words">{text().words_unchecked}</a></p> })}
        {move || is_tour().then(|| view! { <a class="button plain wide" href="#/tour">{text().tour_begin}</a> })}
        {super::cash::waiting()}
        <section class="card"><div class="row between"><h2>{t.latest}</h2><a href="#/history">{t.all}</a></div>
            {move || super::history::list(LATEST, "")}</section>
    }
    .into_any()
}
