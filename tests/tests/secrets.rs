//! Secrets are planted wherever a service may meet one, and found in nothing that it tells.
//!
//! Everything is real: the service speaks HTTP to itself, sends messages, exports over OTLP to a Collector in the process
//! and writes its lines into a file. Looked at are the lines, every request that the Collector got, and the `Debug` and
//! `Display` of settings, errors, warnings and reports.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

use std::{
    error::Error,
    fmt, fs,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, http::HeaderMap, routing::get};
use rumqttc::v5::mqttbytes::v5::{Publish, PublishProperties};
use throughline::{
    Baggage, Builder, Context, SpanContext, SpanExt, Status, Telemetry,
    core::{
        env::Environment,
        redact::{Off, Rules, SecretValues, Sensitive, Verdict},
        sql, with_remote,
    },
    logs::{Format, Output},
    otlp::{EventTarget, Protocol, Signal},
};
use throughline_messaging::{channel, mqtt};
use throughline_testing::collector::{Receiver, Tap};
use tracing::{field::Empty, instrument::WithSubscriber};

const DEADLINE: Duration = Duration::from_secs(20);

/// One for each place, so that a failure says which.
const PLANTED: [&str; 24] = [
    "plant-log-field",
    "plant-log-debug",
    "plant-span-field",
    "plant-late-record",
    "plant-attribute",
    "plant-array",
    "plant-event",
    "plant-link",
    "plant-server-header",
    "plant-server-query",
    "plant-client-userinfo",
    "plant-client-query",
    "plant-client-fragment",
    "plant-client-header",
    "plant-baggage",
    "plant-sql",
    "plant-resource-env",
    "plant-resource-code",
    "plant-otlp-header",
    "plant-error",
    "plant-message-property",
    "plant-endpoint",
    "plant-bad-variable",
    "plant-channel",
];

/// What a service has told, in all ways.
struct Told {
    everything: String,
    redacted: u64,
}

/// Every request that the Collector gets, as text.
#[derive(Clone, Default)]
struct Listening(Arc<Mutex<String>>);

impl Tap for Listening {
    fn line(&self, _: throughline_testing::collector::Signal, json: &str) {
        self.0.lock().unwrap().push_str(json);
    }
}

#[tokio::test]
async fn no_planted_secret_is_told_in_any_format() {
    for format in [Format::Plain, Format::Otel, Format::Ecs, Format::OtlpJson, Format::Console] {
        for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
            let target = if protocol == Protocol::Grpc { EventTarget::Both } else { EventTarget::LogRecord };
            let told =
                told(protocol, |builder| builder.log_format(format).log_records(Signal::On).events(target))
                    .await;
            for secret in PLANTED {
                assert!(!told.everything.contains(secret), "{format}: {secret} in\n{}", told.everything);
            }
            assert!(told.everything.contains("REDACTED") && told.redacted >= 10, "{}", told.redacted);
        }
    }
}

#[tokio::test]
async fn without_redaction_they_would_be_told() {
    let told = told(Protocol::Grpc, |builder| builder.redaction(Off)).await;
    let kept_by_others = [
        "plant-client-userinfo",  // `reqwest` makes a header of it
        "plant-client-header",    // headers are recorded by an allow-list alone
        "plant-client-fragment",  // never sent, and so never seen by the client
        "plant-baggage",          // not told unless somebody allows a member
        "plant-sql",              // sanitised by whoever records a statement
        "plant-otlp-header",      // never told
        "plant-error",            // `Sensitive`
        "plant-message-property", // not told
        "plant-endpoint",         // refused before anything runs
        "plant-bad-variable",
        "plant-server-header",
        "plant-channel", // what is in a message is nobody's business
    ];
    for secret in PLANTED.into_iter().filter(|secret| !kept_by_others.contains(secret)) {
        assert!(told.everything.contains(secret), "{secret} is not planted where it would be told");
    }
    assert_eq!(told.redacted, 0);
}

#[tokio::test]
async fn rules_of_users_reach_every_output() {
    let rules = Rules::new().deny("log-note").values(SecretValues::all()).denied(Verdict::Drop);
    let told = told(Protocol::Grpc, |builder| builder.redaction(rules)).await;
    for secret in PLANTED.into_iter().chain(["4111 1111 1111 1111", "eyJhbGciOiJIUzI1NiJ9", "noted"]) {
        assert!(!told.everything.contains(secret), "{secret} in\n{}", told.everything);
    }
    assert!(!told.everything.contains("db_password"), "a dropped field leaves its name, too");
}

