//! XML as a stream of elements and texts, with what the parser leaves to its user: no DOCTYPE, so
//! no entities but the five predefined ones; no processing instructions (SOAP 1.1,
//! section 3); limits on depth and attributes; legal characters only; every prefix bound.

use std::borrow::Cow;

use quick_xml::NsReader;
use quick_xml::errors::Error;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

use super::mime::Attachments;

pub(crate) const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
pub(crate) const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";
pub(crate) const ADDRESSING: &str = "http://www.w3.org/2005/08/addressing";
pub(crate) const XOP: &str = "http://www.w3.org/2004/08/xop/include";
/// X-Road's headers and metadata (message protocol 4.0, annex B).
pub(crate) const XROAD: &str = "http://x-road.eu/xsd/xroad.xsd";
/// X-Road's identifiers (message protocol 4.0, annex A).
pub(crate) const XROAD_IDENTIFIERS: &str = "http://x-road.eu/xsd/identifiers";
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

const MAX_DEPTH: usize = 32;
const MAX_ATTRIBUTES: usize = 32;

/// Why a document is refused, whatever it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum XmlError {
    #[error("the document is not UTF-8")]
    NotUtf8,
    #[error("the document declares a DOCTYPE, which is not allowed")]
    Doctype,
    #[error("the document refers to an entity that is not predefined")]
    Entity,
    #[error("the document holds a processing instruction, which is not allowed")]
    ProcessingInstruction,
    #[error("the document is nested too deeply")]
    TooDeep,
    #[error("an element has too many attributes")]
    TooManyAttributes,
    #[error("a namespace prefix is not declared")]
    UnboundPrefix,
    #[error("the document holds a character that XML does not allow")]
    Character,
    #[error("the document holds text where only elements may stand")]
    StrayText,
    #[error("the document is not well-formed XML, at byte {0}")]
    Syntax(u64),
    #[error("a reference to an attachment does not lead to one")]
    NoSuchAttachment,
}

/// A namespace, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// The one of the messages read.
    Target,
    /// Another one that the mapping names, by its place among them.
    Declared(usize),
    Soap11,
    Soap12,
    Addressing,
    XRoad,
    /// That of X-Road's identifiers.
    XRoadIdentifiers,
    Xop,
    /// No namespace at all.
    None,
    Other,
}

/// The start of an element.
pub(crate) struct Element<'i> {
    start: BytesStart<'i>,
    pub(crate) space: Space,
    /// `xsi:nil="true"`
    pub(crate) nil: bool,
    /// `soap:mustUnderstand="1"`, for a role that is the receiver's.
    pub(crate) must_understand: bool,
    /// It has attributes without a namespace.
    pub(crate) has_attributes: bool,
    /// It has attributes of a namespace that says nothing here.
    pub(crate) has_foreign_attributes: bool,
}

impl<'i> Element<'i> {
    /// Its name without prefix.
    pub(crate) fn name(&self) -> &str {
        self.start.local_name().into_inner()
    }

    /// Its attributes without a namespace, by their names.
    pub(crate) fn attributes(&self) -> Vec<(String, String)> {
        let mut attributes = self.start.attributes();
        // All were checked when the element was read.
        let all = attributes.with_checks(false).flatten();
        let plain = all.filter(|one| !one.key.0.contains(':') && one.key.0 != "xmlns");
        // White space that is written as a reference stays what it is (XML 1.0, section 3.3.3).
        let normal = |text: &str| {
            let text = text.replace("\r\n", " ").replace(['\t', '\n', '\r'], " ");
            unescape(&text).ok().map(Cow::into_owned)
        };
        plain.filter_map(|one| Some((one.key.0.to_owned(), normal(&one.value)?))).collect()
    }

