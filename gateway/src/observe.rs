//! One log line and one measurement a request, also of those whose client went away. No query, no
//! body, no address.

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use http::{Method as Verb, StatusCode};
use proto::ServiceError;

use crate::meter::Meter;
use crate::routes::Route;

/// The status under which a request is counted whose client went away: nobody sees it.
const CLIENT_GONE: u16 = 499;

/// Where requests are counted that found no route.
static NO_ROUTE: LazyLock<Meter> = LazyLock::new(|| Meter::new("none"));

/// What is to be told of a request once it is over.
pub struct Observed {
    began: Instant,
    verb: Verb,
    route: Option<Arc<Route>>,
    error: Option<ServiceError>,
    status: Option<StatusCode>,
}

impl Observed {
    /// A request has begun.
    pub fn begin(verb: &Verb) -> Self {
        metrics::gauge!("platform_edge_requests_in_flight").increment(1.0);
        Self { began: Instant::now(), verb: verb.clone(), route: None, error: None, status: None }
    }

    /// Its route was found.
    pub fn found(&mut self, route: Arc<Route>) {
        tracing::Span::current().record("otel.name", route.rpc.name.as_str());
        self.route = Some(route);
    }

    /// It failed.
    pub fn fail(&mut self, error: ServiceError) {
        self.error = Some(error);
    }

    /// It was answered.
    pub fn answer(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    fn measure(&self) {
        metrics::gauge!("platform_edge_requests_in_flight").decrement(1.0);
        let meter = self.route.as_ref().map_or(&*NO_ROUTE, |route| &route.meter);
        // HEAD shares its route with GET and is counted beside it.
        let is_routes_own = self.route.as_ref().is_some_and(|route| route.verb == self.verb);
        let took = self.began.elapsed();
        match (self.status, &self.error) {
            (Some(status), None) if is_routes_own => meter.success(&self.verb, status, took),
            (status, error) => {
                let status = status.map_or(CLIENT_GONE, |status| status.as_u16());
                let code = error.as_ref().map_or("OK", |error| error.code().as_str());
                meter.failure(&self.verb, status, code, took);
            }
        }
    }

    fn log(&self) {
        let route = self.route.as_ref().map_or("none", |route| route.path.as_str());
        let rpc = self.route.as_ref().map_or("none", |route| route.rpc.name.as_str());
        let took_ms = self.began.elapsed().as_secs_f64() * 1000.0;
        let method = self.verb.as_str();
        let status = self.status.map_or(CLIENT_GONE, |status| status.as_u16());
        let Some(error) = &self.error else {
            tracing::info!(method, route, rpc, status, took_ms, "request answered");
            return;
        };
        let code = error.code().as_str();
        if status < 500 {
            tracing::info!(method, route, rpc, status, code, took_ms, %error, "request refused");
        } else {
            tracing::error!(method, route, rpc, status, code, took_ms, %error, "request failed");
        }
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        self.measure();
        self.log();
    }
}
