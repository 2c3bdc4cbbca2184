//! Money out: to somebody who asks, to somebody outside, or as a token to give away.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tacit_core::amount::Amount;
use tacit_core::unit::Unit;
use tacit_ecash::message::MeltQuoteResponse;
use tacit_ecash::payment_request::PaymentRequest;
use tacit_wallet::history::Progress;
use tacit_wallet::mint::MintUrl;
use tacit_wallet::money::Typed;
use tacit_wallet::state::OperationId;

use super::{View, Work, code, done, handover, scan, shown};
use crate::app::{app, go};
use crate::session::session;
use crate::target::Target;
use crate::task;
use crate::text::{fill, text};
use crate::trouble::Trouble;

/// A field for an amount, with the unit and what is there.
#[derive(Clone, Copy)]
pub(crate) struct Sum {
    pub(crate) typed: RwSignal<String>,
    pub(crate) account: RwSignal<Option<(MintUrl, Unit)>>,
}

impl Sum {
    pub(crate) fn new() -> Self {
        let first =
            untrack(|| session().balances().into_iter().rev().max_by_key(|(_, _, sum)| *sum));
        let account = RwSignal::new(first.map(|(mint, unit, _)| (mint, unit)));
        Self { typed: RwSignal::new(String::new()), account }
    }

    /// What was typed.
    pub(crate) fn read(self) -> Result<(MintUrl, Amount), Trouble> {
        let (mint, unit) = self.account.get_untracked().ok_or(Trouble::NoAnswer)?;
        let text = self.typed.get_untracked().replace(',', ".");
        Ok((mint, Typed::read(&text, Some(unit))?.amount(unit)?))
    }

    pub(crate) fn view(self, name: &'static str) -> View {
        let choices = move || session().balances();
        let option = move |(mint, unit, sum): (MintUrl, Unit, u64)| {
            let (value, label) = (mint.to_string(), shown(sum, unit));
            let is_chosen = self
                .account
                .get_untracked()
                .is_some_and(|(chosen, of)| chosen == mint && of == unit);
            view! { <option value=value selected=is_chosen>{format!("{} · {label}", unit.code().to_ascii_uppercase())}</option> }
        };
        let choose = move |event: leptos::ev::Event| {
            let chosen = event_target_value(&event);
            let found = untrack(choices).into_iter().find(|(mint, _, _)| mint.as_str() == chosen);
            self.account.set(found.map(|(mint, unit, _)| (mint, unit)));
        };
        view! {
            <label>{name}<input class="amount" inputmode="decimal" autocomplete="off" dir="ltr" prop:value=self.typed on:input=move |event| self.typed.set(event_target_value(&event)) /></label>
            <label>{text().unit}<select on:change=choose>{move || choices().into_iter().map(option).collect_view()}</select></label>
        }
        .into_any()
    }
}

/// Whoever came with a request sees it; whoever came without scans or pastes one.
pub(crate) fn pay() -> View {
    let Some(incoming) = app().incoming.get_untracked() else { return scan::scan() };
    app().incoming.set(None);
    match Target::read(&incoming) {
        Some(Target::Request(request)) => request_view(*request),
        Some(Target::Payout(target)) => payout(target),
        Some(
            Target::Token(_) | Target::Question(_) | Target::Enrolment { .. } | Target::Contract(_),
        )
        | None => scan::scan(),
    }
}

