use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap as Headers, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use futures::StreamExt;
use wallet_base::time::FixedTime;

use super::*;
use crate::testing::{Authority, Running, now, serve};

const VALID: (i64, i64) = (-3600, 30 * 86_400);

fn drip(pause: Duration, chunks: usize) -> Body {
    let chunk = move |_| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, std::io::Error>(Bytes::from_static(b"x"))
    };
    Body::from_stream(futures::stream::iter(0..chunks).then(chunk))
}

fn app() -> Router {
    Router::new()
        .route("/echo", post(|headers: Headers, body: Bytes| async move { (headers, body) }))
        .route("/hello", get(|| async { ([("x-thing", "7")], "hello") }))
        .route("/api/hello", get(|| async { "hello below a prefix" }))
        .route("/teapot", get(|| async { (StatusCode::IM_A_TEAPOT, "{\"error\":\"x\"}") }))
        .route("/redirect", get(|| async { Redirect::temporary("/hello") }))
        .route("/away", get(|| async { Redirect::permanent("https://example.com/") }))
        .route("/large", get(|| async { vec![0u8; 100_000] }))
        .route("/endless", get(|| async { Body::from_stream(futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0u8; 8192]))) }))
        .route("/silent", get(|| async { drip(Duration::from_secs(20), 1) }))
        .route("/slow", get(|| async { drip(Duration::from_millis(200), 1000) }))
        .route(
            "/dropped",
            get(|| async {
                let broken = futures::stream::iter([Ok(Bytes::from_static(b"half")), Err(std::io::Error::other("gone"))]);
                ([("content-length", "100")], Body::from_stream(broken)).into_response()
            }),
        )
        .route("/gzip", get(|request: Request| async move { format!("{:?}", request.headers().get("accept-encoding")) }))
}

fn world() -> (Authority, Running, Http) {
    let authority = Authority::new();
    let server = serve(app(), authority.server(VALID));
    let http = Http::new(authority.client(server.address)).unwrap();
    (authority, server, http)
}

#[test]
fn requests_and_answers_are_whole() {
    let (_authority, server, http) = world();
    let hello = http.get("/hello", &[]).unwrap();
    assert_eq!((hello.status, hello.body.as_slice(), hello.header("X-Thing")), (200, b"hello".as_slice(), Some("7")));
    assert!(hello.is_success());
    let json = serde_json::json!({"a": [1, 2], "b": "Nguyễn"});
    let echo = http.post_json("echo", &[("DPoP", "proof")], &json).unwrap();
    assert_eq!(echo.json::<serde_json::Value>().unwrap(), json);
    assert_eq!((echo.header("dpop"), echo.header("content-type")), (Some("proof"), Some("application/json")));
    let form = http.post_form("echo", &[], &[("grant_type", "urn:x:y"), ("code", "a b&c")]).unwrap();
    assert_eq!(form.body, b"grant_type=urn%3Ax%3Ay&code=a+b%26c");
    assert_eq!(form.header("content-type"), Some("application/x-www-form-urlencoded"));
    // Other statuses are answers; what they mean is the caller's business.
    assert_eq!(http.get("/teapot", &[]).unwrap().status, 418);
    assert_eq!(http.get("/nothing", &[]).unwrap().status, 404);
    assert_eq!(hello.json::<u8>(), Err(HttpError::Malformed));
    assert_eq!(http.url("/a/b?c=d").unwrap(), format!("https://localhost:{}/a/b?c=d", server.address.port()));
}

#[test]
fn it_works_on_a_runtimes_thread_and_is_dropped_there() {
    let (_authority, _server, http) = world();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        assert_eq!(http.get("/hello", &[]).unwrap().body, b"hello");
        drop(http);
    });
}

#[test]
fn the_thread_of_the_network_is_wiped_while_it_waits() {
    let (authority, server, _) = world();
    let http = Http::on_thread("http-waits", authority.client(server.address)).unwrap();
    assert!(crate::worker::tests::is_wiped("http-waits", || assert!(http.get("/hello", &[]).unwrap().is_success())));
}

#[test]
fn a_prefix_of_the_base_url_stays() {
    let (authority, server, _) = world();
    let mut config = authority.client(server.address);
    config.base_url.push_str("/api");
    let http = Http::new(config).unwrap();
    assert_eq!(http.get("/hello", &[]).unwrap().body, b"hello below a prefix");
    assert!(http.base_url().ends_with("/api"));
}

#[test]
fn another_root_is_refused() {
    let (_, server, _) = world();
    let stranger = Authority::new();
    let http = Http::new(stranger.client(server.address)).unwrap();
    assert_eq!(http.get("/hello", &[]), Err(HttpError::Tls));
}

