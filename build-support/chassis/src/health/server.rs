//! Three pages over HTTP/1.1, with the bounds that keep a slow or greedy client from hurting.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt as _};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

use super::report::Readiness;

const CONNECTIONS_MAX: usize = 64;
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECTION_TIMEOUT: Duration = Duration::from_mins(1);

/// Answers until it is dropped.
pub(super) async fn serve(listener: TcpListener, readiness: Readiness) {
    let readiness = Arc::new(readiness);
    let mut connections = FuturesUnordered::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, _)) => connections.push(converse(stream, readiness.clone())),
                // Out of file descriptors, most likely: do not spin.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            Some(()) = connections.next() => {}
        }
    }
}

async fn converse(stream: TcpStream, readiness: Arc<Readiness>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let readiness = readiness.clone();
        async move { Ok::<_, Infallible>(answer(&request, &readiness).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    // A client that broke off, or stayed too long, is its own affair.
    let _ = tokio::time::timeout(CONNECTION_TIMEOUT, connection).await;
}

async fn answer(request: &Request<Incoming>, readiness: &Readiness) -> Response<Full<Bytes>> {
    if request.method() != Method::GET {
        return page(StatusCode::METHOD_NOT_ALLOWED, "text/plain", String::new());
    }
    match request.uri().path() {
        "/livez" => page(StatusCode::OK, "text/plain", "ok\n".to_owned()),
        "/readyz" => {
            let (ready, report) = readiness.report().await;
            let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            page(status, "application/json", report.to_string())
        }
        "/metrics" => page(StatusCode::OK, "text/plain; version=0.0.4", crate::metrics::render()),
        _ => page(StatusCode::NOT_FOUND, "text/plain", String::new()),
    }
}

fn page(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
