//! Where operations stand over HTTP: a method and a path for each way of calling one. Paths are
//! matched segment by segment, each decoded on its own, so that an encoded slash or dot never makes
//! a path what it does not look like.

use std::borrow::Cow;
use std::sync::Arc;

use gateway_core::Endpoint;

use crate::rows::{Record, Rows, Wire};
use crate::unfit::{FieldError, Unfit};
use crate::xroad::percent_decode;

/// A method by which an operation may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether the message stands in a body; otherwise it stands in the query.
    pub(crate) fn has_body(self) -> bool {
        !matches!(self, Self::Get | Self::Delete)
    }
}

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// This text.
    Literal(String),
    /// The value of the request's row at this place, by this name.
    Field { row: usize, name: Arc<str> },
}

/// One way of calling an operation.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) method: Method,
    pub(crate) path: Vec<Segment>,
    /// The operation's name.
    pub(crate) operation: Arc<str>,
    /// The same method and path for policies, fields named.
    pub(crate) endpoint: Arc<Endpoint>,
}

impl Resource {
    pub(crate) fn new(method: Method, path: Vec<Segment>, operation: Arc<str>) -> Self {
        let endpoint = Endpoint { method: method.name().into(), path: "".into() };
        let mut resource = Self { method, path, operation, endpoint: Arc::new(endpoint) };
        let path = resource.template(0, true).into();
        resource.endpoint = Arc::new(Endpoint { method: method.name().into(), path });
        resource
    }

    /// Whether the row at this place of the request stands in the path.
    pub(crate) fn has_in_path(&self, at: usize) -> bool {
        self.path.iter().any(|segment| matches!(segment, Segment::Field { row, .. } if *row == at))
    }

    /// Whether a request may match both, as far as paths go.
    pub(crate) fn collides_with(&self, other: &Self) -> bool {
        let alike = |pair: (&Segment, &Segment)| match pair {
            (Segment::Literal(one), Segment::Literal(other)) => one == other,
            (Segment::Field { .. }, Segment::Field { .. }) => true,
            _ => false,
        };
        self.method == other.method
            && self.path.len() == other.path.len()
            && self.path.iter().zip(&other.path).all(alike)
    }

    /// The path as a template of RFC 6570, level 1; fields are named or `*`.
    pub(crate) fn template(&self, from: usize, names: bool) -> String {
        let mut template = String::new();
        for segment in self.path.iter().skip(from) {
            template.push('/');
            match segment {
                Segment::Literal(text) => template.push_str(&crate::xroad::encode_part(text)),
                Segment::Field { name, .. } if names => template.extend(["{", name, "}"]),
                Segment::Field { .. } => template.push('*'),
            }
        }
        template
    }

    /// How many of its segments are literal; the more, the closer the match.
    fn literals(&self) -> usize {
        self.path.iter().filter(|segment| matches!(segment, Segment::Literal(_))).count()
    }

    /// The texts of the fields in the path, when it matches.
    fn values(&self, path: &[String]) -> Option<Vec<(usize, String)>> {
        if self.path.len() != path.len() {
            return None;
        }
        let mut values = Vec::new();
        for (segment, text) in self.path.iter().zip(path) {
            match segment {
                Segment::Literal(literal) if literal == text => {}
                Segment::Literal(_) => return None,
                Segment::Field { row, .. } => values.push((*row, text.clone())),
            }
        }
        Some(values)
    }
}

/// A resource that a request asks for.
pub(crate) struct Found<'r> {
    pub(crate) resource: &'r Resource,
    /// The texts of the fields in its path, by their rows.
    values: Vec<(usize, String)>,
}

impl Found<'_> {
    /// Puts the path's texts into their places.
    ///
    /// # Errors
    /// When one of them stands in the rest of the request too.
    pub(crate) fn fill<S>(
        &mut self,
        rows: &Rows<S>,
        record: &mut Record<'_>,
    ) -> Result<(), FieldError> {
        for (at, text) in std::mem::take(&mut self.values) {
            if let (Some(place), Some(row)) = (record.get_mut(at), rows.0.get(at)) {
                if place.is_some() {
                    return Err(FieldError::new(&row.name, Unfit::Repeated));
                }
                *place = Some(Wire::Text(Cow::Owned(text)));
            }
        }
        Ok(())
    }
}

/// All resources of a front.
#[derive(Debug, Default)]
pub(crate) struct Resources(Vec<Resource>);

/// Why no resource was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missed {
    /// Nothing stands under the path.
    Path,
    /// What stands there is called by other methods.
    Method,
}

impl Resources {
    pub(crate) fn new(resources: Vec<Resource>) -> Self {
        Self(resources)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.0.iter()
    }

    /// The resource under a path as it was sent, from its first slash on.
    pub(crate) fn find(&self, method: &str, path: &str) -> Result<Found<'_>, Missed> {
        let path = segments(path).ok_or(Missed::Path)?;
        let under = self.under(&path);
        let missed = if under.is_empty() { Missed::Path } else { Missed::Method };
        let is_called = |found: &Found<'_>| Method::parse(method) == Some(found.resource.method);
        let called = under.into_iter().filter(is_called);
        called.max_by_key(|found| found.resource.literals()).ok_or(missed)
    }

    /// The methods that a path is called by, as the header `Allow` lists them.
    pub(crate) fn allow(&self, path: &str) -> String {
        let under = segments(path).map(|path| self.under(&path)).unwrap_or_default();
        let mut methods: Vec<Method> = under.iter().map(|found| found.resource.method).collect();
        methods.sort();
        methods.dedup();
        methods.into_iter().map(Method::name).collect::<Vec<_>>().join(", ")
    }

    fn under(&self, path: &[String]) -> Vec<Found<'_>> {
        let found = |resource| Some(Found { values: Resource::values(resource, path)?, resource });
        self.0.iter().filter_map(found).collect()
    }
}

/// The decoded segments of a path; nothing for a path that another program might read otherwise.
fn segments(path: &str) -> Option<Vec<String>> {
    let decoded = path.strip_prefix('/')?.split('/').map(percent_decode);
    let segments = decoded.collect::<Option<Vec<_>>>()?;
    let is_plain = |segment: &String| {
        !matches!(segment.as_str(), "" | "." | "..") && !segment.chars().any(char::is_control)
    };
    segments.iter().all(is_plain).then_some(segments)
}

/// The parameters of a query → texts of the rows.
///
/// # Errors
/// A parameter that no row is, one that is not percent-encoded UTF-8, one that stands there twice.
pub(crate) fn read_query<S>(rows: &Rows<S>, query: &str) -> Result<Record<'static>, QueryError> {
    let mut record: Record<'static> = rows.0.iter().map(|_| None).collect();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // As forms and most clients write it, a plus sign is a space.
        let decode = |text: &str| percent_decode(&text.replace('+', " "));
        let (Some(name), Some(value)) = (decode(name), decode(value)) else {
            return Err(QueryError::Encoding);
        };
        let at = rows.position(&name).ok_or(QueryError::Unknown)?;
        let place = record.get_mut(at).ok_or(QueryError::Unknown)?;
        if place.is_some() {
            return Err(FieldError::new(&name, Unfit::Repeated).into());
        }
        *place = Some(Wire::Text(Cow::Owned(value)));
    }
    Ok(record)
}

/// Why a query could not be read. It does not repeat what was read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    #[error("the query is not percent-encoded UTF-8")]
    Encoding,
    #[error("the query has a parameter that this service does not know")]
    Unknown,
    #[error(transparent)]
    Field(#[from] FieldError),
}

#[cfg(test)]
mod tests;
