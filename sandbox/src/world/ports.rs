//! Which ports the world listens on.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// How ports are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortChoice {
    /// The documented ones, each replaced by a free one when it is busy.
    Documented,
    /// Free ones, so that worlds can stand side by side in tests.
    Ephemeral,
}

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
    /// Administration, health and metrics.
    pub admin: u16,
    /// The ledger node's JSON-RPC.
    pub ledger: u16,
}

impl Ports {
    /// Chooses nine different free ports. They are free at this moment; whoever is to listen there
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
            admin: choose(18081)?,
            ledger: choose(18545)?,
        })
    }
}

/// The loopback address with this port.
pub fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn reserve(choice: PortChoice, documented: u16, held: &mut Vec<TcpListener>) -> io::Result<u16> {
    let listener = match choice {
        PortChoice::Documented => {
            TcpListener::bind(loopback(documented)).or_else(|_| TcpListener::bind(loopback(0)))?
        }
        PortChoice::Ephemeral => TcpListener::bind(loopback(0))?,
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
    fn ephemeral_ports_differ() {
        let Ports { http, https, grpc, callbacks, telegram, city_c, register, admin, ledger } =
            Ports::choose(PortChoice::Ephemeral).unwrap();
        let mut ports = [http, https, grpc, callbacks, telegram, city_c, register, admin, ledger];
        ports.sort_unstable();
        assert!(ports.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
