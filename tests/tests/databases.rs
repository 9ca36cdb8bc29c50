//! The real databases that other tests are given: they answer, take nobody without the password, and go without a trace.

use sqlx::{Connection, MySqlConnection, PgConnection};
use tests::Database;

#[tokio::test]
async fn postgres_answers() {
    let Some(database) = Database::postgres("postgres_answers") else { return };
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let one: i32 = sqlx::query_scalar("select 1").fetch_one(&mut connection).await.unwrap();
    let version: String = sqlx::query_scalar("select version()").fetch_one(&mut connection).await.unwrap();
    assert_eq!(one, 1);
    assert!(version.starts_with("PostgreSQL "), "{version}");

    assert!(PgConnection::connect(&without_password(database.url())).await.is_err());
    let (url, folder) = (database.url().to_owned(), database.folder().to_owned());
    assert!(!folder.join("secret").exists());
    drop(database); // although somebody is connected
    assert!(PgConnection::connect(&url).await.is_err());
    assert!(!folder.exists());
}

#[tokio::test]
async fn mariadb_answers() {
    let Some(database) = Database::mariadb("mariadb_answers") else { return };
    let mut connection = MySqlConnection::connect(database.url()).await.unwrap();
    let one: i64 = sqlx::query_scalar("select 1").fetch_one(&mut connection).await.unwrap();
    let version: String = sqlx::query_scalar("select version()").fetch_one(&mut connection).await.unwrap();
    assert_eq!(one, 1);
    assert!(version.contains("MariaDB"), "{version}");

    assert!(MySqlConnection::connect(&without_password(database.url())).await.is_err());
    let (url, folder) = (database.url().to_owned(), database.folder().to_owned());
    assert!(!folder.join("secret").exists());
    drop(database);
    assert!(MySqlConnection::connect(&url).await.is_err());
    assert!(!folder.exists());
}

/// `scheme://user:password@rest` without what is between the second colon and the `@`.
fn without_password(url: &str) -> String {
    let (before, rest) = url.split_once('@').expect("a URL with a user");
    let (user, _password) = before.rsplit_once(':').expect("a user with a password");
    format!("{user}@{rest}")
}
