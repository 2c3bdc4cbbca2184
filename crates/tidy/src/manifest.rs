//! Who may know whom: the arrows between our crates, and what each may not build upon.

use toml::Table;
use toml::Value;

use crate::fault::Fault;

/// What a crate of ours may depend on.
struct Place {
    name: &'static str,
    /// Crates of ours.
    ours: &'static [&'static str],
    /// Crates of ours that its tests may know besides.
    in_tests: &'static [&'static str],
    /// Whether it does I/O, waits, or asks for the time.
    pure: bool,
}

/// `a <- b` of the architecture reads here: b names a. The siblings ecash, credit and audit cannot name each other, and
/// the person's side (wallet, cli) cannot name the operator's (service, store, server): the compiler keeps the firewall.
const PLACES: &[Place] = &[
    Place { name: "tacit-core", ours: &[], in_tests: &[], pure: true },
    Place { name: "tacit-ecash", ours: &["tacit-core"], in_tests: &[], pure: true },
    Place { name: "tacit-bank", ours: &["tacit-core"], in_tests: &[], pure: true },
    Place { name: "tacit-circuit", ours: &[], in_tests: &[], pure: true },
    Place {
        name: "tacit-credit",
        ours: &["tacit-circuit", "tacit-core"],
        in_tests: &[],
        pure: true,
    },
    Place { name: "tacit-audit", ours: &["tacit-core"], in_tests: &[], pure: true },
    Place {
        name: "tacit-service",
        ours: &["tacit-core", "tacit-ecash", "tacit-credit", "tacit-audit"],
        in_tests: &[],
        pure: true,
    },
    Place {
        name: "tacit-store",
        ours: &["tacit-core", "tacit-ecash", "tacit-credit", "tacit-audit", "tacit-service"],
        in_tests: &[],
        pure: false,
    },
    Place {
        name: "tacit-server",
        ours: &[
            "tacit-core",
            "tacit-bank",
            "tacit-ecash",
            "tacit-credit",
            "tacit-audit",
            "tacit-service",
            "tacit-store",
        ],
        in_tests: &[],
        pure: false,
    },
    Place {
        name: "tacit-wallet",
        ours: &["tacit-core", "tacit-ecash", "tacit-credit", "tacit-audit"],
        in_tests: &[],
        pure: true,
    },
    Place {
        name: "tacit-cli",
        ours: &["tacit-core", "tacit-ecash", "tacit-credit", "tacit-audit", "tacit-wallet"],
        // To have something to measure and to pay; what it ships still knows neither.
        in_tests: &["tacit-server", "tacit-store", "tacit-service"],
        pure: false,
    },
    // In a browser; what needs none of it is built everywhere.
    Place {
        name: "tacit-web",
        ours: &["tacit-core", "tacit-ecash", "tacit-credit", "tacit-wallet"],
        in_tests: &[],
        pure: false,
    },
    Place { name: "tacit-pack", ours: &[], in_tests: &[], pure: false },
    // In the place of a crate of that name.
    Place { name: "g2p", ours: &[], in_tests: &[], pure: true },
    Place { name: "tacit-tidy", ours: &[], in_tests: &[], pure: true },
];

/// What pure crates may not build upon: I/O, async, clocks, randomness.
const IMPURE: [&str; 12] = [
    "axum",
    "chrono",
    "getrandom",
    "hyper",
    "hyper-util",
    "rand",
    "reqwest",
    "rusqlite",
    "socket2",
    "time",
    "tokio",
    "ureq",
];
/// What the store may not build upon: it knows no HTTP. Tokio it may, for one file ([`crate::call`]).
const NOT_IN_STORE: [&str; 3] = ["axum", "hyper", "hyper-util"];

