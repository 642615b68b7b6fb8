//! The welfare portal: REST and JSON with an API key.
//! Written from `mappings/catalog/welfare/rest/v1/README.md`.

use reqwest::{Client, Response};
use serde_json::Value;

use super::CallError;

/// The portal's client of the gateway.
#[derive(Clone, Debug)]
pub struct Portal {
    client: Client,
    base: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct RestReply {
    /// HTTP status.
    pub status: u16,
    /// `RateLimit`.
    pub rate_limit: Option<String>,
    /// `RateLimit-Policy`.
    pub rate_limit_policy: Option<String>,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// `Naru-Receipt`.
    pub receipt: Option<String>,
    /// The JSON body.
    pub body: Value,
}

impl RestReply {
    async fn read(response: Response) -> Result<Self, CallError> {
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().ok()?.to_owned())
        };
        Ok(Self {
            status: response.status().as_u16(),
            rate_limit: header("ratelimit"),
            rate_limit_policy: header("ratelimit-policy"),
            retry_after: header("retry-after"),
            receipt: header("naru-receipt"),
            body: response.json().await?,
        })
    }

    /// A text member of the body.
    pub fn text(&self, member: &str) -> &str {
        self.body.get(member).and_then(Value::as_str).unwrap_or_default()
    }
}

impl Portal {
    /// A client of the gateway at `base`, e.g. `http://127.0.0.1:18080`.
    pub fn new(client: Client, base: String) -> Self {
        Self { client, base }
    }

    /// Calls a welfare service, with an API key when there is one, and with an idempotency key when
    /// the service changes something.
    ///
    /// # Errors
    /// When no reply comes or it is no JSON.
    pub async fn call(
        &self,
        service: &str,
        request: &Value,
        api_key: Option<&str>,
        idempotency_key: Option<&str>,
    ) -> Result<RestReply, CallError> {
        self.post(&format!("welfare/{service}"), request, api_key, idempotency_key).await
    }

    /// The same for a service of the population registers.
    ///
    /// # Errors
    /// When no reply comes or it is no JSON.
    pub async fn population(
        &self,
        service: &str,
        request: &Value,
        api_key: &str,
        idempotency_key: Option<&str>,
    ) -> Result<RestReply, CallError> {
        let service = format!("population/{service}");
        self.post(&service, request, Some(api_key), idempotency_key).await
    }

    async fn post(
        &self,
        service: &str,
        request: &Value,
        api_key: Option<&str>,
        idempotency_key: Option<&str>,
    ) -> Result<RestReply, CallError> {
        let url = format!("{}/v1/{service}", self.base);
        let mut builder = self.client.post(url).json(request);
        if let Some(key) = api_key {
            builder = builder.header("x-api-key", key);
        }
        if let Some(key) = idempotency_key {
            builder = builder.header("idempotency-key", format!("\"{key}\""));
        }
        RestReply::read(builder.send().await?).await
    }
}
