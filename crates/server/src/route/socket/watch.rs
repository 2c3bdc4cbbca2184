//! What a subscription is about, how that stands, and whether an event is news.

use std::sync::Arc;

use tacit_ecash::message::socket::{Payload, RequestError, Target};
use tacit_ecash::point::Y;
use tacit_service::mint::Mint;
use tacit_service::quote::{MeltQuote, MeltQuoteState, Method, MintQuote, MintQuoteState};
use tacit_service::vault::{ProofState, StoreError, VaultReader};

use crate::error::ApiError;
use crate::hub::{Event, Topic};
use crate::route::{check, melt, mint, payment_method};
use crate::state::UnitMint;

/// What a wallet wants to hear of.
pub(super) struct Wish {
    /// Things that may exist; what cannot was left out.
    pub(super) topics: Vec<Topic>,
    /// Method of the quotes; `None` for proofs.
    pub(super) method: Option<Method>,
}

impl Wish {
    /// Reads a subscription's target.
    pub(super) fn of(target: Target, units: &[UnitMint]) -> Result<Self, RequestError> {
        let method_of = |name: &str| {
            let method = units.iter().find_map(|unit| payment_method(unit, name).ok());
            method.ok_or(RequestError::UnknownKind)
        };
        let parsed = |quotes: Vec<String>, topic: fn(_) -> Topic| {
            quotes.iter().filter_map(|quote| quote.parse().ok()).map(topic).collect()
        };
        let (mut topics, method): (Vec<Topic>, _) = match target {
            Target::Proofs(points) => {
                (points.iter().filter_map(Y::from_point).map(Topic::Proof).collect(), None)
            }
            Target::MintQuotes { method, quotes } => {
                (parsed(quotes, Topic::MintQuote), Some(method_of(&method)?))
            }
            Target::MeltQuotes { method, quotes } => {
                (parsed(quotes, Topic::MeltQuote), Some(method_of(&method)?))
            }
        };
        let mut seen = std::collections::HashSet::new();
        topics.retain(|topic| seen.insert(*topic));
        Ok(Self { topics, method })
    }
}

/// How something stands.
#[derive(Clone)]
pub(super) enum Known {
    Proof(Y, ProofState),
    MintQuote(MintQuote),
    MeltQuote(Arc<MeltQuote>),
}

impl Known {
    pub(super) fn topic(&self) -> Topic {
        match self {
            Self::Proof(y, _) => Topic::Proof(*y),
            Self::MintQuote(quote) => Topic::MintQuote(quote.id),
            Self::MeltQuote(quote) => Topic::MeltQuote(quote.id),
        }
    }

    /// Whether it is of one of these units and of this method. Proofs of all units have one set of names.
    pub(super) fn is_of(&self, units: &[UnitMint], method: Option<Method>) -> bool {
        let is_of = |unit: &UnitMint, method| match self {
            Self::Proof(..) => true,
            Self::MintQuote(quote) => mint::is_of(quote, unit, method),
            Self::MeltQuote(quote) => melt::is_of(quote, unit, method),
        };
        match method {
            Some(method) => units.iter().any(|unit| is_of(unit, method)),
            None => matches!(self, Self::Proof(..)),
        }
    }

    /// What an event makes of it.
    pub(super) fn after(&self, event: &Event) -> Option<Self> {
        match (self, event) {
            (Self::Proof(y, _), Event::Proof(_, state)) => Some(Self::Proof(*y, *state)),
            (Self::MintQuote(quote), Event::MintQuote(_, state)) => {
                Some(Self::MintQuote(MintQuote { state: *state, ..quote.clone() }))
            }
            (Self::MeltQuote(_), Event::MeltQuote(quote)) => Some(Self::MeltQuote(quote.clone())),
            (Self::Proof(..) | Self::MintQuote(_) | Self::MeltQuote(_), _) => None,
        }
    }

    /// Whether it is news to a wallet that was told `last`: neither the same nor certain to be older.
    pub(super) fn is_news_after(&self, last: &Self) -> bool {
        match (last, self) {
            (Self::Proof(_, last), Self::Proof(_, next)) => {
                !matches!(last, ProofState::Spent(_)) && last != next
            }
            (Self::MintQuote(last), Self::MintQuote(next)) => mint_stage(next) > mint_stage(last),
            (Self::MeltQuote(last), Self::MeltQuote(next)) => melt_stage(next) > melt_stage(last),
            (Self::Proof(..) | Self::MintQuote(_) | Self::MeltQuote(_), _) => false,
        }
    }

    /// Whether nothing will follow.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Proof(_, state) => matches!(state, ProofState::Spent(_)),
            Self::MintQuote(quote) => matches!(quote.state, MintQuoteState::Issued { .. }),
            Self::MeltQuote(quote) => matches!(quote.state, MeltQuoteState::Paid { .. }),
        }
    }

    /// As a wallet is told it. Signs the change of a paid melt: for the pool.
    pub(super) fn payload(&self, keys: &Mint) -> Result<Payload, ApiError> {
        Ok(match self {
            Self::Proof(y, state) => Payload::Proof(check::proof_state(y.to_point(), *state)),
            Self::MintQuote(quote) => Payload::Mint(mint::respond(quote)),
            Self::MeltQuote(quote) => Payload::Melt(melt::tell(quote, keys)?),
        })
    }
}

fn mint_stage(quote: &MintQuote) -> u8 {
    match quote.state {
        MintQuoteState::Unpaid => 0,
        MintQuoteState::Paid => 1,
        MintQuoteState::Issued { .. } => 2,
    }
}

/// Grows with each step of a melt quote: an attempt begins, then fails or succeeds.
fn melt_stage(quote: &MeltQuote) -> (u32, u8) {
    let stage = match quote.state {
        MeltQuoteState::Pending(_) => 0,
        MeltQuoteState::Unpaid => 1,
        MeltQuoteState::Paid { .. } => 2,
    };
    (quote.attempt, stage)
}

/// How topics stand in the vault, in order; what it does not know is left out.
pub(super) fn current(
    reader: &mut dyn VaultReader,
    topics: &[Topic],
) -> Result<Vec<Known>, StoreError> {
    let mut found = Vec::with_capacity(topics.len());
    let mut proofs = Vec::new();
    for topic in topics {
        match topic {
            Topic::Proof(y) => proofs.push(*y),
            Topic::MintQuote(id) => found.extend(reader.mint_quote(*id)?.map(Known::MintQuote)),
            Topic::MeltQuote(id) => {
                let quote = reader.melt_quote(*id)?;
                found.extend(quote.map(|quote| Known::MeltQuote(Arc::new(quote))));
            }
        }
    }
    let states = reader.proof_states(&proofs)?;
    found.extend(proofs.into_iter().zip(states).map(|(y, state)| Known::Proof(y, state)));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_final_state_nothing_is_news() {
        let y = Y::from_x([1; 32]);
        let known = |state| Known::Proof(y, state);
        let (unspent, pending) = (known(ProofState::Unspent), known(ProofState::Pending));
        let spent = known(ProofState::Spent(None));
        assert!(pending.is_news_after(&unspent) && unspent.is_news_after(&pending));
        assert!(spent.is_news_after(&pending) && !spent.is_news_after(&spent));
        assert!(!pending.is_news_after(&spent) && !unspent.is_news_after(&spent));
    }
}
