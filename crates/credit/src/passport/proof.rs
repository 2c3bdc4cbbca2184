//! How a scorecard becomes a proof: for each counter its bin, one-hot, and how far past the bin's edge it is.
//!
//! One-sided: a wallet may claim a worse bin than its own, never a better one, because points only grow with the bin. So the
//! counters of which more is worse are mirrored at their greatest value.

use super::counter::{COUNTERS, CUTS_MAX, Counter};
use super::standing::Standing;
use crate::scorecard::{self, BASE, Riskier, Scorecard};

/// Months with a payment that a certificate needs, as `paid_months` counts them: three. Who has fewer has no score.
pub const HISTORY: u16 = 14;
/// A scorecard as the proof computes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bins {
    /// The score of who is in the worst bin of every counter.
    pub(super) base: u16,
    /// For each counter, lower edges (mirrored where it falls) and points above the worst bin, both rising.
    pub(super) counters: [[(u16, u16); CUTS_MAX]; COUNTERS.len()],
}

/// Why a scorecard cannot be proven. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoProof {
    /// A card of other counters than a passport's, or read the other way round.
    #[error("the card does not read the counters of a passport, in their order")]
    Counters,
    /// A counter with more cuts than there is room for, or points that are not one more than its cuts.
    #[error("{name}: expected at most {CUTS_MAX} cuts, and one entry of points more than cuts")]
    Shape {
        /// The counter.
        name: &'static str,
    },
    /// Cuts that do not rise, or are not below the counter's greatest value.
    #[error("{name}: cuts must rise and stay below {greatest}")]
    Cuts {
        /// The counter.
        name: &'static str,
        /// Its greatest value.
        greatest: u16,
    },
    /// Points that turn: the proof would not be sound.
    #[error("{name}: points must not turn")]
    Turning {
        /// The counter.
        name: &'static str,
    },
    /// More points than a score may have.
    #[error("the points come to more than {most}")]
    Points {
        /// The most they may come to.
        most: u16,
    },
}

impl Bins {
    /// The most a score may be, in a proof: more than any card's 950.
    const SCORE_MAX: u16 = 1023;

    /// The bins of a scorecard: its lowest score, and for each of [`COUNTERS`] the cuts (upper edges, inclusive) and the points
    /// of the bins between them, from low values to high ones.
    ///
    /// # Errors
    /// [`NoProof`], by the first fault.
    pub fn new(base: u16, counters: [(&[u16], &[u16]); COUNTERS.len()]) -> Result<Self, NoProof> {
        let mut bins = Self { base, counters: Default::default() };
        let mut most = u32::from(base);
        for (at, (counter, (cuts, points))) in COUNTERS.iter().zip(counters).enumerate() {
            let (Counter { name, falling, .. }, greatest) = (*counter, counter.greatest());
            if CUTS_MAX < cuts.len() || points.len() != cuts.len() + 1 {
                return Err(NoProof::Shape { name });
            }
            if !cuts.is_sorted_by(|a, b| a < b) || cuts.last().is_some_and(|cut| greatest <= *cut) {
                return Err(NoProof::Cuts { name, greatest });
            }
            // From the worst bin to the best.
            let (mut edges, mut points) = (cuts.to_vec(), points.to_vec());
            if falling {
                edges.reverse();
                points.reverse();
            }
            if !points.is_sorted() {
                return Err(NoProof::Turning { name });
            }
            let edge = |cut: &u16| if falling { greatest - cut } else { cut + 1 };
            let edges: Vec<_> = edges.iter().map(edge).collect();
            let above = points.iter().skip(1).map(|more| more - points[0]);
            let steps: Vec<_> = edges.into_iter().zip(above).collect();
            // Places without a cut repeat the last one, or add nothing.
            let last = steps.last().copied().unwrap_or_default();
            for (place, step) in bins.counters[at].iter_mut().enumerate() {
                *step = steps.get(place).copied().unwrap_or(last);
            }
            most += u32::from(points.last().copied().unwrap_or_default());
            if u32::from(Self::SCORE_MAX) < most {
                return Err(NoProof::Points { most: Self::SCORE_MAX });
            }
            bins.base += points[0];
        }
        Ok(bins)
    }

