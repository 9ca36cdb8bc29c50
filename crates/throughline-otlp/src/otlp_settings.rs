//! Where one signal goes over OTLP, and how, as set in code.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::settings::{Compression, Protocol};

/// Where a signal goes over OTLP, and how; what isn't set here is as it is for all signals.
///
/// ```
/// use throughline_otlp::{Compression, OtlpSettings};
///
/// let metrics = OtlpSettings::new().endpoint("http://metrics.internal:4318/otlp").compression(Compression::Gzip);
/// let builder = throughline_otlp::builder("orders").endpoint("http://collector:4318").metrics_otlp(metrics);
/// # let _ = builder;
/// ```
#[derive(Clone, Default)]
#[must_use = "settings do nothing until they are given to a builder"]
pub struct OtlpSettings {
    pub(crate) endpoint: Option<String>,
    pub(crate) protocol: Option<Protocol>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) compression: Option<Compression>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) client_certificate: Option<ClientCertificate>,
}

/// The files by which a Collector knows us.
#[derive(Clone, Debug)]
pub(crate) struct ClientCertificate {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl OtlpSettings {
    /// Nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where this signal goes. Used as it is: no path is added.
    pub fn endpoint(mut self, url: &str) -> Self {
        self.endpoint = Some(url.to_owned());
        self
    }

    /// How to speak to the Collector.
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = Some(protocol);
        self
    }

    /// A header of every request. Its value is a secret: it is shown nowhere.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// How long one request may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How requests are compressed.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = Some(compression);
        self
    }

    /// The PEM file of the authorities that the Collector's certificate may come from, in place of the system's.
    pub fn certificate(mut self, file: impl AsRef<Path>) -> Self {
        self.certificate = Some(file.as_ref().to_owned());
        self
    }

    /// The PEM files of our own certificate, with those between it and its authority, and of the key to it: mutual TLS.
    pub fn client_certificate(mut self, certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        let (certificate, key) = (certificate.as_ref().to_owned(), key.as_ref().to_owned());
        self.client_certificate = Some(ClientCertificate { certificate, key });
        self
    }
}

impl fmt::Debug for OtlpSettings {
    /// Header values are credentials more often than not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("OtlpSettings")
            .field("endpoint", &self.endpoint)
            .field("protocol", &self.protocol)
            .field("headers", &names)
            .field("timeout", &self.timeout)
            .field("compression", &self.compression)
            .field("certificate", &self.certificate)
            .field("client_certificate", &self.client_certificate)
            .finish()
    }
}
