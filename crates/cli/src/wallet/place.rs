//! Where the wallet is and how it reaches mints: flags, then the environment, then a configuration file.

use std::env;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use tacit_wallet::mint::MintUrl;

use super::clock;
use super::error::WalletError;
use super::net::Settings;

/// Options of every command of the wallet.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Options {
    /// The wallet file [default: tacit/wallet under $XDG_DATA_HOME or ~/.local/share]
    #[arg(long, global = true, value_name = "FILE", env = "TACIT_WALLET")]
    wallet: Option<PathBuf>,
    /// Read the passphrase from the first line of this file [default: the environment's TACIT_WALLET_PASSPHRASE, the
    /// keyring if the wallet was made with it, the terminal]
    #[arg(long, global = true, value_name = "FILE", env = "TACIT_WALLET_PASSPHRASE_FILE")]
    passphrase_file: Option<PathBuf>,
    /// Reach mints through a proxy, such as socks5h://127.0.0.1:9050 for Tor [default: ALL_PROXY and its like]
    #[arg(long, global = true, value_name = "URL", env = "TACIT_WALLET_PROXY")]
    proxy: Option<String>,
    /// How long a mint may take for one answer [default: 60]
    #[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: Option<u64>,
    /// Talk to mints without encryption that are not on this machine
    #[arg(long, global = true)]
    insecure: bool,
    /// Count so many days ahead of this machine's clock: for a demonstration whose clock was moved
    #[arg(long, global = true, value_name = "DAYS", env = "TACIT_DAYS_AHEAD", value_parser = clap::value_parser!(u16))]
    days_ahead: Option<u16>,
    /// Answer every question with yes
    #[arg(long, short = 'y', global = true)]
    pub(super) yes: bool,
    /// Print results as JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// The configuration file [default: tacit/wallet.toml under $XDG_CONFIG_HOME or ~/.config]
    #[arg(long, global = true, value_name = "FILE", env = "TACIT_WALLET_CONFIG")]
    config: Option<PathBuf>,
}

/// The configuration file: TOML, every key optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    wallet: Option<PathBuf>,
    passphrase_file: Option<PathBuf>,
    proxy: Option<String>,
    timeout_seconds: Option<u64>,
    mint: Option<MintUrl>,
}

/// What flags, environment and file come to.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The wallet file.
    pub(super) wallet: PathBuf,
    /// Where the passphrase stands, if in a file.
    pub(super) passphrase_file: Option<PathBuf>,
    /// How to reach mints.
    pub(super) settings: Settings,
    /// The mint to prefer where several would do.
    pub(super) mint: Option<MintUrl>,
}

impl Options {
    /// What they come to with the environment and the configuration file.
    ///
    /// # Errors
    /// [`WalletError::Config`], [`WalletError::NoHome`].
    pub(super) fn place(&self) -> Result<Place, WalletError> {
        clock::set_ahead(self.days_ahead.unwrap_or(0));
        let config = self.read_config()?;
        let wallet = match self.wallet.clone().or(config.wallet) {
            Some(wallet) => wallet,
            None => {
                let data = directory("XDG_DATA_HOME", ".local/share");
                data.ok_or(WalletError::NoHome)?.join("tacit").join("wallet")
            }
        };
        let seconds = self.timeout.or(config.timeout_seconds).unwrap_or(60);
        let settings = Settings {
            proxy: self.proxy.clone().or(config.proxy).filter(|proxy| !proxy.is_empty()),
            timeout: Duration::from_secs(seconds.clamp(1, 3600)),
            is_insecure: self.insecure,
        };
        let passphrase_file = self.passphrase_file.clone().or(config.passphrase_file);
        Ok(Place { wallet, passphrase_file, settings, mint: config.mint })
    }

    fn read_config(&self) -> Result<Config, WalletError> {
        let of_home = || directory("XDG_CONFIG_HOME", ".config");
        let usual = || of_home().map(|config| config.join("tacit").join("wallet.toml"));
        let Some(path) = self.config.clone().or_else(usual) else { return Ok(Config::default()) };
        let read = match fs::read_to_string(&path) {
            // One that was named must be there.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.config.is_none() => {
                return Ok(Config::default());
            }
            read => read.map_err(anyhow::Error::from),
        };
        let parsed = read.and_then(|text| Ok(toml::from_str(&text)?));
        parsed.map_err(|source| WalletError::Config { path, source })
    }
}

/// A directory of the XDG Base Directory Specification, version 0.8: relative paths do not count.
fn directory(variable: &str, below_home: &str) -> Option<PathBuf> {
    let named = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| env::home_dir().map(|home| home.join(below_home)))
}
