//! Safety: the words, the opener, storage, the release, and finding money again.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{View, Work, shown, start};
use crate::app::{app, go};
use crate::glue;
use crate::keep::{self, Opener};
use crate::session::{self, session};
use crate::task;
use crate::text::{fill, text};
use crate::trouble::Trouble;

pub(crate) fn settings() -> View {
    let (t, work) = (text(), Work::new());
    let (is_persisted, release) = (RwSignal::new(None::<bool>), RwSignal::new(None::<String>));
    spawn_local(async move {
        _ = is_persisted.try_set(Some(glue::is_persisted().await.is_truthy()));
        _ = release.try_set(glue::release().await.as_string());
    });
    let search = move |_| {
        work.run(async move { task::money::restore(&session()).await }, |found| {
            let sums: Vec<String> = found.iter().map(|(unit, sum)| shown(*sum, *unit)).collect();
            app().notice.set(Some(if sums.is_empty() {
                text().restored_none.to_owned()
            } else {
                fill(text().restored, &[&sums.join(", ")])
            }));
        });
    };
    let passkey = move |_| {
        work.run(
            async move {
                let (id, secret) = start::new_passkey().await?.ok_or(Trouble::WrongSecret)?;
                keep::relock(&session().lock_with(&Opener::Passkey { id, secret })?).await
            },
            |()| app().notice.set(Some(text().opener_changed.to_owned())),
        );
    };
    let lock = move |_| {
        session::close();
        _ = window().location().reload(); // The lock between tabs goes with the page.
    };
    let look = move |_| {
        work.run(async move { Ok(glue::look().await.as_string()) }, |found| match found {
            Some(none) if none.is_empty() => {
                app().notice.set(Some(text().release_current.to_owned()))
            }
            Some(hash) => {
                app().notice.set(None);
                app().release.set(Some(hash));
            }
            None => app().notice.set(Some(text().release_unknown.to_owned())),
        });
    };
    let fact =
        |name: &'static str, value: View| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
    let operator = session().peek(|_, book| book.operator.clone());
    let words = move || {
        let checked = session().with(|_, book| book.words_checked);
        checked.map_or_else(
            || text().backup_none.to_owned(),
            |at| fill(text().backup_since, &[&super::at(at, "day")]),
        )
    };
    view! {
        <section class="card"><h2>{t.backup}</h2><p>{words}</p><a class="button plain" href="#/words">{t.words_title}</a>
            <button class="plain" disabled=move || work.is_busy.get() on:click=search>{t.search_money}</button></section>
        <section class="card"><h2>{t.protect_title}</h2>
            {glue::passkey_known().then(|| view! { <button class="plain" disabled=move || work.is_busy.get() on:click=passkey>{t.new_passkey}</button> })}
            <button class="plain" on:click=lock>{t.lock}</button>
            <p class="soft">{move || match is_persisted.get() { Some(true) => text().persisted, Some(false) => text().persisted_not, None => "" }}</p></section>
        {work.view(t.loading)}
        <section class="card"><h2>{t.language}</h2><div class="row">{start::languages()}</div></section>
        <section class="card"><h2>{t.operator}</h2><dl class="facts">
            {fact(t.name, operator.name.into_any())}{operator.desk.map(|desk| fact(t.desk, desk.to_string().into_any()))}
            {fact(t.mints, operator.mint.iter().map(|mint| view! { <div>{mint.to_string()}</div> }).collect_view().into_any())}</dl>
            <a href="#/known">{t.known_title}</a>{operator.demo.then(|| view! { <a href="#/tour">{t.tour}</a> })}</section>
        <section class="card"><h2>{t.release}</h2><p class="raw">{move || release.get().unwrap_or_else(|| text().release_none.to_owned())}</p>
            <p class="small soft">{t.release_what}</p><button class="plain" on:click=look>{t.release_look}</button></section>
    }
    .into_any()
}

/// The twelve words, once more.
pub(crate) fn words() -> View {
    let (t, is_shown, work) = (text(), RwSignal::new(false), Work::new());
    let have = move |_| {
        let now = crate::clock::now();
        work.run(
            async move { session().note(|book| book.words_checked = Some(now)).await },
            |()| go("settings"),
        );
    };
    view! {
        <p>{t.words_what}</p>
        {move || match is_shown.get() {
            false => view! { <p class="note warn">{t.words_look_around}</p><button class="wide" on:click=move |_| is_shown.set(true)>{t.words_show}</button> }.into_any(),
            true => view! { <ol class="words" translate="no">{session().words().into_iter().map(|word| view! { <li>{word}</li> }).collect_view()}</ol>
                <button class="wide" on:click=have>{t.words_written}</button> }.into_any(),
        }}
        {work.view(t.loading)}
    }
    .into_any()
}
