//! Statements on a file and in memory: those that succeed, fail, are given up, and wait for a connection that doesn't come.

use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use throughline_sqlx::{Pool, Settings};

pub(crate) async fn run() {
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteConnectOptions::new().filename(folder.path().join("orders.db")).create_if_missing(true);
    statements(file).await;
    statements("sqlite::memory:".parse().unwrap()).await;
}

async fn statements(options: SqliteConnectOptions) {
    let one = SqlitePoolOptions::new().max_connections(1).acquire_timeout(Duration::from_millis(500));
    let settings = Settings::new(&options).returned_rows().comments();
    let pool = Pool::with(one.connect_lazy_with(options), settings);
    sqlx::query("CREATE TABLE orders (id INTEGER PRIMARY KEY)").execute(&pool).await.unwrap();
    let insert = || sqlx::query("INSERT INTO orders (id) VALUES (?)").bind(7);
    insert().execute(pool.operation("INSERT", "orders")).await.unwrap();
    insert().execute(&pool).await.unwrap_err();

    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("UPDATE orders SET id = 8").execute(&mut *transaction).await.unwrap();
    sqlx::query("SELECT id FROM orders").execute(&pool).await.unwrap_err();
    transaction.begin().await.unwrap().commit().await.unwrap();
    transaction.commit().await.unwrap();
    drop(pool.begin().await.unwrap());

    let mut rows = sqlx::query("SELECT id FROM orders").fetch(&pool);
    rows.try_next().await.unwrap().unwrap();
    drop(rows);
}
