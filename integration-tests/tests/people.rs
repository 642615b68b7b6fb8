//! The page where a person sees, narrows and withdraws what they agreed to.

use std::io::Write;
use std::process::{Command, Stdio};

use integration_tests::{root, start};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response};
use sandbox::people::{HONG, SAMPLE};
use sandbox::world::World;
use serde_json::{Value, json};

/// A browser without scripts: it keeps its cookies and goes where it is sent.
struct Browser {
    client: Client,
    base: String,
    cookies: Vec<String>,
}

impl Browser {
    fn new(world: &World) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { client, base: world.people_url(), cookies: vec![] }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = match path.starts_with("http") {
            true => path.to_owned(),
            false => format!("{}{path}", self.base),
        };
        self.client.request(method, url).header("cookie", self.cookies.join("; "))
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let response = self.request(Method::GET, path).send().await.unwrap();
        is_guarded(&response);
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let form = fields.iter().map(|(name, value)| format!("{name}={value}"));
        let response = self
            .request(Method::POST, path)
            .header("origin", &self.base)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.collect::<Vec<_>>().join("&"))
            .send()
            .await
            .unwrap();
        is_guarded(&response);
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
            self.cookies.push(cookie.split(';').next().unwrap().to_owned());
        }
        response
    }
}

fn is_guarded(response: &Response) {
    let header = |name: &str| response.headers()[name].to_str().unwrap();
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("script"), "{policy}");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-content-type-options"), "nosniff");
}

