//! One connection, asked from plain threads: the only place where anything here waits for a network.
//!
//! The traits are synchronous and the client library is not, so each connection brings a runtime of its own that
//! runs on the caller's thread for as long as the caller waits. Statements are prepared once a connection. What may
//! be sent together is sent together: a transaction takes two round trips, one for all its statements and one to commit.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Connection, NoTls, Row, Statement};

use super::fault::Fault;
use super::target::Target;

/// How long an answer may take. Longer than any lock is waited for; a standby that must confirm may need some time.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a connection may take to be made.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// What every session begins with. `statement_timeout` is off on purpose: it would end the wait for a standby's
/// confirmation, and the server would then call a commit done that the standby has not.
const SESSION: &str = "
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
SET statement_timeout = 0;
SET lock_timeout = '5s';
SET idle_in_transaction_session_timeout = '20s';
SET default_transaction_isolation = 'read committed';
SET enable_seqscan = off;
";

/// A parameter of a statement.
pub(super) type Param = Box<dyn ToSql + Sync + Send>;

/// A statement with its parameters, and how many rows it must change.
pub(super) struct Step {
    pub(super) sql: &'static str,
    pub(super) params: Vec<Param>,
    pub(super) wants: Wants,
}

/// How many rows a step must change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// However many there are.
    Any,
    /// So many, else another writer was quicker.
    Rows(u64),
    /// One, else what is known of the vault is out of date.
    Fence,
    /// So many, else rows contradict each other.
    Certainly(u64),
}

impl Step {
    pub(super) fn new(sql: &'static str, wants: Wants, params: Vec<Param>) -> Self {
        Self { sql, params, wants }
    }

    fn judge(&self, changed: u64) -> Result<(), Fault> {
        match self.wants {
            Wants::Any => Ok(()),
            Wants::Rows(rows) if rows == changed => Ok(()),
            Wants::Rows(_) => Err(Fault::Overtaken),
            Wants::Fence if changed == 1 => Ok(()),
            Wants::Fence => Err(Fault::Moved),
            Wants::Certainly(rows) if rows == changed => Ok(()),
            Wants::Certainly(_) => Err(Fault::Malformed("a transfer or a seal was there already")),
        }
    }
}

/// A question: a statement with its parameters.
pub(super) type Question = (&'static str, Vec<Param>);

/// How a transaction reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Each statement sees what is committed when it begins, and waits for those who write the same rows.
    Write,
    /// Every statement sees the same moment. Nothing is written.
    Moment,
}

impl Mode {
    const fn begin(self) -> &'static str {
        match self {
            Self::Write => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
            Self::Moment => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }
}

/// A connection that is made when it is needed, and made again when it was lost.
pub(super) struct Link {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    target: Arc<Target>,
    session: Option<Session>,
}

struct Session {
    client: Client,
    statements: HashMap<&'static str, Statement>,
}