    /// The bins of a scorecard that was fitted for passports.
    ///
    /// # Errors
    /// [`NoProof`], by the first fault.
    pub fn of_card(card: &Scorecard) -> Result<Self, NoProof> {
        let reads = |(own, counter): (&Counter, &scorecard::Counter)| {
            let falling = counter.riskier() == Riskier::High;
            own.name == counter.name().as_str() && own.falling == falling
        };
        let counters = card.counters();
        if counters.len() != COUNTERS.len() || !COUNTERS.iter().zip(counters).all(reads) {
            return Err(NoProof::Counters);
        }
        let cuts = |at: usize| {
            let cuts =
                counters[at].cuts().iter().map(|cut| u16::try_from(*cut).unwrap_or(u16::MAX));
            cuts.collect::<Vec<_>>()
        };
        let cuts: [Vec<u16>; COUNTERS.len()] = std::array::from_fn(cuts);
        Self::new(BASE, std::array::from_fn(|at| (cuts[at].as_slice(), counters[at].points())))
    }

    /// For each counter the bin a standing falls in, 0 to 4, and how far past its edge.
    pub(super) fn places(&self, standing: &Standing) -> [(usize, u16); COUNTERS.len()] {
        let values = values(standing);
        std::array::from_fn(|at| {
            let counter = COUNTERS[at];
            let value = if counter.falling { counter.greatest() - values[at] } else { values[at] };
            let bin = self.counters[at].iter().rposition(|(edge, _)| *edge <= value);
            // An unused place has edge 0 and no points: as good as the worst bin.
            bin.map_or((0, value), |bin| (bin + 1, value - self.counters[at][bin].0))
        })
    }

    /// The score of a standing, as the proof computes it.
    pub fn score(&self, standing: &Standing) -> u16 {
        let places = self.places(standing);
        let points = |(at, (bin, _)): (usize, &(usize, u16))| match bin {
            0 => 0,
            bin => self.counters[at][bin - 1].1,
        };
        self.base + places.iter().enumerate().map(points).sum::<u16>()
    }
}

/// The values of a standing's counters, in the order of [`COUNTERS`].
pub fn values(standing: &Standing) -> [u16; COUNTERS.len()] {
    let Standing { arrears, late, behind, paid, paid_months, income, .. } = standing;
    let count = |value: &u8| u16::from(*value);
    [count(arrears), count(late), count(behind), *paid, count(paid_months), *income]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passport::epoch::Epoch;

    const CUTS: [&[u16]; 6] =
        [&[0, 1], &[0, 13, 15, 26], &[0, 3, 5, 6], &[13, 23, 108, 147], &[2, 4, 26], &[]];
    const POINTS: [&[u16]; 6] = [
        &[181, 152, 0],
        &[68, 55, 44, 33, 0],
        &[132, 96, 60, 23, 0],
        &[0, 15, 28, 49, 74],
        &[0, 48, 56, 76],
        &[0],
    ];

    fn card() -> [(&'static [u16], &'static [u16]); 6] {
        std::array::from_fn(|at| (CUTS[at], POINTS[at]))
    }

    #[test]
    fn the_proof_counts_the_points_of_the_card() {
        let bins = Bins::new(350, card()).unwrap();
        let month = Epoch::new(80).unwrap();
        for (arrears, late, behind, paid, paid_months) in [
            (0, 0, 0, 0, 0),
            (3, 56, 56, 0, 0),
            (1, 13, 6, 14, 2),
            (2, 14, 7, 147, 3),
            (0, 0, 0, 4095, 56),
        ] {
            let standing =
                Standing { arrears, late, behind, paid, paid_months, ..Standing::new(month) };
            let values = values(&standing);
            let points = |at: usize| {
                POINTS[at][CUTS[at].iter().take_while(|cut| **cut < values[at]).count()]
            };
            let score = 350 + (0..6).map(points).sum::<u16>();
            assert_eq!(bins.score(&standing), score, "{standing:?}");
        }
    }

    #[test]
    fn a_card_that_cannot_be_proven_is_refused() {
        let with = |at: usize, cuts: &'static [u16], points: &'static [u16]| {
            let mut card = card();
            card[at] = (cuts, points);
            Bins::new(350, card)
        };
        let name = "paid";
        assert_eq!(with(3, &[1, 2, 3, 4, 5], &[0, 1, 2, 3, 4, 5]), Err(NoProof::Shape { name }));
        assert_eq!(with(3, &[1], &[0]), Err(NoProof::Shape { name }));
        assert_eq!(with(3, &[2, 2], &[0, 1, 2]), Err(NoProof::Cuts { name, greatest: 4095 }));
        assert_eq!(with(3, &[4095], &[0, 1]), Err(NoProof::Cuts { name, greatest: 4095 }));
        assert_eq!(with(3, &[2], &[1, 0]), Err(NoProof::Turning { name }));
        assert_eq!(with(0, &[0], &[0, 1]), Err(NoProof::Turning { name: "arrears" }));
        assert_eq!(with(3, &[2], &[0, 1000]), Err(NoProof::Points { most: 1023 }));
    }
}
