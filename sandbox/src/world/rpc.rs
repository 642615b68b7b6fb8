//! JSON-RPC to the ledger node, in plain JSON: no Ethereum library stands between.

use std::time::Duration;

use serde_json::{Value, json};

/// Why the node did not answer as wanted.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// It could not be reached.
    #[error("the ledger node does not answer")]
    Transport(#[from] reqwest::Error),
    /// It answered with an error.
    #[error("the ledger node refused {method}: {error}")]
    Refused {
        /// The method.
        method: &'static str,
        /// Its `error` member.
        error: Value,
    },
    /// A transaction was mined and failed.
    #[error("transaction {0} failed")]
    Reverted(String),
    /// A transaction was not mined in time.
    #[error("transaction {0} is not mined after ten seconds")]
    NotMined(String),
    /// The answer is not of the shape that the method promises.
    #[error("the answer to {0} is not of the expected shape")]
    Shape(&'static str),
}

/// A client of one node.
#[derive(Clone, Debug)]
pub struct Rpc {
    client: reqwest::Client,
    url: String,
}

impl Rpc {
    /// A client of the node at `url`.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(url: String) -> Result<Self, RpcError> {
        let client =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
        Ok(Self { client, url })
    }

    /// Calls a method and returns its `result`.
    ///
    /// # Errors
    /// When the node cannot be reached or refuses.
    pub async fn call(&self, method: &'static str, params: Value) -> Result<Value, RpcError> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let response = self.client.post(&self.url).json(&request).send().await?;
        let mut answer: Value = response.json().await?;
        match answer.get_mut("error") {
            Some(error) => Err(RpcError::Refused { method, error: error.take() }),
            None => match answer.get_mut("result") {
                Some(result) => Ok(result.take()),
                None => Err(RpcError::Shape(method)),
            },
        }
    }

    /// Calls a method whose result is text.
    ///
    /// # Errors
    /// As [`Rpc::call`], and when the result is something else.
    pub async fn text(&self, method: &'static str, params: Value) -> Result<String, RpcError> {
        match self.call(method, params).await? {
            Value::String(text) => Ok(text),
            _ => Err(RpcError::Shape(method)),
        }
    }

    /// Keccak-256, computed by the node: 64 hex digits.
    ///
    /// # Errors
    /// As [`Rpc::call`].
    pub async fn keccak(&self, bytes: &[u8]) -> Result<String, RpcError> {
        let data = format!("0x{}", hex::encode(bytes));
        let hash = self.text("web3_sha3", json!([data])).await?;
        match hash.strip_prefix("0x") {
            Some(digits) if digits.len() == 64 => Ok(digits.to_owned()),
            _ => Err(RpcError::Shape("web3_sha3")),
        }
    }

    /// Sends a transaction from an account that the node holds, and waits until it is mined.
    /// Returns its receipt.
    ///
    /// # Errors
    /// When it is refused, fails, or is not mined within ten seconds.
    pub async fn transact(&self, transaction: Value) -> Result<Value, RpcError> {
        let hash = self.text("eth_sendTransaction", json!([transaction])).await?;
        for _ in 0..200 {
            let receipt = self.call("eth_getTransactionReceipt", json!([hash])).await?;
            match receipt.get("status").and_then(Value::as_str) {
                Some("0x1") => return Ok(receipt),
                Some(_) => return Err(RpcError::Reverted(hash)),
                None => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        Err(RpcError::NotMined(hash))
    }
}
