//! Consent: who asks, what exactly they would be shown, what not, and for how long; certificates held; everything ever shown.

use leptos::prelude::*;
use serde_json::Value;
use tacit_credit::certificate::request::Asker;
use tacit_credit::certificate::statement::Claim;
use tacit_wallet::certificate::{Consent, Offer};

use super::{View, Work, at, done, scan};
use crate::app::{app, go};
use crate::glue;
use crate::session::session;
use crate::target::Target;
use crate::task::credit::{self, Choice};
use crate::text::{fill, text};
use crate::trouble::Trouble;

/// One claim, in words.
fn claimed(claim: Claim, value: &Value) -> String {
    let t = text();
    match claim {
        Claim::Scorecard => fill(
            t.claim_card,
            &[&value.as_str().unwrap_or_default().chars().take(12).collect::<String>()],
        ),
        Claim::Threshold => fill(t.claim_threshold, &[&value.to_string()]),
        Claim::TenureMonths => fill(t.claim_tenure, &[&value.to_string()]),
        Claim::NothingOverdue => t.claim_overdue.to_owned(),
    }
}

/// Somebody asks.
pub(crate) fn share() -> View {
    let t = text();
    let incoming = app().incoming.get_untracked().and_then(|text| Target::read(&text));
    app().incoming.set(None);
    let Some(Target::Question(asked)) = incoming else {
        return view! { <p>{t.share_how}</p>{scan::paste()} }.into_any();
    };
    let work = Work::new();
    let offer = RwSignal::new_local(None::<Offer>);
    let is_done = RwSignal::new(false);
    work.run(
        async move {
            let session = session();
            if credit::passport(&session, |kept, _| kept.issuer().is_none())? {
                return Err(Trouble::NoCertificate);
            }
            let request = credit::question(&session, &asked).await?;
            credit::offer(&session, request)?.ok_or(Trouble::NoCertificate)
        },
        move |found| offer.set(Some(found)),
    );
    let agree = move |_| {
        let Some(agreed) = offer.get_untracked() else { return };
        work.run(async move { credit::agree(&session(), agreed).await }, move |()| {
            is_done.set(true)
        });
    };
    (move || {
        if is_done.get() {
            return done(text().was_shown.to_owned(), Some(text().was_shown_more.to_owned()));
        }
        let t = text();
        let body = offer.get().map(|offer| {
            let consent = offer.consent(crate::clock::now());
            let (who, is_known) = match offer.asker() {
                Asker::Registered { name, .. } => (name.clone(), true),
                Asker::Unknown { .. } => (t.asker_unknown.to_owned(), false),
            };
            let purpose = consent.purpose.clone().unwrap_or_else(|| t.purpose_none.to_owned());
            let shown = consent.shown.iter().map(|(claim, value)| view! { <li>{claimed(*claim, value)}</li> }).collect_view();
            view! {
                <section class="card"><p class="soft">{t.who_asks}</p><h2 dir="auto">{who}</h2>
                    {if is_known { view! { <p class="note">{t.asker_registered}</p> }.into_any() } else { view! { <p class="note warn">{t.asker_unknown_more}</p> }.into_any() }}
                    <dl class="facts"><div><dt>{t.goes_to}</dt><dd>{consent.host.clone()}</dd></div><div><dt>{t.purpose}</dt><dd dir="auto">{purpose}</dd></div>
                        <div><dt>{t.they_see}</dt><dd><ul>{shown}</ul></dd></div><div><dt>{t.they_see_not}</dt><dd>{t.they_see_not_list}</dd></div>
                        <div><dt>{t.until}</dt><dd>{at(consent.until, "minute")}</dd></div></dl></section>
                <button class="wide" disabled=move || work.is_busy.get() on:click=agree>{t.agree}</button>
                <button class="wide plain" on:click=move |_| go("")>{t.refuse}</button>
            }
        });
        let no_certificate = (offer.with(Option::is_none) && work.failed.with(Option::is_some))
            .then(|| view! { <a class="button wide" href="#/proofs">{t.certificates_get}</a> });
        view! { {body}{work.view(t.asking_them)}{no_certificate} }.into_any()
    })
    .into_any()
}

