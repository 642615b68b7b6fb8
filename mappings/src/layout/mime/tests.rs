//! What is written reads back; what is not strictly a multipart message is refused.

use proptest::prelude::*;

use super::*;

fn related(boundary: &str) -> MediaType {
    MediaType::parse(&format!("multipart/related; boundary=\"{boundary}\"; type=\"text/xml\""))
        .unwrap()
}

const GOOD: &str = "preamble\r\n--b\r\nContent-Type: text/xml;\r\n charset=utf-8\r\nContent-ID: <a@x>\r\n\r\n<e/>\r\n--b\t\r\nContent-ID: <c@x>\r\nContent-Transfer-Encoding: base64\r\n\r\naGk=\r\n\r\n--b--\r\n";

#[test]
fn parts_are_taken_apart_and_decoded() {
    let mut message = read(&related("b"), GOOD.as_bytes()).unwrap();
    assert_eq!(message.root, b"<e/>");
    assert_eq!(message.root_type.parameter("charset"), Some("utf-8"));
    assert!(!message.attachments.are_used());
    assert_eq!(message.attachments.take("cid:other@x"), None);
    assert_eq!(message.attachments.take("c@x"), None);
    assert_eq!(message.attachments.take("cid:c%40x").as_deref(), Some("aGk="));
    assert!(message.attachments.are_used());
}

#[test]
fn the_start_parameter_chooses_the_root() {
    let media = MediaType::parse("multipart/related; boundary=b; start=\"<c@x>\"").unwrap();
    let swapped = GOOD.replace("Content-Transfer-Encoding: base64\r\n", "");
    assert_eq!(read(&media, swapped.as_bytes()).unwrap().root, b"aGk=\r\n");
    let media = MediaType::parse("multipart/related; boundary=b; start=\"<d@x>\"").unwrap();
    assert_eq!(read(&media, GOOD.as_bytes()).unwrap_err(), MimeError::Start);
}

#[test]
fn what_is_not_strictly_a_message_is_refused() {
    let refused = |text: &str| read(&related("b"), text.as_bytes()).unwrap_err();
    assert_eq!(refused(""), MimeError::Truncated);
    assert_eq!(refused("--b--\r\n"), MimeError::Truncated);
    assert_eq!(refused(&GOOD.replace("--b--", "")), MimeError::Truncated);
    assert_eq!(refused(&format!("{GOOD}more")), MimeError::Truncated);
    assert_eq!(refused(&GOOD.replace("--b\t", "--bc")), MimeError::Boundary);
    assert_eq!(
        refused(
            &GOOD.replace("<c@x>", "<a@x>").replace(
                "<a@x>\r\n\r\n<e/>",
                "<z@x>\r\n\r\n<e/>\r\n--b\r\nContent-ID: <a@x>\r\n\r\n"
            )
        ),
        MimeError::ContentId
    );
    assert_eq!(refused(&GOOD.replace("Content-ID: <c@x>\r\n", "")), MimeError::ContentId);
    assert_eq!(refused(&GOOD.replace(": base64", ": gzip")), MimeError::TransferEncoding);
    assert_eq!(refused(&GOOD.replace("aGk=", "aG=k")), MimeError::TransferEncoding);
    assert_eq!(refused(&GOOD.replace("Content-ID: <a@x>", "Content-ID <a@x>")), MimeError::Header);
    assert_eq!(refused(&GOOD.replace(" charset", "charset")), MimeError::Header);
    let many = "--b\r\n\r\n\r\n".repeat(40) + "--b--";
    assert_eq!(refused(&many), MimeError::TooManyParts);
    for boundary in ["", "a b ", "a\"b", &"a".repeat(71)] {
        let media = MediaType {
            name: "multipart/related".into(),
            parameters: vec![("boundary".into(), boundary.into())],
        };
        assert_eq!(read(&media, GOOD.as_bytes()).unwrap_err(), MimeError::Boundary, "{boundary}");
    }
}

#[test]
fn media_types_are_read_with_their_parameters() {
    let media = MediaType::parse(
        "Application/XOP+xml; Charset=UTF-8; type=\"application/soap+xml; action=\\\"urn:a\\\"\"",
    )
    .unwrap();
    assert_eq!(media.name, "application/xop+xml");
    assert_eq!(media.parameter("charset"), Some("UTF-8"));
    assert_eq!(media.parameter("type"), Some("application/soap+xml; action=\"urn:a\""));
    for bad in
        ["", "text", "text/", "a/b; c", "a/b; c=\"d", "a/b; c=1; C=2", "a/b; c=\"d\" e", "a b/c"]
    {
        assert_eq!(MediaType::parse(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back(root in proptest::collection::vec(any::<u8>(), 0..200), contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..5)) {
        let attachments: Vec<_> = contents.iter().enumerate().map(|(n, content)| (format!("{n}@naru"), "application/octet-stream".to_owned(), content.clone())).collect();
        let (body, at) = write("boundary-0123456789", "text/xml", &root, &attachments);
        prop_assert_eq!(body.get(at..at + root.len()), Some(&root[..]));
        let mut message = read(&related("boundary-0123456789"), &body).unwrap();
        prop_assert_eq!(message.root, &root[..]);
        for (n, content) in contents.iter().enumerate() {
            prop_assert_eq!(message.attachments.take(&format!("cid:{n}@naru")), Some(STANDARD.encode(content)));
        }
        prop_assert!(message.attachments.are_used());
    }

    #[test]
    fn any_bytes_are_taken_apart_or_refused(body in proptest::collection::vec(any::<u8>(), 0..300), text in ".{0,80}") {
        let _ = read(&related("b"), &body);
        let _ = MediaType::parse(&text);
        let mut close = b"--b\r\n".to_vec();
        close.extend(body);
        let _ = read(&related("b"), &close);
    }
}
