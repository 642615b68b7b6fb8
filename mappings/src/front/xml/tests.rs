//! Keys in a header, and replies without anything around their fields. What the catalog's own mapping
//! does is in its cases.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gateway_core::{Envelope, Evidence, ExchangeId, Pseudonym, Pseudonymize, Value};
use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::{Catalog, FrontEntry};

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

/// The catalog's mapping with these edits.
fn front(edits: &[(&str, &str)]) -> Arc<XmlFront> {
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog/welfare");
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("welfare/open-data/v1");
    fs::create_dir_all(&folder).unwrap();
    for name in ["purposes.yaml", "services.yaml"] {
        fs::copy(catalog.join(name), root.path().join("welfare").join(name)).unwrap();
    }
    let mut text = fs::read_to_string(catalog.join("open-data/v1/mapping.yaml")).unwrap();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    fs::write(folder.join("mapping.yaml"), text).unwrap();
    let catalog = Catalog::load(root.path(), Arc::new(Nobody));
    let catalog = catalog.unwrap_or_else(|problems| panic!("{problems:?}"));
    match catalog.front("welfare/open-data/v1") {
        Some(FrontEntry::Xml(front)) => front.clone(),
        _ => panic!("not a front of plain XML"),
    }
}

const GRANT: &str = "<benefitGrant><requestNumber>1</requestNumber>\
    <residentNumber>9001011234567</residentNumber><name>홍길동</name>\
    <programmeCode>HSG</programmeCode><startDate>20260101</startDate><endDate>20261231</endDate>\
    <monthlyAmount>1</monthlyAmount></benefitGrant>";

fn inbound(front: &Arc<XmlFront>, headers: &[(&str, &str)]) -> Inbound {
    let path = [(":path", "/xml/welfare/benefitGrant")];
    let attributes = path.iter().chain(headers);
    let attributes: BTreeMap<String, String> =
        attributes.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Inbound {
        id: ExchangeId(Uuid::nil()),
        front: front.clone(),
        evidence: Evidence::default(),
        attributes,
        body: GRANT.into(),
        received: Timestamp::UNIX_EPOCH,
        deadline: None,
    }
}

fn decoded(front: &Arc<XmlFront>, headers: &[(&str, &str)]) -> Result<Envelope, Fault> {
    front.decode(&inbound(front, headers))
}

#[test]
fn the_key_stands_in_the_header_where_the_mapping_says_so() {
    let front = front(&[
        ("credential: serviceKey", "key-max: 8"),
        ("idempotency-key: [requestNumber]", ""),
    ]);
    let key = |headers: &[(&str, &str)]| {
        decoded(&front, headers).map(|envelope| envelope.idempotency_key)
    };
    assert_eq!(key(&[("idempotency-key", "\"k-1\"")]).unwrap().as_deref(), Some("k-1"));
    assert_eq!(key(&[]).unwrap(), None, "the service is refused without one later");
    for bad in ["k-1", "\"\"", "\"123456789\"", "\"k"] {
        let fault = key(&[("idempotency-key", bad)]).unwrap_err();
        assert_eq!(fault.code, "idempotency-key-invalid", "{bad}");
    }
    // Without a credential in the layout the parameter is one that nobody knows.
    let fault = decoded(&front, &[(":query", "serviceKey=a")]).unwrap_err();
    assert_eq!(fault.code, "field-unknown");
}

#[test]
fn a_reply_may_have_nothing_around_its_fields() {
    let front = front(&[
        ("      root: response\n      header-element: header\n", ""),
        ("      body-element: body\n", ""),
    ]);
    let inbound = inbound(&front, &[]);
    let envelope = Arc::new(front.decode(&inbound).unwrap());
    let exchange = Exchange {
        id: inbound.id,
        inbound: &inbound,
        envelope: Some(&envelope),
        quota: &[],
        now: Timestamp::UNIX_EPOCH,
    };
    let answer = Message::from_iter([("benefit", Value::Bytes(vec![7; 32]))]);
    let written = front.encode(&exchange, &answer).unwrap().body;
    let written = String::from_utf8(written).unwrap();
    let wanted = format!(
        "<benefitGrantResponse><resultCode>00</resultCode><resultMsg>NORMAL SERVICE.</resultMsg>\
         <benefitId>{}</benefitId></benefitGrantResponse>",
        "07".repeat(32)
    );
    assert!(written.ends_with(&wanted), "{written}");
    let fault = Fault::new(Kind::BackendRefused, "taken", "no \u{1} & never");
    let refused = String::from_utf8(front.refuse(&exchange, &fault).body).unwrap();
    let wanted = "<benefitGrantResponse><resultCode>01</resultCode>\
         <resultMsg>no  &amp; never</resultMsg></benefitGrantResponse>";
    assert!(refused.ends_with(wanted), "{refused}");
}
