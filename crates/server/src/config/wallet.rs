//! The wallet that people carry, as far as this server serves it.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Config, ConfigError};

/// What is served to people as their wallet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WalletTerms {
    /// Directory of a release of the web wallet. Without one its origin has a page that says so.
    pub directory: Option<PathBuf>,
}

impl WalletTerms {
    /// Whether people can open it, and it a mint. A demonstration has names for all of them.
    pub(super) fn check(&self, config: &Config) -> Result<(), ConfigError> {
        let origins = &config.serving.origins;
        if self.directory.is_none() || config.demo {
            return Ok(());
        }
        if origins.wallet.is_none() {
            let why = "nobody would know where to open it";
            return Err(ConfigError::WalletOrigin { key: "origin.wallet", why });
        }
        if origins.mint.is_none() && config.about.public_url.is_none() {
            let why = "it would not know where the mint is";
            return Err(ConfigError::WalletOrigin { key: "origin.mint", why });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::*;

    #[test]
    fn a_wallet_wants_an_origin_and_a_mint() {
        let with = |lines: &str| {
            parse(&format!("{lines}\n[wallet]\ndirectory = 'w'\n[[unit]]\nunit = 'usd'"))
        };
        let wallet = "[origin]\nwallet = 'https://wallet.example.org'\n";
        let mint = "mint = 'https://mint.example.org'\n";
        let missing = |lines: &str| match with(lines) {
            Err(ConfigError::WalletOrigin { key, .. }) => key,
            other => panic!("{lines}: {other:?}"),
        };
        assert_eq!(missing(""), "origin.wallet");
        assert_eq!(missing(&format!("[origin]\n{mint}")), "origin.wallet");
        assert_eq!(missing(wallet), "origin.mint");
        with(&format!("{wallet}[about]\npublic_url = 'https://mint.example.org'")).unwrap();
        with("demo = true").unwrap();
        let config = with(&format!("{wallet}{mint}")).unwrap();
        assert_eq!(config.wallet.directory, Some("w".into()));
    }
}
