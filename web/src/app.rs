//! The whole app: which phase the wallet is in, which screen is open, and what was told.

use std::cell::Cell;
use std::rc::{Rc, Weak};

use leptos::prelude::*;
use leptos::task::spawn_local;
use tacit_wallet::state::OperationId;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;

use crate::glue;
use crate::keep::{self, Closed};
use crate::screen;
use crate::screen::shown;
use crate::session::{self, Session};
use crate::target::{self, Target};
use crate::task;
use crate::text::{self, Language, text};

/// How long one round of [`attend`] takes, in milliseconds.
const ROUND: u32 = 20_000;
/// In every so manieth round what is open is taken up, after the first ones.
const SELDOM: u32 = 16;

/// What the wallet is.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    Loading,
    /// There is none yet.
    Start,
    Locked(Closed),
    Open,
    /// Another tab has it.
    Elsewhere,
    /// Storage does not do what is asked.
    Broken(String),
}

/// What every screen shares. Signals alone, so that it is copied freely.
#[derive(Clone, Copy)]
pub(crate) struct App {
    pub(crate) phase: RwSignal<Phase>,
    pub(crate) language: RwSignal<Language>,
    /// The part of the address behind `#/`.
    pub(crate) route: RwSignal<String>,
    pub(crate) changes: RwSignal<u64>,
    /// What was scanned or opened by a link, until a screen takes it.
    pub(crate) incoming: RwSignal<Option<String>>,
    /// Told once, above the screen.
    pub(crate) notice: RwSignal<Option<String>>,
    /// Whether the operator answers; what is wrong if it does not.
    pub(crate) trouble: RwSignal<Option<String>>,
    /// A later release that is fetched whole.
    pub(crate) release: RwSignal<Option<String>>,
}

thread_local! {
    static APP: Cell<Option<App>> = const { Cell::new(None) };
}

/// What every screen shares.
///
/// # Panics
/// Before [`mount`].
pub(crate) fn app() -> App {
    APP.get().expect("the app is mounted first")
}

/// Goes to a screen.
pub(crate) fn go(route: &str) {
    _ = window().location().set_hash(&format!("/{route}")); // A page may always change its own hash.
}

/// Puts the app on the page.
pub(crate) fn mount() {
    std::panic::set_hook(Box::new(|info| {
        glue::fell(&text::fill(text().fell, &[&info.to_string()]))
    }));
    let place = document().get_element_by_id("app").expect("index.html has this place");
    place.set_inner_html("");
    let place = place.unchecked_into();
    leptos::mount::mount_to(place, Root).forget();
}

#[component]
fn Root() -> impl IntoView {
    let app = App {
        phase: RwSignal::new(Phase::Loading),
        language: RwSignal::new(text::Language::of(&browser_language())),
        route: RwSignal::new(String::new()),
        changes: RwSignal::new(0),
        incoming: RwSignal::new(None),
        notice: RwSignal::new(None),
        trouble: RwSignal::new(None),
        release: RwSignal::new(None),
    };
    APP.set(Some(app));
    Effect::new(move |_| {
        let language = app.language.get();
        text::speak(language);
        glue::speak(language.code(), language.direction());
    });
    follow();
    let changed = Closure::<dyn FnMut()>::new(follow);
    window().set_onhashchange(Some(changed.as_ref().unchecked_ref()));
    changed.forget();
    spawn_local(begin(app));
    move || {
        // Everything is drawn anew in another language.
        text::speak(app.language.get());
        match app.phase.get() {
            Phase::Loading => {
                view! { <p class="wait" role="status">{text().loading}</p> }.into_any()
            }
            Phase::Start => screen::start::start(),
            Phase::Locked(closed) => screen::start::locked(closed),
            Phase::Open => screen::open(),
            Phase::Elsewhere => screen::start::elsewhere(),
            Phase::Broken(why) => screen::start::broken(&why),
        }
    }
}

/// What was noted, the lock between tabs, and whether there is a wallet.
async fn begin(app: App) {
    if let Some(language) = keep::noted("language").await {
        app.language.set(Language::of(&language));
    }
    spawn_local(glue::install());
    let lost = Closure::<dyn FnMut()>::new(move || {
        if let Some(session) = session::opened() {
            session.give();
        }
        session::close();
        app.phase.set(Phase::Elsewhere);
    });
    let is_taken = glue::tab_take(&lost).await.as_bool();
    lost.forget();
    if is_taken != Some(true) {
        app.phase.set(Phase::Elsewhere);
        return;
    }
    app.phase.set(match Closed::find().await {
        Ok(None) => Phase::Start,
        Ok(Some(closed)) => Phase::Locked(closed),
        Err(trouble) => Phase::Broken(trouble.say(text())),
    });
}

