//! The operating system's randomness: the one place where a random number is drawn.

/// So many random bytes.
///
/// # Errors
/// If the operating system gives none.
pub fn bytes<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
