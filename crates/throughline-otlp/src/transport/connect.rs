//! Connections of our own: the application's client has spans, these must not. Each looks its host's name up again.

use hyper_util::client::legacy::connect::HttpConnector;

use crate::settings::Endpoint;

#[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc")))]
pub(super) type Connector = HttpConnector;
#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc"))]
pub(super) type Connector = hyper_rustls::HttpsConnector<HttpConnector>;

/// Which versions of HTTP a connection is for; TLS negotiates it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Version {
    #[cfg(feature = "http")]
    Http1,
    #[cfg(feature = "grpc")]
    Http2,
}

fn tcp(endpoint: &Endpoint) -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(endpoint.timeout));
    tcp
}

/// Plain TCP: without a feature for TLS there is nothing else.
#[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc")))]
pub(super) fn connector(endpoint: &Endpoint, _: Version) -> Result<Connector, String> {
    Ok(tcp(endpoint))
}

/// TLS where the URL says `https`.
#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc"))]
pub(super) fn connector(endpoint: &Endpoint, version: Version) -> Result<Connector, String> {
    let config = crate::tls::client_config(&endpoint.tls, endpoint.is_https())?;
    let builder = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config).https_or_http();
    Ok(match version {
        #[cfg(feature = "http")]
        Version::Http1 => builder.enable_http1().wrap_connector(tcp(endpoint)),
        #[cfg(feature = "grpc")]
        Version::Http2 => builder.enable_http2().wrap_connector(tcp(endpoint)),
    })
}

/// What went wrong, with whom we trust where that was the matter.
pub(super) fn problem(error: &(dyn std::error::Error + 'static), endpoint: &Endpoint) -> String {
    let why = throughline_core::error_chain(error);
    if why.contains("certificate") { format!("{why} (trusted: {})", endpoint.tls.trusted()) } else { why }
}
