//! Formulas of the counters file: whole numbers from the columns of one row, months newest first.
//!
//! A name is a column (one number) or months (one number each, all formulas combine them month by month). `paid[1]` is
//! the newest month, `paid[2..6]` the five before it. `sum`, `least`, `greatest`, `count` and `faded` make one number of
//! months. Division rounds down. Comparisons are 1 or 0. Nothing else exists: no text, no fraction, no loop.

mod parse;

/// Bytes a formula may have.
pub const FORMULA_BYTES_MAX: usize = 500;
/// Months a name may have.
pub const MONTHS_MAX: usize = 60;
/// Parentheses and calls within each other.
const DEPTH_MAX: usize = 32;
/// Folds of months within each other: each multiplies the work by the months.
const FOLDS_MAX: usize = 2;

/// What a name in a formula stands for: the places of its numbers in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// One number.
    Column(usize),
    /// One number a month, the newest first.
    Months(Vec<usize>),
}

/// Why a text is no formula. `at` counts characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormulaError {
    /// Longer than [`FORMULA_BYTES_MAX`].
    #[error("longer than {FORMULA_BYTES_MAX} bytes")]
    TooLong,
    /// Too many parentheses within each other, or more than two of what makes one number of months.
    #[error("nested too deep at character {at}")]
    TooDeep {
        /// Where.
        at: usize,
    },
    /// A sign that has no place there, or none.
    #[error("{found} at character {at}, where {expected} is expected")]
    Unexpected {
        /// Where.
        at: usize,
        /// What stands there.
        found: String,
        /// What could.
        expected: &'static str,
    },
    /// A name that nothing declares.
    #[error("{name:?} at character {at} is no column, months or function")]
    UnknownName {
        /// Where.
        at: usize,
        /// The name.
        name: String,
    },
    /// A function with too few or too many arguments.
    #[error("{function} at character {at} takes {takes}, not {found}")]
    Arguments {
        /// Where.
        at: usize,
        /// Which function.
        function: &'static str,
        /// What it takes.
        takes: &'static str,
        /// How many it was given.
        found: usize,
    },
    /// Months of different numbers side by side.
    #[error("{left} months meet {right} at character {at}")]
    MonthsDiffer {
        /// Where.
        at: usize,
        /// On the left.
        left: usize,
        /// On the right.
        right: usize,
    },
    /// Months that are not there.
    #[error("there are months 1 to {months} at character {at}, in this order")]
    NoSuchMonths {
        /// Where.
        at: usize,
        /// How many there are.
        months: usize,
    },
    /// A fold of one number, or months of one number.
    #[error("months are expected at character {at}")]
    NoMonths {
        /// Where.
        at: usize,
    },
    /// The whole is still a row of months.
    #[error("this gives {months} months, not one number: use sum, least, greatest, count or faded")]
    NotOne {
        /// How many.
        months: usize,
    },
}

