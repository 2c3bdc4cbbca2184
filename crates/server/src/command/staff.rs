//! `tacitd staff add` and `tacitd staff invite`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tacit_server::control::staff::{Newcomer, ask_to_let_in};
use tacit_server::data_dir::control_of;
use tacit_service::desk::staff::Role;

use super::need_data_dir;

/// Take somebody in to work at the desk of a mint that runs
///
/// Prints a link that leads to their first passkey: it works once, for a day. The trail notes that it was done at the
/// machine. Once there is an admin, staff are taken in on the console.
#[derive(clap::Args)]
pub(crate) struct Add {
    /// Data directory of the mint
    dir: PathBuf,
    /// What they are called; nobody else who works here may be called so
    #[arg(long)]
    name: String,
    /// What they are here for
    #[arg(long, value_parser = Role::ALL.map(Role::name))]
    role: String,
}

/// Let somebody who works at the desk make a new passkey, such as the last admin who lost theirs
///
/// Prints a link that works once, for a day. The passkeys they had are void once it is used.
#[derive(clap::Args)]
pub(crate) struct Invite {
    /// Data directory of the mint
    dir: PathBuf,
    /// What they are called
    #[arg(long)]
    name: String,
}

pub(crate) fn add(args: &Add, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    let newcomer = Newcomer { name: args.name.clone(), role: Some(args.role.clone()) };
    let_in(&args.dir, &newcomer, stdout)
}

pub(crate) fn invite(args: &Invite, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    let_in(&args.dir, &Newcomer { name: args.name.clone(), role: None }, stdout)
}

fn let_in(dir: &Path, newcomer: &Newcomer, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    need_data_dir(dir)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let link = runtime.block_on(ask_to_let_in(&control_of(dir), newcomer))?;
    writeln!(stdout, "{link}")?;
    Ok(ExitCode::SUCCESS)
}
