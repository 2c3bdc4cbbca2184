//! The score: what made it, what changed, and the one step that would raise it most. Plain words, no shame.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tacit_credit::scorecard::explain::Step;
use tacit_credit::scorecard::{BASE, CAP, Counter};

use super::{View, Work, done};
use crate::app::{app, go};
use crate::picture;
use crate::session::session;
use crate::target::Target;
use crate::task::credit::{self, Reading};
use crate::text::{Text, fill, text};

/// What a counter of the passport is called here; the card's own words for one that is not known.
fn named(counter: &Counter, t: &'static Text) -> String {
    match counter.name().as_str() {
        "arrears" => t.counter_arrears.to_owned(),
        "late" => t.counter_late.to_owned(),
        "behind" => t.counter_behind.to_owned(),
        "paid" => t.counter_paid.to_owned(),
        "paid_months" => t.counter_paid_months.to_owned(),
        "income" => t.counter_income.to_owned(),
        other => other.to_owned(),
    }
}

/// What to do for a step.
fn advice(step: &Step<'_>, t: &'static Text) -> String {
    let text = match step.counter.name().as_str() {
        "arrears" => t.step_arrears,
        "late" => t.step_late,
        "behind" => t.step_behind,
        "paid" => t.step_paid,
        "paid_months" => t.step_paid_months,
        "income" => t.step_income,
        _ => t.step_other,
    };
    fill(text, &[&named(step.counter, t)])
}

pub(crate) fn score() -> View {
    let (t, work) = (text(), Work::new());
    let reading = RwSignal::new_local(None::<Option<Reading>>);
    let has_passport = move || credit::passport(&session(), |_, _| ()).is_ok();
    let load = move || {
        work.run(
            async move {
                let session = session();
                let found = credit::read(&session).await?;
                if let Some(reading) = &found {
                    credit::remember(&session, reading).await?;
                }
                Ok(found)
            },
            move |found| reading.set(Some(found)),
        );
    };
    if untrack(has_passport) {
        load();
    }
    let update = move |_| {
        work.run(async move { credit::update(&session(), true).await }, move |done| {
            let told = match (done.closed, done.income) {
                (0, None) => text().nothing_to_do.to_owned(),
                (months, _) => fill(text().months_closed, &[&months.to_string()]),
            };
            app().notice.set(Some(told));
            load();
        });
    };
    view! {
        {move || match has_passport() {
            false => without(),
            true => match reading.get() {
                Some(found) => view! { {found.as_ref().map(read).unwrap_or_else(|| view! { <p class="card">{t.no_card}</p> }.into_any())} }.into_any(),
                None => ().into_any(),
            },
        }}
        {work.view(t.loading)}
        {move || has_passport().then(|| view! {
            <div class="row"><button disabled=move || work.is_busy.get() on:click=update>{t.update_passport}</button><a class="button plain" href="#/proofs">{t.certificates}</a><a class="button plain" href="#/shown">{t.shown_title}</a></div>
            <p class="small soft">{t.update_what}</p>
        })}
    }
    .into_any()
}

/// There is no passport yet.
fn without() -> View {
    let t = text();
    let portal = session()
        .peek(|_, book| book.operator.desk.clone())
        .map(|desk| format!("{desk}/portal/passport"));
    let work = Work::new();
    let find = move |_| {
        work.run(async move { credit::find(&session()).await }, |_| {
            app().notice.set(Some(text().restored_passport.to_owned()))
        })
    };
    view! {
        <section class="card"><h2>{t.no_score_title}</h2><p>{t.no_passport_what}</p>
            {portal.map(|portal| view! { <a class="button wide" href=portal rel="noreferrer">{t.get_passport}</a> })}
            <button class="plain wide" on:click=find>{t.find_passport}</button>{work.view(t.loading)}</section>
        <p class="small soft">{t.passport_private}</p>
    }
    .into_any()
}

