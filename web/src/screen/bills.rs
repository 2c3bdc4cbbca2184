//! Bills: contracts taken on, what is due, and payments that count.

use leptos::prelude::*;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::wire::bill;
use tacit_wallet::passport::bills::{Link, Stream};

use super::{View, Work, scan, shown};
use crate::app::app;
use crate::session::session;
use crate::target::Target;
use crate::task::credit::{self, Billed, Outlook};
use crate::text::{fill, text};

pub(crate) fn bills() -> View {
    let (t, work, list) = (text(), Work::new(), RwSignal::new_local(None::<Vec<Billed>>));
    let load = move || {
        work.run(async move { credit::bills(&session()).await }, move |found| list.set(Some(found)))
    };
    let incoming = app().incoming.get_untracked().and_then(|text| Target::read(&text));
    app().incoming.set(None);
    let has_passport = credit::passport(&session(), |_, _| ()).is_ok();
    if !has_passport {
        return view! { <section class="card"><h2>{t.bills_none_title}</h2><p>{t.bills_need_passport}</p><a class="button wide" href="#/score">{t.get_passport}</a></section> }.into_any();
    }
    let offered = RwSignal::new_local(match incoming {
        Some(Target::Contract(link)) => Some(*link),
        Some(_) | None => None,
    });
    load();
    view! {
        {move || offered.get().map(|link| take_on(link, offered, work, load))}
        {work.view(t.loading)}
        {move || list.get().map(|all| match all.is_empty() {
            true => view! { <section class="card"><h2>{t.bills_none_title}</h2><p>{t.bills_none_what}</p></section> }.into_any(),
            false => all.into_iter().map(|billed| contract(billed, work, load)).collect_view().into_any(),
        })}
        <h2>{t.contract_add}</h2><p class="soft">{t.contract_add_what}</p>{scan::paste()}
    }
    .into_any()
}

fn take_on(
    link: Link,
    offered: RwSignal<Option<Link>, LocalStorage>,
    work: Work,
    load: impl Fn() + Copy + 'static,
) -> View {
    let t = text();
    let take = move |_| {
        let link = link.clone();
        work.run(async move { credit::take_on(&session(), link).await }, move |()| {
            offered.set(None);
            load();
        });
    };
    view! { <section class="card"><h2>{t.contract_title}</h2><p>{t.contract_what}</p>
        <button class="wide" disabled=move || work.is_busy.get() on:click=take>{t.contract_take}</button>
        <button class="wide plain" on:click=move |_| offered.set(None)>{t.cancel}</button></section> }
    .into_any()
}

/// A biller's words; they are text from outside.
fn named(stream: &Stream) -> String {
    let words = [stream.biller(), stream.description()];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    if words.is_empty() { text().contract_unnamed.to_owned() } else { words.join(" · ") }
}

fn contract(billed: Billed, work: Work, load: impl Fn() + Copy + Send + 'static) -> View {
    let t = text();
    let Billed { stream, told, is_counted, outlook } = billed;
    let counts = if is_counted { t.contract_counts } else { t.contract_counts_not };
    let ended = told.ended.map(|month| fill(t.contract_ends, &[&month.to_string()]));
    let name = named(&stream);
    let contract = stream.contract();
    let forget = move |_| {
        work.run(async move { credit::drop_contract(&session(), contract).await }, move |()| load())
    };
    let bills: Vec<(Epoch, bill::Bill)> =
        told.months.iter().filter_map(|month| Some((month.month, month.bill.clone()?))).collect();
    let lines = bills
        .into_iter()
        .map(|(month, bill)| {
            let outlook = outlook.filter(|(of, _)| *of == month).map(|(_, outlook)| outlook);
            line(&stream, month, bill, outlook, work, load)
        })
        .collect_view();
    view! {
        <section class="card"><h2 dir="auto">{name}</h2><p class="soft small">{counts}{ended.map(|ended| format!(" · {ended}"))}</p>
            <ul class="list">{lines}</ul>
            {(!is_counted).then(|| view! { <button class="bad" on:click=forget>{t.contract_forget}</button> })}</section>
    }
    .into_any()
}

/// What paying a bill does to the score, and leaving it.
fn foretold(outlook: Outlook) -> String {
    let (t, Outlook { now, paid, unpaid }) = (text(), outlook);
    let with_change = |score: u16| match now {
        Some(now) => format!("{score} ({:+})", i32::from(score) - i32::from(now)),
        None => score.to_string(),
    };
    let first = fill(t.bill_score_paid, &[&with_change(paid)]);
    match unpaid.filter(|unpaid| *unpaid != paid) {
        Some(unpaid) => format!("{first} {}", fill(t.bill_score_unpaid, &[&with_change(unpaid)])),
        None => first,
    }
}

fn line(
    stream: &Stream,
    month: Epoch,
    bill: bill::Bill,
    outlook: Option<Outlook>,
    work: Work,
    load: impl Fn() + Copy + 'static,
) -> View {
    let t = text();
    let sum = shown(bill.amount, stream.unit());
    let has_receipt = stream.receipts().contains_key(&month);
    let state = match bill.state.as_str() {
        "paid" => t.bill_paid,
        "paid-late" => t.bill_paid_late,
        "withdrawn" => t.bill_withdrawn,
        _ => t.bill_open,
    };
    let due = fill(t.bill_due, &[&bill.due]);
    let (stream, amount, is_open) = (stream.clone(), bill.amount, bill.state == "open");
    let pay = move |_| {
        let (stream, said) = (stream.clone(), shown(amount, stream.unit()));
        work.run(
            async move { credit::pay_bill(&session(), &stream, month, amount).await },
            move |met| {
                let t = text();
                let told = match met {
                    Some(true) => t.bill_counts,
                    Some(false) => t.bill_counts_late,
                    None => t.bill_counts_not,
                };
                app().notice.set(Some(format!("{} {told}", fill(t.paid, &[&said]))));
                load();
            },
        );
    };
    let button = fill(t.pay_amount, &[&sum]);
    let outlook = outlook.map(|it| view! { <span class="small in">{foretold(it)}</span> });
    view! {
        <li class="item"><span class="what"><span>{month.to_string()}</span><span class="small soft">{due}" · "{state}{has_receipt.then(|| format!(" · {}", t.bill_receipt))}</span>{outlook}</span>
        {if is_open { view! { <button disabled=move || work.is_busy.get() on:click=pay>{button}</button> }.into_any() } else { view! { <span class="much">{sum}</span> }.into_any() }}</li>
    }
    .into_any()
}
