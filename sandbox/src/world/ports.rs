//! Which ports the world listens on.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// How ports are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortChoice {
    /// The documented ones, each replaced by a free one when it is busy.
    Documented,
    /// Free ones, so that worlds can stand side by side in tests.
    Free,
}

/// Where free ports are looked for: below those that systems give to outgoing connections, which
/// could take one between its choice and its use.
const FIRST: u16 = 10_000;
const COUNT: u16 = 20_000;
/// Each process begins at one of its own, so that those beside each other do not meet.
const PER_PROCESS: u32 = 40;

/// The ports of one world, all on the loopback address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// REST and SOAP without TLS.
    pub http: u16,
    /// REST and SOAP over TLS, with client certificates.
    pub https: u16,
    /// gRPC over TLS, with client certificates.
    pub grpc: u16,
    /// Where callbacks to the ministry and city A go; nobody listens there unless a test does.
    pub callbacks: u16,
    /// City A's telegrams.
    pub telegram: u16,
    /// City C's telegrams.
    pub city_c: u16,
    /// The resident register's telegrams, which the gateway sends.
    pub register: u16,
    /// The pages for people.
    pub people: u16,
    /// Administration, health and metrics.
    pub admin: u16,
    /// The ledger node's JSON-RPC.
    pub ledger: u16,
}

impl Ports {
    /// Chooses ten different free ports. They are free at this moment; whoever is to listen there
    /// says so if somebody else was faster.
    ///
    /// # Errors
    /// When the machine has no free port.
    pub fn choose(choice: PortChoice) -> io::Result<Self> {
        // The listeners are held until all are chosen, so that no port is chosen twice.
        let mut held = Vec::new();
        let mut choose = |documented| reserve(choice, documented, &mut held);
        Ok(Self {
            http: choose(18080)?,
            https: choose(18443)?,
            grpc: choose(18444)?,
            callbacks: choose(18600)?,
            telegram: choose(18500)?,
            city_c: choose(18501)?,
            register: choose(18700)?,
            people: choose(18082)?,
            admin: choose(18081)?,
            ledger: choose(18545)?,
        })
    }
}

/// The loopback address with this port.
pub fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A port that nobody listens on and that this process has not been given before.
///
/// # Errors
/// When the machine has no free port.
pub fn free_port() -> io::Result<u16> {
    Ok(free()?.local_addr()?.port())
}

fn free() -> io::Result<TcpListener> {
    static CHOSEN: AtomicU16 = AtomicU16::new(0);
    let own = std::process::id().wrapping_mul(PER_PROCESS) % u32::from(COUNT);
    let mut failed = None;
    for _ in 0..COUNT {
        let next = own + u32::from(CHOSEN.fetch_add(1, Ordering::Relaxed));
        let offset = u16::try_from(next % u32::from(COUNT)).unwrap_or_default();
        match TcpListener::bind(loopback(FIRST + offset)) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()))
}

fn reserve(choice: PortChoice, documented: u16, held: &mut Vec<TcpListener>) -> io::Result<u16> {
    let listener = match choice {
        PortChoice::Documented => TcpListener::bind(loopback(documented)).or_else(|_| free())?,
        PortChoice::Free => free()?,
    };
    let port = listener.local_addr()?.port();
    held.push(listener);
    Ok(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_is_replaced() {
        let busy = TcpListener::bind(loopback(0)).unwrap();
        let port = busy.local_addr().unwrap().port();
        let mut held = Vec::new();
        let chosen = reserve(PortChoice::Documented, port, &mut held).unwrap();
        assert_ne!(chosen, port);
        drop(busy);
        assert_eq!(reserve(PortChoice::Documented, port, &mut held).unwrap(), port);
    }

    #[test]
    fn free_ports_differ() {
        let Ports {
            http,
            https,
            grpc,
            callbacks,
            telegram,
            city_c,
            register,
            people,
            admin,
            ledger,
        } = Ports::choose(PortChoice::Free).unwrap();
        let mut ports =
            [http, https, grpc, callbacks, telegram, city_c, register, people, admin, ledger];
        ports.sort_unstable();
        assert!(ports.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
