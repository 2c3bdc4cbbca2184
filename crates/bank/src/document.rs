//! An XML document as a tree, within bounds, with the line of each element.
//!
//! Names are local names: banks use prefixes or none, and a message of ISO 20022 has one namespace. Document types are
//! refused, and with them every entity but the five that XML itself has.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::statement::StatementError;

/// Elements open at once. Messages of ISO 20022 nest about 15 deep.
const DEPTH_MAX: usize = 64;

/// Elements of a document: some 15,000 bookings with all their details, in about 100 MiB of memory.
const ELEMENTS_MAX: usize = 1_000_000;

/// Attributes of an element. Statements have one, the outermost element some declarations.
const ATTRIBUTES_MAX: usize = 16;

/// Bytes of text in one element. The longest that a statement may have is 500 characters.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// An element.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    /// Without prefix. Shared by all elements of the name.
    name: Rc<str>,
    /// Where its first tag ends, counted from 1.
    pub(crate) line: usize,
    text: Cow<'a, str>,
    /// Attribute `Ccy`.
    currency: Option<String>,
    children: Vec<Node<'a>>,
}

/// The outermost element and the namespace it is in, if it says.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(crate) root: Node<'a>,
    pub(crate) namespace: Option<String>,
}

impl Node<'_> {
    /// The child at the end of a path of names: the first of each name.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.children.iter().find(|child| child.is(name)))
    }

    /// All children of a name.
    pub(crate) fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Self> {
        self.children.iter().filter(move |child| child.is(name))
    }

    /// The text of the child at the end of a path, without the space around it. `None` if there is none.
    pub(crate) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).and_then(Self::text)
    }

    /// Its own text, without the space around it. `None` if there is none.
    pub(crate) fn text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// Whether it has this name.
    pub(crate) fn is(&self, name: &str) -> bool {
        *self.name == *name
    }

    /// Attribute `Ccy`.
    pub(crate) fn currency(&self) -> Option<&str> {
        self.currency.as_deref()
    }
}

/// The text of a file: UTF-8, or ISO 8859-1 if it says so.
///
/// # Errors
/// [`StatementError::Encoding`].
pub(crate) fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, StatementError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let encoding = declared_encoding(bytes).unwrap_or_else(|| "UTF-8".to_owned());
    match encoding.to_ascii_uppercase().as_str() {
        "UTF-8" | "UTF8" | "US-ASCII" | "ASCII" => {
            let text = std::str::from_utf8(bytes).map_err(|_| StatementError::Encoding)?;
            Ok(Cow::Borrowed(text))
        }
        // Its 256 characters are the first 256 of Unicode.
        "ISO-8859-1" | "ISO8859-1" | "LATIN1" => {
            Ok(Cow::Owned(bytes.iter().copied().map(char::from).collect()))
        }
        _ => Err(StatementError::Encoding),
    }
}

/// What the XML declaration says, if there is one that says something.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    let declaration = head.strip_prefix("<?xml")?.split("?>").next()?;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_owned)
}

/// Reads a document.
///
/// # Errors
/// [`StatementError`], its variants about XML.
pub(crate) fn read(text: &str) -> Result<Document<'_>, StatementError> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut tree = Tree::default();
    let (mut line, mut counted) = (1, 0);
    loop {
        let event = reader.read_event();
        let position = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let position = position.clamp(counted, text.len());
        line += text.as_bytes()[counted..position].iter().filter(|byte| **byte == b'\n').count();
        counted = position;
        let malformed = StatementError::Malformed { line };
        match event.map_err(|error| broken(&error, line))? {
            Event::Start(start) => tree.open(&start, line)?,
            Event::Empty(start) => {
                tree.open(&start, line)?;
                tree.close();
            }
            Event::End(_) => tree.close(),
            Event::Text(text) => {
                tree.append(text.xml10_content().map_err(|_| malformed)?, line)?;
            }
            Event::CData(text) => {
                tree.append(text.xml10_content().map_err(|_| malformed)?, line)?;
            }
            Event::GeneralRef(reference) => tree.append(resolved(&reference, line)?, line)?,
            Event::DocType(_) => return Err(StatementError::DocumentType { line }),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    match tree {
        Tree { open, root: Some(root), namespace, .. } if open.is_empty() => {
            Ok(Document { root, namespace })
        }
        _ => Err(StatementError::Truncated),
    }
}

/// A file that ends in the middle of something is told from one that is wrong.
fn broken(error: &Error, line: usize) -> StatementError {
    match error {
        Error::Syntax(SyntaxError::UnclosedDoctype) => StatementError::DocumentType { line },
        Error::IllFormed(IllFormedError::MissingEndTag(_)) => StatementError::Truncated,
        Error::Syntax(SyntaxError::InvalidBangMarkup) => StatementError::Malformed { line },
        Error::Syntax(_) => StatementError::Truncated,
        Error::Io(_)
        | Error::IllFormed(_)
        | Error::InvalidAttr(_)
        | Error::Encoding(_)
        | Error::Escape(_)
        | Error::Namespace(_) => StatementError::Malformed { line },
    }
}

/// The character that a reference stands for.
fn resolved<'a>(reference: &BytesRef<'a>, line: usize) -> Result<Cow<'a, str>, StatementError> {
    let malformed = StatementError::Malformed { line };
    if let Some(character) = reference.resolve_char_ref().map_err(|_| malformed)? {
        return Ok(Cow::Owned(character.to_string()));
    }
    let name = reference.decode().map_err(|_| malformed)?;
    let character = quick_xml::escape::resolve_xml_entity(&name);
    character.map(Cow::Borrowed).ok_or(StatementError::Entity { line })
}

