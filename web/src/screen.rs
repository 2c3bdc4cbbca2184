//! What is seen: each screen is a function that gives a view, over [`crate::task`].

pub(crate) mod bills;
pub(crate) mod cash;
pub(crate) mod history;
pub(crate) mod home;
pub(crate) mod pay;
pub(crate) mod receive;
pub(crate) mod scan;
pub(crate) mod score;
pub(crate) mod settings;
pub(crate) mod share;
pub(crate) mod start;
pub(crate) mod tour;

use std::future::Future;

use fast_qr::ECL;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::convert::{Builder as _, Shape};
use fast_qr::qr::{QRBuilder, QRCodeError};
use leptos::prelude::*;
use leptos::task::spawn_local;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;

use crate::app::{app, go};
use crate::glue;
use crate::text::text;
use crate::trouble::Trouble;

/// What a screen draws.
pub(crate) type View = AnyView;

/// The open wallet: the screen of the address, and the way to the others.
pub(crate) fn open() -> View {
    let app = app();
    let body = move || {
        let route = app.route.get();
        let (name, rest) = route.split_once('/').unwrap_or((&route, ""));
        let rest = rest.to_owned();
        let t = text();
        // Drawn once: what changes in a screen follows the wallet by itself, and what it is doing is not thrown away.
        let (title, view) = untrack(|| match name {
            "" => (t.wallet, home::home()),
            "scan" => (t.scan, scan::scan()),
            "pay" => (t.pay, pay::pay()),
            "send" => (t.send, pay::send()),
            "sent" => (t.send, pay::sent(&rest)),
            "receive" => (t.receive, receive::receive()),
            "cash" => (t.cash, cash::cash()),
            "history" => (t.history, history::history()),
            "entry" => (t.history, history::entry(&rest)),
            "months" => (t.months, history::months()),
            "score" => (t.score, score::score()),
            "enrol" => (t.passport, score::enrol()),
            "bills" => (t.bills, bills::bills()),
            "share" => (t.share_title, share::share()),
            "proofs" => (t.certificates, share::certificates()),
            "shown" => (t.shown_title, share::shown()),
            "settings" => (t.settings, settings::settings()),
            "words" => (t.words_title, settings::words()),
            "tour" => (t.tour, tour::tour()),
            "known" => (t.known_title, tour::known()),
            _ => (t.wallet, home::home()),
        });
        glue::focus("title");
        let is_home = name.is_empty();
        view! {
            <header class="top">
                {(!is_home).then(|| view! {
                    <a class="button bare plain" href="#/" aria-label=t.back>{icon(Icon::Back)}</a>
                })}
                <h1 id="title" tabindex="-1">{title}</h1>
                {is_home.then(|| view! { <a href="#/settings" aria-label=t.settings class="button bare plain">{icon(Icon::Gear)}</a> })}
            </header>
            <main id="main">{notices()}{view}</main>
        }
    };
    view! { <div class="frame">{body}{tabs()}</div> }.into_any()
}

/// What is told above every screen.
fn notices() -> View {
    let app = app();
    view! {
        <div role="status" aria-live="polite">
            {move || app.notice.get().map(|notice| view! { <p class="note">{notice}</p> })}
            {move || app.trouble.get().map(|trouble| view! {
                <div class="note warn"><p>{trouble}</p><button class="plain" on:click=move |_| spawn_local(crate::app::refresh())>{text().again}</button></div>
            })}
            {move || app.release.get().map(|hash| view! {
                <div class="note"><p>{text().new_release}</p><p class="raw">{hash.clone()}</p>
                <button on:click=move |_| { let hash = hash.clone(); spawn_local(async move { glue::change(&hash).await }) }>{text().update}</button></div>
            })}
        </div>
    }
    .into_any()
}

fn tabs() -> View {
    let app = app();
    let tab = move |route: &'static str, kind: Icon, name: &'static str| {
        let is_here = move || {
            (app.route.get().split('/').next().unwrap_or_default() == route).then_some("page")
        };
        view! { <a href=format!("#/{route}") aria-current=is_here>{icon(kind)}<span>{name}</span></a> }
    };
    let t = text();
    view! {
        <nav class="tabs" aria-label=t.main_menu>
            {tab("", Icon::Wallet, t.wallet)}{tab("bills", Icon::Bill, t.bills)}{tab("scan", Icon::Scan, t.scan)}
            {tab("score", Icon::Gauge, t.score)}{tab("history", Icon::List, t.history)}
        </nav>
    }
    .into_any()
}

/// Minor units as people read them here.
pub(crate) fn shown(value: u64, unit: Unit) -> String {
    signed(i128::from(value), unit)
}

/// The same with a sign, if it is below nothing.
#[expect(clippy::cast_precision_loss, reason = "an amount has at most 53 bits")]
pub(crate) fn signed(value: i128, unit: Unit) -> String {
    let decimals = unit.exponent();
    let whole = value as f64 / 10_f64.powi(i32::from(decimals));
    format!(
        "{} {}",
        glue::number(whole, decimals, crate::text::language().code()),
        unit.code().to_ascii_uppercase()
    )
}