fn request_view(request: PaymentRequest) -> View {
    let t = text();
    let (work, sum, paid) = (Work::new(), Sum::new(), RwSignal::new(None::<(String, Option<u64>)>));
    let is_open = request.amount.is_none();
    let unit = request.unit.as_ref().and_then(|unit| unit.parse::<Unit>().ok());
    let asked = request.amount.zip(unit).map(|(amount, unit)| shown(amount, unit));
    let to = request.post_url().map(host_of);
    let what = request.description.clone();
    let go_on = move |_| {
        let request = request.clone();
        work.run(
            async move {
                let session = session();
                let amount = if is_open { Some(sum.read()?.1) } else { None };
                task::learn(&session).await?;
                let payable = task::money::payable_for(&session, &request, amount)?;
                let amount = payable.amount;
                let done = task::money::pay(&session, &request, payable).await?;
                Ok((
                    shown(amount.value(), amount.unit()),
                    (!done.is_delivered).then_some(done.token.id.number()),
                ))
            },
            move |done| paid.set(Some(done)),
        );
    };
    let button =
        asked.clone().map_or_else(|| t.pay.to_owned(), |asked| fill(t.pay_amount, &[&asked]));
    (move || match paid.get() {
        Some((what, None)) => done(fill(text().paid, &[&what]), Some(text().paid_more.to_owned())),
        Some((_, Some(number))) => sent(&number.to_string()),
        None => view! {
            <section class="card">
                {asked.clone().map(|asked| view! { <p class="figure">{asked}</p> })}
                <dl class="facts">
                    {what.clone().map(|what| view! { <div><dt>{text().pay_what}</dt><dd dir="auto">{what}</dd></div> })}
                    <div><dt>{text().pay_to}</dt><dd>{to.clone().unwrap_or_else(|| text().pay_by_hand.to_owned())}</dd></div>
                    <div><dt>{text().pay_learns}</dt><dd>{text().pay_learns_nothing}</dd></div>
                </dl>
                {is_open.then(|| sum.view(text().amount))}
            </section>
            <button class="wide" disabled=move || work.is_busy.get() on:click=go_on.clone()>{button.clone()}</button>
            <button class="wide plain" on:click=move |_| go("")>{text().cancel}</button>
            {work.view(text().paying)}
        }
        .into_any(),
    })
    .into_any()
}

/// The host of an address.
pub(crate) fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
}

/// Somebody who takes no e-cash: the mint pays them.
fn payout(target: String) -> View {
    let (t, work, sum) = (text(), Work::new(), Sum::new());
    let quote = RwSignal::new(None::<(MintUrl, Unit, String, MeltQuoteResponse)>);
    let paid = RwSignal::new(None::<String>);
    let shown_target = target.clone();
    let ask = move |_| {
        let target = target.clone();
        work.run(
            async move {
                let session = session();
                task::learn(&session).await?;
                let (mint, unit) = sum.account.get_untracked().ok_or(Trouble::NoAnswer)?;
                let amount = if sum.typed.get_untracked().trim().is_empty() {
                    None
                } else {
                    Some(sum.read()?.1)
                };
                let (method, quote) =
                    task::money::melt_quote(&session, &mint, unit, &target, amount).await?;
                Ok((mint, unit, method, quote))
            },
            move |found| quote.set(Some(found)),
        );
    };
    let agree = move |_| {
        let Some((mint, unit, method, quote)) = quote.get_untracked() else { return };
        work.run(
            async move {
                task::money::melt(&session(), &mint, unit, &method, &quote).await?;
                Ok(shown(quote.amount, unit))
            },
            move |what| paid.set(Some(what)),
        );
    };
    (move || {
        if let Some(what) = paid.get() {
            return done(fill(text().paid, &[&what]), None);
        }
        let body = match quote.get() {
            None => view! { {sum.view(text().amount_if_open)}<button class="wide" disabled=move || work.is_busy.get() on:click=ask.clone()>{text().next}</button> }.into_any(),
            Some((_, unit, _, quote)) => view! {
                <p class="figure">{shown(quote.amount, unit)}</p>
                <p class="soft">{fill(text().fee_at_most, &[&shown(quote.fee_reserve, unit)])}</p>
                <button class="wide" disabled=move || work.is_busy.get() on:click=agree>{fill(text().pay_amount, &[&shown(quote.amount, unit)])}</button>
            }
            .into_any(),
        };
        view! { <section class="card"><p class="soft">{t.pay_to}</p><p class="raw">{shown_target.clone()}</p>{body}</section>{work.view(text().paying)} }.into_any()
    })
    .into_any()
}

