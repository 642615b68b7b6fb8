//! The operator: the admin API, by which consents are granted and withdrawn for now.

use reqwest::Client;
use serde_json::{Value, json};

use super::CallError;
use crate::people::Person;

/// The operator's client of the admin listener.
#[derive(Clone)]
pub struct Operator {
    client: Client,
    base: String,
    key: String,
}

/// What came back of granting or withdrawing a consent.
#[derive(Clone, Debug)]
pub struct AdminReply {
    /// HTTP status.
    pub status: u16,
    /// The consent's id, when there is one.
    pub id: Option<String>,
    /// The receipt for the act, when there is one.
    pub receipt: Option<String>,
}

impl Operator {
    /// A client of the admin listener at `base` that holds this key.
    pub fn new(client: Client, base: String, key: &str) -> Self {
        let key = key.to_owned();
        Self { client, base, key }
    }

    /// Records that the person lets `recipient` read the welfare history until the end of 2099.
    ///
    /// # Errors
    /// When no reply comes or it is no JSON.
    pub async fn grant_consent(
        &self,
        person: Person,
        recipient: &str,
    ) -> Result<AdminReply, CallError> {
        let consent = json!({
            "sector": "welfare",
            "resident": person.resident_number,
            "recipient": recipient,
            "purpose": "welfare-eligibility",
            "items": ["benefit-count", "benefit-details"],
            "valid_until": "2099-12-31T00:00:00Z",
        });
        let url = format!("{}/admin/consents", self.base);
        Self::read(self.client.post(url).json(&consent).bearer_auth(&self.key)).await
    }

    /// Records that the person has withdrawn a consent.
    ///
    /// # Errors
    /// When no reply comes or it is no JSON.
    pub async fn withdraw_consent(&self, id: &str) -> Result<AdminReply, CallError> {
        let url = format!("{}/admin/consents/{id}", self.base);
        Self::read(self.client.delete(url).bearer_auth(&self.key)).await
    }

    async fn read(request: reqwest::RequestBuilder) -> Result<AdminReply, CallError> {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let body: Value = response.json().await?;
        let text = |member: &str| Some(body.get(member)?.as_str()?.to_owned());
        Ok(AdminReply { status, id: text("id"), receipt: text("receipt") })
    }
}