/// The document as far as it is read.
#[derive(Default)]
struct Tree<'a> {
    open: Vec<Node<'a>>,
    root: Option<Node<'a>>,
    elements: usize,
    names: HashMap<Vec<u8>, Rc<str>>,
    namespace: Option<String>,
}

impl<'a> Tree<'a> {
    fn open(&mut self, start: &BytesStart<'_>, line: usize) -> Result<(), StatementError> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(StatementError::Malformed { line });
        }
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(StatementError::TooManyElements { line });
        }
        if self.open.len() == DEPTH_MAX {
            return Err(StatementError::TooDeep { line });
        }
        let node = self.element(start, line)?;
        self.open.push(node);
        Ok(())
    }

    fn element(&mut self, start: &BytesStart<'_>, line: usize) -> Result<Node<'a>, StatementError> {
        let malformed = StatementError::Malformed { line };
        let declaration = match start.name().prefix() {
            Some(prefix) => [b"xmlns:", prefix.into_inner()].concat(),
            None => b"xmlns".to_vec(),
        };
        let mut currency = None;
        for (count, attribute) in start.attributes().enumerate() {
            let attribute = attribute.map_err(|_| malformed)?;
            if count == ATTRIBUTES_MAX || attribute.value.len() > TEXT_BYTES_MAX {
                return Err(StatementError::FieldTooLong { line });
            }
            let is_namespace = self.open.is_empty() && attribute.key.as_ref() == declaration;
            if is_namespace || attribute.key.as_ref() == b"Ccy" {
                let value = attribute
                    .normalized_value(XmlVersion::Implicit1_0)
                    .map_err(|_| malformed)?
                    .into_owned();
                let place = if is_namespace { &mut self.namespace } else { &mut currency };
                *place = Some(value);
            }
        }
        let name = self.name(start.local_name().as_ref()).ok_or(malformed)?;
        Ok(Node { name, line, text: Cow::default(), currency, children: Vec::new() })
    }

    /// `None` if it is not UTF-8, which a name cut out of UTF-8 always is.
    fn name(&mut self, name: &[u8]) -> Option<Rc<str>> {
        if let Some(known) = self.names.get(name) {
            return Some(Rc::clone(known));
        }
        let new: Rc<str> = Rc::from(std::str::from_utf8(name).ok()?);
        self.names.insert(name.to_vec(), Rc::clone(&new));
        Some(new)
    }

    fn close(&mut self) {
        // The reader pairs the tags, so there is one.
        let Some(node) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.root = Some(node),
        }
    }

    fn append(&mut self, text: Cow<'a, str>, line: usize) -> Result<(), StatementError> {
        if text.chars().any(is_forbidden) {
            return Err(StatementError::Malformed { line });
        }
        let is_blank = text.chars().all(char::is_whitespace);
        let Some(node) = self.open.last_mut() else {
            return if is_blank { Ok(()) } else { Err(StatementError::Malformed { line }) };
        };
        // The space between elements is no text of theirs.
        if is_blank && node.text.is_empty() {
            return Ok(());
        }
        if node.text.len() + text.len() > TEXT_BYTES_MAX {
            return Err(StatementError::FieldTooLong { line });
        }
        if node.text.is_empty() {
            node.text = text;
        } else {
            node.text.to_mut().push_str(&text);
        }
        Ok(())
    }
}