    /// The value of its attribute `name` without a namespace.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        self.attributes().into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

pub(crate) enum Node<'i> {
    Start(Element<'i>),
    Text(Cow<'i, str>),
    End,
    Eof,
}

/// Reads one document.
pub(crate) struct XmlReader<'i> {
    reader: NsReader<&'i [u8]>,
    target: &'i str,
    declared: &'i [(String, String)],
    attachments: Attachments<'i>,
    /// The encoding that the document declares was that of its bytes.
    is_decoded: bool,
    depth: usize,
    begun: bool,
}

impl<'i> XmlReader<'i> {
    /// `target` is the namespace that [`Space::Target`] means.
    pub(crate) fn new(body: &'i [u8], target: &'i str) -> Result<Self, XmlError> {
        let text = std::str::from_utf8(body).map_err(|_| XmlError::NotUtf8)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Ok(Self { is_decoded: false, ..Self::of_text(text, target)? })
    }

    /// The same for a document that was decoded from the encoding that it declares.
    pub(crate) fn of_text(text: &'i str, target: &'i str) -> Result<Self, XmlError> {
        if !are_legal(text) {
            return Err(XmlError::Character);
        }
        let mut reader = NsReader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        let attachments = Attachments::default();
        let (declared, is_decoded) = (&[][..], true);
        Ok(Self { reader, target, declared, attachments, is_decoded, depth: 0, begun: false })
    }

    /// Knows these namespaces as well, by prefix and name: [`Space::Declared`].
    pub(crate) fn declaring(mut self, namespaces: &'i [(String, String)]) -> Self {
        self.declared = namespaces;
        self
    }

    /// Follows references to these.
    pub(crate) fn attaching(mut self, attachments: Attachments<'i>) -> Self {
        self.attachments = attachments;
        self
    }

    /// The value of an attribute of the element just begun, by its namespace and name.
    pub(crate) fn attribute_of(
        &self,
        element: &Element<'_>,
        space: &str,
        name: &str,
    ) -> Option<String> {
        let mut attributes = element.start.attributes();
        let mut all = attributes.with_checks(false).flatten();
        let found = all.find(|attribute| {
            let (found, local) = self.reader.resolver().resolve_attribute(attribute.key);
            local.as_ref() == name && found == ResolveResult::Bound(Namespace(space))
        });
        found.and_then(|attribute| unescape(&attribute.value).ok().map(Cow::into_owned))
    }

    /// The prefix that the mapping gives a namespace of [`Space::Declared`].
    pub(crate) fn prefix(&self, declared: usize) -> &'i str {
        self.declared.get(declared).map_or("", |(prefix, _)| prefix)
    }

