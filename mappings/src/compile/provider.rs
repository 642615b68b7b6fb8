//! A provider's mapping, of any format.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::Operation as Does;
use gateway_core::wire::Method;
use jiff::tz::Offset;

use super::backend::REQUEST;
use super::fixed::Conventions;
use super::rows::{Compiler, Direction, Shaper};
use super::soap::namespaces;
use super::{Scope, shape, unused};
use crate::convert::Codec;
use crate::format::{
    CallFormat, ElementFormName, InquiryFormat, JsonProvider, MappingFile, MethodFormat,
    Operation as OperationFormat, ProviderLayout, ResultFormat, Row, SoapProvider, SoapStyle,
    TelegramProvider, XRoadFormat, XmlProvider,
};
use crate::front::soap::Version;
use crate::layout::fixed::Fixed;
use crate::layout::xml::{Locals, XmlKind};
use crate::problem::Spot;
use crate::provider::http::Line;
use crate::provider::json::JsonWire;
use crate::provider::soap::{OwnHeader, SoapWire, XRoad};
use crate::provider::telegram::TelegramWire;
use crate::provider::verdict::Refusals;
use crate::provider::xml::XmlWire;
use crate::provider::{Inquiry, Operated, Provide, Provider, Saying, Wire, special};
use crate::rows::Rows;
use crate::terms::{Field, Fields, Terms, Type};

pub(crate) fn compile(
    id: &str,
    file: &MappingFile,
    layout: &ProviderLayout,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<Arc<dyn Provide>> {
    unused(!file.organizations.is_empty(), "organizations", spot);
    unused(!file.idempotency_key.is_empty(), "idempotency-key", spot);
    unused(file.success.is_some(), "success", spot);
    unused(!file.faults.is_empty(), "faults", spot);
    let parts = Parts { id, file, scope };
    match layout {
        ProviderLayout::Soap(layout) => parts.soap(layout, spot),
        ProviderLayout::Json(layout) => parts.json(layout, spot),
        ProviderLayout::Xml(layout) => parts.xml(layout, spot),
        ProviderLayout::Telegram(layout) => parts.telegram(layout, spot),
    }
}

/// What every format is compiled from.
struct Parts<'s> {
    id: &'s str,
    file: &'s MappingFile,
    scope: &'s Scope<'s>,
}

