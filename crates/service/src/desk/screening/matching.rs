//! Whether two names may be one person's: written in another order, another alphabet, with a slip or a name more.
//!
//! Names are taken apart into words, in small letters without accents, Greek and Cyrillic ones transliterated. Words are alike if a
//! slip or two lead from one to the other. Two words have to be alike, for one is every second person's; words that only one of the two
//! has count against them.

use std::collections::{HashMap, HashSet};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::super::person::Name;
use super::list::Listed;
use super::{Alike, Screener, ScreenerError};

/// How alike two names are, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Likeness(u16);

/// From here on, somebody looks at it.
pub const THRESHOLD: Likeness = Likeness(850);

/// What a word that only one of the two names has takes away.
const STRAY: f64 = 0.08;

/// Hits of one person at most: whoever has more is looked at anyway.
pub const HITS_MAX: usize = 20;

/// Names of lists, ready to be compared with.
#[derive(Debug, Default)]
pub struct Screen {
    /// Of the lists, by their numbers here.
    lists: Vec<String>,
    names: Vec<Entry>,
    /// Entries with a word that begins or ends so.
    by_edge: HashMap<Edge, Vec<u32>>,
}

#[derive(Debug)]
struct Entry {
    list: usize,
    listed: Listed,
    words: Vec<String>,
}

/// The first or last two letters of a word: one slip leaves at least one of the two as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Edge {
    First(char, char),
    Last(char, char),
}

/// A name that is like another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near<'a> {
    /// Which of the lists.
    pub list: &'a str,
    /// The name on it.
    pub listed: &'a Listed,
    /// How alike.
    pub likeness: Likeness,
}

impl Likeness {
    /// So many thousandths; `None` above 1000.
    pub const fn new(thousandths: u16) -> Option<Self> {
        if thousandths <= 1000 { Some(Self(thousandths)) } else { None }
    }

    /// In thousandths.
    pub const fn thousandths(self) -> u16 {
        self.0
    }

    fn of(share: f64) -> Self {
        // Between 0 and 1000, and rounded down.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped before"
        )]
        Self((share * 1000.0).clamp(0.0, 1000.0) as u16)
    }
}

impl Screen {
    /// Adds a name of a list.
    pub fn add(&mut self, list: &str, listed: Listed) {
        let known = self.lists.iter().position(|name| name == list);
        let list = known.unwrap_or_else(|| {
            self.lists.push(list.to_owned());
            self.lists.len() - 1
        });
        let words = words(&listed.name);
        let number = u32::try_from(self.names.len()).expect("lists have fewer names than 2^32");
        let edges: HashSet<Edge> = words.iter().flat_map(|word| edges(word)).flatten().collect();
        for edge in edges {
            self.by_edge.entry(edge).or_default().push(number);
        }
        self.names.push(Entry { list, listed, words });
    }

    /// Whether there is nothing to compare with.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Names that are like this one, the most alike first, of each entry the most alike, at most [`HITS_MAX`].
    pub fn hits(&self, name: &str) -> Vec<Near<'_>> {
        let own = words(name);
        // How many words of the name have an edge in common with an entry's.
        let mut common: HashMap<u32, usize> = HashMap::new();
        for word in &own {
            let of_word: HashSet<u32> = edges(word)
                .into_iter()
                .flatten()
                .filter_map(|edge| self.by_edge.get(&edge))
                .flatten()
                .copied()
                .collect();
            for number in of_word {
                *common.entry(number).or_default() += 1;
            }
        }
        let needed = own.len().min(2);
        let close = common.into_iter().filter(|(_, words)| needed <= *words);
        let mut best: HashMap<(usize, &str), Near<'_>> = HashMap::new();
        for (number, _) in close {
            let entry = &self.names[number as usize];
            let likeness = compare(&own, &entry.words);
            if likeness < THRESHOLD {
                continue;
            }
            let near = Near { list: &self.lists[entry.list], listed: &entry.listed, likeness };
            let known = best.entry((entry.list, &entry.listed.entry)).or_insert(near);
            if (known.likeness, &near.listed.name) < (likeness, &known.listed.name) {
                *known = near;
            }
        }
        let mut found: Vec<Near<'_>> = best.into_values().collect();
        found.sort_by(|a, b| {
            b.likeness
                .cmp(&a.likeness)
                .then_with(|| (a.list, &a.listed.entry).cmp(&(b.list, &b.listed.entry)))
        });
        found.truncate(HITS_MAX);
        found
    }
}

