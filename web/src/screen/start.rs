//! Before the wallet is open: made, restored, unlocked, or open elsewhere.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tacit_wallet::seed::Words;
use zeroize::Zeroizing;

use super::{View, Work};
use crate::app::{self, Phase, app};
use crate::glue;
use crate::keep::{self, Closed, Opener};
use crate::task;
use crate::text::{self, Language, fill, text};
use crate::trouble::Trouble;

/// Bytes of a new passphrase at least.
const PASSPHRASE_MIN: usize = 10;

#[derive(Clone)]
enum Step {
    Welcome,
    Show(Words),
    /// Three of the words are asked for: their places.
    Check(Words, [usize; 3]),
    Restore,
    Protect {
        words: Words,
        is_new: bool,
    },
    Restoring,
}

fn bare(title: &'static str, body: View) -> View {
    glue::focus("title");
    view! { <div class="frame bare-frame"><header class="top"><h1 id="title" tabindex="-1">{title}</h1>{languages()}</header><main>{body}</main></div> }.into_any()
}

/// The other languages.
pub(crate) fn languages() -> View {
    let here = text::language();
    let others = Language::ALL.into_iter().filter(|language| *language != here);
    let button = |language: Language| {
        let choose = move |_| {
            app().language.set(language);
            spawn_local(async move { keep::note("language", language.code()).await });
        };
        view! { <button class="plain" lang=language.code() on:click=choose>{language.name()}</button> }
    };
    others.map(button).collect_view().into_any()
}

/// No wallet yet.
pub(crate) fn start() -> View {
    let step = RwSignal::new_local(Step::Welcome);
    (move || match step.get() {
        Step::Welcome => welcome(step),
        Step::Show(words) => show(step, words),
        Step::Check(words, places) => check(step, words, places),
        Step::Restore => restore(step),
        Step::Protect { words, is_new } => protect(step, words, is_new),
        Step::Restoring => bare(text().searching, view! { <p class="row" role="status"><span class="spin" aria-hidden="true"></span>{text().searching_more}</p> }.into_any()),
    })
    .into_any()
}

fn welcome(step: RwSignal<Step, LocalStorage>) -> View {
    let (t, work) = (text(), Work::new());
    let make = move |_| work.run(async { task::words() }, move |words| step.set(Step::Show(words)));
    let body = view! {
        <div class="card"><p>{t.welcome}</p><ul class="facts">
            <li>{t.welcome_money}</li><li>{t.welcome_score}</li><li>{t.welcome_words}</li></ul></div>
        <button class="wide" on:click=make>{t.make_wallet}</button>
        <button class="wide plain" on:click=move |_| step.set(Step::Restore)>{t.have_words}</button>
        {work.view(t.loading)}
    };
    bare(t.wallet, body.into_any())
}

fn show(step: RwSignal<Step, LocalStorage>, words: Words) -> View {
    let t = text();
    let list: Vec<String> = words.to_text().expose().split(' ').map(str::to_owned).collect();
    let next = move |_| match places() {
        Ok(places) => step.set(Step::Check(words.clone(), places)),
        Err(trouble) => app().phase.set(Phase::Broken(trouble.say(text()))),
    };
    let body = view! {
        <p>{t.words_what}</p>
        <ol class="words" translate="no">{list.into_iter().map(|word| view! { <li>{word}</li> }).collect_view()}</ol>
        <p class="note warn">{t.words_warn}</p>
        <button class="wide" on:click=next>{t.words_written}</button>
    };
    bare(t.words_title, body.into_any())
}

/// Three places of twelve, in their order.
fn places() -> Result<[usize; 3], Trouble> {
    let drawn = keep::random::<3>()?;
    // One of each third, so that they differ.
    Ok([0, 1, 2].map(|at| at * 4 + usize::from(drawn[at] % 4)))
}

