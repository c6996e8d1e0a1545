//! The bad link between a device and central. TLS ends here, under central's own certificate, so that single HTTP messages can be counted and
//! harmed; another TLS connection goes on to central.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use p256::pkcs8::EncodePrivateKey;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// What becomes of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageFault {
    /// The connection is cut before central sees the request.
    RequestLost,
    /// Central acts, the answer is lost.
    AnswerLost,
    /// Central acts, the answer's head breaks off.
    HeadCut,
    /// Central acts, the answer's body breaks off before its announced length.
    BodyCut,
    /// Central acts, half of the body arrives with a length that agrees.
    BodyHalved,
    /// The answer comes late, but in time.
    Slow,
    /// The device gives up; only then central sees the request, before the next try.
    LateBeforeRetry,
    /// The device gives up; central sees the request after the next try.
    LateAfterRetry,
    /// Central sees the request twice; the device gets the first answer.
    TwiceFirst,
    /// Central sees the request twice; the device gets the second answer.
    TwiceSecond,
    /// Somebody between answers 502 with a page for people; central sees nothing.
    BadGateway,
    /// Central acts; somebody between answers 503 with a page for people.
    Unavailable,
    /// Central acts; the body is noise of the same length.
    Noise,
    /// Central acts; what arrives is no HTTP.
    NotHttp,
    /// Central acts; the device gets the answer to the message before this one.
    AnotherAnswer,
    /// Central acts; the answer announces more than any cap allows.
    TooLarge,
}

impl MessageFault {
    pub const ALL: [Self; 16] = [
        Self::RequestLost,
        Self::AnswerLost,
        Self::HeadCut,
        Self::BodyCut,
        Self::BodyHalved,
        Self::Slow,
        Self::LateBeforeRetry,
        Self::LateAfterRetry,
        Self::TwiceFirst,
        Self::TwiceSecond,
        Self::BadGateway,
        Self::Unavailable,
        Self::Noise,
        Self::NotHttp,
        Self::AnotherAnswer,
        Self::TooLarge,
    ];

    /// The device has to give up waiting.
    pub const fn is_late(self) -> bool {
        matches!(self, Self::LateBeforeRetry | Self::LateAfterRetry)
    }
}

/// An HTTP/1.1 message: head with its empty line, body by `Content-Length`.
#[derive(Clone, Default)]
struct Message {
    head: String,
    body: Vec<u8>,
}

impl Message {
    /// The next message; `None` at the end of the connection.
    fn read(stream: &mut impl Read) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 16 * 1024];
        let (end, length) = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
                assert!(!head.contains("transfer-encoding"), "only announced lengths are read here");
                let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).map_or(0, |n| n.trim().parse().unwrap());
                break (end + 4, length);
            }
            match stream.read(&mut buffer)? {
                0 if bytes.is_empty() => return Ok(None),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => bytes.extend_from_slice(&buffer[..n]),
            }
        };
        while bytes.len() < end + length {
            match stream.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => bytes.extend_from_slice(&buffer[..n]),
            }
        }
        let body = bytes.split_off(end);
        Ok(Some(Self { head: String::from_utf8_lossy(&bytes).into_owned(), body }))
    }

    fn html(status: &str) -> Self {
        let body = format!("<!doctype html><html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>");
        Self {
            head: format!("HTTP/1.1 {status}\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n", body.len()),
            body: body.into_bytes(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        [self.head.as_bytes(), &self.body].concat()
    }

    /// Another body with a length that agrees.
    fn with_body(&self, body: Vec<u8>) -> Self {
        Self { head: self.announcing(body.len()), body }
    }

    fn announcing(&self, length: usize) -> String {
        let others = self.head.lines().filter(|line| !line.is_empty() && !line.to_ascii_lowercase().starts_with("content-length:"));
        others.fold(String::new(), |head, line| head + line + "\r\n") + &format!("content-length: {length}\r\n\r\n")
    }

    /// Method and path, for the table.
    fn name(&self) -> String {
        self.head.split(' ').take(2).collect::<Vec<_>>().join(" ").split('?').next().unwrap_or_default().to_owned()
    }
}

#[derive(Default)]
struct State {
    central: Option<SocketAddr>,
    plan: Option<(usize, MessageFault)>,
    seen: Vec<String>,
    hit: bool,
    /// A request that comes late.
    held: Option<Message>,
    /// The answer before.
    before: Message,
}

struct Shared {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    state: Mutex<State>,
    turned: Condvar,
}

/// Noon of the tests: the certificates are judged by it.
#[derive(Debug)]
struct At(u64);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0)))
    }
}

