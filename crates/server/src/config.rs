//! What an operator decides: read from flags, then the environment, then a TOML file, then the defaults here.
//!
//! [`setting`] names all there is, [`table`] reads the file, [`in_force`] says what counts and why.

pub mod about;
pub mod agent;
pub mod bank;
mod database;
mod demo;
pub mod in_force;
pub mod passport;
pub mod serving;
pub mod setting;
mod table;
pub mod wallet;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tacit_core::amount::Amount;
use tacit_core::unit::Unit;
use tacit_ecash::keyset::KeysetSpec;
use tacit_service::account::{Level, Limits};
use tacit_service::desk::complaint::Clock;
use tacit_store::postgres::{Target, TargetError};

use self::about::About;
use self::agent::{AgentTerms, Fees};
use self::bank::{BankTerms, limits};
use self::database::target;
use self::passport::PassportTerms;
use self::serving::{Serving, ServingError};
use self::setting::{Given, misspelt};
use self::table::{Read, UnitTable, Unknown};
use self::wallet::WalletTerms;
use crate::origin::Origin;
use crate::passphrase::{PassphraseError, Places};

/// Paths of the server's own, which no unit may take.
const RESERVED_PATHS: [&str; 5] = ["demo", "health", "metrics", "ready", "v1"];

/// All that a server needs to know before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: String,
    /// Under which names it is reached, and where else it listens.
    pub serving: Serving,
    /// Directory of the vault.
    pub data: PathBuf,
    /// The database of the vault, if it is not the file in [`Self::data`].
    pub vault_url: Option<Target>,
    /// The database of the desk, if it is not the file in [`Self::data`].
    pub desk_url: Option<Target>,
    /// Where the passphrase of the seed is looked for. Never in the file.
    pub passphrase: Places,
    /// Whether quotes pay themselves and the clock can be moved. Never with real money.
    pub demo: bool,
    /// What the mint says of itself.
    pub about: About,
    /// Where the bank's files are put, if they are.
    pub bank_folder: Option<PathBuf>,
    /// Name of whoever owns the accounts at the bank, for payout files.
    pub bank_name: Option<String>,
    /// Where webhooks may go beside the public internet over TLS.
    pub webhook_origins: Vec<Origin>,
    /// By when complaints are answered.
    pub complaints: Clock,
    /// How long codes at agents are good.
    pub agent: AgentTerms,
    /// What passports and certificates are made by.
    pub passport: PassportTerms,
    /// What is served to people as their wallet.
    pub wallet: WalletTerms,
    /// Units served, each under a path of its own.
    pub units: Vec<UnitConfig>,
    /// How much is taken on at once.
    pub bounds: Bounds,
}

/// One unit and its terms.
#[derive(Clone, Debug)]
pub struct UnitConfig {
    /// What is counted.
    pub unit: Unit,
    /// First part of its URL's path, without slashes.
    pub path: String,
    /// Whether method `bolt11` is served as an alias of `bank`, for wallets that know no other.
    pub bolt11: bool,
    /// Fee of the unit's first keyset, for each input in thousandths of the minor unit (NUT-02). A later
    /// change applies to the next keyset.
    pub input_fee_ppk: u64,
    /// Denominations `2^0` to `2^(denominations - 1)` of the first keyset; as with the fee.
    pub denominations: u8,
    /// Amounts a mint quote may be for.
    pub mint: Range,
    /// Amounts a melt quote may be for.
    pub melt: Range,
    /// The operator's account at the bank, if there is one for this unit.
    pub bank: Option<BankTerms>,
    /// What may come in of a day and of a month, for people of level 0, 1 and so on. A level that is not there has no limits.
    pub limits_in: Vec<Limits>,
    /// The same for what may go out.
    pub limits_out: Vec<Limits>,
    /// Largest payout that goes out without two people's approval, in minor units.
    pub payout_alone_max: u64,
    /// What the operator asks for its services.
    pub fees: Fees,
    /// Minor units that count as one unit in a passport.
    pub passport_unit: u64,
}

/// Amounts from `min` to `max`, both allowed, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Least amount, at least 1.
    pub min: u64,
    /// Largest amount, at most [`Amount::MAX_VALUE`].
    pub max: u64,
}

impl Range {
    /// Whether an amount lies within.
    pub fn contains(self, amount: u64) -> bool {
        (self.min..=self.max).contains(&amount)
    }
}

