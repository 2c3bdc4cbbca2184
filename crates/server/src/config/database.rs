//! Which database vault or desk are in, if they are not files of the data directory.

use tacit_store::postgres::Target;

use super::ConfigError;
use super::setting::{Given, Source};

/// A database, from what flags and environment say, else the file.
pub(super) fn target(
    given: Option<Given<String>>,
    in_file: Option<String>,
) -> Result<Option<Target>, ConfigError> {
    let is_flag = matches!(&given, Some(Given { source: Source::Flag(_), .. }));
    let url = given.map(|given| given.value).or(in_file);
    let target: Option<Target> = url.map(|url| url.parse()).transpose()?;
    if is_flag && target.as_ref().is_some_and(Target::has_password) {
        return Err(ConfigError::PasswordInFlag);
    }
    Ok(target)
}
