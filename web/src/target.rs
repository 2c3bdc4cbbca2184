//! What a code, a link or a pasted text is for.

use percent_encoding::percent_decode_str;
use tacit_ecash::limit;
use tacit_ecash::payment_request::PaymentRequest;
use tacit_ecash::token::Token;
use tacit_wallet::mint::MintUrl;
use tacit_wallet::passport::bills::Link;
use tacit_wallet::transport::Bearer;

/// What was scanned, pasted, or opened by a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Money: to be received.
    Token(Box<Token>),
    /// Somebody asks for money.
    Request(Box<PaymentRequest>),
    /// A bank account or an invoice, which the mint can pay.
    Payout(String),
    /// Somebody asks for a certificate (OpenID4VP).
    Question(String),
    /// The first passport, with a code of the portal.
    Enrolment {
        /// The desk.
        desk: MintUrl,
        /// The code.
        code: Bearer,
    },
    /// A biller's contract.
    Contract(Box<Link>),
}

/// Schemes of requests for certificates.
const QUESTIONS: [&str; 3] = ["openid4vp:", "haip-vp:", "haip:"];

impl Target {
    /// Reads a text; `None` if it is nothing this wallet knows.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if limit::TOKEN < text.len() {
            return None;
        }
        if let Some(inner) = fragment(text) {
            return Self::read(&inner);
        }
        if QUESTIONS.iter().any(|scheme| text.starts_with(scheme)) {
            return Some(Self::Question(text.to_owned()));
        }
        if let Some(target) = enrolment(text) {
            return Some(target);
        }
        if let Ok(link) = text.parse::<Link>() {
            return Some(Self::Contract(Box::new(link)));
        }
        // NUT-16 and NUT-26 texts may come in capitals, and with line breaks of a letter.
        let plain: String = text.split_whitespace().collect();
        let plain = strip(&plain, "cashu:").trim_start_matches("//");
        let lower = plain.to_ascii_lowercase();
        if lower.starts_with("creqa") || lower.starts_with("creqb1") {
            return plain.parse().ok().map(|request| Self::Request(Box::new(request)));
        }
        if lower.starts_with("cashu") {
            return plain.parse().ok().map(|token| Self::Token(Box::new(token)));
        }
        let invoice = strip(plain, "lightning:");
        let is_payout =
            lower.starts_with("payto:") || invoice.to_ascii_lowercase().starts_with("lnbc");
        is_payout.then(|| Self::Payout(invoice.to_owned()))
    }
}

/// The rest of a text after a prefix in either case.
fn strip<'a>(text: &'a str, prefix: &str) -> &'a str {
    match text.get(..prefix.len()) {
        Some(begin) if begin.eq_ignore_ascii_case(prefix) => &text[prefix.len()..],
        Some(_) | None => text,
    }
}

/// What a link into a wallet has behind `#pay/`, `#token/`, `#enrol/`, `#share/` or `#bill/`.
pub fn fragment(text: &str) -> Option<String> {
    let (_, fragment) = text.split_once('#')?;
    let (what, rest) = fragment.split_once('/')?;
    if !["pay", "token", "enrol", "share", "bill"].contains(&what) {
        return None;
    }
    percent_decode_str(rest)
        .decode_utf8()
        .ok()
        .map(|text| text.into_owned())
        .filter(|text| !text.contains("#pay/"))
}

/// The link of the portal: a page, and a code behind `#`.
fn enrolment(text: &str) -> Option<Target> {
    let (page, code) = text.split_once('#')?;
    let desk = page.strip_suffix("/portal/passport")?;
    let code = Bearer::new(code).filter(|code| code.expose().len() == 32)?;
    Some(Target::Enrolment { desk: desk.parse().ok()?, code })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "0123456789abcdef0123456789abcdef";
    const REQUEST: &str = "creqApWF0gaNhdGVub3N0cmFheKlucHJvZmlsZTFxeTI4d3VtbjhnaGo3dW45ZDNzaGp0bnl2OWtoMnVld2Q5aHN6OW1od2RlbjV0ZTB3ZmprY2N0ZTljdXJ4dmVuOWVlaHFjdHJ2NWhzenJ0aHdkZW41dGUwZGVoaHh0bnZkYWtxcWd5ZGFxeTdjdXJrNDM5eWtwdGt5c3Y3dWRoZGh1NjhzdWNtMjk1YWtxZWZkZWhrZjBkNDk1Y3d1bmw1YWeBgmFuYjE3YWloYjdhOTAxNzZhYQphdWNzYXRhbYF4Imh0dHBzOi8vbm9mZWVzLnRlc3RudXQuY2FzaHUuc3BhY2U=";

    #[test]
    fn texts_are_known_by_what_they_are() {
        let enrol = format!("http://desk.localhost:3338/portal/passport#{CODE}");
        assert!(matches!(Target::read(&enrol), Some(Target::Enrolment { .. })));
        assert!(matches!(Target::read("openid4vp://?client_id=x"), Some(Target::Question(_))));
        assert!(matches!(Target::read(REQUEST), Some(Target::Request(_))));
        assert!(matches!(Target::read(&format!("cashu:{REQUEST}")), Some(Target::Request(_))));
        let payto = "payto://iban/DE75512108001245126199?amount=EUR:10.50";
        assert_eq!(Target::read(payto), Some(Target::Payout(payto.to_owned())));
        assert_eq!(Target::read("LIGHTNING:LNBC1x"), Some(Target::Payout("LNBC1x".to_owned())));
    }

    #[test]
    fn links_into_the_wallet_hold_what_follows() {
        let link = format!("http://wallet.localhost:3338/#pay/{REQUEST}");
        assert_eq!(Target::read(&link), Target::read(REQUEST));
        let enrol = format!(
            "http://w.example/#enrol/http%3A%2F%2Fdesk.localhost%2Fportal%2Fpassport%23{CODE}"
        );
        assert!(matches!(Target::read(&enrol), Some(Target::Enrolment { .. })));
    }

    #[test]
    fn what_is_nothing_is_nothing() {
        for text in [
            "",
            " ",
            "hello",
            "#",
            "#pay/",
            "cashuB",
            "creqA",
            "http://example.org/",
            "#pay/#pay/#pay/x",
            "\u{202e}",
        ] {
            assert_eq!(Target::read(text), None, "{text:?}");
        }
        assert_eq!(Target::read(&"c".repeat(limit::TOKEN + 1)), None);
    }
}