/// Makes a token to give away.
pub(crate) fn send() -> View {
    let (t, work, sum, memo) = (text(), Work::new(), Sum::new(), RwSignal::new(String::new()));
    let fee = RwSignal::new(None::<(String, String)>);
    let look = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        work.run(
            async move {
                let (mint, amount) = sum.read()?;
                let cost = task::money::cost(&session(), &mint, amount)?;
                Ok((shown(amount.value(), amount.unit()), shown(cost, amount.unit())))
            },
            move |found| fee.set(Some(found)),
        );
    };
    let make = move |_| {
        let memo = Some(memo.get_untracked()).filter(|memo| !memo.trim().is_empty());
        work.run(
            async move {
                let (mint, amount) = sum.read()?;
                task::learn(&session()).await?;
                task::money::send(&session(), &mint, amount, memo).await
            },
            |id| go(&format!("sent/{}", id.number())),
        );
    };
    view! {
        {move || match fee.get() {
            None => view! { <form class="card" on:submit=look>
                {sum.view(t.amount)}
                <label>{t.memo}<input maxlength="120" dir="auto" prop:value=memo on:input=move |event| memo.set(event_target_value(&event)) /></label>
                <button class="wide" type="submit">{t.next}</button></form> }.into_any(),
            Some((amount, cost)) => view! { <section class="card">
                <p class="figure">{amount}</p><p class="soft">{fill(text().fee_is, &[&cost])}</p><p>{text().send_what}</p>
                <button class="wide" disabled=move || work.is_busy.get() on:click=make>{text().make_token}</button>
                <button class="wide plain" on:click=move |_| fee.set(None)>{text().back}</button></section> }.into_any(),
        }}
        {work.view(t.making)}
        <p class="small soft">{t.send_more}</p>
    }
    .into_any()
}

/// A token that is out: to be scanned or sent on, until it is received or taken back.
pub(crate) fn sent(number: &str) -> View {
    let Ok(number) = number.parse::<u64>() else { return super::home::home() };
    let (id, work, t) = (OperationId::from_number(number), Work::new(), text());
    let is_received = RwSignal::new(false);
    spawn_local(async move {
        // Until it is received, or the screen is left.
        loop {
            crate::glue::pause(4000).await;
            let Some(session) = crate::session::opened() else { return };
            if is_received.try_get_untracked() != Some(false) {
                return;
            }
            if matches!(task::money::left(&session, id).await, Ok(0)) {
                _ = is_received.try_set(true);
            }
        }
    });
    let entry = session().peek(|state, _| state.history().get(&id).cloned());
    let amount = entry.map(|entry| shown(entry.amount, entry.unit)).unwrap_or_default();
    let take_back = move |_| {
        work.run(async move { task::money::reclaim(&session(), id).await }, move |_| {
            app().notice.set(Some(text().taken_back.to_owned()));
            go("");
        });
    };
    // What was begun before is taken up by itself: it may come back beside this screen.
    let progress = Memo::new(move |_| {
        let session = crate::session::opened()?;
        session.with(|state, _| state.history().get(&id).map(|entry| entry.progress))
    });
    let named = amount.clone();
    (move || {
        if is_received.get() {
            return done(fill(text().was_received, &[&named]), None);
        }
        if progress.get() == Some(Progress::Returned) {
            return done(text().taken_back.to_owned(), None);
        }
        let Some(token) = task::money::token(&session(), id) else {
            return done(fill(text().was_received, &[&named]), None);
        };
        let link = format!("{}/#token/{token}", window().location().origin().unwrap_or_default());
        view! {
            <section class="card"><p class="figure">{named.clone()}</p><p>{t.token_what}</p>{code(&token, t.token_code)}{handover(token)}</section>
            <section class="card"><h2>{t.token_link}</h2><p class="soft">{t.token_link_what}</p>{handover(link)}</section>
            <button class="wide bad" disabled=move || work.is_busy.get() on:click=take_back>{t.take_back}</button>{work.view(t.loading)}
        }
        .into_any()
    })
    .into_any()
}
