//! The passport's circuits are those of its table of attributes.
//!
//! Here and not in `tacit-credit`, which does not build while its circuits are wrong.

use std::fmt::Write as _;

use counter::{COUNTERS, CUTS_MAX, Counter};
use table::Rule::{Fresh, Keep, Known, Plus, Settled, Stated};
use table::{TABLE, UPDATES};

#[expect(unreachable_pub, reason = "public where it belongs, in tacit-credit")]
#[path = "../../credit/src/passport/counter.rs"]
mod counter;
#[path = "../../credit/src/passport/table.rs"]
mod table;

#[test]
fn the_circuits_are_those_of_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../credit/src/passport/circuit.rs");
    let text = written();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &text).expect("the sources may be written");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == text,
        "circuit.rs is not what the table says: BLESS=1 cargo test -p tacit-tidy circuits"
    );
}

/// The attributes of a receipt. The issuer sets all but the first two.
const RECEIPT: [&str; 7] = ["holder", "serial", "contract", "epoch", "met", "amount", "last"];

/// A circuit being written.
#[derive(Default)]
struct Circuit {
    parameters: Vec<String>,
    points: Vec<String>,
    shown: Vec<String>,
    /// Attributes of the throw-away credential that carries the helper values: its range proofs use generators the prover
    /// cannot choose (PASSPORT.md, "How certify works").
    helpers: Vec<String>,
    statements: Vec<String>,
}

impl Circuit {
    fn state(&mut self, statement: impl Into<String>) {
        self.statements.push(statement.into());
    }

    /// A helper value of so many bits.
    fn helper(&mut self, name: impl Into<String>, bits: u32) {
        let name = name.into();
        self.state(format!("(0..{}).contains(Aux.{name})", 1_u64 << bits));
        self.helpers.push(name);
    }

    /// A helper value that other statements bind.
    fn bound_helper(&mut self, name: impl Into<String>) {
        self.helpers.push(name.into());
    }

    fn parameter(&mut self, name: impl Into<String>) {
        self.parameters.push(name.into());
    }

    fn points(&mut self, names: &[&str]) {
        self.points.extend(names.iter().map(|name| (*name).to_owned()));
    }

    /// `an eighth, rounded up` of a counter: `old = 8 * fade - rest` with `rest` in 0..8 has one solution.
    fn fades(&mut self, name: &str, bits: u32) {
        self.state(format!("Old.{name} = 8 * Aux.{name}_fade - Aux.{name}_rest"));
        self.helper(format!("{name}_fade"), bits - 3);
        self.helper(format!("{name}_rest"), 3);
    }

    /// The bin a counter is in, one-hot, and how far it is past the bin's edge: see [`certify`].
    fn bins(&mut self, counter: &Counter) {
        let Counter { name, bits, falling } = counter;
        for cut in 1..=CUTS_MAX {
            self.parameter(format!("{name}_b{cut}"));
            self.parameter(format!("{name}_w{cut}"));
        }
        for bin in 0..=CUTS_MAX {
            self.helper(format!("{name}_{bin}"), 1);
        }
        self.helper(format!("{name}_past"), *bits);
        let one: Vec<_> = (0..=CUTS_MAX).map(|bin| format!("Aux.{name}_{bin}")).collect();
        let one = one.join(" + ");
        let edge: Vec<_> =
            (1..=CUTS_MAX).map(|cut| format!("{name}_b{cut} * Aux.{name}_{cut}")).collect();
        let edge = edge.join(" + ");
        self.state(format!("1 * A_generator = ({one}) * A_generator"));
        if *falling {
            let cap = counter.greatest();
            self.state(format!(
                "{cap} * A_generator = (Old.{name} + {edge} + Aux.{name}_past) * A_generator"
            ));
        } else {
            self.state(format!(
                "1 * A_generator = ({one} + {edge} + Aux.{name}_past - Old.{name}) * A_generator"
            ));
        }
    }
}

