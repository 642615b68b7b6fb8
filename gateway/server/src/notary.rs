//! Who is asked about the log's checkpoints, as the configuration says, and how they are reached.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gateway_journal::timestamp::LONGEST_RESPONSE;
use gateway_journal::{Authority, NotaryConfig, Post, Published, TimestampConfig};
use reqwest::{Client, Method, Response, StatusCode};
use tokio::runtime::{Builder, Runtime};

use crate::config;
use crate::plan::Check;

/// How long a witness or an authority may take. They are asked in turn, beside the log.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest object of a log: a bundle of 256 entries of 64 KB.
const LARGEST_OBJECT: usize = 256 * (2 + 0xffff);

/// Checks what `[log]` says of them; none when it names nobody.
pub(crate) fn plan(log: &config::Log, base: &Path, check: &mut Check) -> Option<NotaryConfig> {
    let mut witnesses = Vec::new();
    for (index, witness) in log.witness.iter().enumerate() {
        let key = check.one(&format!("log.witness[{index}].key"), witness.key.parse());
        check_url(&format!("log.witness[{index}].url"), &witness.url, check);
        witnesses.extend(key.map(|key| (key, witness.url.clone())));
    }
    let known = log.quorum <= log.witness.len();
    check.that("log.quorum", known, "more than there are [[log.witness]]");
    let timestamps = log.timestamps.as_ref().and_then(|stamps| {
        check_url("log.timestamps.url", &stamps.url, check);
        let every = Duration::from_secs(stamps.every_seconds.get());
        let pem =
            check.one("log.timestamps.authority", std::fs::read(base.join(&stamps.authority)))?;
        let authority = check.one("log.timestamps.authority", Authority::from_pem(&pem))?;
        Some(TimestampConfig { url: stamps.url.clone(), authority, every })
    });
    let anyone = !log.witness.is_empty() || log.timestamps.is_some();
    let wanted = log.quorum > 0 || log.timestamps.is_some();
    check.that(
        "log.stop_after_seconds",
        wanted || log.stop_after_seconds.is_none(),
        "there is nothing to stop for: no quorum and no [log.timestamps]",
    );
    let post = check.one("log", Http::new())?;
    anyone.then(|| NotaryConfig {
        witnesses,
        quorum: log.quorum,
        timestamps,
        stop_after: log.stop_after_seconds.map(Duration::from_secs),
        post: Arc::new(post),
    })
}

fn check_url(at: &str, url: &str, check: &mut Check) {
    let right = reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    check.that(at, right, "an http or https URL is expected");
}

/// HTTP for threads that may wait. No redirects: who is asked is who is configured.
pub(crate) struct Http {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    client: Client,
}

/// A configuration that was only checked is dropped where blocking is not allowed, and a runtime
/// blocks when it is dropped.
impl Drop for Http {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Http {
    pub(crate) fn new() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(PATIENCE)
            .user_agent("naru")
            .build()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime: Some(runtime), client })
    }

    fn ask(
        &self,
        request: reqwest::RequestBuilder,
        longest: usize,
    ) -> Result<(StatusCode, Vec<u8>), String> {
        let runtime = self.runtime.as_ref().ok_or("it is being dropped")?;
        runtime.block_on(async {
            let response = request.send().await.map_err(|error| why(&error))?;
            let status = response.status();
            Ok((status, read(response, longest).await?))
        })
    }
}

/// The body, unless it is longer than what can be right.
async fn read(mut response: Response, longest: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| why(&error))? {
        if body.len() + chunk.len() > longest {
            return Err("the answer is too long".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn why(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

impl Post for Http {
    fn post(&self, url: &str, media_type: &str, body: &[u8]) -> Result<(u16, Vec<u8>), String> {
        let request = self.client.request(Method::POST, url);
        let request = request.header("content-type", media_type).body(body.to_vec());
        let (status, body) = self.ask(request, LONGEST_RESPONSE)?;
        Ok((status.as_u16(), body))
    }
}

/// A log that a web server shows, read by its prefix.
pub(crate) struct Remote {
    http: Http,
    prefix: String,
}

impl Remote {
    pub(crate) fn new(prefix: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self { http: Http::new()?, prefix: prefix.trim_end_matches('/').to_owned() })
    }
}

impl Published for Remote {
    fn get(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let url = format!("{}/{path}", self.prefix);
        let (status, body) = self.http.ask(self.http.client.get(&url), LARGEST_OBJECT)?;
        match status {
            StatusCode::OK => Ok(Some(body)),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            status => Err(format!("{url} answers {status}")),
        }
    }
}
