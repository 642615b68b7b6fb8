// Compiles Welfare.sol into artifacts/Welfare.json, the same bytes on every machine.
// `--check` writes nothing and fails when the committed artifact is not what the source gives.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import solc from "solc";

const CONTRACT = "Welfare";
const here = (path) => new URL(path, import.meta.url);
const source = `${CONTRACT}.sol`;
const artifact = here(`artifacts/${CONTRACT}.json`);

// A fixed EVM version and no metadata hash: neither the compiler's default nor a path decides.
const settings = {
  evmVersion: "prague",
  viaIR: true,
  optimizer: { enabled: true, runs: 200 },
  metadata: { bytecodeHash: "none", appendCBOR: false },
};

function compile() {
  const input = {
    language: "Solidity",
    sources: { [source]: { content: readFileSync(here(source), "utf8") } },
    settings: {
      ...settings,
      outputSelection: { [source]: { [CONTRACT]: ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const complaints = output.errors ?? [];
  if (complaints.length > 0) {
    throw new Error(complaints.map((complaint) => complaint.formattedMessage).join("\n"));
  }
  const { abi, evm } = output.contracts[source][CONTRACT];
  const compiled = {
    contract: CONTRACT,
    compiler: solc.version(),
    settings,
    abi,
    bytecode: `0x${evm.bytecode.object}`,
    deployedBytecode: `0x${evm.deployedBytecode.object}`,
  };
  return `${JSON.stringify(compiled, null, 2)}\n`;
}

function committed() {
  try {
    return readFileSync(artifact, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return "";
    throw error;
  }
}

const compiled = compile();
if (process.argv.includes("--check")) {
  if (committed() !== compiled) {
    console.error(`artifacts/${CONTRACT}.json is not what ${source} compiles to; run: npm run compile`);
    process.exit(1);
  }
  console.log(`artifacts/${CONTRACT}.json is what ${source} compiles to`);
} else {
  mkdirSync(here("artifacts"), { recursive: true });
  writeFileSync(artifact, compiled);
  console.log(`wrote artifacts/${CONTRACT}.json`);
}
