//! What the commands have in common that ask a running gateway: its admin listener and a key for it.

use std::path::PathBuf;

use clap::Args;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

use super::{Failure, block_on};

/// Where a running gateway is administered, and by whom.
#[derive(Args, Clone)]
pub(super) struct Operator {
    /// The admin listener of a running gateway.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:18081", global = true)]
    admin: String,
    /// A file with the operator's key.
    #[arg(long, value_name = "FILE", env = "NARU_ADMIN_KEY_FILE", global = true)]
    key: Option<PathBuf>,
}

impl Operator {
    /// Sends what `ask` makes of a client and the address of `/admin`, and returns the answer. A
    /// refusal is what its problem+json says.
    pub(super) fn send(
        self,
        ask: impl FnOnce(&Client, &str) -> RequestBuilder,
    ) -> Result<Value, Failure> {
        let key = self.key.as_deref().ok_or("name the operator's key file with --key FILE")?;
        let key = std::fs::read_to_string(key)
            .map_err(|error| format!("the key {}: {error}", key.display()))?;
        let admin = format!("{}/admin", self.admin.trim_end_matches('/'));
        let request = ask(&Client::new(), &admin).bearer_auth(key.trim());
        block_on(async move {
            let response = request.send().await.map_err(|error| {
                format!("the admin listener cannot be reached ({error}); name it with --admin URL")
            })?;
            let refused = !response.status().is_success();
            let answer: Value = response.json().await?;
            if refused { Err(said(&answer).into()) } else { Ok(answer) }
        })
    }
}

/// What a problem+json says: its detail, and each of its problems on a line.
fn said(problem: &Value) -> String {
    let text = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let one =
        |problem: &Value| format!("\n  {}: {}", text(problem, "path"), text(problem, "message"));
    let listed = problem.get("problems").and_then(Value::as_array);
    let listed: String = listed.into_iter().flatten().map(one).collect();
    match text(problem, "detail").as_str() {
        "" => "refused".to_owned(),
        detail => format!("{detail}{listed}"),
    }
}
