//! The rows of orders and stock, and what is told about them.

use sqlx::Error;
use throughline::{Context, core::with_remote, sqlx::outbox::Event};
use tracing::{Instrument, info_span};

use super::Refusal;
use crate::services::{
    database::{Database, Row, Transaction, sql},
    order::{ORDER_CREATED, Order, OrderEvent, User},
};

/// What there is to buy, and how much of each at first.
const ITEMS: [&str; 4] = ["teapot", "umbrella", "lantern", "compass"];
const STOCK: i64 = 1_000_000;
/// The longest name of an item, in bytes.
const ITEM_LEN_MAX: usize = 100;

pub(super) const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS orders (id {id}, user_id BIGINT NOT NULL, item TEXT NOT NULL, \
     idempotency_key TEXT UNIQUE)",
    "CREATE TABLE IF NOT EXISTS stock (item TEXT PRIMARY KEY, pieces BIGINT NOT NULL CHECK (pieces >= 0))",
];

/// All instances use one database, so that it does not matter which one an order reaches. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Store {
    database: Database,
}

/// An order that is in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Placed {
    New(Order),
    /// It was there already, under the same key.
    Before(Order),
}

impl Store {
    /// The store, filled if it is new.
    pub(super) async fn open(database: Database) -> Result<Self, Error> {
        // Nobody has asked for this: a trace of its own.
        let span = with_remote(&Context::root(), || info_span!("fill stock"));
        fill(&database).instrument(span).await?;
        Ok(Self { database })
    }

    pub(super) const fn database(&self) -> &Database {
        &self.database
    }

    /// Writes order, stock and event in one transaction: all of them are there, or none.
    ///
    /// A key makes the order one however often it is sent. Two that come at once are one after the other for the database.
    pub(super) async fn place(&self, user: &User, item: &str, key: Option<&str>) -> Result<Placed, Refusal> {
        // What no database would take as a text is no item either.
        if item.len() > ITEM_LEN_MAX || item.contains(char::is_control) {
            return Err(Refusal::UnknownItem);
        }
        let mut transaction = self.database.begin().await?;
        let Some(id) = insert(&mut transaction, user, item, key).await? else {
            let order = stored_under(&mut transaction, key).await?;
            let is_the_same = order.user == user.id && order.item == item;
            return if is_the_same { Ok(Placed::Before(order)) } else { Err(Refusal::KeyTaken) };
        };
        take_from_stock(&mut transaction, item).await?;
        let order = Order { id, user: user.id, item: item.to_owned() };
        let event = serde_json::to_vec(&OrderEvent::now(order.clone()))?;
        transaction.store(Event::new(ORDER_CREATED, event).key(format!("order-{id}"))).await?;
        transaction.commit().await?;
        self.database.wake();
        Ok(Placed::New(order))
    }

    pub(super) async fn count(&self) -> Result<i64, Error> {
        self.database.count("SELECT COUNT(*) FROM orders").await
    }

    pub(super) async fn stock(&self) -> Result<Vec<(String, i64)>, Error> {
        let rows = self.database.rows_untraced(sql("SELECT item, pieces FROM stock")).await?;
        rows.iter().map(|row| Ok((row.text(0)?, row.integer(1)?))).collect()
    }
}

async fn fill(database: &Database) -> Result<(), Error> {
    let mut transaction = database.begin().await?;
    for item in ITEMS {
        let fill = sql("INSERT INTO stock (item, pieces) VALUES ($1, $2) ON CONFLICT DO NOTHING");
        transaction.execute(fill.text(item).integer(STOCK)).await?;
    }
    transaction.commit().await
}

/// The new order's id; `None` where there is an order under this key.
async fn insert(
    transaction: &mut Transaction,
    user: &User,
    item: &str,
    key: Option<&str>,
) -> Result<Option<i64>, Error> {
    let insert = sql("INSERT INTO orders (user_id, item, idempotency_key) VALUES ($1, $2, $3) \
                      ON CONFLICT (idempotency_key) DO NOTHING RETURNING id");
    let rows = transaction.rows(insert.integer(user.id).text(item).optional_text(key)).await?;
    rows.first().map(|row| row.integer(0)).transpose()
}

