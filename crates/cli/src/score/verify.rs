//! `tacit score verify`: whether a card is signed, and by whom.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tacit_credit::scorecard::signed::SignedCard;

use super::disk;
use super::error::ScoreError;

/// Check the signature of a scorecard
///
/// Exits 0 if the card is whole and signed by the key you name, 1 if not. Without --public-key it says who signed, which
/// proves nothing until you know whose key that is.
#[derive(Args)]
pub(crate) struct Verify {
    /// The scorecard
    #[arg(long, value_name = "FILE")]
    card: PathBuf,
    /// Who must have signed: 64 hexadecimal digits, or a file that holds them
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
}

pub(super) fn run(arguments: &Verify, is_json: bool) -> Result<(), ScoreError> {
    let expected = arguments.public_key.as_deref().map(disk::read_public_key).transpose()?;
    let signed = disk::read_card(&arguments.card)?;
    if expected.is_some_and(|expected| expected != signed.key()) {
        return Err(ScoreError::OtherKey { found: signed.key().to_string() });
    }
    let origin = signed.origin();
    let text = format!(
        "{}\n{}id          {}\n",
        heading(&signed),
        if expected.is_some() {
            "signed by   the key you named\n".to_owned()
        } else {
            signer(&signed)
        },
        signed.id(),
    );
    let json = json!({
        "name": origin.name, "version": origin.version, "id": signed.id().to_string(),
        "public_key": signed.key().to_string(), "is_expected_key": expected.map(|_| true),
        "origin": origin,
    });
    super::print(is_json, &text, &json)
}

/// What a card calls itself.
pub(super) fn heading(signed: &SignedCard) -> String {
    let origin = signed.origin();
    format!("{}, version {}: {}", origin.name, origin.version, origin.title)
}

/// Whose signature it carries.
pub(super) fn signer(signed: &SignedCard) -> String {
    format!("signed by   {}\n", signed.key())
}