impl Screener for Screen {
    fn alike(&self, name: &Name) -> Result<Vec<Alike>, ScreenerError> {
        let alike = |near: Near<'_>| Alike {
            list: near.list.to_owned(),
            entry: near.listed.entry.clone(),
            name: near.listed.name.clone(),
            likeness: near.likeness,
        };
        Ok(self.hits(name.as_str()).into_iter().map(alike).collect())
    }
}

/// The first and last two letters of a word that has as many.
fn edges(word: &str) -> [Option<Edge>; 2] {
    let mut letters = word.chars();
    let (first, second) = (letters.next(), letters.next());
    let mut letters = word.chars().rev();
    let (last, before) = (letters.next(), letters.next());
    [
        first.zip(second).map(|(first, second)| Edge::First(first, second)),
        before.zip(last).map(|(before, last)| Edge::Last(before, last)),
    ]
}

/// Words of a name: small letters without accents, each of at least two; letters that stand alone say little.
pub fn words(name: &str) -> Vec<String> {
    let mut plain = String::with_capacity(name.len());
    for letter in name.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        // An apostrophe is part of a word: O'Brien.
        if matches!(letter, '\'' | '\u{2019}' | '\u{02bc}' | '`') {
            continue;
        }
        match transliterated(letter) {
            Some(letters) => plain.push_str(letters),
            None => plain.push(letter),
        }
    }
    let words =
        plain.split(|c: char| !c.is_alphanumeric()).filter(|word| 2 <= word.chars().count());
    words.map(str::to_owned).collect()
}

