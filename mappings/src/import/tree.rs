//! An XML document as a tree, small enough to be read by a person: no DOCTYPE and so no entities of
//! its own, limits on size, depth and number of elements, every name with its namespace, and the
//! line on which each element begins.

use std::sync::Arc;

use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesStart, Event};
use thiserror::Error;

use super::documents::MAX_BYTES;
use super::{At, ImportError};
use crate::charset::Charset;
use crate::compile::is_name;
use crate::layout::xml_text::{are_legal, is_legal};

const MAX_DEPTH: usize = 64;
const MAX_ELEMENTS: usize = 100_000;

/// Why a document is not read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TreeError {
    /// In no encoding that is read.
    #[error("the document is neither UTF-8 nor EUC-KR; save it as UTF-8")]
    NotText,
    /// It declares an encoding that is not read.
    #[error("the document declares the encoding `{0}`; save it as UTF-8")]
    Encoding(String),
    /// It has a DOCTYPE.
    #[error("a DOCTYPE is not read, nor what it declares; take it out")]
    Doctype,
    /// It refers to an entity that is not predefined.
    #[error("an entity is not predefined; write what it stands for")]
    Entity,
    /// It holds what is no character of XML.
    #[error("a character is not allowed in XML")]
    Character,
    /// It is too large.
    #[error("the document is larger than {} MiB", MAX_BYTES >> 20)]
    TooLarge,
    /// Elements within elements.
    #[error("elements are nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// Too many.
    #[error("the document has more than {MAX_ELEMENTS} elements")]
    TooMany,
    /// A prefix without a namespace.
    #[error("the prefix `{0}` is not declared")]
    Prefix(String),
    /// It is not well-formed.
    #[error("this is not well-formed XML")]
    Syntax,
}

/// An element with all that is in it.
#[derive(Debug)]
pub(super) struct Element {
    /// Its namespace; empty where it has none.
    pub(super) space: Arc<str>,
    pub(super) name: String,
    pub(super) line: usize,
    /// Those without a namespace.
    attributes: Vec<(String, String)>,
    pub(super) children: Vec<Element>,
    /// Its own text.
    pub(super) text: String,
    scope: Arc<Scope>,
}

/// A qualified name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) space: Arc<str>,
    pub(super) local: String,
}

/// The prefixes that an element declares, in those of the elements around it.
#[derive(Debug, Default)]
struct Scope {
    own: Vec<(String, Arc<str>)>,
    outer: Option<Arc<Scope>>,
}

impl Scope {
    fn find(&self, prefix: &str) -> Option<Arc<str>> {
        let own = self.own.iter().rev().find(|(known, _)| known == prefix);
        match (own, &self.outer) {
            (Some((_, space)), _) => Some(space.clone()),
            (None, Some(outer)) => outer.find(prefix),
            (None, None) => match prefix {
                "" => Some("".into()),
                "xml" => Some("http://www.w3.org/XML/1998/namespace".into()),
                _ => None,
            },
        }
    }
}

impl Element {
    pub(super) fn is(&self, space: &str, name: &str) -> bool {
        *self.space == *space && self.name == name
    }

    /// The value of an attribute without a namespace.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Its attribute `name`, which is a name without a colon.
    pub(super) fn name_of(&self, at: At) -> Result<String, ImportError> {
        let name = self.attribute("name").unwrap_or_default();
        match is_name(name) {
            true => Ok(name.to_owned()),
            false => Err(ImportError::Name { at, name: name.to_owned() }),
        }
    }

    /// The children of a name.
    pub(super) fn all<'e>(
        &'e self,
        space: &'e str,
        name: &'e str,
    ) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.is(space, name))
    }

    pub(super) fn first<'e>(&'e self, space: &'e str, name: &'e str) -> Option<&'e Element> {
        self.all(space, name).next()
    }

    /// The name that a text of it stands for, such as the `type` of an element.
    pub(super) fn resolve(&self, text: &str) -> Result<Name, TreeError> {
        let text = text.trim_ascii();
        let (prefix, local) = text.split_once(':').unwrap_or(("", text));
        let space = self.scope.find(prefix).ok_or_else(|| TreeError::Prefix(prefix.to_owned()))?;
        Ok(Name { space, local: local.to_owned() })
    }
}

