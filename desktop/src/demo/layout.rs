//! The demo's folder: what lies where, and its end.
use std::path::{Path, PathBuf};

use crate::trouble::Trouble;

/// The demo's folder, from its making to its end. A temporary one is removed with everything in it.
#[derive(Debug)]
pub struct Layout {
    paths: Paths,
    temporary: Option<tempfile::TempDir>,
}

/// Where what lies.
#[derive(Debug, Clone)]
pub struct Paths(PathBuf);

impl Layout {
    /// Uses `dir` (new or empty), or a new temporary folder.
    pub fn new(dir: Option<&Path>) -> Result<Self, Trouble> {
        let place = dir.map_or_else(std::env::temp_dir, Path::to_owned);
        let failed = |e| Trouble::outside(&format!("making the demo's folder ({})", place.display()), e);
        let layout = if let Some(dir) = dir {
            std::fs::create_dir_all(dir).map_err(failed)?;
            let root = dir.canonicalize().map_err(failed)?;
            if std::fs::read_dir(&root).map_err(failed)?.next().is_some() {
                return Err(Trouble::usage(format!("{} is not empty; give the demo a new or an empty folder", dir.display())));
            }
            Self { paths: Paths(root), temporary: None }
        } else {
            let temporary = tempfile::Builder::new().prefix("citizen-wallet-demo-").tempdir().map_err(failed)?;
            Self { paths: Paths(temporary.path().to_owned()), temporary: Some(temporary) }
        };
        for folder in [layout.paths.qr(), layout.paths.answers(), layout.paths.anchors(), layout.paths.carried()] {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        private(&layout.paths.0).map_err(failed)?;
        Ok(layout)
    }

    /// The folder that has to be gone when the program is interrupted.
    pub fn temporary_path(&self) -> Option<PathBuf> {
        self.temporary.as_ref().map(|t| t.path().to_owned())
    }

    /// Where what lies.
    pub fn paths(&self) -> Paths {
        self.paths.clone()
    }

    /// Removes a temporary folder; tells when that is not possible.
    pub fn close(self) -> Result<(), Trouble> {
        self.temporary.map_or(Ok(()), |t| t.close().map_err(|e| Trouble::outside("removing the demo's folder", e)))
    }
}

impl Paths {
    /// A citizen's phone.
    pub fn phone(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A staff device.
    pub fn officer(&self, name: &str) -> PathBuf {
        self.0.join("officer").join(name)
    }

    /// `path` as it is named in the demo's folder.
    pub fn name_of(&self, path: &Path) -> String {
        path.strip_prefix(&self.0).unwrap_or(path).to_string_lossy().into_owned()
    }

    /// The central service.
    pub fn central(&self) -> PathBuf {
        self.0.join("central")
    }

    /// What passed on the way.
    pub fn record(&self) -> PathBuf {
        self.0.join("record")
    }

    /// Pictures of QR codes.
    pub fn qr(&self) -> PathBuf {
        self.record().join("qr")
    }

    /// What apps are built with: roots.
    pub fn anchors(&self) -> PathBuf {
        self.record().join("anchors")
    }

    /// Public lists that one staff device carried to another.
    pub fn carried(&self) -> PathBuf {
        self.record().join("carried")
    }

    /// Answers as the verifiers decrypted them.
    pub fn answers(&self) -> PathBuf {
        self.record().join("answers")
    }
}

fn private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))
}
