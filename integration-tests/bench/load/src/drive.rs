//! The load itself. One thread, one task for each connection.
//!
//! In the open loop a request is due at a fixed time whether or not a connection is free, and its
//! latency counts from then: a server that stalls is charged for those who waited.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

use crate::tally::Tally;
use crate::wire::Wire;

/// What to send where.
pub(crate) struct Plan {
    pub(crate) to: SocketAddr,
    pub(crate) connections: usize,
    pub(crate) length: Duration,
    /// Requests a second to offer; none for the closed loop.
    pub(crate) rate: Option<f64>,
}

/// Sends until the plan's time is over.
pub(crate) async fn drive(plan: &Plan, wire: Rc<Wire>) -> io::Result<Tally> {
    let tally = Rc::new(RefCell::new(Tally::new()));
    let pace = Rc::new(Pace::new(plan));
    let tasks = LocalSet::new();
    let talks: Vec<_> = (0..plan.connections)
        .map(|_| {
            let (wire, pace, tally) = (wire.clone(), pace.clone(), tally.clone());
            tasks.spawn_local(converse(plan.to, wire, pace, tally))
        })
        .collect();
    tasks
        .run_until(async {
            pace.run().await?;
            for talk in talks {
                talk.await.map_err(io::Error::other)??;
            }
            io::Result::Ok(())
        })
        .await?;
    drop(pace);
    drop(tasks);
    Rc::into_inner(tally)
        .map(RefCell::into_inner)
        .ok_or_else(|| io::Error::other("a connection is still open"))
}

/// One connection: request, answer, request, answer.
async fn converse(
    to: SocketAddr,
    wire: Rc<Wire>,
    pace: Rc<Pace>,
    tally: Rc<RefCell<Tally>>,
) -> io::Result<()> {
    let mut stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let mut answer = Vec::with_capacity(1 << 14);
    while let Some(due) = pace.next().await {
        stream.write_all(wire.request()).await?;
        answer.clear();
        while !wire.is_whole(&answer)? {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let took = due.elapsed();
        let mut tally = tally.borrow_mut();
        if wire.is_good(&answer) {
            tally.good(took);
        } else {
            tally.wrong(&answer);
        }
    }
    Ok(())
}

/// When the next request is due.
enum Pace {
    Closed { end: Instant },
    Open(Arrivals),
}

/// Requests that are due and have no connection yet.
struct Arrivals {
    due: RefCell<VecDeque<Instant>>,
    ready: Semaphore,
    every: Duration,
    length: Duration,
}

impl Pace {
    fn new(plan: &Plan) -> Self {
        match plan.rate {
            None => Self::Closed { end: Instant::now() + plan.length },
            Some(rate) => Self::Open(Arrivals {
                due: RefCell::default(),
                ready: Semaphore::new(0),
                every: Duration::from_secs_f64(1.0 / rate),
                length: plan.length,
            }),
        }
    }

    /// The time at which the next request was due; none when it is over.
    async fn next(&self) -> Option<Instant> {
        match self {
            Self::Closed { end } => {
                let now = Instant::now();
                (now < *end).then_some(now)
            }
            Self::Open(arrivals) => {
                arrivals.ready.acquire().await.ok()?.forget();
                arrivals.due.borrow_mut().pop_front()
            }
        }
    }

    async fn run(&self) -> io::Result<()> {
        match self {
            Self::Closed { .. } => Ok(()),
            Self::Open(arrivals) => arrivals.run().await,
        }
    }
}

impl Arrivals {
    /// Lets requests fall due, one every so often, until the time is over. What has no connection
    /// by then is left out.
    async fn run(&self) -> io::Result<()> {
        let mut timer = timer(self.every)?;
        let began = Instant::now();
        let mut next = began;
        while next < began + self.length {
            timer.read_u64_le().await?;
            let now = Instant::now();
            while next <= now {
                self.due.borrow_mut().push_back(next);
                self.ready.add_permits(1);
                next += self.every;
            }
        }
        self.due.borrow_mut().clear();
        self.ready.close();
        Ok(())
    }
}

/// A timer of the kernel's, because the runtime's own is only exact to the millisecond. It is read
/// as a pipe is: it holds eight bytes whenever time has passed.
fn timer(every: Duration) -> io::Result<Receiver> {
    let timer =
        timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
    let every = Timespec::try_from(every).map_err(io::Error::other)?;
    let times = Itimerspec { it_interval: every, it_value: every };
    timerfd_settime(&timer, TimerfdTimerFlags::empty(), &times)?;
    Receiver::from_owned_fd_unchecked(timer)
}