/// Reads a document.
pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<Element, ImportError> {
    let fail = |line, why| ImportError::Tree { at: At { file: file.to_owned(), line }, why };
    if bytes.len() as u64 > MAX_BYTES {
        return Err(fail(1, TreeError::TooLarge));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let decoded = Charset::Cp949.decode(bytes);
            decoded.map_err(|_| fail(1, TreeError::NotText))?.into_owned()
        }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut parser = Parser { reader: Reader::from_str(text), text, line: 1, counted: 0, made: 0 };
    parser.document().map_err(|why| fail(parser.line, why))
}

struct Parser<'t> {
    reader: Reader<&'t [u8]>,
    text: &'t str,
    line: usize,
    /// Bytes up to which lines are counted.
    counted: usize,
    made: usize,
}

impl<'t> Parser<'t> {
    fn document(&mut self) -> Result<Element, TreeError> {
        if !are_legal(self.text) {
            return Err(TreeError::Character);
        }
        let config = self.reader.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        let mut open: Vec<Element> = Vec::new();
        let mut root = None;
        loop {
            let event = self.reader.read_event();
            self.count_lines();
            match event.map_err(|_| TreeError::Syntax)? {
                Event::Start(_) if root.is_some() => return Err(TreeError::Syntax),
                Event::Start(start) => {
                    let outer = open.last().map(|element| element.scope.clone());
                    open.push(self.start(&start, outer)?);
                    if open.len() > MAX_DEPTH {
                        return Err(TreeError::TooDeep);
                    }
                }
                Event::End(_) => {
                    let element = open.pop().ok_or(TreeError::Syntax)?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => root = Some(element),
                    }
                }
                Event::Text(text) => put(&mut open, &text.xml10_content())?,
                Event::CData(text) => put(&mut open, &text.xml10_content())?,
                Event::GeneralRef(name) => {
                    let text = match name.resolve_char_ref() {
                        Ok(Some(character)) if is_legal(character) => character.to_string(),
                        Ok(None) => {
                            resolve_predefined_entity(&name).ok_or(TreeError::Entity)?.to_owned()
                        }
                        _ => return Err(TreeError::Character),
                    };
                    put(&mut open, &text)?;
                }
                Event::Decl(declaration) => {
                    let encoding = declaration.encoding().transpose();
                    let encoding = encoding.map_err(|_| TreeError::Syntax)?;
                    match encoding {
                        Some(name) if !is_read(&name) => {
                            return Err(TreeError::Encoding(name.to_string()));
                        }
                        _ => {}
                    }
                }
                Event::DocType(_) => return Err(TreeError::Doctype),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Empty(_) => return Err(TreeError::Syntax),
                Event::Eof => break,
            }
        }
        match open.is_empty() {
            true => root.ok_or(TreeError::Syntax),
            false => Err(TreeError::Syntax),
        }
    }

    fn count_lines(&mut self) {
        let to = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        let passed = self.text.as_bytes().get(self.counted..to).unwrap_or_default();
        let lines = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(lines);
        self.counted = to.max(self.counted);
    }

    fn start(
        &mut self,
        start: &BytesStart<'_>,
        outer: Option<Arc<Scope>>,
    ) -> Result<Element, TreeError> {
        self.made = self.made.saturating_add(1);
        if self.made > MAX_ELEMENTS {
            return Err(TreeError::TooMany);
        }
        let (mut plain, mut own) = (Vec::new(), Vec::new());
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| TreeError::Syntax)?;
            let value = unescape(&attribute.value).map_err(|_| TreeError::Entity)?.into_owned();
            if !are_legal(&value) {
                return Err(TreeError::Character);
            }
            match attribute.key.0 {
                "xmlns" => own.push((String::new(), value.into())),
                key => match key.split_once(':') {
                    Some(("xmlns", prefix)) => own.push((prefix.to_owned(), value.into())),
                    _ => plain.push((key.to_owned(), value)),
                },
            }
        }
        let scope = match (own.is_empty(), outer) {
            (true, Some(outer)) => outer,
            (_, outer) => Arc::new(Scope { own, outer }),
        };
        let find =
            |prefix: &str| scope.find(prefix).ok_or_else(|| TreeError::Prefix(prefix.to_owned()));
        let mut attributes = Vec::new();
        for (key, value) in plain {
            match key.split_once(':') {
                Some((prefix, _)) => drop(find(prefix)?),
                None => attributes.push((key, value)),
            }
        }
        let name = start.name();
        let name = name.into_inner();
        let (prefix, name) = name.split_once(':').unwrap_or(("", name));
        Ok(Element {
            space: find(prefix)?,
            name: name.to_owned(),
            line: self.line,
            attributes,
            children: Vec::new(),
            text: String::new(),
            scope,
        })
    }
}

