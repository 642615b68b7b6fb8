//! The header of a front's messages.

use std::collections::BTreeSet;

use jiff::tz::Offset;

use crate::convert::{Codec, DateForm};
use crate::faults::parse_name;
use crate::format::{HeaderFormat, Layout, MappingFile, ReplyRole, RequestRole, Row as RowFormat};
use crate::header::{Content, Header, Party, Purpose, Role};
use crate::problem::Spot;
use crate::rows::{Form, Row, Rows};

/// Compiles a header; `shape` says what the layout must know of a field.
pub(crate) fn compile<S>(
    file: &MappingFile,
    formats: &[HeaderFormat],
    zone: Option<Offset>,
    shape: impl Fn(&HeaderFormat, &Codec, &mut Spot<'_>) -> Option<S>,
    spot: &mut Spot<'_>,
) -> Header<S> {
    let tells_time =
        |field: &HeaderFormat| matches!(field.reply, ReplyRole::Received | ReplyRole::Sent);
    if zone.is_none() && file.zone.is_none() && formats.iter().any(tells_time) {
        spot.problem("a header that states times wants a `zone`");
    }
    let (mut rows, mut roles) = (Vec::new(), Vec::new());
    let mut names = BTreeSet::new();
    for (index, format) in formats.iter().enumerate() {
        let spot = &mut spot.key(format_args!("header[{index}]"));
        if !names.insert(&format.name) {
            spot.problem(format_args!("`{}` stands there twice", format.name));
        }
        let names_codes = matches!(file.layout, Layout::Xml(_));
        if format.reply == ReplyRole::ResultName && !names_codes {
            spot.key("reply").problem("the codes of this kind of mapping have no names");
        }
        let codec = codec(format);
        let role = role(format, spot);
        if let (Some(shape), Some(role)) = (shape(format, &codec, spot), role) {
            let form = Form::Value { codec, shape };
            rows.push(Row {
                name: format.name.as_str().into(),
                field: Some(format.name.as_str().into()),
                required: format.required,
                default: None,
                choice: None,
                when: None,
                loss: None,
                form,
            });
            roles.push(role);
        }
    }
    let asks_organization = |role: &Role| matches!(role.request, Purpose::Organization);
    if roles.iter().any(asks_organization) == file.organizations.is_empty() {
        spot.problem("`organizations` and a header field that names one belong together");
    }
    let offset = zone.unwrap_or(Offset::UTC);
    Header { rows: Rows::new(rows), roles, organizations: file.organizations.clone(), offset }
}

/// The header's fields as rows, for the parts that look at rows.
pub(crate) fn as_row(format: &HeaderFormat) -> RowFormat {
    RowFormat {
        kind: format.kind.clone(),
        length: format.length,
        picture: format.picture.clone(),
        usage: format.usage,
        sign: format.sign,
        max: format.max,
        ..RowFormat::default()
    }
}

fn codec(format: &HeaderFormat) -> Codec {
    match format.kind.as_deref() {
        Some("yyyymmdd") => Codec::Date(DateForm::Compact),
        _ => super::codec::plain(&as_row(format)),
    }
}

fn role(format: &HeaderFormat, spot: &mut Spot<'_>) -> Option<Role> {
    let request = match &format.request {
        RequestRole::Ignored => Purpose::Ignored,
        RequestRole::Operation => Purpose::Operation,
        RequestRole::Organization => Purpose::Organization,
        RequestRole::Credential => Purpose::Credential,
        RequestRole::File => Purpose::File,
        RequestRole::Integration => Purpose::Party(Party::Integration),
        RequestRole::ConsumerSystem => Purpose::Party(Party::ConsumerSystem),
        RequestRole::ProviderOrganization => Purpose::Party(Party::ProviderOrganization),
        RequestRole::ProviderSystem => Purpose::Party(Party::ProviderSystem),
        RequestRole::Expect(expected) => match parse_name(&expected.otherwise) {
            Some((kind, Some(code))) => {
                Purpose::Expect { value: expected.value.clone(), kind, code: code.to_owned() }
            }
            _ => {
                let spot = &mut spot.key("request.expect.otherwise");
                spot.problem("must be a fault as `Kind/code`");
                return None;
            }
        },
    };
    if !matches!(request, Purpose::Ignored) && !format.required {
        spot.problem("a field that is read for something must be `required: true`");
    }
    let reply = match &format.reply {
        ReplyRole::Blank => Content::Blank,
        ReplyRole::Echo => Content::Echo,
        ReplyRole::Received => Content::Received,
        ReplyRole::Sent => Content::Sent,
        ReplyRole::ResultCode => Content::ResultCode,
        ReplyRole::ResultName => Content::ResultName,
        ReplyRole::ResultMessage => Content::ResultMessage,
        ReplyRole::Constant(text) => Content::Constant(text.clone()),
    };
    Some(Role { request, reply })
}
