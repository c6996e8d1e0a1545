//! Plain HTTP from this machine to itself: what test servers of repositories speak. The core refuses plain HTTP; this client is the tool's own
//! and connects to loopback addresses only.
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use wallet_platform::http::HttpError;
use wallet_platform::tuf::{MAX_METADATA, MAX_TARGET, TrustSource};

const TIMEOUT: Duration = Duration::from_secs(20);
/// Longest head of an answer.
const MAX_HEAD: usize = 16 << 10;

/// A repository under two `http://` addresses.
pub struct Loopback {
    metadata: Base,
    targets: Base,
}

struct Base {
    address: SocketAddr,
    host: String,
    path: String,
}

impl Base {
    fn parse(url: &str) -> Option<Self> {
        let (host, path) = url.strip_prefix("http://")?.split_once('/')?;
        let named = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
        // Loopback by address: a name counts only when it leads to this machine.
        let address = named.to_socket_addrs().ok()?.find(|address| is_loopback(address.ip()))?;
        let plain = path.bytes().all(|b| b.is_ascii_graphic());
        plain.then(|| Self { address, host: host.to_owned(), path: format!("/{}", path.trim_end_matches('/')) })
    }

    fn get(&self, name: &str, cap: usize) -> Result<Option<Vec<u8>>, HttpError> {
        let mut stream = TcpStream::connect_timeout(&self.address, TIMEOUT).map_err(|_| HttpError::Unreachable)?;
        stream.set_read_timeout(Some(TIMEOUT)).and_then(|()| stream.set_write_timeout(Some(TIMEOUT))).map_err(|_| HttpError::Dropped)?;
        let path = format!("{}/{name}", self.path);
        let request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\n\r\n", self.host);
        stream.write_all(request.as_bytes()).map_err(|_| HttpError::Dropped)?;
        let mut answer = Vec::new();
        stream.take((cap + MAX_HEAD) as u64 + 1).read_to_end(&mut answer).map_err(|_| HttpError::Dropped)?;
        let end = answer.windows(4).take(MAX_HEAD).position(|four| four == b"\r\n\r\n").ok_or(HttpError::Malformed)?;
        let body = answer.split_off(end + 4);
        let head = String::from_utf8_lossy(&answer);
        let status: u16 = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(HttpError::Malformed)?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok()).flatten()
        });
        match status {
            200 if body.len() > cap => Err(HttpError::TooLarge),
            200 if length.is_some_and(|length| length != body.len()) => Err(HttpError::Dropped),
            200 => Ok(Some(body)),
            403 | 404 | 410 => Ok(None),
            _ => Err(HttpError::Malformed),
        }
    }
}

const fn is_loopback(ip: IpAddr) -> bool {
    ip.is_loopback()
}

impl Loopback {
    /// Both addresses must lead to this machine.
    pub fn new(metadata: &str, targets: &str) -> Result<Self, &'static str> {
        const REFUSED: &str = "plain http:// is for repositories on this machine (127.0.0.1) only";
        Ok(Self { metadata: Base::parse(metadata).ok_or(REFUSED)?, targets: Base::parse(targets).ok_or(REFUSED)? })
    }
}

impl TrustSource for Loopback {
    fn metadata(&self, name: &str) -> Result<Option<Vec<u8>>, HttpError> {
        self.metadata.get(name, MAX_METADATA)
    }

    fn target(&self, name: &str) -> Result<Option<Vec<u8>>, HttpError> {
        let quoted = |part: &str| {
            part.bytes().fold(String::new(), |text, byte| {
                let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'~');
                if plain { format!("{text}{}", char::from(byte)) } else { format!("{text}%{byte:02X}") }
            })
        };
        let quoted: Vec<String> = name.split('/').map(quoted).collect();
        self.targets.get(&quoted.join("/"), MAX_TARGET)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_leads_to_this_machine_only() {
        assert!(Loopback::new("http://127.0.0.1:80/m/", "http://[::1]:80/t/").is_ok());
        for bad in ["http://192.0.2.1:80/m/", "http://127.0.0.1", "https://127.0.0.1/m/", "http://127.0.0.1/m /x", ""] {
            assert!(Loopback::new(bad, "http://127.0.0.1:1/t/").is_err(), "{bad}");
        }
    }
}
