//! What a caller reads of a document that cannot be read.

use gateway_core::{Fault, Kind};

use crate::layout::xml::ContentError;
use crate::layout::xml_text::XmlError;

pub(crate) fn xml_fault(error: XmlError) -> Fault {
    let code = match error {
        XmlError::NotUtf8 => "not-utf-8",
        XmlError::Doctype => "doctype-refused",
        XmlError::Entity => "entity-refused",
        XmlError::TooDeep | XmlError::TooManyAttributes => "too-complex",
        XmlError::NoSuchAttachment => "attachment-missing",
        XmlError::ProcessingInstruction
        | XmlError::UnboundPrefix
        | XmlError::Character
        | XmlError::StrayText
        | XmlError::Syntax(_) => "malformed-xml",
    };
    Fault::new(Kind::Malformed, code, error.to_string())
}

pub(crate) fn content_fault(error: ContentError) -> Fault {
    match error {
        ContentError::Xml(error) => xml_fault(error),
        ContentError::Field(error) => error.in_request(),
    }
}
