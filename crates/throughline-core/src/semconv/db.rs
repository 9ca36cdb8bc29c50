//! Names of the database conventions.

super::names! {
    /// `db.system.name`: the database product: `postgresql`, `sqlite`, `mysql`, …
    DB_SYSTEM_NAME = "db.system.name",
    /// `db.namespace`: the database, within its server.
    DB_NAMESPACE = "db.namespace",
    /// `db.collection.name`: the table.
    DB_COLLECTION_NAME = "db.collection.name",
    /// `db.operation.name`: the operation, where a caller names it.
    DB_OPERATION_NAME = "db.operation.name",
    /// `db.query.text`: the statement, without values.
    DB_QUERY_TEXT = "db.query.text",
    /// `db.query.summary`: operations and targets of the statement, in few words.
    DB_QUERY_SUMMARY = "db.query.summary",
    /// `db.response.status_code`: what the database says of a failure: SQLSTATE, or a number of its own.
    DB_RESPONSE_STATUS_CODE = "db.response.status_code",
    /// `db.response.returned_rows`: how many rows came back.
    DB_RESPONSE_RETURNED_ROWS = "db.response.returned_rows",
    /// `db.client.connection.pool.name`: which connection pool.
    DB_CLIENT_CONNECTION_POOL_NAME = "db.client.connection.pool.name",
}
