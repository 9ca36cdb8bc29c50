//! Every ability of the exporter at once, both TLS providers included: it still delivers, and says what keeps it from it.
//!
//! `cargo test -p tests --features exporters --test exporters`

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use throughline_core::env::Environment;
use throughline_otlp::{Built, Compression, Destination, Exporter, ExporterBuilder, Protocol, Signal};
use throughline_receiver::{Compression as Received, Receiver};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tracing_subscriber::{fmt::MakeWriter, prelude::*};

const LONG: Duration = Duration::from_secs(20);
/// A span with ids and a name, as a field of `ScopeSpans`.
const SPAN: [u8; 33] = [
    0x12, 31, // spans
    0x0a, 16, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // trace_id
    0x12, 8, 2, 2, 2, 2, 2, 2, 2, 2, // span_id
    0x2a, 1, b'x', // name
];

/// An authority, a server's certificate and a client's, as files.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&authority_key).unwrap();
        std::fs::write(folder.path().join("authority.pem"), authority.pem()).unwrap();
        let issuer = Issuer::new(params, authority_key);
        for name in ["server", "client"] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            let certificate = params.signed_by(&key, &issuer).unwrap();
            std::fs::write(folder.path().join(format!("{name}.pem")), certificate.pem()).unwrap();
            std::fs::write(folder.path().join(format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn certificates(file: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(file).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Whether a server asks its clients for a certificate.
#[derive(Clone, Copy, PartialEq)]
enum Clients {
    Anyone,
    Known,
}

/// A real TLS server in front of a receiver, on a thread of its own. Returns its address.
fn tls(files: &Files, backend: &str, protocol: &[u8], clients: Clients) -> String {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        Clients::Anyone => builder.with_no_client_auth(),
        Clients::Known => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates(&files.path("authority.pem")));
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::from_pem_file(files.path("server.key")).unwrap();
    let mut config = builder.with_single_cert(certificates(&files.path("server.pem")), key).unwrap();
    config.alpn_protocols = vec![protocol.to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let backend = backend.trim_start_matches("http://").to_owned();
    let (bound, port) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            bound.send(listener.local_addr().unwrap().port()).unwrap();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (acceptor, backend) = (acceptor.clone(), backend.clone());
                tokio::spawn(async move {
                    let mut client = acceptor.accept(client).await?;
                    let mut backend = TcpStream::connect(backend).await?;
                    tokio::io::copy_bidirectional(&mut client, &mut backend).await
                });
            }
        });
    });
    format!("https://localhost:{}", port.recv().unwrap())
}

const EACH: [Protocol; 3] = [Protocol::Grpc, Protocol::HttpProtobuf, Protocol::HttpJson];

fn of(protocol: Protocol, receiver: &Receiver) -> (String, &'static [u8]) {
    match protocol {
        Protocol::Grpc => (receiver.grpc_endpoint(), b"h2"),
        _ => (receiver.http_endpoint(), b"http/1.1"),
    }
}

fn exporter(endpoint: &str, protocol: Protocol) -> ExporterBuilder {
    throughline_otlp::builder("orders")
        .environment(Environment::default())
        .endpoint(endpoint)
        .protocol(protocol)
        .schedule_delay(Duration::from_millis(10))
}

fn start(builder: ExporterBuilder) -> Exporter {
    let Built { exporter, warnings, .. } = builder.build().unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    exporter
}

#[test]
fn with_every_feature_on_spans_and_metrics_arrive_over_tls() {
    let files = Files::new();
    for protocol in EACH {
        for clients in [Clients::Anyone, Clients::Known] {
            let receiver = Receiver::start_blocking().unwrap();
            let (backend, alpn) = of(protocol, &receiver);
            let endpoint = tls(&files, &backend, alpn, clients);
            let mut builder = exporter(&endpoint, protocol).certificate(files.path("authority.pem"));
            if clients == Clients::Known {
                builder = builder.client_certificate(files.path("client.pem"), files.path("client.key"));
            }
            let exporter = start(builder);
            exporter.sink().accept(&SPAN);
            let recorder = exporter.recorder().unwrap();
            recorder.record(throughline_core::Metric::MessagingSent, 1.0, &[]);
            let report = exporter.shutdown_blocking(LONG);
            assert_eq!((report.exported(), report.metrics_exported()), (1, 1), "{protocol}: {report}");
            assert_eq!((receiver.spans().len(), receiver.metrics().is_empty()), (1, false), "{protocol}");
        }
    }
}