fn income() -> Circuit {
    let mut circuit = Circuit::default();
    circuit.parameter("units");
    circuit
}

fn borrow() -> Circuit {
    let mut circuit = Circuit::default();
    circuit.points(&["LOAN", "TAG"]);
    circuit.state("TAG = Old.holder * LOAN");
    circuit
}

fn repay() -> Circuit {
    let mut circuit = borrow();
    circuit.parameter("units");
    circuit.state("(0..128).contains(New.repaid)");
    circuit
}

/// One-sided, which is sound because the points are monotone in each counter: a wallet can only understate itself. A counter
/// of which more is worse is mirrored.
fn certify() -> Circuit {
    let mut circuit = Circuit::default();
    for name in ["now", "earliest", "history", "strict", "base", "threshold"] {
        circuit.parameter(name);
    }
    circuit.state("(now..(now + 4096)).contains(Old.due)");
    circuit.state("(earliest..(earliest + 4096)).contains(Old.since)");
    circuit.state("(history..(history + 64)).contains(Old.paid_months)");
    for counter in &COUNTERS {
        circuit.bins(counter);
    }
    // Where the certificate says that nothing is overdue, `strict` is 1: the best bin of arrears holds only 0.
    let one: Vec<_> = (0..=CUTS_MAX).map(|bin| format!("Aux.arrears_{bin}")).collect();
    circuit.state(format!(
        "1 * A_generator = ({} + strict * Old.arrears) * A_generator",
        one.join(" + ")
    ));
    let points: Vec<_> = COUNTERS
        .iter()
        .flat_map(|Counter { name, .. }| {
            (1..=CUTS_MAX).map(move |cut| format!("{name}_w{cut} * Aux.{name}_{cut}"))
        })
        .collect();
    circuit.state(format!(
        "base * A_generator = (Aux.score - ({})) * A_generator",
        points.join(" + ")
    ));
    circuit.bound_helper("score");
    circuit.state("(threshold..(threshold + 1024)).contains(Aux.score)");
    circuit
}

/// The month's end: bills that were met, what fades, what became overdue.
fn tick() -> Circuit {
    let mut circuit = Circuit::default();
    circuit.parameter("closing");
    circuit.points(&["MONTH", "NYM"]);
    circuit.state("NYM = Old.holder * MONTH");
    for slot in [1, 2] {
        circuit.shown.push(format!(
            "R{slot}: Receipt {{ holder: H, serial: R, contract: H, epoch: I, met: H, amount: H, last: H }}"
        ));
        circuit.state(format!("R{slot}.holder = Old.holder"));
        circuit.bound_helper(format!("need{slot}"));
        let arm = |conditions: &str, contract: &str, need: u8| {
            format!("AND({conditions}, New.contract{slot} = {contract}, Aux.need{slot} = {need})")
        };
        let (old, paid) = (format!("Old.contract{slot}"), format!("R{slot}.contract"));
        circuit.state(format!(
            "OR({},\n       {},\n       {},\n       {},\n       {})",
            arm(&format!("{old} = 0, {paid} = 0"), "0", 0), // An empty slot, and a blank.
            arm(&format!("{paid} = 0"), &old, 1),           // A contract nobody has a receipt of.
            arm(&format!("{paid} = {old}"), &old, 1),
            arm(&format!("{paid} = {old}, R{slot}.last = 1"), "0", 1),
            arm(&format!("{old} = 0"), &paid, 1), // The first receipt of a contract.
        ));
    }
    circuit.state("R1.met = Aux.need1 + Aux.need2 - R2.met - Aux.missed");
    circuit.helper("missed", 2);
    // Not a definition of `Old.due`: a public term beside private ones does not compile there (sigma-compiler 0.2.3).
    circuit.state(
        "(closing + 1) * A_generator = (Old.due + 4096 * Aux.overdue - Aux.ahead) * A_generator",
    );
    circuit.helper("ahead", 13);
    circuit.helper("overdue", 1);
    let arm = |condition: &str, arrears: u8, late: u8, behind: u8| {
        format!(
            "AND({condition}, New.arrears = {arrears}, Aux.late = {late}, Aux.behind = {behind})"
        )
    };
    circuit.bound_helper("late");
    circuit.bound_helper("behind");
    circuit.state(format!(
        "OR({},\n       {},\n       {},\n       {},\n       {})",
        arm("Aux.missed = 0, Aux.overdue = 0", 0, 0, 0),
        arm("Old.arrears = 0", 1, 1, 0),
        arm("Old.arrears = 1", 2, 1, 1),
        arm("Old.arrears = 2", 3, 1, 1),
        arm("Old.arrears = 3", 3, 1, 1),
    ));
    for (name, bits) in
        [("late", 6), ("behind", 6), ("paid", 12), ("paid_months", 6), ("income", 12)]
    {
        circuit.fades(name, bits);
    }
    circuit.state("New.late = Old.late - Aux.late_fade + 7 * Aux.late");
    circuit.state("New.behind = Old.behind - Aux.behind_fade + 7 * Aux.behind");
    circuit.state("New.paid = Old.paid - Aux.paid_fade + R1.amount + R2.amount + Old.repaid");
    // A month with a payment: `some` may be 1 only where something was paid.
    circuit.state("Old.repaid = Aux.some + Aux.more - R1.amount - R2.amount");
    circuit.helper("some", 1);
    circuit.helper("more", 9);
    circuit.state("New.paid_months = Old.paid_months - Aux.paid_months_fade + 7 * Aux.some");
    circuit.state("New.income = Old.income - Aux.income_fade");
    circuit
}