/// How alike two names are. The same whichever comes first.
fn compare(one: &[String], other: &[String]) -> Likeness {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if short.is_empty() {
        return Likeness(0);
    }
    if short.len() == 1 {
        // Whoever has one name only is like whoever has that one only.
        return if short == long { Likeness(1000) } else { Likeness(0) };
    }
    // Each pair of words, the most alike first; a word is used once.
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (at, word) in short.iter().enumerate() {
        for (place, against) in long.iter().enumerate() {
            pairs.extend(word_likeness(word, against).map(|likeness| (likeness, at, place)));
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut used_short, mut used_long) = (vec![false; short.len()], vec![false; long.len()]);
    let (mut alike, mut total) = (0.0, 0.0);
    let mut matched = 0;
    for (likeness, at, place) in pairs {
        if used_short[at] || used_long[place] {
            continue;
        }
        (used_short[at], used_long[place]) = (true, true);
        let weight = length(&short[at]);
        (alike, total, matched) = (alike + likeness * weight, total + weight, matched + 1);
    }
    if matched < 2 {
        return Likeness(0);
    }
    let strays = (short.len() - matched) + (long.len() - matched);
    let strays = f64::from(u32::try_from(strays).unwrap_or(u32::MAX));
    Likeness::of(alike / total - STRAY * strays)
}

/// How alike two words are, between 0 and 1; `None` if more slips lie between them than their length allows.
fn word_likeness(one: &str, other: &str) -> Option<f64> {
    let longest = one.chars().count().max(other.chars().count());
    let allowed = match longest {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    };
    let slips = strsim::osa_distance(one, other);
    let share =
        f64::from(u32::try_from(slips).unwrap_or(u32::MAX)) / length(one).max(length(other));
    (slips <= allowed).then_some(1.0 - share)
}

fn length(word: &str) -> f64 {
    f64::from(u32::try_from(word.chars().count()).unwrap_or(u32::MAX))
}

/// A letter in Latin ones, where it has no accent to lose: Greek as in ELOT 743, Cyrillic as passports write it (ICAO Doc 9303),
/// and letters of Northern and Central Europe.
const fn transliterated(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ł' => "l",
        'ı' => "i",
        'α' | 'а' => "a",
        'β' | 'в' => "v",
        'б' => "b",
        'γ' | 'г' | 'ґ' => "g",
        'δ' | 'д' => "d",
        'ε' | 'е' | 'э' => "e",
        'є' => "ie",
        'ж' => "zh",
        'ζ' | 'з' => "z",
        'η' | 'ι' | 'и' | 'і' | 'й' => "i",
        'θ' => "th",
        'κ' | 'к' => "k",
        'λ' | 'л' => "l",
        'μ' | 'м' => "m",
        'ν' | 'н' => "n",
        'ξ' => "x",
        'ο' | 'ω' | 'о' => "o",
        'π' | 'п' => "p",
        'ρ' | 'р' => "r",
        'σ' | 'ς' | 'с' => "s",
        'τ' | 'т' => "t",
        'υ' | 'ы' => "y",
        'у' => "u",
        'φ' | 'ф' => "f",
        'χ' => "ch",
        'х' => "kh",
        'ψ' => "ps",
        'ц' => "ts",
        'ч' => "ch",
        'ш' => "sh",
        'щ' => "shch",
        'ю' => "iu",
        'я' => "ia",
        'ъ' => "ie",
        'ь' => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(names: &[&str]) -> Screen {
        let mut screen = Screen::default();
        for (number, name) in names.iter().enumerate() {
            screen.add("one", Listed { entry: number.to_string(), name: (*name).to_owned() });
        }
        screen
    }

    fn hits(listed: &str, name: &str) -> bool {
        !screen(&[listed]).hits(name).is_empty()
    }

    #[test]
    fn words_lose_case_accents_order_and_alphabet() {
        assert_eq!(words("ÅNGSTRÖM, Anders-Jonas"), ["angstrom", "anders", "jonas"]);
        assert_eq!(words("Łukasz O’Brien ﬁ"), ["lukasz", "obrien", "fi"]);
        assert_eq!(words("Иван Щербаков"), ["ivan", "shcherbakov"]);
        assert_eq!(words("Γιώργος Παπαδόπουλος"), ["giorgos", "papadopoylos"]);
        assert_eq!(words("J. R. R. Tolkien"), ["tolkien"]);
        assert_eq!(words(" -- "), [""; 0]);
    }

    #[test]
    fn near_names_hit() {
        for (listed, name) in [
            ("EXAMPLE, Ivan", "Ivan Example"),
            ("Ivan Example", "IVÁN  EXÁMPLE"),
            ("Ivan Petrovich Example", "Ivan Example"),
            ("Ivan Example", "Ivan Petrovich Example"),
            ("Vladimir Exampleov", "Vladimr Exampelov"),
            ("Иван Щербаков", "Ivan Shcherbakov"),
            ("Ivan Shcherbakov", "Иван Щербаков"),
            ("Müller, Jürgen", "Juergen Mueller"),
            ("Anne-Marie Example", "Example Anne Marie"),
            ("Suharto", "SUHARTO"),
        ] {
            assert!(hits(listed, name), "{listed} | {name}");
        }
    }

    #[test]
    fn other_names_do_not() {
        for (listed, name) in [
            ("Ivan Example", "Ivan Sample"),
            ("Ivan Example", "Ivan"),
            ("Ivan Example", "Example"),
            ("Suharto", "Suharto Widodo"),
            ("Li Wei", "Li Wen"),
            ("Ivan Example", "Peter Ivan Maria Example Otto"),
            ("Ivan Example", ""),
            ("", "Ivan Example"),
        ] {
            assert!(!hits(listed, name), "{listed} | {name}");
        }
    }

    #[test]
    fn an_entry_hits_once_by_its_nearest_name() {
        let mut screen = Screen::default();
        for name in ["Ivan Exampel", "Ivan Example", "Example Ivan P"] {
            screen.add("two", Listed { entry: "Q1".to_owned(), name: name.to_owned() });
        }
        let found = screen.hits("Ivan Example");
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].list, found[0].likeness), ("two", Likeness(1000)));
    }

    const FIRST: [&str; 24] = [
        "Anna",
        "Maria",
        "Peter",
        "Thomas",
        "Julia",
        "Stefan",
        "Claudia",
        "Michael",
        "Sabine",
        "Andreas",
        "Elena",
        "Marco",
        "Giulia",
        "Pierre",
        "Camille",
        "Sophie",
        "Lukas",
        "Katarzyna",
        "Pawel",
        "Ingrid",
        "Mehmet",
        "Fatima",
        "Carlos",
        "Lucia",
    ];
    const LAST: [&str; 30] = [
        "Schmidt",
        "Schneider",
        "Fischer",
        "Weber",
        "Meyer",
        "Wagner",
        "Becker",
        "Hoffmann",
        "Rossi",
        "Russo",
        "Ferrari",
        "Bianchi",
        "Martin",
        "Bernard",
        "Dubois",
        "Laurent",
        "Garcia",
        "Fernandez",
        "Lopez",
        "Kowalski",
        "Nowak",
        "Lindqvist",
        "Johansson",
        "Yilmaz",
        "Demir",
        "Santos",
        "Pereira",
        "Novak",
        "Horvat",
        "Popescu",
    ];

    /// Names made of syllables, from a counter: none is anybody's.
    fn made_up(number: usize) -> String {
        const SYLLABLES: [&str; 16] = [
            "ba", "do", "ki", "lu", "mer", "nos", "pra", "quo", "rin", "sta", "tuk", "vel", "wog",
            "xim", "yar", "zeb",
        ];
        let word = |mut at: usize| {
            let mut text = String::new();
            for _ in 0..3 {
                text.push_str(SYLLABLES[at % 16]);
                at = at / 16 + 5 * (at % 16);
            }
            text
        };
        format!("{} {}", word(number * 7 + 3), word(number * 13 + 11))
    }

    /// A list of a thousand, among them ten that are called like people: of the 720 common names those ten hit, with their
    /// near namesakes, and a slip in any made-up name is found.
    #[test]
    fn slips_are_found_and_common_names_do_not_swamp() {
        let names: Vec<String> = (0..1000).map(made_up).collect();
        let mut all: Vec<&str> = names.iter().map(String::as_str).collect();
        let common: Vec<String> =
            (0..10).map(|n| format!("{}, {}", LAST[3 * n], FIRST[2 * n])).collect();
        all.extend(common.iter().map(String::as_str));
        let screen = screen(&all);
        let mut hit = 0;
        for first in FIRST {
            for last in LAST {
                hit += usize::from(!screen.hits(&format!("{first} {last}")).is_empty());
            }
        }
        assert!((10..=14).contains(&hit), "{hit} of {}", FIRST.len() * LAST.len());
        for (number, name) in names.iter().enumerate().step_by(7) {
            let letters: Vec<char> = name.chars().collect();
            let at = 1 + number % (letters.len() - 2);
            let mut slipped = letters.clone();
            if letters[at] != ' ' && letters[at + 1] != ' ' {
                slipped.swap(at, at + 1);
            }
            let slipped: String = slipped.into_iter().collect();
            let found = screen.hits(&slipped);
            assert!(found.iter().any(|near| near.listed.name == *name), "{name} | {slipped}");
        }
    }
}
