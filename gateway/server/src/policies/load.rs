//! Policy files, read, parsed and validated.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use cedar_policy::{Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use serde::{Deserialize, Serialize};

use crate::config::Problem;

/// One file of policies.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// Its name, for problems.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// Every `*.cedar` file of a folder, in the order of their names.
pub(super) fn read_folder(folder: &Path) -> Result<Vec<PolicyFile>, Vec<Problem>> {
    let problem = |path: &Path, error| vec![Problem::new(path.display().to_string(), error)];
    let entries = std::fs::read_dir(folder).map_err(|error| problem(folder, error))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "cedar"))
        .collect();
    files.sort();
    let read = |file: &PathBuf| match std::fs::read_to_string(file) {
        Ok(text) => Ok(PolicyFile { name: file.display().to_string(), text }),
        Err(error) => Err(problem(file, error)),
    };
    files.iter().map(read).collect()
}

/// The policies of some files, which are from `at`.
pub(super) fn parse(
    at: &str,
    files: &[PolicyFile],
    schema: &Schema,
) -> Result<PolicySet, Vec<Problem>> {
    let mut set = PolicySet::new();
    let mut problems: Vec<Problem> =
        files.iter().flat_map(|file| parse_file(file, &mut set)).collect();
    let validated = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    problems.extend(validated.validation_errors().map(|error| Problem::new(at, error)));
    if set.is_empty() && problems.is_empty() {
        problems.push(Problem::new(at, "no policy here, so nothing would be allowed"));
    }
    if problems.is_empty() { Ok(set) } else { Err(problems) }
}

fn parse_file(file: &PolicyFile, set: &mut PolicySet) -> Vec<Problem> {
    let problem = |error: &dyn Display| Problem::new(&file.name, error);
    let parsed = match PolicySet::from_str(&file.text) {
        Ok(parsed) => parsed,
        Err(error) => return vec![problem(&error)],
    };
    let mut problems = Vec::new();
    if parsed.num_of_templates() > 0 {
        problems.push(problem(&"templates are not used here; write the policies themselves"));
    }
    for policy in parsed.policies() {
        problems.extend(add(set, policy).err().map(|error| problem(&error)));
    }
    problems
}

/// Policies are known by their `@id`: it stands in records and refusals.
fn add(set: &mut PolicySet, policy: &Policy) -> Result<(), String> {
    let id = policy.annotation("id").ok_or("every policy wants @id(\"…\") before it")?;
    if !is_id(id) {
        return Err(format!("@id(\"{id}\"): use 1 to 64 letters, digits, hyphens and dots"));
    }
    set.add(policy.new_id(PolicyId::new(id))).map_err(|error| error.to_string())
}

/// It is printed in every caller's format.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
