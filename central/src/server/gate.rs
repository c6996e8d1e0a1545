//! The door: how many connections there are, in all and of one address, and how slowly a client may read its answers.

use std::collections::HashMap;
use std::future::{Future, Ready, ready};
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready as or_pending};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::config::LimitsConfig;
use crate::limits::group;

/// Bytes a second that every client can read: a village's network is ten times faster.
const RATE: u64 = 4096;

/// Counts connections and lets them in.
#[derive(Clone)]
pub(super) struct Gate(Arc<Inner>);

struct Inner {
    most: usize,
    per_address: usize,
    uncounted: Vec<IpAddr>,
    patience: Duration,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Gate {
    /// `patience`: how long a client may keep the server waiting to write; taking bytes at [`RATE`] it may go on for ever.
    pub(super) fn new(limits: &LimitsConfig, patience: Duration) -> Self {
        Self(Arc::new(Inner {
            most: limits.connections,
            per_address: limits.connections_per_address,
            uncounted: limits.trusted_proxies.clone(),
            patience,
            open: Mutex::default(),
        }))
    }

    fn enter(&self, peer: IpAddr) -> Option<Place> {
        let mut open = self.0.open();
        let address = (!self.0.uncounted.contains(&peer.to_canonical())).then(|| group(peer));
        if open.all >= self.0.most {
            return None;
        }
        if let Some(address) = address {
            let count = open.by_address.entry(address).or_default();
            if *count >= self.0.per_address {
                return None;
            }
            *count += 1;
        }
        open.all += 1;
        Some(Place { gate: self.0.clone(), address })
    }
}

impl Inner {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place; given back when it ends.
struct Place {
    gate: Arc<Inner>,
    address: Option<IpAddr>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.gate.open();
        open.all = open.all.saturating_sub(1);
        let Some(address) = self.address else { return };
        if let Some(count) = open.by_address.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

impl<S> Accept<TcpStream, S> for Gate {
    type Stream = Connection;
    type Service = S;
    type Future = Ready<io::Result<(Connection, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        ready(stream.peer_addr().and_then(|peer| {
            let place = self.enter(peer.ip()).ok_or_else(|| {
                tracing::warn!("a connection was refused: too many");
                io::Error::from(io::ErrorKind::ConnectionRefused)
            })?;
            Ok((Connection::new(stream, place), service))
        }))
    }
}

/// A connection that ends when its client reads too slowly.
pub(super) struct Connection {
    stream: TcpStream,
    place: Place,
    /// How long the server will still wait to write; bytes that are taken bring some of it back.
    left: Duration,
    /// Since when it waits, and until when it will.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Connection {
    fn new(stream: TcpStream, place: Place) -> Self {
        Self { stream, left: place.gate.patience, place, waiting: None }
    }

    fn paced(&mut self, context: &mut Context<'_>, done: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = done {
            if let Some((since, _)) = self.waiting.take() {
                self.left = self.left.saturating_sub(since.elapsed());
            }
            if let Ok(count) = &result {
                // Never more than at first: buffers on the way take megabytes at once, and nobody has read them.
                let earned = Duration::from_millis(u64::try_from(*count).unwrap_or(u64::MAX).saturating_mul(1000) / RATE);
                self.left = (self.left + earned).min(self.place.gate.patience);
            }
            return Poll::Ready(result);
        }
        let left = self.left;
        let (_, until) = self.waiting.get_or_insert_with(|| {
            let now = Instant::now();
            (now, Box::pin(sleep_until(now + left)))
        });
        or_pending!(until.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.paced(context, done)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.paced(context, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let limits = LimitsConfig { connections: 4, connections_per_address: 2, trusted_proxies: vec![proxy], ..LimitsConfig::default() };
        let gate = Gate::new(&limits, Duration::from_secs(1));
        let [a, b]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        let first = [gate.enter(a).unwrap(), gate.enter(a).unwrap()];
        assert!(gate.enter(a).is_none());
        let second = [gate.enter(proxy).unwrap(), gate.enter(b).unwrap()];
        assert!(gate.enter(b).is_none() && gate.enter(proxy).is_none());
        drop(first);
        // A proxy speaks for many.
        let third = [gate.enter(proxy).unwrap(), gate.enter(proxy).unwrap()];
        drop((second, third));
        assert!(gate.0.open().by_address.is_empty() && gate.0.open().all == 0);
    }
}
