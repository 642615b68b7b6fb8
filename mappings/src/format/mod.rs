//! The YAML of the catalog as it is written, before anything is checked. Unknown keys are errors.
//! What the keys mean is in the package's README; [`crate::compile`] turns them into a mapping.

mod batch;
mod layout;
mod mapping;
mod provider;
mod purposes;
mod row;
mod services;
mod xml;

pub(crate) use batch::{
    BadRecordsFormat, BatchLayout, ColumnFormat, EncodingFormat, FixedColumn, FixedFormat, Marks,
    TrailerFormat, TrailerRole,
};
pub(crate) use layout::{
    ElementFormName, HeaderFormat, IntegrationFormat, Layout, ReplyRole, RequestRole, RestLayout,
    SoapLayout, SoapStyle, TelegramLayout, XRoadRestLayout, XRoadSoapLayout,
};
pub(crate) use mapping::{MappingFile, Operation, Refusal, SoapNames, Success, Table, TableFormat};
pub(crate) use provider::{
    CallFormat, InquiryFormat, JsonProvider, MethodFormat, ProviderLayout, ResultFormat,
    SoapProvider, TelegramProvider, XRoadFormat, XmlProvider,
};
pub(crate) use purposes::{BilingualFormat, PurposeFormat, PurposesFile};
pub(crate) use row::{Alternative, Domain, Part, Row, Usage, When};
pub(crate) use services::{
    CheckPolicy, FieldFormat, ServiceFormat, ServicesFile, SharedTableFormat, TypeName,
};
pub(crate) use xml::XmlLayout;
