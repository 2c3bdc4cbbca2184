//! What pages say, apart from the pages: one struct for each part, filled once for each language.
//!
//! A template names a field, never words of its own, so that a language that lacks a sentence does not compile. Texts hold
//! no markup. Where something is to be put in, it stands as `{name}` and [`fill`] puts it there.

pub(crate) mod agent;
pub(crate) mod biller;
pub(crate) mod cash;
pub(crate) mod checkout;
pub(crate) mod complaints;
pub(crate) mod finance;
pub(crate) mod front;
pub(crate) mod identify;
pub(crate) mod merchant;
pub(crate) mod money;
pub(crate) mod operator;
pub(crate) mod passport;
pub(crate) mod payout;
pub(crate) mod people;
pub(crate) mod portal;
pub(crate) mod refusal;
pub(crate) mod screening;
pub(crate) mod site;
pub(crate) mod street;
pub(crate) mod verifier;

/// A part of the texts: its fields, and what they are in English.
macro_rules! texts {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $english:expr,)* }) => {
        $(#[$doc])*
        pub(crate) struct $name {
            $(pub(crate) $field: &'static str,)*
        }

        impl $name {
            /// In English.
            pub(crate) const ENGLISH: Self = Self { $($field: $english,)* };
        }
    };
}
use texts;

/// All texts of one language.
pub(crate) struct Text {
    /// Its name for browsers and readers (BCP 47).
    pub(crate) language: &'static str,
    pub(crate) site: site::Site,
    pub(crate) front: front::Front,
    pub(crate) portal: portal::Portal,
    pub(crate) money: money::Money,
    pub(crate) payout: payout::Payout,
    pub(crate) cash: cash::Cash,
    pub(crate) fees: cash::Fees,
    pub(crate) agent: agent::Agent,
    pub(crate) biller: biller::Biller,
    pub(crate) operator: operator::Operator,
    pub(crate) people: people::People,
    pub(crate) finance: finance::Finance,
    pub(crate) identify: identify::Identify,
    pub(crate) screening: screening::Screening,
    pub(crate) passport: passport::Passport,
    pub(crate) complaints: complaints::Complaints,
    pub(crate) refusal: refusal::Refusal,
    pub(crate) checkout: checkout::Checkout,
    pub(crate) merchant: merchant::Merchant,
    pub(crate) merchant_refusal: merchant::MerchantRefusal,
    pub(crate) verifier: verifier::Verifier,
    pub(crate) street: street::Street,
}

/// English, the only language today.
pub(crate) static ENGLISH: Text = Text {
    language: "en",
    site: site::Site::ENGLISH,
    front: front::Front::ENGLISH,
    portal: portal::Portal::ENGLISH,
    money: money::Money::ENGLISH,
    payout: payout::Payout::ENGLISH,
    cash: cash::Cash::ENGLISH,
    fees: cash::Fees::ENGLISH,
    agent: agent::Agent::ENGLISH,
    biller: biller::Biller::ENGLISH,
    operator: operator::Operator::ENGLISH,
    people: people::People::ENGLISH,
    finance: finance::Finance::ENGLISH,
    identify: identify::Identify::ENGLISH,
    screening: screening::Screening::ENGLISH,
    passport: passport::Passport::ENGLISH,
    complaints: complaints::Complaints::ENGLISH,
    refusal: refusal::Refusal::ENGLISH,
    checkout: checkout::Checkout::ENGLISH,
    merchant: merchant::Merchant::ENGLISH,
    merchant_refusal: merchant::MerchantRefusal::ENGLISH,
    verifier: verifier::Verifier::ENGLISH,
    street: street::Street::ENGLISH,
};

/// A text with `value` in the place of `{name}`.
pub(crate) fn fill(text: &str, name: &str, value: impl std::fmt::Display) -> String {
    text.replace(&format!("{{{name}}}"), &value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_put_in_as_it_is() {
        assert_eq!(fill("{count} of {all}", "count", 3), "3 of {all}");
    }
}