impl Parts<'_> {
    fn soap(&self, layout: &SoapProvider, spot: &mut Spot<'_>) -> Option<Arc<dyn Provide>> {
        let key = &mut spot.key("layout.provider.soap");
        let Some(version) = Version::parse(layout.version.as_deref().unwrap_or("1.1")) else {
            key.key("version").problem("must be \"1.1\" or \"1.2\"");
            return None;
        };
        let qualified = layout.element_form != Some(ElementFormName::Unqualified);
        let here = qualified && layout.style != SoapStyle::Rpc;
        let has_fields = !layout.header.is_empty() || !layout.reply_header.is_empty();
        if has_fields != layout.header_element.is_some() {
            key.problem("`header-element` and fields of the header belong together");
        }
        let header = layout.header_element.as_ref().map(|element| OwnHeader {
            element: element.clone(),
            request: self.header(&layout.header, &xml_shape, false, &mut key.key("header")),
            reply: self.reply_header(&layout.reply_header, &xml_shape, false, key),
        });
        match (&header, &layout.result) {
            (Some(own), Some(result)) => has(&own.reply, result, key),
            (None, Some(_)) => key.key("result").problem("wants a header with its field"),
            (_, None) => {}
        }
        let x_road = layout.x_road.as_ref().and_then(|format| x_road(format, key));
        let form = layout.element_form.unwrap_or_default();
        let namespaces = namespaces(&layout.namespaces, (&layout.namespace, form), key);
        let wire = SoapWire {
            version,
            namespace: layout.namespace.clone(),
            namespaces,
            locals: Locals { here, below: qualified },
            header,
            x_road,
            result: layout.result.clone(),
        };
        let base = Base { path: &layout.path, methods: &[MethodFormat::Post], default: "" };
        self.prefixes(&layout.namespaces, spot);
        self.provider(wire, &xml_shape, false, &base, spot)
    }

    /// Checks that the prefixes of rows are declared.
    fn prefixes(&self, declared: &BTreeMap<String, String>, spot: &mut Spot<'_>) {
        for (name, operation) in &self.file.operations {
            let spot = &mut spot.key(format_args!("operations.{name}"));
            prefixes(&operation.request, declared, &mut spot.key("request"));
            prefixes(&operation.reply, declared, &mut spot.key("reply"));
        }
    }

    fn json(&self, layout: &JsonProvider, spot: &mut Spot<'_>) -> Option<Arc<dyn Provide>> {
        let key = &mut spot.key("layout.provider.json");
        let wire = JsonWire {
            headers: self.header(&layout.headers, &shape::json, false, &mut key.key("headers")),
            result: layout.result.clone(),
            refusal: layout.refusal.clone(),
        };
        self.provider(wire, &shape::json, false, &Base::HTTP, spot)
    }

    fn xml(&self, layout: &XmlProvider, spot: &mut Spot<'_>) -> Option<Arc<dyn Provide>> {
        let key = &mut spot.key("layout.provider.xml");
        let form = match (layout.namespace.is_some(), layout.element_form) {
            (true, form) => form.unwrap_or_default(),
            (false, form) => {
                unused(form.is_some(), "element-form", key);
                ElementFormName::Unqualified
            }
        };
        let target = layout.namespace.as_deref().unwrap_or_default();
        let wire = XmlWire {
            namespace: layout.namespace.clone(),
            namespaces: namespaces(&layout.namespaces, (target, form), key),
            qualified: form == ElementFormName::Qualified,
            headers: self.header(&layout.headers, &shape::json, false, &mut key.key("headers")),
            result: layout.result.clone(),
        };
        self.prefixes(&layout.namespaces, spot);
        self.provider(wire, &xml_shape, false, &Base::HTTP, spot)
    }

    fn telegram(&self, layout: &TelegramProvider, spot: &mut Spot<'_>) -> Option<Arc<dyn Provide>> {
        let key = &mut spot.key("layout.provider.telegram");
        let conventions = Conventions::default();
        let field =
            |row: &Row, codec: &Codec, spot: &mut Spot<'_>| conventions.field(row, codec, spot);
        let body = |row: &Row, codec: &Codec, spot: &mut Spot<'_>| {
            conventions.body_field(row, codec, spot)
        };
        let wire = TelegramWire {
            header: self.header(&layout.header, &field, true, &mut key.key("header")),
            reply_header: self.reply_header(&layout.reply_header, &field, true, key),
            result: layout.result.clone(),
        };
        for (rows, name) in [(&wire.header, "header"), (&wire.reply_header, "reply-header")] {
            if rows.width() != layout.header_length {
                let message = format_args!("the fields add up to {} bytes", rows.width());
                key.key(name).problem(message);
            }
        }
        has(&wire.reply_header, &layout.result, key);
        if serials(&wire.header) != 1 {
            key.key("header").problem("wants one field from `$serial`");
        }
        let base = Base { path: "", methods: &[], default: "" };
        self.provider(wire, &body, true, &base, spot)
    }

    fn provider<W: Wire + 'static>(
        &self,
        wire: W,
        shape: &Shaper<'_, W::Shape>,
        fixed: bool,
        base: &Base<'_>,
        spot: &mut Spot<'_>,
    ) -> Option<Arc<dyn Provide>> {
        let mut operations = BTreeMap::new();
        for (name, format) in &self.file.operations {
            let spot = &mut spot.key(format_args!("operations.{name}"));
            if let Some(operated) = self.operation(name, format, shape, fixed, base, spot) {
                let code = operated.service.id.code.clone();
                if operations.insert(code, operated).is_some() {
                    spot.problem("another operation of this mapping is the same service");
                }
            }
        }
        Some(Arc::new(Provider {
            id: self.id.to_owned(),
            wire,
            operations,
            refusals: Refusals { listed: self.file.refusals.clone() },
            offset: self.offset(),
        }))
    }

    /// The offset of the times that requests state.
    fn offset(&self) -> Offset {
        self.scope.zone.unwrap_or(Offset::UTC)
    }

    fn operation<S>(
        &self,
        name: &str,
        format: &OperationFormat,
        shape: &Shaper<'_, S>,
        fixed: bool,
        base: &Base<'_>,
        spot: &mut Spot<'_>,
    ) -> Option<Operated<S>> {
        let service = format.service.as_deref().unwrap_or(name);
        let Some(terms) = self.scope.sector.services.get(service) else {
            spot.problem(format_args!("the sector has no service `{service}`"));
            return None;
        };
        let Some(function) = &format.function else {
            spot.key("function").problem("is missing");
            return None;
        };
        let call = format.call.clone().unwrap_or_default();
        let offered = optional(&terms.request).chain(special::fields()).collect();
        let (reply_table, repeated) = self.repeated(&format.reply, terms, spot);
        let promised =
            terms.reply.iter().filter(|(name, _)| !repeated.iter().any(|(_, to)| to == *name));
        let promised = promised.map(|(name, field)| (name.clone(), field.clone())).collect();
        let texts = Texts { function, call: &call, request: &format.request, reply: &reply_table };
        let saying = self.saying(&texts, &offered, &promised, shape, fixed, base, spot)?;
        self.check_submit(terms, &call, &format.request, spot);
        let inquiry = call.inquiry.as_deref();
        let inquiry =
            inquiry.and_then(|format| self.inquiry(format, &promised, shape, fixed, base, spot));
        Some(Operated {
            service: terms.service.clone(),
            saying,
            repeated,
            repeatable: call.repeatable,
            inquiry,
        })
    }

    /// A submit's outcome is kept for repeats of its key, and nothing personal is.
    fn check_submit(&self, terms: &Terms, call: &CallFormat, request: &[Row], spot: &mut Spot<'_>) {
        let is_submit = terms.service.operation == Does::Submit;
        if !is_submit {
            unused(call.repeatable, "call.repeatable", spot);
            unused(call.inquiry.is_some(), "call.inquiry", spot);
            return;
        }
        let sends_key = request
            .iter()
            .any(|row| matches!(row.from.as_deref(), Some(special::KEY | special::SHORT_KEY)));
        if call.repeatable && !sends_key {
            let message =
                "wants a field from `$key` or `$key-short`, by which the provider knows it";
            spot.key("call.repeatable").problem(message);
        }
        for (name, _) in terms.reply.iter().filter(|(_, field)| is_personal(&field.kind)) {
            let message = "is personal, and what a submit answers is kept";
            spot.key(format_args!("reply.{name}")).problem(message);
        }
    }

    fn inquiry<S>(
        &self,
        format: &InquiryFormat,
        promised: &Fields,
        shape: &Shaper<'_, S>,
        fixed: bool,
        base: &Base<'_>,
        spot: &mut Spot<'_>,
    ) -> Option<Inquiry<S>> {
        let spot = &mut spot.key("call.inquiry");
        unused(format.call.repeatable, "call.repeatable", spot);
        unused(format.call.inquiry.is_some(), "call.inquiry", spot);
        let (function, call) = (&format.function, &format.call);
        let texts = Texts { function, call, request: &format.request, reply: &format.reply };
        // Nothing of the request: an inquiry is kept on disk.
        let saying = self.saying(&texts, &special::fields(), promised, shape, fixed, base, spot)?;
        Some(Inquiry { saying, pending: format.pending.clone(), never: format.never.clone() })
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one message, each used once")]
    fn saying<S>(
        &self,
        texts: &Texts<'_>,
        offered: &Fields,
        promised: &Fields,
        shape: &Shaper<'_, S>,
        fixed: bool,
        base: &Base<'_>,
        spot: &mut Spot<'_>,
    ) -> Option<Saying<S>> {
        let Texts { function, call, request, reply } = texts;
        self.check_times(request, &mut spot.key("request"));
        let compiler = |direction| self.compiler(direction, shape, fixed);
        let request = compiler(Direction::Reply).rows(
            &with_constants(request),
            offered,
            &mut spot.key("request"),
        );
        let reply = compiler(Direction::Request).rows(reply, promised, &mut spot.key("reply"));
        let http = line(call, base, &request, &mut spot.key("call"))?;
        Some(Saying {
            function: (*function).clone(),
            answer: call.answer.clone().unwrap_or_else(|| format!("{function}Response")),
            http,
            request,
            reply,
        })
    }

    /// Takes the rows that repeat the request out of a reply's table.
    fn repeated(
        &self,
        table: &[Row],
        terms: &Terms,
        spot: &mut Spot<'_>,
    ) -> (Vec<Row>, Vec<(String, String)>) {
        let (mut rest, mut repeated) = (Vec::new(), Vec::new());
        for (index, row) in table.iter().enumerate() {
            let asked = row.from.as_deref().and_then(|from| from.strip_prefix(REQUEST));
            let (Some(from), Some(to)) = (asked, &row.to) else {
                rest.push(row.clone());
                continue;
            };
            let (theirs, its) = (terms.request.get(from), terms.reply.get(to));
            if !matches!((theirs, its), (Some(theirs), Some(its))
                if theirs.kind.is_like(&its.kind) && (theirs.required || !its.required))
            {
                let spot = &mut spot.key(format_args!("reply[{index}]"));
                spot.key("from").problem("is not a request field of the same type");
            }
            repeated.push((from.to_owned(), to.clone()));
        }
        (rest, repeated)
    }

    /// The header fields of every request: from nothing but what no caller gives.
    fn header<S>(
        &self,
        table: &[Row],
        shape: &Shaper<'_, S>,
        fixed: bool,
        spot: &mut Spot<'_>,
    ) -> Rows<S> {
        self.check_times(table, spot);
        let fields = special::fields();
        let compiler = self.compiler(Direction::Reply, shape, fixed);
        compiler.rows(&with_constants(table), &fields, spot)
    }

    fn reply_header<S>(
        &self,
        table: &[Row],
        shape: &Shaper<'_, S>,
        fixed: bool,
        spot: &mut Spot<'_>,
    ) -> Rows<S> {
        let compiler = self.compiler(Direction::Request, shape, fixed);
        compiler.rows(table, &Fields::new(), &mut spot.key("reply-header"))
    }

    fn compiler<'c, S>(
        &'c self,
        direction: Direction,
        shape: &'c Shaper<'c, S>,
        fixed: bool,
    ) -> Compiler<'c, S> {
        Compiler { direction, scope: self.scope, shape, fixed, within_list: false }
    }

    fn check_times(&self, table: &[Row], spot: &mut Spot<'_>) {
        let states_time =
            |row: &Row| row.from.as_deref().is_some_and(|from| special::TIMES.contains(&from));
        if self.file.zone.is_none() && table.iter().any(states_time) {
            spot.problem("a request that states times wants a `zone`");
        }
    }
}

