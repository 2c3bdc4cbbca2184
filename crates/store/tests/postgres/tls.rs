//! Encrypted connections: to whom they are made, and to whom not.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, KeyPair, date_time_ymd,
};
use tacit_core::time::Timestamp;
use tacit_service::conformance::rig;
use tacit_service::vault::{Change, VaultReader, VaultStore};
use tacit_store::postgres::{PostgresReader, PostgresVault, Target};
use tempfile::TempDir;

use crate::postgres::{Postgres, owner};

/// Who signs certificates of databases and of those who ask them.
struct Authority {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, key }
    }

    /// Certificate and key of whoever has these names, in PEM.
    fn sign(&self, names: &[&str], change: impl Fn(&mut CertificateParams)) -> [String; 2] {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.certificate, &self.key).unwrap();
        [certificate.pem(), key.serialize_pem()]
    }
}

/// A database that speaks TLS, and the certificate of who vouches for it.
struct Bed {
    server: Postgres,
    folder: TempDir,
    authority: Authority,
}

impl Bed {
    fn of(names: &[&str], change: impl Fn(&mut CertificateParams)) -> Self {
        Self::with(names, change, &[])
    }

    fn with(
        names: &[&str],
        change: impl Fn(&mut CertificateParams),
        files: &[(&str, &str)],
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let authority = Authority::new();
        let [certificate, key] = authority.sign(names, change);
        let pem = authority.certificate.pem();
        let own = [("root.pem", pem.as_str()), ("server.pem", &certificate), ("server.key", &key)];
        for (name, text) in own.iter().chain(files) {
            write(&folder.path().join(name), text);
        }
        if let Some((user, group)) = owner() {
            chown(folder.path().join("server.key"), Some(user), Some(group)).unwrap();
        }
        let at = |name: &str| folder.path().join(name).display().to_string();
        let mut settings = vec![
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", at("server.pem")),
            format!("ssl_key_file={}", at("server.key")),
            format!("ssl_ca_file={}", at("root.pem")),
        ];
        if !files.is_empty() {
            settings.push(format!("hba_file={}", at("hba")));
        }
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        Self { server: Postgres::start_with(&settings), folder, authority }
    }

    /// The URL of a new vault, with a mode and the authority that is known.
    fn url(&self, mode: &str) -> String {
        let root = self.folder.path().join("root.pem");
        format!("{}&sslmode={mode}&sslrootcert={}", self.server.new_url(), root.display())
    }

