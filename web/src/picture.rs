//! Figures as shapes and tables, computed on the device.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_credit::scorecard::{BASE, CAP};
use tacit_wallet::history::{Entry, Kind, Progress};
use tacit_wallet::money::figure;
use tacit_wallet::state::OperationId;

/// An arc of the gauge, which spans 240 degrees: the path's `d`, for a circle of radius 100 around (120, 120).
pub fn arc(part: f64) -> String {
    let part = part.clamp(0.0, 1.0);
    let place = |part: f64| {
        let angle = (150.0 + 240.0 * part).to_radians();
        (120.0 + 100.0 * angle.cos(), 120.0 + 100.0 * angle.sin())
    };
    let ((x, y), (u, v)) = (place(0.0), place(part));
    let is_large = u8::from(180.0 < 240.0 * part);
    format!("M{x:.1} {y:.1}A100 100 0 {is_large} 1 {u:.1} {v:.1}")
}

/// How far a score stands between the least and the most.
pub fn share(score: u16) -> f64 {
    f64::from(score.saturating_sub(BASE)) / f64::from(CAP - BASE)
}

/// Scores as the points of a line that is 232 wide and 48 high, with a margin of 4, from the least of them to the most.
pub fn line(scores: impl ExactSizeIterator<Item = u16> + Clone) -> String {
    let (least, most) = (scores.clone().min().unwrap_or(BASE), scores.clone().max().unwrap_or(CAP));
    let across = scores.len().saturating_sub(1).max(1);
    let point = |(at, score): (usize, u16)| {
        let height = f64::from(score - least) / f64::from((most - least).max(1));
        format!("{},{:.1}", 4 + 232 * at / across, 52.0 - 48.0 * height)
    };
    scores.enumerate().map(point).collect::<Vec<_>>().join(" ")
}

/// What one month saw of one unit, in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Month {
    /// What came in.
    pub came: i128,
    /// What went out, fees with it.
    pub went: i128,
    /// Of that, by what it was for, the most first.
    pub parts: Vec<(String, i128)>,
}

/// Months of one unit, by year and month (UTC), the latest last.
pub fn months<'a>(entries: impl Iterator<Item = &'a Entry>, unit: Unit) -> BTreeMap<String, Month> {
    let mut months: BTreeMap<String, (i128, BTreeMap<String, i128>)> = BTreeMap::new();
    for entry in entries.filter(|entry| entry.unit == unit) {
        let change = entry.change();
        let (came, parts) = months.entry(month(entry.began)).or_default();
        // What was sent and came back is neither.
        let is_return = entry.progress == Progress::Returned
            || matches!(entry.kind, Kind::Reclaimed { .. } | Kind::Restored);
        if is_return {
            continue;
        }
        match change {
            0 => {}
            1.. => *came += change,
            _ => *parts.entry(named(entry)).or_default() -= change,
        }
    }
    let month = |(came, parts): (i128, BTreeMap<String, i128>)| {
        let mut parts: Vec<_> = parts.into_iter().collect();
        parts.sort_by_key(|(name, sum)| (std::cmp::Reverse(*sum), name.clone()));
        Month { came, went: parts.iter().map(|(_, sum)| sum).sum(), parts }
    };
    months.into_iter().map(|(name, sums)| (name, month(sums))).collect()
}

/// As in 2026-11.
pub fn month(moment: Timestamp) -> String {
    moment.to_string().get(..7).unwrap_or_default().to_owned()
}

/// What an entry is called: the person's own words, else those that came with it.
pub fn named(entry: &Entry) -> String {
    let own = (!entry.note.is_empty()).then(|| entry.note.clone());
    own.or_else(|| entry.memo.clone()).unwrap_or_default()
}

