//! Mistakes in mappings of plain XML.

use super::{finds, finds_after};

const FILE: &str = "open-data/v1/mapping.yaml";

#[test]
fn encodings_and_names() {
    let encodings = "[utf-8, euc-kr]";
    finds(FILE, encodings, "[utf-16]", "layout.xml.encodings", "must be utf-8, euc-kr");
    finds(FILE, encodings, "[utf-8, utf8]", "layout.xml.encodings", "must be utf-8, euc-kr");
    finds(FILE, encodings, "[]", "layout.xml.encodings", "at least one");
    finds(FILE, "service: welfare", "service: a/b", "layout.xml.service", "letters, digits");
    finds(FILE, "body-element: body", "body-element: 1", "layout.xml.reply.body-element", "name");
    finds(
        FILE,
        "root: OpenAPI_ServiceResponse",
        "root: response",
        "operations.history",
        "must have different roots",
    );
    finds(
        FILE,
        "  history:\n",
        "  history:\n    xml: { request: a b }\n",
        "operations.history",
        "`a b`",
    );
    let rest = "rest/v1/mapping.yaml";
    let named = "  history:\n    xml: { request: a }\n";
    finds(rest, "  history:\n", named, "operations.history.xml", "means nothing");
}

#[test]
fn headers_of_replies() {
    let field = "{ name: resultMsg, type: string, reply: result-message }";
    let at = |key: &str| format!("layout.xml.reply.header[1].{key}");
    let repeated = field.replace("result-message", "echo");
    finds(FILE, field, &repeated, &at("reply"), "no header whose fields could be repeated");
    let asked = field.replace("reply:", "required: true, request: operation, reply:");
    finds(FILE, field, &asked, &at("request"), "means nothing");
    finds(FILE, field, &field.replace("resultMsg", "a:b"), &at("name"), "name of an element");
    finds(
        FILE,
        "returnReasonCode, type: string, reply: result-code",
        "returnReasonCode, type: string, reply: blank",
        "layout.xml.refusal.header",
        "no field holds the `result-code`",
    );
    let elsewhere = "city-a/v1/mapping.yaml";
    let at = "layout.telegram.header[8].reply";
    finds(elsewhere, "reply: result-message", "reply: result-name", at, "have no names");
}

#[test]
fn keys_and_methods() {
    let both = "credential: serviceKey\n    key-max: 9";
    finds(FILE, "credential: serviceKey", both, "idempotency-key", "and nothing else");
    finds(FILE, "idempotency-key: [requestNumber]", "", "layout.xml", "is wanted");
    finds(
        FILE,
        "  benefitGrant:\n",
        "  benefitGrant:\n    http: [GET /grant]\n",
        "operations.benefitGrant.http[0]",
        "cannot be called by GET",
    );
    finds_after(
        &[(FILE, "      body-element: body\n", ""), (FILE, "to: overlapYn", "to: \"@overlapYn\"")],
        "operations.overlapCheck.reply[0]",
        "wants a `body-element`",
    );
}
