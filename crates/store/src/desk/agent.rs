//! Agents' SQL.

use tacit_core::unit::Unit;
use tacit_service::account::AccountId;
use tacit_service::desk::agent::{Agent, AgentState, AgentStore, AgentTakenIn};
use tacit_service::desk::cash::Cash;
use tacit_service::desk::login::Invitation;
use tacit_service::desk::person::{KycLevel, Name, Person, PersonId, PersonState, SignedUp};
use tacit_service::desk::trail::Deed;
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Value};
use super::row::{account, day, read_account, read_day};
use super::{Desk, cash, login, person, trail};

const UNREADABLE: Fault = Fault::Malformed("a row of an agent cannot be read");

impl<E: Engine> AgentStore for Desk<E> {
    fn take_in_agent(&mut self, agent: &Agent, deed: &Deed) -> Result<AgentTakenIn, StoreError> {
        self.change(|statements| {
            let owner = person::of_id(statements, agent.owner)?;
            let is_known = owner.is_some_and(|owner| {
                owner.state == PersonState::Open && KycLevel::Identified <= owner.kyc
            });
            if !is_known {
                return Ok(AgentTakenIn::Unidentified);
            }
            let sql = "INSERT INTO agent (account, name, owner, unit, opened, state, in_vault)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
            let parameters = [
                account(agent.account),
                agent.name.as_str().into(),
                Value::from(&agent.owner.bytes()),
                agent.unit.code().into(),
                day(agent.opened),
                agent.state.name().into(),
                agent.is_in_vault.into(),
            ];
            if statements.execute(sql, &parameters)? == 0 {
                return Ok(AgentTakenIn::Taken);
            }
            trail::write(statements, deed)?;
            Ok(AgentTakenIn::Done)
        })
    }

    fn agent(&mut self, id: AccountId) -> Result<Option<Agent>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT account, name, owner, unit, opened, state, in_vault FROM agent
                       WHERE account = ?1";
            statements.query(sql, &[account(id)])?.first().map(read).transpose()
        })
    }

    fn agent_of(&mut self, owner: PersonId) -> Result<Option<Agent>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT account, name, owner, unit, opened, state, in_vault FROM agent
                       WHERE owner = ?1";
            statements.query(sql, &[Value::from(&owner.bytes())])?.first().map(read).transpose()
        })
    }

    fn agents(&mut self, skip: u64, max: u32) -> Result<Vec<Agent>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT account, name, owner, unit, opened, state, in_vault FROM agent
                       ORDER BY name, account LIMIT ?1 OFFSET ?2";
            let parameters = [i64::from(max).into(), skip.into()];
            statements.query(sql, &parameters)?.iter().map(read).collect()
        })
    }

    fn set_agent_state(
        &mut self,
        id: AccountId,
        state: AgentState,
        deed: &Deed,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "UPDATE agent SET state = ?2 WHERE account = ?1 AND state <> ?2";
            let is_done = statements.execute(sql, &[account(id), state.name().into()])? == 1;
            if is_done {
                trail::write(statements, deed)?;
            }
            Ok(is_done)
        })
    }

    fn agents_not_in_vault(&mut self, max: u32) -> Result<Vec<Agent>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT account, name, owner, unit, opened, state, in_vault FROM agent
                       WHERE in_vault = 0 ORDER BY account LIMIT ?1";
            statements.query(sql, &[i64::from(max).into()])?.iter().map(read).collect()
        })
    }

    fn set_agent_in_vault(&mut self, id: AccountId) -> Result<(), StoreError> {
        self.change(|statements| {
            let sql = "UPDATE agent SET in_vault = 1 WHERE account = ?1";
            statements.execute(sql, &[account(id)]).map(drop)
        })
    }

    fn open_at_agent(
        &mut self,
        newcomer: &Person,
        link: &Invitation,
        card: &Cash,
    ) -> Result<SignedUp, StoreError> {
        self.change(|statements| {
            if !person::insert(statements, newcomer)? {
                return Ok(SignedUp::Taken);
            }
            login::insert_invitation(statements, link)?;
            cash::insert(statements, card)?;
            Ok(SignedUp::Done)
        })
    }
}

fn read(row: &Row) -> Result<Agent, Fault> {
    Ok(Agent {
        account: read_account(row, 0)?,
        name: Name::new(row.text(1)?).map_err(|_| UNREADABLE)?,
        owner: PersonId::from_bytes(row.bytes(2)?),
        unit: Unit::new(row.text(3)?).map_err(|_| UNREADABLE)?,
        opened: read_day(row, 4)?,
        state: AgentState::of_name(row.text(5)?).ok_or(UNREADABLE)?,
        is_in_vault: row.boolean(6)?,
    })
}