/// Runs a service that meets every secret, to its end.
async fn told(protocol: Protocol, change: impl FnOnce(Builder) -> Builder) -> Told {
    let listening = Listening::default();
    let collector = Receiver::builder().tap(listening.clone()).start_blocking().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("lines");
    let environment = Environment::from_pairs([
        ("OTEL_RESOURCE_ATTRIBUTES", "deploy.token=plant-resource-env"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=plant-otlp-header"),
    ]);
    let builder = change(throughline::builder("vault").environment(environment.clone()))
        .resource("license.secret", "plant-resource-code")
        .header("authorization", "Bearer plant-otlp-header")
        .log_output(Output::file(&lines));
    let endpoint = match protocol {
        Protocol::Grpc => collector.grpc_endpoint(),
        _ => collector.http_endpoint(),
    };
    let builder = builder.protocol(protocol).endpoint(&endpoint);
    let mut shown = format!("{builder:?} {environment:?}");
    let telemetry = builder.build().unwrap();
    shown.push_str(&format!("{telemetry:?}"));
    serve(&telemetry).await;
    let report = telemetry.shutdown(DEADLINE).await;
    assert_eq!(report.lost(), 0, "{report}");
    shown.push_str(&format!("{report:?} {report} {collector:?}"));
    shown.push_str(&refused().await);
    shown.push_str(&fs::read_to_string(&lines).unwrap());
    shown.push_str(&listening.0.lock().unwrap());
    Told { everything: shown, redacted: report.redaction().total() }
}

/// What is said of settings that cannot be used.
async fn refused() -> String {
    let bad_url = "ftp://me:plant-endpoint@collector:4317/?token=plant-endpoint";
    let error = throughline::builder("vault").endpoint(bad_url).without_logs().build().err().unwrap();
    let mut shown = format!("{error:?} {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        shown.push_str(&format!(" {error:?} {error}"));
        cause = error.source();
    }
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://me:plant-bad-variable@collector"),
        ("OTEL_RESOURCE_ATTRIBUTES", "plant-bad-variable"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "plant-bad-variable"),
    ] {
        let builder = throughline::builder("vault").environment(Environment::from_pairs([(name, value)]));
        let error = builder.without_logs().strict_environment().build().err().unwrap();
        shown.push_str(&format!("{error:?} {error}"));
    }
    shown
}

/// Meets each of the secrets.
async fn serve(telemetry: &Telemetry) {
    let work = async {
        fields();
        spans();
        baggage();
        requests().await;
        messages().await;
    };
    work.with_subscriber(telemetry.dispatch()).await;
}

fn fields() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "for its Debug")]
    struct Login {
        pin: Sensitive<&'static str>,
    }
    tracing::info!(db_password = "plant-log-field", apiKey = ?"plant-log-debug", "connected");
    tracing::info!(login = ?Login { pin: "plant-error".into() }, pin = %Sensitive::new("plant-error"), "logged in");
    let error = BadLogin { token: Sensitive::new("plant-error".to_owned()) };
    tracing::error!(error = &error as &dyn Error, "refused");
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
    tracing::info!(log_note = "noted", jwt_is = jwt, "paid with 4111 1111 1111 1111 and {jwt}");
}

fn spans() {
    let span = tracing::info_span!("store", user.password = "plant-span-field", session_token = Empty);
    span.record("session_token", "plant-late-record");
    span.set_attribute("client_secret", "plant-attribute")
        .set_attribute("http.request.header.cookie", ["plant-array", "plant-array"].as_slice())
        .set_attribute("db.query.text", sql::sanitized("SELECT a FROM b WHERE c = 'plant-sql'").as_str())
        .set_status(Status::Error("card declined"))
        .record_error(&BadLogin { token: Sensitive::new("plant-error".to_owned()) });
    let other = tracing::info_span!("other");
    if let Some(other) = other.context().span() {
        span.add_link(other, &[("private_key", "plant-link".into())]);
    }
    span.in_scope(|| tracing::info!(access_token = "plant-event", "stored"));
    tracing::info!(context = ?span.context().span().map(SpanContext::trace_id), "done");
}

fn baggage() {
    let baggage = Baggage::default().insert("user_token", "plant-baggage").unwrap();
    let incoming = Context::default().with_baggage(baggage);
    with_remote(&incoming, || {
        let span = tracing::info_span!("with baggage");
        tracing::info!(parent: &span, context = ?incoming, "received");
    });
}

async fn requests() {
    let app = Router::new()
        .route("/orders", get(async |headers: HeaderMap| headers.len().to_string()))
        .layer(throughline::http::server());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await }.with_current_subscriber());
    let client = throughline::http::reqwest::traced(reqwest::Client::builder().no_proxy()).unwrap();
    let url = format!(
        "http://me:plant-client-userinfo@{address}/orders?token=plant-client-query&sig=plant-server-query\
         #access_token=plant-client-fragment"
    );
    let answer = client
        .get(url)
        .header("cookie", "session=plant-client-header")
        .header("x-api-key", "plant-server-header")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let _length = answer.text().await.unwrap();
    server.abort();
}

async fn messages() {
    let (sender, mut receiver) = channel::channel("orders", 1);
    sender.send("plant-channel").await.unwrap();
    receiver.recv().await.unwrap().process(async |_| {}).await;

    let properties = PublishProperties {
        user_properties: vec![
            ("authorization".into(), "plant-message-property".into()),
            ("baggage".into(), "token=plant-message-property".into()),
        ],
        ..PublishProperties::default()
    };
    let mut message = Publish { properties: Some(properties), ..Publish::default() };
    message.topic = "order/created".into();
    mqtt::process(&message).run(async { tracing::info!(context = ?Context::current(), "shipped") }).await;
}

/// An error that knows a secret, and keeps it.
#[derive(Debug)]
struct BadLogin {
    token: Sensitive<String>,
}

impl fmt::Display for BadLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token {} is not known", self.token)
    }
}

impl Error for BadLogin {}