/// A moment as people read it: `minute`, `day` or `month`.
#[expect(clippy::cast_precision_loss, reason = "seconds of a calendar")]
pub(crate) fn at(moment: Timestamp, style: &str) -> String {
    glue::moment(moment.seconds() as f64, crate::text::language().code(), style)
}

/// A code to be scanned, with what it is in words.
pub(crate) fn code(content: &str, name: &str) -> View {
    match svg_of(content) {
        Ok(svg) => view! { <figure class="code" role="img" aria-label=name.to_owned() inner_html=svg></figure> }.into_any(),
        Err(_) => view! { <p class="soft">{text().too_long_for_code}</p> }.into_any(),
    }
}

fn svg_of(content: &str) -> Result<String, QRCodeError> {
    let code = QRBuilder::new(content).ecl(ECL::L).build()?;
    Ok(SvgBuilder::default().shape(Shape::Square).margin(1).to_str(&code))
}

/// A text to hand over: to be seen, copied, shared.
pub(crate) fn handover(content: String) -> View {
    let is_copied = RwSignal::new(false);
    let (to_copy, to_share) = (content.clone(), content.clone());
    view! {
        <p class="raw" tabindex="0">{content}</p>
        <div class="row">
            <button class="plain" on:click=move |_| { let text = to_copy.clone(); spawn_local(async move { is_copied.set(glue::copy(&text).await.is_truthy()) }) }>
                {move || if is_copied.get() { text().copied } else { text().copy }}
            </button>
            {glue::can_share().then(|| view! {
                <button class="plain" on:click=move |_| { let text = to_share.clone(); spawn_local(async move { _ = glue::share(&text).await }) }>{text().share}</button>
            })}
        </div>
    }
    .into_any()
}

/// Something that takes a while: whether it runs, and why it was not done.
#[derive(Clone, Copy)]
pub(crate) struct Work {
    pub(crate) is_busy: RwSignal<bool>,
    pub(crate) failed: RwSignal<Option<String>>,
}

impl Work {
    pub(crate) fn new() -> Self {
        Self { is_busy: RwSignal::new(false), failed: RwSignal::new(None) }
    }

    /// Does it, unless it is being done: a second click is none.
    pub(crate) fn run<T: 'static>(
        self,
        what: impl Future<Output = Result<T, Trouble>> + 'static,
        then: impl FnOnce(T) + 'static,
    ) {
        if self.is_busy.get_untracked() {
            return;
        }
        self.is_busy.set(true);
        self.failed.set(None);
        spawn_local(async move {
            let result = what.await;
            // The screen may be left by now.
            if self.is_busy.try_set(false).is_some() {
                return;
            }
            match result {
                Ok(value) => then(value),
                Err(trouble) => self.failed.set(Some(trouble.say(text()))),
            }
        });
    }

    /// What is going on, for people.
    pub(crate) fn view(self, doing: &'static str) -> View {
        view! {
            <div role="status" aria-live="polite">
                {move || self.is_busy.get().then(|| view! { <p class="row"><span class="spin" aria-hidden="true"></span>{doing}</p> })}
            </div>
            <div role="alert">{move || self.failed.get().map(|why| view! { <p class="note bad">{why}</p> })}</div>
        }
        .into_any()
    }
}

/// It is done: a tick, what was done, and the way home.
pub(crate) fn done(what: String, more: Option<String>) -> View {
    view! {
        <div class="card done" role="status">
            {icon(Icon::Done)}<h2 class="figure">{what}</h2>{more.map(|more| view! { <p class="soft">{more}</p> })}
            <button class="wide" on:click=move |_| go("")>{text().finish}</button>
        </div>
    }
    .into_any()
}

/// Pictures of what a place is.
#[derive(Clone, Copy)]
pub(crate) enum Icon {
    Wallet,
    Bill,
    Scan,
    Gauge,
    List,
    Back,
    Gear,
    Up,
    Down,
    Cash,
    Done,
}

/// Draws one, for eyes alone.
pub(crate) fn icon(kind: Icon) -> View {
    let path = match kind {
        Icon::Wallet => {
            "M3 7h15a3 3 0 0 1 3 3v7a3 3 0 0 1-3 3H6a3 3 0 0 1-3-3zm0 0a3 3 0 0 1 3-3h10M17 13.5h.01"
        }
        Icon::Bill => "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6",
        Icon::Scan => {
            "M4 8V5a1 1 0 0 1 1-1h3M16 4h3a1 1 0 0 1 1 1v3M20 16v3a1 1 0 0 1-1 1h-3M8 20H5a1 1 0 0 1-1-1v-3M4 12h16"
        }
        Icon::Gauge => "M4 17a9 9 0 1 1 16 0M12 14l4-5",
        Icon::List => "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
        Icon::Back => "M15 5l-7 7 7 7",
        Icon::Gear => "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
        Icon::Up => "M12 20V5M6 11l6-6 6 6",
        Icon::Down => "M12 4v15M6 13l6 6 6-6",
        Icon::Cash => "M3 7h18v10H3zM12 9.5v5M7 12h.01M17 12h.01",
        Icon::Done => "M12 22a10 10 0 1 1 0-20 10 10 0 0 1 0 20zM8 12.5l3 3 5-6",
    };
    view! { <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=path /></svg> }
        .into_any()
}
