//! The command line.

pub(crate) mod accept_loss;
pub(crate) mod backup;
pub(crate) mod bank;
pub(crate) mod config;
pub(crate) mod health;
pub(crate) mod init;
pub(crate) mod inventory;
pub(crate) mod migrate;
pub(crate) mod passphrase;
pub(crate) mod progress;
pub(crate) mod reconcile;
pub(crate) mod restore;
pub(crate) mod rotate;
pub(crate) mod screening;
pub(crate) mod serve;
pub(crate) mod staff;
pub(crate) mod statement;
pub(crate) mod verify;

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::parser::ValueSource;
use clap::{ArgMatches, Parser, Subcommand};
use tacit_server::config::Overrides;
use tacit_server::config::setting::{Given, Source};
use tacit_server::passphrase::{Names, Places};
use tacit_server::vault::with_password;
use tacit_store::postgres::Target;

/// A mint of blind-signed e-cash
///
/// Exit codes: 0 when done; 1 if that failed; 2 if the command line is wrong. `serve` and `verify` have more.
#[derive(Parser)]
#[command(name = "tacitd", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Init(init::Init),
    Serve(serve::Serve),
    Verify(verify::Verify),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Migrate(migrate::Migrate),
    AcceptLoss(accept_loss::AcceptLoss),
    Inventory(inventory::Inventory),
    Statement(statement::Statement),
    Reconcile(reconcile::Reconcile),
    Health(health::Health),
    /// Look at the configuration
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Look after keysets
    Keyset {
        #[command(subcommand)]
        command: KeysetCommand,
    },
    /// Look after who works at the desk
    Staff {
        #[command(subcommand)]
        command: StaffCommand,
    },
    /// Look after the lists of names that people are screened for
    Screening {
        #[command(subcommand)]
        command: ScreeningCommand,
    },
    /// What the bank says, and is asked to pay
    Bank {
        #[command(subcommand)]
        command: BankCommand,
    },
    /// Look after the seed, while the mint is stopped
    Seed {
        #[command(subcommand)]
        command: SeedCommand,
    },
}

#[derive(Subcommand)]
pub(crate) enum KeysetCommand {
    Rotate(rotate::Rotate),
}

#[derive(Subcommand)]
pub(crate) enum BankCommand {
    Import(bank::Import),
    Payout(bank::PayOut),
    Order(bank::Order),
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    Check(config::Check),
}

#[derive(Subcommand)]
pub(crate) enum StaffCommand {
    Add(staff::Add),
    Invite(staff::Invite),
}

#[derive(Subcommand)]
pub(crate) enum ScreeningCommand {
    Import(screening::Import),
}

#[derive(Subcommand)]
pub(crate) enum SeedCommand {
    Passphrase(passphrase::Change),
}

/// Refuses a data directory that is not there, which taking it would make.
pub(crate) fn need_data_dir(path: &Path) -> anyhow::Result<()> {
    if !path.is_dir() {
        bail!("there is no data directory {}", path.display());
    }
    Ok(())
}

/// Where the passphrase of the seed stands, for each command that opens it.
#[derive(clap::Args)]
pub(crate) struct PassphraseArgs {
    /// File with the passphrase of the seed, less one line end; else it is looked for in TACITD_PASSPHRASE, then
    /// in the systemd credential tacitd-passphrase
    #[arg(long, value_name = "FILE", env = "TACITD_PASSPHRASE_FILE")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseArgs {
    pub(crate) fn places(&self) -> Places {
        Places::of_process(Names::CURRENT, self.passphrase_file.clone())
    }
}

/// The database of a vault that is not the file in the data directory.
#[derive(clap::Args)]
pub(crate) struct VaultArgs {
    /// Database of the vault, in place of the file in the data directory: postgres://user@host/database. Its password:
    /// PGPASSWORD, or a file as in PGPASSFILE
    #[arg(long, value_name = "URL", env = "TACITD_VAULT_URL", hide_env_values = true)]
    vault_url: Option<String>,
}

impl VaultArgs {
    /// The database, with its password.
    pub(crate) fn target(&self) -> anyhow::Result<Option<Target>> {
        let target = self.vault_url.as_deref().map(str::parse::<Target>).transpose()?;
        Ok(target.map(with_password))
    }
}

/// What configures a mint, beside the file.
#[derive(clap::Args)]
pub(crate) struct ConfigArgs {
    /// Pay quotes by itself and let the clock be moved: for trials, never with real money
    #[arg(long, env = "TACITD_DEMO")]
    demo: bool,
    /// Data directory, as tacitd init made it; in demo mode made if it is not there [default: tacit-data]
    #[arg(long, value_name = "DIR", env = "TACITD_DATA")]
    data: Option<PathBuf>,
    /// Database of the vault, in place of a file in the data directory: postgres://user@host/database
    #[arg(long, value_name = "URL", env = "TACITD_VAULT_URL", hide_env_values = true)]
    vault_url: Option<String>,
    /// Database of the desk, in place of a file in the data directory: postgres://user@host/database, not the vault's
    #[arg(long, value_name = "URL", env = "TACITD_DESK_URL", hide_env_values = true)]
    desk_url: Option<String>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Where to listen [default: 127.0.0.1:3338]
    #[arg(long, value_name = "ADDR:PORT", env = "TACITD_LISTEN")]
    listen: Option<String>,
    /// Speak to other machines without TLS: a proxy that speaks it stands in front
    #[arg(long, env = "TACITD_INSECURE_HTTP")]
    insecure_http: bool,
    /// Directory of a release of the web wallet, to be served on its origin
    #[arg(long, value_name = "DIR", env = "TACITD_WALLET")]
    wallet: Option<PathBuf>,
    /// Configuration in TOML
    #[arg(long, value_name = "FILE", env = "TACITD_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

impl ConfigArgs {
    /// What flags and environment say. `matches` are those of the command, and know which of the two it was.
    pub(crate) fn overrides(&self, matches: &ArgMatches) -> Overrides {
        let source = |id, flag, variable| match matches.value_source(id) {
            Some(ValueSource::CommandLine) => Some(Source::Flag(flag)),
            Some(ValueSource::EnvVariable) => Some(Source::Environment(variable)),
            _ => None,
        };
        let demo = source("demo", "--demo", "TACITD_DEMO");
        let data = source("data", "--data", "TACITD_DATA").zip(self.data.clone());
        let vault_url = source("vault_url", "--vault-url", "TACITD_VAULT_URL");
        let vault_url = vault_url.zip(self.vault_url.clone());
        let desk_url = source("desk_url", "--desk-url", "TACITD_DESK_URL");
        let desk_url = desk_url.zip(self.desk_url.clone());
        let listen = source("listen", "--listen", "TACITD_LISTEN").zip(self.listen.clone());
        let insecure_http = source("insecure_http", "--insecure-http", "TACITD_INSECURE_HTTP");
        let wallet = source("wallet", "--wallet", "TACITD_WALLET").zip(self.wallet.clone());
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        Overrides {
            listen: listen.map(|(source, value)| Given { value, source }),
            data: data.map(|(source, value)| Given { value, source }),
            vault_url: vault_url.map(|(source, value)| Given { value, source }),
            desk_url: desk_url.map(|(source, value)| Given { value, source }),
            demo: demo.map(|source| Given { value: self.demo, source }),
            insecure_http: insecure_http.map(|source| Given { value: self.insecure_http, source }),
            wallet: wallet.map(|(source, value)| Given { value, source }),
            passphrase: self.passphrase.places(),
            variables: names.filter(|name| name.starts_with("TACITD_")).collect(),
        }
    }
}
