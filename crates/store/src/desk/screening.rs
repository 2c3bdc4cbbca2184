//! The SQL of screening: lists, who is to be screened, hits.

use tacit_service::desk::person::{Name, Person, PersonId};
use tacit_service::desk::screening::list::Listed;
use tacit_service::desk::screening::matching::Likeness;
use tacit_service::desk::screening::{
    Due, Hit, HitEnd, HitId, ImportId, ImportedList, ScreeningStore,
};
use tacit_service::desk::trail::Deed;
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{day, read_day};
use super::{Desk, person, trail};

const UNREADABLE: Fault = Fault::Malformed("a row of screening cannot be read");

impl<E: Engine> ScreeningStore for Desk<E> {
    fn add_listed(
        &mut self,
        import: ImportId,
        from: u64,
        names: &[Listed],
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let own = Value::from(&import.bytes());
            if names_of(statements, &own)? != from {
                return Ok(false);
            }
            for (number, listed) in (from..).zip(names) {
                let sql =
                    "INSERT INTO listed_name (import, number, entry, name) VALUES (?1, ?2, ?3, ?4)";
                let parameters = [
                    own.clone(),
                    number.into(),
                    listed.entry.as_str().into(),
                    listed.name.as_str().into(),
                ];
                statements.execute(sql, &parameters)?;
            }
            Ok(true)
        })
    }

    fn put_list(&mut self, list: &ImportedList, deed: &Deed) -> Result<bool, StoreError> {
        self.change(|statements| {
            let own = Value::from(&list.import.bytes());
            if list.names == 0 || names_of(statements, &own)? != list.names {
                return Ok(false);
            }
            let sql =
                "INSERT INTO screening_list (name, import, names, imported) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (name) DO UPDATE SET import = ?2, names = ?3, imported = ?4";
            let name = Value::from(list.name.as_str());
            let parameters = [name.clone(), own.clone(), list.names.into(), day(list.imported)];
            statements.execute(sql, &parameters)?;
            // The list before, and what imports left that came to no end.
            let sql =
                "DELETE FROM listed_name WHERE import NOT IN (SELECT import FROM screening_list)";
            statements.execute(sql, &[])?;
            let sql =
                "DELETE FROM screening_hit WHERE list = ?1 AND state = 'cleared' AND NOT EXISTS (
                           SELECT 1 FROM listed_name
                           WHERE listed_name.import = ?2 AND listed_name.entry = screening_hit.entry
                             AND listed_name.name = screening_hit.name)";
            statements.execute(sql, &[name, own.clone()])?;
            let sql = "DELETE FROM screening_due";
            statements.execute(sql, &[])?;
            let sql = "INSERT INTO screening_due (person, occasion)
                       SELECT id, ?1 FROM person WHERE state <> 'closed'";
            statements.execute(sql, &[own])?;
            trail::write(statements, deed)?;
            Ok(true)
        })
    }

    fn lists(&mut self) -> Result<Vec<ImportedList>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT name, import, names, imported FROM screening_list ORDER BY name";
            statements.query(sql, &[])?.iter().map(list).collect()
        })
    }

    fn listed(&mut self, import: ImportId, from: u64, max: u32) -> Result<Vec<Listed>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT entry, name FROM listed_name WHERE import = ?1 AND number >= ?2
                       ORDER BY number LIMIT ?3";
            let parameters = [Value::from(&import.bytes()), from.into(), i64::from(max).into()];
            let rows = statements.query(sql, &parameters)?;
            let listed = |row: &Row| {
                Ok(Listed { entry: row.text(0)?.to_owned(), name: row.text(1)?.to_owned() })
            };
            rows.iter().map(listed).collect()
        })
    }

    fn due(&mut self, max: u32) -> Result<Vec<Due>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT person, name, occasion FROM screening_due
                       JOIN person ON person.id = screening_due.person ORDER BY person LIMIT ?1";
            statements.query(sql, &[i64::from(max).into()])?.iter().map(due).collect()
        })
    }

    fn screened(&mut self, due: &Due, hits: &[Hit]) -> Result<(), StoreError> {
        self.change(|statements| {
            let person = Value::from(&due.person.bytes());
            for hit in hits {
                let sql =
                    "INSERT INTO screening_hit (id, person, list, entry, name, likeness, found, state)
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'open') ON CONFLICT DO NOTHING";
                let parameters = [
                    Value::from(&hit.id.bytes()),
                    person.clone(),
                    hit.list.as_str().into(),
                    hit.entry.as_str().into(),
                    hit.name.as_str().into(),
                    i64::from(hit.likeness.thousandths()).into(),
                    day(hit.found),
                ];
                statements.execute(sql, &parameters)?;
            }
            let sql = "DELETE FROM screening_due WHERE person = ?1 AND occasion = ?2";
            statements.execute(sql, &[person, Value::from(&due.occasion)]).map(drop)
        })
    }

    fn open_hits(&mut self, skip: u64, max: u32) -> Result<Vec<(Hit, Person)>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT person.id, account, person.name, contact, iban, kyc, person.state, national_number, opened,
                              in_vault, hit.id, list, entry, hit.name, likeness, found
                       FROM screening_hit hit JOIN person ON person.id = hit.person
                       WHERE hit.state = 'open' AND person.state <> 'closed'
                       ORDER BY likeness DESC, hit.id LIMIT ?1 OFFSET ?2";
            let parameters = [i64::from(max).into(), skip.into()];
            statements.query(sql, &parameters)?.iter().map(hit).collect()
        })
    }

    fn open_hit(&mut self, id: HitId) -> Result<Option<(Hit, Person)>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT person.id, account, person.name, contact, iban, kyc, person.state, national_number, opened,
                              in_vault, hit.id, list, entry, hit.name, likeness, found
                       FROM screening_hit hit JOIN person ON person.id = hit.person
                       WHERE hit.state = 'open' AND hit.id = ?1";
            let rows = statements.query(sql, &[Value::from(&id.bytes())])?;
            rows.first().map(hit).transpose()
        })
    }

    fn end_hit(&mut self, id: HitId, end: HitEnd, deed: &Deed) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "UPDATE screening_hit SET state = ?2 WHERE id = ?1 AND state = 'open'";
            if statements.execute(sql, &[Value::from(&id.bytes()), end.name().into()])? == 0 {
                return Ok(false);
            }
            trail::write(statements, deed)?;
            Ok(true)
        })
    }
}