fn is_read(encoding: &str) -> bool {
    let names = ["utf-8", "euc-kr", "ks_c_5601-1987", "cp949", "ms949", "us-ascii"];
    names.iter().any(|name| encoding.eq_ignore_ascii_case(name))
}

fn put(open: &mut [Element], text: &str) -> Result<(), TreeError> {
    match open.last_mut() {
        Some(element) => {
            element.text.push_str(text);
            Ok(())
        }
        None if text.trim_ascii().is_empty() => Ok(()),
        None => Err(TreeError::Syntax),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(document: &str, line: usize, why: TreeError) {
        let at = At { file: "f".into(), line };
        assert_eq!(parse("f", document.as_bytes()).unwrap_err(), ImportError::Tree { at, why });
    }

    #[test]
    fn names_have_their_namespaces_and_elements_their_lines() {
        let document =
            "<a xmlns='urn:a'\n xmlns:p='urn:p'>\n<p:b type='p:c' p:d='1'>&lt;</p:b></a>";
        let root = parse("f", document.as_bytes()).unwrap();
        let b = root.first("urn:p", "b").unwrap();
        assert_eq!((b.line, b.text.as_str(), b.attribute("d")), (3, "<", None));
        let name = b.resolve(b.attribute("type").unwrap()).unwrap();
        assert_eq!((&*name.space, name.local.as_str()), ("urn:p", "c"));
        assert_eq!(&*b.resolve("e").unwrap().space, "urn:a");
        let (euc_kr, ..) =
            encoding_rs::EUC_KR.encode("<?xml version='1.0' encoding='euc-kr'?><한/>");
        assert_eq!(parse("f", &euc_kr).unwrap().name, "한");
    }

    #[test]
    fn documents_that_are_not_read_say_where() {
        refused("<a>\n<!DOCTYPE a [<!ENTITY b 'c'>]></a>", 2, TreeError::Doctype);
        refused("<!DOCTYPE a [<!ENTITY b 'c'>]>\n<a>&b;</a>", 1, TreeError::Doctype);
        refused("<a>\n&b;</a>", 2, TreeError::Entity);
        refused("<a>\n<b></a>", 2, TreeError::Syntax);
        refused("<a/>\n<b/>", 2, TreeError::Syntax);
        refused("", 1, TreeError::Syntax);
        refused("<a>\u{1}</a>", 1, TreeError::Character);
        refused("<p:a/>", 1, TreeError::Prefix("p".into()));
        refused(
            "<?xml version='1.0' encoding='utf-16'?><a/>",
            1,
            TreeError::Encoding("utf-16".into()),
        );
        refused(&"<a>".repeat(65), 1, TreeError::TooDeep);
        refused(&format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS)), 1, TreeError::TooMany);
        let large = vec![b' '; 8 << 20 | 1];
        let at = At { file: "f".into(), line: 1 };
        let why = TreeError::TooLarge;
        assert_eq!(parse("f", &large).unwrap_err(), ImportError::Tree { at, why });
        let at = At { file: "f".into(), line: 1 };
        let why = TreeError::NotText;
        assert_eq!(parse("f", b"\xff\xff").unwrap_err(), ImportError::Tree { at, why });
    }
}
