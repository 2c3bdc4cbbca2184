//! The error codes that wallets act upon.

/// A code of the NUT error table (`error_codes.md`), one of the two round ones that peers use beside it, or one of ours above
/// 40,000, of what no NUT knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
pub enum Code {
    /// No code of the table says why. Nutshell's number for the same.
    Refused = 10_000,
    /// Proof verification failed.
    InvalidProof = 10_001,
    /// Proofs already spent.
    AlreadySpent = 11_001,
    /// Proofs are pending.
    ProofsPending = 11_002,
    /// Outputs already signed.
    AlreadySigned = 11_003,
    /// Outputs are pending.
    OutputsPending = 11_004,
    /// Inputs less fees do not equal outputs.
    Unbalanced = 11_005,
    /// Amount outside of the limits.
    AmountOutOfRange = 11_006,
    /// An input stands twice.
    DuplicateInputs = 11_007,
    /// An output stands twice.
    DuplicateOutputs = 11_008,
    /// Inputs or outputs of several units.
    SeveralUnits = 11_009,
    /// Inputs and outputs of different units.
    UnitMismatch = 11_010,
    /// A request without amount is not supported.
    AmountlessUnsupported = 11_011,
    /// The amount asked for is not the payment request's.
    AmountMismatch = 11_012,
    /// Unit is not supported.
    UnknownUnit = 11_013,
    /// Too many inputs.
    TooManyInputs = 11_014,
    /// Too many outputs.
    TooManyOutputs = 11_015,
    /// Keyset is not known.
    UnknownKeyset = 12_001,
    /// Keyset is inactive, cannot sign.
    InactiveKeyset = 12_002,
    /// Keyset has expired.
    ExpiredKeyset = 12_003,
    /// Something is wrong with the quote that no code of the table names. Nutshell's number for the same.
    QuoteRefused = 20_000,
    /// The quote is not paid.
    QuoteUnpaid = 20_001,
    /// The quote has already been issued.
    QuoteIssued = 20_002,
    /// Minting is disabled.
    MintingDisabled = 20_003,
    /// The payment failed.
    PaymentFailed = 20_004,
    /// The quote is pending.
    QuotePending = 20_005,
    /// The request has already been paid.
    AlreadyPaid = 20_006,
    /// The quote has expired.
    QuoteExpired = 20_007,
    /// The mint request's signature is missing or invalid (NUT-20).
    InvalidMintSignature = 20_008,
    /// A public key is required and missing or invalid (NUT-20).
    PubkeyRequired = 20_009,
    /// Passports, beside the NUTs: the request is none, or its terms are not those that were agreed.
    PassportRefused = 40_000,
    /// The passport is under keys that do not count any more, or not yet.
    PassportKeys = 40_001,
    /// The passport stands in another month than it may.
    PassportMonth = 40_002,
    /// It was shown before, with another request.
    PassportShown = 40_003,
    /// The proof does not hold.
    PassportProof = 40_004,
    /// Loans and certificates wait for the next month.
    PassportPaused = 40_005,
    /// A code or key that does not count.
    PassportCode = 40_006,
    /// Another wallet has the account's passport.
    PassportOtherWallet = 40_007,
}

impl Code {
    /// The number.
    pub const fn number(self) -> u16 {
        self as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_table() {
        for (code, number) in [
            (Code::InvalidProof, 10_001),
            (Code::AlreadySpent, 11_001),
            (Code::Unbalanced, 11_005),
            (Code::TooManyOutputs, 11_015),
            (Code::UnknownKeyset, 12_001),
            (Code::ExpiredKeyset, 12_003),
            (Code::PubkeyRequired, 20_009),
            (Code::PassportOtherWallet, 40_007),
        ] {
            assert_eq!(code.number(), number);
        }
    }
}
