//! A line to a node that can be cut: what a network does to requests and answers.

use std::net::SocketAddr;

use alloy::transports::http::reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Up,
    /// Nothing gets through.
    Cut,
    /// Requests get through, answers do not.
    Mute,
}

pub(crate) struct Line {
    state: watch::Sender<State>,
    pub(crate) url: Url,
}

impl Line {
    pub(crate) async fn to(node: &Url) -> Self {
        let node = node.socket_addrs(|| None).unwrap()[0];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let (state, watched) = watch::channel(State::Up);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, node, watched.clone()));
            }
        });
        Self { state, url }
    }

    pub(crate) fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn carry(client: TcpStream, node: SocketAddr, mut state: watch::Receiver<State>) {
    if *state.borrow() == State::Cut {
        return;
    }
    let answers = state.clone();
    let Ok(node) = TcpStream::connect(node).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_node, mut to_node) = node.into_split();
    let back = async {
        let mut bytes = [0; 4096];
        while let Ok(read @ 1..) = from_node.read(&mut bytes).await {
            if *answers.borrow() != State::Up || to_client.write_all(&bytes[..read]).await.is_err()
            {
                return;
            }
        }
    };
    tokio::select! {
        _ = copy(&mut from_client, &mut to_node) => {}
        () = back => {}
        _ = state.wait_for(|state| *state == State::Cut) => {}
    }
}
