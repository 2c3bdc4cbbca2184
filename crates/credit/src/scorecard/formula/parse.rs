//! From the text of a formula to its tree.

use std::iter::Peekable;
use std::str::CharIndices;

use super::{DEPTH_MAX, FOLDS_MAX, Fold, FormulaError, Meaning, Node, Operator};

/// Reads a whole text.
pub(super) fn whole(
    text: &str,
    meaning: &dyn Fn(&str) -> Option<Meaning>,
) -> Result<Node, FormulaError> {
    let chars = text.char_indices().peekable();
    let mut parser = Parser { text, chars, meaning, depth: 0, folds: 0 };
    let (node, shape) = parser.comparison()?;
    if let Some(at) = parser.next_at() {
        return Err(parser.unexpected(at, "an operator or the end"));
    }
    match shape {
        Shape::One => Ok(node),
        Shape::Months(months) => Err(FormulaError::NotOne { months }),
    }
}

/// How many numbers a part of a formula gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    One,
    Months(usize),
}

impl Shape {
    /// The shape of two parts side by side: one number stands beside every month.
    fn beside(self, other: Self, at: usize) -> Result<Self, FormulaError> {
        match (self, other) {
            (Self::Months(left), Self::Months(right)) if left != right => {
                Err(FormulaError::MonthsDiffer { at, left, right })
            }
            (Self::Months(months), _) | (_, Self::Months(months)) => Ok(Self::Months(months)),
            (Self::One, Self::One) => Ok(Self::One),
        }
    }

    /// How many months there are to fold.
    fn months(self, at: usize) -> Result<usize, FormulaError> {
        match self {
            Self::Months(months) => Ok(months),
            Self::One => Err(FormulaError::NoMonths { at }),
        }
    }
}

/// Recursive descent: comparison, sum, product, sign, operand. Nothing binds a comparison to another.
struct Parser<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
    meaning: &'a dyn Fn(&str) -> Option<Meaning>,
    depth: usize,
    folds: usize,
}

type Parsed = Result<(Node, Shape), FormulaError>;

impl<'a> Parser<'a> {
    fn comparison(&mut self) -> Parsed {
        let left = self.sum()?;
        let operator = match self.peek() {
            Some('<') => Operator::Less,
            Some('>') => Operator::Greater,
            Some('=') => Operator::Equal,
            Some('!') => Operator::Unequal,
            _ => return Ok(left),
        };
        let at = self.next_at().unwrap_or_default();
        self.chars.next();
        let has_equal = self.chars.next_if(|(_, sign)| *sign == '=').is_some();
        let operator = match (operator, has_equal) {
            (Operator::Less, true) => Operator::AtMost,
            (Operator::Greater, true) => Operator::AtLeast,
            // `=` and `!` are halves of `==` and `!=`.
            (Operator::Equal | Operator::Unequal, false) => {
                return Err(self.unexpected(at, "<, <=, >, >=, == or !="));
            }
            (operator, _) => operator,
        };
        let right = self.sum()?;
        pair(operator, left, right, self.character(at))
    }