/// Somebody has come: they are screened in the next round.
pub(super) fn expect(statements: &mut dyn Statements, person: PersonId) -> Result<(), Fault> {
    let own = Value::from(&person.bytes());
    let sql = "INSERT INTO screening_due (person, occasion) VALUES (?1, ?1) ON CONFLICT DO NOTHING";
    statements.execute(sql, &[own]).map(drop)
}

fn names_of(statements: &mut dyn Statements, import: &Value) -> Result<u64, Fault> {
    let sql = "SELECT count(*) FROM listed_name WHERE import = ?1";
    let rows = statements.query(sql, std::slice::from_ref(import))?;
    rows.first().map_or(Ok(0), |row| row.count(0))
}

fn list(row: &Row) -> Result<ImportedList, Fault> {
    Ok(ImportedList {
        name: row.text(0)?.to_owned(),
        import: ImportId::from_bytes(row.bytes(1)?),
        names: row.count(2)?,
        imported: read_day(row, 3)?,
    })
}

fn due(row: &Row) -> Result<Due, Fault> {
    Ok(Due {
        person: PersonId::from_bytes(row.bytes(0)?),
        name: Name::new(row.text(1)?).map_err(|_| UNREADABLE)?,
        occasion: row.bytes(2)?,
    })
}

fn hit(row: &Row) -> Result<(Hit, Person), Fault> {
    let likeness = u16::try_from(row.integer(14)?).ok().and_then(Likeness::new);
    let hit = Hit {
        id: HitId::from_bytes(row.bytes(10)?),
        list: row.text(11)?.to_owned(),
        entry: row.text(12)?.to_owned(),
        name: row.text(13)?.to_owned(),
        likeness: likeness.ok_or(UNREADABLE)?,
        found: read_day(row, 15)?,
    };
    Ok((hit, person::person(row)?))
}