    /// The prefix that the mapping gives its own namespace; empty where it gives none.
    pub(crate) fn prefix_of_target(&self) -> &'i str {
        let own = self.declared.iter().find(|(_, name)| name == self.target);
        own.map_or("", |(prefix, _)| prefix)
    }

    /// Whether every attachment was referred to.
    pub(crate) fn has_used_attachments(&self) -> bool {
        self.attachments.are_used()
    }

    pub(crate) fn next(&mut self) -> Result<Node<'i>, XmlError> {
        loop {
            let first = !std::mem::replace(&mut self.begun, true);
            let event = self.reader.read_event();
            let node = match event.map_err(|error| self.refused(&error))? {
                Event::Start(start) => Node::Start(self.start(start)?),
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    Node::End
                }
                Event::Text(text) => Node::Text(text.xml10_content()),
                Event::CData(text) => Node::Text(text.xml10_content()),
                Event::GeneralRef(name) => Node::Text(self.resolve(&name)?),
                Event::Comment(_) => continue,
                Event::Decl(declaration) if first => {
                    self.check_declaration(&declaration)?;
                    continue;
                }
                Event::Eof if self.depth == 0 => Node::Eof,
                Event::DocType(_) => return Err(XmlError::Doctype),
                Event::PI(_) => return Err(XmlError::ProcessingInstruction),
                Event::Decl(_) | Event::Empty(_) | Event::Eof => return Err(self.syntax()),
            };
            return Ok(node);
        }
    }

    /// The text up to the end of the element just begun; it may hold no element.
    pub(crate) fn text(&mut self) -> Result<Option<Cow<'i, str>>, XmlError> {
        let mut text = Cow::Borrowed("");
        loop {
            match self.next()? {
                Node::Text(part) => text += part,
                Node::End => return Ok(Some(text)),
                Node::Start(_) => return Ok(None),
                Node::Eof => return Err(self.syntax()),
            }
        }
    }

    /// The text up to the end of the element just begun, where an `xop:Include` may stand for the
    /// base64 of an attachment (XML-binary Optimized Packaging, section 2.1).
    pub(crate) fn binary(&mut self) -> Result<Option<Cow<'i, str>>, XmlError> {
        let mut text = Cow::Borrowed("");
        loop {
            match self.next()? {
                Node::Text(part) => text += part,
                Node::End => return Ok(Some(text)),
                Node::Start(include) => {
                    let is_include = include.space == Space::Xop && include.name() == "Include";
                    if !is_include || !text.trim_ascii().is_empty() {
                        return Ok(None);
                    }
                    let reference = include.attribute("href").ok_or(XmlError::NoSuchAttachment)?;
                    let included = self.attachment(&reference)?;
                    self.skip()?;
                    return match self.structure()? {
                        Node::End => Ok(Some(Cow::Owned(included))),
                        _ => Ok(None),
                    };
                }
                Node::Eof => return Err(self.syntax()),
            }
        }
    }

    /// The base64 of the attachment that a `cid:` URL names (RFC 2392).
    pub(crate) fn attachment(&mut self, reference: &str) -> Result<String, XmlError> {
        self.attachments.take(reference).ok_or(XmlError::NoSuchAttachment)
    }

    /// The next start or end of an element; text between elements is white space.
    pub(crate) fn structure(&mut self) -> Result<Node<'i>, XmlError> {
        loop {
            match self.next()? {
                Node::Text(text) if text.trim_ascii().is_empty() => {}
                Node::Text(_) => return Err(XmlError::StrayText),
                node => return Ok(node),
            }
        }
    }

    /// Passes over the rest of the element just begun.
    pub(crate) fn skip(&mut self) -> Result<(), XmlError> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if let Node::Eof = self.next()? {
                return Err(self.syntax());
            }
        }
        Ok(())
    }

    pub(crate) fn syntax(&self) -> XmlError {
        XmlError::Syntax(self.reader.buffer_position())
    }

    fn refused(&self, error: &Error) -> XmlError {
        match error {
            Error::Escape(_) => XmlError::Entity,
            _ => XmlError::Syntax(self.reader.error_position()),
        }
    }

    fn start(&mut self, start: BytesStart<'i>) -> Result<Element<'i>, XmlError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(XmlError::TooDeep);
        }
        let resolver = self.reader.resolver();
        let space = match resolver.resolve_element(start.name()).0 {
            ResolveResult::Bound(Namespace(name)) => self.space(name),
            ResolveResult::Unbound => Space::None,
            ResolveResult::Unknown(_) => return Err(XmlError::UnboundPrefix),
        };
        let mut element = Element {
            start,
            space,
            nil: false,
            must_understand: false,
            has_attributes: false,
            has_foreign_attributes: false,
        };
        let mut is_for_us = true;
        for (index, attribute) in element.start.attributes().enumerate() {
            let attribute = attribute.map_err(|_| self.syntax())?;
            if index >= MAX_ATTRIBUTES {
                return Err(XmlError::TooManyAttributes);
            }
            if attribute.value.contains('<') {
                return Err(self.syntax());
            }
            let value = unescape(&attribute.value).map_err(|_| XmlError::Entity)?;
            if !are_legal(&value) {
                return Err(XmlError::Character);
            }
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let is_true = matches!(value.trim_ascii(), "1" | "true");
            let (space, name) = resolver.resolve_attribute(attribute.key);
            match (space, name.as_ref()) {
                (ResolveResult::Unknown(_), _) => return Err(XmlError::UnboundPrefix),
                (ResolveResult::Unbound, _) => element.has_attributes = true,
                (ResolveResult::Bound(Namespace(SCHEMA_INSTANCE)), "nil") => element.nil = is_true,
                (ResolveResult::Bound(Namespace(SCHEMA_INSTANCE)), _) => {}
                (ResolveResult::Bound(Namespace(SOAP_11 | SOAP_12)), "mustUnderstand") => {
                    element.must_understand = is_true;
                }
                (ResolveResult::Bound(Namespace(SOAP_11)), "actor")
                | (ResolveResult::Bound(Namespace(SOAP_12)), "role") => {
                    is_for_us = OUR_ROLES.contains(&value.trim_ascii());
                }
                (ResolveResult::Bound(_), _) => element.has_foreign_attributes = true,
            }
        }
        element.must_understand &= is_for_us;
        Ok(element)
    }

    fn space(&self, name: &str) -> Space {
        match name {
            name if name == self.target => Space::Target,
            SOAP_11 => Space::Soap11,
            SOAP_12 => Space::Soap12,
            ADDRESSING => Space::Addressing,
            XOP => Space::Xop,
            XROAD => Space::XRoad,
            XROAD_IDENTIFIERS => Space::XRoadIdentifiers,
            name => {
                let at = self.declared.iter().position(|(_, declared)| declared == name);
                at.map_or(Space::Other, Space::Declared)
            }
        }
    }

    /// Writes the element just begun, up to its end, so that it reads the same anywhere; `mark` is
    /// one more attribute of it.
    pub(crate) fn copy(
        &mut self,
        element: &Element<'i>,
        mark: &str,
        out: &mut String,
    ) -> Result<(), XmlError> {
        let tag = self.copy_start(element, mark, out)?;
        let mut text = String::new();
        let mut has_children = false;
        loop {
            match self.next()? {
                Node::Text(part) => text += &part,
                Node::Start(child) => {
                    has_children = true;
                    self.copy(&child, "", out)?;
                }
                Node::End => break,
                Node::Eof => return Err(self.syntax()),
            }
        }
        match (has_children, text.trim_ascii().is_empty()) {
            (true, false) => return Err(XmlError::StrayText),
            (true, true) => {}
            (false, _) => escape(out, &text),
        }
        out.extend(["</", &tag, ">"]);
        Ok(())
    }

    /// Namespaces are declared where they are used, but for those that every X-Road message has.
    fn copy_start(
        &self,
        element: &Element<'i>,
        mark: &str,
        out: &mut String,
    ) -> Result<String, XmlError> {
        let resolver = self.reader.resolver();
        let (space, name) = resolver.resolve_element(element.start.name());
        let (tag, mut declarations) = match space {
            ResolveResult::Bound(Namespace(space)) => qualified(space, "x", name.into_inner()),
            _ => (name.into_inner().to_owned(), String::new()),
        };
        let mut attributes = String::new();
        let mut seen = Vec::new();
        for attribute in element.start.attributes().with_checks(false).flatten() {
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let value = unescape(&attribute.value).map_err(|_| XmlError::Entity)?;
            let (space, name) = resolver.resolve_attribute(attribute.key);
            // One name by two prefixes is one attribute twice.
            if seen.contains(&(space.clone(), name)) {
                return Err(self.syntax());
            }
            seen.push((space.clone(), name));
            let name = match space {
                ResolveResult::Bound(Namespace(ADDRESSING)) => continue,
                ResolveResult::Bound(Namespace(space)) => {
                    let prefix = format!("a{}", attributes.len());
                    let (name, declaration) = qualified(space, &prefix, name.into_inner());
                    declarations.push_str(&declaration);
                    name
                }
                _ => name.into_inner().to_owned(),
            };
            attributes.extend([" ", &name, "=\""]);
            escape(&mut attributes, &value);
            attributes.push('"');
        }
        out.extend(["<", &tag, &declarations, mark, &attributes, ">"]);
        Ok(tag)
    }

    fn resolve(&self, name: &BytesRef<'_>) -> Result<Cow<'i, str>, XmlError> {
        match name.resolve_char_ref() {
            Ok(Some(character)) if is_legal(character) => Ok(Cow::Owned(character.to_string())),
            Ok(Some(_)) | Err(_) => Err(XmlError::Character),
            Ok(None) => resolve_predefined_entity(name).map(Cow::Borrowed).ok_or(XmlError::Entity),
        }
    }

    fn check_declaration(&self, declaration: &BytesDecl<'_>) -> Result<(), XmlError> {
        let encoding = declaration.encoding().transpose().map_err(|_| self.syntax())?;
        match encoding {
            Some(name) if !self.is_decoded && !name.eq_ignore_ascii_case("utf-8") => {
                Err(XmlError::NotUtf8)
            }
            _ => Ok(()),
        }
    }
}

