//! What an Ethereum backend is configured with. The account's private key is not here: secrets come
//! by reference and are resolved by the server.

use std::fmt;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use alloy::primitives::Address;
use alloy::transports::http::reqwest::Url;
use serde::Deserialize;

/// One contract on one chain, reached through one node.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EthereumConfig {
    /// The node's JSON-RPC endpoint, `https` or, on a private network, `http`. All requests must
    /// reach one node, or nodes that agree: what one says was mined is compared with what the next
    /// says of an account's nonce.
    pub url: Url,
    /// The chain (EIP-155); a node of another chain is not used.
    pub chain_id: u64,
    /// The contract's address.
    pub contract: Address,
    /// A JSON file with the contract's `abi`, such as a compiler's artifact.
    pub abi: PathBuf,
    /// When a submit counts as done, and which block queries read.
    #[serde(default)]
    pub finality: Finality,
    /// Gas that one transaction may use, in units. Unused gas is not paid.
    #[serde(default = "default_gas_limit")]
    pub gas_limit: u64,
    /// The most that is paid for one unit of gas, in gwei. The account must hold `gas_limit` times
    /// this for each transaction under way; what is paid is the block's base fee and the priority fee.
    #[serde(default = "default_max_fee_gwei")]
    pub max_fee_gwei: u32,
    /// What is paid to the block's producer for one unit of gas, in gwei.
    #[serde(default = "default_priority_fee_gwei")]
    pub priority_fee_gwei: u32,
    /// How long to wait between two looks at a transaction under way, in milliseconds.
    #[serde(default = "default_poll_ms")]
    pub poll_ms: NonZeroU64,
    /// Calls that one HTTP request carries at most, when many wait. 1 for a node that takes no
    /// JSON-RPC batches.
    #[serde(default = "default_batch_calls")]
    pub batch_calls: NonZeroUsize,
}

/// When a transaction counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finality {
    /// When it is this many blocks deep, its own included.
    Confirmations(NonZeroU64),
    /// When the chain's `finalized` block has passed it.
    Finalized,
}

impl Default for Finality {
    /// Where nothing is said, the chain's own word is waited for.
    fn default() -> Self {
        Self::Finalized
    }
}

impl From<Finality> for gateway_core::Finality {
    fn from(finality: Finality) -> Self {
        match finality {
            Finality::Confirmations(blocks) => Self::Confirmations(blocks.get()),
            Finality::Finalized => Self::Finalized,
        }
    }
}

impl fmt::Debug for EthereumConfig {
    /// Shows of the URL only its host: endpoints are sold with a key in the path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EthereumConfig")
            .field("host", &self.url.host_str())
            .field("chain_id", &self.chain_id)
            .field("contract", &self.contract)
            .field("finality", &self.finality)
            .finish_non_exhaustive()
    }
}

fn default_gas_limit() -> u64 {
    1_000_000
}

fn default_max_fee_gwei() -> u32 {
    100
}

fn default_priority_fee_gwei() -> u32 {
    1
}

fn default_poll_ms() -> NonZeroU64 {
    NonZeroU64::MIN.saturating_add(499)
}

fn default_batch_calls() -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = r#"{
        "url": "https://node.example/v3/sold-with-this-key",
        "chain_id": 31337,
        "contract": "0x5fbdb2315678afecb367f032d93f642f64180aa3",
        "abi": "Welfare.json"
    }"#;

    #[test]
    fn what_is_not_said_has_a_default_and_the_key_in_the_url_is_not_shown() {
        let config: EthereumConfig = serde_json::from_str(MINIMAL).unwrap();
        assert_eq!(config.finality, Finality::Finalized);
        assert_eq!(config.poll_ms.get(), 500);
        assert!(!format!("{config:?}").contains("sold-with-this-key"));
    }

    #[test]
    fn finality_is_a_depth_or_the_chains_own() {
        let parse = |text| serde_json::from_str::<Finality>(text);
        let six = NonZeroU64::new(6).unwrap();
        assert_eq!(parse(r#"{"confirmations": 6}"#).unwrap(), Finality::Confirmations(six));
        assert_eq!(parse(r#""finalized""#).unwrap(), Finality::Finalized);
        assert!(parse(r#"{"confirmations": 0}"#).is_err());
        assert!(parse(r#""immediate""#).is_err());
    }

    #[test]
    fn unknown_keys_are_errors() {
        let text = MINIMAL.replacen('{', r#"{"gas": 5,"#, 1);
        assert!(serde_json::from_str::<EthereumConfig>(&text).is_err());
    }
}
