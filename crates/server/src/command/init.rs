//! `tacitd init`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use tacit_server::data_dir::DataDir;
use tacit_server::seed;

use super::PassphraseArgs;

/// Make a new mint: a data directory with a seed, encrypted under a passphrase
///
/// Overwrites nothing. Prints what to keep a copy of, and nothing secret.
#[derive(clap::Args)]
pub(crate) struct Init {
    /// Data directory; made if it is not there
    #[arg(long, value_name = "DIR", env = "TACITD_DATA")]
    data: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(crate) fn run(args: &Init, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    // First, so that without one no directory is left behind.
    let passphrase = args.passphrase.places().find_new()?;
    let data = DataDir::lock(&args.data)?;
    let path = data.seed();
    if data.has_vault()? && !path.try_exists()? {
        bail!("there is a vault in {} without its seed: put that back", args.data.display());
    }
    let made = seed::create_sealed(&path, &passphrase)?;
    write!(
        stdout,
        "\
A new mint is in {data}. Its public key is
{mint}

Keep copies of these two, away from this machine and from each other:
  {seed}
      encrypted: all keys of the mint are made from it, and it changes only with its passphrase
  the passphrase
      stands nowhere in that directory; if it is lost, so is the seed, and nothing the mint issued can be redeemed

The vault, which will stand beside the seed, is not kept by copying it: an older copy is refused.

Next: tacitd config check --data {data} --config FILE, then tacitd serve with the same.
",
        data = args.data.display(),
        mint = made.mint(),
        seed = path.display(),
    )?;
    Ok(ExitCode::SUCCESS)
}
