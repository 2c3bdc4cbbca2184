//! `mints`: whom to deal with.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tacit_wallet::mint::MintUrl;

use crate::wallet::error::WalletError;
use crate::wallet::money::shown;
use crate::wallet::place::Options;
use crate::wallet::session::Session;

/// List, add and remove mints
#[derive(Args)]
pub(crate) struct Mints {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// List mints and their units (the default)
    List,
    /// Deal with a mint: learn its keysets, which it can never change again
    Add {
        /// Its address, such as <https://mint.example/usd>
        url: MintUrl,
    },
    /// Deal with a mint no longer; what you have there stays yours
    Remove {
        /// Its address
        url: MintUrl,
    },
}

pub(crate) fn run(arguments: &Mints, options: &Options) -> Result<(), WalletError> {
    let mut session = Session::open(options)?;
    match &arguments.command {
        None | Some(Command::List) => {}
        Some(Command::Add { url }) => {
            session.adopt(url)?;
            session.terminal.say(&format!("added {url}"));
        }
        Some(Command::Remove { url }) => remove(&mut session, url)?,
    }
    let (mut lines, mut list) = (Vec::new(), Vec::new());
    for mint in &session.book().mints {
        let accounts = session.accounts();
        let units: Vec<&str> = accounts
            .iter()
            .filter(|account| account.mint == *mint)
            .map(|account| account.unit.code())
            .collect();
        lines.push(format!("{mint}  {}", units.join(" ")));
        list.push(json!({"mint": mint, "units": units}));
    }
    if list.is_empty() {
        session.terminal.say("no mint: add one with `tacit wallet mints add URL`");
    }
    session.terminal.result(&lines.join("\n"), &Value::Array(list))
}

fn remove(session: &mut Session, mint: &MintUrl) -> Result<(), WalletError> {
    if !session.book().mints.contains(mint) {
        return Err(WalletError::NotListed { mint: mint.clone() });
    }
    for account in session.accounts().iter().filter(|account| account.mint == *mint) {
        let balance = session.state().balance(mint, account.unit);
        if balance != 0 {
            let left = shown(balance, account.unit);
            session
                .terminal
                .confirm(&format!("{left} is with {mint}. Remove the mint all the same?"))?;
        }
    }
    Ok(session.note(|book| book.remove(mint))?)
}