/// The roles that a receiver plays who is both the next and the last (SOAP 1.1, section 4.2.2; SOAP
/// 1.2 Part 1, section 2.2).
const OUR_ROLES: [&str; 4] = [
    "",
    "http://schemas.xmlsoap.org/soap/actor/next",
    "http://www.w3.org/2003/05/soap-envelope/role/next",
    "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
];

/// A name of a namespace, with the declaration of its prefix where it needs one.
fn qualified(space: &str, prefix: &str, name: &str) -> (String, String) {
    match space {
        XROAD => (format!("xrd:{name}"), String::new()),
        XROAD_IDENTIFIERS => (format!("id:{name}"), String::new()),
        "http://www.w3.org/XML/1998/namespace" => (format!("xml:{name}"), String::new()),
        space => {
            let mut declaration = format!(" xmlns:{prefix}=\"");
            escape(&mut declaration, space);
            declaration.push('"');
            (format!("{prefix}:{name}"), declaration)
        }
    }
}

/// Appends text so that it reads back as it is.
pub(crate) fn escape(out: &mut String, text: &str) {
    out.push_str(&quick_xml::escape::escape(text));
}

/// The production `Char` of XML 1.0, section 2.2.
pub(crate) fn is_legal(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Whether all characters of a text are legal. In UTF-8 those that are not are single bytes, or
/// one of two that begin with 0xEF.
pub(crate) fn are_legal(text: &str) -> bool {
    let (mut control, mut suspect) = (false, false);
    // Without an early end the loop runs on many bytes at once.
    for byte in text.bytes() {
        control |= byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
        suspect |= byte == 0xef;
    }
    !control && (!suspect || text.chars().all(is_legal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> Result<String, XmlError> {
        let mut reader = XmlReader::new(document.as_bytes(), "urn:t")?;
        let mut seen = String::new();
        loop {
            match reader.next()? {
                Node::Start(element) => {
                    seen += &format!("<{}:{:?}>", element.name(), element.space)
                }
                Node::Text(text) => seen += &text,
                Node::End => seen += "</>",
                Node::Eof => return Ok(seen),
            }
        }
    }

    #[test]
    fn namespaces_are_resolved_whatever_the_prefix() {
        let document = "<a xmlns='urn:t'><p:b xmlns:p='urn:t'/><c xmlns='urn:u'>&lt;&#48;</c></a>";
        let seen = "<a:Target><b:Target></><c:Other><0</></>";
        assert_eq!(read(document).unwrap(), seen);
        assert_eq!(read("<p:a/>"), Err(XmlError::UnboundPrefix));
        assert_eq!(read("<a p:b='c'/>"), Err(XmlError::UnboundPrefix));
    }

    #[test]
    fn dangerous_documents_are_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]><a>&c;</a>";
        let external = "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>";
        assert_eq!(read(bomb), Err(XmlError::Doctype));
        assert_eq!(read(external), Err(XmlError::Doctype));
        assert_eq!(read("<a>&c;</a>"), Err(XmlError::Entity));
        assert_eq!(read("<a b='&c;'/>"), Err(XmlError::Entity));
        assert_eq!(read("<a><?php?></a>"), Err(XmlError::ProcessingInstruction));
        assert_eq!(read("<a>&#1;</a>"), Err(XmlError::Character));
        assert_eq!(read("<a>\u{1}</a>"), Err(XmlError::Character));
        assert_eq!(read(&"<a>".repeat(33)), Err(XmlError::TooDeep));
        let attributes: String = (0..33).map(|n| format!(" a{n}=''")).collect();
        assert_eq!(read(&format!("<a{attributes}/>")), Err(XmlError::TooManyAttributes));
        assert_eq!(read("<?xml version='1.0' encoding='euc-kr'?><a/>"), Err(XmlError::NotUtf8));
    }

    #[test]
    fn broken_documents_are_refused() {
        for document in ["<a>", "<a></b>", "</a>", "<a b='1' b='2'/>", "<a b='<'/>", "<a>&", "<"] {
            assert!(matches!(read(document), Err(XmlError::Syntax(_))), "{document}");
        }
    }
}