/// An open wallet: what is open is taken up, and then from time to time.
pub(crate) fn opened(keep: crate::keep::Keep) {
    let app = app();
    session::open(keep, app.changes);
    app.phase.set(Phase::Open);
    if app.incoming.get_untracked().is_some() {
        take_incoming();
    }
    spawn_local(attend());
}

/// What goes on beside the screens of an open wallet, until it is closed: what is open is taken up at once, and then more and more seldom.
async fn attend() {
    let app = app();
    _ = glue::persist().await; // Said in the settings whether it is.
    refresh().await;
    spawn_local(ask_refunds());
    let later = glue::look().await.as_string().filter(|hash| !hash.is_empty());
    if later.is_some() {
        app.release.set(later);
    }
    for round in 1_u32.. {
        glue::pause(ROUND).await;
        let Some(session) = session::opened() else { return };
        let is_seldom = round.is_power_of_two() || round.is_multiple_of(SELDOM);
        if is_seldom && app.trouble.get_untracked().is_some() {
            refresh().await;
        } else if is_seldom {
            task::settle(&session).await;
        }
        task::money::collect(&session).await;
    }
}

/// Milliseconds between two rounds of questions for refunds.
const REFUNDS_PAUSE: u32 = 60 * 60 * 1000;

/// Asks for refunds now, and every hour as long as this wallet is open: of one payment at a time.
async fn ask_refunds() {
    // A closed wallet is not held in memory by whoever waits.
    let Some(open) = session::opened().map(|session| Rc::downgrade(&session)) else { return };
    while let Some(session) = open.upgrade() {
        let due = task::money::refundable(&session);
        drop(session);
        for (number, payment) in due.into_iter().enumerate() {
            if number != 0 {
                let Ok(pause) = task::money::pause_between() else { return };
                glue::pause(pause).await;
            }
            ask_refund(&open, payment).await;
        }
        glue::pause(REFUNDS_PAUSE).await;
    }
}

/// Asks for one, and tells what came. What fails is asked again in an hour.
async fn ask_refund(open: &Weak<Session>, payment: OperationId) {
    let Some(session) = open.upgrade() else { return };
    if let Ok(Some((amount, unit))) = task::money::refund(&session, payment).await {
        app().notice.set(Some(text::fill(text().refunded, &[&shown(amount, unit)])));
    }
}

/// Asks the operator and takes up what is open.
pub(crate) async fn refresh() {
    let Some(session) = session::opened() else { return };
    let result = task::refresh(&session).await;
    app().trouble.set(result.err().map(|trouble| trouble.say(text())));
}

/// Reads the address: a screen, or a link into the wallet.
fn follow() {
    let app = app();
    let hash = window().location().hash().unwrap_or_default();
    if let Some(inner) = target::fragment(&hash) {
        app.incoming.set(Some(inner));
        // Out of the address, and of the history: it may be money.
        let history = window().history();
        _ = history.and_then(|history| history.replace_state_with_url(&"".into(), "", Some("#/")));
        app.route.set(String::new());
        if matches!(app.phase.get_untracked(), Phase::Open) {
            take_incoming();
        }
        return;
    }
    app.route.set(hash.trim_start_matches(['#', '/']).to_owned());
    app.notice.set(None);
}

/// Goes to the screen that what came in is for.
pub(crate) fn take_incoming() {
    let app = app();
    let Some(incoming) = app.incoming.get_untracked() else { return };
    let route = match Target::read(&incoming) {
        Some(Target::Token(_)) => "receive",
        Some(Target::Request(_) | Target::Payout(_)) => "pay",
        Some(Target::Question(_)) => "share",
        Some(Target::Enrolment { .. }) => "enrol",
        Some(Target::Contract(_)) => "bills",
        None => {
            app.incoming.set(None);
            app.notice.set(Some(text().unreadable.to_owned()));
            return;
        }
    };
    // Also where that screen is open already: it is drawn anew.
    if app.route.get_untracked() == route {
        app.route.set(route.to_owned());
    } else {
        go(route);
    }
}

fn browser_language() -> String {
    window().navigator().language().unwrap_or_default()
}

/// A wallet that was opened before its screens: it is restored.
pub(crate) fn reopened() {
    let app = app();
    app.phase.set(Phase::Open);
    spawn_local(attend());
}
