//! A release of the web wallet: the files that a packer made, each of them what the release's list says.
//!
//! It is read whole, once, when the server starts. What people are served does not change under them, no path of a request
//! ever meets the file system, and a file that is missing or was changed keeps the server from starting.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use brotli_decompressor::Decompressor;
use flate2::read::GzDecoder;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tacit_core::hex;

use crate::log::{self, Field, Level};

/// The list of a release, in its directory.
pub(crate) const LIST: &str = "release.json";
/// What a browser opens.
pub(crate) const INDEX: &str = "index.html";
/// What the server itself says to the wallet, under names that no file of a release may take.
pub(crate) const OPERATOR: &str = "operator.json";
/// The inventory, for the wallet to show.
pub(crate) const INVENTORY: &str = "inventory.json";

/// The version of the list that is read.
const VERSION: u32 = 1;
/// The one directory that a release has, of any depth: scripts that come with libraries.
const SCRIPTS: &str = "snippets";
/// What a Brotli stream is read by at once.
const WINDOW: usize = 4096;

/// A release, checked. Made only by [`Release::open`].
#[derive(Debug)]
pub struct Release {
    files: BTreeMap<String, File>,
    digest: String,
}

/// A file as it is served.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) plain: Bytes,
    /// The same in Brotli (RFC 7932).
    pub(crate) brotli: Option<Bytes>,
    /// The same in gzip (RFC 1952).
    pub(crate) gzip: Option<Bytes>,
    /// SHA-256 of [`Self::plain`] in hexadecimal.
    pub(crate) digest: String,
}

/// A directory that is no release.
#[derive(Debug, thiserror::Error)]
#[error("the wallet in {path} cannot be served", path = path.display())]
pub struct ReleaseError {
    path: PathBuf,
    source: ReleaseFault,
}

/// Why a directory is no release. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseFault {
    /// A file that cannot be read, or is not there.
    #[error("{path} cannot be read", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The list is not JSON of its form.
    #[error("release.json is no list of a release")]
    List(#[from] serde_json::Error),
    /// A list of another time.
    #[error("release.json is of version {found}, and version {known} is read", known = VERSION)]
    Version {
        /// Which.
        found: u32,
    },
    /// A name that could lead elsewhere, or that is the server's own.
    #[error(
        "release.json names {name:?}: a name is of letters, digits, '.', '_' and '-', does not begin with '.', has no directory \
         but snippets/, and is none of release.json, operator.json, inventory.json"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// There is nothing to open.
    #[error("release.json names no index.html")]
    NoIndex,
    /// A file that is cut off, or goes on.
    #[error("{name} has not the {length} bytes that release.json says")]
    Length {
        /// The file.
        name: String,
        /// What it should have.
        length: u64,
    },
    /// A file that was changed.
    #[error("{name} is not the file that release.json says: its hash is another")]
    Hash {
        /// The file.
        name: String,
    },
    /// A compressed file that is another one's.
    #[error("{name} is not the file it stands beside, compressed")]
    Compressed {
        /// The compressed file.
        name: String,
    },
}

#[derive(Deserialize)]
struct List {
    version: u32,
    files: BTreeMap<String, Listed>,
}

#[derive(Deserialize)]
struct Listed {
    sha256: String,
    length: u64,
}

impl Release {
    /// Reads a directory, and checks each file that its list names. Others are left alone.
    ///
    /// # Errors
    /// [`ReleaseError`].
    pub fn open(directory: &Path) -> Result<Self, ReleaseError> {
        let release = Self::read(directory)
            .map_err(|source| ReleaseError { path: directory.to_owned(), source })?;
        let count = release.files.len();
        log::write(
            Level::Info,
            "the wallet's release is whole",
            &[(Field::Release, &release.digest), (Field::Count, &count)],
        );
        Ok(release)
    }

