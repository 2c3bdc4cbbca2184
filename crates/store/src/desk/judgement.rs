//! The SQL of judgements, and of decisions on their way to the vault.

use tacit_core::time::Timestamp;
use tacit_service::account::AccountId;
use tacit_service::desk::Owner;
use tacit_service::desk::judgement::{CarriedOut, Decision, DecisionId, Judgement, JudgementStore};
use tacit_service::desk::payout::Payout;
use tacit_service::desk::person::{PersonId, PersonState};
use tacit_service::desk::trail::{Action, Deed};
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Statements, Value};
use super::row::account as account_value;
use super::{Desk, identification, login, payout, person, trail};

impl<E: Engine> JudgementStore for Desk<E> {
    fn judge(
        &mut self,
        id: PersonId,
        judgement: Judgement,
        decision: DecisionId,
        deed: &Deed,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            if !apply(statements, id, judgement)? {
                return Ok(false);
            }
            let is_closing = match judgement {
                Judgement::Close => true,
                Judgement::Freeze | Judgement::Thaw => false,
                // Another level changes nothing about an account that is being closed.
                Judgement::Level(_) => {
                    of_person(statements, id)?.is_some_and(|decision| decision.is_closing)
                }
            };
            let sql = "INSERT INTO decision (person, id, closing) VALUES (?1, ?2, ?3)
                       ON CONFLICT (person) DO UPDATE SET id = ?2, closing = ?3";
            let parameters =
                [Value::from(&id.bytes()), Value::from(&decision.bytes()), is_closing.into()];
            statements.execute(sql, &parameters)?;
            trail::write(statements, deed)?;
            Ok(true)
        })
    }

    fn undecided(&mut self, max: u32) -> Result<Vec<PersonId>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT person FROM decision ORDER BY person LIMIT ?1";
            let rows = statements.query(sql, &[i64::from(max).into()])?;
            rows.iter().map(|row| row.bytes(0).map(PersonId::from_bytes)).collect()
        })
    }

    fn decision(&mut self, of: PersonId) -> Result<Option<Decision>, StoreError> {
        self.change(|statements| of_person(statements, of))
    }

    fn carry_out(
        &mut self,
        decision: &Decision,
        is_closed: bool,
        now: Timestamp,
    ) -> Result<CarriedOut, StoreError> {
        let owner = Owner::Person(decision.person.id);
        self.change(|statements| {
            let own = Value::from(&decision.person.id.bytes());
            let sql = "DELETE FROM decision WHERE person = ?1 AND id = ?2";
            let parameters = [own.clone(), Value::from(&decision.id.bytes())];
            if statements.execute(sql, &parameters)? == 0 {
                return Ok(CarriedOut::Overtaken);
            }
            if is_closed {
                let sql = "UPDATE person SET state = 'closed' WHERE id = ?1 AND state <> 'closed'";
                if statements.execute(sql, &[own])? == 1 {
                    login::shut_out(statements, owner)?;
                    trail::write(statements, &Deed::about(now, None, Action::PersonClosed, owner))?;
                }
                return Ok(CarriedOut::Closed);
            }
            if decision.is_closing {
                trail::write(statements, &Deed::about(now, None, Action::PersonNotClosed, owner))?;
                return Ok(CarriedOut::NotEmpty);
            }
            Ok(CarriedOut::Done)
        })
    }

    fn payouts_of(&mut self, account: AccountId) -> Result<Vec<Payout>, StoreError> {
        self.change(|statements| {
            let sql = payout::payouts!(
                "account = ?1 AND state NOT IN ('refused', 'rejected') ORDER BY id"
            );
            let rows = statements.query(sql, &[account_value(account)])?;
            rows.iter().map(payout::payout).collect()
        })
    }
}

/// What a judgement changes at the desk itself; `false` if it changes nothing.
fn apply(
    statements: &mut dyn Statements,
    id: PersonId,
    judgement: Judgement,
) -> Result<bool, Fault> {
    let own = Value::from(&id.bytes());
    let changed = match judgement {
        Judgement::Freeze => {
            let sql = "UPDATE person SET state = ?2 WHERE id = ?1 AND state = 'open'";
            statements.execute(sql, &[own, PersonState::Frozen.name().into()])?
        }
        Judgement::Thaw => {
            let sql = "UPDATE person SET state = ?2 WHERE id = ?1 AND state <> 'closed'";
            statements.execute(sql, &[own, PersonState::Open.name().into()])?
        }
        Judgement::Close => {
            let is_closing = of_person(statements, id)?.is_some_and(|known| known.is_closing);
            let sql = "SELECT 1 FROM person WHERE id = ?1 AND state <> 'closed'";
            u64::from(!is_closing && !statements.query(sql, &[own])?.is_empty())
        }
        Judgement::Level(level) => {
            // Nobody is better known than by a document that was seen.
            let sql = "UPDATE person SET kyc = ?2 WHERE id = ?1 AND kyc <> ?2 AND state <> 'closed'
                         AND (kyc > ?2 OR national_number IS NOT NULL)";
            let changed = statements.execute(sql, &[own, i64::from(level.number()).into()])?;
            if changed == 1 {
                identification::forget(statements, id)?;
            }
            changed
        }
    };
    Ok(changed == 1)
}

fn of_person(statements: &mut dyn Statements, id: PersonId) -> Result<Option<Decision>, Fault> {
    let sql = "SELECT person.id, account, name, contact, iban, kyc, state, national_number, opened, in_vault,
                      decision.id, closing
               FROM decision JOIN person ON person.id = decision.person WHERE decision.person = ?1";
    let rows = statements.query(sql, &[Value::from(&id.bytes())])?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Decision {
        person: person::person(row)?,
        id: DecisionId::from_bytes(row.bytes(10)?),
        is_closing: row.boolean(11)?,
    }))
}
