//! Who wants to hear of what: subscriptions (NUT-17), and melts that wait for their payment.
//!
//! The writer tells of each change after its commit and before the answer leaves. Listeners that do not keep
//! up are cut off: a wallet that connects again is first told how things stand.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tacit_ecash::point::Y;
use tacit_service::posting::Posted;
use tacit_service::quote::{MeltQuote, MeltQuoteState, MintQuoteState, QuoteId};
use tacit_service::vault::{Change, Outcome, ProofState, SpentProof, StoreError, VaultReader};
use tokio::sync::mpsc;

/// Something that can be listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Topic {
    Proof(Y),
    MintQuote(QuoteId),
    MeltQuote(QuoteId),
}

/// Something that changed.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A proof is now in this state.
    Proof(Y, ProofState),
    /// A mint quote is now in this state.
    MintQuote(QuoteId, MintQuoteState),
    /// A melt quote is now this.
    MeltQuote(Arc<MeltQuote>),
    /// Proofs changed that a payment held since before a restart; only the vault knows which.
    SomeProofs,
}

/// How many events may wait for one listener.
const BACKLOG: usize = 4096;

/// The register of listeners.
#[derive(Default)]
pub(crate) struct Hub {
    /// How many topics are listened to, so that the writer need not take the lock when none is.
    watched: AtomicUsize,
    register: Mutex<Register>,
}

#[derive(Default)]
struct Register {
    next: u64,
    /// By topic, the numbers of those who listen.
    topics: HashMap<Topic, Vec<u64>>,
    listeners: HashMap<u64, mpsc::Sender<Event>>,
    /// Proofs held by payments that started since this process did.
    held: HashMap<QuoteId, Vec<SpentProof>>,
}

/// More topics are listened to than the server carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

impl Hub {
    /// Topics listened to at once, over all listeners: about 100 bytes each.
    const TOPICS: usize = 500_000;

    /// How many topics are listened to.
    pub(crate) fn watched(&self) -> usize {
        self.watched.load(Ordering::Relaxed)
    }

    /// A new listener, to nothing yet.
    pub(crate) fn listen(self: &Arc<Self>) -> Listener {
        let (sender, events) = mpsc::channel(BACKLOG);
        let mut register = self.register();
        let number = register.next;
        register.next += 1;
        register.listeners.insert(number, sender);
        Listener { hub: Arc::clone(self), number, topics: HashSet::new(), events }
    }

    /// Tells listeners of a change that is durable.
    pub(crate) fn observe(&self, change: &Change, outcome: &Outcome) {
        match (change, outcome) {
            (Change::Swap(swap), Outcome::Swap(Ok(()))) if self.watched() > 0 => {
                self.register().tell_spent(swap.inputs());
            }
            (Change::Mint(mint), Outcome::Mint(Ok(()))) if self.watched() > 0 => {
                let issued = MintQuoteState::Issued { outputs: mint.digest() };
                let event = Event::MintQuote(mint.quote(), issued);
                self.register().tell(Topic::MintQuote(mint.quote()), &event);
            }
            (Change::Receive { quote, .. }, Outcome::Applied(true)) if self.watched() > 0 => {
                let event = Event::MintQuote(*quote, MintQuoteState::Paid);
                self.register().tell(Topic::MintQuote(*quote), &event);
            }
            (Change::PayOrder(payment), Outcome::Paid(Ok(Posted::Now))) if self.watched() > 0 => {
                self.register().tell_spent(payment.inputs());
            }
            (Change::Post(posting), Outcome::Posted(Ok(_))) if self.watched() > 0 => {
                if let Some(quote) = posting.quote() {
                    let event = Event::MintQuote(quote, MintQuoteState::Paid);
                    self.register().tell(Topic::MintQuote(quote), &event);
                }
            }
            (Change::StartMelt(melt), Outcome::Melt(Ok(quote))) => {
                let mut register = self.register();
                if matches!(quote.state, MeltQuoteState::Paid { .. }) {
                    // To an account here, at once; or it is the answer to a repetition, whose proofs may be others.
                    register.tell_all(&Event::SomeProofs);
                    register.tell_quote(quote);
                }
                if matches!(quote.state, MeltQuoteState::Pending(_)) {
                    register.tell_proofs(melt.inputs(), ProofState::Pending);
                    register.held.insert(quote.id, melt.inputs().to_vec());
                    register.tell_quote(quote);
                }
            }
            (Change::FinishMelt { .. }, Outcome::Finished(Some(quote))) => {
                self.register().finish(quote);
            }
            _ => {}
        }
    }

    /// All that is listened to, in an order that stays.
    pub(crate) fn topics(&self) -> Vec<Topic> {
        if self.watched() == 0 {
            return Vec::new();
        }
        let mut topics: Vec<Topic> = self.register().topics.keys().copied().collect();
        topics.sort_unstable();
        topics
    }

