//! `tacit score new-key`: the key that scorecards are signed with.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tacit_core::hex;
use tacit_credit::scorecard::signed::CardKey;
use zeroize::Zeroizing;

use super::disk;
use super::error::ScoreError;

/// Make a key to sign scorecards with
///
/// The file is for its owner alone, and is never written over. The public key goes to stdout: publish it, so that others
/// can check your cards.
#[derive(Args)]
pub(crate) struct NewKey {
    /// The file to write it to
    file: PathBuf,
}

pub(super) fn run(arguments: &NewKey, is_json: bool) -> Result<(), ScoreError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed)?;
    let text = Zeroizing::new(format!("{}\n", *Zeroizing::new(hex::encode(&*seed))));
    disk::write_secret(&arguments.file, text.as_bytes())?;
    let public = CardKey::new(&seed).public().to_string();
    super::print(is_json, &public, &json!({"public_key": public}))
}
