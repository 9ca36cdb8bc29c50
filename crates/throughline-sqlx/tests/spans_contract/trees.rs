//! Which spans there are, and whose children they are.

use sqlx::{AssertSqlSafe, Encode, IntoArguments, Type};
use throughline_core::Metric;
use throughline_sqlx::{Connection, System};
use throughline_testing::{Capture, TreeText};
use tracing::Instrument;

use super::{Place, ended};

pub(crate) async fn keeps<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> &'q str: Encode<'q, DB> + Type<DB>,
{
    place.table("trees").await;
    let capture = Capture::new("orders");
    capture.run_async(request(place).instrument(capture.run(|| tracing::info_span!("request")))).await;
    ended(&capture, 18).await;
    let kind = place.expected.kind;
    let text = TreeText::new().attributes(["throughline.db.end", "throughline.db.affected_rows"]);
    let expected = "\
orders: request (internal) #1
  orders: INSERT trees (KIND) #2 throughline.db.end=complete throughline.db.affected_rows=1
  orders: SELECT trees (KIND) #3 throughline.db.end=complete
  orders: BEGIN (KIND) #4 throughline.db.end=complete
  orders: INSERT trees (KIND) #5 throughline.db.end=complete throughline.db.affected_rows=1
  orders: SAVEPOINT (KIND) #6 throughline.db.end=complete
  orders: UPDATE trees (KIND) #7 throughline.db.end=complete throughline.db.affected_rows=2
  orders: ROLLBACK (KIND) #8 throughline.db.end=complete
  orders: SAVEPOINT (KIND) #9 throughline.db.end=complete
  orders: RELEASE (KIND) #10 throughline.db.end=complete
  orders: COMMIT (KIND) #11 throughline.db.end=complete
  orders: BEGIN (KIND) #12 throughline.db.end=complete
  orders: DELETE trees (KIND) #13 throughline.db.end=complete throughline.db.affected_rows=2
  orders: ROLLBACK (KIND) #14 throughline.db.end=complete
  orders: BEGIN (KIND) #15 throughline.db.end=complete
  orders: DELETE trees (KIND) #16 throughline.db.end=complete throughline.db.affected_rows=2
  orders: ROLLBACK (KIND) #17 throughline.db.end=queued
  orders: SELECT trees (KIND) #18 throughline.db.end=complete"
        .replace("KIND", kind);
    assert_eq!(capture.tree_with(&text), expected);
    // All but the request and what was only queued.
    assert_eq!(capture.measurements(Metric::DbClientOperationDuration).len(), 16);
}

/// A user of sqlx, who has changed one line.
async fn request<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> &'q str: Encode<'q, DB> + Type<DB>,
{
    let pool = place.pool();
    let insert = || sqlx::query::<DB>(place.sql("INSERT INTO trees (id, item) VALUES ($1, $2)"));
    insert().bind(1_i64).bind("tea").execute(&pool).await.unwrap();
    let rows = sqlx::query::<DB>("SELECT id FROM trees").fetch_all(&pool).await.unwrap();
    assert_eq!(rows.len(), 1);

    let mut transaction = pool.begin().await.unwrap();
    insert().bind(2_i64).bind("milk").execute(&mut *transaction).await.unwrap();
    let mut savepoint = transaction.begin().await.unwrap();
    change(&mut savepoint).await;
    savepoint.rollback().await.unwrap();
    transaction.begin().await.unwrap().commit().await.unwrap();
    transaction.commit().await.unwrap();

    let delete = || sqlx::query::<DB>("DELETE FROM trees");
    let mut connection = pool.acquire().await.unwrap();
    let mut transaction = connection.begin().await.unwrap();
    delete().execute(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();

    let mut transaction = connection.begin().await.unwrap();
    delete().execute(&mut *transaction).await.unwrap();
    drop(transaction);
    let rows = sqlx::query::<DB>("SELECT item FROM trees WHERE item <> 'milk;'").fetch_all(&mut *connection);
    assert_eq!(rows.await.unwrap().len(), 2);
}

/// A function that doesn't care where its connection comes from.
async fn change<DB: System>(connection: &mut Connection<'_, DB>) {
    let all = AssertSqlSafe("UPDATE trees SET item = 'coffee'".to_owned());
    sqlx::raw_sql(all).execute(&mut *connection).await.unwrap();
}
