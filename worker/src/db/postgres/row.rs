//! A row of the driver's, as diesel reads one.

use std::num::NonZeroU32;
use std::ops::Range;

use diesel::backend::Backend;
use diesel::pg::{Pg, PgValue, TypeOidLookup};
use diesel::row::{Field, PartialRow, Row, RowIndex, RowSealed};
use tokio_postgres::types::{FromSql, Type};

/// A row of the driver's.
pub struct SessionRow(pub(super) tokio_postgres::Row);

impl RowSealed for SessionRow {}

impl RowIndex<usize> for SessionRow {
    fn idx(&self, index: usize) -> Option<usize> {
        (index < self.0.len()).then_some(index)
    }
}

impl RowIndex<&str> for SessionRow {
    fn idx(&self, name: &str) -> Option<usize> {
        self.0.columns().iter().position(|column| column.name() == name)
    }
}

impl<'a> Row<'a, Pg> for SessionRow {
    type Field<'f>
        = SessionField<'f>
    where
        'a: 'f,
        Self: 'f;
    type InnerPartialRow = Self;

    fn field_count(&self) -> usize {
        self.0.len()
    }

    fn get<'b, I>(&'b self, index: I) -> Option<Self::Field<'b>>
    where
        'a: 'b,
        Self: RowIndex<I>,
    {
        Some(SessionField { row: &self.0, index: self.idx(index)? })
    }

    fn partial_row(&self, range: Range<usize>) -> PartialRow<'_, Self::InnerPartialRow> {
        PartialRow::new(self, range)
    }
}

/// A field of such a row.
pub struct SessionField<'f> {
    row: &'f tokio_postgres::Row,
    index: usize,
}

impl SessionField<'_> {
    fn type_(&self) -> Option<&Type> {
        self.row.columns().get(self.index).map(tokio_postgres::Column::type_)
    }
}

impl<'a> Field<'a, Pg> for SessionField<'a> {
    fn field_name(&self) -> Option<&str> {
        self.row.columns().get(self.index).map(tokio_postgres::Column::name)
    }

    fn value(&self) -> Option<<Pg as Backend>::RawValue<'_>> {
        let Raw(bytes) = self.row.try_get::<_, Option<Raw<'_>>>(self.index).ok().flatten()?;
        Some(PgValue::new(bytes, self))
    }
}

impl TypeOidLookup for SessionField<'_> {
    fn lookup(&self) -> NonZeroU32 {
        self.type_().and_then(|type_| NonZeroU32::new(type_.oid())).unwrap_or(NonZeroU32::MAX)
    }
}

/// A value as the server sent it.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