/// Why a formula has no value for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// A result beyond 64 bits.
    #[error("a number grows beyond 64 bits")]
    Overflow,
    /// A divisor that is not above 0.
    #[error("it divides by {divisor}")]
    Divisor {
        /// The divisor.
        divisor: i64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Number(i64),
    Column(usize),
    Months(Vec<usize>),
    Pair(Operator, Box<Node>, Box<Node>),
    Largest(Vec<Node>),
    Smallest(Vec<Node>),
    Clamp(Box<[Node; 3]>),
    HalfOctaves(Box<Node>),
    Fold(Fold, Box<Node>, usize),
    /// What is left of a value that loses its `divisor`-th part, rounded up, with each month that passes.
    Faded(Box<Node>, usize, i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fold {
    Sum,
    Least,
    Greatest,
    Count,
}

/// A checked formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula(Node);

impl Formula {
    /// Reads a formula whose names `meaning` knows.
    ///
    /// # Errors
    /// [`FormulaError`].
    pub fn new(
        text: &str,
        meaning: &dyn Fn(&str) -> Option<Meaning>,
    ) -> Result<Self, FormulaError> {
        if text.len() > FORMULA_BYTES_MAX {
            return Err(FormulaError::TooLong);
        }
        parse::whole(text, meaning).map(Self)
    }

    /// The value for a row, whose length covers every place that was named.
    ///
    /// # Errors
    /// [`ValueError`].
    pub fn value(&self, row: &[i64]) -> Result<i64, ValueError> {
        self.0.value(row, 0)
    }
}

/// The half octave a number lies in: `floor(2 log2 x)`, and 0 below 1. Whole numbers only.
pub fn half_octaves(x: i64) -> i64 {
    let Some(octave) = u64::try_from(x).ok().and_then(u64::checked_ilog2) else { return 0 };
    let square = u128::from(x.unsigned_abs()) * u128::from(x.unsigned_abs());
    i64::from(2 * octave) + i64::from(square >= 1 << (2 * octave + 1))
}

impl Node {
    fn value(&self, row: &[i64], month: usize) -> Result<i64, ValueError> {
        let overflow = ValueError::Overflow;
        match self {
            Self::Number(number) => Ok(*number),
            Self::Column(at) => Ok(row[*at]),
            Self::Months(months) => Ok(row[months[month]]),
            Self::Pair(operator, left, right) => {
                operator.apply(left.value(row, month)?, right.value(row, month)?)
            }
            Self::Largest(nodes) => extreme(nodes, row, month, i64::max),
            Self::Smallest(nodes) => extreme(nodes, row, month, i64::min),
            Self::Clamp(nodes) => {
                let [value, least, most] = nodes.as_ref();
                let value = value.value(row, month)?.max(least.value(row, month)?);
                Ok(value.min(most.value(row, month)?))
            }
            Self::HalfOctaves(node) => Ok(half_octaves(node.value(row, month)?)),
            Self::Fold(fold, node, months) => {
                let mut values = (0..*months).map(|month| node.value(row, month));
                let first = values.next().expect("there is at least one month")?;
                let first = if *fold == Fold::Count { i64::from(first != 0) } else { first };
                values.try_fold(first, |sum, value| match (fold, value?) {
                    (Fold::Sum, value) => sum.checked_add(value).ok_or(overflow),
                    (Fold::Least, value) => Ok(sum.min(value)),
                    (Fold::Greatest, value) => Ok(sum.max(value)),
                    (Fold::Count, value) => Ok(sum + i64::from(value != 0)),
                })
            }
            Self::Faded(node, months, divisor) => {
                (0..*months).rev().try_fold(0_i64, |left, month| {
                    let gone = left.div_euclid(*divisor) + i64::from(left % divisor != 0);
                    (left - gone).checked_add(node.value(row, month)?).ok_or(overflow)
                })
            }
        }
    }
}

fn extreme(
    nodes: &[Node],
    row: &[i64],
    month: usize,
    pick: fn(i64, i64) -> i64,
) -> Result<i64, ValueError> {
    let (first, others) = nodes.split_first().expect("it has two arguments or more");
    others
        .iter()
        .try_fold(first.value(row, month)?, |found, node| Ok(pick(found, node.value(row, month)?)))
}

impl Operator {
    fn apply(self, left: i64, right: i64) -> Result<i64, ValueError> {
        let overflow = ValueError::Overflow;
        match self {
            Self::Add => left.checked_add(right).ok_or(overflow),
            Self::Subtract => left.checked_sub(right).ok_or(overflow),
            Self::Multiply => left.checked_mul(right).ok_or(overflow),
            // The floor, whatever the sign of what is divided.
            Self::Divide if right > 0 => Ok(left.div_euclid(right)),
            Self::Divide => Err(ValueError::Divisor { divisor: right }),
            Self::Equal => Ok(i64::from(left == right)),
            Self::Unequal => Ok(i64::from(left != right)),
            Self::Less => Ok(i64::from(left < right)),
            Self::AtMost => Ok(i64::from(left <= right)),
            Self::Greater => Ok(i64::from(left > right)),
            Self::AtLeast => Ok(i64::from(left >= right)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::passport::standing::faded;

    /// `limit` stands at 0; `paid` and `owed` are three months each, `long` has five.
    fn meaning(name: &str) -> Option<Meaning> {
        Some(match name {
            "limit" => Meaning::Column(0),
            "paid" => Meaning::Months(vec![1, 2, 3]),
            "owed" => Meaning::Months(vec![4, 5, 6]),
            "long" => Meaning::Months(vec![1, 2, 3, 4, 5]),
            _ => return None,
        })
    }

    const ROW: [i64; 7] = [1000, 30, 0, -7, 100, 50, 25];

    fn value(text: &str) -> i64 {
        let formula = Formula::new(text, &meaning).unwrap_or_else(|e| panic!("{text}: {e}"));
        formula.value(&ROW).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn formulas_mean_what_they_say() {
        for (text, expected) in [
            ("2 + 3 * 4 - 6 / 4", 13),
            ("(2 + 3) * -4", -20),
            ("- - 3", 3),
            ("-7 / 2", -4), // Down, not towards 0.
            ("limit", 1000),
            ("paid[1]", 30),
            ("sum(paid)", 23),
            ("sum(paid[2..3])", -7),
            ("sum(paid[2..2])", 0),
            ("least(paid)", -7),
            ("greatest(owed)", 100),
            ("count(paid)", 2),
            ("count(paid > 0)", 1),
            ("count(owed >= 50)", 2),
            ("sum(max(owed[1..2] - owed[2..3] + paid[1..2], 0))", 105),
            ("max(1, 5, 3)", 5),
            ("min(limit, 5)", 5),
            ("clamp(limit, 0, 24)", 24),
            ("clamp(-3, 0, 24)", 0),
            ("3 < 4", 1),
            ("3 <= 2", 0),
            ("3 == 3", 1),
            ("3 != 3", 0),
            ("half_octaves(limit)", 19),
            ("sum(half_octaves(owed))", 13 + 11 + 9),
            // Oldest first: 25, then 25 - 4 + 50, then 71 - 9 + 100.
            ("faded(owed, 8)", 162),
            ("faded(7 * (paid > 0), 8)", 7),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_formula_is_refused_where_it_goes_wrong() {
        for (text, said) in [
            ("", "the end at character 1, where a number, a name or ( is expected"),
            ("2 +", "the end at character 4"),
            ("(2", "where an operator or ) is expected"),
            ("2 3", "'3' at character 3, where an operator or the end is expected"),
            ("2 = 3", "where <, <=, >, >=, == or != is expected"),
            ("1 < 2 < 3", "'<' at character 7"),
            ("age", "\"age\" at character 1 is no column, months or function"),
            ("system(1)", "\"system\" at character 1"),
            ("LIMIT", "'L' at character 1"),
            ("ä", "'ä' at character 1"),
            ("99999999999999999999", "a whole number of at most 64 bits"),
            ("max(1)", "max or min at character 1 takes two numbers or more, not 1"),
            ("clamp(1, 2)", "clamp at character 1 takes"),
            ("faded(paid)", "faded at character 1 takes"),
            ("faded(paid, 1)", "faded at character 1 takes"),
            ("faded(paid, limit)", "faded at character 1 takes"),
            ("sum(paid, owed)", "takes months, not 2"),
            ("sum(limit)", "months are expected at character 1"),
            ("limit[1]", "months are expected at character 1"),
            ("sum(paid + long)", "3 months meet 5 at character 10"),
            ("paid", "this gives 3 months, not one number"),
            ("paid[0]", "there are months 1 to 3 at character 1"),
            ("sum(paid[2..4])", "there are months 1 to 3"),
            ("sum(paid[3..1])", "there are months 1 to 3"),
            ("sum(sum(paid) + paid * sum(paid + sum(paid)))", "nested too deep"),
        ] {
            let refused = Formula::new(text, &meaning).unwrap_err().to_string();
            assert!(refused.contains(said), "{text}: {refused}");
        }
        for deep in ["(".repeat(400), "-".repeat(400), "max(1,".repeat(80)] {
            let refused = Formula::new(&deep, &meaning).unwrap_err();
            assert!(matches!(refused, FormulaError::TooDeep { .. }), "{refused}");
        }
        let long = "1+".repeat(FORMULA_BYTES_MAX);
        assert_eq!(Formula::new(&long, &meaning), Err(FormulaError::TooLong));
    }

    #[test]
    fn a_row_may_have_no_value() {
        let fails = |text: &str, row: &[i64]| Formula::new(text, &meaning).unwrap().value(row);
        assert_eq!(fails("1 / limit", &[0]), Err(ValueError::Divisor { divisor: 0 }));
        assert_eq!(fails("1 / limit", &[-2]), Err(ValueError::Divisor { divisor: -2 }));
        for text in ["limit + limit", "limit * 2", "-limit - limit", "faded(paid * 1, 8)"] {
            let row = [i64::MAX, i64::MAX, i64::MAX, i64::MAX];
            assert_eq!(fails(text, &row), Err(ValueError::Overflow), "{text}");
        }
    }

    #[test]
    fn what_is_added_each_month_bounds_what_fades() {
        for added in [1, 7, 381, 510] {
            let most = (0..2000).fold(0, |value, _| {
                let value = faded(value) + added;
                assert!(value <= 8 * added, "{value} of {added}");
                value
            });
            assert_eq!(faded(most) + added, most, "it settles");
        }
        assert_eq!((faded(0), faded(1), faded(8), faded(9)), (0, 0, 7, 7));
        // As decision 0022 says: one late month, and a long row of them.
        let months_until_gone = |from: u16| {
            std::iter::successors(Some(from), |value| Some(faded(*value)))
                .take_while(|value| *value > 0)
                .count()
        };
        assert_eq!((months_until_gone(7), months_until_gone(49)), (7, 19));
    }

    proptest! {
        /// The definition, in floating point where that is exact enough.
        #[test]
        fn half_octaves_are_twice_the_logarithm(x in 1..1_000_000_i64) {
            let exact = 2.0 * (x as f64).log2();
            prop_assert!(half_octaves(x) as f64 <= exact + 1e-9);
            prop_assert!(exact < half_octaves(x) as f64 + 1.0 + 1e-9);
        }

        /// Whatever is typed is read or refused.
        #[test]
        fn no_text_makes_the_parser_fall(text in "[a-z0-9 +*/()<>=!,.\\[\\]-]{0,60}") {
            if let Ok(formula) = Formula::new(&text, &meaning) {
                _ = formula.value(&ROW);
            }
        }
    }

    #[test]
    fn numbers_below_one_have_no_octave() {
        assert_eq!([i64::MIN, -1, 0, 1, 2, 3, 4].map(half_octaves), [0, 0, 0, 0, 2, 3, 4]);
        assert_eq!(half_octaves(i64::MAX), 125);
    }
}
