//! The rows of one shard.

use sqlx::Error;
use throughline::{Context, core::with_remote};
use tracing::{Instrument, info_span};

use super::ring::{first_ring, key};
use crate::services::{
    database::{Database, Row, sql, sql_of},
    order::User,
};

/// How many users there are at first.
const USERS: u32 = 1_000;
/// How many rows go over, and into one statement, at once.
pub(super) const BATCH_MAX: usize = 100;

/// `place` is one of [`Place`].
pub(super) const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS users (id BIGINT PRIMARY KEY, name TEXT NOT NULL, place BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS seeded (shard TEXT PRIMARY KEY)",
];

/// Whose a row is.
#[derive(Clone, Copy)]
enum Place {
    /// This shard's.
    Own = 0,
    /// This shard's since the last change of peers.
    Received = 1,
    /// Another shard's by now, which has a copy.
    Moved = 2,
}

/// The rows of one shard. Clones share its database.
#[derive(Clone, Debug)]
pub(super) struct Store {
    database: Database,
}

impl Store {
    /// The rows of the shard of this name, which at its very first start has its share of the users.
    pub(super) async fn open(database: Database, name: &str) -> Result<Self, Error> {
        let store = Self { database };
        // Nobody has asked for this: a trace of its own.
        let span = with_remote(&Context::root(), || info_span!("seed users"));
        store.seed(name).instrument(span).await?;
        Ok(store)
    }

    async fn seed(&self, name: &str) -> Result<(), Error> {
        let ring = first_ring();
        let own = (1..=USERS).filter(|user| ring.route(&key(*user)).is_some_and(|shard| shard == name));
        let own: Vec<_> = own.map(|id| User { id, name: format!("customer {id}") }).collect();
        let mut transaction = self.database.begin().await?;
        let mark = sql("INSERT INTO seeded (shard) VALUES ($1) ON CONFLICT DO NOTHING").text(name);
        if transaction.execute(mark).await? > 0 {
            for batch in own.chunks(BATCH_MAX) {
                transaction.execute(insert(batch, Place::Own)).await?;
            }
        }
        transaction.commit().await
    }

    /// The user, also one who has been handed over: somebody may not have heard of that yet.
    pub(super) async fn find(&self, id: u32) -> Result<Option<User>, Error> {
        let rows = self.database.rows(sql("SELECT id, name FROM users WHERE id = $1").integer(id)).await?;
        rows.first().map(user).transpose()
    }

    /// Everybody whose shard this is.
    pub(super) async fn own(&self) -> Result<Vec<User>, Error> {
        let own = sql("SELECT id, name FROM users WHERE place < $1 ORDER BY id").integer(Place::Moved as i64);
        self.database.rows(own).await?.iter().map(user).collect()
    }

    /// Takes users over from another shard; to do so again changes nothing.
    pub(super) async fn take_over(&self, users: &[User]) -> Result<(), Error> {
        if users.is_empty() {
            return Ok(());
        }
        let mut transaction = self.database.begin().await?;
        transaction.execute(insert(users, Place::Received)).await?;
        transaction.commit().await
    }

    /// Marks users who have another shard by now.
    pub(super) async fn moved(&self, users: &[User]) -> Result<(), Error> {
        let places: Vec<_> = (2..=users.len() + 1).map(|number| format!("${number}")).collect();
        let text = format!("UPDATE users SET place = $1 WHERE id IN ({})", places.join(", "));
        let update = sql_of(text).integer(Place::Moved as i64);
        let mut transaction = self.database.begin().await?;
        transaction.execute(users.iter().fold(update, |update, user| update.integer(user.id))).await?;
        transaction.commit().await
    }

    /// How many were this shard's before the last change of peers, and still are.
    pub(super) async fn kept(&self) -> Result<i64, Error> {
        self.database.count("SELECT COUNT(*) FROM users WHERE place = 0").await
    }

    /// Ends a change of peers: what was handed over is forgotten, what was received is no longer news.
    pub(super) async fn forget_moved(&self) -> Result<(), Error> {
        let mut transaction = self.database.begin().await?;
        transaction.execute(sql("DELETE FROM users WHERE place = $1").integer(Place::Moved as i64)).await?;
        transaction.execute(sql("UPDATE users SET place = $1").integer(Place::Own as i64)).await?;
        transaction.commit().await
    }

    /// How many users' shard this is.
    pub(super) async fn count(&self) -> Result<i64, Error> {
        self.database.count("SELECT COUNT(*) FROM users WHERE place < 2").await
    }
}

/// All rows in one statement.
fn insert(users: &[User], place: Place) -> crate::services::database::Statement {
    let values =
        (0..users.len()).map(|row| format!("(${}, ${}, ${})", row * 3 + 1, row * 3 + 2, row * 3 + 3));
    let text = format!(
        "INSERT INTO users (id, name, place) VALUES {} \
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, place = excluded.place",
        values.collect::<Vec<_>>().join(", ")
    );
    users
        .iter()
        .fold(sql_of(text), |insert, user| insert.integer(user.id).text(&user.name).integer(place as i64))
}

fn user(row: &Row) -> Result<User, Error> {
    let id = u32::try_from(row.integer(0)?).map_err(|error| Error::Decode(error.into()))?;
    Ok(User { id, name: row.text(1)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::DatabaseUrl;

    async fn shard(folder: &tempfile::TempDir, name: &str) -> Store {
        let url = DatabaseUrl::Folder(folder.path().to_owned());
        Store::open(Database::open(&url, name, &SCHEMA).await.unwrap(), name).await.unwrap()
    }

    #[tokio::test]
    async fn the_first_shards_have_everybody_once_and_a_later_one_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let mut all = Vec::new();
        for name in ["users-1", "users-2", "users-3", "users-4"] {
            all.extend(shard(&folder, name).await.own().await.unwrap().into_iter().map(|user| user.id));
        }
        all.sort_unstable();
        assert_eq!(all, (1..=USERS).collect::<Vec<_>>());
        assert_eq!(shard(&folder, "users-4").await.count().await.unwrap(), 0);
    }

    #[tokio::test]
    async fn who_was_handed_over_is_found_until_forgotten_and_does_not_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (shard(&folder, "users-1").await, shard(&folder, "users-4").await);
        let moving: Vec<_> = from.own().await.unwrap().into_iter().take(3).collect();
        let before = from.count().await.unwrap();
        to.take_over(&moving).await.unwrap();
        to.take_over(&moving).await.unwrap();
        from.moved(&moving).await.unwrap();
        assert_eq!((from.count().await.unwrap(), to.count().await.unwrap()), (before - 3, 3));
        assert_eq!((from.kept().await.unwrap(), to.kept().await.unwrap()), (before - 3, 0));
        let id = moving[0].id;
        assert!(from.find(id).await.unwrap().is_some(), "somebody may still ask the old owner");

        from.forget_moved().await.unwrap();
        to.forget_moved().await.unwrap();
        assert_eq!(from.find(id).await.unwrap(), None);
        assert_eq!(to.kept().await.unwrap(), 3);
        let again = shard(&folder, "users-1").await;
        assert_eq!(again.find(id).await.unwrap(), None, "a restart seeds nothing again");
    }
}