    fn sum(&mut self) -> Parsed {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek() {
                Some('+') => Operator::Add,
                Some('-') => Operator::Subtract,
                _ => return Ok(left),
            };
            left = self.go_on(operator, left, Self::product)?;
        }
    }

    fn product(&mut self) -> Parsed {
        let mut left = self.signed()?;
        loop {
            let operator = match self.peek() {
                Some('*') => Operator::Multiply,
                Some('/') => Operator::Divide,
                _ => return Ok(left),
            };
            left = self.go_on(operator, left, Self::signed)?;
        }
    }

    /// The operator that was peeked at, and what stands on its right.
    fn go_on(
        &mut self,
        operator: Operator,
        left: (Node, Shape),
        right: fn(&mut Self) -> Parsed,
    ) -> Parsed {
        let at = self.next_at().map_or(0, |at| self.character(at));
        self.chars.next();
        let right = right(self)?;
        pair(operator, left, right, at)
    }

    fn signed(&mut self) -> Parsed {
        if self.peek() != Some('-') {
            return self.operand();
        }
        let zero = (Node::Number(0), Shape::One);
        self.deeper(|parser| parser.go_on(Operator::Subtract, zero, Self::signed))
    }

    fn operand(&mut self) -> Parsed {
        let expected = "a number, a name or (";
        let Some(at) = self.next_at() else {
            return Err(self.unexpected(self.text.len(), expected));
        };
        match self.peek() {
            Some('(') => {
                self.chars.next();
                let inner = self.deeper(Self::comparison)?;
                self.sign(')', "an operator or )")?;
                Ok(inner)
            }
            Some('0'..='9') => {
                let number = self.number()?;
                Ok((Node::Number(number), Shape::One))
            }
            Some('a'..='z') => {
                let name = self.word();
                if self.peek() == Some('(') { self.call(at, name) } else { self.named(at, name) }
            }
            _ => Err(self.unexpected(at, expected)),
        }
    }

    fn named(&mut self, at: usize, name: &str) -> Parsed {
        let character = self.character(at);
        let Some(meaning) = (self.meaning)(name) else {
            return Err(FormulaError::UnknownName { at: character, name: name.to_owned() });
        };
        let is_slice = self.peek() == Some('[');
        let months = match meaning {
            Meaning::Column(_) if is_slice => {
                return Err(FormulaError::NoMonths { at: character });
            }
            Meaning::Column(at) => return Ok((Node::Column(at), Shape::One)),
            Meaning::Months(months) => months,
        };
        if !is_slice {
            let shape = Shape::Months(months.len());
            return Ok((Node::Months(months), shape));
        }
        self.chars.next();
        let first = self.number()?;
        let is_range = self.peek() == Some('.');
        let last = if is_range {
            self.sign('.', "..")?;
            self.sign('.', "..")?;
            self.number()?
        } else {
            first
        };
        self.sign(']', if is_range { "]" } else { ".. or ]" })?;
        let place = |month: i64| usize::try_from(month).ok()?.checked_sub(1);
        let chosen = place(first)
            .zip(place(last))
            .and_then(|(first, last)| if first <= last { months.get(first..=last) } else { None });
        match chosen {
            Some([only]) if !is_range => Ok((Node::Column(*only), Shape::One)),
            Some(chosen) => Ok((Node::Months(chosen.to_vec()), Shape::Months(chosen.len()))),
            None => Err(FormulaError::NoSuchMonths { at: character, months: months.len() }),
        }
    }

    fn call(&mut self, at: usize, name: &str) -> Parsed {
        let character = self.character(at);
        let is_fold = matches!(name, "sum" | "least" | "greatest" | "count" | "faded");
        self.folds += usize::from(is_fold);
        if self.folds > FOLDS_MAX {
            return Err(FormulaError::TooDeep { at: character });
        }
        let arguments = self.arguments()?;
        self.folds -= usize::from(is_fold);
        let found = arguments.len();
        let takes = |function, takes| {
            Err(FormulaError::Arguments { at: character, function, takes, found })
        };
        let fold = match name {
            "max" | "min" if found < 2 => return takes("max or min", "two numbers or more"),
            "max" => return elementwise(arguments, character, Node::Largest),
            "min" => return elementwise(arguments, character, Node::Smallest),
            "clamp" => {
                if found != 3 {
                    return takes("clamp", "a number, the least and the most");
                }
                return elementwise(arguments, character, |nodes| {
                    Node::Clamp(Box::new(nodes.try_into().expect("there are three")))
                });
            }
            "half_octaves" => {
                let Ok([(node, shape)]) = <[_; 1]>::try_from(arguments) else {
                    return takes("half_octaves", "one number");
                };
                return Ok((Node::HalfOctaves(Box::new(node)), shape));
            }
            "faded" => {
                let Ok([(node, shape), (Node::Number(divisor @ 2..), _)]) =
                    <[_; 2]>::try_from(arguments)
                else {
                    return takes("faded", "months, and which part is lost each, 2 or more");
                };
                let months = shape.months(character)?;
                return Ok((Node::Faded(Box::new(node), months, divisor), Shape::One));
            }
            "sum" => Fold::Sum,
            "least" => Fold::Least,
            "greatest" => Fold::Greatest,
            "count" => Fold::Count,
            _ => {
                return Err(FormulaError::UnknownName { at: character, name: name.to_owned() });
            }
        };
        let Ok([(node, shape)]) = <[_; 1]>::try_from(arguments) else {
            return takes("sum, least, greatest or count", "months");
        };
        Ok((Node::Fold(fold, Box::new(node), shape.months(character)?), Shape::One))
    }

    fn arguments(&mut self) -> Result<Vec<(Node, Shape)>, FormulaError> {
        self.sign('(', "(")?;
        let mut arguments = Vec::new();
        loop {
            arguments.push(self.deeper(Self::comparison)?);
            if self.peek() != Some(',') {
                self.sign(')', "an operator, a comma or )")?;
                return Ok(arguments);
            }
            self.chars.next();
        }
    }

    fn deeper(&mut self, parse: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            let at = self.next_at().map_or(0, |at| self.character(at));
            return Err(FormulaError::TooDeep { at });
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn number(&mut self) -> Result<i64, FormulaError> {
        let at = self.next_at().unwrap_or(self.text.len());
        let digits = self.text[at..].bytes().take_while(u8::is_ascii_digit).count();
        let Ok(number) = self.text[at..at + digits].parse() else {
            return Err(self.unexpected(at, "a whole number of at most 64 bits"));
        };
        while self.chars.next_if(|(_, sign)| sign.is_ascii_digit()).is_some() {}
        Ok(number)
    }

    fn word(&mut self) -> &'a str {
        let at = self.next_at().unwrap_or(self.text.len());
        let is_inner = |sign: char| matches!(sign, 'a'..='z' | '0'..='9' | '_');
        while self.chars.next_if(|(_, sign)| is_inner(*sign)).is_some() {}
        let rest: &'a str = &self.text[at..];
        &rest[..rest.find(|sign| !is_inner(sign)).unwrap_or(rest.len())]
    }

    fn sign(&mut self, sign: char, expected: &'static str) -> Result<(), FormulaError> {
        if self.peek() == Some(sign) {
            self.chars.next();
            return Ok(());
        }
        let at = self.next_at().unwrap_or(self.text.len());
        Err(self.unexpected(at, expected))
    }

    /// The next character that is no space.
    fn peek(&mut self) -> Option<char> {
        while self.chars.next_if(|(_, sign)| sign.is_ascii_whitespace()).is_some() {}
        self.chars.peek().map(|(_, sign)| *sign)
    }

    /// Where it stands, in bytes.
    fn next_at(&mut self) -> Option<usize> {
        self.peek().and_then(|_| self.chars.peek().map(|(at, _)| *at))
    }

    /// A place in bytes as people count it.
    fn character(&self, at: usize) -> usize {
        self.text[..at].chars().count() + 1
    }

    fn unexpected(&self, at: usize, expected: &'static str) -> FormulaError {
        let found = self.text[at..].chars().next();
        let found = found.map_or_else(|| "the end".to_owned(), |sign| format!("{sign:?}"));
        FormulaError::Unexpected { at: self.character(at), found, expected }
    }
}

fn pair(operator: Operator, left: (Node, Shape), right: (Node, Shape), at: usize) -> Parsed {
    let shape = left.1.beside(right.1, at)?;
    Ok((Node::Pair(operator, Box::new(left.0), Box::new(right.0)), shape))
}

/// A function of numbers side by side.
fn elementwise(
    arguments: Vec<(Node, Shape)>,
    at: usize,
    make: impl FnOnce(Vec<Node>) -> Node,
) -> Parsed {
    let shape =
        arguments.iter().try_fold(Shape::One, |shape, (_, next)| shape.beside(*next, at))?;
    Ok((make(arguments.into_iter().map(|(node, _)| node).collect()), shape))
}
