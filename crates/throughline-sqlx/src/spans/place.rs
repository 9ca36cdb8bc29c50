//! Where a database is, as its connect options say.

use std::borrow::Cow;

/// What all spans of one database have in common.
#[derive(Clone, Debug)]
#[expect(unnameable_types, reason = "only the drivers' own options are turned into one")]
pub struct Place {
    pub(crate) system: Cow<'static, str>,
    pub(crate) namespace: Option<String>,
    pub(crate) server: Option<Server>,
    pub(crate) process: Process,
}

/// The server, or its socket.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) address: String,
    /// Only where it isn't the default of the database.
    pub(crate) port: Option<u16>,
}

/// Whose process the database runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "SQLite alone can be in memory"))]
pub(crate) enum Process {
    /// One of its own, or files that outlive this one.
    Outside,
    /// This one, and it ends with it.
    InMemory,
}

impl Place {
    pub(crate) const fn span_kind(&self) -> &'static str {
        match self.process {
            Process::Outside => "client",
            Process::InMemory => "internal",
        }
    }

    /// What a statement is called of which nothing else is known (semantic conventions, name of a database span).
    pub(crate) fn name(&self) -> String {
        let of_server = || self.server.as_ref().map(Server::name);
        self.namespace.clone().or_else(of_server).unwrap_or_else(|| self.system.to_string())
    }

    /// What a pool is called that was given no name (semantic conventions, `db.client.connection.pool.name`).
    pub(crate) fn pool_name(&self) -> String {
        let server = self.server.as_ref().map(Server::name);
        match (server, &self.namespace) {
            (Some(server), Some(namespace)) => format!("{server}/{namespace}"),
            (Some(server), None) => server,
            (None, _) => self.name(),
        }
    }
}

impl Server {
    /// One that listens on a port.
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    pub(crate) fn tcp(address: &str, port: u16, default_port: u16) -> Self {
        Self { address: address.to_owned(), port: (port != default_port).then_some(port) }
    }

    /// One that listens on a socket of this machine.
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    pub(crate) fn socket(path: &std::path::Path) -> Self {
        Self { address: path.to_string_lossy().into_owned(), port: None }
    }

    fn name(&self) -> String {
        let Self { address, port } = self;
        port.map_or_else(|| address.clone(), |port| format!("{address}:{port}"))
    }
}
