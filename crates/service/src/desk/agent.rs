//! Agents: shops that take and give cash for the operator, each from a float of its own in the vault.

use tacit_core::time::Day;
use tacit_core::unit::Unit;

use super::cash::Cash;
use super::login::Invitation;
use super::person::{Name, Person, PersonId, SignedUp};
use super::trail::Deed;
use crate::account::AccountId;
use crate::vault::StoreError;

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// The float's number in the vault.
    pub account: AccountId,
    /// What people who come in read above the door.
    pub name: Name,
    /// Who works there, with a passkey of theirs. One person is one agent.
    pub owner: PersonId,
    /// The currency of its till.
    pub unit: Unit,
    /// The day it was taken in.
    pub opened: Day,
    /// Whether it may take and give cash.
    pub state: AgentState,
    /// Whether the vault is known to have the float. Until it is, opening it there is tried again.
    pub is_in_vault: bool,
}

/// Whether an agent may take and give cash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AgentState {
    /// It may.
    Working,
    /// It may not, and still has its float.
    Stopped,
}

/// What became of an agent that was to be taken in. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentTakenIn {
    /// Nobody knows who its owner is, or they have no open account.
    Unidentified,
    /// Its owner is one, or the account's number is taken.
    Taken,
    /// It is in.
    Done,
}

/// Agents shown at once.
pub const AGENTS_MAX: u32 = 100;

/// What the desk keeps of agents.
pub trait AgentStore {
    /// Takes an agent in, if it is known who its owner is: a document was seen, and compliance has set a level by it.
    ///
    /// # Errors
    /// [`StoreError`]
    fn take_in_agent(&mut self, agent: &Agent, deed: &Deed) -> Result<AgentTakenIn, StoreError>;

    /// The agent of a float.
    ///
    /// # Errors
    /// [`StoreError`]
    fn agent(&mut self, account: AccountId) -> Result<Option<Agent>, StoreError>;

    /// What somebody is as an agent.
    ///
    /// # Errors
    /// [`StoreError`]
    fn agent_of(&mut self, owner: PersonId) -> Result<Option<Agent>, StoreError>;

    /// Agents by name, so many left out at the beginning; at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn agents(&mut self, skip: u64, max: u32) -> Result<Vec<Agent>, StoreError>;

    /// Stops an agent, or lets it work again. `false` if there is none, or it is so already: then nothing was done.
    ///
    /// # Errors
    /// [`StoreError`]
    fn set_agent_state(
        &mut self,
        account: AccountId,
        state: AgentState,
        deed: &Deed,
    ) -> Result<bool, StoreError>;

    /// Agents whose float the vault is not known to have, at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn agents_not_in_vault(&mut self, max: u32) -> Result<Vec<Agent>, StoreError>;

    /// The vault has the float. Done twice, it is done once.
    ///
    /// # Errors
    /// [`StoreError`]
    fn set_agent_in_vault(&mut self, account: AccountId) -> Result<(), StoreError>;

    /// Opens an account for somebody who comes to an agent without passkey and document: the person, the link that leads to
    /// a passkey one day, and the card that cash is paid in with, in one commit.
    ///
    /// # Errors
    /// [`StoreError`]
    fn open_at_agent(
        &mut self,
        person: &Person,
        link: &Invitation,
        card: &Cash,
    ) -> Result<SignedUp, StoreError>;
}

impl AgentState {
    /// Both states.
    pub const ALL: [Self; 2] = [Self::Working, Self::Stopped];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Stopped => "stopped",
        }
    }

    /// The state of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}
