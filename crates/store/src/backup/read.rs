use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jackfield_model::hexadecimal;
use jackfield_vocabulary::SecretText;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::table::{TABLES, Table};
use super::{BackupSummary, FORMAT, Footer, Header};
use crate::database::{Database, SCHEMA, Value, migrate, widen};
use crate::key::Key;
use crate::settings::{Source, StoreSettings};
use crate::vault::{self, wrapped};
use crate::{StoreError, clock};

/// Longest line that is read; an object's body is far below it.
const LONGEST: u64 = 64 * 1024 * 1024;

pub(super) fn restore(
    settings: &StoreSettings,
    from: &Path,
    passphrase: Option<&SecretText>,
    progress: &mut dyn FnMut(u64),
) -> Result<BackupSummary, StoreError> {
    let broken = |message: String| StoreError::backup(from, message);
    // Nothing is written before the whole file was found to be whole.
    let rows = check(from)?;
    let mut lines = Lines::open(from)?;
    let header = header(&mut lines)?;
    let held = header.key.release(passphrase).map_err(broken)?;
    let fresh = Fresh::of(settings);
    fill(settings, from, (rows, &header, &held), lines, progress)
        .inspect_err(|_| fresh.remove())?;
    progress(rows);
    Ok(BackupSummary { created: header.created, rows, protected: header.key.is_protected() })
}

/// Makes the database and fills it, all or nothing.
fn fill(
    settings: &StoreSettings,
    from: &Path,
    (rows, header, held): (u64, &Header, &Key),
    mut lines: Lines<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), StoreError> {
    let broken = |message: String| StoreError::backup(from, message);
    let source = settings.source();
    source.prepare()?;
    let mut database = source.connect()?;
    migrate(&mut database, header.schema)?;
    let key = match settings.key_file.exists() {
        true => Key::from_file(&settings.key_file, false)?,
        false => held.clone(),
    };
    database.transaction(|database| {
        if wrapped(database)?.is_some() {
            return Err(StoreError::Settings(
                "the database is not empty: a backup is restored into an empty one only".into(),
            ));
        }
        let mut done = 0;
        while done < rows {
            let line = lines.next()?.ok_or_else(|| broken("it ends too early".into()))?;
            insert(database, &line).map_err(|error| match error {
                StoreError::Backup { message, .. } => broken(message),
                other => other,
            })?;
            done += 1;
            if done.is_multiple_of(1000) {
                progress(done);
            }
        }
        end_registrations(database)?;
        rewrap(database, held, &key)?;
        // Before the commit: a database without its key file would be of no use.
        if settings.key_file.exists() { Ok(()) } else { key.write(&settings.key_file) }
    })?;
    migrate(&mut database, SCHEMA)?;
    Ok(())
}

/// What a restore into an embedded database makes and nobody had before: a failed one takes it
/// away again.
struct Fresh {
    files: Vec<PathBuf>,
    /// The innermost first.
    folders: Vec<PathBuf>,
}

impl Fresh {
    fn of(settings: &StoreSettings) -> Self {
        let Source::File { path, .. } = settings.source() else {
            // A key that was written may belong to rows that a server keeps.
            return Self { files: Vec::new(), folders: Vec::new() };
        };
        let beside = |end: &str| PathBuf::from(format!("{}{end}", path.display()));
        let files = [path.clone(), beside("-wal"), beside("-shm"), settings.key_file.clone()];
        let missing = |place: &&Path| !place.as_os_str().is_empty() && !place.exists();
        let folders = path.ancestors().skip(1).take_while(missing).map(Path::to_owned);
        Self {
            files: files.into_iter().filter(|file| !file.exists()).collect(),
            folders: folders.collect(),
        }
    }

