//! `init`: twelve words and a file for them. `passphrase`: another lock on the same file.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tacit_wallet::seed::Words;
use tacit_wallet::storage::seal::Keeper;
use zeroize::Zeroizing;

use crate::wallet::error::WalletError;
use crate::wallet::file::{Beginning, FileError, WalletFile};
use crate::wallet::keyring;
use crate::wallet::passphrase::{self, Passphrase};
use crate::wallet::place::{Options, Place};
use crate::wallet::session::Session;
use crate::wallet::terminal::Terminal;

/// How many words are asked back.
const ASKED: usize = 3;
/// More bytes than 24 words have.
const WORDS_MAX: u64 = 1024;

/// Make a wallet, of new words or of those you have
///
/// New words are shown once and some are asked back: they are the only way to your money when the file is lost, and
/// whoever has them has the money. Without a terminal they are printed to stdout, for scripts and tests.
#[derive(Args)]
pub(crate) struct Init {
    /// Read the words from this file, or from stdin if `-`; run `tacit wallet restore --mint URL` then
    #[arg(long, value_name = "FILE")]
    words: Option<PathBuf>,
    /// Let the system's keyring keep a random passphrase, so that none has to be typed
    #[arg(long)]
    keyring: bool,
}

/// Put the wallet file under another passphrase
///
/// The new one is asked for twice, or read from a file.
#[derive(Args)]
pub(crate) struct ChangePassphrase {
    /// Read the new passphrase from the first line of this file
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
    /// Let the system's keyring keep a random passphrase
    #[arg(long, conflicts_with = "new_passphrase_file")]
    keyring: bool,
}

pub(crate) fn run(arguments: &Init, options: &Options) -> Result<(), WalletError> {
    let place = options.place()?;
    let terminal = Terminal { is_json: options.json, is_yes: options.yes };
    // Before anybody writes twelve words down for nothing.
    if fs::exists(&place.wallet).unwrap_or(false) {
        return Err(FileError::Exists { path: place.wallet }.into());
    }
    let (words, is_new) = match &arguments.words {
        Some(path) => (read_words(path)?, false),
        None => (Words::from_entropy(&random()?), true),
    };
    if is_new && terminal.is_attended() {
        show_and_ask_back(&words, terminal)?;
    }
    let (passphrase, keeper) = match arguments.keyring {
        true => (kept(&place)?, Keeper::Keyring),
        false => (passphrase::find_new(place.passphrase_file.as_deref())?, Keeper::Person),
    };
    let text = words.to_text();
    let beginning = Beginning { words: text.expose(), passphrase: &passphrase, keeper };
    WalletFile::create(&place.wallet, &beginning)?;
    terminal.say(&format!("the wallet is at {}", place.wallet.display()));
    let shows = is_new && !terminal.is_attended();
    let mut result = json!({"wallet": place.wallet});
    if shows {
        result["words"] = json!(text.expose());
        terminal.say("its words follow, this once: whoever has them has the money");
    }
    if !is_new {
        terminal.say("to find its money: tacit wallet restore --mint URL");
    }
    terminal.result(if shows { text.expose() } else { "" }, &result)
}

pub(crate) fn change_passphrase(
    arguments: &ChangePassphrase,
    options: &Options,
) -> Result<(), WalletError> {
    let mut session = Session::open(options)?;
    let (passphrase, keeper) = match (arguments.keyring, &arguments.new_passphrase_file) {
        (true, _) => (kept(&session.place)?, Keeper::Keyring),
        (false, Some(path)) => (passphrase::find_new(Some(path))?, Keeper::Person),
        (false, None) => (passphrase::ask_new()?, Keeper::Person),
    };
    session.relock(&passphrase, keeper)?;
    session
        .terminal
        .say("the wallet has another passphrase now; copies of the file keep the old one");
    session.terminal.result("", &json!({"wallet": session.place.wallet}))
}

/// A random passphrase that the keyring keeps.
fn kept(place: &Place) -> Result<Passphrase, WalletError> {
    let random = Zeroizing::new(random()?);
    let text = keyring::store(&place.wallet, &random)?;
    // What it gives back is what will be asked for: better a failure now than a wallet that never opens.
    let given = keyring::look_up(&place.wallet)?;
    let passphrase = Passphrase::new(given)?;
    if passphrase.expose() != text.as_bytes() {
        let said = "it gives back something else".to_owned();
        return Err(keyring::KeyringError::NotStored { said }.into());
    }
    Ok(passphrase)
}

fn read_words(path: &PathBuf) -> Result<Words, WalletError> {
    let mut text = Zeroizing::new(String::new());
    let read = if path.as_os_str() != "-" {
        fs::File::open(path).and_then(|file| file.take(WORDS_MAX).read_to_string(&mut text))
    } else if io::stdin().is_terminal() && io::stderr().is_terminal() {
        // Not echoed: words on a screen stay in its scrollback.
        let typed = rpassword::prompt_password("Your words (not shown): ").map(Zeroizing::new);
        typed.map(|typed| text.push_str(&typed)).map(|()| text.len())
    } else {
        io::stdin().lock().take(WORDS_MAX).read_to_string(&mut text)
    };
    read.map_err(|source| WalletError::InputFile { path: path.clone(), source })?;
    Ok(text.parse()?)
}

/// Shows new words until those that are asked back are right.
fn show_and_ask_back(words: &Words, terminal: Terminal) -> Result<(), WalletError> {
    let text = words.to_text();
    let words: Vec<&str> = text.expose().split(' ').collect();
    terminal.say("Write these words down, in this order, on paper. They are shown this once.\n");
    loop {
        for (row, words) in words.chunks(3).enumerate() {
            let column =
                |(at, word): (usize, &&str)| format!("{:>4}. {word:<10}", 3 * row + at + 1);
            let line: Vec<String> = words.iter().enumerate().map(column).collect();
            terminal.say(line.concat().trim_end());
        }
        terminal.ask("\nPress Enter when they are written down; the screen is then cleared. ")?;
        // Screen and scrollback.
        terminal.say("\u{1b}[H\u{1b}[2J\u{1b}[3J");
        if asked_back(&words, terminal)? {
            return Ok(());
        }
        terminal.say("That is not the word. Here they are again.\n");
    }
}

fn asked_back(words: &[&str], terminal: Terminal) -> Result<bool, WalletError> {
    let mut places: Vec<usize> = (0..words.len()).collect();
    for _ in 0..ASKED {
        let drawn = usize::from(random::<1>()?[0]) % places.len();
        let place = places.swap_remove(drawn);
        let answer = terminal.ask(&format!("Word {}: ", place + 1))?;
        if answer.trim().to_lowercase() != words[place] {
            return Ok(false);
        }
    }
    Ok(true)
}

fn random<const N: usize>() -> Result<[u8; N], WalletError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
