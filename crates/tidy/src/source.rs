//! A Rust file as the rules see it: without comments, without what stands in strings, and split into functions.

/// A Rust file.
pub struct Source {
    /// Path from the root of the repository, with `/`.
    pub path: String,
    /// The text as it is.
    pub text: String,
    /// The text with every character of comments, strings and character literals made a blank; lines stay.
    pub code: String,
    /// For each line, counted from 0, whether it belongs to a test.
    is_test: Vec<bool>,
}

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Line of `fn`, counted from 1.
    pub line: usize,
    /// Lines from `fn` to the closing brace, both counted.
    pub lines: usize,
}

impl Source {
    /// Reads a file's text.
    pub fn new(path: &str, text: &str) -> Self {
        let code = blank(text);
        let is_test =
            if lies_in_tests(path) { vec![true; code.lines().count()] } else { test_lines(&code) };
        Self { path: path.to_owned(), text: text.to_owned(), code, is_test }
    }

    /// Lines of code with their number, counted from 1, tests left out.
    pub fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.code.lines().enumerate();
        lines.filter(|(at, _)| !self.is_test[*at]).map(|(at, line)| (at + 1, line))
    }

    /// Every function that has a body, inner ones too.
    pub fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for (start, name) in words_after(&self.code, "fn") {
            // A declaration ends before any brace opens.
            let body = self.code[start..].find(['{', ';']).map(|at| start + at);
            let Some(open) = body.filter(|at| self.code[*at..].starts_with('{')) else { continue };
            let line = line_of(&self.code, start);
            let end = line_of(&self.code, closing_brace(&self.code, open));
            found.push(Function { name: name.to_owned(), line, lines: end - line + 1 });
        }
        found
    }

    /// Names of the tests: functions under an attribute that makes one, or inside `proptest!`.
    pub fn tests(&self) -> Vec<String> {
        let lines: Vec<&str> = self.code.lines().collect();
        let is_attribute = |line: &str| {
            let line = line.trim();
            line.starts_with("#[") || line.is_empty()
        };
        let is_test = |function: &Function| {
            let above =
                lines[..function.line - 1].iter().rev().take_while(|line| is_attribute(line));
            above.into_iter().any(|line| {
                line.contains("#[test]") || line.contains("::test]") || line.contains("::test(")
            })
        };
        self.functions().into_iter().filter(is_test).map(|function| function.name).collect()
    }
}

/// Whether a path is one of tests, benchmarks or examples, whole.
fn lies_in_tests(path: &str) -> bool {
    let is_test = |part| {
        matches!(part, "tests" | "benches" | "examples" | "tests.rs" | "testing" | "testing.rs")
    };
    path.split('/').any(is_test)
}

/// Marks the lines of items under `#[cfg(test)]` or `#[cfg(any(test, …))]`.
fn test_lines(code: &str) -> Vec<bool> {
    let mut marks = vec![false; code.lines().count()];
    for pattern in ["#[cfg(test)]", "#[cfg(any(test"] {
        for (start, _) in code.match_indices(pattern) {
            let end = match code[start..].find(['{', ';']).map(|at| start + at) {
                Some(open) if code[open..].starts_with('{') => closing_brace(code, open),
                Some(semicolon) => semicolon,
                None => code.len(),
            };
            let (first, last) = (line_of(code, start), line_of(code, end).min(marks.len()));
            marks[first - 1..last].fill(true);
        }
    }
    marks
}

/// Where the word after each `keyword` begins, with the word.
fn words_after<'a>(code: &'a str, keyword: &str) -> Vec<(usize, &'a str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in code.match_indices(keyword) {
        let after = &code[at + keyword.len()..];
        let rest = after.trim_start();
        let word = rest.split(|c| !is_word(c)).next().unwrap_or_default();
        if !code[..at].ends_with(is_word)
            && after.starts_with(char::is_whitespace)
            && !word.is_empty()
        {
            found.push((at, word));
        }
    }
    found
}

/// Line of a byte, counted from 1.
fn line_of(code: &str, at: usize) -> usize {
    code[..at.min(code.len())].matches('\n').count() + 1
}

