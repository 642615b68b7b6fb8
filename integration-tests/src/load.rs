//! Load on a world over all of its fronts, every answer of which is looked at: grants that wait for
//! their block, and queries beside them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Client;
use sandbox::callers::Identity;
use sandbox::callers::city_a::{CityA, Telegram};
use sandbox::callers::city_b::{self, CityB};
use sandbox::callers::ministry::Ministry;
use sandbox::people::{BATCH, Benefit, Programme, SAMPLE};
use sandbox::world::World;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Grants by REST that are under way at any time.
const GRANTERS: u64 = 220;
const YEAR: (&str, &str) = ("2026-01-01", "2026-12-31");

/// Callers at work, until they are stopped.
pub struct Load {
    stop: Arc<AtomicBool>,
    callers: JoinSet<(&'static str, u64)>,
}

impl Load {
    /// Starts the callers.
    pub async fn start(world: &World) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut callers = JoinSet::new();
        let rest = Rest::of(world);
        let serial = Arc::new(AtomicU64::new(1));
        for _ in 0..GRANTERS {
            callers.spawn(rest.clone().grant(serial.clone(), stop.clone()));
        }
        callers.spawn(rest.check(stop.clone()));
        for _ in 0..4 {
            let ministry = world.ministry(Identity::Mohw).expect("the ministry's certificate");
            callers.spawn(check_by_soap(ministry, stop.clone()));
            let city = CityA::connect(world.ports().telegram).await.expect("a telegram connection");
            let key = world.api_keys().city_a.expose().to_owned();
            callers.spawn(check_by_telegram(city, key, serial.clone(), stop.clone()));
        }
        callers.spawn(grant_by_file(world.city_b(), stop.clone()));
        Self { stop, callers }
    }

    /// Waits until the gateway has this many exchanges in flight.
    pub async fn in_flight(&self, world: &World, wanted: u64) {
        while metric(world, "naru_exchanges_in_flight").await < wanted {
            assert!(!self.stop.load(Ordering::Relaxed), "a caller was refused");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Lets every caller finish what it has begun, and returns how many answers each kind had.
    ///
    /// # Panics
    /// When any request was refused or not answered.
    pub async fn stop(mut self) -> Vec<(&'static str, u64)> {
        self.stop.store(true, Ordering::Relaxed);
        let mut answered: Vec<(&'static str, u64)> = Vec::new();
        while let Some(caller) = self.callers.join_next().await {
            let (kind, count) = caller.expect("every request was answered as it should be");
            match answered.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, sum)) => *sum += count,
                None => answered.push((kind, count)),
            }
        }
        answered
    }
}

/// Stops the others when a caller fails, so that the test ends at once.
struct Caller {
    stop: Arc<AtomicBool>,
    answered: u64,
}

