//! Long lines typed or pasted at a terminal.
//!
//! A terminal hands lines over whole, and cuts them at 4,096 bytes without a word: a token of twenty proofs would lose
//! its end. So it is asked for each key as it comes.

use std::io::{self, Read};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// The terminal as it was, put back when dropped.
struct Restore(Termios);

impl Drop for Restore {
    fn drop(&mut self) {
        // Nothing better can be done: the shell resets it, too.
        _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// Reads up to the end of a line, which the terminal echoes as usual. How many bytes.
///
/// # Errors
/// What the terminal says.
pub(super) fn read_line(text: &mut String) -> io::Result<usize> {
    let before = tcgetattr(io::stdin())?;
    let mut raw = before.clone();
    raw.local_modes.remove(LocalModes::ICANON);
    let _restore = Restore(before);
    tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
    let (mut bytes, mut key) = (Vec::new(), [0]);
    let mut stdin = io::stdin().lock();
    while stdin.read(&mut key)? == 1 {
        match key[0] {
            b'\n' | b'\r' | 4 => break,
            // Backspace, which nobody rubs out for us now.
            8 | 127 => _ = bytes.pop(),
            byte => bytes.push(byte),
        }
    }
    let read = String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
    text.push_str(&read);
    Ok(text.len())
}
