//! Plots of a model card, as SVG that needs no program: lines told apart by dashes as well as by colour, each with a title
//! and a text that says what it shows.

use std::fmt::Write;

use tacit_credit::scorecard::measure::{Calibrated, RocPoint};
use tacit_credit::scorecard::{BASE, CAP};

/// Inner size of a plot, in its own units.
const SIDE: f64 = 300.0;
/// Room for the scales.
const MARGIN: f64 = 44.0;
/// Scores of a column of the histogram.
const STEP: u16 = 25;

/// One plot: its id, what it is called and what it shows in words, then its shapes, in 0 to 1 from the lower left.
pub(super) struct Plot<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) words: String,
    /// Names of the axes: across, up.
    axes: [&'a str; 2],
    /// Ends of the scales: across, up.
    scales: [[String; 2]; 2],
    shapes: String,
}

impl Plot<'_> {
    /// The SVG. Every text in it is ours.
    pub(super) fn svg(&self) -> String {
        let Self { id, title, words, axes: [across, up], scales, shapes } = self;
        let [[left, right], [bottom, top]] = scales;
        let (width, height) = (SIDE + 1.5 * MARGIN, SIDE + 1.5 * MARGIN);
        let (floor, end) = (SIDE + MARGIN / 2.0, SIDE + MARGIN);
        let middle = MARGIN + SIDE / 2.0;
        format!(
            "<svg role=\"img\" aria-labelledby=\"{id}-title {id}-words\" viewBox=\"0 0 {width} {height}\" \
             xmlns=\"http://www.w3.org/2000/svg\"><title id=\"{id}-title\">{title}</title>\
             <desc id=\"{id}-words\">{words}</desc>\
             <rect class=\"frame\" x=\"{MARGIN}\" y=\"{}\" width=\"{SIDE}\" height=\"{SIDE}\"/>{shapes}\
             <text x=\"{MARGIN}\" y=\"{}\">{left}</text>\
             <text x=\"{end}\" y=\"{}\" text-anchor=\"end\">{right}</text>\
             <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{across}</text>\
             <text x=\"{}\" y=\"{floor}\" text-anchor=\"end\">{bottom}</text>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{top}</text>\
             <text transform=\"translate(14 {}) rotate(-90)\" text-anchor=\"middle\">{up}</text></svg>",
            MARGIN / 2.0,
            floor + 16.0,
            floor + 16.0,
            floor + 34.0,
            MARGIN - 5.0,
            MARGIN - 5.0,
            MARGIN / 2.0 + 10.0,
            MARGIN / 2.0 + SIDE / 2.0,
        )
    }
}

/// A point of a plot in its own units.
fn place((x, y): (f64, f64)) -> String {
    format!("{:.1},{:.1}", MARGIN + SIDE * x, MARGIN / 2.0 + SIDE * (1.0 - y))
}

fn line(class: &str, points: impl Iterator<Item = (f64, f64)>) -> String {
    let points: Vec<String> = points.map(place).collect();
    format!("<polyline class=\"{class}\" points=\"{}\"/>", points.join(" "))
}

fn percents() -> [String; 2] {
    ["0 %".to_owned(), "100 %".to_owned()]
}

/// The ROC curve: at each cut-off, who would be refused.
pub(super) fn roc(points: &[RocPoint], auc: f64) -> Plot<'static> {
    let at = |share: f64| {
        points.iter().take_while(|point| point.good <= share).map(|p| p.bad).fold(0.0, f64::max)
    };
    let words = format!(
        "For each cut-off, the share of those who did not pay that it refuses, against the share of those who paid. \
         Refusing a tenth of those who paid refuses {:.0} % of those who did not; three tenths, {:.0} %. \
         The area under the line is {auc:.3}; without knowledge it would be 0.5.",
        100.0 * at(0.1),
        100.0 * at(0.3)
    );
    let curve = line("one", points.iter().map(|point| (point.good, point.bad)));
    let chance = line("plain", [(0.0, 0.0), (1.0, 1.0)].into_iter());
    Plot {
        id: "roc",
        title: "Who is refused at each cut-off (ROC curve)",
        words,
        axes: ["of those who paid", "of those who did not"],
        scales: [percents(), percents()],
        shapes: chance + &curve,
    }
}

/// What was stated against what came.
pub(super) fn calibration(groups: &[Calibrated], ece: f64) -> Plot<'static> {
    let share = |group: &Calibrated| group.bads as f64 / group.rows.max(1) as f64;
    let most = groups.iter().map(|group| group.chance.max(share(group))).fold(0.05, f64::max);
    let top = ((most * 10.0).ceil() / 10.0).min(1.0);
    let said: Vec<String> = groups
        .iter()
        .map(|group| {
            format!("{:.0} % stated, {:.0} % came", 100.0 * group.chance, 100.0 * share(group))
        })
        .collect();
    let words = format!(
        "For each band, the stated share of people who do not pay against the share that came, on rows the card has not \
         seen: {}. On average they are {:.1} percentage points apart.",
        said.join("; "),
        100.0 * ece
    );
    let mut shapes = line("plain", [(0.0, 0.0), (1.0, 1.0)].into_iter());
    for group in groups {
        let (x, y) = (group.chance / top, share(group) / top);
        let (x, y) = (MARGIN + SIDE * x, MARGIN / 2.0 + SIDE * (1.0 - y));
        write!(shapes, "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>")
            .expect("a String takes what is written to it");
    }
    let end = || ["0 %".to_owned(), format!("{:.0} %", 100.0 * top)];
    Plot {
        id: "calibration",
        title: "Stated and actual defaults by band (calibration)",
        words,
        axes: ["stated", "came"],
        scales: [end(), end()],
        shapes,
    }
}

/// Scores of those who paid and of those who did not.
pub(super) fn scores([good, bad]: &[Vec<u16>; 2]) -> Plot<'static> {
    let columns = usize::from((CAP - BASE) / STEP);
    let shares = |scores: &[u16]| {
        let mut counts = vec![0_usize; columns];
        for score in scores {
            let column = usize::from(score.saturating_sub(BASE) / STEP).min(columns - 1);
            counts[column] += 1;
        }
        let rows = scores.len().max(1) as f64;
        counts.into_iter().map(|count| count as f64 / rows).collect::<Vec<f64>>()
    };
    let (good_shares, bad_shares) = (shares(good), shares(bad));
    let top = good_shares.iter().chain(&bad_shares).copied().fold(0.01, f64::max);
    let steps = |shares: &[f64]| {
        let width = 1.0 / columns as f64;
        let corners = shares.iter().enumerate().flat_map(|(at, share)| {
            let left = at as f64 * width;
            [(left, share / top), (left + width, share / top)]
        });
        corners.collect::<Vec<_>>().into_iter()
    };
    let middle = |scores: &[u16]| {
        let mut sorted = scores.to_vec();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or(BASE)
    };
    let words = format!(
        "How many have which score, in steps of {STEP}, as shares of each side. Half of those who paid have {} or more \
         (unbroken line), half of those who did not have {} or less (dashed line). The two overlap: no score says for \
         certain who pays.",
        middle(good),
        middle(bad)
    );
    Plot {
        id: "scores",
        title: "Scores of those who paid and of those who did not",
        words,
        axes: ["score", "share"],
        scales: [
            [BASE.to_string(), CAP.to_string()],
            ["0 %".to_owned(), format!("{:.0} %", 100.0 * top)],
        ],
        shapes: line("one", steps(&good_shares)) + &line("two", steps(&bad_shares)),
    }
}