impl Caller {
    fn new(stop: Arc<AtomicBool>) -> Self {
        Self { stop, answered: 0 }
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

#[derive(Clone)]
struct Rest {
    client: Client,
    base: String,
    key: String,
}

impl Rest {
    fn of(world: &World) -> Self {
        let key = world.api_keys().city_a.expose().to_owned();
        Self { client: Client::new(), base: format!("{}/v1/welfare", world.http_url()), key }
    }

    async fn post(&self, service: &str, key: Option<&str>, body: &Value) -> (u16, Value) {
        let request = self.client.post(format!("{}/{service}", self.base)).json(body);
        let request = request.header("x-api-key", &self.key);
        let request = match key {
            Some(key) => request.header("idempotency-key", format!("\"{key}\"")),
            None => request,
        };
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    async fn grant(self, serial: Arc<AtomicU64>, stop: Arc<AtomicBool>) -> (&'static str, u64) {
        let mut caller = Caller::new(stop);
        while caller.goes_on() {
            let serial = serial.fetch_add(1, Ordering::Relaxed);
            let request = json!({
                "residentNumber": format!("9001{:02}1{serial:06}", 1 + serial % 28),
                "name": "가나다", "programme": "youth-rent", "from": YEAR.0, "to": YEAR.1,
                "monthlyAmount": 200_000,
            });
            let key = format!("load-{serial}");
            let (status, body) = self.post("benefitGrant", Some(&key), &request).await;
            assert_eq!(status, 200, "{body}");
            caller.answered += 1;
        }
        ("grants by REST", caller.answered)
    }

    async fn check(self, stop: Arc<AtomicBool>) -> (&'static str, u64) {
        let mut caller = Caller::new(stop);
        while caller.goes_on() {
            let request = json!({
                "residentNumber": SAMPLE.resident_number, "group": "housing",
                "from": YEAR.0, "to": YEAR.1,
            });
            let (status, body) = self.post("overlapCheck", None, &request).await;
            assert_eq!((status, &body["overlapping"]), (200, &json!(false)), "{body}");
            caller.answered += 1;
        }
        ("checks by REST", caller.answered)
    }
}

async fn check_by_soap(ministry: Ministry, stop: Arc<AtomicBool>) -> (&'static str, u64) {
    let mut caller = Caller::new(stop);
    let fields = [
        ("residentNumber", SAMPLE.hyphenated()),
        ("groupCode", "HOU".to_owned()),
        ("startDate", YEAR.0.to_owned()),
        ("endDate", YEAR.1.to_owned()),
    ];
    while caller.goes_on() {
        let reply = ministry.call("overlapCheck", &fields).await.expect("an answer");
        assert_eq!(reply.code, "0000", "{}", reply.message);
        caller.answered += 1;
    }
    ("checks by SOAP", caller.answered)
}

async fn check_by_telegram(
    mut city: CityA,
    key: String,
    serial: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
) -> (&'static str, u64) {
    let mut caller = Caller::new(stop);
    while caller.goes_on() {
        let serial = serial.fetch_add(1, Ordering::Relaxed).try_into().unwrap_or_default();
        let telegram = Telegram::overlap_check(&key, serial, SAMPLE, "20", YEAR);
        let reply = city.call(&telegram.expect("a telegram")).await.expect("an answer");
        assert_eq!(reply.code, "0000", "{}", reply.message);
        caller.answered += 1;
    }
    ("checks by telegram", caller.answered)
}

async fn grant_by_file(city: CityB, stop: Arc<AtomicBool>) -> (&'static str, u64) {
    let mut caller = Caller::new(stop);
    for file in 0_u32.. {
        let year = 2026 + file;
        let day =
            |month_and_day: &str| -> &'static str { format!("{year}-{month_and_day}").leak() };
        let (from, to) = (day("01-01"), day("12-31"));
        let programme = Programme::ChildAllowance;
        let benefits =
            BATCH.map(|person| Benefit { person, programme, from, to, monthly_amount: 100_000 });
        let id = format!("LOAD{file}");
        let content = city_b::grants(&id, &benefits).expect("a file");
        let result = city.hand_over(&id, &content).await.expect("a result");
        assert_eq!(result.trailer, ["4", "4", "0"], "{:?}", result.lines);
        caller.answered += 4;
        if !caller.goes_on() {
            break;
        }
    }
    ("grants by file", caller.answered)
}

/// City A calls a service by REST: the status and the answer.
pub async fn post(world: &World, service: &str, key: Option<&str>, body: &Value) -> (u16, Value) {
    Rest::of(world).post(service, key, body).await
}

/// Whoever has this API key queries a service by REST: the status and the answer.
pub async fn query_as(world: &World, api_key: &str, service: &str, body: &Value) -> (u16, Value) {
    let rest = Rest { key: api_key.to_owned(), ..Rest::of(world) };
    rest.post(service, None, body).await
}

/// The sum of the metrics whose line begins with `name`, 0 while there is none.
pub async fn metric(world: &World, name: &str) -> u64 {
    let url = format!("{}/metrics", world.admin_url());
    let answer = Client::new().get(url).send().await.expect("the admin listener answers");
    let text = answer.text().await.expect("it is text");
    let lines = text.lines().filter(|line| line.starts_with(name));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}
