//! Subscriptions over a WebSocket (NUT-17).
//!
//! A subscription is first told how things stand, then of every change. The register is entered before the vault
//! is asked, so no change falls in between; one that is told twice is dropped here.

mod watch;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::StatusCode;
use axum::response::Response;
use tacit_ecash::limit;
use tacit_ecash::message::socket::{Answer, Command, Request, RequestError, Target};
use tokio::time::{Instant, timeout};

use self::watch::{Known, Wish, current};
use crate::error::ApiError;
use crate::hub::{Event, Listener, Topic};
use crate::limit::Bucket;
use crate::metric::Counter;
use crate::state::{Shared, UnitMint, stopped};

/// Subscriptions of one connection.
const SUBSCRIPTIONS: usize = 256;

/// Topics of one connection.
const TOPICS: usize = 10_000;

/// How often a silent wallet is asked whether it is there, and after how long without a sign it is not.
const PING: Duration = Duration::from_secs(30);
const SILENCE: Duration = Duration::from_secs(100);

/// How long a message may take to leave.
const SEND: Duration = Duration::from_secs(10);

/// `GET /v1/ws` under the path of each unit (NUT-17): quotes of that unit.
///
/// And once more without a unit, for quotes of all: Nutshell drops the path of a mint's URL when it opens a WebSocket
/// (seen in 0.20.2), and waits for ever where nothing answers. Who names a quote's id may hear of it either way.
pub(super) async fn open(
    State(scope): State<Scope>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|_| {
        ApiError::of_status(StatusCode::UPGRADE_REQUIRED, "this path speaks WebSocket (NUT-17)")
    })?;
    let seat = Seat::take(&scope.shared)?;
    let bounded =
        upgrade.max_message_size(limit::SOCKET_MESSAGE).max_frame_size(limit::SOCKET_MESSAGE);
    Ok(bounded.on_upgrade(move |socket| async move {
        Conversation::new(socket, scope).run().await;
        drop(seat);
    }))
}

/// Whose quotes a connection may name: those of one unit, or of all.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) shared: Arc<Shared>,
    pub(super) units: Arc<[UnitMint]>,
}

/// One of the places for WebSockets, given back when dropped.
struct Seat(Arc<Shared>);