/// Where the brace that opens at `open` closes; the end of the text if it never does.
fn closing_brace(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return open + at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// Blanks comments and literals and keeps every line where it was.
fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let literal = literal_length(rest, code.chars().next_back());
        let (taken, kept) = match literal {
            0 => (c.len_utf8(), true),
            length => (length, false),
        };
        let part = &rest[..taken];
        if kept {
            code.push_str(part);
        } else {
            code.extend(part.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        rest = &rest[taken..];
    }
    code
}

/// How many bytes of a comment, string or character literal `rest` begins with; 0 if with none.
///
/// `before` is the character before: an `r` or `b` at the end of a word begins no literal.
fn literal_length(rest: &str, before: Option<char>) -> usize {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment_length(rest);
    }
    let prefix = match rest.as_bytes() {
        [b'b' | b'c', b'r', ..] if !in_word => 2,
        [b'b' | b'c' | b'r', ..] if !in_word => 1,
        _ => 0,
    };
    let (start, raw) = (&rest[prefix..], rest[..prefix].ends_with('r'));
    if raw {
        let hashes = start.len() - start.trim_start_matches('#').len();
        return match start[hashes..].starts_with('"') {
            true => prefix + raw_length(&start[hashes..], hashes) + hashes,
            false => 0,
        };
    }
    if start.starts_with('"') {
        return prefix + quoted_length(start, '"');
    }
    // A quotation mark alone begins a lifetime; a literal closes after one character or one escape.
    let mut characters = start.chars().skip(1);
    let (first, second) = (characters.next(), characters.next());
    if start.starts_with('\'') && (first == Some('\\') || second == Some('\'')) {
        return prefix + quoted_length(start, '\'');
    }
    0
}

/// Length of a literal between two `quote`s, with escapes.
fn quoted_length(start: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in start.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + quote.len_utf8(),
            _ => {}
        }
    }
    start.len()
}

/// Length of a raw string from its quotation mark on, closing `hashes` included.
fn raw_length(start: &str, hashes: usize) -> usize {
    let close = format!("\"{}", "#".repeat(hashes));
    start[1..].find(&close).map_or(start.len(), |at| 1 + at + close.len())
}

/// Length of a block comment; they nest.
fn block_comment_length(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blank_and_lines_stay() {
        let text = "a // b\n/* c /* d */\n e */ f\n\"g \\\" h\" r#\"i \"j\n\"# 'k' '\\'' &'l b\"m\" br\"n\" other";
        let code = blank(text);
        assert_eq!(code.lines().count(), text.lines().count());
        assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "f", "&'l", "other"]);
    }

    #[test]
    fn functions_are_measured_from_fn_to_brace() {
        let source = Source::new(
            "a.rs",
            "trait T { fn declared(&self); }\nfn one() {}\nfn two(\n) {\n    if x { }\n}\n",
        );
        let found: Vec<_> =
            source.functions().into_iter().map(|f| (f.name, f.line, f.lines)).collect();
        assert_eq!(found, [("one".to_owned(), 2, 1), ("two".to_owned(), 3, 4)]);
    }

    #[test]
    fn tests_are_no_product() {
        let source = Source::new("a.rs", "one\n#[cfg(test)]\nmod tests {\n    two\n}\nthree\n");
        assert_eq!(
            source.product_lines().map(|(_, line)| line).collect::<Vec<_>>(),
            ["one", "three"]
        );
        assert_eq!(Source::new("crates/a/tests/b.rs", "one\n").product_lines().count(), 0);
    }

    #[test]
    fn tests_are_found_by_their_attribute() {
        let text = "#[test]\nfn one() {}\nfn two() {}\n#[tokio::test(flavor = \"multi_thread\")]\nasync fn three() {}\n\
                    proptest! {\n    /// Says.\n    #[test]\n    fn four(a in 0..9) {}\n}\n// #[test]\nfn five() {}\n";
        assert_eq!(Source::new("a.rs", text).tests(), ["one", "three", "four"]);
    }
}
