//! Bad input over the real wires: a clear error in the caller's own format, a receipt because it is
//! journaled, and nothing changed on the ledger.

use integration_tests::start;
use reqwest::{Client, StatusCode};
use sandbox::callers::city_a::{Telegram, TelegramReply};
use sandbox::callers::ministry::envelope;
use sandbox::people::{Benefit, HONG, Programme};
use sandbox::world::World;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const BENEFIT: Benefit = Benefit {
    person: HONG,
    programme: Programme::YouthRent,
    from: "2026-01-01",
    to: "2026-12-31",
    monthly_amount: 200_000,
};

async fn transactions(world: &World) -> Value {
    let latest = world.rpc().call("eth_blockNumber", json!([]));
    latest.await.unwrap()
}

/// The `resultCode` or fault code, and whether there is a receipt.
async fn soap(world: &World, body: Vec<u8>) -> (StatusCode, String, bool) {
    let response = Client::new()
        .post(format!("{}/soap/welfare", world.http_url()))
        .header("x-api-key", world.api_keys().mohw.expose())
        .header("content-type", "text/xml; charset=utf-8")
        .body(body)
        .send()
        .await
        .unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    let between = |open: &str| {
        let start = text.find(open)? + open.len();
        Some(text[start..start + text[start..].find('<')?].to_owned())
    };
    let code = text.find("resultCode>").and_then(|_| between("resultCode>")).unwrap_or_default();
    (status, code, text.contains("urn:naru:evidence:v1"))
}

fn overlap_check() -> String {
    let fields = [
        ("residentNumber", HONG.resident_number.to_owned()),
        ("groupCode", "HOU".to_owned()),
        ("startDate", "2026-01-01".to_owned()),
        ("endDate", "2026-12-31".to_owned()),
    ];
    envelope("overlapCheck", &fields)
}

