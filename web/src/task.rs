//! What a person does, from the first look to the last: over [`crate::session`], with nothing of a screen.

pub(crate) mod credit;
pub(crate) mod money;
pub(crate) mod tour;

use tacit_wallet::operation::keysets::Keysets;
use tacit_wallet::operation::pay::Deliver;
use tacit_wallet::operation::settle::Settle;
use tacit_wallet::seed::Words;
use zeroize::Zeroizing;

use crate::book::{Book, Operator};
use crate::clock;
use crate::keep::{self, Keep, Opener};
use crate::net;
use crate::session::Session;
use crate::trouble::Trouble;

/// Whose wallet this is, as its server says; as it was said last if it does not answer.
pub(crate) async fn operator() -> Result<Operator, Trouble> {
    if let Some(bytes) = net::own("./operator.json").await {
        let operator = serde_json::from_slice(&bytes).map_err(|_| Trouble::NoAnswer)?;
        keep::note("operator", &String::from_utf8_lossy(&bytes)).await;
        return Ok(operator);
    }
    let noted = keep::noted("operator").await;
    noted.and_then(|text| serde_json::from_str(&text).ok()).ok_or(Trouble::NoAnswer)
}

/// Twelve fresh words.
pub(crate) fn words() -> Result<Words, Trouble> {
    Ok(Words::from_entropy(&Zeroizing::new(keep::random::<16>()?)))
}

/// Makes the wallet.
pub(crate) async fn create(
    words: &Words,
    operator: Operator,
    opener: &Opener,
    is_checked: bool,
) -> Result<Keep, Trouble> {
    let words_checked = is_checked.then(clock::now);
    Keep::create(words, Book { operator, words_checked, ..Book::default() }, opener).await
}

/// What comes first whenever the wallet is opened: the operator is held against the one known, keysets are learned, and what is open is
/// taken up. What fails is tried again next time; a change of keys or of the operator is told.
pub(crate) async fn refresh(session: &Session) -> Result<(), Trouble> {
    let pinned = session.peek(|_, book| book.operator.clone());
    match operator().await {
        Ok(told) => {
            let next = pinned.updated(&told).ok_or(Trouble::OtherOperator)?;
            clock::set_ahead(next.days_ahead);
            if next != pinned {
                session.note(|book| book.operator = next).await?;
            }
        }
        Err(Trouble::NoAnswer) => return Err(Trouble::NoAnswer),
        Err(other) => return Err(other),
    }
    learn(session).await?;
    settle(session).await;
    money::collect(session).await;
    Ok(())
}

/// Learns the keysets of every mint of the operator, and refuses one that has changed them.
pub(crate) async fn learn(session: &Session) -> Result<(), Trouble> {
    let mints = session.peek(|_, book| book.operator.mint.clone());
    for mint in mints {
        let mut keysets = Keysets::new(mint);
        session.run(|wallet, answer| keysets.step(wallet, answer)).await?;
    }
    Ok(())
}

/// Takes up what has no answer yet, and sends payments again that are not known to have arrived.
pub(crate) async fn settle(session: &Session) {
    let open: Vec<_> = session.peek(|state, _| {
        let open = state.operations().iter().filter(|(_, it)| it.exchange.is_some());
        open.map(|(id, _)| *id).collect()
    });
    for id in open {
        let mut settle = Settle::new(id);
        // What it says is in the history; without an answer it stays open.
        _ = session.run(|wallet, answer| settle.step(wallet, answer)).await;
    }
    let waiting: Vec<_> = session.peek(|state, _| {
        let is_waiting = |token: &&tacit_wallet::state::SentToken| {
            token.delivery.as_ref().is_some_and(|to| !to.is_done)
        };
        state.tokens().iter().filter(|(_, token)| is_waiting(token)).map(|(id, _)| *id).collect()
    });
    for id in waiting {
        let mut again = Deliver::new(id);
        _ = session.run(|wallet, answer| again.step(wallet, answer)).await;
    }
}
