//! What is said to the person and asked of them: always on stderr, so that stdout holds results alone.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use tacit_core::secret::Secret;
use zeroize::Zeroizing;

use super::error::WalletError;
use super::qr;

/// Who is at the other end of the streams.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminal {
    /// Results are JSON.
    pub(super) is_json: bool,
    /// Every question is answered with yes.
    pub(super) is_yes: bool,
}

impl Terminal {
    /// Whether somebody can be asked.
    pub(super) fn is_attended(self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Tells something, for people.
    pub(super) fn say(self, text: &str) {
        // Who closed stderr does not want to hear.
        _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Prints the result: a text, or a JSON object.
    ///
    /// # Errors
    /// [`WalletError::Output`].
    pub(super) fn result(self, text: &str, json: &Value) -> Result<(), WalletError> {
        let mut stdout = io::stdout().lock();
        let written = match self.is_json {
            true => writeln!(stdout, "{json}"),
            false if text.is_empty() => Ok(()),
            false => writeln!(stdout, "{text}"),
        };
        written.and_then(|()| stdout.flush()).map_err(WalletError::Output)
    }

    /// Shows a text as a QR code, if it can be.
    pub(super) fn show_code(self, text: &str) {
        if let Err(error) = qr::show(text) {
            self.say(&format!("note: {error}"));
        }
    }

    /// Asks for consent.
    ///
    /// # Errors
    /// [`WalletError::Declined`]; [`WalletError::NeedsYes`] if there is nobody to ask.
    pub(super) fn confirm(self, question: &str) -> Result<(), WalletError> {
        if self.is_yes {
            return Ok(());
        }
        if !self.is_attended() {
            self.say(question);
            return Err(WalletError::NeedsYes);
        }
        let answer = self.ask(&format!("{question} [y/N] "))?;
        let is_yes = matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes");
        if is_yes { Ok(()) } else { Err(WalletError::Declined) }
    }

    /// Asks for a line.
    ///
    /// # Errors
    /// [`WalletError::Input`], also at the end of the input.
    pub(super) fn ask(self, question: &str) -> Result<Zeroizing<String>, WalletError> {
        let mut stderr = io::stderr().lock();
        _ = write!(stderr, "{question}").and_then(|()| stderr.flush());
        let mut line = Zeroizing::new(String::new());
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) => Err(WalletError::Input(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => Ok(line),
            Err(error) => Err(WalletError::Input(error)),
        }
    }

    /// Shows that something takes its time; hidden unless stderr is a terminal, gone when dropped.
    pub(super) fn wait(self, what: &str) -> Waiting {
        let bar = if self.is_json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        let bar = bar.with_style(style.expect("the template is well formed"));
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Waiting(bar)
    }
}

/// Something that takes its time.
pub(super) struct Waiting(ProgressBar);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// What an argument says, or standard input if it says `-`: without white space around it, at most `most` bytes.
///
/// # Errors
/// [`WalletError::Input`].
pub(super) fn read_argument(argument: &str, most: usize) -> Result<Secret<String>, WalletError> {
    if argument != "-" {
        return Ok(Secret::new(argument.trim().to_owned()));
    }
    let mut text = Zeroizing::new(String::new());
    let most = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(2);
    let read = if io::stdin().is_terminal() {
        _ = writeln!(io::stderr().lock(), "paste it, then press Enter:");
        super::paste::read_line(&mut text)
    } else {
        io::stdin().lock().take(most).read_to_string(&mut text)
    };
    read.map_err(WalletError::Input)?;
    Ok(Secret::new(text.trim().to_owned()))
}