/// The history as a table (RFC 4180): one line for each entry. Text that a spreadsheet would compute is quoted as text.
pub fn csv(history: &BTreeMap<OperationId, Entry>) -> String {
    let mut text =
        String::from("number,began,kind,state,unit,amount,fee,change,mint,memo,note\r\n");
    for (id, entry) in history {
        let kind = match entry.kind {
            Kind::Minted => "cash-in",
            Kind::Sent => "sent",
            Kind::Received => "received",
            Kind::Reclaimed { .. } => "taken-back",
            Kind::Refunded { .. } => "refunded",
            Kind::PaidOut => "paid-out",
            Kind::Restored => "restored",
        };
        let state = match entry.progress {
            Progress::Pending => "pending",
            Progress::Done => "done",
            Progress::Failed => "failed",
            Progress::Returned => "returned",
        };
        let money = |value: i128| figure(value, entry.unit);
        let (amount, fee, change) =
            (money(entry.amount.into()), money(entry.fee.into()), money(entry.change()));
        let memo = cell(entry.memo.as_deref().unwrap_or_default());
        let (number, unit, mint) = (id.number(), entry.unit, &entry.mint);
        let (began, note) = (entry.began, cell(&entry.note));
        write!(text, "{number},{began},{kind},{state},{unit},{amount},{fee},{change},{mint},{memo},{note}\r\n").expect("a String");
    }
    text
}

fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let mark = if is_formula { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: Kind, amount: u64, day: u64, note: &str) -> Entry {
        let began = Timestamp::from_seconds(1_795_651_200 + day * 86_400); // 2026-11-26
        let mint = "https://mint.example/usd".parse().unwrap();
        let (unit, fee) = (Unit::new("usd").unwrap(), 1);
        Entry {
            kind,
            mint,
            unit,
            amount,
            fee,
            progress: Progress::Done,
            began,
            changed: began,
            memo: None,
            note: note.to_owned(),
        }
    }

    #[test]
    fn the_arc_goes_from_left_to_right_over_the_top() {
        assert_eq!(arc(0.0), "M33.4 170.0A100 100 0 0 1 33.4 170.0");
        assert_eq!(arc(1.0), "M33.4 170.0A100 100 0 1 1 206.6 170.0");
        assert!(arc(0.5).ends_with("0 0 1 120.0 20.0"));
        assert_eq!((share(BASE), share(CAP)), (0.0, 1.0));
    }

    #[test]
    fn a_line_goes_from_the_least_score_to_the_most() {
        assert_eq!(line([700, 650, 750].into_iter()), "4,28.0 120,52.0 236,4.0");
        assert_eq!(line([700, 700].into_iter()), "4,52.0 236,52.0");
        assert_eq!(line([700].into_iter()), "4,52.0");
        assert_eq!(line([].into_iter()), "");
    }

    #[test]
    fn months_sum_what_came_and_went_by_what_it_was_for() {
        let mut returned = entry(Kind::Sent, 900, 0, "friend");
        returned.progress = Progress::Returned;
        let entries = [
            entry(Kind::Minted, 5000, 0, ""),
            entry(Kind::Sent, 299, 1, "rent"),
            entry(Kind::PaidOut, 99, 1, "tea"),
            entry(Kind::Sent, 99, 2, "tea"),
            entry(Kind::Sent, 49, 9, "tea"),
            returned,
        ];
        let months = months(entries.iter(), Unit::new("usd").unwrap());
        let names: Vec<&str> = months.keys().map(String::as_str).collect();
        assert_eq!(names, ["2026-11", "2026-12"]);
        let november = &months["2026-11"];
        assert_eq!((november.came, november.went), (4999, 500));
        assert_eq!(november.parts, [("rent".to_owned(), 300), ("tea".to_owned(), 200)]);
        assert!(super::months(entries.iter(), Unit::new("eur").unwrap()).is_empty());
    }

    #[test]
    fn a_table_is_text_to_every_program() {
        let history = BTreeMap::from([(
            OperationId::from_number(3),
            entry(Kind::Sent, 299, 0, "=HYPERLINK(\"x\")"),
        )]);
        let text = csv(&history);
        let line = text.lines().nth(1).unwrap();
        assert!(line.starts_with("3,2026-11-26T"), "{line}");
        assert!(line.ends_with(",sent,done,usd,2.99,0.01,-3.00,https://mint.example/usd,\"\",\"'=HYPERLINK(\"\"x\"\")\""), "{line}");
    }
}
