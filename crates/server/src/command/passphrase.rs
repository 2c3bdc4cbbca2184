//! `tacitd seed passphrase`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use tacit_server::data_dir::DataDir;
use tacit_server::passphrase::{Names, Places};
use tacit_server::seed;

use super::{PassphraseArgs, need_data_dir};

/// Encrypt the seed under another passphrase, or under its first one
///
/// The mint must be stopped. The seed itself stays the same, and so do all keys. Copies made before still open with
/// the passphrase they were made under. After a crash the file is the old one or the new one, whole.
#[derive(clap::Args)]
pub(crate) struct Change {
    /// Data directory of the mint
    dir: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// File with the new passphrase, less one line end; else it is looked for in TACITD_NEW_PASSPHRASE, then in the
    /// systemd credential tacitd-new-passphrase
    #[arg(long, value_name = "FILE", env = "TACITD_NEW_PASSPHRASE_FILE")]
    new_passphrase_file: Option<PathBuf>,
}

pub(crate) fn run(args: &Change, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    need_data_dir(&args.dir)?;
    let data = DataDir::lock(&args.dir)?;
    let path = data.seed();
    let file = seed::read(&path)?;
    let was_sealed = file.is_sealed();
    let seed = file.open(&args.passphrase.places())?;
    let new = Places::of_process(Names::NEW, args.new_passphrase_file.clone()).find_new()?;
    seed::replace(&path, &seed, &new)?;
    let (shown, old) =
        (path.display(), if was_sealed { "under the old passphrase" } else { "in the clear" });
    write!(
        stdout,
        "\
{shown} is encrypted under the new passphrase from now on. Copy it anew to where you keep its copies.
Copies made before hold the same seed {old}: destroy them.
"
    )?;
    Ok(ExitCode::SUCCESS)
}
