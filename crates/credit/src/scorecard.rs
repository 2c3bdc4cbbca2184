//! Scorecards: integer points over counters, each of which moves the score in one direction only.
//!
//! Reading order: this file (a card, and the points of somebody's values), [`explain`] (why, and what would help),
//! [`signed`] (the file it travels in); then how one is made: [`formula`] and [`definition`] (the counters file),
//! [`sample`] (the CSV), [`split`], [`fit`], and what is said of it: [`measure`], [`audit`], [`study`].
//! Higher scores are safer. A value falls into a bin, a bin has points, points add up from [`BASE`] to at most [`CAP`].
//! Whoever carries a card reads it with [`Scorecard::read`]; a proof reads [`Counter::cuts`] and [`Counter::points`].

pub mod audit;
pub mod definition;
pub mod explain;
pub mod fit;
pub mod formula;
pub mod measure;
pub mod sample;
pub mod signed;
pub mod split;
pub mod study;

use std::fmt;

use serde::{Deserialize, Serialize};

/// The lowest score: every counter in its riskiest bin.
pub const BASE: u16 = 350;
/// The highest score. Rounding may add up to a little more, which is cut off.
pub const CAP: u16 = 950;
/// Counters a card may have.
pub const COUNTERS_MAX: usize = 32;
/// Cuts a counter may have.
pub const CUTS_MAX: usize = 31;
/// Bands of the score for which a probability of default may be stated.
pub const BANDS_MAX: usize = 32;
/// Bytes of a text that people read.
pub const TEXT_BYTES_MAX: usize = 400;

/// On which side of a counter the risk lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Riskier {
    /// More is worse: months behind.
    High,
    /// Less is worse: what was repaid.
    Low,
}

/// The name of a counter: `a` to `z`, digits and `_`, a letter first, at most 32.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CounterName(String);

/// A text that is no name of a counter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no name: a letter, then letters, digits and _, all small, at most 32")]
pub struct NameError {
    /// The text, cut short.
    pub text: String,
}

impl CounterName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`NameError`].
    pub fn new(text: &str) -> Result<Self, NameError> {
        let is_inner = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let is_name = text.len() <= 32
            && text.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
            && text.bytes().all(is_inner);
        if !is_name {
            return Err(NameError { text: text.chars().take(32).collect() });
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CounterName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(&text)
    }
}

impl From<CounterName> for String {
    fn from(name: CounterName) -> Self {
        name.0
    }
}

impl fmt::Display for CounterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What people are told of a counter. Plain language, nothing that shames.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// What is counted: "Months behind now".
    pub title: String,
    /// Why points were lost, as it may stand in a notice of a refusal.
    pub reason: String,
    /// What helps.
    pub advice: String,
}

/// A counter of a card, as it is written down. [`Counter`] is one that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CounterParts {
    /// Its name, one of its kind in a card.
    pub name: CounterName,
    /// Where the risk lies.
    pub riskier: Riskier,
    /// The largest value.
    pub most: u32,
    /// Upper edges of all bins but the last; each belongs to the bin below it.
    pub cuts: Vec<u32>,
    /// Points of the bins, by rising values: one more than cuts.
    pub points: Vec<u16>,
    /// Whether a value above 0 shows that there is a history.
    pub history: bool,
    /// Whether the person may leave away what feeds it.
    pub optional: bool,
    /// What people are told.
    pub texts: Texts,
}

/// A counter with its bins.
///
/// Invariants: cuts rise and lie below the largest value; points never rise towards the risk, and the riskiest bin has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CounterParts", into = "CounterParts")]
pub struct Counter(CounterParts);

/// Why a counter is refused. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CounterError {
    /// More than [`CUTS_MAX`].
    #[error("counter {name} has {cuts} cuts, at most {CUTS_MAX} are read")]
    TooManyCuts {
        /// Whose.
        name: CounterName,
        /// How many.
        cuts: usize,
    },
    /// Not one more than cuts.
    #[error("counter {name} has {points} points for {cuts} cuts: there is one more bin than cuts")]
    PointsCount {
        /// Whose.
        name: CounterName,
        /// How many points.
        points: usize,
        /// How many cuts.
        cuts: usize,
    },
    /// A cut is not above the one before it.
    #[error("the cuts of counter {name} do not rise")]
    CutsOrder {
        /// Whose.
        name: CounterName,
    },
    /// A cut that no value is above.
    #[error("counter {name} has a cut at {cut}, and no value is above {most}")]
    CutBeyond {
        /// Whose.
        name: CounterName,
        /// The cut.
        cut: u32,
        /// The largest value.
        most: u32,
    },
    /// A riskier bin has more points than a safer one.
    #[error("the points of counter {name} rise towards the risk")]
    NotMonotone {
        /// Whose.
        name: CounterName,
    },
    /// The riskiest bin has points.
    #[error("the riskiest bin of counter {name} has {points} points: it must have none")]
    RiskiestHasPoints {
        /// Whose.
        name: CounterName,
        /// How many.
        points: u16,
    },
    /// Points beyond what a score can hold.
    #[error("counter {name} gives up to {points} points, above the {} of a whole score", CAP - BASE)]
    TooManyPoints {
        /// Whose.
        name: CounterName,
        /// How many.
        points: u16,
    },
    /// Empty, too long, or with control characters.
    #[error(
        "a text of counter {name} is empty, longer than {TEXT_BYTES_MAX} bytes, or holds control characters"
    )]
    Text {
        /// Whose.
        name: CounterName,
    },
}