/// A port of this machine that will be the relay's; central has to know it before it exists.
pub struct Reserved(TcpListener);

impl Reserved {
    pub fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.0.local_addr().unwrap().port())
    }
}

pub struct Relay(Arc<Shared>);

impl Relay {
    /// Stands before the central service whose folder is `central`; certificates are judged at `now` (seconds since 1970).
    pub fn start(reserved: Reserved, central: &Path, tls_root: &[u8], now: i64) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let leaf = std::fs::read(central.join("certificates/tls.der")).unwrap();
        let key = p256::SecretKey::from_slice(&std::fs::read(central.join("keys/tls.key")).unwrap()).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.to_pkcs8_der().unwrap().as_bytes().to_vec());
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(leaf)], key.into())
            .unwrap();
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(tls_root.to_vec())).unwrap();
        let client = ClientConfig::builder_with_details(provider, Arc::new(At(u64::try_from(now).unwrap())))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let shared =
            Arc::new(Shared { server: Arc::new(server), client: Arc::new(client), state: Mutex::default(), turned: Condvar::new() });
        let taking = shared.clone();
        std::thread::spawn(move || {
            for device in reserved.0.incoming().flatten() {
                let shared = taking.clone();
                std::thread::spawn(move || {
                    let wire = device.try_clone().unwrap();
                    // However it ends, the device's connection ends with it, without a farewell.
                    let _ = shared.serve(device);
                    let _ = wire.shutdown(Shutdown::Both);
                });
            }
        });
        Self(shared)
    }

    /// From now on messages go to this central, are counted from 0, and pass.
    pub fn begin(&self, central: SocketAddr) {
        *self.0.state() = State { central: Some(central), ..State::default() };
    }

    /// Central is gone: every connection is cut.
    pub fn end(&self) {
        *self.0.state() = State::default();
    }

    /// Counts from 0 again; the message with number `at` meets `fault`.
    pub fn arm(&self, at: usize, fault: MessageFault) {
        let mut state = self.0.state();
        state.seen.clear();
        state.plan = Some((at, fault));
        state.hit = false;
    }

    /// Messages pass from now on. Gives what was seen since counting began.
    pub fn disarm(&self) -> Vec<String> {
        let mut state = self.0.state();
        state.plan = None;
        std::mem::take(&mut state.seen)
    }

    /// Whether the planned message came.
    pub fn was_hit(&self) -> bool {
        self.0.state().hit
    }

    /// Central sees the request that is late now.
    pub fn release(&self) {
        let held = {
            let (mut state, ended) =
                self.0.turned.wait_timeout_while(self.0.state(), Duration::from_secs(10), |s| s.held.is_none()).unwrap();
            assert!(!ended.timed_out(), "a late message must be held");
            state.held.take().unwrap()
        };
        // Nobody reads the answer.
        let _ = self.0.ask(&mut None, &held);
    }
}

