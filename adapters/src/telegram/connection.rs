//! One connection: a task that writes telegrams, reads answers and hands each to whoever waits for
//! its serial number. It ends when the connection does, and then everyone who waits learns it.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::framing::{Deframer, Framing};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::Mark;
use crate::message::{SendError, Trouble};

/// A connection as bytes: TCP, or TLS over it.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

/// How long writing one telegram may take. A provider that takes none for so long is gone.
const WRITE: Duration = Duration::from_secs(10);

/// Bytes that are read at once.
const READ: usize = 4096;

/// A test telegram without its serial number, and how often it is sent.
#[derive(Clone)]
pub(super) struct Test {
    pub(super) telegram: Arc<dyn Fn() -> (Vec<u8>, Mark) + Send + Sync>,
    pub(super) idle: Duration,
}

/// A handle on a connection's task, which ends when the last handle is dropped.
#[derive(Clone)]
pub(super) struct Connection {
    orders: mpsc::Sender<Order>,
}

/// A telegram to be sent.
struct Order {
    wire: Vec<u8>,
    mark: Mark,
    stage: Arc<Stage>,
    answer: oneshot::Sender<Result<Bytes, Trouble>>,
}

/// Who was first: the task that sends it, or the caller who gives it up.
#[derive(Default)]
struct Stage(AtomicU8);

const WAITING: u8 = 0;
const SENT: u8 = 1;
const GIVEN_UP: u8 = 2;

impl Stage {
    fn move_to(&self, next: u8) -> bool {
        self.0.compare_exchange(WAITING, next, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// Gives an order up when its caller goes away.
struct Patience(Arc<Stage>);

impl Drop for Patience {
    fn drop(&mut self) {
        self.0.move_to(GIVEN_UP);
    }
}

impl Connection {
    /// Starts the task of a connection that stands.
    pub(super) fn start(stream: impl Stream, framing: Framing, test: Option<Test>) -> Self {
        let (orders, taken) = mpsc::channel(64);
        let task = Task {
            stream,
            framing,
            deframer: Deframer::new(framing),
            waiting: BTreeMap::new(),
            test,
            last_heard: Instant::now(),
            tested: None,
        };
        tokio::spawn(task.run(taken));
        Self { orders }
    }

    pub(super) fn stands(&self) -> bool {
        !self.orders.is_closed()
    }

    /// Sends a telegram that is framed already and waits for its answer.
    pub(super) async fn exchange(
        &self,
        wire: Vec<u8>,
        mark: Mark,
        deadline: Instant,
    ) -> Result<Bytes, SendError> {
        let stage = Arc::<Stage>::default();
        let patience = Patience(stage.clone());
        let (answer, answered) = oneshot::channel();
        let order = Order { wire, mark, stage, answer };
        match timeout_at(deadline, self.orders.send(order)).await {
            Err(_) => return Err(SendError::NotSent(Trouble::Busy)),
            Ok(Err(_)) => return Err(SendError::NotSent(broken("it ended before"))),
            Ok(Ok(())) => {}
        }
        let trouble = match timeout_at(deadline, answered).await {
            Ok(Ok(Ok(answer))) => return Ok(answer),
            Ok(Ok(Err(trouble))) => trouble,
            Ok(Err(_)) => broken("it ended"),
            Err(_) => Trouble::Deadline,
        };
        Err(match patience.0.move_to(GIVEN_UP) {
            true => SendError::NotSent(trouble),
            false => SendError::Lost(trouble),
        })
    }
}

fn broken(how: &str) -> Trouble {
    Trouble::Broken(how.to_owned())
}

struct Task<S> {
    stream: S,
    framing: Framing,
    deframer: Deframer,
    waiting: BTreeMap<Mark, oneshot::Sender<Result<Bytes, Trouble>>>,
    test: Option<Test>,
    last_heard: Instant,
    /// The test telegram that is not answered yet.
    tested: Option<Mark>,
}

impl<S: Stream> Task<S> {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let ended = self.serve(&mut orders).await;
        // Whoever sends from now on learns that nothing was sent.
        orders.close();
        for (_, waiting) in std::mem::take(&mut self.waiting) {
            let _ =
                waiting.send(Err(ended.as_ref().map_or_else(copy, |()| broken("it was closed"))));
        }
        if let Err(trouble) = ended {
            tracing::info!("a telegram connection ended: {trouble}");
        }
    }

    async fn serve(&mut self, orders: &mut mpsc::Receiver<Order>) -> Result<(), Trouble> {
        loop {
            self.deframer.buffer().reserve(READ);
            let next_test = self.test.as_ref().map(|test| self.last_heard + test.idle);
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.send(order).await?,
                    None => return Ok(()),
                },
                read = self.stream.read_buf(self.deframer.buffer()) => {
                    if read.map_err(io_trouble)? == 0 {
                        return Err(broken("the provider closed it"));
                    }
                    self.last_heard = Instant::now();
                    self.hand_out()?;
                }
                () = sleep_until(next_test.unwrap_or_else(Instant::now)), if next_test.is_some() => {
                    self.send_test().await?;
                }
            }
        }
    }