/// How much is taken on at once. What exceeds a queue is refused with status 503, never piled up.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Threads for cryptography and reading. Default: as many as there are cores.
    pub pool_threads: usize,
    /// Requests that wait for such a thread.
    pub pool_queue: usize,
    /// Changes that wait for the writer.
    pub writer_queue: usize,
    /// Changes in one commit.
    pub batch: usize,
    /// Payments under way at once.
    pub payouts: usize,
    /// WebSocket connections at once.
    pub sockets: usize,
    /// How often certificate files are looked at.
    pub tls_look: Duration,
    /// How long a request's body may take to arrive.
    pub body_wait: Duration,
    /// How long a melt waits for its payment before it is answered as pending.
    pub melt_wait: Duration,
    /// How long a mint quote can be paid.
    pub mint_quote_life: Duration,
    /// How long a melt quote can be used.
    pub melt_quote_life: Duration,
    /// How long a quote waits for its money, in demo mode.
    pub receipt_delay: Duration,
    /// How long requests under way have to end when the server stops.
    pub stop_wait: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            pool_threads: std::thread::available_parallelism().map_or(1, usize::from),
            pool_queue: 1024,
            writer_queue: 1024,
            batch: 256,
            payouts: 10_000,
            sockets: 1024,
            tls_look: Duration::from_secs(30),
            body_wait: Duration::from_secs(30),
            melt_wait: Duration::from_secs(30),
            mint_quote_life: Duration::from_secs(24 * 3600),
            melt_quote_life: Duration::from_secs(3600),
            receipt_delay: Duration::from_secs(1),
            stop_wait: Duration::from_secs(10),
        }
    }
}

/// What flags and environment say; each wins over the file.
#[derive(Clone, Debug)]
pub struct Overrides {
    /// Address and port to listen on.
    pub listen: Option<Given<String>>,
    /// Directory of the vault.
    pub data: Option<Given<PathBuf>>,
    /// The database of the vault.
    pub vault_url: Option<Given<String>>,
    /// The database of the desk.
    pub desk_url: Option<Given<String>>,
    /// Whether this is a demo.
    pub demo: Option<Given<bool>>,
    /// Whether other machines may be spoken to without TLS.
    pub insecure_http: Option<Given<bool>>,
    /// Directory of a release of the web wallet.
    pub wallet: Option<Given<PathBuf>>,
    /// Where the passphrase is looked for.
    pub passphrase: Places,
    /// Names of the environment's variables that begin with `TACITD_`.
    pub variables: Vec<String>,
}

impl Default for Overrides {
    fn default() -> Self {
        let (listen, data, vault_url, desk_url) = (None, None, None, None);
        let (demo, insecure_http, wallet) = (None, None, None);
        let (passphrase, variables) = (Places::NOWHERE, Vec::new());
        Self {
            listen,
            data,
            vault_url,
            desk_url,
            demo,
            insecure_http,
            wallet,
            passphrase,
            variables,
        }
    }
}

