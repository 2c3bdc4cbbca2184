//! The SQL of finding out who people are.

use tacit_core::time::{Day, Timestamp};
use tacit_service::desk::Owner;
use tacit_service::desk::identification::{
    Case, CaseId, CaseState, Document, IdentificationStore, Seen, Sighting, TRIES_MAX, TRIES_SPAN,
};
use tacit_service::desk::person::{PersonId, PersonState};
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::{Action, Deed};
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{day, read_day};
use super::{Desk, login, person, trail};

const UNREADABLE: Fault = Fault::Malformed("a request to be identified cannot be read");

impl<E: Engine> IdentificationStore for Desk<E> {
    fn ask_identification(
        &mut self,
        person: PersonId,
        case: CaseId,
        today: Day,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let known = person::of_id(statements, person)?;
            if known.is_none_or(|known| known.state == PersonState::Closed) {
                return Ok(false);
            }
            let sql = "DELETE FROM identification WHERE person = ?1 AND state = 'refused'";
            statements.execute(sql, &[Value::from(&person.bytes())])?;
            put(statements, person, case, "asked", None, today)
        })
    }

    fn case(&mut self, of: PersonId) -> Result<Option<Case>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT person.id, account, name, contact, iban, kyc, person.state, national_number, opened, in_vault,
                              identification.id, identification.state, document, since
                       FROM identification JOIN person ON person.id = identification.person
                       WHERE identification.person = ?1";
            let rows = statements.query(sql, &[Value::from(&of.bytes())])?;
            rows.first().map(case).transpose()
        })
    }

    fn cases(&mut self, skip: u64, max: u32) -> Result<Vec<Case>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT person.id, account, name, contact, iban, kyc, person.state, national_number, opened, in_vault,
                              identification.id, identification.state, document, since
                       FROM identification JOIN person ON person.id = identification.person
                       WHERE identification.state <> 'refused' AND person.state <> 'closed'
                       ORDER BY since, person.id LIMIT ?1 OFFSET ?2";
            let parameters = [i64::from(max).into(), skip.into()];
            statements.query(sql, &parameters)?.iter().map(case).collect()
        })
    }

    fn see_document(&mut self, sighting: &Sighting) -> Result<Seen, StoreError> {
        let Sighting { person, case, number, document, by, now } = *sighting;
        let deed = |action| Deed::about(now, by, action, Owner::Person(person));
        self.change(|statements| {
            let known = person::of_id(statements, person)?;
            let Some(known) = known.filter(|known| known.state != PersonState::Closed) else {
                return Ok(Seen::Unknown);
            };
            if has_tried_enough(statements, by, now)? {
                return Ok(Seen::TooMany);
            }
            if known.national_number.is_some_and(|own| own != number) {
                refuse(statements, &deed(Action::DocumentRefused))?;
                return Ok(Seen::Differs);
            }
            let sql = "SELECT 1 FROM person WHERE national_number = ?1 AND id <> ?2";
            let parameters = [Value::from(&number), Value::from(&person.bytes())];
            if !statements.query(sql, &parameters)?.is_empty() {
                refuse(statements, &deed(Action::DocumentRefused))?;
                return Ok(Seen::Taken);
            }
            let sql = "UPDATE person SET national_number = ?1 WHERE id = ?2";
            statements.execute(sql, &parameters)?;
            forget(statements, person)?;
            put(statements, person, case, "seen", Some(document), now.day())?;
            // A way in that was handed out while nobody was known does not lead to somebody who is.
            login::forget_invitation(statements, Owner::Person(person))?;
            let seen = deed(Action::DocumentSeen);
            trail::write(statements, &Deed { detail: document.name().to_owned(), ..seen })?;
            Ok(Seen::Done)
        })
    }

    fn release_number(&mut self, person: PersonId, deed: &Deed) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "UPDATE person SET national_number = NULL
                       WHERE id = ?1 AND (kyc = 0 OR state = 'closed') AND national_number IS NOT NULL";
            if statements.execute(sql, &[Value::from(&person.bytes())])? == 0 {
                return Ok(false);
            }
            forget(statements, person)?;
            login::forget_invitation(statements, Owner::Person(person))?;
            trail::write(statements, deed)?;
            Ok(true)
        })
    }

    fn refuse_identification(
        &mut self,
        person: PersonId,
        today: Day,
        deed: &Deed,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "UPDATE identification SET state = 'refused', document = NULL, since = ?2
                       WHERE person = ?1 AND state <> 'refused'";
            if statements.execute(sql, &[Value::from(&person.bytes()), day(today)])? == 0 {
                return Ok(false);
            }
            trail::write(statements, deed)?;
            Ok(true)
        })
    }
}

/// Whether somebody made as many codes and tried as many numbers within the hour as they may. Asked in the commit that notes the
/// next one, so that trying them at once is no way around.
pub(super) fn has_tried_enough(
    statements: &mut dyn Statements,
    by: Option<StaffId>,
    now: Timestamp,
) -> Result<bool, Fault> {
    let Some(by) = by else { return Ok(false) };
    let since = Timestamp::from_seconds(now.seconds().saturating_sub(TRIES_SPAN.as_secs()));
    let mut tried = 0;
    for action in [Action::Invited, Action::InvitationDenied, Action::DocumentRefused] {
        tried += trail::count(statements, Some(by), action, since)?;
    }
    Ok(TRIES_MAX <= tried)
}

/// Notes a number that did not fit: whoever tries them to learn who has an account here is found. A provider says the same each
/// time it is asked, and tries nothing.
fn refuse(statements: &mut dyn Statements, deed: &Deed) -> Result<(), Fault> {
    if deed.staff.is_some() { trail::write(statements, deed) } else { Ok(()) }
}

/// Forgets a request, once a level was set.
pub(super) fn forget(statements: &mut dyn Statements, person: PersonId) -> Result<(), Fault> {
    let sql = "DELETE FROM identification WHERE person = ?1";
    statements.execute(sql, &[Value::from(&person.bytes())]).map(drop)
}

/// `false` if there is one.
fn put(
    statements: &mut dyn Statements,
    person: PersonId,
    case: CaseId,
    state: &str,
    document: Option<Document>,
    today: Day,
) -> Result<bool, Fault> {
    let sql = "INSERT INTO identification (person, id, state, document, since)
               VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    let parameters = [
        Value::from(&person.bytes()),
        Value::from(&case.bytes()),
        state.into(),
        document.map(Document::name).into(),
        day(today),
    ];
    Ok(statements.execute(sql, &parameters)? == 1)
}

fn case(row: &Row) -> Result<Case, Fault> {
    let document =
        row.optional(12, |row, column| Document::of_name(row.text(column)?).ok_or(UNREADABLE))?;
    Ok(Case {
        person: person::person(row)?,
        id: CaseId::from_bytes(row.bytes(10)?),
        state: match (row.text(11)?, document) {
            ("asked", None) => CaseState::Asked,
            ("seen", Some(document)) => CaseState::Seen(document),
            ("refused", None) => CaseState::Refused,
            _ => return Err(UNREADABLE),
        },
        since: read_day(row, 13)?,
    })
}
