//! QR codes on a terminal: one that stands still, or, for long tokens, one that changes until a camera has seen enough.
//!
//! The moving one is what Cashu wallets scan (NUT-16): the text as a CBOR byte string, in fountain-coded parts of
//! `ur:bytes` (BCR-2020-005, BCR-2024-001), so that any sufficient number of parts will do, in any order.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use ciborium::Value;
use fast_qr::{ECL, QRBuilder, QRCode};
use rustix::termios::tcgetwinsize;

/// Bytes of the text in one part, the largest that fits first; cashu.me shows from 50 to 150.
const FRAGMENTS: [usize; 4] = [100, 70, 40, 20];
/// How long a part is shown: slower than in a browser, for terminals draw slowly.
const FRAME: Duration = Duration::from_millis(220);
/// Frames shown where nobody can press a key.
const FRAMES_UNATTENDED: usize = 140;
/// Longest text that stands still: longer ones make codes that cameras miss on a screen.
const STILL_MAX: usize = 600;
/// Light modules around a code. Source: ISO/IEC 18004 asks for 4; scanners of screens do with 2.
const MARGIN: usize = 2;

/// Why a code was not shown. What it would have held is printed all the same.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum QrError {
    #[error("this is too long for a QR code")]
    TooLong,
    #[error("the QR code needs a terminal of {columns} columns and {lines} lines")]
    TooSmall { columns: usize, lines: usize },
}

/// Shows a text on stderr, still or moving as its length and the terminal demand; a moving code until Enter is pressed.
///
/// # Errors
/// [`QrError`].
pub(super) fn show(text: &str) -> Result<(), QrError> {
    let screen = screen();
    if let Some(drawn) = Drawing::of(text).filter(|it| text.len() <= STILL_MAX && it.fits(screen)) {
        // Who closed stderr does not want to see it.
        _ = writeln!(io::stderr().lock(), "{}", drawn.text);
        return Ok(());
    }
    let mut smallest = None;
    for fragment in FRAGMENTS {
        let mut parts = Parts::of(text, fragment)?;
        let first = parts.next().ok_or(QrError::TooLong)?;
        if first.fits(screen) {
            show_moving(&first, parts);
            return Ok(());
        }
        smallest = Some(QrError::TooSmall { columns: first.columns, lines: first.lines + SPARE });
    }
    Err(smallest.unwrap_or(QrError::TooLong))
}

fn show_moving(first: &Drawing, parts: Parts<'_>) {
    let stop = key();
    let mut stderr = io::stderr().lock();
    _ = writeln!(stderr, "{}\nscan until the wallet has it, then press Enter", first.text);
    for (shown, part) in parts.enumerate() {
        match stop.recv_timeout(FRAME) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) => break,
            // Nobody is there to press a key.
            Err(RecvTimeoutError::Disconnected) if FRAMES_UNATTENDED <= shown => break,
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(FRAME),
        }
        // Back to the first line of the code, and over it.
        let (up, text) = (first.lines + 1, &part.text);
        _ = write!(stderr, "\u{1b}[{up}A\r{text}\n\n").and_then(|()| stderr.flush());
    }
}

/// Says when Enter is pressed; hangs up at once if nobody can.
fn key() -> std::sync::mpsc::Receiver<()> {
    let (pressed, stop) = channel();
    if io::stdin().is_terminal() {
        // It ends with the process.
        std::thread::spawn(move || {
            _ = io::stdin().read_line(&mut String::new());
            _ = pressed.send(()); // The code may be gone by then.
        });
    }
    stop
}

/// Columns and lines of the terminal that stderr is; `None` if it is none.
fn screen() -> Option<(usize, usize)> {
    let size = tcgetwinsize(io::stderr()).ok()?;
    Some((size.ws_col.into(), size.ws_row.into())).filter(|size| *size != (0, 0))
}

/// Lines of the screen that a code leaves free: for what is said below it, and the cursor.
const SPARE: usize = 2;

