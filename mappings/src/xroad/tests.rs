use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{ClientId, Clients, IdentifierError, ServiceId, rest_request_hash, soap_request_hash};

fn client(path: &str) -> Result<ClientId, IdentifierError> {
    path.parse()
}

#[test]
fn a_client_has_three_or_four_parts() {
    let subsystem = client("KR/GOV/MOHW/portal").unwrap();
    assert_eq!(subsystem.object_type(), "SUBSYSTEM");
    assert_eq!(subsystem.subsystem_code.as_deref(), Some("portal"));
    assert_eq!(client("KR/GOV/MOHW").unwrap().object_type(), "MEMBER");
    let parts = |found| Err(IdentifierError::Parts { wanted: "three or four", found });
    assert_eq!(client("KR/GOV"), parts(2));
    assert_eq!(client("KR/GOV/MOHW/portal/x"), parts(5));
    for empty in ["", "/KR/GOV/MOHW", "KR/GOV/MOHW/", "KR//GOV/MOHW"] {
        assert_eq!(client(empty), Err(IdentifierError::Empty), "{empty}");
    }
}

#[test]
fn an_encoded_slash_is_inside_its_part() {
    let slash = client("KR/GOV/MO%2fHW").unwrap();
    assert_eq!(slash.member_code, "MO/HW");
    assert_ne!(slash, client("KR/GOV/MO/HW").unwrap());
    assert_eq!(slash.to_string(), "KR/GOV/MO%2FHW");
    assert_eq!(client("KR/GOV/%EB%B6%80+%25").unwrap().member_code, "부+%");
}

#[test]
fn no_part_is_a_step_in_a_path() {
    for step in ["..", ".", "%2e%2e", "%2E.", ".%2e"] {
        let path = format!("KR/GOV/{step}");
        assert_eq!(client(&path), Err(IdentifierError::Forbidden), "{step}");
        assert!(ServiceId::from_path(&format!("KR/GOV/M/S/{step}")).is_err(), "{step}");
    }
    assert_eq!(client("KR/GOV/a%00b"), Err(IdentifierError::Forbidden));
    assert_eq!(client("KR/GOV/a%E2%80%8Bb"), Err(IdentifierError::Forbidden));
    for encoding in ["KR/GOV/%", "KR/GOV/%2", "KR/GOV/%zz", "KR/GOV/%FF", "KR/GOV/%+1"] {
        assert_eq!(client(encoding), Err(IdentifierError::Encoding), "{encoding}");
    }
    let long = format!("KR/GOV/{}", "a".repeat(256));
    assert_eq!(client(&long), Err(IdentifierError::TooLong { max: 255 }));
}

#[test]
fn a_service_is_followed_by_a_path_of_its_own() {
    let (service, rest) = ServiceId::from_path("KR/GOV/MOHW/welfare/over%2Flap/v1/a%2Fb").unwrap();
    assert_eq!(service.service_code, "over/lap");
    assert_eq!(service.provider, client("KR/GOV/MOHW/welfare").unwrap());
    assert_eq!(rest, "/v1/a%2Fb");
    assert_eq!(service.to_string(), "KR/GOV/MOHW/welfare/over%2Flap");
    assert_eq!(ServiceId::from_path("KR/GOV/MOHW/welfare/check").unwrap().1, "");
    assert_eq!(ServiceId::from_path("KR/GOV/MOHW/welfare/check/").unwrap().1, "/");
    let few = ServiceId::from_path("KR/GOV/MOHW/welfare");
    assert_eq!(few, Err(IdentifierError::Parts { wanted: "five", found: 4 }));
}

#[test]
fn clients_are_found_by_their_decoded_parts() {
    let organizations = BTreeMap::from([
        ("KR/GOV/MOHW/portal".to_owned(), "portal".to_owned()),
        ("KR".to_owned(), "nobody".to_owned()),
    ]);
    let (clients, refused) = Clients::new(&organizations);
    assert_eq!(refused.len(), 1);
    assert_eq!(clients.member(&client("KR/GO%56/MOHW/%70ortal").unwrap()), Some("portal"));
    assert_eq!(clients.member(&client("KR/GOV/MOHW").unwrap()), None);
    assert_eq!(clients.iter().count(), 1);
}

const HEAD: &str =
    "EMRsigwhURgbycFH4YzD2lYEhWYwnUok7RXpt/jM57UlUbXtPkId3RARljCVUsQ2hP4gx8Tq4Ee/DP//qnEhYw==";
const HEAD_AND_BODY: &str =
    "6HChte3YppppwCysdX+5aqYyKmBTF3wILtYF3Sit8UdZO6odH5+t2Y4fGcsraKgOefgtILRXVPncQ3lyyvTLIg==";

/// Values computed with OpenSSL: `openssl dgst -sha512 -binary | base64`.
#[test]
fn the_request_hash_covers_head_and_body() {
    assert_eq!(rest_request_hash(b"head", b""), HEAD);
    assert_eq!(rest_request_hash(b"head", b"body"), HEAD_AND_BODY);
    assert_eq!(soap_request_hash(b"head"), HEAD);
}

proptest! {
    #[test]
    fn any_path_gives_an_identifier_or_a_reason(path in ".*") {
        let _ = client(&path);
        let _ = ServiceId::from_path(&path);
    }

    #[test]
    fn an_identifier_is_read_back_from_its_path(parts in prop::collection::vec("[^\\p{C}.][^\\p{C}]{0,20}", 3..5)) {
        let id = ClientId::from_parts(parts).unwrap();
        prop_assert_eq!(client(&id.to_string()).unwrap(), id);
    }
}
