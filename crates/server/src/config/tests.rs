//! Of the whole configuration: what wins over what, and each mistake.

use super::setting::Source;
use super::*;

pub(super) fn parse(text: &str) -> Result<Config, ConfigError> {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("tacit-config-{}-{number}.toml", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).unwrap();
    let config = Config::load(Overrides::default(), Some(&path));
    std::fs::remove_file(path).unwrap();
    config
}

#[test]
fn a_demo_serves_five_units_without_a_file() {
    let demo = Some(Given::flag("--demo", true));
    let overrides = Overrides { demo, ..Overrides::default() };
    let config = Config::load(overrides, None).unwrap();
    let units: Vec<_> = config.units.iter().map(|terms| terms.path.as_str()).collect();
    assert_eq!(units, ["usd", "eur", "kes", "inr", "sat"]);
    assert!(config.units.iter().all(|terms| terms.bolt11));
    assert_eq!(config.units[4].input_fee_ppk, 100);
}

#[test]
fn flags_win_over_the_file_and_the_file_over_defaults() {
    let text = "listen = '127.0.0.1:1'\ndata = 'a'\n[[unit]]\nunit = 'usd'\npath = 'dollars'";
    let config = parse(text).unwrap();
    assert_eq!((config.listen.as_str(), config.data.to_str()), ("127.0.0.1:1", Some("a")));
    assert_eq!(config.units[0].path, "dollars");
    assert!(!config.units[0].bolt11 && !config.demo);
    let flags = Overrides {
        listen: Some(Given::flag("--listen", "127.0.0.1:2".to_owned())),
        data: Some(Given::flag("--data", "b".into())),
        demo: Some(Given::flag("--demo", true)),
        ..Overrides::default()
    };
    let config = Config::load(flags, None).unwrap();
    assert_eq!((config.listen.as_str(), config.data.to_str()), ("127.0.0.1:2", Some("b")));
}

#[test]
fn each_mistake_has_its_error() {
    let unit = |line: &str| parse(&format!("[[unit]]\nunit = 'usd'\n{line}"));
    assert!(matches!(parse(""), Err(ConfigError::NoUnits)));
    assert!(matches!(parse("listen = 1"), Err(ConfigError::Parse { .. })));
    assert!(matches!(parse("listen = "), Err(ConfigError::Parse { .. })));
    for key in ["icon_url", "tos_url", "public_url"] {
        let refused = parse(&format!("[about]\n{key} = 'mint.example'"));
        assert!(matches!(refused, Err(ConfigError::Url { .. })), "{key}");
    }
    assert!(matches!(unit("path = 'metrics'"), Err(ConfigError::BadPath { .. })));
    assert!(matches!(unit("path = 'a/b'"), Err(ConfigError::BadPath { .. })));
    assert!(matches!(unit("[[unit]]\nunit = 'usd'"), Err(ConfigError::Twice { .. })));
    assert!(matches!(unit("denominations = 54"), Err(ConfigError::Denominations { .. })));
    assert!(matches!(unit("input_fee_ppk = 1000001"), Err(ConfigError::Fee { .. })));
    assert!(matches!(unit("fee_sale = [0, 10001]"), Err(ConfigError::Tariff { .. })));
    assert!(matches!(unit("fee_payout = 9007199254740992"), Err(ConfigError::Tariff { .. })));
    assert!(matches!(unit("[agent]\ncode_hours = 0"), Err(ConfigError::CodeLife)));
    let refused = unit("[passport]\nagain_months = 121");
    assert!(matches!(refused, Err(ConfigError::PassportMonths)));
    assert!(matches!(unit("passport_unit = 0"), Err(ConfigError::PassportUnit { .. })));
    assert!(matches!(unit("mint_min = 0"), Err(ConfigError::Range { .. })));
    assert!(matches!(unit("melt_max = 9007199254740992"), Err(ConfigError::Range { .. })));
    let missing = Config::load(Overrides::default(), Some(Path::new("/nowhere/at/all")));
    assert!(matches!(missing, Err(ConfigError::Read { .. })));
}
#[test]
fn what_does_not_exist_is_named_with_its_line_and_neighbour() {
    let text = "lisen = '127.0.0.1:1'\ncolour = 1\n[about]\nnmae = 'x'\ncontact = [{ methd = 'a' }]\n\
                [[unit]]\nunit = 'usd'\n\n[[unit]]\nunit = 'eur'\nbolt12 = true\n[log]\nlevel = 1\n";
    let said = parse(text).unwrap_err().to_string();
    for part in [
        "line 1: there is no setting lisen, the nearest is listen",
        "line 2: there is no setting colour;",
        "line 4: there is no setting about.nmae, the nearest is about.name",
        "line 5: there is no setting about.contact.methd, the nearest is about.contact.method",
        "line 11: there is no setting unit.bolt12, the nearest is unit.bolt11",
        "line 12: there is no setting log",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(said.matches("line").count(), 6, "{said}");
    let overrides =
        Overrides { variables: vec!["TACITD_DEMOS".to_owned()], ..Overrides::default() };
    let said = Config::load(overrides, None).unwrap_err().to_string();
    assert!(said.contains("TACITD_DEMOS") && said.ends_with("TACITD_DEMO"), "{said}");
}

#[test]
fn the_environment_turns_a_demo_of_the_file_off() {
    let source = Source::Environment("TACITD_DEMO");
    let path = std::env::temp_dir().join(format!("tacit-off-{}.toml", std::process::id()));
    std::fs::write(&path, "demo = true\n[[unit]]\nunit = 'usd'").unwrap();
    let load = |demo| {
        let overrides = Overrides { demo, ..Overrides::default() };
        Config::load(overrides, Some(&path)).unwrap().demo
    };
    assert!(load(None));
    assert!(!load(Some(Given { value: false, source })));
    std::fs::remove_file(path).unwrap();
}
