//! What may be called where: clocks, randomness, printing and I/O have one place each.

use crate::fault::Fault;
use crate::source::Source;

/// A word that product code may hold in some places only.
struct Ban {
    /// What to look for in a line of code.
    pattern: &'static str,
    /// Where the ban holds: beginnings of paths.
    within: &'static [&'static str],
    /// Where it does not, within that: beginnings of paths.
    except: &'static [&'static str],
    /// Why, and what to do instead.
    why: &'static str,
}

/// Crates left of `store`, and the wallet: no I/O, async, clock or randomness of their own.
const PURE: &[&str] = &[
    "crates/core/",
    "crates/ecash/",
    "crates/credit/",
    "crates/audit/",
    "crates/service/",
    "crates/wallet/",
];
const ALL: &[&str] = &["crates/"];

const CLOCK: &str = "time comes from the one injected clock";
const RANDOM: &str = "randomness is an argument, drawn in one place of the binary";
const PRINT: &str =
    "only a command prints, and it writes to the stream it was given; a server logs";
const PURE_IO: &str = "crates left of the store do no I/O";
const PURE_SYNC: &str = "everything below the server is synchronous";

const BANS: &[Ban] = &[
    Ban {
        pattern: "SystemTime::now",
        within: ALL,
        except: &["crates/server/src/clock.rs", "crates/cli/src/wallet/clock.rs"],
        why: CLOCK,
    },
    // Durations, not times: how long a commit or a request took.
    Ban {
        pattern: "Instant::now",
        within: ALL,
        except: &["crates/server/src/", "crates/cli/src/bench"],
        why: CLOCK,
    },
    Ban { pattern: "std::time::SystemTime", within: PURE, except: &[], why: CLOCK },
    Ban { pattern: "std::time::Instant", within: PURE, except: &[], why: CLOCK },
    Ban {
        pattern: "getrandom",
        within: ALL,
        except: &["crates/server/src/seed.rs", "crates/server/src/random.rs", "crates/cli/src/"],
        why: RANDOM,
    },
    Ban { pattern: "rand::", within: ALL, except: &[], why: RANDOM },
    Ban { pattern: "thread_rng", within: ALL, except: &[], why: RANDOM },
    Ban { pattern: "OsRng", within: ALL, except: &[], why: RANDOM },
    Ban {
        pattern: "println!(",
        within: ALL,
        except: &[
            "crates/server/src/main.rs",
            "crates/cli/src/main.rs",
            "crates/cli/src/wallet.rs",
        ],
        why: PRINT,
    },
    Ban {
        pattern: "print!(",
        within: ALL,
        except: &["crates/server/src/main.rs", "crates/cli/src/main.rs"],
        why: PRINT,
    },
    Ban { pattern: "dbg!(", within: ALL, except: &[], why: PRINT },
    Ban { pattern: "std::fs", within: PURE, except: &[], why: PURE_IO },
    Ban { pattern: "std::net", within: PURE, except: &[], why: PURE_IO },
    Ban { pattern: "std::env", within: PURE, except: &[], why: PURE_IO },
    Ban { pattern: "std::process", within: PURE, except: &[], why: PURE_IO },
    Ban { pattern: "tokio::", within: PURE, except: &[], why: PURE_SYNC },
    Ban { pattern: "async fn", within: PURE, except: &[], why: PURE_SYNC },
    Ban { pattern: ".await", within: PURE, except: &[], why: PURE_SYNC },
    Ban {
        pattern: "tokio::",
        within: &["crates/store/"],
        // The one connection to a database that is asked over a network.
        except: &["crates/store/src/postgres/link.rs"],
        why: PURE_SYNC,
    },
    Ban {
        pattern: "async fn",
        within: &["crates/store/"],
        // The one connection to a database that is asked over a network.
        except: &["crates/store/src/postgres/link.rs"],
        why: PURE_SYNC,
    },
    Ban {
        pattern: "rusqlite",
        within: ALL,
        // The wallet's own file, which no operator's store has anything to do with.
        except: &["crates/store/", "crates/cli/src/wallet/file"],
        why: "SQL lives in the store",
    },
    Ban {
        pattern: ".unwrap()",
        within: ALL,
        except: &[],
        why: "`expect(\"the invariant\")`, where input cannot reach",
    },
    Ban { pattern: "todo!(", within: ALL, except: &[], why: "no stub is done" },
    Ban { pattern: "unimplemented!(", within: ALL, except: &[], why: "no stub is done" },
];

/// Every banned word in the product code of one Rust file.
pub fn check(source: &Source) -> Vec<Fault> {
    let begins =
        |beginnings: &[&str]| beginnings.iter().any(|beginning| source.path.starts_with(beginning));
    let bans: Vec<&Ban> =
        BANS.iter().filter(|ban| begins(ban.within) && !begins(ban.except)).collect();
    let mut faults = Vec::new();
    for (line, text) in source.product_lines() {
        for ban in bans.iter().filter(|ban| holds_word(text, ban.pattern)) {
            let what = format!("`{}` has no place here: {}", ban.pattern, ban.why);
            faults.push(Fault::new(&source.path, line, what));
        }
    }
    faults
}

/// Whether `pattern` stands in `text` and is not the end of a longer word.
fn holds_word(text: &str, pattern: &str) -> bool {
    let in_word = |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    text.match_indices(pattern).any(|(at, _)| !in_word(&text[..at]) || pattern.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> usize {
        check(&Source::new(path, text)).len()
    }

    #[test]
    fn each_ban_catches_its_word_and_spares_its_places() {
        for ban in BANS {
            let line = format!("    {}\n", ban.pattern);
            for within in ban.within {
                assert!(
                    0 < faults(&format!("{within}src/x.rs"), &line),
                    "{} in {within}",
                    ban.pattern
                );
            }
            for except in ban.except {
                let path = if except.ends_with(".rs") {
                    (*except).to_owned()
                } else {
                    format!("{except}/x.rs")
                };
                assert_eq!(faults(&path, &line), 0, "{} in {path}", ban.pattern);
            }
        }
    }

    #[test]
    fn comments_strings_tests_and_longer_words_are_spared() {
        let text = "// SystemTime::now\nlet a = \"SystemTime::now\";\nmy_println!(a);\noperand::x();\n\
                    #[cfg(test)]\nmod tests {\n    fn f() { x.unwrap(); }\n}\n";
        assert_eq!(faults("crates/core/src/x.rs", text), 0);
        assert_eq!(faults("crates/core/tests/x.rs", "x.unwrap();\n"), 0);
    }
}
