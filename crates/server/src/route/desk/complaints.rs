//! Complaining, and reading what was answered.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use tacit_service::desk::complaint::{
    Complained, Complaint, ComplaintId, NewComplaint, Said, Topic,
};

use super::{new_id, portal, see};
use crate::desk::Desk;
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{PersonLogin, SignedForm};
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/portal/complaints";

pub(super) fn router() -> Router<Desk> {
    Router::new().route(PATH, get(look).post(complain))
}

/// What a topic is called.
pub(super) const fn topic_name(topic: Topic) -> &'static str {
    let text = &ENGLISH.complaints;
    match topic {
        Topic::Payment => text.topic_payment,
        Topic::Account => text.topic_account,
        Topic::Fee => text.topic_fee,
        Topic::Service => text.topic_service,
        Topic::Other => text.topic_other,
    }
}

#[derive(Template)]
#[template(path = "portal/complaints.html")]
struct ComplaintsPage {
    page: Page,
    lead: String,
    nonce: String,
    topics: Vec<TopicChoice>,
    draft: String,
    wrong: Option<String>,
    rows: Vec<Row>,
}

struct TopicChoice {
    name: &'static str,
    said: &'static str,
    is_chosen: bool,
}

struct Row {
    title: String,
    topic: &'static str,
    came: String,
    text: String,
    due: Option<String>,
    holding: Option<String>,
    answer: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    done: Option<u64>,
}

/// `GET /portal/complaints`.
async fn look(
    State(desk): State<Desk>,
    login: PersonLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let nonce = ComplaintId::from_bytes(new_id()?).to_string();
    let draft = Complaining { nonce, topic: String::new(), text: String::new() };
    show_page(&desk, &login, asked.done, draft, None).await
}

async fn show_page(
    desk: &Desk,
    login: &PersonLogin,
    done: Option<u64>,
    draft: Complaining,
    wrong: Option<String>,
) -> Result<Response, Refusal> {
    let (text, id) = (&ENGLISH.complaints, login.person.id);
    let own = desk.run(move |store| Ok(store.complaints_of(id)?)).await?;
    // Only what is theirs is said to be done.
    let done = done.filter(|number| own.iter().any(|complaint| complaint.number == *number));
    let notice = done.map(|number| fill(text.done, "number", number));
    let clock = desk.shared.config.complaints;
    let lead = fill(text.lead, "days", clock.days);
    let topic = |topic: Topic| TopicChoice {
        name: topic.name(),
        said: topic_name(topic),
        is_chosen: topic.name() == draft.topic,
    };
    Ok(show(&ComplaintsPage {
        page: portal::page(desk, login, PATH, text.title).with_notice(notice.as_deref()),
        lead: fill(&lead, "extended", clock.days_extended),
        nonce: draft.nonce.clone(),
        topics: Topic::ALL.map(topic).into(),
        rows: own.into_iter().map(row).collect(),
        draft: draft.text,
        wrong,
    }))
}

fn row(complaint: Complaint) -> Row {
    let text = &ENGLISH.complaints;
    let is_open = complaint.answer.is_none();
    Row {
        title: fill(text.one_title, "number", complaint.number),
        topic: topic_name(complaint.topic),
        came: complaint.came.to_string(),
        text: complaint.text.as_str().to_owned(),
        due: is_open.then(|| fill(text.due_said, "day", complaint.due)),
        holding: complaint.holding.map(|said| said.as_str().to_owned()),
        answer: complaint.answer.map(|answer| answer.text.as_str().to_owned()),
    }
}

#[derive(Deserialize)]
struct Complaining {
    /// Drawn with the page: sent twice, it is one complaint.
    nonce: String,
    topic: String,
    text: String,
}

/// `POST /portal/complaints`: also of whoever is frozen.
async fn complain(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Complaining>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    let text = &ENGLISH.complaints;
    let id: ComplaintId = form.nonce.parse().map_err(|_| Refusal::Bad)?;
    let topic = Topic::of_name(&form.topic).ok_or(Refusal::Bad)?;
    let said = match Said::new(&form.text) {
        Ok(said) => said,
        Err(why) => {
            let wrong = fill(text.text_wrong, "why", why);
            return show_page(&desk, &login, None, form, Some(wrong)).await;
        }
    };
    let today = desk.now().day();
    let complaint = NewComplaint {
        id,
        person: login.person.id,
        topic,
        text: said,
        came: today,
        due: desk.shared.config.complaints.due(today),
    };
    match desk.run(move |store| Ok(store.complain(&complaint)?)).await? {
        Complained::Done(number) => Ok(see(&format!("{PATH}?done={number}"))),
        Complained::TooMany => {
            show_page(&desk, &login, None, form, Some(text.too_many.to_owned())).await
        }
    }
}
