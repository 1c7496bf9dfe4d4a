//! The measurements of one route, kept ready for the common case: an answer that is no failure.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{Method as Verb, StatusCode};
use metrics::{Counter, Histogram, SharedString};

/// Counts the answers of a route and how long they take.
#[derive(Debug)]
pub struct Meter {
    route: Arc<str>,
    seconds: OnceLock<Histogram>,
    answered: OnceLock<Counter>,
}

/// The code under which answers are counted that are no failure.
const NO_ERROR: &str = "OK";

impl Meter {
    /// A meter of the route with this path template.
    pub fn new(route: &str) -> Self {
        Self { route: route.into(), seconds: OnceLock::new(), answered: OnceLock::new() }
    }

    /// An answer that is no failure.
    pub fn success(&self, verb: &Verb, status: StatusCode, took: Duration) {
        self.answered.get_or_init(|| self.counter(verb, status.as_u16(), NO_ERROR)).increment(1);
        self.record(verb, took);
    }

    /// A failure, with its code; or an answer that nobody waited for, under the status 499.
    pub fn failure(&self, verb: &Verb, status: u16, code: &'static str, took: Duration) {
        self.counter(verb, status, code).increment(1);
        self.record(verb, took);
    }

    fn record(&self, verb: &Verb, took: Duration) {
        let seconds = self.seconds.get_or_init(|| {
            metrics::histogram!("platform_edge_request_duration_seconds",
                "route" => SharedString::from_shared(self.route.clone()), "method" => label(verb))
        });
        seconds.record(took);
    }

    fn counter(&self, verb: &Verb, status: u16, code: &'static str) -> Counter {
        metrics::counter!("platform_edge_requests_total",
            "route" => SharedString::from_shared(self.route.clone()), "method" => label(verb),
            "status" => status.to_string(), "code" => code)
    }
}

/// Verbs that nobody knows must not become labels without end.
fn label(verb: &Verb) -> &'static str {
    match *verb {
        Verb::GET => "GET",
        Verb::HEAD => "HEAD",
        Verb::POST => "POST",
        Verb::PUT => "PUT",
        Verb::PATCH => "PATCH",
        Verb::DELETE => "DELETE",
        Verb::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
