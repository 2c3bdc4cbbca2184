//! What every page of the desk shares: its place in the site, who looks at it, and the headers it is sent with.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tacit_core::hex;
use tacit_core::time::Timestamp;
use tacit_service::desk::login::{Invitation, SessionKey};

use super::Desk;
use super::refusal::Refusal;
use super::session::PersonLogin;
use crate::text::{ENGLISH, Text, fill};

/// What a page may load and do: its own style, picture and script, and forms to its own origin. No script stands in a page.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the layout needs.
pub(crate) struct Page {
    pub(crate) text: &'static Text,
    pub(crate) title: String,
    /// Its own path, without what it was asked with.
    pub(crate) path: &'static str,
    /// Who is logged in, as far as this page knows.
    pub(crate) me: Option<Me>,
    /// Pages of the same console that this login may open.
    pub(crate) menu: Vec<Item>,
    /// What was just done.
    pub(crate) notice: Option<String>,
    /// That a code leads into this person's account, and from when on.
    pub(crate) alarm: Option<String>,
    /// Whether passkeys are used on it.
    pub(crate) has_script: bool,
    pub(crate) is_demo: bool,
    /// The mint's origin.
    pub(crate) mint: Option<String>,
}

/// Who is logged in.
pub(crate) struct Me {
    pub(crate) name: String,
    /// What their forms carry.
    pub(crate) form_token: String,
    /// Where they log out.
    pub(crate) sign_out: &'static str,
}

/// A place of the site, in the header.
pub(crate) struct Place {
    pub(crate) path: &'static str,
    pub(crate) name: &'static str,
    pub(crate) is_here: bool,
}

/// A page of a console, in its menu.
pub(crate) struct Item {
    pub(crate) path: &'static str,
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
}

/// A form with a passkey.
pub(crate) struct PasskeyForm {
    /// `create` or `get`.
    pub(crate) what: &'static str,
    /// Where the ceremony is, without `/begin` and `/finish`.
    pub(crate) path: &'static str,
    /// What forms of this login carry; empty where nobody is logged in.
    pub(crate) token: String,
}

impl Page {
    /// A page that nobody need be logged in for.
    pub(crate) fn new(desk: &Desk, path: &'static str, title: &str) -> Self {
        Self {
            text: &ENGLISH,
            title: title.to_owned(),
            path,
            me: None,
            menu: Vec::new(),
            notice: None,
            alarm: None,
            has_script: false,
            is_demo: desk.shared.config.demo,
            mint: desk.shared.origins.mint.as_ref().map(ToString::to_string),
        }
    }

    /// The same for whoever is logged in.
    pub(crate) fn seen_by(mut self, name: &str, key: &SessionKey, sign_out: &'static str) -> Self {
        let form_token = hex::encode(key.form_token().expose());
        self.me = Some(Me { name: name.to_owned(), form_token, sign_out });
        self
    }

    /// The same for somebody with an account. Whatever page they look at says so if a code leads into it: whoever did not
    /// ask for it has to see it in time.
    pub(crate) fn seen_by_person(
        self,
        desk: &Desk,
        login: &PersonLogin,
        sign_out: &'static str,
    ) -> Self {
        let mut page = self.seen_by(login.person.name.as_str(), &login.key, sign_out);
        page.alarm = login.requested.as_ref().map(|code| alarm(code, desk.now()));
        page
    }

    /// The same with passkeys.
    pub(crate) fn with_script(mut self) -> Self {
        self.has_script = true;
        self
    }

    /// The same with what was just done, if anything was.
    pub(crate) fn with_notice(mut self, notice: Option<&str>) -> Self {
        self.notice = notice.map(str::to_owned);
        self
    }

    /// What forms of whoever is logged in carry.
    pub(crate) fn form_token(&self) -> String {
        self.me.as_ref().map_or_else(String::new, |me| me.form_token.clone())
    }

    /// The places of the site, as far as they concern whoever is here: staff and people have no business with each other's.
    pub(crate) fn places(&self) -> Vec<Place> {
        let text = &self.text.site;
        let place = |path: &'static str, name| {
            let is_here = match path {
                "/" => self.path == "/",
                _ => self.path == path || self.path.starts_with(&format!("{path}/")),
            };
            Place { path, name, is_here }
        };
        let mut places = vec![
            place("/", text.front),
            place("/portal", text.portal),
            place("/merchant", text.merchant),
            place("/operator", text.operator),
        ];
        let is_staffs = |place: &Place| place.path == "/operator";
        if let Some(here) = places.iter().find(|place| place.is_here && place.path != "/") {
            let is_staff_here = is_staffs(here);
            places.retain(|place| place.path == "/" || is_staffs(place) == is_staff_here);
        }
        places
    }
}

/// What is said of a code that leads into somebody's account.
fn alarm(code: &Invitation, now: Timestamp) -> String {
    let text = &ENGLISH.site;
    let opens = match code.opens {
        None => text.login_asked_confirmed.to_owned(),
        Some(opens) if opens <= now => text.login_asked_now.to_owned(),
        Some(opens) => fill(text.login_asked_at, "moment", utc(opens)),
    };
    fill(text.login_asked, "opens", opens)
}

/// A moment as people read it, in UTC.
pub(crate) fn utc(moment: Timestamp) -> String {
    moment.to_string().replace('T', " ").replace('Z', "")
}

/// A page as it is sent.
pub(crate) fn show(template: &impl Template) -> Response {
    show_with(StatusCode::OK, template)
}

pub(crate) fn show_with(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => {
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CONTENT_SECURITY_POLICY, POLICY),
            ];
            (status, headers, html).into_response()
        }
        Err(error) => Refusal::internal(&error).into_response(),
    }
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage {
    page: Page,
    detail: String,
    /// Whether something on the page before is to be corrected.
    is_field: bool,
    /// Where to log in, if that helps.
    sign_in: Option<&'static str>,
}

/// A refusal as people read it.
pub(crate) fn refusal(desk: &Desk, refusal: &Refusal) -> Response {
    let said = refusal.said(&ENGLISH);
    let sign_in = if let Refusal::Expired(kind) = refusal {
        Some(super::session::sign_in_page(*kind))
    } else {
        None
    };
    let is_field = matches!(refusal, Refusal::Field(_));
    let page = Page::new(desk, "", said.title);
    refusal.with_wait(show_with(
        said.status,
        &RefusalPage { page, detail: said.detail, is_field, sign_in },
    ))
}
