//! The resident register of the Ministry of the Interior and Safety: a telegram server that the gateway
//! calls. Written from `mappings/catalog/population/mois-telegram/v1/README.md`.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use encoding_rs::EUC_KR;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::ports::loopback;
use crate::people;

/// The bytes of the header.
const HEADER: usize = 50;
/// The longest request is a move report.
const LONGEST: usize = HEADER + 13 + 40 + 100 + 8;

/// A running register; it ends when it is dropped.
pub struct Register {
    state: Arc<State>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    moves: AtomicU32,
    away: AtomicBool,
}

impl Register {
    /// Listens on this port of the loopback address.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind(loopback(port)).await?;
        let state = Arc::new(State::default());
        let serving = tokio::spawn(serve(listener, state.clone()));
        Ok(Self { state, serving })
    }

    /// How many moves were reported to it.
    pub fn moves(&self) -> u32 {
        self.state.moves.load(Ordering::SeqCst)
    }

    /// While it is away it hangs up on everyone who asks.
    pub fn pause(&self, away: bool) {
        self.state.away.store(away, Ordering::SeqCst);
    }
}

impl Drop for Register {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        connections.spawn(answer(connection, state.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// Answers until the other side has no more, or says something that is no telegram.
async fn answer(mut connection: TcpStream, state: Arc<State>) -> io::Result<()> {
    loop {
        let mut prefix = [0; 4];
        connection.read_exact(&mut prefix).await?;
        let length = std::str::from_utf8(&prefix).ok().and_then(|digits| digits.parse().ok());
        let Some(length @ HEADER..=LONGEST) = length else {
            return Ok(());
        };
        let mut telegram = vec![0; length];
        connection.read_exact(&mut telegram).await?;
        let (Some((header, body)), false) =
            (telegram.split_first_chunk(), state.away.load(Ordering::SeqCst))
        else {
            return Ok(());
        };
        let reply = respond(header, body, &state.moves);
        let framed = [format!("{:04}", reply.len()).as_bytes(), &reply].concat();
        connection.write_all(&framed).await?;
    }
}

fn respond(header: &[u8; HEADER], body: &[u8], moves: &AtomicU32) -> Vec<u8> {
    let send = |code: &str, content: &[u8]| {
        // The direction turns, and the response code is filled in.
        let parts = [&header[..6], b"R", &header[7..37], code.as_bytes(), &header[41..]];
        [parts.concat(), content.to_vec()].concat()
    };
    let say = |code: &str, content: &str| send(code, content.as_bytes());
    if &header[6..15] != b"QNARU0001" {
        return say("9000", "");
    }
    let number = body.get(..13).unwrap_or_default();
    let known = people::tour().find(|person| person.resident_number.as_bytes() == number);
    let Some(person) = known else {
        return say("2001", "");
    };
    match &header[..6] {
        b"RES001" => {
            let name = EUC_KR.decode(body.get(13..53).unwrap_or_default()).0;
            say("0000", if name.trim_end() == person.name { "Y" } else { "N" })
        }
        b"RES002" => {
            let address = "서울특별시 중구 세종대로 110";
            let record = [&*korean(person.name, 40), &korean(address, 100), b"20200101", b"1"];
            send("0000", &record.concat())
        }
        b"RES003" => {
            let number = moves.fetch_add(1, Ordering::SeqCst) + 1;
            say("0000", &format!("{:<20}", format!("MOVE-{number}")))
        }
        _ => say("1000", ""),
    }
}

/// A text in EUC-KR, filled up with spaces.
fn korean(text: &str, length: usize) -> Vec<u8> {
    let mut bytes = EUC_KR.encode(text).0.into_owned();
    bytes.resize(length, b' ');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::HONG;

    fn ask(telegram: &[u8], moves: &AtomicU32) -> Vec<u8> {
        let (header, body) = telegram.split_first_chunk().unwrap();
        respond(header, body, moves)
    }

    fn telegram(code: &str, name: &str) -> Vec<u8> {
        let head = format!("{code}QNARU00012026030209000000000007    {:9}", "");
        let name = EUC_KR.encode(name).0.into_owned();
        let padding = vec![b' '; 40 - name.len()];
        [head.as_bytes(), HONG.resident_number.as_bytes(), &name, &padding].concat()
    }

    #[test]
    fn a_name_is_checked_and_the_serial_number_comes_back() {
        let moves = AtomicU32::new(0);
        for (name, matches) in [(HONG.name, b'Y'), ("김철수", b'N')] {
            let reply = ask(&telegram("RES001", name), &moves);
            assert_eq!(reply.len(), HEADER + 1);
            assert_eq!((&reply[..7], &reply[29..41]), (&b"RES001R"[..], &b"000000070000"[..]));
            assert_eq!(reply[HEADER], matches);
        }
        let mut stranger = telegram("RES001", HONG.name);
        stranger[HEADER] = b'1';
        assert_eq!(&ask(&stranger, &moves)[37..41], b"2001");
        assert_eq!(moves.into_inner(), 0);
    }
}
