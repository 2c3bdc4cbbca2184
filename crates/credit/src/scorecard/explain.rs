//! Why a score is what it is, and what would raise it.
//!
//! Advice cannot backfire: every counter moves the score in one direction, so that a step to a safer bin never lowers it.
//! Sources: Regulation B (12 CFR 1002.9 and its commentary: the principal reasons, no more than four); N. Siddiqi,
//! "Credit Risk Scorecards", 2006 (points lost against the best bin).

use crate::scorecard::{Counter, Reading, Riskier};

/// Reasons that are stated at most (12 CFR 1002, supplement I, 9(b)(2)).
pub const REASONS_MAX: usize = 4;

/// What one counter does to a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'card> {
    /// The counter.
    pub counter: &'card Counter,
    /// The person's value.
    pub value: u32,
    /// Points it gives.
    pub points: u16,
    /// Points of the best bin that it does not give.
    pub lost: u16,
}

/// The nearest bin of one counter with more points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'card> {
    /// The counter.
    pub counter: &'card Counter,
    /// The person's value.
    pub from: u32,
    /// The nearest value of that bin.
    pub to: u32,
    /// What the score gains.
    pub gain: u16,
}

/// An explained score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation<'card> {
    /// The score; none without history.
    pub score: Option<u16>,
    /// Defaults among 10,000 people of the same band; none without a score.
    pub default_per_10000: Option<u16>,
    /// Each counter, in the card's order.
    pub parts: Vec<Part<'card>>,
    /// Those that lose points, the most first.
    pub lost: Vec<Part<'card>>,
    /// Steps to the nearest better bin that raise the score, the greatest first.
    pub steps: Vec<Step<'card>>,
}

impl<'card> Explanation<'card> {
    /// The counters that cost the most, as a notice of a refusal states them: at most [`REASONS_MAX`]. Without a score,
    /// none: then the reason is that there is no history.
    pub fn reasons(&self) -> &[Part<'card>] {
        let stated = if self.score.is_some() { self.lost.len().min(REASONS_MAX) } else { 0 };
        &self.lost[..stated]
    }
}

impl<'card> Reading<'card> {
    /// Explains the score.
    pub fn explain(&self) -> Explanation<'card> {
        let parts: Vec<Part<'card>> = self
            .points()
            .map(|(counter, value, points)| Part {
                counter,
                value,
                points,
                lost: counter.points_max() - points,
            })
            .collect();
        let mut lost: Vec<Part<'card>> =
            parts.iter().copied().filter(|part| part.lost > 0).collect();
        // Stable: equal losses stay in the card's order.
        lost.sort_by_key(|part| std::cmp::Reverse(part.lost));
        let mut steps: Vec<Step<'card>> = parts.iter().filter_map(|part| self.step(part)).collect();
        steps.sort_by_key(|step| std::cmp::Reverse(step.gain));
        let score = self.score();
        let default_per_10000 = score.map(|score| self.card.band(score).default_per_10000);
        Explanation { score, default_per_10000, parts, lost, steps }
    }

    /// The nearest better value of a counter, and what the whole score gains by it.
    fn step(&self, part: &Part<'card>) -> Option<Step<'card>> {
        let Part { counter, value, .. } = *part;
        let bin = counter.bin(value);
        let is_better = |bin: &usize| counter.points()[*bin] > part.points;
        let to = match counter.riskier() {
            Riskier::High => counter.cuts()[(0..bin).rev().find(is_better)?],
            // A cut lies below the largest value, so that there is one above it.
            Riskier::Low => {
                counter.cuts()[(bin + 1..counter.points().len()).find(is_better)? - 1] + 1
            }
        };
        let others = self.points().filter(|(other, ..)| other.name() != counter.name());
        let better = u32::from(counter.points()[counter.bin(to)]);
        let points: u32 = others.map(|(_, _, points)| u32::from(points)).sum::<u32>() + better;
        let gain = super::capped(points) - self.total();
        (gain > 0).then_some(Step { counter, from: value, to, gain })
    }
}