/// Why a configuration cannot be used. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The passphrase cannot be used. One that is not there at all is missed only by a seed that is encrypted.
    #[error(transparent)]
    Passphrase(PassphraseError),
    /// A variable that means nothing, and is nearly one that does.
    #[error("there is no variable {name}, the nearest is {nearest}")]
    Variable {
        /// Its name.
        name: String,
        /// What it is most likely meant to be.
        nearest: &'static str,
    },
    /// The file cannot be read.
    #[error("the configuration file {path} cannot be read", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file names settings that do not exist.
    #[error("the configuration file {path} cannot be used: {unknown}", path = path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The settings.
        unknown: Unknown,
    },
    /// The file is not TOML, or a value is of the wrong type.
    #[error("the configuration file {path} cannot be understood", path = path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A fee of more than all.
    #[error(
        "unit {unit} has a fee of more than 10000 hundredths of a percent, or a fixed part beyond all amounts"
    )]
    Tariff {
        /// The unit.
        unit: Unit,
    },
    /// The vault's URL.
    #[error(transparent)]
    VaultUrl(#[from] TargetError),
    /// A password where every process of the machine can read it.
    #[error(
        "a password in --vault-url or --desk-url stands in the list of processes: put it into PGPASSFILE, or the URL into \
         TACITD_VAULT_URL or TACITD_DESK_URL"
    )]
    PasswordInFlag,
    /// Where it is reached.
    #[error(transparent)]
    Serving(#[from] ServingError),
    /// A setting of `[about]` that is no URL for a browser.
    #[error("about.{key} must begin with http:// or https://")]
    Url {
        /// Which.
        key: &'static str,
    },
    /// A wallet that nobody could open, or that would have no mint.
    #[error("wallet.directory wants {key}: {why}")]
    WalletOrigin {
        /// What is missing.
        key: &'static str,
        /// What for.
        why: &'static str,
    },
    /// Codes at agents that would never be good, or for longer than is sound.
    #[error("agent.code_hours must be from 1 to 720, agent.deposit_minutes from 1 to 1440")]
    CodeLife,
    /// A wait that nobody would live through.
    #[error("passport.again_months must be at most 120")]
    PassportMonths,
    /// A passport's unit that nothing can be counted in.
    #[error("unit {unit}: passport_unit must be at least 1")]
    PassportUnit {
        /// Which unit.
        unit: Unit,
    },
    /// No unit is served.
    #[error("no unit is configured: add a [[unit]] table to the configuration file, or try --demo")]
    NoUnits,
    /// A path that is empty, the server's own, or not of `a-z`, `0-9` and `-`.
    #[error("unit {unit} cannot be served under /{path}")]
    BadPath {
        /// The unit.
        unit: Unit,
        /// Its path.
        path: String,
    },
    /// Two units under one path, or one unit twice: a foreign unit on the same URL breaks wallets.
    #[error("unit {unit} or its path /{path} stands twice")]
    Twice {
        /// The unit.
        unit: Unit,
        /// Its path.
        path: String,
    },
    /// Outside of 1 to [`KeysetSpec::MAX_ORDERS`].
    #[error("unit {unit} must have from 1 to {max} denominations", max = KeysetSpec::MAX_ORDERS)]
    Denominations {
        /// The unit.
        unit: Unit,
    },
    /// A fee above [`UnitConfig::FEE_MAX`].
    #[error("unit {unit} has an input fee above {max} thousandths", max = UnitConfig::FEE_MAX)]
    Fee {
        /// The unit.
        unit: Unit,
    },
    /// An empty range of amounts, or one that reaches beyond what an amount can be.
    #[error("unit {unit} has a range of amounts that is empty or begins at 0")]
    Range {
        /// The unit.
        unit: Unit,
    },
}

impl Config {
    /// Where a server listens if nobody says otherwise.
    pub const LISTEN: &'static str = "127.0.0.1:3338";
    /// Where the vault is kept if nobody says otherwise.
    pub const DATA: &'static str = "tacit-data";

    /// The configuration of flags, environment and file.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(overrides: Overrides, file: Option<&Path>) -> Result<Self, ConfigError> {
        resolve(overrides, file).map(|(config, _)| config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.serving.check(&self.listen, self.demo)?;
        self.about.check()?;
        self.wallet.check(self)?;
        if !self.agent.is_good() {
            return Err(ConfigError::CodeLife);
        }
        if !self.passport.is_good() {
            return Err(ConfigError::PassportMonths);
        }
        if self.units.is_empty() {
            return Err(ConfigError::NoUnits);
        }
        let (mut paths, mut units) = (BTreeSet::new(), BTreeSet::new());
        for terms in &self.units {
            let (unit, path) = (terms.unit, &terms.path);
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if path.is_empty()
                || !path.bytes().all(plain)
                || RESERVED_PATHS.contains(&path.as_str())
            {
                return Err(ConfigError::BadPath { unit, path: path.clone() });
            }
            if !paths.insert(path) || !units.insert(unit) {
                return Err(ConfigError::Twice { unit, path: path.clone() });
            }
            terms.check()?;
        }
        Ok(())
    }
}

