//! What pages say, apart from the pages: one struct for each part, filled once for each language.
//!
//! A template names a field, never words of its own, so that a language that lacks a sentence does not compile. Texts hold
//! no markup. Where something is to be put in, it stands as `{name}` and [`fill`] puts it there.

pub(crate) mod checkout;
pub(crate) mod front;
pub(crate) mod merchant;
pub(crate) mod money;
pub(crate) mod operator;
pub(crate) mod portal;
pub(crate) mod refusal;
pub(crate) mod site;

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
    pub(crate) operator: operator::Operator,
    pub(crate) refusal: refusal::Refusal,
    pub(crate) checkout: checkout::Checkout,
    pub(crate) merchant: merchant::Merchant,
    pub(crate) merchant_refusal: merchant::MerchantRefusal,
}

/// English, the only language today.
pub(crate) static ENGLISH: Text = Text {
    language: "en",
    site: site::Site::ENGLISH,
    front: front::Front::ENGLISH,
    portal: portal::Portal::ENGLISH,
    money: money::Money::ENGLISH,
    operator: operator::Operator::ENGLISH,
    refusal: refusal::Refusal::ENGLISH,
    checkout: checkout::Checkout::ENGLISH,
    merchant: merchant::Merchant::ENGLISH,
    merchant_refusal: merchant::MerchantRefusal::ENGLISH,
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