/// What is written of one message.
struct Texts<'s> {
    function: &'s String,
    call: &'s CallFormat,
    request: &'s [Row],
    reply: &'s [Row],
}

/// How a format goes over HTTP.
struct Base<'s> {
    path: &'s str,
    /// The methods that an operation may name; none where the format decides.
    methods: &'s [MethodFormat],
    default: &'s str,
}

impl Base<'_> {
    const HTTP: Base<'static> = Base {
        path: "",
        methods: &[
            MethodFormat::Get,
            MethodFormat::Post,
            MethodFormat::Put,
            MethodFormat::Patch,
            MethodFormat::Delete,
        ],
        default: "",
    };
}

fn line<S>(
    call: &CallFormat,
    base: &Base<'_>,
    request: &Rows<S>,
    spot: &mut Spot<'_>,
) -> Option<Line> {
    let method = call.method.unwrap_or(MethodFormat::Post);
    if call.method.is_some() && !base.methods.contains(&method) {
        spot.key("method").problem("means nothing in this format");
    }
    let template = call.path.as_deref().unwrap_or(base.default);
    let template = format!("{}{template}", base.path);
    let Some(path) = Line::parse(&template)
        .filter(|_| template.is_empty() || template.starts_with('/') || template.starts_with('?'))
    else {
        spot.key("path").problem("must begin with `/`, in ASCII, fields as `{name}`");
        return None;
    };
    let method = match method {
        MethodFormat::Get => Method::Get,
        MethodFormat::Post => Method::Post,
        MethodFormat::Put => Method::Put,
        MethodFormat::Patch => Method::Patch,
        MethodFormat::Delete => Method::Delete,
    };
    let action = call.action.clone();
    if action
        .as_ref()
        .is_some_and(|action| !action.bytes().all(|byte| matches!(byte, b'!' | b'#'..=b'~')))
    {
        spot.key("action").problem("must be a URI");
    }
    let line = Line { method, path, action };
    for name in line.fields().filter(|name| request.position(name).is_none()) {
        spot.key("path").problem(format_args!("no row gives `{name}`"));
    }
    Some(line)
}

