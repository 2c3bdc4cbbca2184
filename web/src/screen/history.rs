//! What became of the money: searched, noted, exported, and as a picture of months.

use leptos::prelude::*;
use tacit_core::unit::Unit;
use tacit_wallet::history::{Entry, Kind, Progress};
use tacit_wallet::state::OperationId;

use super::{View, Work, at, shown, signed};
use crate::app::go;
use crate::glue;
use crate::picture;
use crate::session::session;
use crate::text::{Text, text};

/// Months that the picture has.
const MONTHS: usize = 6;

fn kind_of(entry: &Entry, t: &'static Text) -> &'static str {
    match entry.kind {
        Kind::Minted => t.kind_minted,
        Kind::Sent => t.kind_sent,
        Kind::Received => t.kind_received,
        Kind::Reclaimed { .. } => t.kind_reclaimed,
        Kind::Refunded { .. } => t.kind_refunded,
        Kind::PaidOut => t.kind_paid_out,
        Kind::Restored => t.kind_restored,
    }
}

/// Where an entry stands. A payment that its receiver has taken is done, whether or not the mint was asked what became of the money.
fn progress_of(id: OperationId, entry: &Entry) -> Progress {
    let is_taken = || {
        session().with(|state, _| {
            let delivery = state.tokens().get(&id).and_then(|token| token.delivery.as_ref());
            delivery.is_some_and(|delivery| delivery.is_done)
        })
    };
    if entry.progress == Progress::Pending && is_taken() { Progress::Done } else { entry.progress }
}

fn named(progress: Progress, t: &'static Text) -> &'static str {
    match progress {
        Progress::Pending => t.state_pending,
        Progress::Done => t.state_done,
        Progress::Failed => t.state_failed,
        Progress::Returned => t.state_returned,
    }
}

/// The latest entries that a search leaves.
pub(crate) fn list(most: usize, search: &str) -> View {
    let t = text();
    let wanted = search.to_lowercase();
    let found: Vec<(OperationId, Entry)> = session().with(|state, _| {
        let fits = |entry: &&Entry| {
            let text = format!(
                "{} {} {} {}",
                kind_of(entry, t),
                entry.note,
                entry.memo.as_deref().unwrap_or_default(),
                shown(entry.amount, entry.unit)
            );
            wanted.is_empty() || text.to_lowercase().contains(&wanted)
        };
        let entries = state.history().iter().rev().filter(|(_, entry)| fits(entry));
        entries.take(most).map(|(id, entry)| (*id, entry.clone())).collect()
    });
    if found.is_empty() {
        return view! { <p class="soft">{if search.is_empty() { t.history_empty } else { t.history_none }}</p> }.into_any();
    }
    let line = |(id, entry): (OperationId, Entry)| {
        let change = entry.change();
        let words = picture::named(&entry);
        let progress = progress_of(id, &entry);
        let open = (progress != Progress::Done).then(|| named(progress, t));
        // Not in the balance yet: what it is about.
        let sum =
            if change == 0 { shown(entry.amount, entry.unit) } else { signed(change, entry.unit) };
        view! { <li><a href=format!("#/entry/{}", id.number())><span class="what"><span>{kind_of(&entry, t)}</span>
        <span class="small soft" dir="auto">{words}</span><span class="small soft">{at(entry.began, "minute")}{open.map(|open| format!(" · {open}"))}</span></span>
        <span class="much" class:in=move || 0 < change>{sum}</span></a></li> }
    };
    view! { <ul class="list">{found.into_iter().map(line).collect_view()}</ul> }.into_any()
}

pub(crate) fn history() -> View {
    let (t, search) = (text(), RwSignal::new(String::new()));
    let export = move |_| {
        let table = session().peek(|state, _| picture::csv(state.history()));
        glue::save("history.csv", "text/csv", &table);
    };
    view! {
        <label class="hidden" for="search">{t.search}</label>
        <input id="search" type="search" placeholder=t.search prop:value=search on:input=move |event| search.set(event_target_value(&event)) />
        <section class="card">{move || list(500, &search.get())}</section>
        <div class="row"><a class="button plain" href="#/months">{t.months}</a><button class="plain" on:click=export>{t.export}</button></div>
    }
    .into_any()
}

/// One entry, with the person's own words.
pub(crate) fn entry(number: &str) -> View {
    let Ok(number) = number.parse::<u64>() else { return history() };
    let (id, t, work) = (OperationId::from_number(number), text(), Work::new());
    let Some(first) = session().peek(|state, _| state.history().get(&id).cloned()) else {
        return history();
    };
    let note = RwSignal::new(first.note);
    let save = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let note = note.get_untracked();
        work.run(async move { session().persist(|state| state.note(id, &note)).await }, |()| {
            go("history")
        });
    };
    let facts = move || {
        let entry = session().with(|state, _| state.history().get(&id).cloned())?;
        let progress = progress_of(id, &entry);
        let is_out = progress == Progress::Pending
            && session().with(|state, _| state.tokens().contains_key(&id));
        let fact = |name: &'static str, value: String| view! { <div><dt>{name}</dt><dd dir="auto">{value}</dd></div> };
        Some(view! {
            <p class="figure">{signed(entry.change(), entry.unit)}</p>
            <dl class="facts">
                {fact(t.what, kind_of(&entry, t).to_owned())}{fact(t.state, named(progress, t).to_owned())}{fact(t.when, at(entry.began, "minute"))}
                {fact(t.amount, shown(entry.amount, entry.unit))}{fact(t.fee, shown(entry.fee, entry.unit))}
                {entry.memo.clone().map(|memo| fact(t.memo, memo))}{fact(t.mint, entry.mint.to_string())}
            </dl>
            {is_out.then(|| view! { <a class="button plain" href=format!("#/sent/{number}")>{t.show_token}</a> })}
        })
    };
    view! {
        <section class="card">{facts}</section>
        <form class="card" on:submit=save><label>{t.note}<input maxlength="300" dir="auto" prop:value=note on:input=move |event| note.set(event_target_value(&event)) /></label>
            <button class="wide plain" type="submit">{t.save}</button>{work.view(t.loading)}</form>
    }
    .into_any()
}

/// Where the money went, month by month. Computed here; nobody is asked.
pub(crate) fn months() -> View {
    let t = text();
    let units = move || {
        let mut units: Vec<Unit> =
            session().with(|state, _| state.history().values().map(|entry| entry.unit).collect());
        units.sort_by_key(|unit| unit.code().to_owned());
        units.dedup();
        units
    };
    let picture = move |unit: Unit| {
        let months = session().with(|state, _| picture::months(state.history().values(), unit));
        let months: Vec<_> = months.into_iter().rev().take(MONTHS).collect();
        let most = months.iter().map(|(_, month)| month.went).max().unwrap_or(0).max(1);
        #[expect(clippy::cast_precision_loss, reason = "a share of what is drawn")]
        let height = move |went: i128| format!("{:.0}%", 65.0 * went as f64 / most as f64);
        let column = |(name, month): &(String, picture::Month)| {
            view! { <div><span class="small">{signed(month.went, unit)}</span><span class="pillar" style:block-size=height(month.went)></span><span class="small soft">{name.clone()}</span></div> }
        };
        let parts = |(name, month): &(String, picture::Month)| {
            let part = |(what, sum): &(String, i128)| {
                let what = if what.is_empty() { t.without_name.to_owned() } else { what.clone() };
                view! { <li class="item"><span class="what" dir="auto">{what}</span><span class="much">{signed(*sum, unit)}</span></li> }
            };
            view! { <section class="card"><div class="row between"><h2>{name.clone()}</h2><span class="soft">{t.came}" "{signed(month.came, unit)}</span></div>
            <ul class="list">{month.parts.iter().map(part).collect_view()}</ul></section> }
        };
        view! { <section class="card"><h2>{unit.code().to_ascii_uppercase()}</h2><div class="columns" role="img" aria-label=t.months_picture>{months.iter().rev().map(column).collect_view()}</div></section>
        {months.iter().map(parts).collect_view()} }
    };
    view! {
        <p class="soft">{t.months_what}</p>
        {move || if units().is_empty() { view! { <p class="soft">{t.history_empty}</p> }.into_any() } else { units().into_iter().map(picture).collect_view().into_any() }}
    }
    .into_any()
}