#[test]
fn zstd_arrives_over_each_protocol() {
    let receiver = Receiver::start_blocking().unwrap();
    for protocol in EACH {
        receiver.clear();
        let (endpoint, _) = of(protocol, &receiver);
        let builder = exporter(&endpoint, protocol).compression(Compression::Zstd).metrics(Signal::Off);
        let exporter = start(builder);
        exporter.sink().accept(&SPAN);
        let report = exporter.shutdown_blocking(LONG);
        assert_eq!((report.exported(), receiver.spans().len()), (1, 1), "{protocol}: {report}");
        assert_eq!(receiver.requests()[0].compression, Received::Zstd, "{protocol}");
    }
}

/// The diagnostics of this whole test program.
fn diagnostics() -> &'static Mutex<Vec<u8>> {
    static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    struct Lines;
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            LINES.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    impl MakeWriter<'_> for Lines {
        type Writer = Self;
        fn make_writer(&self) -> Self {
            Self
        }
    }
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Lines);
    let _installed_before = tracing_subscriber::registry().with(layer).try_init();
    &LINES
}

#[test]
fn a_collector_of_another_authority_is_refused_and_the_file_is_named() {
    let (files, others) = (Files::new(), Files::new());
    let authority = others.path("authority.pem");
    let lines = diagnostics();
    for protocol in EACH {
        let receiver = Receiver::start_blocking().unwrap();
        let (backend, alpn) = of(protocol, &receiver);
        let endpoint = tls(&files, &backend, alpn, Clients::Anyone);
        let exporter = start(exporter(&endpoint, protocol).certificate(&authority).metrics(Signal::Off));
        lines.lock().unwrap_or_else(PoisonError::into_inner).clear();
        exporter.sink().accept(&SPAN);
        let deadline = Instant::now() + LONG;
        while exporter.report().retries() == 0 {
            assert!(Instant::now() < deadline, "{}", exporter.report());
            std::thread::yield_now();
        }
        let report = exporter.shutdown_blocking(Duration::from_millis(100));
        assert_eq!((report.exported(), report.lost()), (0, 1), "{protocol}: {report}");
        let told = String::from_utf8(lines.lock().unwrap().clone()).unwrap();
        let trusted = format!("(trusted: the authorities in {})", authority.display());
        assert!(told.contains("invalid peer certificate") && told.contains(&trusted), "{protocol}: {told}");
    }
}

#[test]
fn a_collector_that_knows_its_clients_takes_nothing_from_others() {
    let files = Files::new();
    let receiver = Receiver::start_blocking().unwrap();
    let endpoint = tls(&files, &receiver.http_endpoint(), b"http/1.1", Clients::Known);
    let builder = exporter(&endpoint, Protocol::HttpProtobuf).certificate(files.path("authority.pem"));
    let exporter = start(builder.metrics(Signal::Off));
    exporter.sink().accept(&SPAN);
    let report = exporter.shutdown_blocking(Duration::from_millis(500));
    assert_eq!((report.lost(), receiver.spans().len()), (1, 0), "{report}");
}

#[test]
fn files_that_cannot_be_used_are_named_with_what_is_wrong_with_them() {
    let files = Files::new();
    std::fs::write(files.path("empty.pem"), "no certificate").unwrap();
    let https = || exporter("https://localhost:1", Protocol::HttpProtobuf);
    let path = |name: &str| files.path(name);
    for (builder, expected) in [
        (https().certificate(path("absent.pem")), "absent.pem\": not readable as PEM certificates"),
        (https().certificate(path("empty.pem")), "empty.pem\": a file without a PEM certificate"),
        (https().client_certificate(path("client.pem"), path("absent.key")), "client.pem\": not to be used"),
        (https().client_certificate(path("client.pem"), path("server.key")), "server.key"),
    ] {
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let variable = "OTEL_EXPORTER_OTLP_CERTIFICATE";
    let absent = path("absent.pem").display().to_string();
    let environment = Environment::from_pairs([(variable, absent.as_str())]);
    let built = throughline_otlp::builder("orders").environment(environment).build().unwrap();
    let told = built.warnings[0].to_string();
    assert!(told.starts_with(variable) && told.ends_with("using the authorities of this system"), "{told}");
}

#[test]
fn a_batch_goes_to_the_collector_and_as_a_line_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spans.jsonl");
    let receiver = Receiver::start_blocking().unwrap();
    let builder = exporter(&receiver.http_endpoint(), Protocol::HttpProtobuf).metrics(Signal::Off);
    let exporter = start(builder.traces_to([Destination::Otlp, Destination::File(file.clone())]));
    exporter.sink().accept(&SPAN);
    let report = exporter.shutdown_blocking(LONG);
    assert_eq!((report.exported(), report.copies_failed(), receiver.spans().len()), (1, 0, 1), "{report}");
    let line = std::fs::read_to_string(&file).unwrap();
    assert!(line.contains(r#""spanId":"0202020202020202","name":"x""#), "{line}");
}
