//! Calls to a node that is mute for a while.

use std::sync::{Arc, Mutex};

use alloy::primitives::Address;
use alloy::transports::http::reqwest::{Client, Url};
use alloy::transports::http::{Http, reqwest};
use futures_util::FutureExt;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::*;

/// A node that keeps what it is asked, and says nothing until it is told to.
struct Mute {
    url: Url,
    asked: Arc<Mutex<Vec<Json>>>,
    requests: watch::Sender<usize>,
    speaks: watch::Sender<bool>,
}

impl Mute {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let (requests, speaks) = (watch::Sender::new(0), watch::Sender::new(false));
        let node = Arc::new(Self { url, asked: Arc::default(), requests, speaks });
        let serving = node.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serving.clone().answer(client));
            }
        });
        node
    }

    async fn answer(self: Arc<Self>, client: TcpStream) {
        let mut client = BufReader::new(client);
        while let Some(body) = request(&mut client).await {
            let calls = body.as_array().cloned().unwrap_or_else(|| vec![body.clone()]);
            self.asked.lock().unwrap().extend(calls.clone());
            self.requests.send_modify(|count| *count += 1);
            self.speaks.subscribe().wait_for(|speaks| *speaks).await.unwrap();
            let answer =
                |call: &Json| json!({ "jsonrpc": "2.0", "id": call["id"], "result": "0x" });
            let answer = match body.is_array() {
                true => Json::Array(calls.iter().map(answer).collect()),
                false => answer(&body),
            };
            let answer = answer.to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            );
            client.get_mut().write_all((head + &answer).as_bytes()).await.unwrap();
        }
    }

    async fn has(&self, requests: usize) {
        self.requests.subscribe().wait_for(|count| *count >= requests).await.unwrap();
    }

    /// Whom the calls that came were to.
    fn called(&self) -> Vec<Address> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .map(|call| call["params"][0]["to"].as_str().unwrap().parse().unwrap())
            .collect()
    }
}

/// The body of the next request; none when there is no more.
async fn request(client: &mut BufReader<TcpStream>) -> Option<Json> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if client.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body).await.ok()?;
    serde_json::from_slice(&body).ok()
}

fn to(number: u8) -> TransactionRequest {
    TransactionRequest { to: Some(Address::repeat_byte(number).into()), ..Default::default() }
}

#[tokio::test]
async fn what_nobody_waits_for_is_not_sent_when_a_hung_node_comes_back() {
    let node = Mute::start().await;
    let client: reqwest::Client = Client::builder().no_proxy().build().unwrap();
    let client = RpcClient::new(Http::with_client(client, node.url.clone()), true);
    let calls = Calls::new(client, 10);
    let call = |number| {
        let calls = calls.clone();
        async move { calls.call(to(number), BlockId::latest()).await }
    };
    // As many as there are senders are with the node, one after the other so that each goes alone.
    let mut sent = Vec::new();
    for number in 1..=SENDERS {
        sent.push(tokio::spawn(call(u8::try_from(number).unwrap())));
        node.has(number).await;
    }
    // These wait for company, and give up.
    for number in 100..120 {
        assert!(call(number).now_or_never().is_none(), "nobody answers");
    }
    let mut patient = Box::pin(call(200));
    assert!(patient.as_mut().now_or_never().is_none());
    node.speaks.send_replace(true);
    assert!(matches!(patient.await, Ok(Called::Returned(_))));
    for sent in sent {
        assert!(matches!(sent.await.unwrap(), Ok(Called::Returned(_))));
    }
    let mut called = node.called();
    called.sort();
    assert_eq!(called, [1, 2, 200].map(Address::repeat_byte));
}
