//! Randomness is injected, so that what depends on it can be tested.

/// A source of random bytes.
pub trait Random: Send + Sync {
    /// Fills `out`. An implementation that cannot must abort rather than give predictable bytes.
    fn fill(&self, out: &mut [u8]);
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    #[allow(clippy::expect_used)] // Going on without randomness would be worse than stopping.
    fn fill(&self, out: &mut [u8]) {
        getrandom::fill(out).expect("the operating system gives no random bytes");
    }
}

/// Bytes that follow from a seed. For tests and simulators only: anybody who knows the seed knows every key.
#[derive(Debug)]
pub struct SeededRandom {
    seed: u64,
    counter: std::sync::atomic::AtomicU64,
}

impl SeededRandom {
    /// Starts a sequence.
    pub const fn new(seed: u64) -> Self {
        Self { seed, counter: std::sync::atomic::AtomicU64::new(0) }
    }
}

impl Random for SeededRandom {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let n = self.counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mut block = self.seed.to_be_bytes().to_vec();
            block.extend_from_slice(&n.to_be_bytes());
            let digest = crate::crypto::sha256(&block);
            for (to, from) in chunk.iter_mut().zip(digest) {
                *to = from;
            }
        }
    }
}

/// `N` random bytes.
pub fn array<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut out = [0; N];
    random.fill(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_bytes_repeat_and_move_on() {
        let (a, b) = (SeededRandom::new(7), SeededRandom::new(7));
        let first: [u8; 40] = array(&a);
        assert_eq!(first, array(&b));
        assert_ne!(first, array(&a));
        assert_ne!(array::<32>(&OsRandom), [0; 32]);
    }
}
