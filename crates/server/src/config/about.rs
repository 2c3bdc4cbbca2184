//! What the mint says of itself.

use serde::Deserialize;
use tacit_ecash::message::info::Contact;

use super::ConfigError;

/// What the mint says of itself (NUT-06).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct About {
    /// Name of the mint.
    pub name: Option<String>,
    /// One line on the mint.
    pub description: Option<String>,
    /// More on the mint.
    pub description_long: Option<String>,
    /// How to reach the operator.
    pub contact: Vec<Contact>,
    /// What wallets must show today.
    pub motd: Option<String>,
    /// Where its icon is.
    pub icon_url: Option<String>,
    /// Where its terms of service are.
    pub tos_url: Option<String>,
    /// Where the server is reached from outside; each unit's path is added to it.
    pub public_url: Option<String>,
}

impl About {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let urls = [
            ("icon_url", &self.icon_url),
            ("tos_url", &self.tos_url),
            ("public_url", &self.public_url),
        ];
        for (key, url) in urls {
            let is_url = |url: &String| url.starts_with("http://") || url.starts_with("https://");
            if !url.as_ref().is_none_or(is_url) {
                return Err(ConfigError::Url { key });
            }
        }
        Ok(())
    }
}