impl Counter {
    /// Checks a counter.
    ///
    /// # Errors
    /// [`CounterError`].
    pub fn new(parts: CounterParts) -> Result<Self, CounterError> {
        let CounterParts { name, riskier, most, cuts, points, texts, .. } = &parts;
        let name = || name.clone();
        if cuts.len() > CUTS_MAX {
            return Err(CounterError::TooManyCuts { name: name(), cuts: cuts.len() });
        }
        if points.len() != cuts.len() + 1 {
            let (points, cuts) = (points.len(), cuts.len());
            return Err(CounterError::PointsCount { name: name(), points, cuts });
        }
        if !cuts.is_sorted_by(|left, right| left < right) {
            return Err(CounterError::CutsOrder { name: name() });
        }
        if let Some(&cut) = cuts.last().filter(|cut| *cut >= most) {
            return Err(CounterError::CutBeyond { name: name(), cut, most: *most });
        }
        let is_monotone = points.is_sorted_by(|left, right| match riskier {
            Riskier::High => left >= right,
            Riskier::Low => left <= right,
        });
        if !is_monotone {
            return Err(CounterError::NotMonotone { name: name() });
        }
        let (least, greatest) = points
            .iter()
            .fold((u16::MAX, 0), |(least, greatest), &p| (least.min(p), greatest.max(p)));
        if least > 0 {
            return Err(CounterError::RiskiestHasPoints { name: name(), points: least });
        }
        if greatest > CAP - BASE {
            return Err(CounterError::TooManyPoints { name: name(), points: greatest });
        }
        let Texts { title, reason, advice } = texts;
        if [title, reason, advice].into_iter().any(|text| !is_readable(text)) {
            return Err(CounterError::Text { name: name() });
        }
        Ok(Self(parts))
    }

    /// Its name.
    pub fn name(&self) -> &CounterName {
        &self.0.name
    }

    /// Where the risk lies.
    pub fn riskier(&self) -> Riskier {
        self.0.riskier
    }

    /// The largest value. `most - value` mirrors a counter that rises with risk into one that falls.
    pub fn most(&self) -> u32 {
        self.0.most
    }

    /// Upper edges of all bins but the last, rising; a value equal to an edge belongs to the bin below it.
    pub fn cuts(&self) -> &[u32] {
        &self.0.cuts
    }

    /// Points of the bins, by rising values: one more than cuts, 0 among them.
    pub fn points(&self) -> &[u16] {
        &self.0.points
    }

    /// Whether a value above 0 shows that there is a history.
    pub fn is_history(&self) -> bool {
        self.0.history
    }

    /// Whether the person may leave away what feeds it.
    pub fn is_optional(&self) -> bool {
        self.0.optional
    }

    /// What people are told.
    pub fn texts(&self) -> &Texts {
        &self.0.texts
    }

    /// The points of the safest bin.
    pub fn points_max(&self) -> u16 {
        self.0.points.iter().copied().max().unwrap_or(0)
    }

    /// The bin a value falls into: how many cuts are below it.
    pub fn bin(&self, value: u32) -> usize {
        self.0.cuts.partition_point(|cut| *cut < value)
    }
}

impl TryFrom<CounterParts> for Counter {
    type Error = CounterError;

    fn try_from(parts: CounterParts) -> Result<Self, CounterError> {
        Self::new(parts)
    }
}

impl From<Counter> for CounterParts {
    fn from(counter: Counter) -> Self {
        counter.0
    }
}

/// Whether a text has something to read in it, and nothing that disturbs a terminal or a page.
pub(crate) fn is_readable(text: &str) -> bool {
    let is_plain = !text.chars().any(char::is_control);
    is_plain && !text.trim().is_empty() && text.len() <= TEXT_BYTES_MAX
}

