//! The system's keyring, through the program that comes with it (`docs/adr`): `secret-tool` of libsecret where there
//! is a desktop with a Secret Service, `security` on macOS. No daemon's protocol is spoken in this process.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use tacit_core::hex;
use zeroize::Zeroizing;

/// Why the keyring gave or took nothing. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyringError {
    /// The program is not installed.
    #[error("the keyring cannot be asked: {program} does not run (Debian: libsecret-tools)")]
    NoProgram { program: &'static str, source: io::Error },
    /// It has no such entry, is locked, or there is no keyring to ask.
    #[error("the keyring has no passphrase for {wallet}, or is locked")]
    NoEntry { wallet: String },
    /// It did not take the entry.
    #[error("the keyring does not take the passphrase: {said:?}")]
    NotStored { said: String },
}

/// The program that speaks to the keyring.
#[cfg(target_os = "macos")]
const PROGRAM: &str = "security";
#[cfg(not(target_os = "macos"))]
const PROGRAM: &str = "secret-tool";

/// The passphrase of a wallet.
///
/// # Errors
/// [`KeyringError::NoProgram`], [`KeyringError::NoEntry`].
pub(super) fn look_up(wallet: &Path) -> Result<Vec<u8>, KeyringError> {
    let account = account(wallet);
    #[cfg(target_os = "macos")]
    let arguments = ["find-generic-password", "-s", "tacit-wallet", "-a", &account, "-w"];
    #[cfg(not(target_os = "macos"))]
    let arguments = ["lookup", "application", "tacit-wallet", "file", &account];
    let ran = Command::new(PROGRAM).args(arguments).stdin(Stdio::null()).output();
    let output = ran.map_err(|source| KeyringError::NoProgram { program: PROGRAM, source })?;
    if !output.status.success() || output.stdout.is_empty() {
        return Err(KeyringError::NoEntry { wallet: account });
    }
    Ok(output.stdout)
}

/// Has a random passphrase kept for a wallet. It goes through a pipe, never through arguments, which all can read.
///
/// # Errors
/// [`KeyringError::NoProgram`], [`KeyringError::NotStored`].
pub(super) fn store(wallet: &Path, random: &[u8; 32]) -> Result<Zeroizing<String>, KeyringError> {
    let (account, passphrase) = (account(wallet), Zeroizing::new(hex::encode(random)));
    #[cfg(target_os = "macos")]
    let (arguments, input) = (
        vec!["-i".to_owned()],
        format!(
            "add-generic-password -U -s tacit-wallet -a {account:?} -w {}\n",
            passphrase.as_str()
        ),
    );
    #[cfg(not(target_os = "macos"))]
    let (arguments, input) = (
        vec![
            "store".to_owned(),
            "--label=Tacit wallet".to_owned(),
            "application".to_owned(),
            "tacit-wallet".to_owned(),
            "file".to_owned(),
            account,
        ],
        passphrase.to_string(),
    );
    let input = Zeroizing::new(input);
    let failed = |source| KeyringError::NoProgram { program: PROGRAM, source };
    let mut child = Command::new(PROGRAM)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // The pipe is closed at the end of the statement: that is how the program knows it has all.
    child
        .stdin
        .take()
        .map_or(Ok(()), |mut pipe| pipe.write_all(input.as_bytes()))
        .map_err(failed)?;
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(KeyringError::NotStored { said });
    }
    Ok(passphrase)
}

/// What the keyring knows a wallet by: its path, from the root on.
fn account(wallet: &Path) -> String {
    let whole = std::path::absolute(wallet).unwrap_or_else(|_| wallet.to_owned());
    whole.display().to_string()
}
