//! An open wallet and its connections: drives the operations of `tacit-wallet`, blocking.
//!
//! The lock of the file is held while an operation runs, so that no other process changes what it was begun on, and given
//! back between operations. Whatever stops the process between two steps, the next command takes up what is open.

use std::collections::BTreeSet;

use serde_json::Value;
use tacit_core::unit::Unit;
use tacit_credit::certificate::request::Address;
use tacit_wallet::batch::Batch;
use tacit_wallet::history::Entry;
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::keysets::Keysets;
use tacit_wallet::operation::settle::{Settle, SettleError, Settled};
use tacit_wallet::operation::{Wallet, Yield};
use tacit_wallet::seed::{Seed, Words};
use tacit_wallet::state::{OperationId, State};
use tacit_wallet::storage::seal::Keeper;
use tacit_wallet::transport::{Answer, Recipient, Request};

use super::book::Book;
use super::clock;
use super::error::WalletError;
use super::file::{self, ClosedFile, FileError, WalletFile};
use super::money::shown;
use super::net::Net;
use super::passphrase;
use super::place::{Options, Place};
use super::terminal::Terminal;

/// An open wallet.
pub(super) struct Session {
    pub(super) terminal: Terminal,
    pub(super) place: Place,
    file: WalletFile,
    seed: Seed,
    net: Net,
}

/// What is counted, and with whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Account {
    pub(super) mint: MintUrl,
    pub(super) unit: Unit,
}

impl Session {
    /// Opens the wallet that the options name.
    ///
    /// # Errors
    /// [`WalletError`].
    pub(super) fn open(options: &Options) -> Result<Self, WalletError> {
        let place = options.place()?;
        let terminal = Terminal { is_json: options.json, is_yes: options.yes };
        let net = Net::new(place.settings.clone())?;
        let file = open_file(&place)?;
        let seed = file.words().parse::<Words>()?.seed();
        Ok(Self { terminal, place, file, seed, net })
    }

    /// The state, as it is durable.
    pub(super) fn state(&self) -> &State {
        self.file.state()
    }

    /// What the person noted about the wallet.
    pub(super) fn book(&self) -> &Book {
        self.file.book()
    }

    /// Changes what is noted.
    ///
    /// # Errors
    /// [`FileError`].
    pub(super) fn note(&mut self, change: impl FnOnce(&mut Book)) -> Result<(), FileError> {
        let _held = file::hold(self.file.path())?;
        self.file.refresh()?;
        self.file.note(change)
    }

    /// Makes a batch durable that no operation is needed for.
    ///
    /// # Errors
    /// What the batch says of itself, and [`FileError`].
    pub(super) fn persist<E: Into<WalletError>>(
        &mut self,
        batch: impl FnOnce(&State) -> Result<Batch, E>,
    ) -> Result<(), WalletError> {
        let _held = file::hold(self.file.path())?;
        self.file.refresh()?;
        let batch = batch(self.file.state()).map_err(Into::into)?;
        Ok(self.file.persist(&batch)?)
    }

    /// Locks the file under another passphrase.
    ///
    /// # Errors
    /// [`FileError`].
    pub(super) fn relock(
        &mut self,
        passphrase: &passphrase::Passphrase,
        keeper: Keeper,
    ) -> Result<(), FileError> {
        let _held = file::hold(self.file.path())?;
        self.file.relock(passphrase, keeper)
    }