    /// Tells listeners how things stand, whether or not that is new to them.
    pub(crate) fn announce(&self, events: Vec<Event>) {
        let mut register = self.register();
        for event in events {
            let topic = match &event {
                Event::Proof(y, _) => Topic::Proof(*y),
                Event::MintQuote(id, _) => Topic::MintQuote(*id),
                Event::MeltQuote(quote) => Topic::MeltQuote(quote.id),
                Event::SomeProofs => continue,
            };
            register.tell(topic, &event);
        }
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Register {
    fn tell(&mut self, topic: Topic, event: &Event) {
        let Some(numbers) = self.topics.get(&topic) else { return };
        for number in numbers {
            let Some(listener) = self.listeners.get(number) else { continue };
            if listener.try_send(event.clone()).is_err() {
                self.listeners.remove(number); // It ends once it has read what waits for it.
            }
        }
    }

    fn tell_quote(&mut self, quote: &MeltQuote) {
        if self.topics.contains_key(&Topic::MeltQuote(quote.id)) {
            let event = Event::MeltQuote(Arc::new(quote.clone()));
            self.tell(Topic::MeltQuote(quote.id), &event);
        }
    }

    fn tell_proofs(&mut self, proofs: &[SpentProof], state: ProofState) {
        for proof in proofs {
            self.tell(Topic::Proof(proof.y), &Event::Proof(proof.y, state));
        }
    }

    fn tell_spent(&mut self, proofs: &[SpentProof]) {
        for proof in proofs {
            let event = Event::Proof(proof.y, ProofState::Spent(proof.preimage));
            self.tell(Topic::Proof(proof.y), &event);
        }
    }

    fn finish(&mut self, quote: &MeltQuote) {
        match (self.held.remove(&quote.id), &quote.state) {
            (Some(held), MeltQuoteState::Paid { .. }) => self.tell_spent(&held),
            (Some(held), MeltQuoteState::Unpaid) => {
                self.tell_proofs(&held, ProofState::Unspent);
            }
            (None, _) => self.tell_all(&Event::SomeProofs),
            (Some(_), MeltQuoteState::Pending(_)) => {}
        }
        self.tell_quote(quote);
    }

    fn tell_all(&mut self, event: &Event) {
        self.listeners.retain(|_, listener| listener.try_send(event.clone()).is_ok());
    }
}

/// One who listens. Dropping it ends that.
pub(crate) struct Listener {
    hub: Arc<Hub>,
    number: u64,
    topics: HashSet<Topic>,
    events: mpsc::Receiver<Event>,
}

impl Listener {
    /// Listens to topics, none of which it listens to yet.
    ///
    /// # Errors
    /// [`TooMany`]; it then listens to none of them.
    pub(crate) fn add(&mut self, topics: &[Topic]) -> Result<(), TooMany> {
        let mut register = self.hub.register();
        if self.hub.watched.fetch_add(topics.len(), Ordering::Relaxed) + topics.len() > Hub::TOPICS
        {
            self.hub.watched.fetch_sub(topics.len(), Ordering::Relaxed);
            return Err(TooMany);
        }
        for topic in topics {
            register.topics.entry(*topic).or_default().push(self.number);
        }
        self.topics.extend(topics);
        Ok(())
    }

    /// Listens to a topic no more.
    pub(crate) fn remove(&mut self, topic: Topic) {
        if self.topics.remove(&topic) {
            forget(&self.hub, &mut self.hub.register(), self.number, topic);
        }
    }

    /// The next event; `None` if this listener was too slow.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut register = self.hub.register();
        for topic in self.topics.drain() {
            forget(&self.hub, &mut register, self.number, topic);
        }
        register.listeners.remove(&self.number);
    }
}

/// How topics stand in the vault; what it does not know is left out.
pub(crate) fn current(
    reader: &mut dyn VaultReader,
    topics: &[Topic],
) -> Result<Vec<Event>, StoreError> {
    let (mut events, mut proofs) = (Vec::new(), Vec::new());
    for topic in topics {
        match topic {
            Topic::Proof(y) => proofs.push(*y),
            Topic::MintQuote(id) => {
                let quote = reader.mint_quote(*id)?;
                events.extend(quote.map(|quote| Event::MintQuote(quote.id, quote.state)));
            }
            Topic::MeltQuote(id) => {
                let quote = reader.melt_quote(*id)?;
                events.extend(quote.map(|quote| Event::MeltQuote(Arc::new(quote))));
            }
        }
    }
    let states = reader.proof_states(&proofs)?;
    events.extend(proofs.into_iter().zip(states).map(|(y, state)| Event::Proof(y, state)));
    Ok(events)
}

fn forget(hub: &Hub, register: &mut Register, number: u64, topic: Topic) {
    if let Some(numbers) = register.topics.get_mut(&topic) {
        numbers.retain(|known| *known != number);
        if numbers.is_empty() {
            register.topics.remove(&topic);
        }
    }
    hub.watched.fetch_sub(1, Ordering::Relaxed);
}
