//! Makes of the compiled web wallet one release: a directory of files, each named with its hash where the browser may keep it for good,
//! compressed beside, and listed with its SHA-256 in `release.json`. The hash of that list is the release's name.
//!
//! Architecture invariant: nothing of a release depends on when or where it was packed.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use wasm_bindgen_cli_support::Bindgen;

/// Pack the compiled web wallet into a directory for `tacitd --wallet`
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The compiled module
    #[arg(long, value_name = "FILE")]
    wasm: PathBuf,
    /// Page, style, icons, service worker
    #[arg(long, value_name = "DIR")]
    assets: PathBuf,
    /// Where the release goes; what is there is replaced
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Release {
    version: u32,
    files: BTreeMap<String, Listed>,
}

#[derive(Serialize)]
struct Listed {
    sha256: String,
    length: usize,
}

/// Names with their contents.
type Files = BTreeMap<String, Vec<u8>>;

fn main() -> Result<()> {
    let options = Options::parse();
    let files = files(&options)?;
    let listed = files
        .iter()
        .map(|(name, bytes)| (name.clone(), Listed { sha256: digest(bytes), length: bytes.len() }));
    let release = Release { version: 1, files: listed.collect() };
    let list = serde_json::to_vec_pretty(&release)?;
    write(&options.out, &files, &list)?;
    let sent: usize =
        files.values().map(|bytes| brotli(bytes).map(|small| small.len())).sum::<Result<_>>()?;
    let (name, place) = (digest(&list), options.out.display());
    writeln!(
        std::io::stdout(),
        "release {name} in {place}: {} files, {sent} bytes compressed",
        files.len()
    )?;
    Ok(())
}

/// Everything the browser is to have.
fn files(options: &Options) -> Result<Files> {
    let bound = tempfile::tempdir()?;
    let made = Bindgen::new().input_path(&options.wasm).web(true).and_then(|bindgen| {
        bindgen.typescript(false).remove_name_section(true).out_name("app").generate(bound.path())
    });
    made.with_context(|| {
        format!("{} is no module of wasm-bindgen's version", options.wasm.display())
    })?;
    let mut files = read(bound.path())?;
    let module = files.remove("app_bg.wasm").context("wasm-bindgen made no module")?;
    let glue = files.remove("app.js").context("wasm-bindgen made no glue")?;
    let module = add(&mut files, "app", "wasm", module);
    let glue = add(&mut files, "app", "js", glue);
    let mut assets = read(&options.assets)?;
    let mut texts = BTreeMap::from([("{{app.wasm}}", module), ("{{app.js}}", glue)]);
    for (name, stem, kind, place) in
        [("boot.js", "boot", "js", "{{boot.js}}"), ("style.css", "style", "css", "{{style.css}}")]
    {
        let bytes = assets.remove(name).with_context(|| format!("the assets lack {name}"))?;
        let named = add(&mut files, stem, kind, filled(bytes, &texts)?);
        texts.insert(place, named);
    }
    for (name, bytes) in assets {
        let is_text = name.ends_with(".html");
        let bytes = if is_text { filled(bytes, &texts)? } else { bytes };
        if files.insert(name.clone(), bytes).is_some() {
            bail!("two files are called {name}");
        }
    }
    Ok(files)
}

/// A file under a name that has its hash.
fn add(files: &mut Files, stem: &str, kind: &str, bytes: Vec<u8>) -> String {
    let name = format!("{stem}-{}.{kind}", &digest(&bytes)[..16]);
    files.insert(name.clone(), bytes);
    name
}

/// A text with names in their places.
fn filled(bytes: Vec<u8>, texts: &BTreeMap<&str, String>) -> Result<Vec<u8>> {
    let text = String::from_utf8(bytes)?;
    let text = texts.iter().fold(text, |text, (place, name)| text.replace(place, name));
    if text.contains("{{") {
        bail!("a place in an asset was not filled");
    }
    Ok(text.into_bytes())
}

/// The files of a directory and those below, by their paths.
fn read(directory: &Path) -> Result<Files> {
    let mut files = Files::new();
    let entries = fs::read_dir(directory)
        .with_context(|| format!("{} cannot be read", directory.display()))?;
    for entry in entries {
        let (path, name) = {
            let entry = entry?;
            (entry.path(), entry.file_name().into_string())
        };
        let Ok(name) = name else { bail!("{} has no name in UTF-8", path.display()) };
        if path.is_dir() {
            files.extend(
                read(&path)?.into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)),
            );
        } else {
            files.insert(name, fs::read(&path)?);
        }
    }
    Ok(files)
}

/// Writes beside, then puts the whole in the place of what is there.
fn write(out: &Path, files: &Files, list: &[u8]) -> Result<()> {
    let new = out.with_extension("new");
    if new.exists() {
        fs::remove_dir_all(&new)?;
    }
    let all = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    for (name, bytes) in all.chain([("release.json", list)]) {
        let path = new.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&new))?;
        fs::write(&path, bytes)?;
        fs::write(new.join(format!("{name}.br")), brotli(bytes)?)?;
        fs::write(new.join(format!("{name}.gz")), gzip(bytes)?)?;
    }
    if out.exists() {
        fs::remove_dir_all(out)?;
    }
    fs::rename(&new, out).with_context(|| format!("{} cannot be written", out.display()))
}

fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let parameters =
        brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    let mut small = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut small, &parameters)?;
    Ok(small)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
