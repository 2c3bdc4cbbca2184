//! Rules of cards and of what is said of them.

use proptest::prelude::*;

use super::testing::{arb_card, arb_counter};
use super::*;

const NAMES: [&str; 4] = ["first", "second", "third", "fourth"];

fn arb_values() -> impl Strategy<Value = [u32; 4]> {
    [0..=63_u32, 0..=63, 0..=63, 0..=63]
}

fn read(card: &Scorecard, values: [u32; 4]) -> Reading<'_> {
    card.read(NAMES.into_iter().zip(values)).unwrap()
}

proptest! {
    /// A better value of one counter never lowers the score, a worse one never raises it.
    #[test]
    fn no_better_value_lowers_the_score(
        card in arb_card(), values in arb_values(), at in 0..4_usize, other in 0..=63_u32,
    ) {
        let mut moved = values;
        moved[at] = other;
        let is_better = match card.counters()[at].riskier() {
            Riskier::High => other <= values[at],
            Riskier::Low => other >= values[at],
        };
        let (before, after) = (read(&card, values).total(), read(&card, moved).total());
        let (worse, better) = if is_better { (before, after) } else { (after, before) };
        prop_assert!(worse <= better);
    }

    /// Points and lost points are all there is, and the bounds hold.
    #[test]
    fn lost_points_add_up(card in arb_card(), values in arb_values()) {
        let reading = read(&card, values);
        let explanation = reading.explain();
        let sum = |points: &dyn Fn(&explain::Part<'_>) -> u16| -> u32 {
            explanation.parts.iter().map(|part| u32::from(points(part))).sum()
        };
        let best: u32 = card.counters().iter().map(|c| u32::from(c.points_max())).sum();
        prop_assert_eq!(sum(&|part| part.points) + sum(&|part| part.lost), best);
        let all_lost: u32 = explanation.lost.iter().map(|part| u32::from(part.lost)).sum();
        prop_assert_eq!(all_lost, sum(&|part| part.lost));
        prop_assert!(explanation.lost.is_sorted_by(|left, right| left.lost >= right.lost));
        prop_assert!((BASE..=CAP).contains(&reading.total()));
        prop_assert!(explanation.reasons().len() <= explain::REASONS_MAX);
        prop_assert_eq!(reading.score().is_some(), reading.has_history());
    }

    /// Whoever does what a step says gains what it says; what it leaves out gains nothing.
    #[test]
    fn a_step_gains_what_it_says(card in arb_card(), values in arb_values()) {
        let before = read(&card, values).total();
        let explanation = read(&card, values).explain();
        for (at, counter) in card.counters().iter().enumerate() {
            let step = explanation.steps.iter().find(|step| step.counter.name() == counter.name());
            let mut moved = values;
            if let Some(step) = step {
                moved[at] = step.to;
                prop_assert_eq!(read(&card, moved).total(), before + step.gain);
                prop_assert!(step.gain > 0);
            } else {
                for value in 0..=63 {
                    moved[at] = value;
                    prop_assert!(read(&card, moved).total() <= before, "{} {value}", counter.name());
                }
            }
        }
        prop_assert!(explanation.steps.is_sorted_by(|left, right| left.gain >= right.gain));
    }

    /// A bin holds its upper edge and not the value above it.
    #[test]
    fn edges_belong_below(counter in arb_counter("first")) {
        for (bin, cut) in counter.cuts().iter().enumerate() {
            prop_assert_eq!((counter.bin(*cut), counter.bin(cut + 1)), (bin, bin + 1));
        }
    }
}

fn parts() -> CounterParts {
    let text = |text: &str| text.to_owned();
    CounterParts {
        name: CounterName::new("late").unwrap(),
        riskier: Riskier::High,
        most: 9,
        cuts: vec![0, 3],
        points: vec![80, 30, 0],
        history: true,
        optional: false,
        texts: Texts { title: text("Late"), reason: text("Was late"), advice: text("Wait") },
    }
}

/// The message of the refusal of a counter that was changed.
fn refused(change: impl FnOnce(&mut CounterParts)) -> String {
    let mut changed = parts();
    change(&mut changed);
    Counter::new(changed).unwrap_err().to_string()
}