fn check(step: RwSignal<Step, LocalStorage>, words: Words, places: [usize; 3]) -> View {
    let t = text();
    let typed =
        [RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new())];
    let is_wrong = RwSignal::new(false);
    let list: Vec<String> = words.to_text().expose().split(' ').map(str::to_owned).collect();
    let again = words.clone();
    let next = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let is_right =
            (0..3).all(|at| typed[at].get_untracked().trim().to_lowercase() == list[places[at]]);
        match is_right {
            true => step.set(Step::Protect { words: words.clone(), is_new: true }),
            false => is_wrong.set(true),
        }
    };
    let field = |at: usize| {
        let name = fill(t.word_number, &[&(places[at] + 1).to_string()]);
        view! { <label>{name}<input autocomplete="off" autocapitalize="none" spellcheck="false" prop:value=typed[at] on:input=move |event| typed[at].set(event_target_value(&event)) /></label> }
    };
    let body = view! {
        <form class="card" on:submit=next>
            <p>{t.words_check}</p>{(0..3).map(field).collect_view()}
            <div role="alert">{move || is_wrong.get().then(|| view! { <p class="note bad">{text().words_wrong}</p> })}</div>
            <button class="wide" type="submit">{t.next}</button>
            <button class="wide plain" type="button" on:click=move |_| step.set(Step::Show(again.clone()))>{t.words_again}</button>
        </form>
    };
    bare(t.words_check_title, body.into_any())
}

fn restore(step: RwSignal<Step, LocalStorage>) -> View {
    let t = text();
    let (typed, is_wrong) = (RwSignal::new(String::new()), RwSignal::new(false));
    let next = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match typed.get_untracked().parse::<Words>() {
            Ok(words) => step.set(Step::Protect { words, is_new: false }),
            Err(_) => is_wrong.set(true),
        }
    };
    let body = view! {
        <form class="card" on:submit=next>
            <label>{t.words_type}<textarea dir="ltr" rows="4" autocomplete="off" autocapitalize="none" spellcheck="false" on:input=move |event| typed.set(event_target_value(&event))></textarea></label>
            <div role="alert">{move || is_wrong.get().then(|| view! { <p class="note bad">{text().wrong_words}</p> })}</div>
            <button class="wide" type="submit">{t.next}</button>
            <button class="wide plain" type="button" on:click=move |_| step.set(Step::Welcome)>{t.back}</button>
        </form>
    };
    bare(t.have_words, body.into_any())
}

fn protect(step: RwSignal<Step, LocalStorage>, words: Words, is_new: bool) -> View {
    let (t, work) = (text(), Work::new());
    let (first, second) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let with_passphrase = RwSignal::new(!glue::passkey_known());
    let (by_key, by_phrase) = (words.clone(), words);
    let key = move |_| {
        let words = by_key.clone();
        work.run(
            async move {
                let Some((id, secret)) = new_passkey().await? else { return Ok(false) };
                make(words, Opener::Passkey { id, secret }, is_new, step).await.map(|()| true)
            },
            move |made| {
                if !made {
                    with_passphrase.set(true)
                }
            },
        );
    };
    let phrase = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let (typed, again, words) =
            (first.get_untracked(), second.get_untracked(), by_phrase.clone());
        if typed.len() < PASSPHRASE_MIN || typed != again {
            work.failed.set(Some(fill(text().passphrase_rule, &[&PASSPHRASE_MIN.to_string()])));
            return;
        }
        work.run(make(words, Opener::Passphrase(Zeroizing::new(typed)), is_new, step), |()| {});
    };
    let body = view! {
        <p>{t.protect_why}</p>
        {glue::passkey_known().then(|| view! { <button class="wide" on:click=key>{t.with_passkey}</button> })}
        {move || match with_passphrase.get() {
            false => view! { <button class="wide plain" on:click=move |_| with_passphrase.set(true)>{t.with_passphrase}</button> }.into_any(),
            true => view! { <form class="card" on:submit=phrase.clone()>
                <label>{t.passphrase}<input type="password" autocomplete="new-password" on:input=move |event| first.set(event_target_value(&event)) /></label>
                <label>{t.passphrase_again}<input type="password" autocomplete="new-password" on:input=move |event| second.set(event_target_value(&event)) /></label>
                <button class="wide" type="submit">{t.make_wallet}</button></form> }.into_any(),
        }}
        {work.view(t.loading)}
    };
    bare(t.protect_title, body.into_any())
}

/// A passkey of this device; none if its passkeys make no secrets.
pub(crate) async fn new_passkey() -> Result<Option<(Vec<u8>, Zeroizing<Vec<u8>>)>, Trouble> {
    let made =
        glue::passkey_create("Tacit", text().wallet).await.map_err(|_| Trouble::WrongSecret)?;
    let parts: Option<js_sys::Array> = wasm_bindgen::JsCast::dyn_into(made).ok();
    Ok(parts.and_then(|parts| {
        Some((glue::vec(&parts.get(0))?, Zeroizing::new(glue::vec(&parts.get(1))?)))
    }))
}