#[test]
fn another_host_name_is_refused() {
    let authority = Authority::new();
    let server = serve(app(), authority.server_elsewhere(VALID));
    assert_eq!(Http::new(authority.client(server.address)).unwrap().get("/hello", &[]), Err(HttpError::Tls));
}

#[test]
fn certificates_are_judged_by_the_given_clock() {
    let authority = Authority::new();
    let server = serve(app(), authority.server(VALID));
    let at = |seconds: i64| {
        let time: Arc<dyn TimeSource> = Arc::new(FixedTime(now().plus_secs(seconds)));
        let config = HttpConfig { time: Some(time), ..authority.client(server.address) };
        Http::new(config).unwrap().get("/hello", &[]).map(|r| r.status)
    };
    assert_eq!(at(0), Ok(200));
    assert_eq!(at(31 * 86_400), Err(HttpError::CertificateTime), "expired");
    assert_eq!(at(-7200), Err(HttpError::CertificateTime), "not yet valid");
    assert_eq!(at(-now().unix() - 1), Err(HttpError::CertificateTime), "before 1970");
}

#[test]
fn bad_input_an_old_certificate_of_a_stranger_says_nothing_of_the_clock() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (own, elsewhere) = (serve(app(), authority.server(VALID)), serve(app(), authority.server_elsewhere(VALID)));
    for seconds in [31 * 86_400, -7200] {
        let answer = |config: HttpConfig| {
            let time: Arc<dyn TimeSource> = Arc::new(FixedTime(now().plus_secs(seconds)));
            Http::new(HttpConfig { time: Some(time), ..config }).unwrap().get("/hello", &[]).map(|response| response.status)
        };
        assert_eq!(answer(authority.client(own.address)), Err(HttpError::CertificateTime), "{seconds}");
        assert_eq!(answer(stranger.client(own.address)), Err(HttpError::Tls), "another root, {seconds}");
        assert_eq!(answer(authority.client(elsewhere.address)), Err(HttpError::Tls), "another host, {seconds}");
    }
}

#[test]
fn plain_http_is_refused_by_name() {
    let authority = Authority::new();
    let with = |base: &str| {
        let config = HttpConfig::new(base, authority.root.der());
        Http::new(config).err()
    };
    assert_eq!(with("http://localhost:1"), Some(HttpError::PlainHttp));
    assert_eq!(with("HTTP://localhost"), Some(HttpError::PlainHttp));
    for odd in ["ftp://localhost", "localhost:1", "", "https://", "https://user:pw@localhost", "https://localhost/?x=1"] {
        assert_eq!(with(odd), Some(HttpError::Request), "{odd}");
    }
    let config = HttpConfig::new("https://localhost", b"no certificate".to_vec());
    assert_eq!(Http::new(config).err(), Some(HttpError::Settings));
}

#[test]
fn a_plain_http_server_behind_the_port_is_no_service() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1000]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    });
    assert_eq!(Http::new(authority.client(address)).unwrap().get("/hello", &[]), Err(HttpError::Malformed));
}

#[test]
fn redirects_are_refused() {
    let (_authority, _server, http) = world();
    assert_eq!(http.get("/redirect", &[]), Err(HttpError::Redirect));
    assert_eq!(http.get("/away", &[]), Err(HttpError::Redirect));
}

#[test]
fn paths_cannot_leave_the_base_url() {
    let (authority, server, http) = world();
    let mut config = authority.client(server.address);
    config.base_url.push_str("/api");
    let below = Http::new(config).unwrap();
    for odd in ["//example.com/x", "https://example.com/x", "/../hello", "../hello", "a/../../hello", "\\\\example.com", "x//y", "a:b"] {
        for client in [&http, &below] {
            let url = client.url(odd);
            let inside = url.as_ref().is_ok_and(|u| u.starts_with(client.base_url()));
            assert!(url == Err(HttpError::Request) || inside, "{odd}: {url:?}");
        }
    }
    assert_eq!(below.url("/%2e%2e/hello"), Err(HttpError::Request));
    assert_eq!(http.get("/hello", &[("bad name", "x")]), Err(HttpError::Request));
    assert_eq!(http.get("/hello", &[("x", "a\r\nb: c")]), Err(HttpError::Request));
}