    /// What can't be removed stays: why the restore failed matters more.
    fn remove(&self) {
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
        for folder in &self.folders {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// Phones registered with the server that was backed up, which may be there still, and said nothing
/// to the one to come. Where they were stays known, for their files.
fn end_registrations(database: &mut Database) -> Result<(), StoreError> {
    let now = widen(clock::now().0);
    database.execute("UPDATE binding SET expires = ?1 WHERE expires > ?1", &[now])?;
    Ok(())
}

/// Seals the data key with the key file that is used from now on.
fn rewrap(database: &mut Database, held: &Key, key: &Key) -> Result<(), StoreError> {
    let wrapped =
        wrapped(database)?.ok_or_else(|| StoreError::Corrupt("it holds no data key".into()))?;
    let data = vault::unwrap(&wrapped, held)?;
    vault::wrap(database, &data, key)
}

/// Reads the whole file and compares its checksum; gives the number of rows.
fn check(path: &Path) -> Result<u64, StoreError> {
    let broken = |message: &str| StoreError::backup(path, message);
    let mut lines = Lines::open(path)?;
    header(&mut lines)?;
    let mut sum = Sha256::new();
    sum.update(&lines.last);
    let mut rows = 0;
    loop {
        let line = lines.next_bytes()?.ok_or_else(|| broken("it ends too early"))?;
        if line.first() == Some(&b'[') {
            sum.update(line);
            rows += 1;
            continue;
        }
        let footer: Footer =
            serde_json::from_slice(line).map_err(|_| broken("a line is damaged"))?;
        if footer.rows != rows || footer.sha256 != hexadecimal(&sum.finalize()) {
            return Err(broken("it is damaged: its checksum does not agree"));
        }
        return Ok(rows);
    }
}

fn header(lines: &mut Lines<'_>) -> Result<Header, StoreError> {
    let path = lines.path;
    let line = lines.next_bytes()?.unwrap_or_default();
    let header: Header = serde_json::from_slice(line)
        .map_err(|_| StoreError::backup(path, "it is no backup of Jackfield"))?;
    if header.format > FORMAT || header.schema > SCHEMA {
        return Err(StoreError::backup(path, "a newer program made it: this one is too old"));
    }
    Ok(header)
}

fn insert(database: &mut Database, line: &Json) -> Result<(), StoreError> {
    let damaged = || StoreError::backup(Path::new(""), "a line is damaged");
    let cells = line.as_array().ok_or_else(damaged)?;
    let (name, cells) = cells.split_first().ok_or_else(damaged)?;
    let table = TABLES.iter().find(|table| name == table.name).ok_or_else(damaged)?;
    if cells.len() != table.columns.len() {
        return Err(damaged());
    }
    let values = values(table, cells).ok_or_else(damaged)?;
    database.execute(table.insert, &values)?;
    Ok(())
}

fn values<'a>(table: &Table, cells: &'a [Json]) -> Option<Vec<Value<'a>>> {
    let value = |(letter, cell): (char, &'a Json)| match (letter, cell) {
        (_, Json::Null) => Some(Value::Null),
        ('n', Json::Number(number)) => number.as_i64().map(Value::Int),
        ('t', Json::String(text)) => Some(Value::from(&**text)),
        ('b', Json::String(text)) => STANDARD.decode(text).ok().map(|b| Value::Blob(b.into())),
        _ => None,
    };
    table.columns.chars().zip(cells).map(value).collect()
}

/// The lines of a file, one at a time.
struct Lines<'a> {
    path: &'a Path,
    file: BufReader<File>,
    last: Vec<u8>,
}

impl<'a> Lines<'a> {
    fn open(path: &'a Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(|error| StoreError::backup(path, error))?;
        Ok(Self { path, file: BufReader::new(file), last: Vec::new() })
    }

    fn next_bytes(&mut self) -> Result<Option<&[u8]>, StoreError> {
        self.last.clear();
        let read = Read::by_ref(&mut self.file)
            .take(LONGEST)
            .read_until(b'\n', &mut self.last)
            .map_err(|error| StoreError::backup(self.path, error))?;
        Ok((read > 0).then_some(&*self.last))
    }

    fn next(&mut self) -> Result<Option<Json>, StoreError> {
        let path = self.path;
        let Some(line) = self.next_bytes()? else { return Ok(None) };
        serde_json::from_slice(line)
            .map(Some)
            .map_err(|_| StoreError::backup(path, "a line is damaged"))
    }
}
