//! The welfare contract: deployed from its compiled artifact and read by hand-made ABI.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::rpc::{Rpc, RpcError};

/// Why the contract does not stand on the ledger.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The artifact cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The artifact.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The artifact is not one.
    #[error("{} is no contract artifact", .path.display())]
    Artifact {
        /// The artifact.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The node refused.
    #[error(transparent)]
    Rpc(#[from] RpcError),
}

#[derive(Deserialize)]
struct Artifact {
    bytecode: String,
}

/// The deployed contract.
#[derive(Clone, Debug)]
pub struct Contract {
    /// Its address, lower-case hex with `0x`.
    pub address: String,
}

impl Contract {
    /// Deploys `artifacts/Welfare.json` from the node's first account.
    ///
    /// # Errors
    /// When the artifact cannot be read or the node refuses.
    pub async fn deploy(contracts: &Path, rpc: &Rpc) -> Result<Self, ContractError> {
        let path = contracts.join("artifacts/Welfare.json");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(ContractError::Read { path, source }),
        };
        let artifact: Artifact = match serde_json::from_str(&text) {
            Ok(artifact) => artifact,
            Err(source) => return Err(ContractError::Artifact { path, source }),
        };
        let data = format!("0x{}", artifact.bytecode.trim_start_matches("0x"));
        let owner = first_account(rpc).await?;
        let receipt = rpc.transact(json!({ "from": owner, "data": data })).await?;
        match receipt.get("contractAddress").and_then(Value::as_str) {
            Some(address) => Ok(Self { address: address.to_owned() }),
            None => Err(RpcError::Shape("eth_getTransactionReceipt").into()),
        }
    }

    /// Lets the account with this public point write to the contract, and gives it money for fees.
    /// Returns its address.
    ///
    /// # Errors
    /// When the node refuses.
    pub async fn admit_gateway(&self, rpc: &Rpc, point: &[u8]) -> Result<String, ContractError> {
        let hash = rpc.keccak(point).await?;
        // An account's address is the last 20 bytes of its point's hash.
        let digits = hash.get(24..).ok_or(RpcError::Shape("web3_sha3"))?;
        let account = format!("0x{digits}");
        let thousand_ether = "0x3635c9adc5dea00000";
        rpc.call("anvil_setBalance", json!([account, thousand_ether])).await?;
        let selector = selector(rpc, "registerGateway(address,bool)").await?;
        let data = format!("{selector}{digits:0>64}{:0>64}", 1);
        let owner = first_account(rpc).await?;
        rpc.transact(json!({ "from": owner, "to": self.address, "data": data })).await?;
        Ok(account)
    }
}

/// The first four bytes of a function's hash, with `0x`.
///
/// # Errors
/// As [`Rpc::keccak`].
pub async fn selector(rpc: &Rpc, signature: &str) -> Result<String, RpcError> {
    let hash = rpc.keccak(signature.as_bytes()).await?;
    let head = hash.get(..8).ok_or(RpcError::Shape("web3_sha3"))?;
    Ok(format!("0x{head}"))
}

/// A text of at most 32 ASCII characters as `bytes32`: left-aligned, zero-padded, 64 hex digits.
pub fn bytes32(text: &str) -> String {
    format!("{:0<64}", hex::encode(text))
}

async fn first_account(rpc: &Rpc) -> Result<Value, RpcError> {
    let accounts = rpc.call("eth_accounts", json!([])).await?;
    let first = accounts.get(0).cloned();
    first.ok_or(RpcError::Shape("eth_accounts"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::anvil::{Anvil, executable};
    use crate::world::keys::create_ledger_key;
    use crate::world::layout::Layout;
    use crate::world::ports::{PortChoice, Ports};

    #[tokio::test]
    async fn the_gateway_s_account_may_write_on_a_real_node() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::create(&directory.path().join("world")).unwrap();
        let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts");
        let port = Ports::choose(PortChoice::Free).unwrap().ledger;
        let log = layout.path("anvil.log");
        let block_time = Some(std::time::Duration::from_millis(100));
        let anvil = Anvil::start(&contracts, port, block_time, &log).await.unwrap();
        let rpc = anvil.rpc();
        let contract = Contract::deploy(&contracts, rpc).await.unwrap();
        let point = create_ledger_key(&layout).unwrap();
        let account = contract.admit_gateway(rpc, &point).await.unwrap();

        let function = selector(rpc, "isGateway(address)").await.unwrap();
        let asked = |account: &str| {
            let data = format!("{function}{:0>64}", account.trim_start_matches("0x"));
            rpc.text("eth_call", json!([{ "to": contract.address, "data": data }, "latest"]))
        };
        assert!(asked(&account).await.unwrap().ends_with('1'));
        assert!(asked(&contract.address).await.unwrap().ends_with('0'));
        // Cast derives the address from the private key by its own code.
        let cast = std::process::Command::new(executable(&contracts, "cast").unwrap())
            .args(["wallet", "address", "--private-key"])
            .arg(std::fs::read_to_string(layout.path("keys/ledger.key")).unwrap())
            .output()
            .unwrap();
        let derived = String::from_utf8(cast.stdout).unwrap();
        assert_eq!(derived.trim().to_lowercase(), account);
    }

    #[test]
    fn a_text_is_left_aligned_in_its_word() {
        let word = bytes32("housing");
        assert_eq!(word.len(), 64);
        assert!(word.starts_with("686f7573696e67000000"));
    }
}
