//! The checks of signatures in the guide, run as they stand there.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::till::now;

const GUIDE: &str = include_str!("../../../../docs/guides/webhooks.md");

/// The guide's example in a language.
fn example(language: &str) -> String {
    let begin = GUIDE.split(&format!("```{language}\n")).nth(1).unwrap();
    begin.split("```").next().unwrap().to_owned()
}

/// Runs a program that is read from standard input; what it printed.
fn run(program: &str, arguments: &[&str], text: &str) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} is needed: {error}"));
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_examples_of_the_guide_take_our_signature_and_no_other() {
    let (key, body) = ("04".repeat(32), r#"{"type":"order.paid"}"#);
    let signed = |moment: u64, body: &str| {
        let mac = <hmac::Hmac<sha2::Sha256> as hmac::KeyInit>::new_from_slice(key.as_bytes());
        let mut mac = mac.unwrap();
        hmac::Mac::update(&mut mac, format!("{moment}.{body}").as_bytes());
        let code: [u8; 32] = hmac::Mac::finalize(mac).into_bytes().into();
        format!("t={moment},v1={}", tacit_core::hex::encode(&code))
    };
    let moment = now().seconds();
    let cases = [
        (signed(moment, body), body, "true"),
        (signed(moment, body), r#"{"type":"order.paid" }"#, "false"),
        (signed(moment - 600, body), body, "false"),
        (format!("t={moment},v1=00"), body, "false"),
        ("nonsense".to_owned(), body, "false"),
    ];
    let (python, javascript) = (example("python"), example("javascript"));
    for (header, body, expected) in cases {
        let calls = format!("print(str(verify('{key}', '{header}', b'{body}')).lower())\n");
        assert_eq!(run("python3", &["-"], &format!("{python}\n{calls}")), expected, "{header}");
        let calls = format!("console.log(String(verify('{key}', '{header}', '{body}')));\n");
        let text = format!("{javascript}\n{calls}");
        assert_eq!(run("node", &["--input-type=module", "-"], &text), expected, "{header}");
    }
}
