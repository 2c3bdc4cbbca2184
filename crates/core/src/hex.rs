//! Bytes as lower-case hexadecimal, the only spelling of bytes in our JSON.

/// Why a text is not the hexadecimal of that many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} bytes in hexadecimal")]
pub struct HexError {
    /// How many bytes were wanted.
    pub expected: usize,
}

/// The `N` bytes a text spells. Both cases are read.
///
/// # Errors
/// [`HexError`] if a character is not hexadecimal or the length is not `2 N`.
pub fn decode<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return Err(HexError { expected: N });
    }
    const_hex::decode_to_slice(text.as_bytes(), &mut bytes)
        .map_err(|_| HexError { expected: N })?;
    Ok(bytes)
}

/// The lower-case hexadecimal of some bytes.
pub fn encode(bytes: &[u8]) -> String {
    const_hex::encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_length_is_read() {
        assert_eq!(decode::<2>("00fF"), Ok([0, 255]));
        for text in ["", "00", "00f", "00ff0", "00fg", "0x00", "ü0ff"] {
            assert_eq!(decode::<2>(text), Err(HexError { expected: 2 }), "{text:?}");
        }
    }
}
