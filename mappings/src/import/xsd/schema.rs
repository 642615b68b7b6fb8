//! The global components of schemas, by kind and name, gathered from a document and those that it
//! includes and imports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::import::documents::{MAX_DOCUMENTS, resolve};
use crate::import::tree::{Element, Name, parse};
use crate::import::{At, Documents, ImportError, Refusal};

/// The namespace of XML Schema.
pub(in crate::import) const XS: &str = "http://www.w3.org/2001/XMLSchema";
/// That of the types of SOAP encoding (SOAP 1.1, section 5).
pub(in crate::import) const SOAP_ENCODING: &str = "http://schemas.xmlsoap.org/soap/encoding/";

/// What global components there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::import) enum Kind {
    Element,
    /// Simple and complex types share their names.
    Type,
    Group,
    AttributeGroup,
    Attribute,
}

impl Kind {
    pub(in crate::import) fn name(self) -> &'static str {
        match self {
            Self::Element => "element",
            Self::Type => "type",
            Self::Group => "group",
            Self::AttributeGroup => "attributeGroup",
            Self::Attribute => "attribute",
        }
    }

    fn of(element: &Element) -> Option<Self> {
        match element.name.as_str() {
            "element" => Some(Self::Element),
            "complexType" | "simpleType" => Some(Self::Type),
            "group" => Some(Self::Group),
            "attributeGroup" => Some(Self::AttributeGroup),
            "attribute" => Some(Self::Attribute),
            _ => None,
        }
    }
}

/// What a schema says of everything in it.
#[derive(Clone, Debug)]
pub(in crate::import) struct Header {
    pub(in crate::import) file: Arc<str>,
    pub(in crate::import) target: Arc<str>,
    pub(in crate::import) elements_qualified: bool,
    pub(in crate::import) attributes_qualified: bool,
    /// It has no namespace of its own and is included by one that has (XML Schema Part 1, 4.2.1).
    borrowed: bool,
}

impl Header {
    /// That of what stands in no schema.
    pub(in crate::import) fn outside(file: &str) -> Self {
        Self {
            file: file.into(),
            target: "".into(),
            elements_qualified: false,
            attributes_qualified: false,
            borrowed: false,
        }
    }

    pub(in crate::import) fn at(&self, element: &Element) -> At {
        At { file: self.file.to_string(), line: element.line }
    }

    /// The component that a text of an element names.
    pub(in crate::import) fn resolve(
        &self,
        element: &Element,
        text: &str,
    ) -> Result<Name, ImportError> {
        let name = element.resolve(text);
        let mut name = name.map_err(|why| ImportError::Tree { at: self.at(element), why })?;
        if name.space.is_empty() && self.borrowed {
            name.space = self.target.clone();
        }
        Ok(name)
    }
}

/// A component with the schema that it is of.
#[derive(Clone, Copy)]
pub(in crate::import) struct Part<'s> {
    pub(in crate::import) element: &'s Element,
    pub(in crate::import) of: &'s Header,
}

struct Loaded {
    header: Header,
    root: Arc<Element>,
    /// The children on the way from the document's root to the schema.
    path: Vec<usize>,
}

impl Loaded {
    fn schema(&self) -> Option<&Element> {
        self.path.iter().try_fold(&*self.root, |element, index| element.children.get(*index))
    }
}

/// All schemas of an import.
#[derive(Default)]
pub(in crate::import) struct Schemas {
    loaded: Vec<Loaded>,
    components: BTreeMap<(Kind, Name), (usize, usize)>,
    /// What was read, by path and the namespace it was read for.
    seen: BTreeSet<(String, Arc<str>)>,
}

impl Schemas {
    /// Adds the schema at `path` within a document, and what it refers to.
    pub(in crate::import) fn add(
        &mut self,
        file: &str,
        root: &Arc<Element>,
        path: Vec<usize>,
        documents: &dyn Documents,
    ) -> Result<(), ImportError> {
        let mut waiting = Vec::new();
        self.put(file, root.clone(), path, None, &mut waiting)?;
        while let Some(wanted) = waiting.pop() {
            let key = (wanted.path.clone(), wanted.target.clone().unwrap_or_default());
            if !self.seen.insert(key) {
                continue;
            }
            let refused = |why| ImportError::File { path: wanted.path.clone(), why };
            if self.seen.len() > MAX_DOCUMENTS {
                return Err(refused(Refusal::TooMany));
            }
            let bytes = documents.read(&wanted.path).map_err(refused)?;
            let root = Arc::new(parse(&wanted.path, &bytes)?);
            self.put(&wanted.path, root, vec![], wanted.target, &mut waiting)?;
        }
        Ok(())
    }

