//! What the rail's answer means for a payment under way. Pure: whoever asks the rail, and when, is the server's.

use crate::melt::MeltEnd;
use crate::rail::{PaymentStatus, RailError};

/// What to do with a pending payment after asking the rail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Never heard of: start it, under the same id.
    Pay,
    /// Ask again later. The proofs stay held.
    Wait,
    /// Over: record it.
    Finish(MeltEnd),
}

/// The step an answer asks for.
///
/// Only a final word ends a payment. An error is not one: the rail may be paying at this moment, and whoever
/// gave the proofs back then would have paid twice.
pub fn step(answer: &Result<PaymentStatus, RailError>) -> Step {
    match answer {
        Ok(PaymentStatus::Unknown) => Step::Pay,
        Ok(PaymentStatus::InFlight) | Err(_) => Step::Wait,
        Ok(PaymentStatus::Paid { fee, evidence }) => {
            Step::Finish(MeltEnd::Paid { fee: *fee, evidence: evidence.clone() })
        }
        Ok(PaymentStatus::Failed) => Step::Finish(MeltEnd::Failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// nutshell #1170, #614: a poller trusted a failure that was none, and the mint gave the e-cash back while it paid.
    #[test]
    fn unknown_payment_stays_pending() {
        let unreachable = || RailError::Unreachable("connection reset".into());
        for unclear in [
            Ok(PaymentStatus::InFlight),
            Err(unreachable()),
            Err(RailError::BadRequest),
            Err(RailError::WrongUnit),
            Err(RailError::NoAmount),
            Err(RailError::AlreadyPaid),
        ] {
            assert_eq!(step(&unclear), Step::Wait, "{unclear:?}");
        }
        // Not even "never heard of it" frees the proofs: it is paid, under the id it was held for.
        assert_eq!(step(&Ok(PaymentStatus::Unknown)), Step::Pay);
    }

    #[test]
    fn a_final_word_ends_a_payment() {
        assert_eq!(step(&Ok(PaymentStatus::Failed)), Step::Finish(MeltEnd::Failed));
        let (fee, evidence) = (3, Some("reference".to_owned()));
        let paid = PaymentStatus::Paid { fee, evidence: evidence.clone() };
        assert_eq!(step(&Ok(paid)), Step::Finish(MeltEnd::Paid { fee, evidence }));
    }
}
