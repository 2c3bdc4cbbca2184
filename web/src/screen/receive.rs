//! Money in, from somebody: a token that is scanned or opened, or a request that they pay.

use leptos::prelude::*;
use tacit_ecash::token::Token;

use super::pay::Sum;
use super::{View, Work, code, done, handover, scan, shown};
use crate::app::{app, go};
use crate::session::session;
use crate::target::Target;
use crate::task;
use crate::text::{fill, text};

pub(crate) fn receive() -> View {
    let incoming = app().incoming.get_untracked().and_then(|text| Target::read(&text));
    if let Some(Target::Token(token)) = incoming {
        app().incoming.set(None);
        return take(*token);
    }
    ask()
}

/// A token, before it is taken.
fn take(token: Token) -> View {
    let (t, work, got) = (text(), Work::new(), RwSignal::new(None::<String>));
    let claim = task::money::claim(&session(), &token);
    let memo = token.memo.clone();
    let (claimed, refused) = match claim {
        Ok((_, sum, unit)) => (unit.map_or_else(|| sum.to_string(), |unit| shown(sum, unit)), None),
        Err(trouble) => (String::new(), Some(trouble.say(t))),
    };
    let is_refused = refused.is_some();
    let go_on = move |_| {
        let token = token.clone();
        work.run(
            async move { task::money::receive(&session(), &token).await },
            move |(sum, unit)| got.set(Some(shown(sum, unit))),
        );
    };
    (move || match got.get() {
        Some(sum) => done(fill(text().received, &[&sum]), None),
        None => view! {
            <section class="card"><p class="soft">{t.token_here}</p><p class="figure">{claimed.clone()}</p>
                {memo.clone().map(|memo| view! { <p dir="auto">{memo}</p> })}
                {refused.clone().map(|why| view! { <p class="note bad" role="alert">{why}</p> })}</section>
            {(!is_refused).then(|| view! { <button class="wide" disabled=move || work.is_busy.get() on:click=go_on.clone()>{t.receive}</button> })}
            <button class="wide plain" on:click=move |_| go("")>{t.cancel}</button>{work.view(t.receiving)}
        }
        .into_any(),
    })
    .into_any()
}

/// Asks for money.
fn ask() -> View {
    let (t, work, sum, what) = (text(), Work::new(), Sum::new(), RwSignal::new(String::new()));
    let asked = RwSignal::new(None::<(String, String, String)>);
    let make = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let what = Some(what.get_untracked()).filter(|what| !what.trim().is_empty());
        work.run(
            async move {
                let (mint, amount) = sum.read()?;
                let (plain, code) = task::money::ask(&session(), amount, vec![mint], what).await?;
                Ok((shown(amount.value(), amount.unit()), plain, code))
            },
            move |made| asked.set(Some(made)),
        );
    };
    view! {
        {move || match asked.get() {
            None => view! { <form class="card" on:submit=make><h2>{t.ask_title}</h2>{sum.view(t.amount)}
                <label>{t.ask_what}<input maxlength="120" dir="auto" on:input=move |event| what.set(event_target_value(&event)) /></label>
                <button class="wide" type="submit">{t.ask_show}</button></form> }.into_any(),
            Some((sum, plain, big)) => view! { <section class="card"><p class="figure">{sum}</p>{code(&big, t.ask_code)}<p class="soft">{t.ask_then}</p>{handover(plain)}</section> }.into_any(),
        }}
        {work.view(t.loading)}
        <h2>{t.receive_token}</h2>{scan::paste()}
    }
    .into_any()
}