impl Link {
    pub(super) fn new(target: Arc<Target>) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime: Some(runtime), target, session: None })
    }

    /// Whether there is a connection that is not known to be lost.
    pub(super) fn is_up(&self) -> bool {
        self.session.as_ref().is_some_and(|session| !session.client.is_closed())
    }

    /// Gives the connection up: the next question makes another.
    pub(super) fn hang_up(&mut self) {
        self.session = None;
    }

    /// Makes the connection, unless there is one.
    pub(super) fn connect(&mut self) -> Result<(), Fault> {
        if !self.is_up() {
            self.session = None;
            let made = wait(self.runtime(), CONNECT_PATIENCE, open(&self.target))?;
            self.session = Some(made);
        }
        Ok(())
    }

    /// Runs SQL that has no parameters and answers nothing.
    pub(super) fn run(&mut self, sql: &str) -> Result<(), Fault> {
        self.connect()?;
        self.run_within(sql)
    }

    /// The same in the transaction that is open. A connection that was lost is not made anew: the transaction is gone with
    /// it, and what is left of it must not be done by itself.
    pub(super) fn run_within(&mut self, sql: &str) -> Result<(), Fault> {
        let Some(session) = &self.session else { return Err(Fault::Silent) };
        let done =
            wait(self.runtime(), PATIENCE, async { Ok(session.client.batch_execute(sql).await?) });
        self.heed(done)
    }

    /// Asks one question by itself: it sees what is committed now.
    pub(super) fn ask(&mut self, question: Question) -> Result<Vec<Row>, Fault> {
        let answers = self.exchange(None, &[], &[question], None)?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    /// Asks one question in the transaction that is open; as with [`Self::run_within`].
    pub(super) fn ask_within(&mut self, question: Question) -> Result<Vec<Row>, Fault> {
        let answers = self.exchange_within(None, &[], &[question], None)?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    /// Takes one step in the transaction that is open, and says how many rows it changed; as with [`Self::run_within`].
    pub(super) fn change_within(&mut self, step: &Step) -> Result<u64, Fault> {
        self.prepare_missing(&[step.sql])?;
        let Some(session) = &self.session else { return Err(Fault::Silent) };
        let done = wait(self.runtime(), PATIENCE, async { Ok(session.execute(step).await?) });
        self.heed(done)
    }

    /// Asks questions of one moment of the vault. One round trip.
    pub(super) fn ask_all(&mut self, questions: &[Question]) -> Result<Vec<Vec<Row>>, Fault> {
        self.exchange(Some(Mode::Moment.begin()), &[], questions, Some("COMMIT"))
    }

    /// Begins a transaction, takes these steps in it and asks these questions after them, all in one round trip. On a
    /// fault the transaction is rolled back; else it is open.
    pub(super) fn begin(
        &mut self,
        steps: &[Step],
        questions: &[Question],
    ) -> Result<Vec<Vec<Row>>, Fault> {
        let done = self.exchange(Some(Mode::Write.begin()), steps, questions, None);
        self.roll_back_on_fault(done)
    }

    /// Goes on in the transaction that is open.
    pub(super) fn go_on(&mut self, steps: &[Step]) -> Result<(), Fault> {
        let done = self.exchange_within(None, steps, &[], None).map(drop);
        self.roll_back_on_fault(done)
    }

    fn roll_back_on_fault<T>(&mut self, done: Result<T, Fault>) -> Result<T, Fault> {
        if done.is_err() && self.is_up() {
            self.roll_back();
        }
        done
    }

    /// Ends the open transaction without a trace. A connection that cannot even do that is given up.
    pub(super) fn roll_back(&mut self) {
        if self.run("ROLLBACK").is_err() {
            self.hang_up();
        }
    }

    /// Commits the open transaction. Unless the fault is one that [`Fault::is_rolled_back`], it is unknown then whether it
    /// was committed.
    pub(super) fn commit(&mut self) -> Result<(), Fault> {
        // Not through `run`, which would connect anew: then there would be nothing to commit.
        let Some(session) = &self.session else { return Err(Fault::Silent) };
        let done = wait(self.runtime(), PATIENCE, async {
            Ok(session.client.batch_execute("COMMIT").await?)
        });
        self.heed(done)
    }

    /// Sends all of it together, and then reads the answers. The first fault counts; what came after it in a
    /// transaction was refused by the server.
    fn exchange(
        &mut self,
        first: Option<&'static str>,
        steps: &[Step],
        questions: &[Question],
        last: Option<&'static str>,
    ) -> Result<Vec<Vec<Row>>, Fault> {
        self.connect()?;
        self.exchange_within(first, steps, questions, last)
    }

    /// The same without connecting anew: a transaction that is open is gone with its connection.
    fn exchange_within(
        &mut self,
        first: Option<&'static str>,
        steps: &[Step],
        questions: &[Question],
        last: Option<&'static str>,
    ) -> Result<Vec<Vec<Row>>, Fault> {
        let all = steps.iter().map(|step| step.sql).chain(questions.iter().map(|(sql, _)| *sql));
        self.prepare_missing(&all.collect::<Vec<_>>())?;
        let Some(session) = &self.session else { return Err(Fault::Silent) };
        let done = wait(self.runtime(), PATIENCE, session.send(first, steps, questions, last));
        self.heed(done)
    }

    /// Prepares those statements that this connection has not seen yet.
    fn prepare_missing(&mut self, all: &[&'static str]) -> Result<(), Fault> {
        let Some(session) = &self.session else { return Err(Fault::Silent) };
        let known = &session.statements;
        let missing: Vec<_> = all.iter().filter(|sql| !known.contains_key(*sql)).copied().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let client = &session.client;
        let prepared: Result<Vec<Statement>, Fault> = wait(self.runtime(), PATIENCE, async {
            let prepared = join_all(missing.iter().map(|sql| client.prepare(sql))).await;
            prepared.into_iter().map(|made| made.map_err(Fault::from)).collect()
        });
        let prepared = self.heed(prepared)?;
        if let Some(session) = &mut self.session {
            session.statements.extend(missing.into_iter().zip(prepared));
        }
        Ok(())
    }

    /// Hangs up where a fault says that nothing more is to be had of this connection.
    fn heed<T>(&mut self, done: Result<T, Fault>) -> Result<T, Fault> {
        if let Err(fault) = &done
            && fault.remedy() == super::fault::Remedy::Reconnect
        {
            self.hang_up();
        }
        done
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("there until it is dropped")
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.session = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background(); // Dropped plainly, it would panic where the caller is in a runtime itself.
        }
    }
}

impl Session {
    async fn send(
        &self,
        first: Option<&'static str>,
        steps: &[Step],
        questions: &[Question],
        last: Option<&'static str>,
    ) -> Result<Vec<Vec<Row>>, Fault> {
        // Each is sent when it is first polled, which `join_all` and `join!` do in order.
        let begin = self.simple(first);
        let changes = join_all(steps.iter().map(|step| self.execute(step)));
        let answers = join_all(questions.iter().map(|question| self.query(question)));
        let end = self.simple(last);
        let (begun, changed, answered, ended) = tokio::join!(begin, changes, answers, end);
        begun?;
        let changed: Vec<u64> = changed.into_iter().collect::<Result<_, _>>()?;
        let answered: Vec<Vec<Row>> = answered.into_iter().collect::<Result<_, _>>()?;
        ended?;
        for (step, changed) in steps.iter().zip(changed) {
            step.judge(changed)?;
        }
        Ok(answered)
    }

    async fn simple(&self, sql: Option<&'static str>) -> Result<(), tokio_postgres::Error> {
        match sql {
            Some(sql) => self.client.batch_execute(sql).await,
            None => Ok(()),
        }
    }

    async fn execute(&self, step: &Step) -> Result<u64, tokio_postgres::Error> {
        self.client.execute(&self.statements[step.sql], &borrowed(&step.params)).await
    }

    async fn query(&self, (sql, params): &Question) -> Result<Vec<Row>, tokio_postgres::Error> {
        self.client.query(&self.statements[sql], &borrowed(params)).await
    }
}

fn borrowed(params: &[Param]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|param| param.as_ref() as &(dyn ToSql + Sync)).collect()
}

