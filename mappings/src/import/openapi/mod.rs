//! OpenAPI 3.0 and 3.1, in YAML or JSON → two mappings that load: a REST front, which serves the
//! described interface, and a backend, which calls the one who provides it. Only references within
//! the document are followed.

mod operations;
mod scaffold;
mod schema;

use serde_json::Value as Json;

pub use scaffold::OpenApiScaffold;

use super::ImportError;
use super::documents::MAX_BYTES;

/// A document with its references.
struct Document {
    root: Json,
}

/// References to references at most.
const MAX_REFERENCES: usize = 16;

impl Document {
    fn read(file: &str, bytes: &[u8]) -> Result<Self, ImportError> {
        let wrong = |why: String| ImportError::Text { file: file.to_owned(), why };
        if bytes.len() as u64 > MAX_BYTES {
            return Err(wrong(super::Refusal::TooLarge.to_string()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
        let root: Json = match text.trim_start().starts_with('{') {
            true => serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?,
            false => serde_saphyr::from_str(text).map_err(|error| wrong(error.to_string()))?,
        };
        match root.get("openapi").and_then(Json::as_str) {
            Some(version) if version.starts_with("3.0") || version.starts_with("3.1") => {
                Ok(Self { root })
            }
            Some(version) => Err(wrong(format!("it is OpenAPI {version}; 3.0 and 3.1 are read"))),
            None => Err(wrong("it has no `openapi`, so it is no OpenAPI 3 document".to_owned())),
        }
    }

    /// What a value is, or what it refers to (`$ref`); the pointer it was found by, where it was.
    fn follow<'d>(&'d self, value: &'d Json) -> Result<(&'d Json, Option<&'d str>), String> {
        let (mut value, mut pointer) = (value, None);
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = value.get("$ref").and_then(Json::as_str) else {
                return Ok((value, pointer));
            };
            let inside = reference.strip_prefix('#');
            let inside = inside.ok_or("only references within the document are followed")?;
            let found = self.root.pointer(inside);
            value = found.ok_or_else(|| format!("{reference} leads nowhere"))?;
            pointer = Some(reference);
        }
        Err("references go round in a circle".to_owned())
    }
}
