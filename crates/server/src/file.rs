//! Files written whole: after a crash there is the old one or the new one, never a part.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a file that was not there, for its owner only. Durable once this returns `Ok`.
///
/// # Errors
/// `AlreadyExists` if it is there, which is never overwritten; else what the operating system says.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // The caller holds the data directory's lock, so nobody makes the file in between.
    if fs::exists(path)? {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    replace(path, bytes)
}

/// Puts a file, for its owner only, in the place of one that may be there. Durable once this returns `Ok`.
///
/// # Errors
/// What the operating system says; the file is then the old one, or whole and new.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let written = write(&new, bytes).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        _ = fs::remove_file(&new); // It may not have been made.
        return written;
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

fn write(new: &Path, bytes: &[u8]) -> io::Result<()> {
    // What a crash left has the permissions of then: begin afresh.
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_whole_its_owners_and_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("seed");
        let left = directory.path().join("seed.new");
        fs::write(&left, "half of one").unwrap();
        fs::set_permissions(&left, fs::Permissions::from_mode(0o644)).unwrap();
        create(&path, b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(create(&path, b"two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        replace(&path, b"three").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert!(!left.exists());
    }

    #[test]
    fn a_failed_replacement_leaves_the_old_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("seed");
        create(&path, b"one").unwrap();
        fs::create_dir(directory.path().join("seed.new")).unwrap();
        assert!(replace(&path, b"two").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }
}