/// Every rule for one crate's manifest.
pub fn check(path: &str, text: &str) -> Vec<Fault> {
    let fault = |what: String| Fault::new(path, 0, what);
    let manifest: Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![fault(format!("cannot be read: {error}"))],
    };
    let name =
        manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
    let Some(place) = PLACES.iter().find(|place| Some(place.name) == name) else {
        return vec![fault(format!(
            "{name:?} has no place in the arrows of `crates/tidy/src/manifest.rs`"
        ))];
    };
    let mut faults = Vec::new();
    for dependency in
        names(&manifest, "dependencies").into_iter().chain(names(&manifest, "build-dependencies"))
    {
        if dependency.starts_with("tacit-") && !place.ours.contains(&dependency) {
            faults.push(fault(format!("{} may not know {dependency}", place.name)));
        }
        let is_impure = place.pure && IMPURE.contains(&dependency);
        if is_impure || place.name == "tacit-store" && NOT_IN_STORE.contains(&dependency) {
            faults.push(fault(format!("{} may not build upon {dependency}", place.name)));
        }
    }
    for dependency in names(&manifest, "dev-dependencies") {
        // A crate may name itself, to turn its own `test-util` on.
        let known = place.ours.contains(&dependency)
            || place.in_tests.contains(&dependency)
            || dependency == place.name;
        if dependency.starts_with("tacit-") && !known {
            faults
                .push(fault(format!("not even the tests of {} may know {dependency}", place.name)));
        }
    }
    for feature in
        names(&manifest, "features").into_iter().filter(|feature| *feature != "test-util")
    {
        faults.push(fault(format!("feature `{feature}`: the only one is `test-util`")));
    }
    let inherits =
        manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
    if inherits != Some(true) {
        faults.push(fault(
            "the workspace's lints are not inherited: `[lints] workspace = true`".to_owned(),
        ));
    }
    faults
}

/// The keys of a table of the manifest.
fn names<'a>(manifest: &'a Table, table: &str) -> Vec<&'a str> {
    let table = manifest.get(table).and_then(Value::as_table);
    table.into_iter().flat_map(|table| table.keys()).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(name: &str, rest: &str) -> Vec<String> {
        let text = format!("package.name = \"{name}\"\nlints.workspace = true\n{rest}\n");
        check("Cargo.toml", &text).into_iter().map(|fault| fault.what).collect()
    }

    #[test]
    fn arrows_against_the_stream_are_caught() {
        assert!(faults("tacit-store", "dependencies.tacit-service.workspace = true").is_empty());
        assert_eq!(faults("tacit-service", "dependencies.tacit-store.workspace = true").len(), 1);
        assert_eq!(faults("tacit-ecash", "dependencies.tacit-credit.workspace = true").len(), 1);
        assert_eq!(faults("tacit-credit", "dependencies.tacit-ecash.workspace = true").len(), 1);
        assert_eq!(faults("tacit-wallet", "dependencies.tacit-service.workspace = true").len(), 1);
        assert_eq!(faults("tacit-cli", "dependencies.tacit-server.workspace = true").len(), 1);
        assert!(faults("tacit-cli", "dev-dependencies.tacit-server.workspace = true").is_empty());
        assert_eq!(faults("tacit-core", "dev-dependencies.tacit-ecash.workspace = true").len(), 1);
        assert_eq!(faults("tacit-unheard-of", "").len(), 1);
    }

    #[test]
    fn impure_crates_are_caught() {
        assert_eq!(faults("tacit-service", "dependencies.tokio.workspace = true").len(), 1);
        assert_eq!(faults("tacit-store", "dependencies.axum.workspace = true").len(), 1);
        assert!(faults("tacit-store", "dependencies.rusqlite.workspace = true").is_empty());
        assert!(faults("tacit-service", "dev-dependencies.rand.workspace = true").is_empty());
    }

    #[test]
    fn other_features_and_own_lints_are_caught() {
        assert!(faults("tacit-core", "features.test-util = []").is_empty());
        assert_eq!(faults("tacit-core", "features.fast = []").len(), 1);
        assert_eq!(check("Cargo.toml", "package.name = \"tacit-core\"").len(), 1);
    }
}