    fn read(directory: &Path) -> Result<Self, ReleaseFault> {
        let failed = |path: PathBuf| move |source| ReleaseFault::Read { path, source };
        let path = directory.join(LIST);
        let bytes = fs::read(&path).map_err(failed(path))?;
        let list: List = serde_json::from_slice(&bytes)?;
        if list.version != VERSION {
            return Err(ReleaseFault::Version { found: list.version });
        }
        if let Some(name) = list.files.keys().find(|name| !is_name(name)) {
            return Err(ReleaseFault::Name { name: name.clone() });
        }
        if !list.files.contains_key(INDEX) {
            return Err(ReleaseFault::NoIndex);
        }
        let mut files = BTreeMap::new();
        for (name, listed) in list.files {
            files.insert(name.clone(), read(directory, name, &listed)?);
        }
        let list = File::new(bytes.into());
        let digest = list.digest.clone();
        files.insert(LIST.to_owned(), list);
        Ok(Self { files, digest })
    }

    /// What the release is known by: SHA-256 of its list, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The files by their names, the list among them.
    pub(crate) fn files(&self) -> &BTreeMap<String, File> {
        &self.files
    }
}

impl File {
    /// A file that nobody compressed.
    pub(crate) fn new(plain: Bytes) -> Self {
        let digest = hex::encode(&Sha256::digest(&plain));
        Self { plain, brotli: None, gzip: None, digest }
    }
}

/// Whether a name can stand in a path as it is, leads nowhere else, and is nobody's yet.
fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_part =
        |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_plain);
    let is_placed = !name.contains('/') || name.split('/').next() == Some(SCRIPTS);
    is_placed && name.split('/').all(is_part) && ![LIST, OPERATOR, INVENTORY].contains(&name)
}

fn read(directory: &Path, name: String, listed: &Listed) -> Result<File, ReleaseFault> {
    let path = directory.join(&name);
    let opened = fs::File::open(&path);
    let plain = opened.and_then(|file| at_most(file, listed.length));
    let plain = plain.map_err(|source| ReleaseFault::Read { path: path.clone(), source })?;
    if plain.len() as u64 != listed.length {
        return Err(ReleaseFault::Length { name, length: listed.length });
    }
    let file = File::new(plain.into());
    if !file.digest.eq_ignore_ascii_case(&listed.sha256) {
        return Err(ReleaseFault::Hash { name });
    }
    let (brotli, gzip) = (beside(&path, "br")?, beside(&path, "gz")?);
    let is_same = |reader: &mut dyn Read| {
        at_most(reader, listed.length).is_ok_and(|bytes| bytes == file.plain)
    };
    let is_brotli = brotli.as_deref().is_none_or(|it| is_same(&mut Decompressor::new(it, WINDOW)));
    if !is_brotli {
        return Err(ReleaseFault::Compressed { name: name + ".br" });
    }
    if !gzip.as_deref().is_none_or(|it| is_same(&mut GzDecoder::new(it))) {
        return Err(ReleaseFault::Compressed { name: name + ".gz" });
    }
    Ok(File { brotli, gzip, ..file })
}

/// The compressed file beside another one, if there is one. No list has its hash: what comes out of it has to be the file.
fn beside(path: &Path, ending: &str) -> Result<Option<Bytes>, ReleaseFault> {
    let mut path = path.as_os_str().to_owned();
    path.push(format!(".{ending}"));
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ReleaseFault::Read { path: path.into(), source }),
    }
}

/// The bytes of a file, and one more than it may have if it has more.
fn at_most(reader: impl Read, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(length.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        for name in
            ["index.html", "app-1a2b3c4d.wasm", "snippets/x-1/y.js", "snippets/a/b/c_d.mjs", "A.1"]
        {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "../index.html",
            "snippets/../index.html",
            "snippets//y.js",
            "snippets/",
            "/etc/passwd",
            "assets/x.png",
            ".htaccess",
            "snippets/.x/y.js",
            "a b",
            "a%2e",
            "a\\b",
            "ä.html",
            "a\0",
            LIST,
            OPERATOR,
            INVENTORY,
        ] {
            assert!(!is_name(name), "{name}");
        }
    }
}