/// Makes the wallet, and looks for what the words lead to if they are not new.
async fn make(
    words: Words,
    opener: Opener,
    is_new: bool,
    step: RwSignal<Step, LocalStorage>,
) -> Result<(), Trouble> {
    let operator = task::operator().await?;
    let keep = task::create(&words, operator, &opener, true).await?;
    if is_new {
        app::opened(keep);
        return Ok(());
    }
    step.set(Step::Restoring);
    crate::session::open(keep, app().changes);
    let session = crate::session::session();
    let money = task::money::restore(&session).await;
    // Whoever had no passport has none now.
    let passport = task::credit::find(&session).await;
    let told = match (money, passport.is_ok()) {
        (Err(trouble), _) => fill(text().restored_not, &[&trouble.say(text())]),
        (Ok(found), has_passport) => {
            let sums: Vec<String> =
                found.iter().map(|(unit, sum)| super::shown(*sum, *unit)).collect();
            let money = if sums.is_empty() {
                text().restored_none.to_owned()
            } else {
                fill(text().restored, &[&sums.join(", ")])
            };
            if has_passport { format!("{money} {}", text().restored_passport) } else { money }
        }
    };
    app::reopened();
    app().notice.set(Some(told));
    Ok(())
}

/// A wallet that waits for its owner.
pub(crate) fn locked(closed: Closed) -> View {
    let (t, work) = (text(), Work::new());
    let typed = RwSignal::new(String::new());
    let body = match closed.passkey() {
        Some(id) => {
            let (id, closed) = (id.to_vec(), closed.clone());
            let unlock = move |_| {
                let (id, closed) = (id.clone(), closed.clone());
                work.run(
                    async move {
                        let secret = glue::passkey_open(&glue::bytes(&id))
                            .await
                            .map_err(|_| Trouble::WrongSecret)?;
                        let secret =
                            Zeroizing::new(glue::vec(&secret).ok_or(Trouble::WrongSecret)?);
                        closed.open(&secret).await
                    },
                    app::opened,
                );
            };
            view! { <button class="wide" on:click=unlock>{t.unlock}</button> }.into_any()
        }
        None => {
            let unlock = move |event: leptos::ev::SubmitEvent| {
                event.prevent_default();
                let (closed, typed) = (closed.clone(), Zeroizing::new(typed.get_untracked()));
                work.run(async move { closed.open(typed.as_bytes()).await }, app::opened);
            };
            view! { <form class="card" on:submit=unlock>
                <label>{t.passphrase}<input type="password" autocomplete="current-password" on:input=move |event| typed.set(event_target_value(&event)) /></label>
                <button class="wide" type="submit">{t.unlock}</button></form> }.into_any()
        }
    };
    let body = view! { <div class="card done"><p class="soft">{t.locked_why}</p></div>{body}{work.view(t.unlocking)}<p class="small soft">{t.locked_lost}</p>{forget()} };
    bare(t.wallet, body.into_any())
}

/// Deletes the wallet, for whoever has the words and not the opener.
fn forget() -> View {
    let (t, work, is_asked) = (text(), Work::new(), RwSignal::new(false));
    let erase = move |_| work.run(keep::erase(), |()| _ = window().location().reload());
    view! {
        {move || match is_asked.get() {
            false => view! { <button class="wide plain" on:click=move |_| is_asked.set(true)>{t.forget}</button> }.into_any(),
            true => view! { <div class="card"><p>{t.forget_warn}</p><button class="bad wide" on:click=erase>{t.forget_yes}</button>
                <button class="plain wide" on:click=move |_| is_asked.set(false)>{t.cancel}</button></div> }.into_any(),
        }}
        {work.view(t.loading)}
    }
    .into_any()
}

/// Another tab has it.
pub(crate) fn elsewhere() -> View {
    let (t, work) = (text(), Work::new());
    let take = move |_| {
        work.run(
            async {
                match glue::tab_ask(5000).await.is_truthy() {
                    true => Ok(()),
                    false => Err(Trouble::OtherTab),
                }
            },
            |()| _ = window().location().reload(),
        );
    };
    let body = view! { <div class="card"><p>{t.elsewhere}</p><button class="wide" on:click=take>{t.use_here}</button></div>{work.view(t.loading)} };
    bare(t.wallet, body.into_any())
}

/// Storage does not do what is asked.
pub(crate) fn broken(why: &str) -> View {
    let t = text();
    let body = view! { <p class="note bad" role="alert">{why.to_owned()}</p><p>{t.broken_more}</p>{forget()} };
    bare(t.wallet, body.into_any())
}
