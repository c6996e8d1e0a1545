//! Two ends of a radio that is a pair of queues.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::ports::{ChannelError, RadioChannel};

#[derive(Default)]
struct Lane {
    frames: VecDeque<Vec<u8>>,
    closed: bool,
}

#[derive(Default)]
struct Air {
    lanes: Mutex<[Lane; 2]>,
    changed: Condvar,
}

/// One end of an in-process [`RadioChannel`].
#[derive(Clone)]
pub struct RadioPipe {
    air: Arc<Air>,
    side: usize,
    max_frame: usize,
}

impl std::fmt::Debug for RadioPipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RadioPipe").field("max_frame", &self.max_frame).finish_non_exhaustive()
    }
}

impl RadioPipe {
    /// Both ends.
    pub fn pair(max_frame: usize) -> (Self, Self) {
        let air = Arc::new(Air::default());
        let end = |side| Self { air: Arc::clone(&air), side, max_frame };
        (end(0), end(1))
    }

    fn lanes(&self) -> std::sync::MutexGuard<'_, [Lane; 2]> {
        self.air.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RadioChannel for RadioPipe {
    fn send(&self, frame: &[u8]) -> Result<(), ChannelError> {
        if frame.is_empty() || frame.len() > self.max_frame {
            return Err(ChannelError::Other);
        }
        let mut lanes = self.lanes();
        let [first, second] = &mut *lanes;
        if first.closed || second.closed {
            return Err(ChannelError::Cancelled);
        }
        let lane = if self.side == 0 { second } else { first };
        lane.frames.push_back(frame.to_vec());
        drop(lanes);
        self.air.changed.notify_all();
        Ok(())
    }

    fn receive(&self) -> Result<Vec<u8>, ChannelError> {
        let mut lanes = self.lanes();
        loop {
            let [first, second] = &mut *lanes;
            let closed = first.closed || second.closed;
            let lane = if self.side == 0 { first } else { second };
            if let Some(frame) = lane.frames.pop_front() {
                return Ok(frame);
            }
            if closed {
                return Err(ChannelError::Cancelled);
            }
            lanes = self.air.changed.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn max_frame(&self) -> usize {
        self.max_frame
    }

    fn close(&self) {
        for lane in self.lanes().iter_mut() {
            lane.closed = true;
        }
        self.air.changed.notify_all();
    }
}
