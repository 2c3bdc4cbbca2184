//! `tacitd serve`.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::ArgMatches;
use sd_notify::NotifyState;
use tacit_server::config::Config;
use tacit_server::log::{self, Field, Level};
use tacit_server::server::{self, Parts, Running};
use tokio::signal::unix::{SignalKind, signal};

use super::ConfigArgs;

/// The store failed while the mint was running: `EX_SOFTWARE` of `sysexits.h`.
const STORE_FAILED: u8 = 70;

/// Run the mint
///
/// Logs to standard error. Stops on SIGTERM or Ctrl-C, after what is queued is committed; SIGHUP lets it look at the
/// files of its certificate at once. Exits 0 when stopped
/// so, 1 if it could not start, 70 if the store failed while it ran. Flags win over the environment, that over the
/// file, that over defaults.
#[derive(clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    config: ConfigArgs,
}

pub(crate) fn run(
    args: &Serve,
    matches: &ArgMatches,
    stdout: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    log::catch_panics();
    let overrides = args.config.overrides(matches);
    let config = Config::load(overrides, args.config.config.as_deref())?;
    raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("http")
        .build()
        .context("no thread can be started")?;
    let sound = runtime.block_on(serve(config, stdout))?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(STORE_FAILED) })
}

/// Returns whether the store was sound to the end.
async fn serve(config: Config, stdout: &mut impl Write) -> anyhow::Result<bool> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let parts = Parts::open(&config)?;
    let (data, demo) = (config.data.clone(), config.demo);
    let paths: Vec<String> = config.units.iter().map(|unit| unit.path.clone()).collect();
    let running = server::start(config, parts).await?;
    let (listen, version) = (running.address(), env!("CARGO_PKG_VERSION"));
    let shown = data.display();
    log::write(
        Level::Info,
        "the mint is up",
        &[(Field::Version, &version), (Field::Listen, &listen), (Field::Data, &shown)],
    );
    if demo {
        // Nobody may be reading; then nobody needs it.
        _ = stdout.write_all(welcome(&running, &paths).as_bytes());
        _ = stdout.flush();
    }
    tell_systemd(&NotifyState::Ready);
    loop {
        tokio::select! {
            _ = hangup.recv() => {
                running.look_at_certificate();
                continue;
            }
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = running.failed() => {}
        }
        break;
    }
    tell_systemd(&NotifyState::Stopping);
    log::write(Level::Info, "the mint is stopping", &[]);
    let sound = running.stop().await;
    log::write(Level::Info, "the mint has stopped", &[]);
    Ok(sound)
}

/// Says how things stand to whoever started this process, if it wants to know (`Type=notify`).
fn tell_systemd(state: &NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        log::write(Level::Warn, "systemd was not told", &[(Field::Error, &error)]);
    }
}

/// Lets this process open as many files as its user may: each connection is one.
fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Refused on some systems; then fewer connections fit.
    _ = setrlimit(Resource::Nofile, limit);
}

/// What a newcomer may do next.
fn welcome(running: &Running, paths: &[String]) -> String {
    let (mut address, scheme) = (running.address(), running.scheme());
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let mut text =
        "\nA demonstration: quotes are paid by themselves after a second, and the money is not \
        real.\nEach unit is a Cashu mint of its own:\n\n"
            .to_owned();
    for path in paths {
        text.push_str(&format!("  {scheme}://{address}/{path}\n"));
    }
    if paths.iter().any(|path| path == "usd") {
        text.push_str(&format!(
            "\nTry it with Nutshell, a wallet for the command line:\n\n  \
             python3 -m venv nutshell\n  \
             nutshell/bin/pip install 'cashu==0.20.2' 'marshmallow<4' 'limits<4'\n  \
             export TOR=FALSE CASHU_DIR=alice\n  \
             nutshell/bin/cashu -h {scheme}://{address}/usd -u usd -y invoice 10.50\n  \
             nutshell/bin/cashu -h {scheme}://{address}/usd -u usd -y send 2.50\n  \
             CASHU_DIR=bob nutshell/bin/cashu -h {scheme}://{address}/usd -u usd -y receive TOKEN\n"
        ));
    }
    text.push_str("\nIn a browser on this machine:\n\n");
    for (_, origin) in running.origins().known() {
        text.push_str(&format!("  {origin}/\n"));
    }
    if let Some(link) = running.invitation() {
        text.push_str(&format!("\nTo be the operator, make a passkey for the console: {link}\n"));
    }
    text.push_str("\nPress Ctrl-C to stop.\n\n");
    text
}