    async fn send(&mut self, order: Order) -> Result<(), Trouble> {
        self.waiting.retain(|_, waiting| !waiting.is_closed());
        if self.waiting.contains_key(&order.mark) || order.answer.is_closed() {
            // The stage stays: its caller sees that nothing was sent.
            let _ = order.answer.send(Err(Trouble::Busy));
            return Ok(());
        }
        if order.stage.move_to(SENT) {
            self.waiting.insert(order.mark, order.answer);
            self.write(&order.wire).await?;
        }
        Ok(())
    }

    async fn write(&mut self, wire: &[u8]) -> Result<(), Trouble> {
        let written = timeout(WRITE, async {
            self.stream.write_all(wire).await?;
            self.stream.flush().await
        });
        written.await.map_err(|_| broken("the provider takes nothing"))?.map_err(io_trouble)
    }

    /// Hands every whole telegram to whoever waits for it. One that nobody waits for is the late
    /// answer to a caller who has gone, or one the provider should not have sent.
    fn hand_out(&mut self) -> Result<(), Trouble> {
        loop {
            let taken = self.deframer.take().map_err(|error| match error {
                gateway_core::framing::FramingError::TooLarge { max } => Trouble::TooLarge { max },
                error => Trouble::Garbage(error.to_string()),
            })?;
            let Some(telegram) = taken else {
                return Ok(());
            };
            if self.tested.as_ref().is_some_and(|mark| mark.is_on(&telegram)) {
                self.tested = None;
                continue;
            }
            let mark = self.waiting.keys().find(|mark| mark.is_on(&telegram)).cloned();
            match mark.and_then(|mark| self.waiting.remove(&mark)) {
                Some(waiting) => drop(waiting.send(Ok(telegram))),
                None => tracing::warn!(bytes = telegram.len(), "a telegram that answers nothing"),
            }
        }
    }

    async fn send_test(&mut self) -> Result<(), Trouble> {
        if self.tested.is_some() {
            return Err(broken("a test telegram was not answered"));
        }
        if let Some(test) = &self.test {
            let (telegram, mark) = (test.telegram)();
            let wire = self.framing.encode(&telegram);
            let wire = wire.map_err(|error| Trouble::Unsuitable(error.to_string()))?;
            self.tested = Some(mark);
            self.last_heard = Instant::now();
            self.write(&wire).await?;
        }
        Ok(())
    }
}

impl Mark {
    /// Whether a telegram has these digits in this place.
    fn is_on(&self, telegram: &[u8]) -> bool {
        let end = self.offset.saturating_add(self.digits.len());
        telegram.get(self.offset..end) == Some(&*self.digits)
    }
}

fn io_trouble(error: io::Error) -> Trouble {
    Trouble::Broken(error.kind().to_string())
}

/// The same trouble for everyone who waits.
fn copy(trouble: &Trouble) -> Trouble {
    match trouble {
        Trouble::TooLarge { max } => Trouble::TooLarge { max: *max },
        Trouble::Garbage(why) => Trouble::Garbage(why.clone()),
        other => Trouble::Broken(other.to_string()),
    }
}