    /// Which of the mint's connections are encrypted, `t` or `f` each.
    fn encrypted(&self) -> String {
        let sql = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'tacitd'";
        self.server.psql(sql).unwrap().replace('\n', "")
    }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    let mode = if path.extension().is_some_and(|end| end == "key") { 0o600 } else { 0o644 };
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn as_it_is(_: &mut CertificateParams) {}

fn open(url: &str) -> PostgresVault {
    PostgresVault::open(&url.parse::<Target>().unwrap(), &rig::identity()).unwrap()
}

/// Everything that is said of why a database is not used.
fn refusal(url: &str) -> String {
    let target: Target = url.parse().unwrap();
    let error = PostgresVault::open(&target, &rig::identity()).err().expect("it is refused");
    let mut source: Option<&dyn std::error::Error> = Some(&error);
    let mut said = Vec::new();
    while let Some(error) = source {
        said.push(error.to_string());
        source = error.source();
    }
    said.join(": ")
}

const MODES: [&str; 3] = ["require", "verify-ca", "verify-full"];

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_database_that_the_authority_vouches_for_is_asked_in_secret() {
    let bed = Bed::of(&["127.0.0.1"], as_it_is);
    for mode in MODES {
        let url = bed.url(mode);
        let mut vault = open(&url);
        vault.commit(&[Change::Tick], Timestamp::from_seconds(1_800_000_000)).unwrap();
        let mut reader = PostgresReader::open(&url.parse().unwrap()).unwrap();
        assert!(reader.keysets().unwrap().is_empty());
        assert_eq!(bed.encrypted(), "tt", "{mode}");
    }
    let plain = open(&bed.server.new_url());
    assert_eq!(bed.encrypted(), "f");
    drop(plain);
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_database_of_another_name_is_refused() {
    let bed = Bed::of(&["db.example.org", "127.0.0.2"], as_it_is);
    for mode in ["require", "verify-full"] {
        let said = refusal(&bed.url(mode));
        assert!(said.contains("certificate not valid for name \"127.0.0.1\""), "{mode}: {said}");
    }
    let _vault = open(&bed.url("verify-ca"));
    assert_eq!(bed.encrypted(), "t", "the name is not looked at");
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_database_that_nobody_known_vouches_for_is_refused() {
    // Of another name besides: the only fault that verify-ca does not mind.
    for names in [["127.0.0.1"], ["db.example.org"]] {
        let bed = Bed::of(&names, as_it_is);
        write(&bed.folder.path().join("root.pem"), &Authority::new().certificate.pem());
        for mode in MODES {
            let said = refusal(&bed.url(mode));
            assert!(said.contains("invalid peer certificate"), "{mode}: {said}");
            assert!(!said.contains("not valid for name"), "{mode}: {said}");
        }
        for mode in ["require", "verify-full"] {
            let system = format!("{}&sslmode={mode}", bed.server.new_url());
            let said = refusal(&system);
            assert!(said.contains("UnknownIssuer"), "the system does not know it: {said}");
        }
    }
    let past = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 1);
    let bed = Bed::of(&["db.example.org"], past);
    for mode in MODES {
        let said = refusal(&bed.url(mode));
        assert!(said.contains("expired"), "{mode}: {said}");
    }
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_database_without_tls_is_refused_where_tls_was_asked_for() {
    let server = Postgres::start();
    for mode in ["require", "verify-full"] {
        let said = refusal(&format!("{}&sslmode={mode}", server.new_url()));
        assert!(said.contains("server does not support TLS"), "{mode}: {said}");
    }
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_file_that_is_not_there_or_says_nothing_is_named() {
    let bed = Bed::of(&["127.0.0.1"], as_it_is);
    let url = bed.url("verify-full");
    let root = bed.folder.path().join("root.pem");
    fs::remove_file(&root).unwrap();
    let said = refusal(&url);
    assert!(said.contains("root.pem cannot be read: No such file"), "{said}");
    for rubbish in ["", "rubbish", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
    {
        write(&root, rubbish);
        let said = refusal(&url);
        assert!(said.contains("root.pem"), "{rubbish:?}: {said}");
        assert!(said.contains("certificate"), "{rubbish:?}: {said}");
    }
    // As it is read anew for each connection, it need only be put there.
    write(&root, &bed.authority.certificate.pem());
    drop(open(&url));
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_mint_shows_its_own_certificate_to_a_database_that_wants_one() {
    let hba = "hostssl all tacit 127.0.0.1/32 trust\nhostssl all mint 127.0.0.1/32 cert\n";
    let bed = Bed::with(&["127.0.0.1"], as_it_is, &[("hba", hba)]);
    bed.server.psql("CREATE ROLE mint LOGIN; CREATE SCHEMA vault AUTHORIZATION mint").unwrap();
    let named = |name: &'static str| {
        move |params: &mut CertificateParams| {
            params.distinguished_name.push(DnType::CommonName, name)
        }
    };
    let at = |name: &str| bed.folder.path().join(name);
    for (file, name) in [("mint", "mint"), ("other", "other")] {
        let [certificate, key] = bed.authority.sign(&[], named(name));
        write(&at(&format!("{file}.pem")), &certificate);
        write(&at(&format!("{file}.key")), &key);
    }
    let place = bed.server.url_of("vault", bed.server.port()).replace("tacit@", "mint@");
    let root = at("root.pem").display().to_string();
    let url = |certificate: &str, key: &str| {
        let [certificate, key] = [certificate, key].map(|file| at(file).display().to_string());
        format!("{place}&sslmode=verify-full&sslrootcert={root}&sslcert={certificate}&sslkey={key}")
    };
    let vault = open(&url("mint.pem", "mint.key"));
    assert_eq!(bed.encrypted(), "t");
    drop(vault);
    let said = refusal(&url("other.pem", "other.key"));
    assert!(said.contains("certificate authentication failed"), "{said}");
    let said = refusal(&url("mint.pem", "other.key"));
    assert!(said.contains("other.key cannot be used with the certificate"), "{said}");
    let without = format!("{place}&sslmode=verify-full&sslrootcert={root}");
    assert!(refusal(&without).contains("requires a valid client certificate"));
}