#[test]
fn counters_that_break_a_rule_are_refused() {
    assert!(Counter::new(parts()).is_ok());
    let many = (0..32).collect::<Vec<u32>>();
    assert!(refused(|parts| parts.cuts = many).contains("has 32 cuts"));
    assert!(refused(|parts| parts.points = vec![80, 0]).contains("one more bin than cuts"));
    assert!(refused(|parts| parts.cuts = vec![3, 3]).contains("do not rise"));
    assert!(refused(|parts| parts.cuts = vec![4, 3]).contains("do not rise"));
    assert!(refused(|parts| parts.cuts = vec![0, 9]).contains("no value is above 9"));
    assert!(refused(|parts| parts.points = vec![30, 80, 0]).contains("rise towards the risk"));
    assert!(refused(|parts| parts.riskier = Riskier::Low).contains("rise towards the risk"));
    assert!(refused(|parts| parts.points = vec![80, 30, 1]).contains("riskiest bin"));
    assert!(refused(|parts| parts.points = vec![601, 30, 0]).contains("above the 600"));
    for text in ["", "  ", "red \u{1b}[31m", &"x".repeat(TEXT_BYTES_MAX + 1)] {
        let text = text.to_owned();
        assert!(refused(|parts| parts.texts.reason = text).contains("a text of counter late"));
    }
    for name in ["", "Late", "1late", "_", "spät", &"x".repeat(33)] {
        assert!(CounterName::new(name).is_err(), "{name}");
    }
}

fn named(name: &str) -> Counter {
    Counter::new(CounterParts { name: CounterName::new(name).unwrap(), ..parts() }).unwrap()
}

#[test]
fn cards_that_break_a_rule_are_refused() {
    let bands = || vec![Band { from: BASE, default_per_10000: 900 }];
    let counters = |count: usize| (0..count).map(|n| named(&format!("c{n}"))).collect::<Vec<_>>();
    assert!(Scorecard::new(counters(1), bands()).is_ok());
    for count in [0, 33] {
        let refused = Scorecard::new(counters(count), bands());
        assert_eq!(refused, Err(CardError::CounterCount { counters: count }));
    }
    let doubled = Scorecard::new(vec![named("late"), named("late")], bands());
    assert!(matches!(doubled, Err(CardError::DoubledName { .. })));
    assert_eq!(Scorecard::new(counters(8), bands()), Err(CardError::TooManyPoints { points: 640 }));
    let band = |from, default_per_10000| Band { from, default_per_10000 };
    for bad in [
        vec![],
        vec![band(349, 900)],
        vec![band(351, 900)],
        vec![band(BASE, 10_001)],
        vec![band(BASE, 900), band(BASE, 800)],
        vec![band(BASE, 900), band(400, 901)],
        vec![band(BASE, 900), band(951, 800)],
        (0..33).map(|n| band(BASE + n, 900)).collect(),
    ] {
        assert_eq!(Scorecard::new(counters(1), bad), Err(CardError::Bands));
    }
}

#[test]
fn values_must_fit_the_card() {
    let bands = vec![Band { from: BASE, default_per_10000: 900 }];
    let card = Scorecard::new(vec![named("late"), named("behind")], bands).unwrap();
    let refused =
        |values: &[(&'static str, u32)]| card.read(values.iter().copied()).unwrap_err().to_string();
    assert_eq!(refused(&[("late", 0)]), "counter behind is not given");
    assert_eq!(refused(&[("late", 10)]), "counter late is at most 9, not 10");
    assert_eq!(refused(&[("late", 1), ("late", 1)]), "counter late is given twice");
    assert_eq!(refused(&[("age", 40)]), "the card has no counter \"age\"");
    let reading = card.read([("behind", 0), ("late", 4)]).unwrap();
    assert_eq!(reading.points().map(|(_, _, points)| points).collect::<Vec<_>>(), [0, 80]);
    assert_eq!(format!("{reading:?}"), "Reading(..)");
}

#[test]
fn nobody_without_history_has_a_score() {
    let bands = vec![Band { from: BASE, default_per_10000: 900 }];
    let income = Counter::new(CounterParts {
        name: CounterName::new("income").unwrap(),
        riskier: Riskier::Low,
        points: vec![0, 30, 80],
        history: false,
        ..parts()
    });
    let card = Scorecard::new(vec![named("late"), income.unwrap()], bands).unwrap();
    let with = |late, income| card.read([("late", late), ("income", income)]).unwrap();
    assert_eq!(with(0, 9).score(), None, "income alone is no history");
    let explanation = with(0, 9).explain();
    assert_eq!((explanation.score, explanation.default_per_10000), (None, None));
    assert_eq!(explanation.reasons(), [], "nothing is held against somebody unknown");
    assert_eq!(with(1, 9).score(), Some(350 + 30 + 80));
}