async fn office(world: &World, path: &str, body: Value) -> (u16, Value) {
    let request = Client::new()
        .post(format!("{}/consents{path}", world.http_url()))
        .header("x-api-key", world.api_keys().city_a.expose());
    let response = request.json(&body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn granted(world: &World, resident: &str) -> String {
    let terms = json!({
        "sector": "welfare",
        "resident": resident,
        "recipient": "mohw",
        "purpose": "welfare-eligibility",
        "items": ["benefit-count", "benefit-details"],
        "valid_until": "2099-01-01T00:00:00Z",
    });
    let (status, done) = office(world, "", terms).await;
    assert_eq!(status, 201, "{done}");
    done["id"].as_str().unwrap().to_owned()
}

async fn link(world: &World, resident: &str) -> String {
    let (status, link) = office(world, "/links", json!({ "resident": resident })).await;
    assert_eq!(status, 201, "{link}");
    link["url"].as_str().unwrap().to_owned()
}

/// Goes in as this person, and answers with the secret of the session's forms.
async fn enter(world: &World, resident: &str) -> (Browser, String) {
    let (mut browser, link) = (Browser::new(world), link(world, resident).await);
    for _ in 0..2 {
        assert_eq!(browser.get(&link).await.0, 200, "looking at a link does not use it up");
    }
    assert_eq!(browser.post(&link, &[]).await.status(), 303);
    let (status, page) = browser.get("/").await;
    assert_eq!(status, 200, "{page}");
    let secret = page.split("name=\"secret\" value=\"").nth(1).unwrap();
    let secret = secret.split('"').next().unwrap().to_owned();
    (browser, secret)
}

async fn history(world: &World) -> (u16, Value) {
    let response = Client::new()
        .post(format!("{}/v1/welfare/history", world.http_url()))
        .header("x-api-key", world.api_keys().mohw.expose())
        .json(&json!({ "residentNumber": HONG.resident_number, "group": "housing" }));
    let response = response.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_narrows_and_withdraws_and_keeps_a_receipt() {
    let (world, _folder) = start(None).await;
    let id = granted(&world, HONG.resident_number).await;
    let (mut browser, secret) = enter(&world, HONG.resident_number).await;
    let (_, page) = browser.get("/").await;
    assert!(page.contains("복지 급여 자격 확인") && page.contains("Ministry of Health"), "{page}");

    let path = format!("/consents/{id}");
    let fields = [("secret", secret.as_str()), ("item", "benefit-count")];
    let narrowed = browser.post(&format!("{path}/narrow"), &fields).await;
    assert_eq!(narrowed.status(), 303);
    let next = narrowed.headers()["location"].to_str().unwrap().to_owned();
    let (_, page) = browser.get(&format!("{next}&lang=en")).await;
    assert!(page.contains("Your consent was narrowed.") && page.contains("You (City A)"), "{page}");
    assert_eq!(history(&world).await, (200, json!({ "count": 0 })));

    // The archive of the log is handed the exchange within a second or so.
    let used = loop {
        let (_, page) = browser.get(&path).await;
        if page.contains("welfare/history") {
            break page;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(used.matches("welfare/history").count(), 1, "{used}");

    let (status, receipt) = browser.get(&format!("{path}/receipt")).await;
    assert_eq!((status, receipt.split('.').count()), (200, 3));
    let (_, keys) = browser.get("/keys.json").await;
    assert!(keys.contains("Ed25519"), "{keys}");

    let withdrawn = browser.post(&format!("{path}/withdraw"), &fields[..1]).await;
    assert_eq!(withdrawn.status(), 303);
    assert_eq!(history(&world).await.1["code"], "consent-withdrawn");
    let (_, page) = browser.get(&path).await;
    assert!(!page.contains("/withdraw\""), "nothing is left to withdraw");
    assert!(!page.contains(HONG.resident_number));
    browser.post("/leave", &fields[..1]).await;
    assert_eq!(browser.get("/").await.0, 401);
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_comes_in_and_no_other_page_can_act() {
    let (world, _folder) = start(None).await;
    let id = granted(&world, HONG.resident_number).await;
    let used = link(&world, HONG.resident_number).await;
    let mut first = Browser::new(&world);
    assert_eq!(first.post(&used, &[]).await.status(), 303);
    assert_eq!(Browser::new(&world).post(&used, &[]).await.status(), 410, "a link works once");
    assert_eq!(Browser::new(&world).get("/").await.0, 401);

    let path = format!("/consents/{id}");
    let (mut other, secret) = enter(&world, SAMPLE.resident_number).await;
    assert_eq!(other.get(&path).await.0, 404, "another person's is not there");
    let secret_of_other = [("secret", secret.as_str())];
    for sub in ["/withdraw", "/narrow"] {
        let refused = other.post(&format!("{path}{sub}"), &secret_of_other).await;
        assert_eq!(refused.status(), 404);
    }
    let (mut own, secret) = enter(&world, HONG.resident_number).await;
    for fields in [&[][..], &secret_of_other] {
        assert_eq!(own.post(&format!("{path}/withdraw"), fields).await.status(), 403);
    }
    let elsewhere = own
        .request(Method::POST, &format!("{path}/withdraw"))
        .header("origin", "https://attacker.example")
        .body(format!("secret={secret}"));
    assert_eq!(elsewhere.send().await.unwrap().status(), 403);
    let empty = own.post(&format!("{path}/narrow"), &[("secret", &secret)]).await;
    assert_eq!(empty.status(), 400, "a consent to nothing is none");
    for wrong in ["/consents/none", "/enter/x/y", "/../etc/passwd"] {
        assert_eq!(own.get(wrong).await.0, 404, "{wrong}");
    }
    assert_eq!(history(&world).await.0, 200, "nothing has changed");

    let mohw = Client::new()
        .post(format!("{}/consents/links", world.http_url()))
        .header("x-api-key", world.api_keys().mohw.expose())
        .json(&json!({ "resident": HONG.resident_number }));
    assert_eq!(mohw.send().await.unwrap().status(), 403, "no office that identifies people");
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_are_usable_without_seeing_them() {
    let (world, _folder) = start(None).await;
    let id = granted(&world, HONG.resident_number).await;
    let outside = Browser::new(&world);
    let mut pages = vec![outside.get("/").await.1, outside.get("/nothing").await.1];
    pages.push(outside.get(&link(&world, HONG.resident_number).await).await.1);
    let (browser, _) = enter(&world, HONG.resident_number).await;
    for language in ["ko", "en"] {
        for path in ["/".to_owned(), format!("/consents/{id}")] {
            let (status, page) = browser.get(&format!("{path}?lang={language}")).await;
            assert_eq!(status, 200);
            assert!(page.contains(&format!("<html lang=\"{language}\">")), "{page}");
            assert!(!page.contains("<script") && !page.contains(" style="), "{page}");
            pages.push(page);
        }
    }
    let mut axe = Command::new("node")
        .arg(root().join("integration-tests/clients/axe.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`make deps` installs Node and its packages");
    axe.stdin.take().unwrap().write_all(json!(pages).to_string().as_bytes()).unwrap();
    let output = axe.wait_with_output().unwrap();
    let found: Vec<String> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found, Vec::<String>::new());
    world.stop().await.unwrap();
}