/// How likely it is that somebody with a score of this band does not pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// The lowest score of the band; the next band's ends it.
    pub from: u16,
    /// Defaults among 10,000 people of the band, as counted where the card was fitted.
    pub default_per_10000: u16,
}

/// A scorecard.
///
/// Invariants: 1 to [`COUNTERS_MAX`] counters, each name once; all best bins together stay within rounding of [`CAP`];
/// bands begin at [`BASE`], rise, and are never riskier than the band below them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scorecard {
    counters: Vec<Counter>,
    bands: Vec<Band>,
}

/// Why a scorecard is refused. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// None, or more than [`COUNTERS_MAX`].
    #[error("a card has 1 to {COUNTERS_MAX} counters, this one {counters}")]
    CounterCount {
        /// How many.
        counters: usize,
    },
    /// A name that two counters have.
    #[error("two counters are named {name}")]
    DoubledName {
        /// The name.
        name: CounterName,
    },
    /// More than rounding explains.
    #[error("the best bins add up to {points} points, above the {} of a whole score", CAP - BASE)]
    TooManyPoints {
        /// The sum.
        points: u32,
    },
    /// Not one to [`BANDS_MAX`] of them from [`BASE`], rising to at most [`CAP`], at most 10,000 in 10,000, none riskier
    /// than the one below it.
    #[error("the bands do not begin at {BASE}, rise, and become safer")]
    Bands,
}

impl Scorecard {
    /// Checks a card.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn new(counters: Vec<Counter>, bands: Vec<Band>) -> Result<Self, CardError> {
        if counters.is_empty() || counters.len() > COUNTERS_MAX {
            return Err(CardError::CounterCount { counters: counters.len() });
        }
        for (at, counter) in counters.iter().enumerate() {
            if counters[..at].iter().any(|other| other.name() == counter.name()) {
                return Err(CardError::DoubledName { name: counter.name().clone() });
            }
        }
        let points: u32 = counters.iter().map(|counter| u32::from(counter.points_max())).sum();
        // Each counter's points are rounded by themselves, by at most a half.
        let rounding = u32::try_from(counters.len()).unwrap_or(u32::MAX);
        if points > u32::from(CAP - BASE) + rounding {
            return Err(CardError::TooManyPoints { points });
        }
        let are_ordered = bands.is_sorted_by(|below, above| {
            below.from < above.from && below.default_per_10000 >= above.default_per_10000
        });
        let are_whole = bands.first().is_some_and(|first| {
            first.from == BASE && first.default_per_10000 <= 10_000 && bands.len() <= BANDS_MAX
        });
        if !are_whole || !are_ordered || bands.last().is_some_and(|last| last.from > CAP) {
            return Err(CardError::Bands);
        }
        Ok(Self { counters, bands })
    }

    /// The counters, in the order in which points are listed.
    pub fn counters(&self) -> &[Counter] {
        &self.counters
    }

    /// The bands, by rising score.
    pub fn bands(&self) -> &[Band] {
        &self.bands
    }

    /// The band a score lies in.
    pub fn band(&self, score: u16) -> Band {
        let above = self.bands.partition_point(|band| band.from <= score);
        self.bands[above.max(1) - 1]
    }

    /// The counter of a name.
    pub fn counter(&self, name: &str) -> Option<&Counter> {
        self.counters.iter().find(|counter| counter.name().as_str() == name)
    }

    /// Reads the card for somebody's values: one for each counter, named, in any order.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read<'a>(
        &self,
        values: impl IntoIterator<Item = (&'a str, u32)>,
    ) -> Result<Reading<'_>, ReadError> {
        let mut found: Vec<Option<u32>> = vec![None; self.counters.len()];
        for (name, value) in values {
            let at = self.counters.iter().position(|counter| counter.name().as_str() == name);
            let Some(at) = at else {
                return Err(ReadError::Unknown { name: name.chars().take(32).collect() });
            };
            let counter = &self.counters[at];
            if found[at].is_some() {
                return Err(ReadError::Doubled { name: counter.name().clone() });
            }
            if value > counter.most() {
                let (name, most) = (counter.name().clone(), counter.most());
                return Err(ReadError::TooLarge { name, value, most });
            }
            found[at] = Some(value);
        }
        let values: Option<Vec<u32>> = found.iter().copied().collect();
        values.map(|values| Reading { card: self, values }).ok_or_else(|| {
            let missing = found.iter().zip(&self.counters).find(|(value, _)| value.is_none());
            let (_, counter) = missing.expect("a value is missing, or they were collected");
            ReadError::Missing { name: counter.name().clone() }
        })
    }

    /// The score of values in the order of the counters, each within its bounds.
    pub(crate) fn score_of(&self, values: impl Iterator<Item = u32>) -> u16 {
        let bins = self.counters.iter().zip(values);
        let points = bins.map(|(counter, value)| u32::from(counter.points()[counter.bin(value)]));
        capped(points.sum())
    }
}

