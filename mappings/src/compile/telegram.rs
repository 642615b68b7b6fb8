//! The telegram front: its framing, the widths of its messages, and what the gateway answers by
//! itself.

use std::sync::Arc;

use gateway_core::framing::{Framing, Mark};

use super::fixed::Conventions;
use super::{Scope, front, header, integrations};
use crate::catalog::FrontEntry;
use crate::charset::Charset;
use crate::convert::Codec;
use crate::format::{HeaderFormat, MappingFile, Row, TelegramLayout};
use crate::front::{KeepAlive, KeepAliveAnswer, Replies, TelegramFront};
use crate::header::{Content, Header, Purpose};
use crate::layout::fixed::{Fixed, FixedKind};
use crate::operations::{Operation, Operations};
use crate::problem::Spot;
use crate::rows::{Form, Rows};

pub(crate) fn compile(
    id: Arc<str>,
    file: &MappingFile,
    layout: &TelegramLayout,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<FrontEntry> {
    let conventions = Conventions::from(layout);
    let shape_of = |format: &HeaderFormat, codec: &Codec, spot: &mut Spot<'_>| {
        let shape = conventions.field(&header::as_row(format), codec, spot)?;
        Some(Fixed { cut: format.cut, ..shape })
    };
    let key = &mut spot.key("layout.telegram");
    let header = header::compile(file, &layout.header, scope.zone, shape_of, key);
    integrations::unused(&header, key);
    if header.rows.width() != layout.header_length {
        let message = format_args!("the fields of the header add up to {}", header.rows.width());
        key.key("header-length").problem(message);
    }
    let field =
        |row: &Row, codec: &Codec, spot: &mut Spot<'_>| conventions.body_field(row, codec, spot);
    let operations = front::operations(file, &header.rows, scope, &field, true, spot);
    let replies = front::replies(file, spot)?;
    check_reply_header(&header, &replies, &mut spot.key("layout.telegram.header"));
    let keep_alive = keep_alive(layout, &header, &operations, &mut spot.key("layout.telegram"));
    check_multiplexing(layout, &header, &mut spot.key("layout.telegram"));
    let framing = framing(layout, &header, &operations, &mut spot.key("layout.telegram"))?;
    Some(FrontEntry::Telegram(Arc::new(TelegramFront {
        id,
        framing,
        header,
        operations: Operations::new(operations),
        replies,
        // A receipt is ASCII, whatever the fields around it are.
        receipt: Fixed::new(FixedKind::Ascii, layout.receipt_length),
        multiplexed: layout.multiplexed_by.is_some(),
        keep_alive,
    })))
}

/// What a reply's header always says must fit its fields, so that a refusal can always be written.
fn check_reply_header(header: &Header<Fixed>, replies: &Replies, spot: &mut Spot<'_>) {
    for (index, (row, role)) in header.rows.0.iter().zip(&header.roles).enumerate() {
        let texts: Vec<&str> = match &role.reply {
            Content::Constant(text) => vec![text],
            Content::ResultCode => replies.codes().collect(),
            Content::Received | Content::Sent => {
                spot.entry(index).problem("times are written in XML headers only");
                continue;
            }
            Content::Blank | Content::Echo | Content::ResultName | Content::ResultMessage => {
                continue;
            }
        };
        let Form::Value { shape, .. } = &row.form else {
            continue;
        };
        for text in texts {
            if let Err(why) = shape.write(Some(text), &mut Vec::new()) {
                let message = format_args!("the field cannot hold `{text}`: it {why}");
                spot.entry(index).problem(message);
            }
        }
    }
}