#[test]
fn bad_input_the_relays_answer_too_large() {
    let (_authority, _server, http) = world();
    assert_eq!(http.get("/large", &[]), Err(HttpError::TooLarge), "announced");
    assert_eq!(http.get("/endless", &[]), Err(HttpError::TooLarge), "not announced");
    assert_eq!(http.get_capped("/large", &[], 100_000).unwrap().body.len(), 100_000);
    assert_eq!(http.get_capped("/large", &[], 99_999), Err(HttpError::TooLarge));
    // Announced as larger than any memory, with one byte sent: refused by what it says of itself, nothing is set aside for it.
    let authority = Authority::new();
    let (address, _) = raw(&authority, |out| {
        let _ = out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\n\r\nx");
    });
    assert_eq!(Http::new(authority.client(address)).unwrap().get("/hello", &[]), Err(HttpError::TooLarge));
    // A head without end is given up long before it fills a memory.
    let (address, sent) = raw(&authority, |out| {
        let _ = out.write_all(b"HTTP/1.1 200 OK\r\n");
        for number in 0.. {
            if out.write_all(format!("x-{number}: {}\r\n", "y".repeat(1000)).as_bytes()).is_err() {
                return;
            }
        }
    });
    let refused = Http::new(authority.client(address)).unwrap().get("/hello", &[]);
    assert!(matches!(refused, Err(HttpError::TooLarge | HttpError::Malformed | HttpError::Dropped)), "{refused:?}");
    assert!(sent.load(Ordering::SeqCst) < 8 << 20, "{} bytes were taken", sent.load(Ordering::SeqCst));
}

/// A TLS server that reads one request and then writes whatever it wants; and how much it could write.
fn raw(authority: &Authority, say: impl Fn(&mut dyn Write) + Send + 'static) -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    struct Counted<W>(W, Arc<AtomicUsize>);
    impl<W: Write> Write for Counted<W> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let written = self.0.write(bytes)?;
            self.1.fetch_add(written, Ordering::SeqCst);
            Ok(written)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            self.0.flush()
        }
    }
    let config = authority.server(VALID).get_inner();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = rustls::Stream::new(&mut connection, &mut stream);
            let _ = tls.read(&mut [0; 4096]);
            say(&mut Counted(tls, Arc::clone(&count)));
        }
    });
    (address, sent)
}

#[test]
fn bad_input_the_relays_answer_too_slow() {
    let (_authority, _server, http) = world();
    for path in ["/silent", "/slow"] {
        let started = Instant::now();
        assert_eq!(http.get(path, &[]), Err(HttpError::Timeout), "{path}");
        assert!(started.elapsed() < Duration::from_secs(4), "{path}");
    }
    // And the client is usable afterwards.
    assert_eq!(http.get("/hello", &[]).unwrap().status, 200);
    // A head, and a body, that dribble: never silent for long, and yet an end to the whole exchange.
    let authority = Authority::new();
    for whole in [
        &b"HTTP/1.1 200 OK\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nbbbbbbbbbbbbb",
    ] {
        let (address, _) = raw(&authority, move |out| {
            for byte in whole.iter().cycle().take(whole.len() + 100) {
                if out.write_all(&[*byte]).and_then(|()| out.flush()).is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        let started = Instant::now();
        assert_eq!(Http::new(authority.client(address)).unwrap().get("/hello", &[]), Err(HttpError::Timeout));
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_dropped_connection_is_named() {
    let (_authority, _server, http) = world();
    assert_eq!(http.get("/dropped", &[]), Err(HttpError::Dropped));
    assert!(HttpError::Dropped.is_transient());
}

#[test]
fn a_handshake_that_hangs_or_breaks_ends_in_time() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming().flatten() {
            // The first is held open in silence, the next ones are closed at once.
            if count.fetch_add(1, Ordering::SeqCst) == 0 {
                held.push(stream);
            }
        }
    });
    let http = Http::new(authority.client(address)).unwrap();
    assert_eq!(http.get("/hello", &[]), Err(HttpError::Timeout));
    let broken = http.get("/hello", &[]);
    assert!(matches!(broken, Err(HttpError::Unreachable | HttpError::Dropped)), "{broken:?}");
}

#[test]
fn nobody_there_is_unreachable() {
    let authority = Authority::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let http = Http::new(authority.client(free)).unwrap();
    assert_eq!(http.get("/hello", &[]), Err(HttpError::Unreachable));
    let mut config = authority.client(free);
    config.base_url = "https://no-such-host.invalid".to_owned();
    assert_eq!(Http::new(config).unwrap().get("/hello", &[]), Err(HttpError::Unreachable));
}

#[test]
fn nothing_compressed_is_asked_for() {
    let (_authority, _server, http) = world();
    assert_eq!(http.get("/gzip", &[]).unwrap().body, b"None");
}

#[test]
fn debug_and_errors_say_nothing_of_the_content() {
    let response = HttpResponse { status: 200, headers: vec![("set".into(), "secret".into())], body: b"secret".to_vec() };
    let text = format!("{response:?}");
    assert!(text.contains("200") && !text.contains("secret"));
    assert_eq!(HttpError::Tls.to_string(), "the service's certificate is not trusted");
}
