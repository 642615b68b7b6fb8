//! The ABI that solc wrote of the sandbox's contract → a mapping that loads and names the same
//! functions, arguments, results and errors as the one that was written by hand.
#![cfg(test)]

use std::path::Path;
use std::sync::Arc;

use gateway_core::{Pseudonym, Pseudonymize};
use mappings::Catalog;
use mappings::import::abi::AbiScaffold;
use mappings::import::{ImportError, Scaffold};
use proptest::prelude::*;
use serde_json::Value;

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

fn import(abi: &[u8]) -> Result<Scaffold, ImportError> {
    AbiScaffold { sector: "tax".into(), system: "ledger".into() }.write("a.json", abi)
}

#[track_caller]
fn loads(scaffold: &Scaffold) {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("tax/ledger/v1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(root.path().join("tax/services.yaml"), &scaffold.services).unwrap();
    std::fs::write(folder.join("mapping.yaml"), &scaffold.mappings[0].text).unwrap();
    if let Err(problems) = Catalog::load(root.path(), Arc::new(Nobody)) {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        let text = &scaffold.mappings[0].text;
        panic!("{}\n{}\n{text}", problems.join("\n"), scaffold.services);
    }
}

/// The name at the contract and the type of each row, in order.
fn rows(operation: &Value, table: &str, name: &str) -> Vec<(String, Value)> {
    let rows = operation[table].as_array().unwrap().iter();
    let theirs = rows.filter(|row| !row[name].as_str().unwrap().starts_with('$'));
    theirs.map(|row| (row[name].as_str().unwrap().to_owned(), row["type"].clone())).collect()
}

#[test]
fn the_sandbox_contract_has_the_functions_of_the_mapping_written_by_hand() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let abi = std::fs::read(here.join("../sandbox/contracts/artifacts/Welfare.json")).unwrap();
    let scaffold = import(&abi).unwrap();
    loads(&scaffold);
    let by_hand = std::fs::read_to_string(here.join("catalog/welfare/ledger/v1/mapping.yaml"));
    let by_hand: Value = serde_saphyr::from_str(&by_hand.unwrap()).unwrap();
    let made: Value = serde_saphyr::from_str(&scaffold.mappings[0].text).unwrap();
    for (name, operation) in by_hand["operations"].as_object().unwrap() {
        let own = &made["operations"][name];
        assert_eq!(rows(own, "request", "to"), rows(operation, "request", "to"), "{name}");
        // The end of a benefit is answered from its event; what is returned has no name.
        let wanted = match name.as_str() {
            "benefitEnd" => vec![("0".to_owned(), Value::from("bytes32"))],
            _ => rows(operation, "reply", "from"),
        };
        assert_eq!(rows(own, "reply", "from"), wanted, "{name}");
    }
    let event =
        "#   BenefitEnded: bytes32 request, bytes32 person, bytes32 benefit, bytes32 provider";
    assert!(scaffold.mappings[0].text.contains(event), "{}", scaffold.mappings[0].text);
    let errors = |mapping: &Value| -> Vec<String> {
        mapping["refusals"].as_object().unwrap().keys().cloned().collect()
    };
    let made = errors(&made);
    for error in errors(&by_hand) {
        assert!(made.contains(&error), "{error} is none of {made:?}");
    }
}

#[test]
fn what_no_row_can_write_is_left_out_with_a_word() {
    let abi = r#"[
        {"type": "function", "name": "ok", "stateMutability": "view", "inputs": [],
         "outputs": [{"name": "sum", "type": "uint256"}, {"name": "who", "type": "address"},
                     {"name": "", "type": "bool"}]},
        {"type": "function", "name": "paid", "stateMutability": "payable", "inputs": []},
        {"type": "function", "name": "text", "stateMutability": "view",
         "inputs": [{"name": "a", "type": "string"}]},
        {"type": "function", "name": "twice", "stateMutability": "view", "inputs": []},
        {"type": "function", "name": "twice", "stateMutability": "view",
         "inputs": [{"name": "a", "type": "bool"}]},
        {"type": "function", "name": "bare", "stateMutability": "view",
         "inputs": [{"name": "a", "type": "bool"}, {"name": "a", "type": "bool"}]}]"#;
    let scaffold = import(abi.as_bytes()).unwrap();
    loads(&scaffold);
    let unsaid = scaffold.unsaid.join("\n");
    for note in [
        "paid: the function is left out: it takes the chain's own currency",
        "text: the function is left out: no row writes the type string of an argument",
        "twice: the function is left out: functions of one name",
        "bare: the function is left out: two of its arguments have one name",
        "ok.reply: no row reads the type address of `who`",
    ] {
        assert!(unsaid.contains(note), "{note}\n{unsaid}");
        assert!(scaffold.mappings[0].text.contains(note), "{note}");
    }
    assert_eq!(scaffold.unsaid.len(), 6, "{unsaid}");
    let refused = |abi: &str| import(abi.as_bytes()).unwrap_err().to_string();
    assert!(refused("[]").contains("no operation can be made of it"));
    assert!(refused("{").contains("a.json: EOF while parsing an object at line 1 column 1"));
    assert!(refused("{\"abi\": 1}").contains("this is no ABI"));
    assert!(refused(&"[".repeat(1000)).contains("recursion limit"));
}

proptest! {
    #[test]
    fn no_slip_makes_it_panic_or_write_what_does_not_load(
        name in "[ -~가-힣]{0,6}",
        kind in "bool|bytes32|uint(8|32|64|256)|tuple\\[\\]|[a-z0-9]{0,6}",
        cut in 0..400_usize,
    ) {
        let parameter = serde_json::json!({ "name": name, "type": kind, "components": [
            { "name": name, "type": "bool" }] });
        let abi = serde_json::json!([{ "type": "function", "name": format!("f{name}"),
            "stateMutability": "view", "inputs": [], "outputs": [parameter] },
            { "type": "error", "name": name }]).to_string();
        if let Ok(scaffold) = import(abi.as_bytes()) {
            loads(&scaffold);
        }
        let _ = import(abi.as_bytes().get(..cut).unwrap_or_default());
    }
}
