//! All words, in each language: a text that one of them lacks does not compile. For another language, give [`Language`] a variant and each line of
//! `table` one more text.
//!
//! Arabic is the second one: it is read from the right, in another script, where cash and mobile money still carry most payments. So both what mirrors and
//! what joins its letters is tried with every screen.

mod table;

use std::cell::Cell;

pub use self::table::Text;

/// A language that the wallet speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Arabic.
    Arabic,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Arabic];

    /// The one of a tag (BCP 47), by its first part; English for all others.
    pub fn of(tag: &str) -> Self {
        let first = tag.split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.code() == first).unwrap_or(Self::English)
    }

    /// Its tag.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Arabic => "ar",
        }
    }

    /// Its name, in itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Arabic => "العربية",
        }
    }

    /// From which side it is read, as `dir` says it.
    pub fn direction(self) -> &'static str {
        match self {
            Self::English => "ltr",
            Self::Arabic => "rtl",
        }
    }

    /// Its words.
    pub fn text(self) -> &'static Text {
        match self {
            Self::English => &table::ENGLISH,
            Self::Arabic => &table::ARABIC,
        }
    }
}

thread_local! {
    static SPOKEN: Cell<Language> = const { Cell::new(Language::English) };
}

/// Speaks this language from now on.
pub fn speak(language: Language) {
    SPOKEN.set(language);
}

/// The language spoken.
pub fn language() -> Language {
    SPOKEN.get()
}

/// The words in it.
pub fn text() -> &'static Text {
    language().text()
}

/// Puts values in the places `{0}`, `{1}`, … of a text.
pub fn fill(text: &str, values: &[&str]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (place, behind) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(before);
        filled.push_str(
            place.parse().ok().and_then(|at: usize| values.get(at)).copied().unwrap_or_default(),
        );
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_never_read_as_places() {
        assert_eq!(fill("{0} of {1}", &["{1}", "b"]), "{1} of b");
        assert_eq!(fill("{1} {0}", &["a", "b"]), "b a");
        assert_eq!(fill("no place", &["a"]), "no place");
        assert_eq!(fill("{7} {", &["a"]), " ");
    }

    #[test]
    fn every_text_has_the_same_places_in_every_language() {
        let places = |text: &str| {
            let mut found: Vec<String> = text
                .split('{')
                .skip(1)
                .filter_map(|it| it.split_once('}'))
                .map(|(it, _)| it.to_owned())
                .collect();
            found.sort();
            found
        };
        for (name, [english, arabic]) in table::ALL {
            assert_eq!(places(english), places(arabic), "{name}");
            assert!(!arabic.is_empty() && !english.is_empty(), "{name}");
            let is_arabic = arabic.chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c));
            assert!(is_arabic, "{name} is not translated: {arabic}");
        }
    }

    #[test]
    fn a_language_is_known_by_its_tag() {
        assert_eq!(
            (Language::of("ar-EG"), Language::of("en-GB")),
            (Language::Arabic, Language::English)
        );
        assert_eq!((Language::of(""), Language::of("sw")), (Language::English, Language::English));
    }
}
