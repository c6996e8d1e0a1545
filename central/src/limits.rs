//! Limits per address: how often one address may open sessions, and how often it may be wrong at the token endpoint and with staff codes.
//!
//! Counted in memory, by the service's clock; a restart forgets. Many phones share one address (mobile networks), so the limits keep one address
//! from filling the database or from guessing without end; what protects a person or a code are tries and entropy, not these.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use wallet_base::time::Timestamp;

use crate::config::LimitsConfig;
use crate::error::ApiError;

/// Addresses that are remembered of one kind.
const MOST: usize = 100_000;
/// Thousandths of a second in an hour.
const HOUR: i64 = 3_600_000;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Activation sessions opened.
    Session,
    /// Refusals of the token endpoint and of tokens.
    Token,
    /// Staff codes that were none.
    StaffCode,
}

/// One kind's limit: so many an hour, at once or spread.
struct Bucket {
    per_hour: i64,
    /// When each address has its whole allowance again, in milliseconds.
    full_at: Mutex<HashMap<IpAddr, i64>>,
}

impl Bucket {
    fn new(per_hour: u32) -> Self {
        Self { per_hour: i64::from(per_hour.max(1)), full_at: Mutex::default() }
    }

    fn step(&self) -> i64 {
        HOUR / self.per_hour
    }

    /// Seconds to wait when the allowance is used up.
    fn wait(&self, address: IpAddr, now: i64) -> Option<u32> {
        let full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner).get(&address).copied().unwrap_or(now);
        let used = full_at.saturating_sub(now);
        let over = used.saturating_add(self.step()).saturating_sub(HOUR);
        (over > 0).then(|| u32::try_from(over / 1000 + 1).unwrap_or(u32::MAX).min(3600))
    }

    fn count(&self, address: IpAddr, now: i64) {
        let mut all = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST && !all.contains_key(&address) {
            all.retain(|_, full_at| *full_at > now);
            if all.len() >= MOST {
                // Those that have used least of their allowance are forgotten first.
                let mut times: Vec<i64> = all.values().copied().collect();
                let middle = times.len() / 2;
                let (_, middle, _) = times.select_nth_unstable(middle);
                let middle = *middle;
                all.retain(|_, full_at| *full_at > middle);
            }
        }
        let full_at = all.entry(address).or_insert(now);
        // A clock set back must not lock anybody out for longer than an hour.
        *full_at = (*full_at).clamp(now, now.saturating_add(HOUR)).saturating_add(self.step());
    }
}

/// All limits of a running service.
pub(crate) struct Limits {
    sessions: Bucket,
    tokens: Bucket,
    staff_codes: Bucket,
}

impl Limits {
    pub(crate) fn new(config: &LimitsConfig) -> Self {
        Self {
            sessions: Bucket::new(config.sessions_per_hour),
            tokens: Bucket::new(config.token_errors_per_hour),
            staff_codes: Bucket::new(config.staff_code_errors_per_hour),
        }
    }

    fn bucket(&self, kind: Kind) -> &Bucket {
        match kind {
            Kind::Session => &self.sessions,
            Kind::Token => &self.tokens,
            Kind::StaffCode => &self.staff_codes,
        }
    }

    /// Refuses an address that used its allowance up.
    pub(crate) fn check(&self, kind: Kind, address: IpAddr, now: Timestamp) -> Result<(), ApiError> {
        match self.bucket(kind).wait(group(address), now.unix().saturating_mul(1000)) {
            Some(seconds) => Err(ApiError::too_many(seconds)),
            None => Ok(()),
        }
    }

    /// Counts one against an address.
    pub(crate) fn count(&self, kind: Kind, address: IpAddr, now: Timestamp) {
        self.bucket(kind).count(group(address), now.unix().saturating_mul(1000));
    }
}

/// What counts as one address: IPv4 as it is (also inside IPv6), IPv6 by its network of 64 bits, which one household has whole.
pub(crate) fn group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        four @ IpAddr::V4(_) => four,
    }
}

/// Whose request it is: the peer, or behind a trusted proxy the last address in its header that is no trusted proxy itself. Earlier addresses
/// in the header are the client's word and prove nothing.
pub(crate) fn client(peer: IpAddr, header: Option<&str>, config: &LimitsConfig) -> IpAddr {
    let trusted = |address: &IpAddr| config.trusted_proxies.contains(&address.to_canonical());
    if !trusted(&peer) {
        return peer;
    }
    let mut client = peer;
    for word in header.unwrap_or_default().rsplit(',') {
        let Ok(address) = word.trim().parse::<IpAddr>() else { break };
        client = address;
        if !trusted(&address) {
            break;
        }
    }
    client
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(1_790_000_000 + seconds)
    }

    #[test]
    fn an_allowance_is_for_an_hour_and_comes_back_bit_by_bit() {
        let limits = Limits::new(&LimitsConfig { sessions_per_hour: 6, ..LimitsConfig::default() });
        let address = ip("192.0.2.1");
        for _ in 0..6 {
            limits.check(Kind::Session, address, at(0)).unwrap();
            limits.count(Kind::Session, address, at(0));
        }
        let refused = limits.check(Kind::Session, address, at(0)).unwrap_err();
        assert_eq!((refused.status, refused.code), (429, "too_many_requests"));
        let wait = i64::from(refused.retry_after.unwrap());
        assert!((600..=601).contains(&wait), "{wait}");
        // Others, and other kinds, are not concerned.
        limits.check(Kind::Session, ip("192.0.2.2"), at(0)).unwrap();
        limits.check(Kind::Token, address, at(0)).unwrap();
        limits.check(Kind::Session, address, at(wait)).unwrap();
        limits.count(Kind::Session, address, at(wait));
        limits.check(Kind::Session, address, at(wait)).unwrap_err();
        limits.check(Kind::Session, address, at(wait + 3600)).unwrap();
    }

    #[test]
    fn one_household_is_one_address() {
        assert_eq!(group(ip("2001:db8:1:2:3:4:5:6")), group(ip("2001:db8:1:2:ffff::")));
        assert_ne!(group(ip("2001:db8:1:2::")), group(ip("2001:db8:1:3::")));
        assert_eq!(group(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let bucket = Bucket::new(10);
        for number in 0..u32::try_from(MOST).unwrap() + 10 {
            bucket.count(IpAddr::V4(number.into()), 0);
        }
        assert!(bucket.full_at.lock().unwrap().len() <= MOST);
    }

    #[test]
    fn bad_input_a_header_counts_only_from_a_trusted_proxy() {
        let config = LimitsConfig { trusted_proxies: vec![ip("10.0.0.1"), ip("10.0.0.2")], ..LimitsConfig::default() };
        let (proxy, stranger) = (ip("10.0.0.1"), ip("198.51.100.7"));
        assert_eq!(client(stranger, Some("192.0.2.9"), &config), stranger);
        assert_eq!(client(proxy, Some("192.0.2.9"), &config), ip("192.0.2.9"));
        // What the client wrote itself stands further left.
        assert_eq!(client(proxy, Some("203.0.113.1, 192.0.2.9"), &config), ip("192.0.2.9"));
        assert_eq!(client(proxy, Some("203.0.113.1, 192.0.2.9, 10.0.0.2"), &config), ip("192.0.2.9"));
        assert_eq!(client(proxy, None, &config), proxy);
        assert_eq!(client(proxy, Some("nonsense"), &config), proxy);
        assert_eq!(client(ip("::ffff:10.0.0.1"), Some("192.0.2.9"), &config), ip("192.0.2.9"));
    }
}
