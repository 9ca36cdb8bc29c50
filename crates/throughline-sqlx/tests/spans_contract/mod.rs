//! What spans and measurements of statements keep, whatever the database.
//!
//! Each part has tables of its own, so that one database is enough for all.

mod attributes; // what the conventions require
mod comments; // the trace in the statement
mod ends; // errors, cancelled statements, rows
mod place; // the database
mod trees; // which spans there are
mod waiting; // for a connection

pub(crate) use place::{Expected, Place, ended};
use sqlx::{Decode, Encode, IntoArguments, Type, database::HasStatementCache};
use throughline_sqlx::System;

/// Runs every part.
pub(crate) async fn keeps<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
    for<'q> i64: Encode<'q, DB> + Decode<'q, DB> + Type<DB>,
    for<'q> &'q str: Encode<'q, DB> + Type<DB>,
    for<'q> String: Decode<'q, DB> + Type<DB>,
    usize: sqlx::ColumnIndex<DB::Row>,
{
    trees::keeps(place).await;
    attributes::keeps(place).await;
    ends::keeps(place).await;
    waiting::keeps(place).await;
    comments::keeps(place).await;
}

/// What only databases with a cache of statements keep.
pub(crate) async fn keeps_its_cache<DB>(place: &Place<DB>)
where
    DB: System + HasStatementCache,
    DB::Arguments: IntoArguments<DB>,
{
    comments::are_not_cached(place).await;
}
