//! Holds the tree against the rules.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tacit_tidy::fault::Fault;
use tacit_tidy::source::Source;
use tacit_tidy::{call, incident, manifest, page, shape};

/// Incidents whose test is still to be written. This list only shrinks.
const MISSING: &[&str] = &[];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn names(directory: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(directory)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file under a directory.
fn sources(directory: &str) -> Vec<Source> {
    let mut found = Vec::new();
    for name in names(directory) {
        let path = format!("{directory}/{name}");
        if root().join(&path).is_dir() {
            // What a fuzzer of a crate builds lies in `target`.
            if name != "target" {
                found.extend(sources(&path));
            }
        } else if name.ends_with(".rs") {
            found.push(Source::new(&path, &read(&path)));
        }
    }
    found
}

fn assert_none(faults: Vec<Fault>) {
    let list: Vec<String> = faults.iter().map(Fault::to_string).collect();
    assert!(list.is_empty(), "{} faults:\n{}", list.len(), list.join("\n"));
}

#[test]
fn files_keep_their_shape() {
    let sources = sources("crates");
    assert!(30 < sources.len(), "the walk lost its way: {} files", sources.len());
    assert_none(sources.iter().flat_map(shape::check).collect());
}

/// PASSPORT.md, rules 4 and 12: the feature that calls variable time constant, and a panic that ends the server.
#[test]
fn the_passports_library_is_built_as_it_must_be() {
    let crates = names("crates").into_iter().map(|name| format!("crates/{name}/Cargo.toml"));
    for path in crates.chain(["Cargo.toml".to_owned()]) {
        let manifest: toml::Table = read(&path).parse().unwrap();
        assert!(
            !read(&path).contains("wnaf"),
            "{path}: cmz's multiplication is not constant in time then"
        );
        let profiles = manifest.get("profile").and_then(toml::Value::as_table);
        for (profile, settings) in profiles.into_iter().flatten() {
            assert_eq!(
                settings.get("panic"),
                None,
                "{path}, {profile}: hostile proofs would end the server"
            );
        }
        let workspace = manifest.get("workspace").and_then(|it| it.get("dependencies"));
        for dependencies in [manifest.get("dependencies"), workspace].into_iter().flatten() {
            let features = dependencies.get("cmz").and_then(|cmz| cmz.get("features"));
            assert_eq!(features, None, "{path}: cmz without features");
        }
    }
}

#[test]
fn calls_stay_in_their_places() {
    assert_none(sources("crates").iter().flat_map(call::check).collect());
}

#[test]
fn crates_know_only_what_they_may() {
    let paths = names("crates").into_iter().map(|name| format!("crates/{name}/Cargo.toml"));
    assert_none(paths.flat_map(|path| manifest::check(&path, &read(&path))).collect());
}

#[test]
fn the_readme_agrees_with_the_tree() {
    assert_none(page::readme(&read("README.md"), &names("crates")));
}

#[test]
fn decisions_are_numbered_and_linked() {
    let mut files = names("docs/adr");
    assert!(files.remove("README.md"));
    assert!(!files.is_empty());
    assert_none(page::decisions(&files, &read("docs/adr/README.md")));
}

#[test]
fn every_incident_of_others_is_a_test_here() {
    let tests = sources("crates").iter().flat_map(Source::tests).collect();
    assert_none(incident::check(MISSING, &tests));
}