    /// Drives an operation to its end.
    ///
    /// # Errors
    /// [`WalletError`] of the file and the network; what the mint says is the operation's result.
    pub(super) fn drive<T>(
        &mut self,
        what: &str,
        mut step: impl FnMut(Wallet<'_>, Option<Answer>) -> Yield<T>,
    ) -> Result<T, WalletError> {
        let _held = file::hold(self.file.path())?;
        self.file.refresh()?;
        let mut waiting = None;
        let mut answer = None;
        loop {
            let (state, now) = (self.file.state(), clock::now());
            match step(Wallet { seed: &self.seed, state, now }, answer.take()) {
                Yield::Persist(batch) => self.file.persist(&batch)?,
                Yield::Send(request) => {
                    waiting.get_or_insert_with(|| self.terminal.wait(what));
                    answer = Some(self.net.send(&request)?);
                }
                Yield::Done(result) => return Ok(result),
            }
        }
    }

    /// Drives an operation to its end, and says what became of it in words for people.
    ///
    /// # Errors
    /// [`WalletError`].
    pub(super) fn run<T, E: Into<WalletError>>(
        &mut self,
        what: &str,
        step: impl FnMut(Wallet<'_>, Option<Answer>) -> Yield<Result<T, E>>,
    ) -> Result<T, WalletError> {
        self.drive(what, step)?.map_err(|error| error.into().because(self.net.trouble()))
    }

    /// What an operation would record, were it begun now: nothing is sent or kept.
    ///
    /// # Errors
    /// Why it could not be begun.
    pub(super) fn foresee<T, E: Into<WalletError>>(
        &mut self,
        mut step: impl FnMut(Wallet<'_>, Option<Answer>) -> Yield<Result<T, E>>,
    ) -> Result<Option<Entry>, WalletError> {
        self.file.refresh()?;
        let (state, now) = (self.file.state(), clock::now());
        match step(Wallet { seed: &self.seed, state, now }, None) {
            Yield::Persist(batch) => {
                let (mut next, before) = (state.clone(), state.history().len());
                next.apply(&batch).map_err(|_| FileError::Conflict)?;
                let new = next.history().last_key_value().filter(|_| before < next.history().len());
                Ok(new.map(|(_, entry)| entry.clone()))
            }
            Yield::Done(Err(error)) => Err(error.into()),
            Yield::Done(Ok(_)) | Yield::Send(_) => Ok(None),
        }
    }

    /// Looks at the wallet with its words.
    pub(super) fn look<T>(&self, look: impl FnOnce(Wallet<'_>) -> T) -> T {
        look(Wallet { seed: &self.seed, state: self.file.state(), now: clock::now() })
    }

    /// Whether a mint may be asked at all.
    ///
    /// # Errors
    /// [`WalletError::Net`].
    pub(super) fn check(&self, mint: &MintUrl) -> Result<(), WalletError> {
        Ok(self.net.check(mint)?)
    }

    /// Learns a mint's keysets, and refuses one that has changed them.
    ///
    /// # Errors
    /// [`WalletError`].
    pub(super) fn learn(&mut self, mint: &MintUrl) -> Result<(), WalletError> {
        let mut keysets = Keysets::new(mint.clone());
        self.run(&format!("asking {mint} for its keysets"), |wallet, answer| {
            keysets.step(wallet, answer)
        })
    }

    /// The same for a mint already known, which may be out of reach: then what is known must do.
    ///
    /// # Errors
    /// [`WalletError`] but for [`WalletError::NoAnswer`].
    pub(super) fn learn_again(&mut self, mint: &MintUrl) -> Result<(), WalletError> {
        match self.learn(mint) {
            Err(error @ WalletError::NoAnswer { .. }) => {
                self.terminal.say(&format!("note: {error}"));
                Ok(())
            }
            result => result,
        }
    }

    /// Asks a mint something that changes nothing.
    ///
    /// # Errors
    /// [`WalletError::NoAnswer`], or if it may not be asked.
    pub(super) fn get(&mut self, mint: &MintUrl, path: &str) -> Result<Value, WalletError> {
        let _waiting = self.terminal.wait(&format!("asking {mint}"));
        let to = Recipient::Mint(mint.clone());
        let request = Request { to, path: path.to_owned(), body: None };
        let answer = self.net.send(&request)?;
        let read = match &answer {
            Answer::Received { status: 200, body } => serde_json::from_slice(body.expose()).ok(),
            Answer::Received { .. } | Answer::Lost => None,
        };
        let error = || WalletError::NoAnswer { reason: self.net.trouble().map(str::to_owned) };
        read.ok_or_else(error)
    }

    /// Fetches a request for a certificate, or sends the answer to one, as a form. No redirect is followed.
    ///
    /// # Errors
    /// [`WalletError::NoAnswer`]; [`WalletError::NotTaken`] if an answer is refused.
    pub(super) fn reach(
        &mut self,
        to: &Address,
        form: Option<&str>,
    ) -> Result<String, WalletError> {
        let _waiting = self.terminal.wait(&format!("asking {}", to.host()));
        let answer = self.net.reach(to, form)?;
        let error = || WalletError::NoAnswer { reason: self.net.trouble().map(str::to_owned) };
        match answer {
            Answer::Received { status: 200, body } => {
                String::from_utf8(body.expose().clone()).map_err(|_| error())
            }
            Answer::Received { .. } if form.is_some() => {
                Err(WalletError::NotTaken { host: to.host().to_owned() })
            }
            Answer::Received { .. } | Answer::Lost => Err(error()),
        }
    }

    /// Takes up what earlier commands left open, and tells what became of it. A mint that does not answer is asked once.
    ///
    /// # Errors
    /// [`WalletError::File`]; what mints say is told, and no error of this command.
    pub(super) fn settle_open(&mut self) -> Result<Vec<(OperationId, Settled)>, WalletError> {
        self.file.refresh()?;
        let open: Vec<(OperationId, MintUrl, Unit)> = self
            .state()
            .operations()
            .iter()
            .filter(|(_, operation)| operation.exchange.is_some())
            .map(|(id, operation)| (*id, operation.mint.clone(), operation.unit))
            .collect();
        let (mut silent, mut settled) = (BTreeSet::new(), Vec::new());
        for (id, mint, unit) in open {
            if silent.contains(&mint) {
                continue;
            }
            let mut settle = Settle::new(id);
            let what = format!("taking up operation {}", id.number());
            let result = self.drive(&what, |wallet, answer| settle.step(wallet, answer));
            let number = id.number();
            match result {
                Err(error @ WalletError::File(_)) => return Err(error),
                Err(error) => self.terminal.say(&format!("operation {number}: {error}")),
                Ok(Err(SettleError::UnknownOperation)) => {} // Another process was faster.
                Ok(Err(error)) => {
                    if error == SettleError::NoAnswer {
                        silent.insert(mint);
                    }
                    let error = WalletError::from(error).because(self.net.trouble());
                    self.terminal.say(&format!("operation {number}: {error}"));
                }
                Ok(Ok(end)) => {
                    self.terminal.say(&format!("operation {number}: {}", told(&end, unit)));
                    settled.push((id, end));
                }
            }
        }
        Ok(settled)
    }

    /// Every unit at every mint to deal with, in the order of the mints, and wherever there is money besides.
    pub(super) fn accounts(&self) -> Vec<Account> {
        let mut found = Vec::new();
        let mut units_of = |mint: &MintUrl, is_any: bool| {
            let of_mint =
                self.state().keysets().values().filter(|keyset| keyset.pinned.mint == *mint);
            let units: BTreeSet<Unit> = of_mint.map(|keyset| keyset.pinned.unit).collect();
            for unit in units {
                let account = Account { mint: mint.clone(), unit };
                let is_wanted = is_any || self.state().balance(mint, unit) != 0;
                if is_wanted && !found.contains(&account) {
                    found.push(account);
                }
            }
        };
        self.book().mints.iter().for_each(|mint| units_of(mint, true));
        for keyset in self.state().keysets().values() {
            units_of(&keyset.pinned.mint, false);
        }
        found
    }

    /// The accounts that a mint and a unit leave, if they are said; of one unit.
    ///
    /// # Errors
    /// [`WalletError::NoMint`], [`WalletError::SeveralUnits`].
    pub(super) fn candidates(
        &self,
        mint: Option<&MintUrl>,
        unit: Option<Unit>,
    ) -> Result<Vec<Account>, WalletError> {
        let mut found = self.accounts();
        found.retain(|account| mint.is_none_or(|mint| account.mint == *mint));
        found.retain(|account| unit.is_none_or(|unit| account.unit == unit));
        let preferred = self.place.mint.as_ref();
        if mint.is_none() && found.iter().any(|account| preferred == Some(&account.mint)) {
            found.sort_by_key(|account| preferred != Some(&account.mint));
        }
        let first = found.first().ok_or(WalletError::NoMint { unit })?.unit;
        match found.iter().all(|account| account.unit == first) {
            true => Ok(found),
            false => Err(WalletError::SeveralUnits),
        }
    }

    /// Deals with a mint from now on.
    ///
    /// # Errors
    /// [`WalletError`].
    pub(super) fn adopt(&mut self, mint: &MintUrl) -> Result<(), WalletError> {
        self.check(mint)?;
        self.learn(mint)?;
        if !self.book().mints.contains(mint) {
            self.note(|book| book.add(mint))?;
        }
        Ok(())
    }
}

/// Opens the wallet file of a place.
///
/// # Errors
/// [`WalletError::File`], [`WalletError::Passphrase`].
fn open_file(place: &Place) -> Result<WalletFile, WalletError> {
    let closed = ClosedFile::find(&place.wallet)?;
    let file = place.passphrase_file.as_deref();
    let passphrase = passphrase::find(file, closed.keeper(), &place.wallet)?;
    Ok(closed.open(&passphrase)?)
}

/// How an operation ended, in words.
fn told(end: &Settled, unit: Unit) -> String {
    match end {
        Settled::Minted { amount } => format!("issued {}", shown(*amount, unit)),
        Settled::Received { amount } => format!("received {}", shown(*amount, unit)),
        Settled::Sent(token) => {
            let number = token.id.number();
            format!("the token is made: `tacit wallet pending --token {number}` shows it")
        }
        Settled::Paid(_) => "paid".to_owned(),
    }
}