type Upstream = StreamOwned<ClientConnection, TcpStream>;

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Counts a message; its fault, if it is the planned one.
    fn turn(&self, request: &Message) -> Option<MessageFault> {
        let mut state = self.state();
        let number = state.seen.len();
        state.seen.push(request.name());
        let fault = state.plan.filter(|(at, _)| *at == number && !state.hit).map(|(_, fault)| fault);
        state.hit |= fault.is_some();
        fault
    }

    /// What central answers, over the connection at hand or a new one.
    fn ask(&self, upstream: &mut Option<Upstream>, request: &Message) -> io::Result<Message> {
        let stream = if let Some(stream) = upstream { stream } else { upstream.insert(self.connect()?) };
        stream.write_all(&request.bytes())?;
        stream.flush()?;
        Message::read(stream)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn connect(&self) -> io::Result<Upstream> {
        let central = self.state().central.ok_or(io::ErrorKind::NotConnected)?;
        let tcp = TcpStream::connect(central)?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(Duration::from_mins(1)))?;
        let connection = ClientConnection::new(self.client.clone(), ServerName::try_from("localhost").unwrap());
        Ok(StreamOwned::new(connection.map_err(io::Error::other)?, tcp))
    }

    fn serve(&self, device: TcpStream) -> io::Result<()> {
        device.set_nodelay(true)?;
        device.set_read_timeout(Some(Duration::from_mins(2)))?;
        let connection = ServerConnection::new(self.server.clone()).map_err(io::Error::other)?;
        let mut device = StreamOwned::new(connection, device);
        let mut upstream = None;
        while let Some(request) = Message::read(&mut device)? {
            let answer = match self.turn(&request) {
                None => {
                    let answer = self.ask(&mut upstream, &request)?;
                    self.state().before = answer.clone();
                    answer
                }
                Some(fault) => match self.harm(fault, &mut device, &mut upstream, &request)? {
                    Some(answer) => answer,
                    None => return Ok(()),
                },
            };
            device.write_all(&answer.bytes())?;
            device.flush()?;
        }
        Ok(())
    }

    /// The answer that the device gets; `None`: nothing more comes over this connection.
    fn harm(
        &self,
        fault: MessageFault,
        device: &mut (impl Read + Write),
        upstream: &mut Option<Upstream>,
        request: &Message,
    ) -> io::Result<Option<Message>> {
        match fault {
            MessageFault::RequestLost => return Ok(None),
            MessageFault::BadGateway => return Ok(Some(Message::html("502 Bad Gateway"))),
            MessageFault::LateBeforeRetry | MessageFault::LateAfterRetry => {
                self.state().held = Some(request.clone());
                self.turned.notify_all();
                // Until the device hangs up.
                while device.read(&mut [0; 64])? > 0 {}
                return Ok(None);
            }
            _ => {}
        }
        let answer = self.ask(upstream, request)?;
        let half = answer.body.len() / 2;
        let broken = match fault {
            MessageFault::Slow => {
                std::thread::sleep(Duration::from_millis(40));
                return Ok(Some(answer));
            }
            MessageFault::TwiceFirst => {
                self.ask(upstream, request)?;
                return Ok(Some(answer));
            }
            MessageFault::TwiceSecond => return self.ask(upstream, request).map(Some),
            MessageFault::Unavailable => return Ok(Some(Message::html("503 Service Unavailable"))),
            MessageFault::BodyHalved => return Ok(Some(answer.with_body(answer.body[..half].to_vec()))),
            MessageFault::Noise => return Ok(Some(answer.with_body(noise(answer.body.len().max(64))))),
            MessageFault::AnotherAnswer => {
                let before = self.state().before.clone();
                let empty = || Message { head: "HTTP/1.1 200 OK\r\n\r\n".to_owned(), ..Message::default() }.with_body(b"{}".to_vec());
                return Ok(Some(if before.head.is_empty() { empty() } else { before }));
            }
            MessageFault::HeadCut => answer.head.as_bytes()[..answer.head.len() / 2].to_vec(),
            MessageFault::BodyCut => {
                // An answer without a body is cut too: it announces one.
                let head = answer.announcing(answer.body.len().max(2));
                [head.as_bytes(), &answer.body[..half]].concat()
            }
            MessageFault::NotHttp => noise(300),
            MessageFault::TooLarge => [answer.announcing(1 << 30).as_bytes(), &answer.body].concat(),
            MessageFault::AnswerLost => Vec::new(),
            _ => unreachable!("answered above"),
        };
        device.write_all(&broken)?;
        device.flush()?;
        Ok(None)
    }
}

/// Bytes that mean nothing, the same every time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[1]
    };
    (0..length).map(|_| next()).collect()
}