fn x_road(format: &XRoadFormat, spot: &mut Spot<'_>) -> Option<XRoad> {
    let spot = &mut spot.key("x-road");
    let parts = |text: &str, name: &str, spot: &mut Spot<'_>| {
        let parts: Vec<String> = text.split('/').map(str::to_owned).collect();
        if !(3..=4).contains(&parts.len()) || parts.iter().any(String::is_empty) {
            spot.key(name).problem("must be instance/class/member, perhaps with /subsystem");
        }
        parts
    };
    Some(XRoad {
        client: parts(&format.client, "client", spot),
        provider: parts(&format.provider, "provider", spot),
        service_version: format.service_version.clone(),
    })
}

/// Checks that the prefixes of rows are declared.
fn prefixes(table: &[Row], declared: &BTreeMap<String, String>, spot: &mut Spot<'_>) {
    for (index, row) in table.iter().enumerate() {
        let spot = &mut spot.entry(index);
        for name in [&row.from, &row.to].into_iter().flatten() {
            if let Some((prefix, _)) = name.split_once(':')
                && !declared.contains_key(prefix)
            {
                spot.problem(format_args!("`{prefix}` is no prefix of the layout's `namespaces`"));
            }
        }
        let fields = row.fields.as_deref().unwrap_or_default();
        prefixes(fields, declared, &mut spot.key("fields"));
    }
}

