//! Figures as people read them.

use tacit_credit::scorecard::{Counter, Scorecard};

/// `20,999`.
pub(super) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `22.1 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// The share that did not pay, of those who paid and those who did not.
pub(super) fn bad_rate((good, bad): (u32, u32)) -> String {
    let rows = good + bad;
    if rows == 0 { "none".to_owned() } else { percent(f64::from(bad) / f64::from(rows)) }
}

/// The names of what people may leave away.
pub(super) fn optional(card: &Scorecard) -> String {
    let optional = card.counters().iter().filter(|counter| counter.is_optional());
    optional.map(|counter| counter.name().as_str()).collect::<Vec<_>>().join(", ")
}

/// The values of a bin: `0`, `1 to 3`, `4 or more`.
pub(super) fn bin(counter: &Counter, bin: usize) -> String {
    let cuts = counter.cuts();
    let first = if bin == 0 { 0 } else { cuts[bin - 1] + 1 };
    match cuts.get(bin) {
        Some(last) if *last == first => first.to_string(),
        Some(last) => format!("{first} to {last}"),
        None if counter.most() == first => first.to_string(),
        None => format!("{first} or more"),
    }
}

/// A text in lines of at most `width` characters, broken at spaces, each behind `indent`.
pub(super) fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let needed = indent.len() + line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && needed > width {
            lines.push(format!("{indent}{line}"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(format!("{indent}{line}"));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, shown) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), shown);
        }
    }

    #[test]
    fn lines_break_at_spaces_and_keep_long_words_whole() {
        assert_eq!(wrapped("one two three", 9, "  "), "  one two\n  three");
        assert_eq!(wrapped("incomprehensible it is", 8, ""), "incomprehensible\nit is");
        assert_eq!(wrapped("", 8, ""), "");
    }
}