fn circuit_of(update: &str) -> Circuit {
    match update {
        "income" => income(),
        "borrow" => borrow(),
        "repay" => repay(),
        "certify" => certify(),
        "tick" => tick(),
        other => panic!("no circuit for {other}"),
    }
}

/// The credential of a protocol's helper values.
fn helpers_of(update: &str) -> Option<&'static str> {
    match update {
        "certify" => Some("Proof"),
        "tick" => Some("Turn"),
        _ => None,
    }
}

/// The text of `circuit.rs`.
fn written() -> String {
    let mut text = String::from(HEAD);
    let names: Vec<_> = TABLE.iter().map(|(name, _)| *name).collect();
    declare(&mut text, "Passport", &names);
    declare(&mut text, "Receipt", &RECEIPT);
    for update in UPDATES {
        if let Some(name) = helpers_of(update) {
            let circuit = circuit_of(update);
            let helpers: Vec<_> = circuit.helpers.iter().map(String::as_str).collect();
            declare(&mut text, name, &helpers);
        }
    }
    let first = names.iter().map(|name| match *name {
        "holder" => "holder: H".to_owned(),
        "serial" => "serial: J".to_owned(),
        known => format!("{known}: I"),
    });
    protocol(
        &mut text,
        "enrol",
        &["@HOLDER".to_owned()],
        ("", &format!("New: Passport {{ {} }}", first.collect::<Vec<_>>().join(", "))),
        &["HOLDER = New.holder * B_generator".to_owned()],
    );
    let receipt = RECEIPT.iter().map(|name| match *name {
        "holder" => "holder: H".to_owned(),
        "serial" => "serial: J".to_owned(),
        set => format!("{set}: S"),
    });
    let receipt = format!("New: Receipt {{ {} }}", receipt.collect::<Vec<_>>().join(", "));
    protocol(&mut text, "receipt", &[], ("", &receipt), &[]);
    for (column, update) in UPDATES.iter().enumerate() {
        write_update(&mut text, update, column);
    }
    text
}