/// The score of so many points.
fn capped(points: u32) -> u16 {
    u16::try_from(points).unwrap_or(u16::MAX).saturating_add(BASE).min(CAP)
}

/// Why values cannot be read with a card.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No counter of the card.
    #[error("the card has no counter {name:?}")]
    Unknown {
        /// As it was given, cut short.
        name: String,
    },
    /// Given twice.
    #[error("counter {name} is given twice")]
    Doubled {
        /// Which.
        name: CounterName,
    },
    /// Beyond the counter's largest value.
    #[error("counter {name} is at most {most}, not {value}")]
    TooLarge {
        /// Which.
        name: CounterName,
        /// What was given.
        value: u32,
        /// The largest value.
        most: u32,
    },
    /// Not given.
    #[error("counter {name} is not given")]
    Missing {
        /// Which.
        name: CounterName,
    },
}

/// A card and somebody's values, which fit it. Made only by [`Scorecard::read`].
#[derive(Clone, PartialEq, Eq)]
pub struct Reading<'card> {
    card: &'card Scorecard,
    /// In the order of the card's counters.
    values: Vec<u32>,
}

/// Values are somebody's own affair.
impl fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reading(..)")
    }
}

impl<'card> Reading<'card> {
    /// Each counter with its value and the points it gives, in the card's order.
    pub fn points(&self) -> impl Iterator<Item = (&'card Counter, u32, u16)> {
        let pairs = self.card.counters.iter().zip(self.values.iter().copied());
        pairs.map(|(counter, value)| (counter, value, counter.points()[counter.bin(value)]))
    }

    /// The score; none for somebody without history, which is not a low score.
    pub fn score(&self) -> Option<u16> {
        self.has_history().then(|| self.total())
    }

    /// Whether anything shows a history: a counter of those that can is above 0.
    pub fn has_history(&self) -> bool {
        self.points().any(|(counter, value, _)| counter.is_history() && value > 0)
    }

    /// The sum, whether or not there is a history.
    fn total(&self) -> u16 {
        capped(self.points().map(|(_, _, points)| u32::from(points)).sum())
    }
}

/// Strategies for tests here and elsewhere.
#[cfg(any(test, feature = "test-util"))]
pub mod testing {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{BASE, Band, Counter, CounterName, CounterParts, Riskier, Scorecard, Texts};

    /// A counter of this name with up to five bins, some of equal points, and at most 80 points.
    pub fn arb_counter(name: &'static str) -> impl Strategy<Value = Counter> {
        let cuts = prop::collection::btree_set(0..60_u32, 0..5);
        let points = prop::collection::vec(0..20_u16, 4);
        (cuts, points, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            move |(cuts, steps, is_high, history, optional): (BTreeSet<u32>, _, _, _, _)| {
                let mut points = vec![0];
                for step in &steps[..cuts.len()] {
                    points.push(points[points.len() - 1] + step);
                }
                let riskier = if is_high { Riskier::High } else { Riskier::Low };
                if is_high {
                    points.reverse();
                }
                let text = |what: &str| format!("{what} of {name}");
                let (title, reason, advice) = (text("title"), text("reason"), text("advice"));
                Counter::new(CounterParts {
                    name: CounterName::new(name).expect("tests choose names"),
                    riskier,
                    most: 63,
                    cuts: cuts.into_iter().collect(),
                    points,
                    history,
                    optional,
                    texts: Texts { title, reason, advice },
                })
                .expect("it keeps every rule")
            },
        )
    }

    /// A card of four counters; now and then all best bins together stay far below the cap, now and then they meet it.
    pub fn arb_card() -> impl Strategy<Value = Scorecard> {
        let counters = ["first", "second", "third", "fourth"].map(arb_counter);
        (counters, 0..=10_000_u16, 0..=10_000_u16).prop_map(|(counters, one, other)| {
            let band = |from, default_per_10000| Band { from, default_per_10000 };
            let bands = vec![band(BASE, one.max(other)), band(500, one.min(other))];
            Scorecard::new(counters.to_vec(), bands).expect("it keeps every rule")
        })
    }
}

#[cfg(test)]
mod tests;
