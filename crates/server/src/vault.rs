//! Which vault a mint has: the file in its data directory, or a database that several servers share.

use std::path::PathBuf;
use std::{env, fs};

use tacit_store::postgres::Target;

/// A database with the password for it, if the URL has none: from `PGPASSWORD`, else from the password file that
/// PostgreSQL's own programs read (`PGPASSFILE`, else `~/.pgpass`).
pub fn with_password(target: Target) -> Target {
    if target.has_password() {
        return target;
    }
    if let Some(password) = env::var("PGPASSWORD").ok().filter(|password| !password.is_empty()) {
        return target.with_password(password.as_bytes());
    }
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".pgpass"));
    let file = env::var_os("PGPASSFILE").map(PathBuf::from).or_else(home);
    let text = file.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    match target.names().iter().find_map(|names| password_in(&text, names)) {
        Some(password) => target.with_password(password.as_bytes()),
        None => target,
    }
}

/// The password of the first line of a password file that is about this host, port, database and user.
fn password_in(text: &str, names: &[String; 4]) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let (password, wanted) = fields.split_last()?;
        let is_it = |(wanted, name): (&String, &String)| wanted == "*" || wanted == name;
        (wanted.len() == 4 && wanted.iter().zip(names).all(is_it)).then(|| password.clone())
    })
}

/// Fields between colons; a backslash takes what follows for what it is.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        let field = fields.last_mut().expect("one at least");
        match letter {
            ':' => fields.push(String::new()),
            '\\' => field.extend(letters.next()),
            _ => field.push(letter),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let names = |host: &str| [host, "5432", "vault", "tacit"].map(str::to_owned);
        let text =
            "# ours\nother:5432:vault:tacit:a\n*:5432:vault:tacit:b\\:c\\\\d\nlocalhost:*:*:*:e\n";
        assert_eq!(password_in(text, &names("localhost")).as_deref(), Some("b:c\\d"));
        assert_eq!(password_in(text, &names("other")).as_deref(), Some("a"));
        assert_eq!(password_in("localhost:5432:vault:tacit\n", &names("localhost")), None);
        assert_eq!(password_in("", &names("localhost")), None);
    }
}
