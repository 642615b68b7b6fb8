use proptest::prelude::*;

use super::{Method, Missed, Resource, Resources, Segment, read_query};
use crate::convert::Codec;
use crate::layout::json::JsonKind;
use crate::rows::{Form, Row, Rows, Wire};

fn resource(line: &str) -> Resource {
    let (method, path) = line.split_once(" /").unwrap();
    let segment = |text: &str| match text.strip_prefix('{') {
        Some(name) => Segment::Field { row: 0, name: name.trim_end_matches('}').into() },
        None => Segment::Literal(text.to_owned()),
    };
    let path = path.split('/').map(segment).collect();
    Resource::new(Method::parse(method).unwrap(), path, line.into())
}

fn resources() -> Resources {
    let lines =
        ["POST /benefits", "GET /benefits/{benefit}", "GET /benefits/open", "DELETE /benefits/{b}"];
    Resources::new(lines.map(resource).into())
}

fn find(method: &str, path: &str) -> Result<(String, Vec<String>), Missed> {
    let resources = resources();
    let found = resources.find(method, path)?;
    let values = found.values.iter().map(|(_, text)| text.clone()).collect();
    Ok((found.resource.operation.to_string(), values))
}

#[test]
fn a_path_is_matched_segment_by_segment() {
    let by = |operation: &str, value: &str| Ok((operation.to_owned(), vec![value.to_owned()]));
    assert_eq!(find("POST", "/benefits"), Ok(("POST /benefits".into(), vec![])));
    assert_eq!(find("GET", "/benefits/7f"), by("GET /benefits/{benefit}", "7f"));
    assert_eq!(find("GET", "/benefits/%EA%B0%80%2F%3F"), by("GET /benefits/{benefit}", "가/?"));
    assert_eq!(find("GET", "/benefits/open"), Ok(("GET /benefits/open".into(), vec![])));
    assert_eq!(find("GET", "/benefits/%6fpen"), Ok(("GET /benefits/open".into(), vec![])));
    assert_eq!(find("DELETE", "/benefits/open"), by("DELETE /benefits/{b}", "open"));
}

/// Each would be another path to a program that decodes or collapses before it matches.
#[test]
fn no_path_is_crossed() {
    for path in [
        "",
        "/",
        "benefits",
        "/benefits/",
        "//benefits",
        "/benefits//7f",
        "/./benefits",
        "/x/../benefits",
        "/benefits/..",
        "/benefits/%2e%2e",
        "/benefits/%2E%2E%2f",
        "/benefits/.%2e",
        "/benefits%2F7f",
        "/benefits%2Fopen",
        "/benefits%00",
        "/benefits/a%0Ab",
        "/benefits/%",
        "/benefits/%zz",
        "/benefits/%ff",
        "/benefits/%c0%ae%c0%ae",
        "/benefits;x=1",
        "/Benefits",
        "/benefits\\..\\x",
    ] {
        let found = find("GET", path);
        let is_data = matches!(&found, Ok((_, values)) if values == &["../"]);
        assert!(found == Err(Missed::Path) || is_data, "{path}: {found:?}");
    }
}

#[test]
fn another_method_is_told_from_another_path() {
    assert_eq!(find("PUT", "/benefits/7f"), Err(Missed::Method));
    assert_eq!(find("get", "/benefits/7f"), Err(Missed::Method));
    assert_eq!(find("PUT", "/benefit"), Err(Missed::Path));
    assert_eq!(resources().allow("/benefits/7f"), "GET, DELETE");
    assert_eq!(resources().allow("/benefit"), "");
}

#[test]
fn what_a_template_is_for() {
    let resource = resource("GET /benefits/{benefit}/end");
    assert_eq!(resource.template(0, true), "/benefits/{benefit}/end");
    assert_eq!(resource.template(1, false), "/*/end");
    assert_eq!(&*resource.endpoint.method, "GET");
    assert_eq!(&*resource.endpoint.path, "/benefits/{benefit}/end");
}

fn rows() -> Rows<JsonKind> {
    let row = |name: &str| Row {
        name: name.into(),
        field: Some(name.into()),
        required: true,
        default: None,
        choice: None,
        when: None,
        loss: None,
        form: Form::Value { codec: Codec::Text { max: 9 }, shape: JsonKind::String },
    };
    Rows::new(vec![row("name"), row("부호")])
}

fn query(query: &str) -> Result<Vec<Option<String>>, String> {
    let record = read_query(&rows(), query).map_err(|error| error.to_string())?;
    let text = |wire| match wire {
        Some(Wire::Text(text)) => Some(text),
        _ => None,
    };
    Ok(record.iter().map(|wire| text(wire.clone()).map(|text| text.into_owned())).collect())
}

#[test]
fn a_query_is_read_by_names() {
    let both = |a: &str, b: &str| Ok(vec![Some(a.to_owned()), Some(b.to_owned())]);
    assert_eq!(query("name=a+b%2Bc%26&%EB%B6%80%ED%98%B8=1=2"), both("a b+c&", "1=2"));
    assert_eq!(query("name"), Ok(vec![Some(String::new()), None]));
    assert_eq!(query("&&"), Ok(vec![None, None]));
    assert!(query("name=1&name=2").unwrap_err().contains("twice"));
    assert!(query("other=1").unwrap_err().contains("does not know"));
    assert!(query("name=%ff").unwrap_err().contains("UTF-8"));
}

proptest! {
    #[test]
    fn any_path_and_query_give_a_result(path in ".*", text in ".*") {
        let _ = find("GET", &path);
        let _ = query(&text);
    }
}