/// A code in half blocks, light on dark and dark on light alike: the margin is drawn, too.
#[derive(Debug, PartialEq, Eq)]
struct Drawing {
    text: String,
    columns: usize,
    lines: usize,
}

impl Drawing {
    /// Of a text; `None` if no code holds it.
    fn of(text: &str) -> Option<Self> {
        let code = QRBuilder::new(text).ecl(ECL::L).build().ok()?;
        let columns = code.size + 2 * MARGIN;
        let lines = columns.div_ceil(2);
        let mut drawn = Vec::new();
        for row in (0..columns).step_by(2) {
            let half = |column| match (is_dark(&code, row, column), is_dark(&code, row + 1, column))
            {
                (false, false) => ' ',
                (true, false) => '▀',
                (false, true) => '▄',
                (true, true) => '█',
            };
            let line: String = (0..columns).map(half).collect();
            // Black on white, whatever the terminal's colours.
            drawn.push(format!("\u{1b}[30;107m{line}\u{1b}[0m"));
        }
        Some(Self { text: drawn.join("\n"), columns, lines })
    }

    fn fits(&self, screen: Option<(usize, usize)>) -> bool {
        screen.is_none_or(|(columns, lines)| self.columns <= columns && self.lines + SPARE <= lines)
    }
}

/// The drawings of the parts of a text, without end.
struct Parts<'a>(ur::Encoder<'a>);

impl Parts<'_> {
    fn of(text: &str, fragment: usize) -> Result<Self, QrError> {
        let mut message = Vec::new();
        let bytes = Value::Bytes(text.as_bytes().to_vec());
        ciborium::into_writer(&bytes, &mut message).map_err(|_| QrError::TooLong)?;
        ur::Encoder::bytes(&message, fragment).map(Self).map_err(|_| QrError::TooLong)
    }
}

impl Iterator for Parts<'_> {
    type Item = Drawing;

    fn next(&mut self) -> Option<Drawing> {
        // Upper case makes a smaller code, and means the same (BCR-2020-005, "Encoding").
        Drawing::of(&self.0.next_part().ok()?.to_ascii_uppercase())
    }
}

fn is_dark(code: &QRCode, row: usize, column: usize) -> bool {
    let inside = MARGIN..MARGIN + code.size;
    inside.contains(&row) && inside.contains(&column) && code[row - MARGIN][column - MARGIN].value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_sufficient_parts_give_the_text_back_as_a_byte_string() {
        let text = "cashuB".repeat(200);
        let mut parts = Parts::of(&text, 100).unwrap();
        let mut decoder = ur::Decoder::default();
        for lost in (0..).take(200) {
            let part = parts.0.next_part().unwrap();
            if lost % 3 != 0 && !decoder.complete() {
                decoder.receive(&part).unwrap();
            }
        }
        let message = decoder.message().unwrap().unwrap();
        let read: Value = ciborium::from_reader(message.as_slice()).unwrap();
        assert_eq!(read, Value::Bytes(text.into_bytes()));
    }

    #[test]
    fn a_code_fits_an_ordinary_terminal_in_some_size_of_part() {
        let text = "cashuB".repeat(500);
        let fits = |fragment, screen| {
            Parts::of(&text, fragment).unwrap().next().unwrap().fits(Some(screen))
        };
        assert!(fits(FRAGMENTS[0], (80, 50)));
        assert!(!fits(FRAGMENTS[0], (80, 24)) && fits(FRAGMENTS[2], (80, 24)));
        assert!(!fits(FRAGMENTS[3], (20, 10)));
    }

    #[test]
    fn drawings_have_the_size_they_say() {
        let drawn = Drawing::of("payto://demo/x").unwrap();
        let lines: Vec<&str> = drawn.text.lines().collect();
        assert_eq!(lines.len(), drawn.lines);
        for line in lines {
            let line =
                line.strip_prefix("\u{1b}[30;107m").unwrap().strip_suffix("\u{1b}[0m").unwrap();
            assert_eq!(line.chars().count(), drawn.columns);
        }
        assert_eq!(Drawing::of(&"x".repeat(5000)), None);
    }
}