fn read(reading: &Reading) -> View {
    let t = text();
    let Some(score) = reading.score() else {
        let months = reading.standing.paid_months / 7;
        return view! { <section class="card"><h2>{t.no_score_title}</h2><p>{t.no_score_what}</p><p>{fill(t.no_score_months, &[&months.to_string()])}</p>
            <a class="button wide" href="#/bills">{t.bills}</a></section> }
        .into_any();
    };
    let month = reading.standing.epoch.to_string();
    let before = session()
        .peek(|_, book| book.scores.range(..month.clone()).next_back().map(|(_, score)| *score));
    let change = before.map(|before| i32::from(score) - i32::from(before));
    let change = change.map(|change| {
        if change == 0 {
            t.same_as_before.to_owned()
        } else {
            fill(t.since_before, &[&format!("{change:+}")])
        }
    });
    let rest = reading.explain(|explanation| {
        let best = explanation.steps.first().map(|step| {
            let gain = fill(t.step_gain, &[&step.gain.to_string()]);
            view! { <section class="card"><h2>{t.step_title}</h2><p>{advice(step, t)}</p><p class="in"><strong>{gain}</strong></p></section> }
        });
        let part = |part: &tacit_credit::scorecard::explain::Part<'_>| {
            let most = part.points + part.lost;
            let share = if most == 0 { 100.0 } else { 100.0 * f64::from(part.points) / f64::from(most) };
            view! { <li class="item"><span class="what"><span>{named(part.counter, t)}</span><span class="bar" aria-hidden="true"><span style:inline-size=format!("{share:.0}%")></span></span></span>
                <span class="much">{fill(t.points_of, &[&part.points.to_string(), &most.to_string()])}</span></li> }
        };
        view! { {best}<section class="card"><h2>{t.made_of}</h2><p class="soft small">{fill(t.made_base, &[&BASE.to_string()])}</p><ul class="list">{explanation.parts.iter().map(part).collect_view()}</ul></section> }
    });
    view! {
        <section class="card">{gauge(score)}{change.map(|change| view! { <p class="soft">{change}</p> })}{grown()}<p class="soft">{fill(t.stands_in, &[&month])}</p></section>
        {rest}
        <p class="small soft">{t.passport_private}</p>
    }
    .into_any()
}

/// The scores of the months so far, as a line; nothing of fewer than two.
pub(crate) fn grown() -> Option<View> {
    let scores = session().peek(|_, book| book.scores.clone());
    let ((first, from), (last, to)) = (scores.first_key_value()?, scores.last_key_value()?);
    if first == last {
        return None;
    }
    let [from, to] = [(from, first), (to, last)].map(|(score, month)| format!("{score} ({month})"));
    let label = fill(text().grown_label, &[&from, &to]);
    let points = picture::line(scores.values().copied());
    Some(view! {
        <svg class="grown" viewBox="0 0 240 56" role="img" aria-label=label>
            <polyline points=points fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round" />
        </svg>
    }
    .into_any())
}

/// The gauge, from the least to the most.
fn gauge(score: u16) -> View {
    let label =
        fill(text().gauge_label, &[&score.to_string(), &BASE.to_string(), &CAP.to_string()]);
    view! {
        <svg class="gauge" viewBox="0 0 240 200" role="img" aria-label=label>
            <path class="track" d=picture::arc(1.0) fill="none" stroke-width="18" stroke-linecap="round" />
            <path class="fill" d=picture::arc(picture::share(score)) fill="none" stroke-width="18" stroke-linecap="round" />
            <text x="120" y="134">{score}</text><text class="end" x="40" y="194">{BASE}</text><text class="end" x="200" y="194">{CAP}</text>
        </svg>
    }
    .into_any()
}

/// The first passport, with a link of the portal.
pub(crate) fn enrol() -> View {
    let (t, work, is_done) = (text(), Work::new(), RwSignal::new(false));
    let incoming = app().incoming.get_untracked().and_then(|text| Target::read(&text));
    app().incoming.set(None);
    let Some(Target::Enrolment { desk, code }) = incoming else {
        spawn_local(async { go("score") });
        return ().into_any();
    };
    let from = desk.to_string();
    let get = move |_| {
        let (desk, code) = (desk.clone(), code.clone());
        work.run(async move { credit::enrol(&session(), &desk, code).await }, move |()| {
            is_done.set(true)
        });
    };
    (move || match is_done.get() {
        true => done(t.passport_here.to_owned(), Some(t.passport_here_more.to_owned())),
        false => view! { <section class="card"><h2>{t.get_passport}</h2><p>{t.passport_what}</p><p class="soft">{from.clone()}</p>
            <button class="wide" disabled=move || work.is_busy.get() on:click=get.clone()>{t.get_passport}</button>{work.view(t.getting_passport)}</section> }.into_any(),
    })
    .into_any()
}
