//! Which rows teach and which examine: the same in every language, from a hash of each row's number.

use sha2::{Digest, Sha256};

/// Folds of the cross-validation.
pub const FOLDS: usize = 5;

/// What names a split: that of the data, and a text that stands in for the seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitName {
    /// Of the data, such as `taiwan`.
    pub data: String,
    /// Such as `seed0`.
    pub seed: String,
}

/// Rows apart, by number from 0, rising.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Those that a card is fitted on.
    pub train: Vec<usize>,
    /// Those that it has never seen.
    pub test: Vec<usize>,
}

impl SplitName {
    /// The first 8 bytes, as a big-endian number, of SHA-256 of `tacit-split-v1|DATA|ROW|SEED`.
    fn key(&self, row: usize) -> u64 {
        let Self { data, seed } = self;
        let hash = Sha256::digest(format!("tacit-split-v1|{data}|{row}|{seed}").as_bytes());
        u64::from_be_bytes(hash[..8].try_into().expect("a hash has 32 bytes"))
    }

    /// The rows of one class, by rising key.
    fn sorted(&self, bad: &[bool], class: bool) -> Vec<usize> {
        let of_class = bad.iter().enumerate().filter(|(_, bad)| **bad == class);
        let mut keyed: Vec<(u64, usize)> = of_class.map(|(row, _)| (self.key(row), row)).collect();
        keyed.sort_unstable();
        keyed.into_iter().map(|(_, row)| row).collect()
    }

    /// The split of SCORING: in each class the first seven tenths by key, rounded down, teach.
    pub fn hold_out(&self, bad: &[bool]) -> Split {
        let (mut train, mut test) = (Vec::new(), Vec::new());
        for class in [false, true] {
            let rows = self.sorted(bad, class);
            let (teach, examine) = rows.split_at(7 * rows.len() / 10);
            train.extend_from_slice(teach);
            test.extend_from_slice(examine);
        }
        train.sort_unstable();
        test.sort_unstable();
        Split { train, test }
    }

    /// [`FOLDS`] splits of all rows: each row is examined once. In each class the fold of a row is its place by key,
    /// modulo [`FOLDS`].
    pub fn folds(&self, bad: &[bool]) -> Vec<Split> {
        let mut fold_of = vec![0; bad.len()];
        for class in [false, true] {
            for (place, row) in self.sorted(bad, class).into_iter().enumerate() {
                fold_of[row] = place % FOLDS;
            }
        }
        (0..FOLDS)
            .map(|fold| {
                let (test, train) = (0..bad.len()).partition(|row| fold_of[*row] == fold);
                Split { train, test }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_examine_each_row_once_and_never_what_they_learned() {
        let bad: Vec<bool> = (0..101).map(|row| row % 4 == 0).collect();
        let name = SplitName { data: "x".to_owned(), seed: "seed0".to_owned() };
        let mut examined: Vec<usize> = Vec::new();
        for Split { train, test } in name.folds(&bad) {
            assert_eq!(train.len() + test.len(), bad.len());
            assert!(test.iter().all(|row| !train.contains(row)));
            examined.extend(test);
        }
        examined.sort_unstable();
        assert_eq!(examined, (0..101).collect::<Vec<_>>());
    }

    #[test]
    fn another_seed_splits_otherwise_and_each_class_by_seven_tenths() {
        let bad: Vec<bool> = (0..100).map(|row| row < 25).collect();
        let split =
            |seed: &str| SplitName { data: "x".to_owned(), seed: seed.to_owned() }.hold_out(&bad);
        assert_ne!(split("seed0"), split("seed1"));
        let taught = split("seed0").train.into_iter().filter(|row| bad[*row]).count();
        assert_eq!((taught, split("seed0").train.len()), (17, 69)); // Of 25 and of 75, rounded down each.
    }
}
