//! What tellers do for people who come to the desk: take them in, look at a document.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tacit_service::account::AccountId;
use tacit_service::desk::Owner;
use tacit_service::desk::identification::{
    CaseId, Document, NumberError, NumberHash, NumberKey, Seen, Sighting,
};
use tacit_service::desk::person::{Contact, Iban, Name, Person, PersonId, SignedUp};
use tacit_service::desk::staff::Permission;
use tacit_service::desk::trail::{Action, Deed};

use super::super::{new_id, see};
use super::people::Purpose;
use super::person::{Draft, Part, path, show_person};
use super::{page, people};
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{SignedForm, StaffLogin};
use crate::desk::{Desk, account, screening};
use crate::random;
use crate::text::{ENGLISH, fill};

/// Where somebody is taken in.
const TAKE_IN: &str = "/operator/people/new";

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(TAKE_IN, get(ask_whom).post(take_in))
        .route("/operator/people/{id}/document", post(see_document))
}

#[derive(Template)]
#[template(path = "operator/take_in.html")]
struct TakeInPage {
    page: Page,
    form: TakeIn,
    wrong: Wrong,
}

/// Somebody who is to be taken in, as it was typed.
#[derive(Default, Deserialize)]
struct TakeIn {
    /// Drawn with the page, so that a second click finds the person there.
    nonce: String,
    name: String,
    contact: String,
    iban: String,
}

/// What was wrong with each field.
#[derive(Default)]
struct Wrong {
    name: Option<String>,
    contact: Option<String>,
    iban: Option<String>,
}

/// `GET /operator/people/new`.
async fn ask_whom(State(desk): State<Desk>, login: StaffLogin) -> Result<Response, Refusal> {
    login.may(Permission::ServePeople)?;
    let form = TakeIn { nonce: PersonId::from_bytes(new_id()?).to_string(), ..TakeIn::default() };
    let page = page(&desk, &login, people::PATH, ENGLISH.people.take_in_title);
    Ok(show(&TakeInPage { page, form, wrong: Wrong::default() }))
}

/// What somebody said of themselves, read.
struct Details {
    name: Name,
    contact: Option<Contact>,
    iban: Option<Iban>,
}

fn details(form: &TakeIn) -> Result<Details, Wrong> {
    let text = &ENGLISH.refusal;
    let given = |field: &str| (!field.trim().is_empty()).then(|| field.to_owned());
    let name = Name::new(&form.name);
    let contact = given(&form.contact).map(|text| Contact::new(&text)).transpose();
    let iban = given(&form.iban).map(|text| Iban::new(&text)).transpose();
    match (name, contact, iban) {
        (Ok(name), Ok(contact), Ok(iban)) => Ok(Details { name, contact, iban }),
        (name, contact, iban) => Err(Wrong {
            name: name.err().map(|why| fill(text.name, "why", why)),
            contact: contact.err().map(|why| fill(text.contact, "why", why)),
            iban: iban.err().map(|why| fill(text.iban, "why", why)),
        }),
    }
}

/// Who a form takes in: the same for the same form, and nobody whom a teller could choose.
fn newcomer(login: &StaffLogin, nonce: &str) -> Result<PersonId, Refusal> {
    let nonce: PersonId = nonce.parse().map_err(|_| Refusal::Bad)?;
    let hash = Sha256::new()
        .chain_update(b"tacit/desk/take-in/v1")
        .chain_update(login.key.form_token().expose())
        .chain_update(nonce.bytes())
        .finalize();
    let id = hash.first_chunk().ok_or(Refusal::Internal)?;
    Ok(PersonId::from_bytes(*id))
}

/// `POST /operator/people/new`: an account of level 0, without a login until one is given.
async fn take_in(
    State(desk): State<Desk>,
    signed: SignedForm<StaffLogin, TakeIn>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::ServePeople)?;
    let id = newcomer(&login, &form.nonce)?;
    let Details { name, contact, iban } = match details(&form) {
        Ok(details) => details,
        Err(wrong) => {
            let page = page(&desk, &login, people::PATH, ENGLISH.people.take_in_title);
            return Ok(show(&TakeInPage { page, form, wrong }));
        }
    };
    let now = desk.now();
    let account = random::bytes().map_err(|error| Refusal::internal(&error))?;
    let newcomer = Person::newcomer(id, AccountId::from_random(account), name, now.day());
    let person = Person { contact, iban, ..newcomer };
    let deed = Deed::about(now, Some(login.staff.id), Action::PersonTakenIn, Owner::Person(id));
    let own = person.clone();
    let taken = desk.run(move |store| {
        let done = store.take_in(&own, &deed)?;
        Ok((done, store.person(id)?.is_some()))
    });
    match taken.await? {
        (SignedUp::Done, _) => {
            // They are in, whatever the vault says now: what it could not do is done in a while.
            _ = account::open(&desk.shared, &desk.handle, &person).await;
            screening::soon(&desk);
            Ok(see(&format!("{}&done=taken-in", path(id, Purpose::Served))))
        }
        (SignedUp::Taken, true) => Ok(see(&path(id, Purpose::Served))),
        // The account's number was drawn before: another try draws another.
        (SignedUp::Taken, false) => Err(Refusal::Busy),
    }
}

/// A number as it was typed.
#[derive(Clone, Deserialize)]
pub(super) struct Numbered {
    pub(super) why: String,
    #[serde(default)]
    document: String,
    #[serde(default)]
    country: String,
    #[serde(default)]
    number: String,
}

impl Numbered {
    pub(super) fn hash(&self, desk: &Desk) -> Result<NumberHash, NumberError> {
        NumberKey::derive(&desk.shared.seed).hash(&self.country, &self.number)
    }

    pub(super) fn draft(self, part: Part, wrong: &str) -> Draft {
        Draft {
            part: Some(part),
            reason: String::new(),
            country: self.country,
            number: self.number,
            wrong: Some(wrong.to_owned()),
            before: None,
        }
    }
}

/// `POST /operator/people/{id}/document`: a teller has seen a document. Whose number it is nobody else may have.
async fn see_document(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<StaffLogin, Numbered>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::ServePeople)?;
    let id: PersonId = id.parse().map_err(|_| Refusal::NotFound)?;
    let why = Purpose::of_name(&form.why).ok_or(Refusal::Bad)?;
    let document = Document::of_name(&form.document).ok_or(Refusal::Bad)?;
    let text = &ENGLISH.people;
    let number = match form.hash(&desk) {
        Ok(number) => number,
        Err(wrong) => {
            let draft = form.draft(Part::Document, &fill(text.number_wrong, "why", wrong));
            return show_person(&desk, &login, id, why, None, draft).await;
        }
    };
    let (case, by) = (CaseId::from_bytes(new_id()?), Some(login.staff.id));
    let sighting = Sighting { person: id, case, number, document, by, now: desk.now() };
    let wrong = match desk.run(move |store| Ok(store.see_document(&sighting)?)).await? {
        Seen::Done => return Ok(see(&format!("{}&done=document", path(id, why)))),
        Seen::Unknown => return Err(Refusal::NotFound),
        Seen::TooMany => text.invite_too_many,
        Seen::Differs => text.number_differs,
        Seen::Taken => text.number_taken,
    };
    show_person(&desk, &login, id, why, None, form.draft(Part::Document, wrong)).await
}