#[tokio::test(flavor = "multi_thread")]
async fn soap_answers_bad_input_with_its_own_codes() {
    let (world, _folder) = start(None).await;
    let before = transactions(&world).await;
    let good = overlap_check();
    let (status, code, receipt) = soap(&world, good.clone().into_bytes()).await;
    assert_eq!((status.as_u16(), code.as_str(), receipt), (200, "0000", true));

    let doctype = |inner: &str| good.replacen("?>", &format!("?><!DOCTYPE x [{inner}]>"), 1);
    let bomb = r#"<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">"#;
    let header = good.find("<soapenv:Header>").unwrap()..good.find("<soapenv:Body>").unwrap();
    let deep = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
    let mut headless = good.clone();
    headless.replace_range(header, "");
    let mut not_utf8 = good.clone().into_bytes();
    let at = good.find("HOU").unwrap();
    not_utf8[at] = 0xff;
    for (name, body, wanted) in [
        ("empty", Vec::new(), "3001"),
        ("not XML", b"hello".to_vec(), "3001"),
        ("cut off", good.as_bytes()[..good.len() / 2].to_vec(), "3001"),
        ("a tag not closed", good.replace("</w:overlapCheck>", "").into_bytes(), "3001"),
        ("external entity", doctype(r#"<!ENTITY x SYSTEM "file:///etc/passwd">"#).into(), "3001"),
        ("entity bomb", doctype(bomb).into_bytes(), "3001"),
        ("not UTF-8", not_utf8, "3001"),
        ("nested without end", good.replace("HOU", &deep).into_bytes(), "3001"),
        ("no header", headless.into_bytes(), "3002"),
        ("unknown operation", good.replace("overlapCheck", "overlapCheque").into_bytes(), "1005"),
        ("unknown code", good.replace("HOU", "XXX").into_bytes(), "2000"),
        ("bad date", good.replace("2026-01-01", "2026-13-01").into_bytes(), "3001"),
        ("another consumer", good.replace("MOHW0001", "CITYA001").into_bytes(), "1003"),
        ("another provider", good.replace("NARU0001", "OTHER001").into_bytes(), "1004"),
    ] {
        let (_, code, receipt) = soap(&world, body).await;
        assert_eq!((code.as_str(), receipt), (wanted, true), "{name}");
    }
    let twelve = "http://www.w3.org/2003/05/soap-envelope";
    let twelve = good.replace("http://schemas.xmlsoap.org/soap/envelope/", twelve);
    let (status, _, receipt) = soap(&world, twelve.into_bytes()).await;
    assert_eq!((status.as_u16(), receipt), (500, true), "SOAP 1.2 gets a VersionMismatch fault");
    let (_, code, receipt) = soap(&world, vec![b' '; 2 << 20]).await;
    assert_eq!((code.as_str(), receipt), ("3000", true), "too large");
    assert_eq!(transactions(&world).await, before, "the ledger has not changed");
    world.stop().await.unwrap();
}

async fn rest(world: &World, service: &str, body: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let mut request = Client::new()
        .post(format!("{}/v1/welfare/{service}", world.http_url()))
        .header("x-api-key", world.api_keys().city_a.expose());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.body(body.to_owned()).send().await.unwrap();
    let status = response.status().as_u16();
    let has_receipt = response.headers().contains_key("naru-receipt");
    let body: Value = response.json().await.unwrap();
    assert!(has_receipt, "{status} {body}");
    assert_eq!(body["status"], status, "{body}");
    (status, body["code"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn rest_answers_bad_input_with_problem_json() {
    let (world, _folder) = start(None).await;
    let before = transactions(&world).await;
    let json_type = ("content-type", "application/json");
    let good = json!({
        "residentNumber": HONG.resident_number, "name": HONG.name, "programme": "youth-rent",
        "from": "2026-01-01", "to": "2026-12-31", "monthlyAmount": 200_000,
    });
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed.to_string()
    };
    let key = ("idempotency-key", "\"k\"");
    let twice = good.to_string().replacen('{', r#"{"from":"2025-01-01","#, 1);
    let deep = format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000));
    for (name, body, headers, wanted) in [
        ("not JSON", "{".to_owned(), vec![json_type, key], 400),
        ("nested without end", deep, vec![json_type, key], 400),
        ("a member twice", twice, vec![json_type, key], 400),
        ("unknown member", with("sex", json!("F")), vec![json_type, key], 400),
        ("not a resident", with("residentNumber", json!("123")), vec![json_type, key], 400),
        ("not an integer", with("monthlyAmount", json!(1.5)), vec![json_type, key], 400),
        ("not a programme", with("programme", json!("x")), vec![json_type, key], 422),
        ("another type", good.to_string(), vec![("content-type", "text/plain"), key], 415),
        ("no key", good.to_string(), vec![json_type], 400),
        ("key unquoted", good.to_string(), vec![json_type, ("idempotency-key", "k")], 400),
    ] {
        let (status, code) = rest(&world, "benefitGrant", &body, &headers).await;
        assert_eq!(status, wanted, "{name}: {code}");
    }
    let (status, _) = rest(&world, "noSuchService", "{}", &[json_type]).await;
    assert_eq!(status, 404);
    let huge = with("name", json!("x".repeat(2 << 20)));
    assert_eq!(rest(&world, "benefitGrant", &huge, &[json_type, key]).await.0, 413);
    assert_eq!(transactions(&world).await, before, "the ledger has not changed");

    assert_eq!(grant(&world, &good, "same").await, 200);
    assert_eq!(grant(&world, &good, "same").await, 200, "a repeat has its first answer");
    let mut other = good.clone();
    other["monthlyAmount"] = json!(1);
    assert_eq!(grant(&world, &other, "same").await, 422, "the key of another request");
    world.stop().await.unwrap();
}

async fn grant(world: &World, body: &Value, key: &str) -> u16 {
    let response = Client::new()
        .post(format!("{}/v1/welfare/benefitGrant", world.http_url()))
        .header("x-api-key", world.api_keys().city_a.expose())
        .header("idempotency-key", format!("\"{key}\""))
        .json(body);
    response.send().await.unwrap().status().as_u16()
}

/// Writes `wire`, closes our side, and reads the first reply.
async fn telegram(world: &World, wire: &[u8]) -> TelegramReply {
    let mut stream = TcpStream::connect(("127.0.0.1", world.ports().telegram)).await.unwrap();
    stream.write_all(wire).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).await.unwrap();
    let length: usize = std::str::from_utf8(&length).unwrap().parse().unwrap();
    let mut reply = vec![0; length];
    stream.read_exact(&mut reply).await.unwrap();
    TelegramReply::parse(&reply).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn telegrams_answer_bad_input_with_their_own_codes() {
    let (world, _folder) = start(None).await;
    let before = transactions(&world).await;
    let key = world.api_keys().city_a.expose();
    let good = Telegram::benefit_grant(key, 7, &BENEFIT).unwrap().framed();
    let name = 4 + 176 + 13;
    let change = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let mut short = good.clone();
    short.truncate(100);
    let mut cut_syllable = vec![b' '; 20];
    cut_syllable[19] = 0xb0;
    for (what, wire, wanted) in [
        ("length that is no number", change(0, b"ABCD"), "9001"),
        ("length beyond the limit's digits", change(0, b"9999"), "9001"),
        ("length that is too short", change(0, b"0100"), "9001"),
        ("length that is too long", change(0, b"0400"), "9001"),
        ("cut off in the body", short, "9001"),
        ("cut off in the length", b"01".to_vec(), "9001"),
        ("EUC-KR that does not decode", change(name, &[0xff, 0xff]), "9001"),
        ("a syllable cut at the field's end", change(name, &cut_syllable), "9001"),
        ("letters in a number", change(4 + 176, b"90010112345X7"), "9001"),
        ("unknown transaction", change(4, b"WLF999"), "9401"),
        ("unknown institution", change(4 + 10, b"CITYZ999"), "9102"),
        ("another member's institution", change(4 + 10, b"MOHW0001"), "9102"),
        ("an unknown key", change(4 + 18, b"AAAA"), "9101"),
    ] {
        let reply = telegram(&world, &wire).await;
        assert_eq!(reply.code, wanted, "{what}: {}", reply.message);
        assert!(reply.receipt.is_some(), "{what}: no receipt");
    }
    assert_eq!(transactions(&world).await, before, "the ledger has not changed");
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_file_that_does_not_agree_with_itself_is_refused_whole() {
    let (world, _folder) = start(None).await;
    let before = transactions(&world).await;
    let good = sandbox::callers::city_b::grants("BAD", &[BENEFIT, BENEFIT]).unwrap();
    let good = String::from_utf8(good).unwrap();
    let folder = world.city_b().folder;
    for (name, content) in [
        ("count", good.replace("T,2,", "T,3,").into_bytes()),
        ("total", good.replace("T,2,400000", "T,2,400001").into_bytes()),
        ("no-trailer", good.split_inclusive("\r\n").take(3).collect::<String>().into_bytes()),
        ("no-header", good.split_inclusive("\r\n").skip(1).collect::<String>().into_bytes()),
        ("order", good.replace("D,2,", "D,3,").into_bytes()),
        ("unknown-record", good.replace("D,2,", "X,2,").into_bytes()),
        ("empty", Vec::new()),
        ("not-text", vec![0xff, 0xfe, 0x00, 0x01]),
    ] {
        let file = folder.join(format!("WELFARE_{name}.csv"));
        std::fs::write(file.with_extension("part"), content).unwrap();
        std::fs::rename(file.with_extension("part"), &file).unwrap();
        let result = file.with_extension("result.csv");
        while !result.exists() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let result = std::fs::read_to_string(result).unwrap();
        let refused = result.lines().find(|line| line.starts_with("E,")).unwrap();
        let receipt = refused.rsplit(',').next().unwrap();
        assert!(refused.starts_with("E,9001,") && receipt.len() > 100, "{name}: {result}");
    }
    assert_eq!(transactions(&world).await, before, "nothing of any file was done");
    world.stop().await.unwrap();
}

/// The code, and whether the reply is a refusal of its own.
async fn plain_xml(
    world: &World,
    target: &str,
    document: Option<(&str, Vec<u8>)>,
    key: bool,
) -> (String, bool) {
    let url = format!("{}/xml/welfare/{target}", world.http_url());
    let mut request = match document {
        Some((media_type, body)) => {
            Client::new().post(url).header("content-type", media_type).body(body)
        }
        None => Client::new().get(url),
    };
    if key {
        request = request.header("x-api-key", world.api_keys().city_a.expose());
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{target}");
    assert!(response.headers().contains_key("naru-receipt"), "{target}");
    let bytes = response.bytes().await.unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let code = ["<returnReasonCode>", "<resultCode>"].into_iter().find_map(|open| {
        let (_, rest) = text.split_once(open)?;
        Some(rest.split('<').next().unwrap_or_default().to_owned())
    });
    (code.unwrap_or_default(), text.contains("OpenAPI_ServiceResponse"))
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_xml_answers_bad_input_with_the_codes_of_open_data() {
    let (world, _folder) = start(None).await;
    let before = transactions(&world).await;
    let number = HONG.resident_number;
    let query =
        format!("residentNumber={number}&groupCode=HOU&startDate=20260101&endDate=20261231");
    let key = world.api_keys().city_a.expose();
    let good = format!("overlapCheck?serviceKey={key}&{query}");
    assert_eq!(plain_xml(&world, &good, None, false).await, ("00".to_owned(), false));
    let fields = format!(
        "<residentNumber>{number}</residentNumber><groupCode>HOU</groupCode>\
         <startDate>20260101</startDate><endDate>20261231</endDate>"
    );
    let document = format!("<overlapCheck>{fields}</overlapCheck>");
    let xml = "application/xml";
    let post = |media_type, body: &str| Some((media_type, body.as_bytes().to_vec()));
    let doctype = |inner: &str| format!("<!DOCTYPE x [{inner}]>{document}");
    let bomb = r#"<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">"#;
    let attributes: String = (0..1_000_000).map(|index| format!(" a{index}=''")).collect();
    let declared = format!("<?xml version='1.0' encoding='EUC-KR'?>{document}");
    let not_utf8 = Some((xml, [document.as_bytes(), b"\xff"].concat()));
    for (name, target, body, wanted) in [
        ("no such operation", "overlapCheque".to_owned(), post(xml, &document), "12"),
        ("a way around", "..%2foverlapCheck".to_owned(), post(xml, &document), "12"),
        ("a change by GET", format!("benefitGrant?{query}"), None, "12"),
        ("empty", "overlapCheck".to_owned(), post(xml, ""), "10"),
        ("cut off", "overlapCheck".to_owned(), post(xml, &document[..50]), "10"),
        ("entity bomb", "overlapCheck".to_owned(), post(xml, &doctype(bomb)), "10"),
        (
            "external entity",
            "overlapCheck".to_owned(),
            post(xml, &doctype(r#"<!ENTITY x SYSTEM "file:///etc/passwd">"#)),
            "10",
        ),
        ("nested without end", "overlapCheck".to_owned(), post(xml, &"<a>".repeat(100_000)), "10"),
        (
            "many attributes",
            "overlapCheck".to_owned(),
            post(
                xml,
                &document.replace("<groupCode>", &format!("<groupCode{}>", &attributes[..900_000])),
            ),
            "10",
        ),
        ("too large", "overlapCheck".to_owned(), post(xml, &" ".repeat(2 << 20)), "10"),
        ("not UTF-8", "overlapCheck".to_owned(), not_utf8, "10"),
        (
            "two encodings",
            "overlapCheck".to_owned(),
            post("text/xml; charset=utf-8", &declared),
            "10",
        ),
        ("JSON", "overlapCheck".to_owned(), post("application/json", "{}"), "10"),
        ("no field", "overlapCheck?groupCode=HOU".to_owned(), None, "11"),
        ("an unknown code", format!("overlapCheck?{}", query.replace("HOU", "XXX")), None, "10"),
        (
            "a grant without its number",
            "benefitGrant".to_owned(),
            post(xml, &format!("<benefitGrant>{fields}</benefitGrant>")),
            "10",
        ),
        ("no consent", format!("history?residentNumber={number}&groupCode=HOU"), None, "20"),
    ] {
        let said = plain_xml(&world, &target, body, true).await;
        assert_eq!(said, (wanted.to_owned(), true), "{name}");
    }
    let stranger = format!("overlapCheck?serviceKey=nobody&{query}");
    assert_eq!(plain_xml(&world, &stranger, None, false).await, ("30".to_owned(), true));
    let two = plain_xml(&world, &stranger, None, true).await;
    assert_eq!(
        two,
        ("30".to_owned(), true),
        "a key that is known does not make up for one that is not"
    );

    let url = format!("{}/xml/welfare/benefitGrant?xsd", world.http_url());
    let schema = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert!(schema.contains("<xs:element name=\"benefitGrant\">"), "{schema}");
    let none = reqwest::get(format!("{}/xml/welfare/nothing?xsd", world.http_url())).await.unwrap();
    assert_eq!(none.status(), 404);
    assert_eq!(transactions(&world).await, before, "the ledger has not changed");
    world.stop().await.unwrap();
}