async fn open(target: &Target) -> Result<Session, Fault> {
    let client = match target.tls() {
        None => follow(target.config().connect(NoTls).await?),
        Some(tls) => follow(target.config().connect(tls.connector()?).await?),
    };
    client.batch_execute(SESSION).await?;
    confirm(&client).await?;
    Ok(Session { client, statements: HashMap::new() })
}

/// Lets a connection do its part for as long as there is its client, or the connection; whoever asks then is told.
fn follow<S, T>((client, connection): (Client, Connection<S, T>)) -> Client
where
    Connection<S, T>: Future + Send + 'static,
{
    tokio::spawn(async move { _ = connection.await });
    client
}

/// Waits until the standbys that must confirm have all that this session can see.
///
/// A commit that waits for its standby is hidden, but a server that crashes and starts again shows it, confirmed or not.
/// What is read of it would be told, and be lost with that server. A commit of the session's own, to the row that
/// migrations queue up at, is confirmed after everything before it. Without that table there is nothing to trust yet.
async fn confirm(client: &Client) -> Result<(), Fault> {
    let own = "UPDATE schema_version SET version = version WHERE one = 1";
    match client.batch_execute(own).await.map_err(Fault::from) {
        Err(fault) if fault.is_missing_table() => Ok(()),
        done => done,
    }
}

/// Waits on the thread of the caller; on another where the caller's drives a runtime already, which must not block.
fn wait<T: Send>(
    runtime: &Runtime,
    patience: Duration,
    future: impl Future<Output = Result<T, Fault>> + Send,
) -> Result<T, Fault> {
    let timed =
        async { tokio::time::timeout(patience, future).await.unwrap_or(Err(Fault::Silent)) };
    if Handle::try_current().is_err() {
        return runtime.block_on(timed);
    }
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| runtime.block_on(timed));
        waiting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
