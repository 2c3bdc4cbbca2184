//! A server in this process, on a port of its own and a directory that vanishes with it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tacit_core::unit::Unit;
use tacit_server::config::setting::Given;
use tacit_server::config::{Config, Overrides};
use tacit_server::server::{Parts, Running, start};
use tacit_service::quote::{Method, QuoteId};
use tacit_service::rail::{Offer, Payment, PaymentId, PaymentStatus, Rail, RailError};
use tempfile::TempDir;

/// A running demo server.
pub struct Local {
    pub running: Running,
    pub directory: TempDir,
}

/// The configuration of a demo on a free port.
pub fn config(data: &Path) -> Config {
    let overrides = Overrides {
        listen: Some(Given::flag("--listen", "127.0.0.1:0".to_owned())),
        data: Some(Given::flag("--data", data.to_owned())),
        demo: Some(Given::flag("--demo", true)),
        ..Overrides::default()
    };
    Config::load(overrides, None).expect("a demo needs no file")
}

impl Local {
    /// A demo server with its own rail.
    pub async fn demo() -> Self {
        Self::with(|_| {}, |_| {}).await
    }

    /// A demo server whose quotes stay unpaid for a second, as they do in real demos.
    pub async fn with_slow_receipts() -> Self {
        Self::with(|config| config.bounds.receipt_delay = Duration::from_secs(1), |_| {}).await
    }

    /// A demo server, changed before it starts.
    pub async fn with(
        change_config: impl FnOnce(&mut Config),
        change_parts: impl FnOnce(&mut Parts),
    ) -> Self {
        let directory = TempDir::new().expect("a directory");
        Self::on(directory, change_config, change_parts).await
    }

    /// A demo server on a directory that may have been used before.
    pub async fn on(
        directory: TempDir,
        change_config: impl FnOnce(&mut Config),
        change_parts: impl FnOnce(&mut Parts),
    ) -> Self {
        let mut config = config(directory.path());
        config.bounds.receipt_delay = Duration::from_millis(30);
        change_config(&mut config);
        let mut parts = Parts::open(&config).expect("the directory opens");
        change_parts(&mut parts);
        let running = start(config, parts).await.expect("the server starts");
        Self { running, directory }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.address()
    }

    /// Stops the server and keeps its directory.
    pub async fn stop(self) -> TempDir {
        assert!(self.running.stop().await, "the store was sound to the end");
        self.directory
    }
}

/// A rail that does what a test tells it. Its requests read `pay:AMOUNT:RESERVE`.
#[derive(Default)]
pub struct ScriptedRail {
    state: Mutex<Scripted>,
}

#[derive(Default)]
struct Scripted {
    /// What becomes of payments from now on; in flight, if nothing was said.
    next: Option<PaymentStatus>,
    unreachable: bool,
    payments: BTreeMap<PaymentId, PaymentStatus>,
    asked_to_pay: usize,
}

impl ScriptedRail {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// What becomes of payments that are started from now on.
    pub fn next(&self, status: PaymentStatus) {
        self.state.lock().unwrap().next = Some(status);
    }

    /// Gives every payment in flight its final word.
    pub fn settle(&self, status: &PaymentStatus) {
        for payment in self.state.lock().unwrap().payments.values_mut() {
            if *payment == PaymentStatus::InFlight {
                *payment = status.clone();
            }
        }
    }

    /// Whether calls fail from now on, after the payment was started.
    pub fn set_unreachable(&self, unreachable: bool) {
        self.state.lock().unwrap().unreachable = unreachable;
    }

    /// Waits until this many payments were started.
    pub async fn until_asked(&self, payments: usize) {
        for _ in 0..400 {
            if self.payments().0 >= payments {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the rail was not asked to pay within ten seconds");
    }

    /// How many payments were started, and how often it was asked to.
    pub fn payments(&self) -> (usize, usize) {
        let state = self.state.lock().unwrap();
        (state.payments.len(), state.asked_to_pay)
    }
}

impl Rail for ScriptedRail {
    fn request(&self, _: QuoteId, _: Method, unit: Unit, amount: u64) -> Result<String, RailError> {
        Ok(format!("transfer {amount} {unit}"))
    }

    fn offer(&self, _: Method, _: Unit, request: &str) -> Result<Offer, RailError> {
        let mut parts = request.split(':').skip(1).map(str::parse);
        match (parts.next(), parts.next()) {
            (Some(Ok(amount)), Some(Ok(fee_reserve))) => Ok(Offer { amount, fee_reserve }),
            (Some(Ok(_)), None) => Err(RailError::NoAmount),
            _ if request == "paid before" => Err(RailError::AlreadyPaid),
            _ if request == "another unit" => Err(RailError::WrongUnit),
            _ if request == "nobody there" => Err(RailError::Unreachable("no route".into())),
            _ => Err(RailError::BadRequest),
        }
    }

    fn pay(&self, payment: &Payment) -> Result<PaymentStatus, RailError> {
        let mut state = self.state.lock().unwrap();
        state.asked_to_pay += 1;
        let next = state.next.clone().unwrap_or(PaymentStatus::InFlight);
        let status = state.payments.entry(payment.id).or_insert(next).clone();
        if state.unreachable { Err(RailError::Unreachable("no route".into())) } else { Ok(status) }
    }

    fn status(&self, id: PaymentId) -> Result<PaymentStatus, RailError> {
        let state = self.state.lock().unwrap();
        if state.unreachable {
            return Err(RailError::Unreachable("no route".into()));
        }
        Ok(state.payments.get(&id).cloned().unwrap_or(PaymentStatus::Unknown))
    }
}
