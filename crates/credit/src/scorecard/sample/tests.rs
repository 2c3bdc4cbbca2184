//! Tables that are read, and how those that cannot be are refused.

use super::*;

const COUNTERS: &str = r#"
    format = 1
    name = "small"
    version = 1
    title = "A small card"
    [data]
    label = "bad"
    bad = "yes"
    good = "no"
    split = "small"
    source = "this test"
    licence = "none"
    [card]
    use_for = "tests"
    not_for = "anything else"
    [columns]
    late = { header = "late" }
    money = { header = "money", decimals = 2, missing = 0 }
    kind = { header = "kind", codes = { none = 0, "a, b" = 2 } }
    [[counter]]
    name = "late"
    value = "late"
    riskier = "high"
    most = 9
    history = true
    title = "Late"
    reason = "Late"
    advice = "Wait"
    [[counter]]
    name = "money"
    value = "money / (3 - kind)"
    riskier = "low"
    most = 100000
    title = "Money"
    reason = "Little money"
    advice = "Save"
"#;

/// 199 good rows, and one more.
fn csv(last: &str) -> String {
    let mut text = "late,kind,bad,age,money\n".to_owned();
    for row in 0..199 {
        text.push_str(&format!("{},none,no,{},{row}.5\n", row % 3, 20 + row));
    }
    text + last
}

fn read(text: &[u8]) -> Result<Sample, String> {
    let definition = Definition::new(COUNTERS).unwrap();
    Sample::read(text, &definition, &["age".to_owned()]).map_err(|error| {
        match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        }
    })
}

#[test]
fn marks_line_ends_quotes_and_order_of_columns_do_not_matter() {
    let plain = read(csv("2,\"a, b\",yes,30,1.25\n").as_bytes()).unwrap();
    assert_eq!((plain.counters[0][199], plain.counters[1][199]), (2, 125));
    assert_eq!((plain.counters[1][4], plain.bad[4], plain.bad[199]), (150, false, true));
    assert_eq!(plain.audited[0].groups[0], "20 to 68");
    let other =
        format!("\u{feff}{}", csv("\n\"2\",\"a, b\" ,yes , 30,001.250\n").replace('\n', "\r\n"));
    let other = read(other.as_bytes()).unwrap();
    assert_eq!(
        (&plain.counters, &plain.bad, &plain.audited),
        (&other.counters, &other.bad, &other.audited)
    );
    let empty = read(csv("2,none,yes,30,\n").as_bytes()).unwrap();
    assert_eq!(empty.counters[1][199], 0, "what may be missing is what the file says");
}

#[test]
fn what_cannot_be_read_is_named_by_line_and_column() {
    for (last, said) in [
        ("x,none,yes,30,1\n", "line 201, column \"late\": \"x\" is no whole number"),
        ("1.5,none,yes,30,1\n", "line 201, column \"late\": \"1.5\" is no whole number"),
        ("1e3,none,yes,30,1\n", "\"1e3\" is no whole number"),
        (",none,yes,30,1\n", "line 201, column \"late\" is empty"),
        ("1,none,yes,30,1.255\n", "\"1.255\" is no whole number, nor one with 2 decimals"),
        ("99999999999999999999,none,yes,30,1\n", "is no whole number"),
        ("1,some,yes,30,1\n", "line 201, column \"kind\": \"some\" is not among the codes"),
        (
            "1,none,maybe,30,1\n",
            "line 201, column \"bad\": \"maybe\" is neither \"no\" nor \"yes\"",
        ),
        ("1,none,,30,1\n", "column \"bad\": \"\" is neither"),
        ("10,none,yes,30,1\n", "line 201: counter late is 10, outside 0 to 9"),
        ("-1,none,yes,30,1\n", "line 201: counter late is -1, outside 0 to 9"),
        ("1,none,yes,30\n", "line 201 has 4 columns, and line 1 has 5"),
        ("1,none,yes,30,1,1\n", "line 201 has 6 columns"),
        ("1,none,no,30,1\n", "column \"bad\" is \"no\" in every row"),
        ("", "it has 199 rows: at least 200"),
        ("\n1,none,no,old,1\n1,none,yes,30,1", "column \"age\" has more than 12 values"),
        ("\u{1}\u{fffd},none,yes,30,1\n", "column \"late\""),
    ] {
        let refused = read(csv(last).as_bytes()).unwrap_err();
        assert!(refused.contains(said), "{last:?}: {refused}");
    }
    let three = COUNTERS.replace("none = 0", "none = 3");
    let refused = Sample::read(csv("").as_bytes(), &Definition::new(&three).unwrap(), &[]);
    let SampleError::Value { line: 2, source, .. } = refused.unwrap_err() else { panic!() };
    assert_eq!(source, ValueError::Divisor { divisor: 0 });
}

#[test]
fn lines_are_counted_as_an_editor_does() {
    for (end, blank) in [("\n", 0), ("\r\n", 0), ("\n", 1), ("\r\n", 3)] {
        let text = csv(&format!("{}x,none,yes,30,1\n", "\n".repeat(blank))).replace('\n', end);
        let refused = read(text.as_bytes()).unwrap_err();
        assert!(refused.starts_with(&format!("line {},", 201 + blank)), "{end:?}: {refused}");
    }
}

#[test]
fn files_that_are_no_table_are_refused() {
    for (text, said) in [
        ("", "nothing in it"),
        (" \r\n\n", "nothing in it"),
        ("late,kind,bad,age,money\n", "it has 0 rows"),
        ("late;kind;bad\n1;none;no\n", "line 1 has no column \"bad\"; it has: \"late;kind;bad\""),
        ("late,kind,late,bad,age,money\n", "line 1 has two columns \"late\""),
        ("late,kind,bad,money\n", "line 1 has no column \"age\""),
        ("late,kind,bad,age,money\n\"1,none", "line 2 has 1 columns"),
    ] {
        let refused = read(text.as_bytes()).unwrap_err();
        assert!(refused.contains(said), "{text:?}: {refused}");
    }
    let wide = ",".repeat(COLUMNS_MAX);
    assert!(read(wide.as_bytes()).unwrap_err().contains("4097 columns"));
    assert!(read(&[0xff; 64]).unwrap_err().contains("has no column"));
}

#[test]
fn rows_that_are_equal_in_all_that_is_read_are_known_again() {
    let sample =
        read(csv("2,none,yes,30,7\n2,none,yes,99,7\n2,none,no,30,7\n").as_bytes()).unwrap();
    assert_eq!(sample.fingerprints[199], sample.fingerprints[200], "age is not read");
    assert_ne!(sample.fingerprints[199], sample.fingerprints[201], "the outcome is");
}
