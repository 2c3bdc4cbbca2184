//! The lock of whoever writes to a file or a directory.

use std::fs::{File, TryLockError};

/// A lock on an open file, given up when this is dropped, and by the system when the process dies.
///
/// To close the file alone would not do: the lock belongs to all that share the opened file (flock(2)), and a program that
/// another thread is about to start shares it from its fork to its exec.
#[derive(Debug)]
pub struct FileLock(File);

impl FileLock {
    /// Takes the lock if nobody holds it.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if somebody does; else what the operating system said.
    pub fn take(file: File) -> Result<Self, TryLockError> {
        file.try_lock().map(|()| Self(file))
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        _ = self.0.unlock(); // Closing, which comes next, would do it in all but the case above.
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_free_at_once_although_a_child_that_is_being_started_shares_the_file() {
        let path = std::env::temp_dir().join(format!("tacit-lock-{}", std::process::id()));
        let file = File::create(&path).unwrap();
        let childs = file.try_clone().unwrap(); // Shares the opened file, as a fork does.
        let lock = FileLock::take(file).unwrap();
        let again = || FileLock::take(File::open(&path).unwrap());
        assert!(matches!(again(), Err(TryLockError::WouldBlock)));
        drop(lock);
        drop(again().unwrap());
        drop(childs);
        std::fs::remove_file(path).unwrap();
    }
}
