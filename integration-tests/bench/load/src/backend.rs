//! The stub backend: `/` answers as an Ethereum node that holds the welfare contract, `/records`
//! as a plain JSON service with the same content. It looks nothing up, so that what is measured is
//! the server in front of it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

const PROVIDER: &str = "city-a";
const PROGRAMME: &str = "housing-benefit";
const BENEFITS: [u8; 3] = [0x11, 0x22, 0x33];
const AMOUNT: u64 = 250_000;

/// Serves until it is ended.
pub(crate) async fn serve(listen: SocketAddr, count: bool) -> io::Result<()> {
    let backend = Rc::new(Backend::new(count));
    let listener = TcpListener::bind(listen).await?;
    let tasks = LocalSet::new();
    let accept = async {
        loop {
            let (stream, _) = listener.accept().await?;
            let backend = backend.clone();
            tokio::task::spawn_local(async move {
                // A peer that hangs up is no matter of the backend's.
                let _ = backend.converse(stream).await;
            });
        }
    };
    tasks.run_until(accept).await
}

struct Backend {
    records: String,
    history: String,
    overlap: String,
    /// The answer to every other function, e.g. `isGateway(address)`.
    yes: String,
    block: String,
    counts: Option<RefCell<HashMap<String, u64>>>,
}

/// One JSON-RPC request.
#[derive(Deserialize)]
struct Ask<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    method: &'a str,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

impl Backend {
    fn new(count: bool) -> Self {
        Self {
            records: records(),
            history: format!("\"{}\"", abi(&history())),
            overlap: format!("\"{}\"", abi(&[number(0), number(0), number(0)])),
            yes: format!("\"{}\"", abi(&[number(1)])),
            block: block(),
            counts: count.then(RefCell::default),
        }
    }

    async fn converse(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut bytes = Vec::with_capacity(1 << 13);
        loop {
            while let Some((path, body, length)) = request(&bytes)? {
                let answer = match path {
                    "/records" => self.records.clone(),
                    _ => self.answer(body)?,
                };
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    answer.len()
                );
                bytes.drain(..length);
                stream.write_all((head + &answer).as_bytes()).await?;
            }
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
        }
    }

    /// A single JSON-RPC request or a batch of them.
    fn answer(&self, body: &[u8]) -> io::Result<String> {
        if body.first() == Some(&b'[') {
            let asks: Vec<Ask<'_>> = serde_json::from_slice(body)?;
            let answers: Vec<_> = asks.iter().map(|ask| self.answer_one(ask)).collect();
            return Ok(format!("[{}]", answers.join(",")));
        }
        Ok(self.answer_one(&serde_json::from_slice(body)?))
    }

    fn answer_one(&self, ask: &Ask<'_>) -> String {
        self.count(ask.method);
        let result = match ask.method {
            "eth_call" => self.call(ask.params.map_or("", RawValue::get)),
            "eth_getBlockByNumber" | "eth_getBlockByHash" => &self.block,
            "eth_chainId" => "\"0x7a69\"",
            "eth_blockNumber" => "\"0x10\"",
            "eth_getCode" => "\"0x6001\"",
            "eth_getTransactionCount" => "\"0x0\"",
            "eth_getBalance" => "\"0xd3c21bcecceda1000000\"",
            "eth_gasPrice" | "eth_maxPriorityFeePerGas" => "\"0x3b9aca00\"",
            "net_version" => "\"31337\"",
            _ => return error(ask),
        };
        format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, ask.id)
    }

    /// The contract's answer, by the function's selector.
    fn call(&self, params: &str) -> &str {
        // history(bytes32,bytes32)
        if params.contains("0x81fd0889") {
            return &self.history;
        }
        // overlapCheck(bytes32,bytes32,uint32,uint32)
        if params.contains("0xddff5caa") {
            return &self.overlap;
        }
        &self.yes
    }

    fn count(&self, method: &str) {
        let Some(counts) = &self.counts else { return };
        let mut counts = counts.borrow_mut();
        let count = counts.entry(method.to_owned()).or_default();
        *count += 1;
        if count.is_power_of_two() {
            println!("{method} {count}");
        }
    }
}

fn error(ask: &Ask<'_>) -> String {
    let (id, method) = (ask.id, ask.method);
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"no method {method}"}}}}"#
    )
}

/// The first whole request among these bytes: its path, its body, and how long it is in all.
fn request(bytes: &[u8]) -> io::Result<Option<(&str, &[u8], usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(start) = head.parse(bytes).map_err(io::Error::other)? else {
        return Ok(None);
    };
    let length = head
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok())
        .unwrap_or(0_usize);
    let body = bytes.get(start..start + length);
    Ok(body.map(|body| (head.path.unwrap_or_default(), body, start + length)))
}

type Word = [u8; 32];

fn number(value: u64) -> Word {
    let mut word = [0; 32];
    for (to, from) in word.iter_mut().rev().zip(value.to_le_bytes()) {
        *to = from;
    }
    word
}

fn text(value: &str) -> Word {
    let mut word = [0; 32];
    for (to, from) in word.iter_mut().zip(value.bytes()) {
        *to = from;
    }
    word
}

/// `(uint256 count, Benefit[] benefits)`; `Benefit` is `(bytes32 id, bytes32 programme,
/// bytes32 provider, uint32 from, uint32 to, uint64 monthlyAmount, uint8 status)`.
fn history() -> Vec<Word> {
    let count = number(BENEFITS.len() as u64);
    let mut words = vec![count, number(64), count];
    for id in BENEFITS {
        words.extend([
            [id; 32],
            text(PROGRAMME),
            text(PROVIDER),
            number(20_260_101),
            number(20_261_231),
            number(AMOUNT),
            number(2),
        ]);
    }
    words
}

fn abi(words: &[Word]) -> String {
    let mut hex = String::from("0x");
    for byte in words.iter().flatten() {
        hex.push_str(&format!("{byte:02x}"));
    }
    hex
}

/// The same history as JSON.
fn records() -> String {
    let benefits: Vec<_> = BENEFITS
        .map(|id| {
            serde_json::json!({
                "benefit": format!("{id:02x}").repeat(32),
                "programme": PROGRAMME,
                "provider": PROVIDER,
                "from": "2026-01-01",
                "to": "2026-12-31",
                "monthlyAmount": AMOUNT,
                "status": "granted",
            })
        })
        .into();
    serde_json::json!({ "count": BENEFITS.len(), "benefits": benefits }).to_string()
}

fn block() -> String {
    let (hash, zero) = (format!("0x{}", "ab".repeat(32)), format!("0x{}", "0".repeat(64)));
    serde_json::json!({
        "hash": hash, "parentHash": zero, "sha3Uncles": zero, "stateRoot": zero,
        "transactionsRoot": zero, "receiptsRoot": zero, "mixHash": zero,
        "miner": format!("0x{}", "0".repeat(40)), "logsBloom": format!("0x{}", "0".repeat(512)),
        "difficulty": "0x0", "number": "0x10", "gasLimit": "0x1c9c380", "gasUsed": "0x0",
        "timestamp": "0x6a000000", "extraData": "0x", "nonce": "0x0000000000000000",
        "baseFeePerGas": "0x7", "size": "0x220", "uncles": [], "transactions": [],
    })
    .to_string()
}
