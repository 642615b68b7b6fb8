//! An office that reads registers and takes consents on paper: REST and JSON with an API key.
//! Written from `mappings/catalog/population/rest/v1/README.md` and `docs/consent.md`.

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

use super::CallError;
use crate::people::Person;

/// An office's client of the gateway.
#[derive(Clone, Debug)]
pub struct Office {
    client: Client,
    base: String,
    key: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct OfficeReply {
    /// HTTP status.
    pub status: u16,
    /// `Naru-Exchange`.
    pub exchange: Option<String>,
    /// `Naru-Receipt`.
    pub receipt: Option<String>,
    /// The JSON body; null when there is none.
    pub body: Value,
}

impl OfficeReply {
    async fn read(response: Response) -> Result<Self, CallError> {
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().ok()?.to_owned())
        };
        let (exchange, receipt) = (header("naru-exchange"), header("naru-receipt"));
        let status = response.status().as_u16();
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
        Ok(Self { status, exchange, receipt, body })
    }

    /// A text member of the body.
    pub fn text(&self, member: &str) -> &str {
        self.body.get(member).and_then(Value::as_str).unwrap_or_default()
    }
}

impl Office {
    /// A client of the gateway at `base` that holds this key.
    pub fn new(client: Client, base: String, key: &str) -> Self {
        let key = key.to_owned();
        Self { client, base, key }
    }

    /// Hands in a paper on which a person lets `recipient` have some items of the resident register
    /// until the end of 2099.
    ///
    /// # Errors
    /// When no reply comes.
    pub async fn take_consent(
        &self,
        person: Person,
        recipient: &str,
        items: &[&str],
    ) -> Result<OfficeReply, CallError> {
        let consent = json!({
            "sector": "population",
            "resident": person.resident_number,
            "recipient": recipient,
            "purpose": "administrative-information",
            "items": items,
            "valid_until": "2099-12-31T00:00:00Z",
            "evidence": "paper 2026-0001",
        });
        self.send(self.client.post(format!("{}/consents", self.base)).json(&consent)).await
    }

    /// The receipt that the person keeps.
    ///
    /// # Errors
    /// When no reply comes.
    pub async fn consent_receipt(&self, id: &str) -> Result<OfficeReply, CallError> {
        self.send(self.client.get(format!("{}/consents/{id}/receipt", self.base))).await
    }

    /// Hands in a paper on which the person withdraws.
    ///
    /// # Errors
    /// When no reply comes.
    pub async fn withdraw_consent(&self, id: &str) -> Result<OfficeReply, CallError> {
        let url = format!("{}/consents/{id}/withdraw", self.base);
        self.send(self.client.post(url).json(&json!({ "evidence": "paper 2026-0002" }))).await
    }

    /// Asks the resident register for a person's record, now or when it can be had (RFC 7240).
    ///
    /// # Errors
    /// When no reply comes.
    pub async fn record(&self, person: Person, wait: bool) -> Result<OfficeReply, CallError> {
        let url = format!("{}/v1/population/residentRecord", self.base);
        let request = json!({ "residentNumber": person.resident_number });
        let request = self.client.post(url).json(&request);
        let request = if wait { request } else { request.header("prefer", "respond-async") };
        self.send(request).await
    }

    /// The reply to what was asked before; 202 until there is one.
    ///
    /// # Errors
    /// When no reply comes.
    pub async fn collect(&self, exchange: &str) -> Result<OfficeReply, CallError> {
        self.send(self.client.get(format!("{}/exchanges/{exchange}", self.base))).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<OfficeReply, CallError> {
        OfficeReply::read(request.header("x-api-key", &self.key).send().await?).await
    }
}
