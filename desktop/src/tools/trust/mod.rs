//! `trust ...`: the trust updater's client as a command, over any TUF repository. It speaks the command line that the conformance suite of The
//! Update Framework expects of a client (`docs/measurements/tuf-conformance.md`): a refusal, of whatever kind, ends with 1.
mod loopback;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use wallet_base::time::Timestamp;
use wallet_platform::http::{Http, HttpConfig};
use wallet_platform::tuf::{HttpSource, RepositoryClient, TargetInfo, TrustSource};

use crate::cli::{TrustClientArgs, TrustClientCommand};
use crate::ports::DesktopClock;
use crate::screen::{complain, print_line};
use crate::trouble::{DONE, REJECTED, Trouble};
use loopback::Loopback;

/// The root that `init` was given, beside what the client keeps.
const PINNED: &str = "pinned-root";

/// Runs one of the commands.
pub fn run(arguments: TrustClientArgs) -> Result<u8, Trouble> {
    let outcome = match &arguments.command {
        TrustClientCommand::Init { root } => return init(metadata_dir(&arguments)?, root),
        TrustClientCommand::Refresh => client(&arguments)?.refresh(),
        TrustClientCommand::Download => download(&arguments)?,
    };
    match outcome {
        Ok(()) => Ok(DONE),
        Err(why) => {
            complain(&why);
            Ok(REJECTED)
        }
    }
}

/// An option of every command, before or after its word; the parser cannot ask for such a one by itself.
fn metadata_dir(arguments: &TrustClientArgs) -> Result<&Path, Trouble> {
    arguments.metadata_dir.as_deref().ok_or_else(|| Trouble::usage("--metadata-dir is missing"))
}

/// Only that it is a root is looked at here: the first refresh checks it, before it asks anybody for anything.
fn init(dir: &Path, root: &Path) -> Result<u8, Trouble> {
    let bytes = std::fs::read(root).map_err(|e| Trouble::usage(format!("{}: {e}", root.display())))?;
    let is_root = serde_json::from_slice::<Value>(&bytes).is_ok_and(|v| v.pointer("/signed/_type").is_some_and(|kind| kind == "root"));
    if !is_root {
        return Err(Trouble::usage(format!("{}: not the metadata of a root (root.json); nothing was kept", root.display())));
    }
    super::super::commands::make_folder(dir)?;
    for name in [PINNED, "root.json"] {
        std::fs::write(dir.join(name), &bytes).map_err(|e| Trouble::outside(&format!("writing {name}"), e))?;
    }
    print_line("The root is kept; nothing was fetched.");
    Ok(DONE)
}

/// The client, or the refusal of its root.
struct Opened(Result<RepositoryClient, String>);

impl Opened {
    fn refresh(self) -> Result<(), String> {
        self.0.and_then(|mut client| client.refresh().map_err(|e| e.to_string()))
    }
}

fn client(arguments: &TrustClientArgs) -> Result<Opened, Trouble> {
    let dir = metadata_dir(arguments)?;
    let pinned = std::fs::read(dir.join(PINNED)).map_err(|_| Trouble::usage(format!("{}: run `trust init` first", dir.display())))?;
    let metadata = arguments.metadata_url.as_deref().ok_or_else(|| Trouble::usage("--metadata-url is missing"))?;
    let source = source(metadata, arguments.target_base_url.as_deref().unwrap_or(metadata), arguments.tls_root.as_deref())?;
    let now = Timestamp::from_unix(DesktopClock::default().now());
    Ok(Opened(RepositoryClient::new(&pinned, dir, source, now).map_err(|e| e.to_string())))
}

/// `https://` with a pinned root by the app's own HTTP client; `http://` on the loopback interface alone, for tests, in this tool alone.
fn source(metadata: &str, targets: &str, tls_root: Option<&Path>) -> Result<Arc<dyn TrustSource>, Trouble> {
    if metadata.starts_with("http://") {
        return Ok(Arc::new(Loopback::new(metadata, targets).map_err(Trouble::usage)?));
    }
    let unusable = || Trouble::usage("--metadata-url and --target-base-url must be https:// addresses of one host (or http://127.0.0.1)");
    let split = |url: &str| -> Option<(String, String)> {
        let rest = url.strip_prefix("https://")?;
        let (host, path) = rest.split_once('/')?;
        Some((format!("https://{host}"), format!("/{path}")))
    };
    let ((host, metadata), (other, targets)) = (split(metadata).ok_or_else(unusable)?, split(targets).ok_or_else(unusable)?);
    if host != other {
        return Err(unusable());
    }
    let root = tls_root.ok_or_else(|| Trouble::usage("--tls-root is missing: an https:// repository is trusted by one pinned root"))?;
    let root = std::fs::read(root).map_err(|e| Trouble::usage(format!("{}: {e}", root.display())))?;
    let http = Http::new(HttpConfig::new(host, root)).map_err(|e| Trouble::usage(e.to_string()))?;
    Ok(Arc::new(HttpSource::new(http, &metadata, &targets)))
}

fn download(arguments: &TrustClientArgs) -> Result<Result<(), String>, Trouble> {
    let dir = arguments.target_dir.as_deref().ok_or_else(|| Trouble::usage("--target-dir is missing"))?;
    if arguments.target_base_url.is_none() || arguments.target_name.is_empty() {
        return Err(Trouble::usage("--target-base-url or --target-name is missing"));
    }
    let opened = client(arguments)?;
    Ok(opened.0.and_then(|mut client| {
        client.refresh().map_err(|e| e.to_string())?;
        arguments.target_name.iter().try_for_each(|name| fetch(&mut client, name, dir))
    }))
}

fn fetch(client: &mut RepositoryClient, name: &str, dir: &Path) -> Result<(), String> {
    let found: Option<TargetInfo> = client.find(name).map_err(|e| e.to_string())?;
    let info = found.ok_or("no such target is listed by any role that may list it")?;
    let path = stored_at(dir, name);
    // What is here already and still is what was described is not fetched again.
    if std::fs::read(&path).is_ok_and(|bytes| info.matches(&bytes)) {
        return Ok(());
    }
    let bytes = client.fetch(name, &info).map_err(|e| e.to_string())?;
    std::fs::write(&path, bytes).map_err(|e| format!("{}: {e}", path.display()))
}

/// One file for each target path: the path quoted, so that it leads nowhere else.
fn stored_at(dir: &Path, name: &str) -> PathBuf {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let quoted = name
        .bytes()
        .fold("t-".to_owned(), |text, byte| if plain(byte) { format!("{text}{}", char::from(byte)) } else { format!("{text}%{byte:02X}") });
    dir.join(quoted)
}
