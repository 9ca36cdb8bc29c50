//! What a good engineer assembles today from the stock crates.

use std::{error::Error, fs::File};

use axum::{Router, extract::MatchedPath, extract::Request, http::HeaderName};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::HeaderExtractor;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tower::ServiceBuilder;
use tower_http::{
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    trace::TraceLayer,
};
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{EnvFilter, prelude::*};

use super::Installed;
use crate::server::Settings;

pub(super) fn install(settings: &Settings, routes: Router) -> Result<Installed, Box<dyn Error>> {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(&settings.otlp).build()?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name("bench").build())
        .build();
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let (writer, guard) = tracing_appender::non_blocking(File::create(&settings.log_file)?);
    tracing_subscriber::registry()
        .with(EnvFilter::new("info"))
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("bench")))
        .with(tracing_subscriber::fmt::layer().json().with_writer(writer))
        .init();

    let request_id = HeaderName::from_static("x-request-id");
    let layers = ServiceBuilder::new()
        .layer(SetRequestIdLayer::new(request_id.clone(), MakeRequestUuid))
        .layer(TraceLayer::new_for_http().make_span_with(make_span))
        .layer(PropagateRequestIdLayer::new(request_id));
    let shutdown = move || {
        if let Err(error) = provider.shutdown() {
            eprintln!("{error}");
        }
        drop(guard);
    };
    Ok(Installed { app: routes.layer(layers), shutdown: Box::new(shutdown) })
}

fn make_span(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let request_id =
        request.headers().get("x-request-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let span = info_span!(
        "request",
        otel.name = format!("{} {route}", request.method()),
        otel.kind = "server",
        http.request.method = %request.method(),
        http.route = route,
        url.path = request.uri().path(),
        request_id,
    );
    let parent = opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.extract(&HeaderExtractor(request.headers()))
    });
    if let Err(error) = span.set_parent(parent) {
        eprintln!("{error}");
    }
    span
}