    /// `includer` is the namespace that a document without one gets.
    fn put(
        &mut self,
        file: &str,
        root: Arc<Element>,
        path: Vec<usize>,
        includer: Option<Arc<str>>,
        waiting: &mut Vec<Wanted>,
    ) -> Result<(), ImportError> {
        let loaded = Loaded { header: Header::outside(file), root, path };
        let Some(schema) = loaded.schema() else { return Ok(()) };
        let mut header = header(file, schema);
        if !schema.is(XS, "schema") {
            let at = header.at(schema);
            let wanted = "a `schema` of http://www.w3.org/2001/XMLSchema";
            return Err(ImportError::Root { at, found: schema.name.clone(), wanted });
        }
        if let (true, Some(includer)) = (header.target.is_empty(), includer) {
            header.borrowed = !includer.is_empty();
            header.target = includer;
        }
        let place = self.loaded.len();
        for (index, child) in
            schema.children.iter().enumerate().filter(|(_, one)| *one.space == *XS)
        {
            match (Kind::of(child), child.name.as_str()) {
                (Some(kind), _) => {
                    let local = child.attribute("name").unwrap_or_default().to_owned();
                    let name = Name { space: header.target.clone(), local };
                    self.components.entry((kind, name)).or_insert((place, index));
                }
                (None, "include" | "import") => {
                    waiting.extend(refers(child, &header)?);
                }
                (None, "redefine" | "override") => {
                    return Err(ImportError::Unsupported {
                        at: header.at(child),
                        what: "a schema that changes another",
                        why: "write the types as they are meant, and include them",
                    });
                }
                (None, _) => {}
            }
        }
        self.loaded.push(Loaded { header, ..loaded });
        Ok(())
    }

    /// A component that must be there.
    pub(in crate::import) fn find(
        &self,
        kind: Kind,
        name: &Name,
        named_at: At,
    ) -> Result<Part<'_>, ImportError> {
        if *name.space == *SOAP_ENCODING {
            return Err(ImportError::Unsupported {
                at: named_at,
                what: "SOAP encoding",
                why: "its arrays and references are no schema's; ask for a literal WSDL",
            });
        }
        self.get(kind, name).ok_or_else(|| ImportError::Unknown {
            at: named_at,
            kind: kind.name(),
            space: name.space.to_string(),
            name: name.local.clone(),
        })
    }

    fn get(&self, kind: Kind, name: &Name) -> Option<Part<'_>> {
        let (place, index) = self.components.get(&(kind, name.clone()))?;
        let loaded = self.loaded.get(*place)?;
        Some(Part { element: loaded.schema()?.children.get(*index)?, of: &loaded.header })
    }

    /// The names of all global elements.
    pub(in crate::import) fn elements(&self) -> impl Iterator<Item = &Name> {
        let elements = self.components.keys().filter(|(kind, _)| *kind == Kind::Element);
        elements.map(|(_, name)| name)
    }
}

/// A document that another refers to.
struct Wanted {
    path: String,
    /// The namespace of the schema that includes it.
    target: Option<Arc<str>>,
}

/// Where `include` or `import` leads; nowhere for an import that only names a namespace.
fn refers(element: &Element, header: &Header) -> Result<Option<Wanted>, ImportError> {
    let includes = element.name == "include";
    let Some(location) = element.attribute("schemaLocation") else {
        return Ok(None);
    };
    match resolve(&header.file, location) {
        Ok(path) => Ok(Some(Wanted { path, target: includes.then(|| header.target.clone()) })),
        // The components may be in a schema that is here, and if not it is said which are missing.
        Err(Refusal::NotLocal) if !includes => Ok(None),
        Err(why) => Err(ImportError::File { path: location.to_owned(), why }),
    }
}

fn header(file: &str, schema: &Element) -> Header {
    let qualified = |name| schema.attribute(name) == Some("qualified");
    Header {
        target: schema.attribute("targetNamespace").unwrap_or_default().into(),
        elements_qualified: qualified("elementFormDefault"),
        attributes_qualified: qualified("attributeFormDefault"),
        ..Header::outside(file)
    }
}