async fn stored_under(transaction: &mut Transaction, key: Option<&str>) -> Result<Order, Refusal> {
    let select = sql("SELECT id, user_id, item FROM orders WHERE idempotency_key = $1").optional_text(key);
    let rows = transaction.rows(select).await?;
    Ok(order(rows.first().ok_or(Error::RowNotFound)?)?)
}

fn order(row: &Row) -> Result<Order, Error> {
    let user = u32::try_from(row.integer(1)?).map_err(|error| Error::Decode(error.into()))?;
    Ok(Order { id: row.integer(0)?, user, item: row.text(2)? })
}

async fn take_from_stock(transaction: &mut Transaction, item: &str) -> Result<(), Refusal> {
    let take = sql("UPDATE stock SET pieces = pieces - 1 WHERE item = $1 AND pieces > 0").text(item);
    if transaction.execute(take).await? > 0 {
        return Ok(());
    }
    let known = transaction.rows(sql("SELECT item FROM stock WHERE item = $1").text(item)).await?;
    Err(if known.is_empty() { Refusal::UnknownItem } else { Refusal::SoldOut })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::DatabaseUrl;

    async fn store(folder: &tempfile::TempDir) -> Store {
        let url = DatabaseUrl::Folder(folder.path().to_owned());
        Store::open(Database::open(&url, "orders", &SCHEMA).await.unwrap()).await.unwrap()
    }

    fn user(id: u32) -> User {
        User { id, name: String::new() }
    }

    async fn counts(store: &Store) -> (i64, u64, i64) {
        let stock = store.stock().await.unwrap().into_iter().find(|(item, _)| item == "teapot").unwrap();
        (store.count().await.unwrap(), store.database.outbox_state().await.unwrap().waiting, stock.1)
    }

    #[tokio::test]
    async fn an_order_is_stored_once_for_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let Placed::New(order) = store.place(&user(7), "teapot", Some("k")).await.unwrap() else {
            panic!("it was not there");
        };
        let again = store.place(&user(7), "teapot", Some("k")).await.unwrap();
        assert_eq!(again, Placed::Before(order));
        assert_eq!(counts(&store).await, (1, 1, STOCK - 1));
        for (user_id, item) in [(8, "teapot"), (7, "lantern")] {
            let taken = store.place(&user(user_id), item, Some("k")).await;
            assert!(matches!(taken, Err(Refusal::KeyTaken)), "{taken:?}");
        }
        for _ in 0..2 {
            store.place(&user(7), "teapot", None).await.unwrap();
        }
        assert_eq!(counts(&store).await, (3, 3, STOCK - 3), "without a key each is a new one");
    }

    #[tokio::test]
    async fn many_at_once_are_one_if_they_have_one_key() {
        let folder = tempfile::tempdir().unwrap();
        // Two processes, as far as SQLite can tell.
        let stores = [store(&folder).await, store(&folder).await];
        let placing = (0..20).map(|number: usize| {
            let store = stores[number % 2].clone();
            tokio::spawn(async move { store.place(&user(1), "teapot", Some("k")).await.unwrap() })
        });
        let placing: Vec<_> = placing.collect();
        let mut new = 0;
        for placed in placing {
            new += u32::from(matches!(placed.await.unwrap(), Placed::New(_)));
        }
        assert_eq!((new, counts(&stores[0]).await), (1, (1, 1, STOCK - 1)));
    }

    #[tokio::test]
    async fn what_cannot_be_had_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let mut transaction = store.database.begin().await.unwrap();
        transaction.execute(sql("UPDATE stock SET pieces = 1 WHERE item = 'teapot'")).await.unwrap();
        transaction.commit().await.unwrap();
        store.place(&user(1), "teapot", Some("first")).await.unwrap();
        let sold_out = store.place(&user(1), "teapot", Some("second")).await;
        assert!(matches!(sold_out, Err(Refusal::SoldOut)), "{sold_out:?}");
        for item in ["unicorn", "tea\0pot", &"x".repeat(101), ""] {
            let unknown = store.place(&user(1), item, Some("third")).await;
            assert!(matches!(unknown, Err(Refusal::UnknownItem)), "{unknown:?}");
        }
        assert_eq!(counts(&store).await, (1, 1, 0));
    }
}