/// Characters that XML 1.0 does not have.
fn is_forbidden(character: char) -> bool {
    let control = character < ' ' && !matches!(character, '\t' | '\n' | '\r');
    control || matches!(character, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> StatementError {
        read(text).unwrap_err()
    }

    #[test]
    fn elements_are_found_by_local_name_with_their_text_and_line() {
        let text = "<?xml version='1.0'?>\n<!-- <a>no</a> -->\n<x:a xmlns:x='urn:one' xmlns='urn:two'>\n  \
                    <x:b Ccy='EUR'> Max &amp; Co <![CDATA[<Sons>]]>&#233; </x:b>\n<b/></x:a>\n";
        let Document { root, namespace } = read(text).unwrap();
        assert_eq!(namespace.as_deref(), Some("urn:one"));
        assert!(root.is("a"));
        assert_eq!(root.text(), None);
        let first = root.at(&["b"]).unwrap();
        assert_eq!(first.text(), Some("Max & Co <Sons>é"));
        assert_eq!((first.line, first.currency()), (4, Some("EUR")));
        assert_eq!(root.all("b").count(), 2);
        assert_eq!(root.text_at(&["b", "c"]), None);
    }

    #[test]
    fn every_bound_has_its_error() {
        assert_eq!(error(&"<a>".repeat(DEPTH_MAX + 1)), StatementError::TooDeep { line: 1 });
        let many = format!("<a>{}</a>", "<b/>".repeat(ELEMENTS_MAX));
        assert_eq!(error(&many), StatementError::TooManyElements { line: 1 });
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        for text in [
            format!("<a>{long}</a>"),
            format!("<a b='{long}'/>"),
            format!("<a>x{}</a>", "&amp;".repeat(TEXT_BYTES_MAX)),
        ] {
            assert_eq!(error(&text), StatementError::FieldTooLong { line: 1 });
        }
        let attributes: String =
            (0..=ATTRIBUTES_MAX).map(|number| format!(" a{number}=''")).collect();
        assert_eq!(error(&format!("<a{attributes}/>")), StatementError::FieldTooLong { line: 1 });
    }

    #[test]
    fn entities_that_unfold_are_refused_before_they_do() {
        let bomb = "<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY b 'lol'><!ENTITY c '&b;&b;&b;'>]><a>&c;</a>";
        assert_eq!(error(bomb), StatementError::DocumentType { line: 2 });
        assert_eq!(
            error("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"),
            StatementError::DocumentType { line: 1 }
        );
        assert_eq!(error("<!DOCTYPE a ["), StatementError::DocumentType { line: 1 });
        assert_eq!(error("<a>\n&c;</a>"), StatementError::Entity { line: 2 });
    }

    #[test]
    fn what_is_not_well_formed_is_refused_at_its_line() {
        for text in [
            "<a>\n<b></a></b>",
            "<a/>\n<a/>",
            "<a/>\nx",
            "\nx<a/>",
            "<a b='1'\n b='2'/>",
            "<a>\n&#0;</a>",
            "<a>\n\u{1}</a>",
            "<a>\n& b</a>",
            "<a>\n<!-- -- --></a>",
            "<a/>\n</b>",
        ] {
            assert_eq!(error(text), StatementError::Malformed { line: 2 }, "{text:?}");
        }
        let whole = "<a c='d'>\n<b>x &amp; y</b><!-- z --><![CDATA[w]]></a>";
        assert!(read(whole).is_ok());
        for end in 0..whole.len() {
            // Cut within a reference or after `<!`, the rest is wrong in itself.
            let within = |from: &str, to: &str| {
                let start = whole.find(from).unwrap();
                (start + from.len()..start + from.len() + to.len()).contains(&end)
            };
            let is_wrong = within("&", "amp;") || within("<!", "-") || within("--><!", "[");
            let expected = if is_wrong {
                StatementError::Malformed { line: 2 }
            } else {
                StatementError::Truncated
            };
            assert_eq!(error(&whole[..end]), expected, "{end}");
        }
    }

    #[test]
    fn encodings_are_those_that_the_file_says() {
        assert_eq!(decoded("\u{feff}<a>é</a>".as_bytes()).unwrap(), "<a>é</a>");
        assert_eq!(
            decoded(b"<?xml encoding='iso-8859-1'?><a>\xe9</a>").unwrap(),
            "<?xml encoding='iso-8859-1'?><a>é</a>"
        );
        for bytes in [
            &b"<a>\xe9</a>"[..],
            b"<?xml encoding='windows-1252'?><a/>",
            b"<?xml encoding='UTF-16'?><a/>",
            b"\xff\xfe<\0a\0/\0>\0",
        ] {
            assert_eq!(decoded(bytes), Err(StatementError::Encoding), "{bytes:?}");
        }
    }
}