/// Every message must be one that the framing can carry.
fn framing(
    layout: &TelegramLayout,
    header: &Header<Fixed>,
    operations: &[Operation<Fixed>],
    spot: &mut Spot<'_>,
) -> Option<Framing> {
    let framing = match layout.framing.check() {
        Ok(framing) => framing,
        Err(problems) => {
            let spot = &mut spot.key("framing");
            for problem in problems {
                match problem.key {
                    "" => spot.problem(problem.message),
                    key => spot.key(key).problem(problem.message),
                }
            }
            return None;
        }
    };
    check_bytes(layout, &framing, header, operations, spot);
    for operation in operations {
        let around = header.rows.width().saturating_add(layout.receipt_length);
        let reply = around.saturating_add(operation.reply.width());
        if reply > framing.largest() {
            let message = format_args!(
                "the reply of `{}` has {reply} bytes, and {} can be said",
                operation.name,
                framing.largest(),
            );
            spot.key("framing").problem(message);
        }
        let request = header.rows.width().saturating_add(operation.request.width());
        if request > framing.max {
            let message = format_args!("the request of `{}` has {request} bytes", operation.name);
            spot.key("framing.max").problem(message);
        }
    }
    Some(framing)
}

/// Whether the bytes that frame telegrams may also occur in them.
fn check_bytes(
    layout: &TelegramLayout,
    framing: &Framing,
    header: &Header<Fixed>,
    operations: &[Operation<Fixed>],
    spot: &mut Spot<'_>,
) {
    if framing.is_transparent() {
        return;
    }
    let mut bodies = operations.iter().flat_map(|operation| [&operation.request, &operation.reply]);
    if header.rows.is_opaque() || bodies.any(Rows::is_opaque) {
        let message = "packed and binary numbers may hold the bytes that frame the telegram";
        spot.key("framing").problem(message);
    }
    let is_line = matches!(framing.mark, Mark::Newline { .. });
    if is_line && Charset::from(layout.encoding).is_ebcdic() {
        spot.key("framing.newline").problem("EBCDIC has no line feed that ends a telegram");
    }
}

/// Which transaction codes the gateway answers by itself, and how.
fn keep_alive(
    layout: &TelegramLayout,
    header: &Header<Fixed>,
    operations: &[Operation<Fixed>],
    spot: &mut Spot<'_>,
) -> KeepAlive {
    let spot = &mut spot.key("keep-alive");
    if layout.keep_alive.is_empty() {
        return KeepAlive::default();
    }
    let names_operation = |role: &crate::header::Role| matches!(role.request, Purpose::Operation);
    let Some(field) = header.roles.iter().position(names_operation) else {
        spot.problem("no header field has `request: operation`");
        return KeepAlive::default();
    };
    let mut answers = std::collections::BTreeMap::new();
    for (code, format) in &layout.keep_alive {
        let spot = &mut spot.key(code);
        if operations.iter().any(|operation| *operation.name == **code) {
            spot.problem("is an operation as well");
        }
        let mut fields = Vec::new();
        for (name, text) in &format.reply {
            match header.rows.position(name) {
                Some(at) => {
                    check_text(header, at, text, &mut spot.key("reply").key(name));
                    fields.push((at, text.clone()));
                }
                None => spot.key("reply").problem(format_args!("the header has no `{name}`")),
            }
        }
        let answer = KeepAliveAnswer { header: fields, echo_body: format.echo_body };
        answers.insert(code.clone(), answer);
    }
    KeepAlive { field, answers }
}

/// Whether a field of the header can hold a text.
fn check_text(header: &Header<Fixed>, at: usize, text: &str, spot: &mut Spot<'_>) {
    if let Some(Form::Value { shape, .. }) = header.rows.0.get(at).map(|row| &row.form)
        && let Err(why) = shape.write(Some(text), &mut Vec::new())
    {
        spot.problem(format_args!("the field cannot hold `{text}`: it {why}"));
    }
}

/// A reply is known by a field that every request has and every reply repeats.
fn check_multiplexing(layout: &TelegramLayout, header: &Header<Fixed>, spot: &mut Spot<'_>) {
    let Some(name) = &layout.multiplexed_by else {
        return;
    };
    let at = header.rows.position(name);
    let row = at.and_then(|at| header.rows.0.get(at));
    let role = at.and_then(|at| header.roles.get(at));
    let echoed = role.is_some_and(|role| matches!(role.reply, Content::Echo));
    if !echoed || !row.is_some_and(|row| row.required) {
        let message = "must be a header field with `required: true` and `reply: echo`";
        spot.key("multiplexed-by").problem(message);
    }
}