/// The configuration, and what of it stood in the file.
fn resolve(overrides: Overrides, file: Option<&Path>) -> Result<(Config, Read), ConfigError> {
    for name in &overrides.variables {
        if let Some(nearest) = misspelt(name) {
            return Err(ConfigError::Variable { name: name.clone(), nearest });
        }
    }
    let mut read = file.map_or_else(|| Ok(Read::default()), table::read)?;
    let file = std::mem::take(&mut read.file);
    let demo = overrides.demo.map(|given| given.value).or(file.demo).unwrap_or(false);
    let units = file.unit.into_iter().map(|table| UnitConfig::of(table, demo));
    let mut units = units.collect::<Result<Vec<_>, _>>()?;
    if units.is_empty() && demo {
        units = demo::units();
    }
    let listen = overrides.listen.map(|given| given.value).or(file.listen);
    let data = overrides.data.map(|given| given.value).or(file.data);
    let insecure_http = overrides.insecure_http.map(|given| given.value).or(file.insecure_http);
    let vault_url = target(overrides.vault_url, file.vault_url)?;
    let desk_url = target(overrides.desk_url, file.desk_url)?;
    let config = Config {
        listen: listen.unwrap_or_else(|| Config::LISTEN.to_owned()),
        serving: Serving {
            origins: file.origin,
            listeners: file.listener,
            limits: file.limit,
            tls: file.tls,
            acme: file.acme,
            insecure_http: insecure_http.unwrap_or(false),
        },
        data: data.unwrap_or_else(|| PathBuf::from(Config::DATA)),
        vault_url,
        desk_url,
        passphrase: overrides.passphrase,
        demo,
        about: file.about,
        bank_folder: file.bank.folder,
        bank_name: file.bank.name,
        webhook_origins: file.merchants.webhook_origins,
        complaints: file.complaint.0,
        agent: file.agent,
        passport: file.passport,
        wallet: WalletTerms {
            directory: overrides.wallet.map(|given| given.value).or(file.wallet.directory),
        },
        units,
        bounds: Bounds::default(),
    };
    config.check()?;
    Ok((config, read))
}

impl UnitConfig {
    /// A thousand minor units for each input: more is a slip of the pen.
    pub const FEE_MAX: u64 = 1_000_000;
    /// A million of a currency that has hundredths.
    const AMOUNT_MAX: u64 = 100_000_000;
    const DENOMINATIONS: u8 = 32;

    fn of(table: UnitTable, demo: bool) -> Result<Self, ConfigError> {
        let unit = table.unit;
        let fees = Fees::of(&table).ok_or(ConfigError::Tariff { unit })?;
        Ok(Self {
            unit,
            fees,
            path: table.path.unwrap_or_else(|| table.unit.to_string()),
            bolt11: table.bolt11.unwrap_or(demo),
            input_fee_ppk: table.input_fee_ppk,
            denominations: table.denominations.unwrap_or(Self::DENOMINATIONS),
            mint: Range {
                min: table.mint_min.unwrap_or(1),
                max: table.mint_max.unwrap_or(Self::AMOUNT_MAX),
            },
            melt: Range {
                min: table.melt_min.unwrap_or(1),
                max: table.melt_max.unwrap_or(Self::AMOUNT_MAX),
            },
            bank: table
                .bank_account
                .and_then(|account| BankTerms::of(&account, table.bank_entry_reference)),
            limits_in: limits(&table.limits_in),
            limits_out: limits(&table.limits_out),
            payout_alone_max: table.payout_alone_max,
            passport_unit: table.passport_unit.unwrap_or(PassportTerms::UNIT),
        })
    }

    /// What may come in for somebody of this level; `None` for no limit.
    pub fn limits_in(&self, level: Level) -> Option<Limits> {
        self.limits_in.get(usize::from(level.number())).copied()
    }

    /// What may go out; `None` for no limit.
    pub fn limits_out(&self, level: Level) -> Option<Limits> {
        self.limits_out.get(usize::from(level.number())).copied()
    }

    fn check(&self) -> Result<(), ConfigError> {
        let unit = self.unit;
        if !(1..=KeysetSpec::MAX_ORDERS).contains(&self.denominations) {
            return Err(ConfigError::Denominations { unit });
        }
        if self.input_fee_ppk > Self::FEE_MAX {
            return Err(ConfigError::Fee { unit });
        }
        if self.passport_unit == 0 {
            return Err(ConfigError::PassportUnit { unit });
        }
        let is_range =
            |range: Range| (1..=range.max).contains(&range.min) && range.max <= Amount::MAX_VALUE;
        if is_range(self.mint) && is_range(self.melt) {
            Ok(())
        } else {
            Err(ConfigError::Range { unit })
        }
    }
}

#[cfg(test)]
mod tests;