fn write_update(text: &mut String, update: &str, column: usize) {
    let mut circuit = circuit_of(update);
    let (mut old, mut new, mut statements) = (Vec::new(), Vec::new(), Vec::new());
    for (name, rules) in &TABLE {
        let (before, after) = match rules[column] {
            Keep | Plus | Stated => ("H", "H"),
            Fresh => ("R", "J"),
            Known => ("I", "I"),
            Settled => ("H", "I"),
        };
        old.push(format!("{name}: {before}"));
        new.push(format!("{name}: {after}"));
        match rules[column] {
            Keep => statements.push(format!("New.{name} = Old.{name}")),
            Plus => statements.push(format!("New.{name} = Old.{name} + units")),
            Fresh | Known | Settled | Stated => {}
        }
    }
    let mut shown = vec![format!("Old: Passport {{ {} }}", old.join(", "))];
    shown.append(&mut circuit.shown);
    let mut issued = vec![format!("New: Passport {{ {} }}", new.join(", "))];
    if let Some(name) = helpers_of(update) {
        let hidden: Vec<_> = circuit.helpers.iter().map(|helper| format!("{helper}: H")).collect();
        issued.push(format!("Aux: {name} {{ {} }}", hidden.join(", ")));
    }
    statements.append(&mut circuit.statements);
    let mut parameters = circuit.parameters;
    parameters.extend(circuit.points.iter().map(|point| format!("@{point}")));
    let list = |all: Vec<String>| {
        if all.len() == 1 { all.concat() } else { format!("[{}]", all.join(",\n     ")) }
    };
    protocol(text, update, &parameters, (&list(shown), &list(issued)), &statements);
}

fn declare(text: &mut String, name: &str, attributes: &[&str]) {
    let line = format!("CMZ! {{ {name}: {} }}\n", attributes.join(", "));
    text.push_str(&wrapped(&line));
}

fn protocol(
    text: &mut String,
    name: &str,
    parameters: &[String],
    (shown, issued): (&str, &str),
    statements: &[String],
) {
    let parameters =
        if parameters.is_empty() { String::new() } else { format!("<{}>", parameters.join(", ")) };
    let head =
        wrapped(&format!("\nmuCMZProtocol! {{ {name}{parameters},\n  {shown},\n  {issued},\n"));
    text.push_str(&head);
    for statement in statements {
        let line = wrapped(&format!("  {statement},\n"));
        text.push_str(&line);
    }
    writeln!(text, "}}").expect("a string takes all");
}

/// Breaks lines that are too long to read, at a comma or a plus.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 128;
    let mut all = String::new();
    for line in text.split_inclusive('\n') {
        let mut rest = line.to_owned();
        while WIDTH < rest.trim_end().len() {
            let at = rest[..WIDTH].rfind([',', '+']).map_or(WIDTH, |at| at + 1);
            all.push_str(rest[..at].trim_end());
            all.push('\n');
            rest = format!("      {}", rest[at..].trim_start());
        }
        all.push_str(&rest);
    }
    all
}

const HEAD: &str = "\
//! The circuits of the passport's protocols, written from `table.rs`: never edit them here.
//!
//! H hidden, R revealed, I implicit (both sides know it), S set by the issuer, J jointly random.

#![allow(
    non_snake_case,
    non_camel_case_types,
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = \"generated by the macros of cmz\"
)]

use cmz::*;
use curve25519_dalek::ristretto::RistrettoPoint as G;
use group::{self, Group};
use rand_08::{CryptoRng, RngCore};

// Where the macros of cmz look for their compiler.
mod sigma_compiler {
    pub(super) use cmz::sigma_compiler::{group, rand, rangeutils, sigma_proofs, subtle, vecutils};
    pub(super) use tacit_circuit::sigma_compiler;
}

// That two tags are of one holder.
self::sigma_compiler::sigma_compiler! { same_holder,
  (holder),
  (ACCOUNT, OWN, LOAN, const GENERATOR),
  ACCOUNT = holder * GENERATOR,
  OWN = holder * LOAN,
}

";
