//! A statement is executed.

use std::fmt;

use futures_util::{future::BoxFuture, stream::StreamExt};
use sqlx::{Describe, Error, Execute, SqlStr, pool::PoolConnection};
use tracing::Instrument;

use super::{
    acquire::acquire,
    call::{Call, Subject},
    comment::commented,
    generator,
    names::Names,
    settings::Settings,
    statement::Statement,
    system::{Steps, System},
    watched::Watched,
};

/// What a statement is executed on.
pub(crate) enum Source<'c, DB: System> {
    Pool(sqlx::Pool<DB>),
    Connection(&'c mut DB::Connection),
}

/// The connection itself. One of a pool goes back to it when dropped.
enum Lease<'c, DB: System> {
    Pool(PoolConnection<DB>),
    Connection(&'c mut DB::Connection),
}

/// All answers of a statement. Its span begins when the stream is polled for the first time, and ends with the last answer,
/// with the first error, or when the stream is dropped.
pub(crate) fn steps<'e, 'q: 'e, DB: System, E>(
    source: Source<'e, DB>,
    settings: Settings,
    names: Names,
    query: E,
) -> Steps<'e, DB>
where
    E: 'q + Execute<'q, DB>,
{
    generator::stream(move |out| async move {
        let (mut call, statement) = begin(&settings, &names, query);
        // Declared after the call: what is cancelled is gone before its span ends.
        let mut lease = match lease(source, &settings, Some(&call)).await {
            Ok(lease) => lease,
            Err(error) => return failed::<DB>(call, error),
        };
        let mut steps =
            Watched::<DB>::new(call.driver_span::<DB>(), || DB::fetch_many(lease.get(), statement));
        while let Some(step) = steps.next().await {
            match step {
                Ok(step) => {
                    call.count::<DB>(&step);
                    out.give(step).await;
                }
                Err(error) => return failed::<DB>(call, error),
            }
        }
        call.complete();
        Ok(())
    })
}

/// The first row of a statement.
pub(crate) fn row<'e, 'q: 'e, DB: System, E>(
    source: Source<'e, DB>,
    settings: Settings,
    names: Names,
    query: E,
) -> BoxFuture<'e, Result<Option<DB::Row>, Error>>
where
    E: 'q + Execute<'q, DB>,
{
    Box::pin(async move {
        let (mut call, statement) = begin(&settings, &names, query);
        let mut lease = match lease(source, &settings, Some(&call)).await {
            Ok(lease) => lease,
            Err(error) => return failed::<DB>(call, error).map(|()| None),
        };
        let span = call.driver_span::<DB>();
        let row = span.in_scope(|| DB::fetch_optional(lease.get(), statement)).instrument(span).await;
        call.count_row(row.as_ref().is_ok_and(Option::is_some));
        call.finish::<DB, _>(&row);
        row
    })
}

/// Has no span: nothing is executed, and the driver does the same, unseen, for a statement that it doesn't know yet.
pub(crate) fn prepare<'e, DB: System>(
    source: Source<'e, DB>,
    settings: Settings,
    sql: SqlStr,
    parameters: &'e [DB::TypeInfo],
) -> BoxFuture<'e, Result<DB::Statement, Error>> {
    Box::pin(async move {
        let mut lease = lease(source, &settings, None).await?;
        DB::prepare_with(lease.get(), sql, parameters).await
    })
}

/// Has no span: it is for the macros of sqlx, when a program is compiled.
pub(crate) fn describe<DB: System>(
    source: Source<'_, DB>,
    settings: Settings,
    sql: SqlStr,
) -> BoxFuture<'_, Result<Describe<DB>, Error>> {
    Box::pin(async move {
        let mut lease = lease(source, &settings, None).await?;
        DB::describe(lease.get(), sql).await
    })
}

fn begin<'q, DB: System, E: Execute<'q, DB>>(
    settings: &Settings,
    names: &Names,
    query: E,
) -> (Call, Statement<DB, E>) {
    let statement = Statement::of(query);
    let subject = Subject { sql: statement.text(), is_parameterized: statement.is_parameterized(), names };
    let call = Call::begin(settings, &subject);
    let statement = match call.comment() {
        Some(span) => statement.rewritten(|sql| commented(sql, &span)),
        None => statement,
    };
    (call, statement)
}

async fn lease<'c, DB: System>(
    source: Source<'c, DB>,
    settings: &Settings,
    call: Option<&Call>,
) -> Result<Lease<'c, DB>, Error> {
    let pool = match source {
        Source::Pool(pool) => pool,
        Source::Connection(connection) => return Ok(Lease::Connection(connection)),
    };
    let span = call.map_or_else(tracing::Span::none, Call::driver_span::<DB>);
    let (connection, waited) = acquire(&pool, settings).instrument(span).await;
    if let Some(call) = call {
        call.waited(waited);
    }
    connection.map(Lease::Pool)
}

fn failed<DB: System>(call: Call, error: Error) -> Result<(), Error> {
    call.fail::<DB>(&error);
    Err(error)
}

impl<DB: System> fmt::Debug for Source<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pool(_) => "Pool",
            Self::Connection(_) => "Connection",
        })
    }
}

impl<DB: System> Lease<'_, DB> {
    fn get(&mut self) -> &mut DB::Connection {
        match self {
            Self::Pool(connection) => connection,
            Self::Connection(connection) => connection,
        }
    }
}
