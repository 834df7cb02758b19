use std::error::Error;

use postgres::types::private::BytesMut;
use postgres::types::{IsNull, Kind, ToSql, Type};

use super::Value;

/// A statement that writes many rows: one after the other where a statement costs little, all at
/// once where it costs a journey.
pub(crate) struct Many {
    /// A letter for each column: `n` number, `t` text.
    pub(crate) columns: &'static str,
    /// Writes one row.
    pub(crate) one: &'static str,
    /// Writes all rows, each parameter a column of them.
    pub(crate) all: &'static str,
}

/// A column of many rows.
#[derive(Debug)]
pub(super) struct Column<'a> {
    rows: &'a [Vec<Value<'a>>],
    column: usize,
}

impl<'a> Column<'a> {
    pub(super) fn new(rows: &'a [Vec<Value<'a>>], column: usize) -> Self {
        Self { rows, column }
    }
}

impl ToSql for Column<'_> {
    fn to_sql(
        &self,
        array: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let cells: Vec<_> = self.rows.iter().filter_map(|row| row.get(self.column)).collect();
        cells.to_sql(array, out)
    }

    fn accepts(array: &Type) -> bool {
        matches!(array.kind(), Kind::Array(of) if <Value<'_> as ToSql>::accepts(of))
    }

    postgres::types::to_sql_checked!();
}
