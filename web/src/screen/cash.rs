//! Cash in and out: at the edge, where the operator knows who it is.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tacit_core::amount::Amount;
use tacit_wallet::operation::mint::Quoted;
use tacit_wallet::state::{OperationId, Purpose};

use super::pay::Sum;
use super::{View, Work, at, code, done, handover, shown};
use crate::clock;
use crate::session::{opened, session};
use crate::task;
use crate::text::{fill, text};

/// Whole units that most people take: who takes what others take is not known by the amount.
const STANDARD: [u64; 5] = [10, 20, 50, 100, 200];

pub(crate) fn cash() -> View {
    let (t, work, sum, quoted) =
        (text(), Work::new(), Sum::new(), RwSignal::new_local(None::<(Quoted, Amount)>));
    let chip = move |value: u64| {
        let pick = move |_| sum.typed.set(value.to_string());
        view! { <button type="button" aria-pressed=move || (sum.typed.get() == value.to_string()).to_string() on:click=pick>{value.to_string()}</button> }
    };
    let odd = move || {
        let typed = sum.typed.get();
        let is_standard = STANDARD.iter().any(|value| typed == value.to_string());
        (!typed.is_empty() && !is_standard)
            .then(|| view! { <p class="note warn">{text().odd_amount}</p> })
    };
    let ask = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        work.run(
            async move {
                let (mint, amount) = sum.read()?;
                task::learn(&session()).await?;
                let quoted = task::money::quote(&session(), &mint, amount).await?;
                Ok((quoted, amount))
            },
            move |made| quoted.set(Some(made)),
        );
    };
    let hasty = move |event: leptos::ev::Event| {
        let is_hasty = event_target_checked(&event);
        spawn_local(async move { _ = session().note(|book| book.is_hasty = is_hasty).await });
    };
    let portal =
        session().peek(|_, book| book.operator.desk.clone()).map(|desk| format!("{desk}/portal"));
    view! {
        {move || match quoted.get() {
            None => view! { <form class="card" on:submit=ask><h2>{t.cash_in}</h2>
                <div class="chips" role="group" aria-label=t.standard>{STANDARD.into_iter().map(chip).collect_view()}</div>
                {sum.view(t.amount)}{odd}
                <button class="wide" type="submit">{t.next}</button>
                <p class="small soft">{t.timing_why}</p>
                <label class="check"><input type="checkbox" prop:checked=move || session().with(|_, book| book.is_hasty) on:change=hasty />{t.hasty}</label></form> }.into_any(),
            Some((quote, amount)) => pay_in(quote, amount),
        }}
        {work.view(t.loading)}
        {waiting()}
        {portal.map(|portal| view! { <section class="card"><h2>{t.cash_out}</h2><p>{t.cash_out_what}</p><a class="button plain" href=portal rel="noreferrer" target="_blank">{t.portal}</a></section> })}
    }
    .into_any()
}

/// What to pay, until it is paid.
fn pay_in(quoted: Quoted, amount: Amount) -> View {
    let (id, t) = (quoted.operation, text());
    let issued = RwSignal::new(false);
    spawn_local(async move {
        while issued.try_get_untracked() == Some(false) {
            crate::glue::pause(3000).await;
            let Some(session) = opened() else { return };
            let is_open = session.peek(|state, _| state.operations().contains_key(&id));
            if !is_open {
                _ = issued.try_set(true);
                return;
            }
            task::money::collect(&session).await;
        }
    });
    let shown_amount = shown(amount.value(), amount.unit());
    let request = quoted.quote.request;
    (move || match issued.get() {
        true => done(fill(text().received, &[&shown_amount]), None),
        false => view! { <section class="card"><h2>{t.pay_this}</h2><p class="figure">{shown_amount.clone()}</p>{code(&request, t.pay_this)}{handover(request.clone())}
            <p class="soft">{t.pay_this_then}</p></section> }.into_any(),
    })
    .into_any()
}

/// Quotes that wait, with the moment at which their e-cash is fetched.
pub(crate) fn waiting() -> View {
    let ids = move || {
        session().with(|state, _| {
            let waiting = state.operations().iter().filter(|(_, it)| {
                it.exchange.is_none() && matches!(it.purpose, Purpose::Mint { .. })
            });
            waiting.map(|(id, _)| *id).collect::<Vec<_>>()
        })
    };
    (move || ids().into_iter().map(one).collect_view()).into_any()
}

/// One of them.
fn one(id: OperationId) -> View {
    let (t, work) = (text(), Work::new());
    let line = move || {
        session().with(|state, book| {
            let operation = state.operations().get(&id)?;
            let Purpose::Mint { amount, .. } = &operation.purpose else { return None };
            let from = book.delayed.get(&id.number()).filter(|from| clock::now() < **from);
            let sum = shown(*amount, operation.unit);
            Some(from.map_or_else(
                || fill(text().waits_payment, &[&sum]),
                |from| fill(text().waits_until, &[&sum, &at(*from, "minute")]),
            ))
        })
    };
    let now = move |_| {
        work.run(async move { task::money::hurry(&session(), id).await }, |_| {});
    };
    view! {
        {move || line().map(|line| view! { <div class="note"><p>{line}</p>
            <button class="plain" disabled=move || work.is_busy.get() on:click=now>{t.fetch_now}</button>{work.view(t.loading)}</div> })}
    }
    .into_any()
}
