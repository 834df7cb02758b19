use super::DatabaseError;

/// A row of a query's answer; columns are counted from 0.
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a postgres::Row),
}

impl Row<'_> {
    pub(crate) fn int(&self, column: usize) -> Result<i64, DatabaseError> {
        match self {
            Self::Sqlite(row) => row.get(column).map_err(corrupt),
            Self::Postgres(row) => row.try_get(column).map_err(corrupt),
        }
    }

    pub(crate) fn optional_int(&self, column: usize) -> Result<Option<i64>, DatabaseError> {
        match self {
            Self::Sqlite(row) => row.get(column).map_err(corrupt),
            Self::Postgres(row) => row.try_get(column).map_err(corrupt),
        }
    }

    /// A number in the width that it has with us.
    pub(crate) fn number<T: TryFrom<i64>>(&self, column: usize) -> Result<T, DatabaseError> {
        self.int(column).and_then(super::narrow)
    }

    pub(crate) fn text(&self, column: usize) -> Result<&str, DatabaseError> {
        match self {
            Self::Sqlite(row) => row.get_ref(column).map_err(corrupt)?.as_str().map_err(corrupt),
            Self::Postgres(row) => row.try_get(column).map_err(corrupt),
        }
    }

    pub(crate) fn optional_text(&self, column: usize) -> Result<Option<&str>, DatabaseError> {
        match self {
            Self::Sqlite(row) => {
                row.get_ref(column).map_err(corrupt)?.as_str_or_null().map_err(corrupt)
            }
            Self::Postgres(row) => row.try_get(column).map_err(corrupt),
        }
    }

    pub(crate) fn blob(&self, column: usize) -> Result<&[u8], DatabaseError> {
        match self {
            Self::Sqlite(row) => row.get_ref(column).map_err(corrupt)?.as_blob().map_err(corrupt),
            Self::Postgres(row) => row.try_get(column).map_err(corrupt),
        }
    }
}

fn corrupt(error: impl std::fmt::Display) -> DatabaseError {
    DatabaseError::Corrupt(error.to_string())
}
