//! People's SQL.

use tacit_service::account::AccountId;
use tacit_service::desk::person::{
    Contact, FOUND_MAX, Found, Iban, KycLevel, Name, Person, PersonId, PersonState, PersonStore,
    SignUp, SignedUp,
};
use tacit_service::desk::trail::Deed;
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{day, read_day};
use super::{Desk, login, screening, trail};

const UNREADABLE: Fault = Fault::Malformed("a person's row cannot be read");

impl<E: Engine> PersonStore for Desk<E> {
    fn sign_up(&mut self, sign_up: &SignUp) -> Result<SignedUp, StoreError> {
        self.change(|statements| {
            let is_known = login::is_known(statements, &sign_up.passkey.credential)?;
            if is_known || !insert(statements, &sign_up.person)? {
                return Ok(SignedUp::Taken);
            }
            login::insert_passkey(statements, &sign_up.passkey)?;
            login::insert_session(statements, &sign_up.session)?;
            Ok(SignedUp::Done)
        })
    }

    fn take_in(&mut self, person: &Person, deed: &Deed) -> Result<SignedUp, StoreError> {
        self.change(|statements| {
            if !insert(statements, person)? {
                return Ok(SignedUp::Taken);
            }
            trail::write(statements, deed)?;
            Ok(SignedUp::Done)
        })
    }

    fn person(&mut self, id: PersonId) -> Result<Option<Person>, StoreError> {
        self.change(|statements| of_id(statements, id))
    }

    fn person_of_account(&mut self, account: AccountId) -> Result<Option<Person>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, account, name, contact, iban, kyc, state, national_number, opened, in_vault
                       FROM person WHERE account = ?1";
            let rows = statements.query(sql, &[account.to_string().as_str().into()])?;
            rows.first().map(person).transpose()
        })
    }

    fn find_people(&mut self, name_begins: &str) -> Result<Found, StoreError> {
        let from = name_key(name_begins.trim());
        self.change(|statements| {
            // A range instead of LIKE, which the two databases read differently: what begins so lies between it and it
            // followed by a byte that no text has.
            let sql = "SELECT id, account, name, contact, iban, kyc, state, national_number, opened, in_vault
                       FROM person WHERE name_key >= ?1 AND name_key <= ?2 ORDER BY name_key, id LIMIT ?3";
            let to = [from.as_slice(), &[0xff]].concat();
            let limit = i64::try_from(FOUND_MAX + 1).expect("few");
            let rows = statements.query(sql, &[from.as_slice().into(), to.as_slice().into(), limit.into()])?;
            let is_cut = FOUND_MAX < rows.len();
            let people: Result<_, Fault> = rows.iter().take(FOUND_MAX).map(person).collect();
            Ok(Found { people: people?, is_cut })
        })
    }

    fn set_person_details(
        &mut self,
        id: PersonId,
        contact: Option<&Contact>,
        iban: Option<&Iban>,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql =
                "UPDATE person SET contact = ?2, iban = ?3 WHERE id = ?1 AND state <> 'closed'";
            let parameters = [
                Value::from(&id.bytes()),
                contact.map(Contact::as_str).into(),
                iban.map(Iban::as_str).into(),
            ];
            Ok(statements.execute(sql, &parameters)? == 1)
        })
    }

    fn not_in_vault(&mut self, max: u32) -> Result<Vec<Person>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, account, name, contact, iban, kyc, state, national_number, opened, in_vault
                       FROM person WHERE in_vault = 0 ORDER BY id LIMIT ?1";
            let rows = statements.query(sql, &[i64::from(max).into()])?;
            rows.iter().map(person).collect()
        })
    }

    fn set_in_vault(&mut self, id: PersonId) -> Result<(), StoreError> {
        self.change(|statements| {
            let sql = "UPDATE person SET in_vault = 1 WHERE id = ?1";
            statements.execute(sql, &[Value::from(&id.bytes())]).map(drop)
        })
    }
}

/// Who this is.
pub(super) fn of_id(
    statements: &mut dyn Statements,
    id: PersonId,
) -> Result<Option<Person>, Fault> {
    let sql =
        "SELECT id, account, name, contact, iban, kyc, state, national_number, opened, in_vault
               FROM person WHERE id = ?1";
    let rows = statements.query(sql, &[Value::from(&id.bytes())])?;
    rows.first().map(person).transpose()
}

/// Whoever is put in is to be screened. `false` if somebody has the identifier, the account or the national number already.
pub(super) fn insert(statements: &mut dyn Statements, person: &Person) -> Result<bool, Fault> {
    let sql = "INSERT INTO person
                   (id, account, name, name_key, contact, iban, kyc, state, national_number, opened, in_vault)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING";
    let parameters = [
        Value::from(&person.id.bytes()),
        person.account.to_string().as_str().into(),
        person.name.as_str().into(),
        name_key(person.name.as_str()).as_slice().into(),
        person.contact.as_ref().map(Contact::as_str).into(),
        person.iban.as_ref().map(Iban::as_str).into(),
        i64::from(person.kyc.number()).into(),
        person.state.name().into(),
        person.national_number.as_ref().into(),
        day(person.opened),
        person.is_in_vault.into(),
    ];
    if statements.execute(sql, &parameters)? == 0 {
        return Ok(false);
    }
    screening::expect(statements, person.id)?;
    Ok(true)
}

/// A name as it is looked for.
fn name_key(name: &str) -> Vec<u8> {
    name.to_lowercase().into_bytes()
}

/// A person, from the columns in the order in which all statements here name them.
pub(super) fn person(row: &Row) -> Result<Person, Fault> {
    let kyc = u8::try_from(row.integer(5)?).ok().and_then(KycLevel::of_number);
    Ok(Person {
        id: PersonId::from_bytes(row.bytes(0)?),
        account: row.text(1)?.parse().map_err(|_| UNREADABLE)?,
        name: Name::new(row.text(2)?).map_err(|_| UNREADABLE)?,
        contact: row
            .optional(3, |row, column| Contact::new(row.text(column)?).map_err(|_| UNREADABLE))?,
        iban: row
            .optional(4, |row, column| Iban::new(row.text(column)?).map_err(|_| UNREADABLE))?,
        kyc: kyc.ok_or(UNREADABLE)?,
        state: PersonState::of_name(row.text(6)?).ok_or(UNREADABLE)?,
        national_number: row.optional(7, Row::bytes)?,
        opened: read_day(row, 8)?,
        is_in_vault: row.boolean(9)?,
    })
}