/// Certificates held, and new ones.
pub(crate) fn certificates() -> View {
    let (t, work, choice) = (text(), Work::new(), RwSignal::new_local(None::<Choice>));
    if credit::passport(&session(), |_, _| ()).is_err() {
        return view! { <section class="card"><p>{t.no_passport}</p><a class="button wide" href="#/score">{t.get_passport}</a></section> }.into_any();
    }
    let held = move || {
        let line = |certificate: &tacit_credit::certificate::hold::Certificate| {
            let says: Vec<String> = certificate
                .claims()
                .filter(|(claim, _)| *claim != Claim::Scorecard)
                .map(|(claim, value)| claimed(claim, &value))
                .collect();
            (says.join(" · "), at(certificate.until(), "minute"))
        };
        let now = crate::clock::now();
        let all = credit::passport(&session(), |kept, _| {
            kept.certificates()
                .iter()
                .filter(|held| now < held.until())
                .map(line)
                .collect::<Vec<_>>()
        });
        all.unwrap_or_default()
    };
    let used = || Some(credit::consents(&session()).len()).filter(|count| *count != 0);
    let look = move |_| {
        work.run(async move { credit::choice(&session()).await }, move |found| {
            choice.set(Some(found))
        })
    };
    view! {
        <section class="card"><h2>{t.certificates_held}</h2>
            {move || match held().is_empty() {
                true => view! { <p class="soft">{t.certificates_none}</p> }.into_any(),
                false => view! { <ul class="list">{held().into_iter().map(|(says, until)| view! { <li class="item"><span class="what"><span>{says}</span><span class="small soft">{fill(t.counts_until, &[&until])}</span></span></li> }).collect_view()}</ul> }.into_any(),
            }}
            {move || used().map(|count| view! { <a href="#/shown">{fill(t.certificates_used, &[&count.to_string()])}</a> })}</section>
        {move || match choice.get() {
            None => view! { <button class="wide" disabled=move || work.is_busy.get() on:click=look>{t.certificates_get}</button> }.into_any(),
            Some(found) => order(found, choice, work),
        }}
        {work.view(t.proving)}
        <p class="small soft">{t.certificates_what}</p>
    }
    .into_any()
}

fn order(found: Choice, choice: RwSignal<Option<Choice>, LocalStorage>, work: Work) -> View {
    let t = text();
    let (Some(threshold), Some(tenure)) =
        (found.thresholds.iter().max().copied(), found.tenures.iter().min().copied())
    else {
        return view! { <p class="note warn">{t.certificates_not_yet}</p> }.into_any();
    };
    let (threshold, tenure, strict) =
        (RwSignal::new(threshold), RwSignal::new(tenure), RwSignal::new(false));
    let options = |all: &[u16], chosen: u16| {
        all.iter().map(|value| view! { <option value=value.to_string() selected=*value == chosen>{*value}</option> }).collect_view()
    };
    let number = |event: &leptos::ev::Event| event_target_value(event).parse().unwrap_or_default();
    let (thresholds, tenures) = (
        options(&found.thresholds, threshold.get_untracked()),
        options(&found.tenures, tenure.get_untracked()),
    );
    let get = move |_| {
        let found = found.clone();
        let (threshold, tenure, strict) =
            (threshold.get_untracked(), tenure.get_untracked(), strict.get_untracked());
        work.run(
            async move { credit::certify(&session(), &found, threshold, tenure, strict).await },
            move |(count, days)| {
                app().notice.set(Some(fill(
                    text().certificates_came,
                    &[&count.to_string(), &days.to_string()],
                )));
                choice.set(None);
            },
        );
    };
    view! {
        <section class="card"><h2>{t.certificates_get}</h2>
            <label>{t.prove_threshold}<select on:change=move |event| threshold.set(number(&event))>{thresholds}</select></label>
            <label>{t.prove_tenure}<select on:change=move |event| tenure.set(number(&event))>{tenures}</select></label>
            <label class="check"><input type="checkbox" on:change=move |event| strict.set(event_target_checked(&event)) />{t.prove_overdue}</label>
            <button class="wide" disabled=move || work.is_busy.get() on:click=get>{t.prove}</button></section>
    }
    .into_any()
}

/// Everything ever shown to anybody.
pub(crate) fn shown() -> View {
    let t = text();
    let all = credit::consents(&session());
    if all.is_empty() {
        return view! { <p class="card">{t.shown_none}</p> }.into_any();
    }
    let line = |consent: &Consent| {
        let who = consent.name.clone().unwrap_or_else(|| t.asker_unknown.to_owned());
        let says: Vec<String> =
            consent.shown.iter().map(|(claim, value)| claimed(*claim, value)).collect();
        view! { <li class="item"><span class="what"><strong dir="auto">{who}</strong><span class="small soft">{consent.host.clone()}</span><span>{says.join(" · ")}</span>
        <span class="small soft">{at(consent.moment, "minute")}" · "{fill(t.counts_until, &[&at(consent.until, "minute")])}</span></span></li> }
    };
    let lines = all.iter().map(line).collect_view();
    let export = move |_| {
        let text = serde_json::to_string_pretty(&all).expect("consents have a JSON");
        glue::save("consents.json", "application/json", &text);
    };
    view! { <section class="card"><ul class="list">{lines}</ul></section><button class="plain" on:click=export>{t.export}</button> }.into_any()
}
