use std::net::IpAddr;

use jackfield_files::FileError;
use jackfield_web::PhoneFiles;

use crate::tftp::{FileFault, FileSource};

/// Phone files for the TFTP door: the same as HTTP serves, to the same askers.
pub(crate) struct TftpFiles(pub(crate) PhoneFiles);

impl FileSource for TftpFiles {
    fn fetch(&self, name: &str, from: IpAddr) -> Result<Vec<u8>, FileFault> {
        match self.0.fetch(name, from) {
            Ok(file) => Ok(file.body),
            Err(FileError::NotFound) => Err(FileFault::NotFound),
            Err(_) => Err(FileFault::Refused),
        }
    }
}
