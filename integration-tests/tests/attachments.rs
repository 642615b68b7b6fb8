//! Messages with attachments, as MTOM and as SwA have them: what is attached is read as if it stood
//! in the envelope, replies are packaged as their requests were, and what is not whole is refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::{Evidence, ExchangeId, Front, Inbound, Reply, Value};
use integration_tests::echo::Echo;
use integration_tests::root;
use integration_tests::scripted::{NOW, Scripted, passing};
use mappings::Catalog;
use uuid::Uuid;

fn catalog() -> Catalog {
    let scripted = Arc::new(Scripted { fault: None });
    Catalog::load(&root().join("integration-tests/catalogs"), scripted).unwrap()
}

fn inbound(content_type: &str, body: &str) -> Inbound {
    Inbound {
        id: ExchangeId(Uuid::nil()),
        front: catalog().front("styles/wrapped/v1").unwrap().as_front(),
        evidence: Evidence::default(),
        attributes: BTreeMap::from([("content-type".to_owned(), content_type.to_owned())]),
        body: body.replace('\n', "\r\n").into(),
        received: NOW.parse().unwrap(),
    }
}

/// The reply of a provider that answers with what it was asked.
async fn echoed(content_type: &str, body: &str) -> (String, String) {
    let routes = Arc::new(Echo::default()).routes(catalog().services());
    let Reply { headers, body, .. } = passing(routes).handle(inbound(content_type, body)).await;
    let (_, media) = headers.into_iter().find(|(name, _)| *name == "content-type").unwrap();
    (media, String::from_utf8(body.to_vec()).unwrap())
}

const XOP: &str = "multipart/related; boundary=MIME; type=\"application/xop+xml\"; \
                   start=\"<root@x>\"; start-info=\"application/soap+xml\"";

fn xop(fields: &str, parts: &str) -> String {
    format!(
        "--MIME
Content-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"
Content-Transfer-Encoding: 8bit
Content-ID: <root@x>

<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:t=\"http://styles.example/wrapped\"><s:Body><t:echo><t:text>a</t:text>{fields}</t:echo></s:Body></s:Envelope>
{parts}--MIME--
"
    )
}

const INCLUDE: &str = "<t:document><xop:Include xmlns:xop=\"http://www.w3.org/2004/08/xop/include\" href=\"cid:doc%40x\"/></t:document>";
const DOCUMENT: &str = "--MIME
Content-Type: application/octet-stream
Content-Transfer-Encoding: binary
Content-ID: <doc@x>

hello
";

#[test]
fn an_included_attachment_is_read_as_the_element_s_content() {
    let inbound = inbound(XOP, &xop(INCLUDE, DOCUMENT));
    let envelope = inbound.front.decode(&inbound).unwrap();
    assert_eq!(envelope.message.get("document"), Some(&Value::Bytes(b"hello".to_vec())));
}

#[tokio::test]
async fn a_reply_to_mtom_is_packaged_so() {
    let (media, body) = echoed(XOP, &xop(INCLUDE, DOCUMENT)).await;
    assert!(media.starts_with("multipart/related; type=\"application/xop+xml\""), "{media}");
    assert!(body.contains("href=\"cid:1@naru\"/></t:document>"), "{body}");
    assert!(body.contains("Content-ID: <1@naru>\r\n\r\nhello\r\n--"), "{body}");
    // The receipt stands in the root part, whatever stands before it.
    assert!(body.contains("<n:receipt>RECEIPT</n:receipt></soap:Header>"), "{body}");
}

#[tokio::test]
async fn a_reply_to_a_plain_message_is_plain_where_it_can_be() {
    let plain = xop("<t:document>aGVsbG8=</t:document>", "");
    let (_, rest) = plain.split_once("\n\n").unwrap();
    let (envelope, _) = rest.split_once("\n--MIME").unwrap();
    let (media, body) = echoed("application/soap+xml", envelope).await;
    assert_eq!(media, "application/soap+xml; charset=utf-8");
    assert!(body.contains("<t:document>aGVsbG8=</t:document>"), "{body}");
}

#[tokio::test]
async fn a_reference_of_swa_leads_to_its_attachment_both_ways() {
    let content_type = "Multipart/Related; boundary=\"MIME\"; type=\"application/soap+xml\"";
    let message = xop("<t:picture>cid:doc@x</t:picture>", DOCUMENT).replace(
        "Content-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"",
        "Content-Type: application/soap+xml; charset=UTF-8",
    );
    let (media, body) = echoed(content_type, &message).await;
    assert!(media.starts_with("multipart/related; type=\"application/soap+xml\""), "{media}");
    assert!(body.contains("<t:picture>cid:1@naru</t:picture>"), "{body}");
    assert!(body.contains("Content-ID: <1@naru>\r\n\r\nhello\r\n--"), "{body}");
}

#[test]
fn what_is_not_whole_is_refused() {
    let refused = |content_type: &str, body: &str| {
        let inbound = inbound(content_type, body);
        inbound.front.decode(&inbound).unwrap_err().code.into_owned()
    };
    let good = xop(INCLUDE, DOCUMENT);
    assert_eq!(refused(XOP, &good.replace("cid:doc", "cid:other")), "attachment-missing");
    assert_eq!(refused(XOP, &good.replace(" href=", " ref=")), "attachment-missing");
    assert_eq!(refused(XOP, &xop("", DOCUMENT)), "attachment-unused");
    assert_eq!(refused(XOP, &good.replace("--MIME--", "--MIM")), "malformed-multipart");
    assert_eq!(refused(XOP, &good.replace("<doc@x>", "<root@x>")), "malformed-multipart");
    assert_eq!(refused(XOP, &good.replace("root@x", "toor@x")), "malformed-multipart");
    assert_eq!(refused(&XOP.replace("boundary=MIME; ", ""), &good), "malformed-multipart");
    assert_eq!(refused("multipart/mixed; boundary=MIME", &good), "unsupported-media-type");
    let utf_16 = good.replace("charset=UTF-8", "charset=UTF-16");
    assert_eq!(refused(XOP, &utf_16), "not-utf-8");
    let twice = xop(&format!("{INCLUDE}<t:note>a</t:note>"), DOCUMENT);
    assert_eq!(refused(XOP, &twice), "field-unknown");
    let mixed = good.replace("<xop:Include", "aGk=<xop:Include");
    assert_eq!(refused(XOP, &mixed), "field-unknown");
    let large = good.replace("hello", &"x".repeat(65));
    assert_eq!(refused(XOP, &large), "value-too-long");
}
