use std::fmt;
use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::StoreError;
use crate::database::{Database, DatabaseError, Faults};

/// Where things are kept.
#[derive(Clone)]
pub struct StoreSettings {
    /// A folder for the embedded database, or `postgres://…` for a server.
    pub url: Box<str>,
    /// The file with the key to all secrets, as in `data/key`.
    pub key_file: PathBuf,
    /// A new system may be made where there is none.
    pub may_found: bool,
    /// Faults that tests order; none by default.
    pub faults: Faults,
}

impl StoreSettings {
    /// The embedded database and its key in this folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            url: folder.display().to_string().into(),
            key_file: folder.join("key"),
            may_found: true,
            faults: Faults::default(),
        }
    }

    /// A PostgreSQL server, with the key in this file.
    pub fn on_server(url: &str, key_file: &Path) -> Self {
        let faults = Faults::default();
        Self { url: url.into(), key_file: key_file.into(), may_found: true, faults }
    }

    /// The same, where there must be a system already.
    #[must_use]
    pub fn existing(self) -> Self {
        Self { may_found: false, ..self }
    }

    /// The database is the built-in one, which has one node.
    pub fn is_built_in(&self) -> bool {
        !self.source().is_shared()
    }

    /// Refuses a folder in which there is no database, where there must be one: where it may not be
    /// made, and where a key tells that there was one.
    pub(crate) fn check_place(&self) -> Result<(), StoreError> {
        let Source::File { path, .. } = self.source() else { return Ok(()) };
        let there = |path: &Path| {
            path.try_exists()
                .map_err(|error| StoreError::Settings(format!("{}: {error}", path.display())))
        };
        let key = there(&self.key_file)?;
        if there(&path)? || (self.may_found && !key) {
            return Ok(());
        }
        let beside = if key { ", though its key is here" } else { "" };
        let missed = self.missed();
        Err(StoreError::Settings(format!("there is no {}{beside}. {missed}", path.display())))
    }

    /// What to do where a database is missed.
    fn missed(&self) -> String {
        let place = match self.source() {
            Source::File { .. } => format!("--data {}", self.url),
            // The address may hold a password.
            Source::Server(_) => "--database postgres://…".to_owned(),
        };
        format!(
            "Is it the right place? To get a lost system back, restore a backup into it: jackfield \
             restore {place} FILE. To start a new one on purpose, take an empty data folder"
        )
    }

    /// Refuses a place where there is no system to back up.
    pub(crate) fn check_there(&self) -> Result<(), StoreError> {
        match self.source() {
            Source::File { path, .. } if !path.exists() => Err(StoreError::Settings(format!(
                "there is no {}. Name the data folder of the server: --data FOLDER",
                path.display()
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses an empty database, where there must be a system.
    pub(crate) fn check_founding(&self, is_new: bool) -> Result<(), StoreError> {
        if is_new && !self.may_found {
            return Err(StoreError::Settings(format!("the database is empty. {}", self.missed())));
        }
        Ok(())
    }

    pub(crate) fn source(&self) -> Source {
        if self.url.starts_with("postgres://") || self.url.starts_with("postgresql://") {
            Source::Server(self.url.clone())
        } else {
            let path = Path::new(&*self.url).join("jackfield.db");
            Source::File { path, faults: self.faults.clone() }
        }
    }
}

impl fmt::Debug for StoreSettings {
    /// Without the password that the address may hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.source() {
            Source::File { path, .. } => path.display().to_string(),
            Source::Server(_) => "postgres://(redacted)".to_owned(),
        };
        f.debug_struct("StoreSettings")
            .field("url", &place)
            .field("key_file", &self.key_file)
            .finish_non_exhaustive()
    }
}

/// How to reach the database.
#[derive(Clone)]
pub(crate) enum Source {
    File { path: PathBuf, faults: Faults },
    Server(Box<str>),
}

impl Source {
    pub(crate) fn connect(&self) -> Result<Database, DatabaseError> {
        match self {
            Self::File { path, faults } => Database::open_sqlite(path, faults.clone()),
            Self::Server(url) => Database::open_postgres(url),
        }
    }

    /// Makes the folder and the file of an embedded database, for its owner only.
    pub(crate) fn prepare(&self) -> Result<(), StoreError> {
        let Self::File { path, .. } = self else { return Ok(()) };
        let Some(folder) = path.parent() else { return Ok(()) };
        let failed = |what: &Path, error: std::io::Error| {
            StoreError::Settings(format!("{}: {error}", what.display()))
        };
        let mut folders = DirBuilder::new();
        folders.recursive(true).mode(0o700);
        folders.create(folder).map_err(|error| failed(folder, error))?;
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600);
        options.open(path).map(drop).map_err(|error| failed(path, error))
    }

    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Server(_))
    }
}