/// An XML element; one that states when a request is sent may be a `dateTime`.
fn xml_shape(row: &Row, codec: &Codec, spot: &mut Spot<'_>) -> Option<XmlKind> {
    match (row.kind.as_deref(), codec) {
        (Some("dateTime"), Codec::Text { .. }) => Some(XmlKind::DateTime),
        _ => shape::xml(row, codec, spot),
    }
}

/// A constant is the text of a field that nothing gives.
fn with_constants(table: &[Row]) -> Vec<Row> {
    let constant = |row: &Row| match (&row.from, &row.constant) {
        (None, Some(text)) => Row { default: Some(text.clone()), constant: None, ..row.clone() },
        _ => row.clone(),
    };
    table.iter().map(constant).collect()
}

/// A provider need not be told all that the service is.
fn optional(fields: &Fields) -> impl Iterator<Item = (String, Field)> {
    let free = |field: &Field| Field { required: false, ..field.clone() };
    fields.iter().map(move |(name, field)| (name.clone(), free(field)))
}

fn has<S>(rows: &Rows<S>, result: &ResultFormat, spot: &mut Spot<'_>) {
    if rows.position(&result.field).is_none() {
        spot.key("result.field").problem("is not a field of the answer's header");
    }
    if result.success.is_empty() {
        spot.key("result.success").problem("wants at least one code");
    }
}

fn serials(header: &Rows<Fixed>) -> usize {
    header
        .0
        .iter()
        .filter(|row| row.field.as_ref().is_some_and(|field| field.is(special::SERIAL)))
        .count()
}

fn is_personal(kind: &Type) -> bool {
    match kind {
        Type::Resident(_) | Type::Personal { .. } => true,
        Type::Record { fields } | Type::List { fields, .. } => {
            fields.values().any(|field| is_personal(&field.kind))
        }
        _ => false,
    }
}
