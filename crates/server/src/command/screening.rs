//! `tacitd screening`.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use tacit_server::control::screening::{InUse, ask_to_import};
use tacit_server::data_dir::control_of;
use tacit_service::desk::screening::list;

use super::{ScreeningCommand, need_data_dir};

/// Put a list of names that people are screened for into use
///
/// A list of the same name that is in use is replaced only with --replace: without it, what would be replaced is said, and
/// nothing done.
///
/// Takes targets.simple.csv as OpenSanctions publishes it, or sdn.csv or alt.csv of OFAC. Of it, the people are taken.
/// Everybody with an account is screened again; hits wait on the console for compliance. Exits 1 if the file is none of
/// these.
#[derive(clap::Args)]
pub(crate) struct Import {
    /// Data directory of the mint
    dir: PathBuf,
    /// The file, as it was published
    file: PathBuf,
    /// What the list is called [default: opensanctions, ofac-sdn or ofac-alt, by what the file is]
    #[arg(long)]
    name: Option<String>,
    /// Take the place of the list that is called so
    #[arg(long)]
    replace: bool,
}

pub(crate) fn run(command: &ScreeningCommand, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    match command {
        ScreeningCommand::Import(args) => import(args, stdout),
    }
}

fn import(args: &Import, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    need_data_dir(&args.dir)?;
    let cannot = || format!("cannot take {}", args.file.display());
    let file = File::open(&args.file).with_context(cannot)?;
    let (shape, names) = list::read(BufReader::new(file)).with_context(cannot)?;
    let list = args.name.as_deref().unwrap_or(shape.list_name());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let control = control_of(&args.dir);
    let asked = ask_to_import(&control, list, &names, args.replace);
    match runtime.block_on(asked)? {
        None => writeln!(stdout, "{list}: {} names", names.len())?,
        Some(InUse { names: before, imported }) => {
            writeln!(
                stdout,
                "{list}: {} names, in the place of {before} of {imported}",
                names.len()
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