impl Seat {
    fn take(shared: &Arc<Shared>) -> Result<Self, ApiError> {
        let taken = shared.sockets.fetch_add(1, Ordering::Relaxed);
        let seat = Self(Arc::clone(shared)); // Gives back what was just taken, also if it is refused.
        if taken < shared.config.bounds.sockets {
            Ok(seat)
        } else {
            Err(ApiError::busy("too many WebSockets are open", 30))
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.sockets.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The conversation is over: the wallet has gone, or is too slow, or was sent away.
struct Over;

struct Conversation {
    socket: WebSocket,
    scope: Scope,
    listener: Listener,
    subscriptions: HashMap<String, Vec<Topic>>,
    topics: HashMap<Topic, Watched>,
    /// How fast messages may come.
    bucket: Bucket,
}

/// A topic that one or more subscriptions of this connection name.
#[derive(Default)]
struct Watched {
    subscriptions: HashSet<String>,
    /// What was last told of it; `None` until the vault has been asked.
    last: Option<Known>,
}

impl Conversation {
    fn new(socket: WebSocket, scope: Scope) -> Self {
        let listener = scope.shared.hub.listen();
        let limits = &scope.shared.config.serving.limits;
        let bucket = Bucket::new(limits.connection_requests_per_second);
        let (subscriptions, topics) = (HashMap::new(), HashMap::new());
        Self { socket, scope, listener, subscriptions, topics, bucket }
    }

    async fn run(mut self) {
        let mut stopping = self.scope.shared.stopping.clone();
        let mut heard = Instant::now();
        let mut ping = tokio::time::interval_at(heard + PING, PING);
        loop {
            let step = tokio::select! {
                message = self.socket.recv() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(message)) => self.hear(message).await,
                        Some(Err(_)) | None => Err(Over),
                    }
                }
                event = self.listener.next() => match event {
                    Some(event) => self.pass_on(event).await,
                    None => self.close(close_code::AGAIN, "too slow").await,
                },
                _ = ping.tick() => match heard.elapsed() {
                    silence if silence > SILENCE => Err(Over),
                    _ => self.send(Message::Ping(Vec::new().into())).await,
                },
                () = stopped(&mut stopping) => {
                    self.close(close_code::AWAY, "the mint is stopping").await
                }
            };
            if let Err(Over) = step {
                return;
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), Over> {
        if self.bucket.take().is_err() {
            self.scope.shared.metrics.add(Counter::Limited, 1);
            return self.close(close_code::POLICY, "too fast").await;
        }
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => {
                return self.answer(&Answer::refused(None, RequestError::NotJson)).await;
            }
            Message::Ping(_) | Message::Pong(_) => return Ok(()), // Pings are answered below us.
            Message::Close(_) => return Err(Over),
        };
        let request = match Request::parse(text.as_str()) {
            Ok(request) => request,
            Err(error) => return self.answer(&Answer::refused(None, error)).await,
        };
        let id = request.id.clone();
        match request.command() {
            Ok(Command::Subscribe { subscription, target }) => {
                match self.enter(&subscription, target) {
                    Ok(wish) => {
                        self.answer(&Answer::done(id, subscription.clone())).await?;
                        self.begin(subscription, wish).await
                    }
                    Err(error) => self.answer(&Answer::refused(Some(id), error)).await,
                }
            }
            Ok(Command::Unsubscribe { subscription }) => {
                self.leave(&subscription);
                self.answer(&Answer::done(id, subscription)).await
            }
            Err(error) => self.answer(&Answer::refused(Some(id), error)).await,
        }
    }

    /// Enters a subscription into the register, in place of one of the same name.
    fn enter(&mut self, name: &str, target: Target) -> Result<Wish, RequestError> {
        let wish = Wish::of(target, &self.scope.units)?;
        self.leave(name);
        let is_new = |topic: &&Topic| !self.topics.contains_key(topic);
        let new: Vec<Topic> = wish.topics.iter().filter(is_new).copied().collect();
        if self.subscriptions.len() >= SUBSCRIPTIONS || self.topics.len() + new.len() > TOPICS {
            return Err(RequestError::TooLarge);
        }
        self.listener.add(&new).map_err(|_| RequestError::TooLarge)?;
        for topic in &wish.topics {
            self.topics.entry(*topic).or_default().subscriptions.insert(name.to_owned());
        }
        self.subscriptions.insert(name.to_owned(), wish.topics.clone());
        Ok(wish)
    }

    fn leave(&mut self, name: &str) {
        for topic in self.subscriptions.remove(name).unwrap_or_default() {
            self.forget(name, topic);
        }
    }

    fn forget(&mut self, name: &str, topic: Topic) {
        let Some(watched) = self.topics.get_mut(&topic) else { return };
        watched.subscriptions.remove(name);
        if watched.subscriptions.is_empty() {
            self.topics.remove(&topic);
            self.listener.remove(topic);
        }
    }

    /// The first word to a subscription: how everything stands that it names.
    async fn begin(&mut self, name: String, wish: Wish) -> Result<(), Over> {
        let found = self.ask(wish.topics.clone()).await?;
        let of_unit = found.into_iter().filter(|known| known.is_of(&self.scope.units, wish.method));
        let found: HashMap<Topic, Known> = of_unit.map(|known| (known.topic(), known)).collect();
        for topic in wish.topics {
            match found.get(&topic) {
                Some(known) => {
                    self.topics.entry(topic).or_default().last = Some(known.clone());
                    self.notify(known, std::slice::from_ref(&name)).await?;
                }
                None => self.forget(&name, topic), // Never heard of, or of another unit or method.
            }
        }
        Ok(())
    }

    async fn pass_on(&mut self, event: Event) -> Result<(), Over> {
        let topic = match &event {
            Event::Proof(y, _) => Topic::Proof(*y),
            Event::MintQuote(id, _) => Topic::MintQuote(*id),
            Event::MeltQuote(quote) => Topic::MeltQuote(quote.id),
            Event::SomeProofs => return self.look_again().await,
        };
        let last = self.topics.get(&topic).and_then(|watched| watched.last.as_ref());
        match last.and_then(|last| last.after(&event)) {
            Some(next) => self.tell(next).await,
            None => Ok(()), // Unsubscribed meanwhile.
        }
    }

    /// Asks the vault for all proofs that may still change.
    async fn look_again(&mut self) -> Result<(), Over> {
        let is_open =
            |watched: &Watched| watched.last.as_ref().is_some_and(|last| !last.is_final());
        let proofs = self
            .topics
            .iter()
            .filter(|(topic, watched)| matches!(topic, Topic::Proof(_)) && is_open(watched));
        let proofs: Vec<Topic> = proofs.map(|(topic, _)| *topic).collect();
        for known in self.ask(proofs).await? {
            self.tell(known).await?;
        }
        Ok(())
    }

    /// Tells all subscriptions to a topic, if it is news.
    async fn tell(&mut self, known: Known) -> Result<(), Over> {
        let Some(watched) = self.topics.get_mut(&known.topic()) else { return Ok(()) };
        if !watched.last.as_ref().is_some_and(|last| known.is_news_after(last)) {
            return Ok(());
        }
        watched.last = Some(known.clone());
        let names: Vec<String> = watched.subscriptions.iter().cloned().collect();
        self.notify(&known, &names).await
    }

    async fn ask(&mut self, topics: Vec<Topic>) -> Result<Vec<Known>, Over> {
        let found = self.scope.shared.ask(move |reader| Ok(current(reader, &topics)?)).await;
        match found {
            Ok(found) => Ok(found),
            // The wallet cannot be told how things stand: it asks again over a new connection.
            Err(_) => Err(self.close(close_code::AGAIN, "busy").await.err().unwrap_or(Over)),
        }
    }

    async fn notify(&mut self, known: &Known, names: &[String]) -> Result<(), Over> {
        let (shared, known) = (Arc::clone(&self.scope.shared), known.clone());
        let payload = match known {
            Known::MeltQuote(_) => {
                self.scope.shared.ask(move |_| known.payload(&shared.mint())).await
            }
            Known::Proof(..) | Known::MintQuote(_) => known.payload(&shared.mint()),
        };
        let Ok(payload) = payload else { return self.close(close_code::AGAIN, "busy").await };
        for name in names {
            self.answer(&Answer::notification(name.clone(), payload.clone())).await?;
        }
        Ok(())
    }

    async fn answer(&mut self, answer: &Answer) -> Result<(), Over> {
        let text = serde_json::to_string(answer).expect("our messages have text keys only");
        self.send(Message::Text(text.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Over> {
        match timeout(SEND, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Over),
        }
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> Result<(), Over> {
        let frame = CloseFrame { code, reason: reason.into() };
        _ = self.send(Message::Close(Some(frame))).await; // It may have gone; then it knows.
        Err(Over)
    }
}
