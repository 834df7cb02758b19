use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jackfield_model::hexadecimal;
use jackfield_vocabulary::SecretText;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::table::{TABLES, Table};
use super::{BackupSummary, FORMAT, Footer, Header, HeldKey};
use crate::database::{Database, DatabaseError, Row, SCHEMA, migrate};
use crate::key::Key;
use crate::settings::StoreSettings;
use crate::{StoreError, clock};

pub(super) fn backup(
    settings: &StoreSettings,
    to: &Path,
    passphrase: Option<&SecretText>,
    progress: &mut dyn FnMut(u64),
) -> Result<BackupSummary, StoreError> {
    if to.exists() {
        return Err(StoreError::backup(to, "it is there already, and is not replaced"));
    }
    settings.check_there()?;
    let key = Key::from_file(&settings.key_file, false)?;
    let mut database = settings.source().connect()?;
    migrate(&mut database, SCHEMA)?;
    let held = HeldKey::hold(&key, passphrase)?;
    let (protected, created) = (held.is_protected(), clock::now());
    let note = if protected { PROTECTED } else { OPEN };
    let header = Header { format: FORMAT, note: note.into(), schema: SCHEMA, created, key: held };
    let part = part_of(to);
    let written = Writing::begin(&part, &header).and_then(|writing| {
        database.begin_snapshot()?;
        writing.write_all(&mut database, progress)
    });
    match written {
        Ok(rows) => {
            std::fs::rename(&part, to).map_err(|error| StoreError::backup(to, error))?;
            Ok(BackupSummary { created, rows, protected })
        }
        Err(error) => {
            // The file is of no use; when it can't be removed the error above matters more.
            let _ = std::fs::remove_file(&part);
            Err(error)
        }
    }
}

const PROTECTED: &str = "Backup of Jackfield. Secrets are sealed; the key to them is in this \
    file, sealed by the passphrase. Restore: jackfield restore <file>";

const OPEN: &str = "Backup of Jackfield. Secrets are sealed, but THE KEY TO THEM IS IN THIS FILE: \
    guard it like the passwords themselves. Restore: jackfield restore <file>";

fn part_of(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

struct Writing<'a> {
    path: &'a Path,
    file: BufWriter<File>,
    sum: Sha256,
    rows: u64,
}

impl<'a> Writing<'a> {
    fn begin(path: &'a Path, header: &Header) -> Result<Self, StoreError> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| StoreError::backup(path, error))?;
        let mut writing = Self { path, file: BufWriter::new(file), sum: Sha256::new(), rows: 0 };
        writing.line(&json!(header))?;
        Ok(writing)
    }

    fn write_all(
        mut self,
        database: &mut Database,
        progress: &mut dyn FnMut(u64),
    ) -> Result<u64, StoreError> {
        for table in TABLES {
            self.write_table(database, table, progress)?;
        }
        let sha256 = hexadecimal(&self.sum.clone().finalize());
        let rows = self.rows;
        self.line(&json!(Footer { rows, sha256 }))?;
        let file = self.file.into_inner().map_err(|error| StoreError::backup(self.path, error))?;
        file.sync_all().map_err(|error| StoreError::backup(self.path, error))?;
        progress(rows);
        Ok(rows)
    }

    fn write_table(
        &mut self,
        database: &mut Database,
        table: &Table,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), StoreError> {
        let mut failed = None;
        let read = database.each(table.select, &[], &mut |row| {
            let line = line_of(table, row)?;
            self.rows += 1;
            if self.rows.is_multiple_of(1000) {
                progress(self.rows);
            }
            self.line(&line).map_err(|error| {
                failed = Some(error);
                DatabaseError::Corrupt("the backup can't be written".into())
            })
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(read?),
        }
    }

    fn line(&mut self, json: &Json) -> Result<(), StoreError> {
        let mut line = json.to_string();
        line.push('\n');
        self.sum.update(&line);
        self.file.write_all(line.as_bytes()).map_err(|error| StoreError::backup(self.path, error))
    }
}

fn line_of(table: &Table, row: &Row<'_>) -> Result<Json, DatabaseError> {
    let mut line = vec![Json::from(table.name)];
    for (column, letter) in table.columns.chars().enumerate() {
        line.push(match letter {
            'n' => row.optional_int(column)?.into(),
            't' => row.optional_text(column)?.into(),
            _ => STANDARD.encode(row.blob(column)?).into(),
        });
    }
    Ok(Json::Array(line))
}
