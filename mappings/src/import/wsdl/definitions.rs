//! The documents of a WSDL: its messages, port types, bindings and services by their names, and the
//! schemas of its types.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::WSDL;
use crate::import::documents::{MAX_DOCUMENTS, resolve};
use crate::import::tree::{Element, Name, parse};
use crate::import::xsd::{Schemas, XS};
use crate::import::{At, Documents, ImportError, Refusal};

/// What a WSDL's names lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Message,
    PortType,
    Binding,
    Service,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::PortType => "portType",
            Self::Binding => "binding",
            Self::Service => "service",
        }
    }

    fn of(element: &Element) -> Option<Self> {
        [Self::Message, Self::PortType, Self::Binding, Self::Service]
            .into_iter()
            .find(|kind| kind.name() == element.name && *element.space == *WSDL)
    }
}

/// One document.
struct Document {
    file: String,
    root: Arc<Element>,
}

/// A definition with the document that it is in.
#[derive(Clone, Copy)]
pub(super) struct Found<'d> {
    pub(super) element: &'d Element,
    pub(super) file: &'d str,
}

impl Found<'_> {
    pub(super) fn at(&self, element: &Element) -> At {
        At { file: self.file.to_owned(), line: element.line }
    }

    pub(super) fn resolve(&self, element: &Element, text: &str) -> Result<Name, ImportError> {
        let name = element.resolve(text);
        name.map_err(|why| ImportError::Tree { at: self.at(element), why })
    }
}

/// All documents of a WSDL.
pub(super) struct Definitions {
    documents: Vec<Document>,
    /// The document and the place among its children.
    names: BTreeMap<(Kind, Name), (usize, usize)>,
    pub(super) schemas: Schemas,
}

impl Definitions {
    pub(super) fn read(first: &str, documents: &dyn Documents) -> Result<Self, ImportError> {
        let mut all =
            Self { documents: vec![], names: BTreeMap::new(), schemas: Schemas::default() };
        let mut waiting = vec![first.to_owned()];
        let mut seen = BTreeSet::new();
        while let Some(path) = waiting.pop() {
            if !seen.insert(path.clone()) {
                continue;
            }
            let refused = |why| ImportError::File { path: path.clone(), why };
            if seen.len() > MAX_DOCUMENTS {
                return Err(refused(Refusal::TooMany));
            }
            let bytes = documents.read(&path).map_err(refused)?;
            let root = Arc::new(parse(&path, &bytes)?);
            all.add(path, root, documents, &mut waiting)?;
        }
        Ok(all)
    }

    fn add(
        &mut self,
        file: String,
        root: Arc<Element>,
        documents: &dyn Documents,
        waiting: &mut Vec<String>,
    ) -> Result<(), ImportError> {
        // A WSDL may import a schema as well as a WSDL (WSDL 1.1, section 2.1.1).
        if root.is(XS, "schema") && !self.documents.is_empty() {
            return self.schemas.add(&file, &root, vec![], documents);
        }
        if !root.is(WSDL, "definitions") {
            let at = At { file, line: root.line };
            let wanted = "the `definitions` of a WSDL 1.1";
            return Err(ImportError::Root { at, found: root.name.clone(), wanted });
        }
        let place = self.documents.len();
        let target: Arc<str> = root.attribute("targetNamespace").unwrap_or_default().into();
        for (index, child) in root.children.iter().enumerate() {
            if let Some(kind) = Kind::of(child) {
                let local = child.attribute("name").unwrap_or_default().to_owned();
                let name = Name { space: target.clone(), local };
                self.names.entry((kind, name)).or_insert((place, index));
            } else if child.is(WSDL, "types") {
                for (inner, schema) in child.children.iter().enumerate() {
                    if schema.is(XS, "schema") {
                        self.schemas.add(&file, &root, vec![index, inner], documents)?;
                    }
                }
            } else if let (true, Some(location)) =
                (child.is(WSDL, "import"), child.attribute("location"))
            {
                let path = resolve(&file, location);
                let refused = |why| ImportError::File { path: location.to_owned(), why };
                waiting.push(path.map_err(refused)?);
            }
        }
        self.documents.push(Document { file, root });
        Ok(())
    }

    /// A definition that must be there.
    pub(super) fn find(&self, kind: Kind, name: &Name, at: At) -> Result<Found<'_>, ImportError> {
        let found = self.names.get(&(kind, name.clone())).and_then(|place| self.get(*place));
        found.ok_or_else(|| ImportError::Unknown {
            at,
            kind: kind.name(),
            space: name.space.to_string(),
            name: name.local.clone(),
        })
    }

    /// All definitions of a kind, by name.
    pub(super) fn all(&self, kind: Kind) -> Vec<Found<'_>> {
        let own = self.names.iter().filter(|((known, _), _)| *known == kind);
        own.filter_map(|(_, place)| self.get(*place)).collect()
    }

    fn get(&self, (place, index): (usize, usize)) -> Option<Found<'_>> {
        let document = self.documents.get(place)?;
        Some(Found { element: document.root.children.get(index)?, file: &document.file })
    }
}
