//! What the schema of a served WSDL, or of a plain document, accepts is what the gateway reads, and nothing else: libxml2
//! (by lxml) and the field table judge the same messages.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use gateway_core::{Evidence, ExchangeId, Front, Inbound};
use integration_tests::root;
use integration_tests::scripted::{NOW, Scripted};
use mappings::{Catalog, FrontEntry};
use serde_json::{Value, json};
use uuid::Uuid;

/// A front, and its schema under the name by which `schema.py` takes it.
struct Judged {
    front: Arc<dyn Front>,
    path: &'static str,
    schema: Value,
}

fn front(id: &str) -> Judged {
    let scripted = Arc::new(Scripted { fault: None });
    let catalog = Catalog::load(&root().join("integration-tests/catalogs"), scripted).unwrap();
    let (path, schema) = match catalog.front(id) {
        Some(FrontEntry::Soap(front)) => ("", json!({ "wsdl": front.wsdl("http://127.0.0.1/") })),
        Some(FrontEntry::Xml(front)) => ("/xml/plain/echo", json!({ "xsd": front.xsd("echo") })),
        _ => panic!("{id} has no schema"),
    };
    Judged { front: catalog.front(id).unwrap().as_front(), path, schema }
}

/// Why lxml refuses each message; nothing for one it accepts.
fn judged(judged: &Judged, messages: &[String]) -> Vec<Option<String>> {
    let clients = root().join("integration-tests/clients");
    let mut python = Command::new(clients.join(".venv/bin/python"))
        .arg(clients.join("schema.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`make deps` installs it");
    let mut given = judged.schema.clone();
    given["messages"] = json!(messages);
    python.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let verdicts: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    verdicts.iter().map(|verdict| verdict.as_str().map(str::to_owned)).collect()
}

/// Why the gateway refuses a message.
fn read(judged: &Judged, message: &str) -> Option<String> {
    let inbound = Inbound {
        id: ExchangeId(Uuid::nil()),
        front: judged.front.clone(),
        evidence: Evidence::default(),
        attributes: BTreeMap::from([(":path".to_owned(), judged.path.to_owned())]),
        body: message.to_owned().into(),
        received: NOW.parse().unwrap(),
        deadline: None,
    };
    judged.front.decode(&inbound).err().map(|fault| fault.to_string())
}

/// Judges every message by both, and answers with how many were accepted and refused.
fn compare(front: &Judged, messages: &[String]) -> (usize, usize) {
    let verdicts = judged(front, messages);
    assert_eq!(verdicts.len(), messages.len());
    let mut differing = Vec::new();
    let mut accepted = 0;
    for (message, verdict) in messages.iter().zip(&verdicts) {
        let ours = read(front, message);
        accepted += usize::from(ours.is_none());
        if ours.is_some() != verdict.is_some() {
            differing.push(format!("{message}\n  naru: {ours:?}\n  lxml: {verdict:?}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n\n"));
    (accepted, messages.len() - accepted)
}

const FIELDS: [(&str, &str); 10] = [
    ("t:text", "abc"),
    ("t:name", "홍길동"),
    ("t:count", "5"),
    ("t:flag", "true"),
    ("t:day", "2026-02-28"),
    ("t:compact", "20260228"),
    ("t:hash", "00ff"),
    ("c:colour", "R"),
    ("t:person", "900101-1234567"),
    ("t:document", "aGk="),
];

/// Texts of each field, good and bad.
const TEXTS: [(&str, &[&str]); 10] = [
    (
        "t:text",
        &[
            "",
            "a",
            "abcde",
            "abcdef",
            "가나다라마",
            "가나다라마바",
            "😀😀😀😀😀",
            " a ",
            "a\tb",
            "a\nb",
            "a&#9;b",
            "a&#133;b",
            "a\u{7f}b",
            "a\u{a0}b",
            "&lt;a&gt;",
            "<![CDATA[<a>]]>",
            "a<!-- b -->c",
        ],
    ),
    ("t:name", &["", "홍", "홍길동이", "홍길동이요", "a\tb"]),
    (
        "t:count",
        &[
            "0",
            "-5",
            "-6",
            "100",
            "101",
            "+5",
            "+-5",
            "--5",
            "-0",
            "007",
            " 5 ",
            "\n5\n",
            "5.0",
            "5e0",
            "",
            "٣",
            "1 0",
            "0x1",
            "-",
            "+",
            "99999999999999999999999999999999999999999",
        ],
    ),
    ("t:flag", &["true", "false", "1", "0", "TRUE", "yes", "", " true ", "01"]),
    (
        "t:day",
        &[
            "2026-02-28",
            "2026-02-29",
            "2024-02-29",
            "2026-2-1",
            "0000-01-01",
            "0001-01-01",
            "9999-12-31",
            "-2026-01-01",
            "12026-01-01",
            "2026-01-01Z",
            "2026-01-01+09:00",
            "2026-01-01-14:00",
            "2026-01-01+14:01",
            "2026-01-01+15:00",
            "2026-01-01+09:60",
            "2026-01-01+0900",
            "2026-01-01z",
            "",
            " 2026-01-01 ",
            "2026-13-01",
            "2026-00-10",
            "2026-01-32",
            "2026-01-00",
            "26-01-01",
        ],
    ),
    (
        "t:compact",
        &["20260228", "20261301", "20260132", "2026022", "202602280", "", " 20260228", "2026-2-1"],
    ),
    ("t:hash", &["00ff", "00FF", "0ff", "00ff0", "", "zzzz", " 00ff"]),
    ("c:colour", &["R", "G.1", "GX1", "r", "", " R", "red", "R|G.1"]),
    (
        "t:person",
        &[
            "900101-1234567",
            "9001011234567",
            "901301-1234567",
            "900132-1234567",
            "90010-11234567",
            "",
            "900101--234567",
            "900101-123456７",
            " 9001011234567",
        ],
    ),
    (
        "t:document",
        &[
            "aGk=",
            "aGk",
            "aG k=",
            "aGl=",
            // Not "####": libxml2 passes over what is no base64, which XML Schema does not allow.
            "",
            "aGk=\n",
            "====",
            "YQ==",
            "YR==",
            // 64 bytes, and 65.
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        ],
    ),
];

fn element(name: &str, text: &str) -> String {
    format!("<{name}>{text}</{name}>")
}

fn fields(changed: Option<(&str, &str)>) -> String {
    let text = |name: &str, usual: &str| match changed {
        Some((other, text)) if other == name => text.to_owned(),
        _ => usual.to_owned(),
    };
    FIELDS.iter().map(|(name, usual)| element(name, &text(name, usual))).collect()
}

fn message(attributes: &str, content: &str) -> String {
    format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' \
         xmlns:t='http://styles.example/wrapped' xmlns:c='http://styles.example/common' \
         xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><s:Body>\
         <t:echo{attributes}>{content}</t:echo></s:Body></s:Envelope>"
    )
}

#[test]
fn lxml_and_naru_accept_and_refuse_the_same_texts() {
    let mut messages = Vec::new();
    for (name, texts) in TEXTS {
        messages.extend(texts.iter().map(|text| message("", &fields(Some((name, text))))));
    }
    for note in ["", "abcdefghij", "abcdefghijk", "a\tb", "a&#9;b", "a\nb", "<", "&lt;"] {
        messages.push(message(&format!(" note='{note}'"), &fields(None)));
    }
    for amount in ["", "0", "9", "10", "-1", "+5", " 5 ", "a"] {
        let item = format!("<t:item amount='{amount}'>a</t:item>");
        messages.push(message("", &(fields(None) + &item)));
    }
    let (accepted, refused) = compare(&front("styles/wrapped/v1"), &messages);
    assert!(accepted > 40 && refused > 60, "{accepted} accepted, {refused} refused");
}

#[test]
fn lxml_and_naru_accept_and_refuse_the_same_structures() {
    let text = "<t:text>abc</t:text>";
    let item = |text: &str| format!("<t:item>{text}</t:item>");
    let nil = |name: &str| format!("<{name} xsi:nil='true'/>");
    let all = fields(None);
    let mut contents = vec![
        text.to_owned(),
        String::new(),
        all.clone(),
        all.clone() + &item("a") + &item("b"),
        all.clone() + &item("a") + &item("b") + &item("c"),
        item("a") + &all,
        all.clone() + &item(""),
        all.clone() + &item("abcdef"),
        all.clone() + &item("<t:a/>"),
        all.clone() + "<t:item xsi:nil='true'/>",
        all.clone() + "<t:item other='1'>a</t:item>",
        text.repeat(2),
        format!("{text}<t:count>1</t:count><t:name>a</t:name>"),
        format!("{text}<t:other/>"),
        format!("{text}<other/>"),
        format!("{text}<c:other/>"),
        "<text>abc</text>".to_owned(),
        "<c:text>abc</c:text>".to_owned(),
        "<text xmlns='http://styles.example/wrapped'>abc</text>".to_owned(),
        "<x:text xmlns:x='http://styles.example/wrapped'>abc</x:text>".to_owned(),
        "<t:text xmlns:t='urn:other'>abc</t:text>".to_owned(),
        "<t:text><t:b/></t:text>".to_owned(),
        "<t:text lang='ko'>abc</t:text>".to_owned(),
        "<t:text xml:lang='ko'>abc</t:text>".to_owned(),
        "<t:text xmlns:o='urn:o' o:a='1'>abc</t:text>".to_owned(),
        format!("{text}<t:colour>R</t:colour>"),
        format!("{text}<colour>R</colour>"),
        format!(" {text} "),
        format!("a{text}"),
        format!("<!-- a -->{text}<!-- b -->"),
        format!("{text}<t:name xsi:nil='true'>a</t:name>"),
        format!("{text}<t:name xsi:nil='false'>a</t:name>"),
    ];
    contents.extend(FIELDS.iter().map(|(name, _)| match *name {
        "t:text" => nil("t:text"),
        name => text.to_owned() + &nil(name),
    }));
    contents.extend(FIELDS.iter().map(|(name, usual)| match *name {
        "t:text" => element(name, usual),
        name => text.to_owned() + &element(name, usual),
    }));
    let mut messages: Vec<String> = contents.iter().map(|content| message("", content)).collect();
    for attributes in [" note='a'", " other='a'", " t:note='a'", " xml:lang='ko'", " xsi:other='a'"]
    {
        messages.push(message(attributes, text));
    }
    // Neither validator is asked about attributes of the schema's own machinery.
    messages.retain(|message| !message.contains("xsi:other"));
    let (accepted, refused) = compare(&front("styles/wrapped/v1"), &messages);
    assert!(accepted > 20 && refused > 20, "{accepted} accepted, {refused} refused");
}

#[test]
fn local_elements_of_no_namespace_are_judged_alike() {
    let message = |content: &str| {
        format!(
            "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' \
             xmlns:t='http://styles.example/unqualified'><s:Body><t:echo>{content}</t:echo></s:Body>\
             </s:Envelope>"
        )
    };
    let contents = [
        "<text>a</text>",
        "<t:text>a</t:text>",
        "<text>a</text><count>5</count><item><label>a</label><amount>9</amount></item>",
        "<text>a</text><item><t:label>a</t:label></item>",
        "<text>a</text><t:item><label>a</label></t:item>",
        "<text>a</text><item><amount>9</amount></item>",
        "<text>a</text><item><label>a</label><amount>10</amount></item>",
        "<text xmlns='http://styles.example/unqualified'>a</text>",
        "<text>a</text><colour>red</colour>",
        "<text>a</text><colour>blue</colour>",
    ];
    let messages: Vec<String> = contents.iter().map(|content| message(content)).collect();
    let (accepted, refused) = compare(&front("styles/unqualified/v1"), &messages);
    assert_eq!((accepted, refused), (3, 7));
}

#[test]
fn plain_documents_are_judged_alike() {
    let judged = front("styles/plain/v1");
    let document = |attributes: &str, content: &str| {
        format!(
            "<t:question xmlns:t='http://styles.example/plain'{attributes}>{content}</t:question>"
        )
    };
    let mut messages = Vec::new();
    for (name, texts) in TEXTS.iter().filter(|(name, _)| *name != "c:colour") {
        for text in *texts {
            let fields = fields(Some((name, text)));
            let (before, after) = fields.split_once("<c:colour>").unwrap();
            let (_, after) = after.split_once("</c:colour>").unwrap();
            messages.push(document("", &format!("{before}{after}")));
        }
    }
    let text = "<t:text>abc</t:text>";
    for attributes in ["", " note='a'", " note='abcdefghijk'", " other='a'", " t:note='a'"] {
        messages.push(document(attributes, text));
    }
    for content in ["", "<text>abc</text>", "<t:text/>", "a<t:text>abc</t:text>"] {
        messages.push(document("", content));
    }
    for content in ["<t:more/>", "<t:text>abc</t:text>", "<t:name><t:a/></t:name>"] {
        messages.push(document("", &format!("{text}{content}")));
    }
    messages.push("<question>a</question>".to_owned());
    messages.push(document("", text).replace("question", "other"));
    messages.push(format!("<!-- a -->{}<!-- b -->", document("", text)));
    let (accepted, refused) = compare(&judged, &messages);
    assert!(accepted > 30 && refused > 50, "{accepted} accepted, {refused} refused");
}
