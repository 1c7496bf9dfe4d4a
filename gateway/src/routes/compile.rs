//! Compiles the routes of a descriptor pool: every binding of every method that has an HTTP rule.

use std::fmt;
use std::sync::Arc;

use http::Method as Verb;
use prost_reflect::{DescriptorPool, MethodDescriptor, ServiceDescriptor};
use proto::rules::Rules;

use super::binding::{self, Binding};
use super::rpc::{Rpc, Target};
use crate::contract;
use crate::meter::Meter;
use crate::transcode::printer::Printer;
use crate::transcode::request::RequestPlan;
use crate::transcode::words::Words;

/// A path and a verb, and everything that is known of them before a request comes.
#[derive(Debug)]
pub struct Route {
    /// The verb.
    pub verb: Verb,
    /// The path template as the contract writes it.
    pub path: String,
    /// What is measured of it.
    pub meter: Meter,
    /// What it is matched by.
    pub(super) pattern: String,
    /// The method behind it.
    pub rpc: Arc<Rpc>,
    /// How its requests are read.
    pub request: RequestPlan,
    /// How its answers are printed.
    pub printer: Printer,
}

/// What is wrong with a contract, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The method.
    pub method: String,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.method, self.problem)
    }
}

/// Compiles the routes of a pool. `target` says who answers a service; of a service that nobody answers
/// nothing is served. Fails with every fault at once.
pub fn compile(
    pool: &DescriptorPool,
    target: impl Fn(&ServiceDescriptor) -> Option<Target>,
) -> Result<Vec<Arc<Route>>, Vec<Fault>> {
    let words = Arc::new(Words::of(pool));
    let (mut routes, mut faults) = (Vec::new(), Vec::new());
    for service in pool.services() {
        let Some(target) = target(&service) else { continue };
        for method in service.methods() {
            match method_routes(&method, &target, &words) {
                Ok(found) => routes.extend(found.into_iter().map(Arc::new)),
                Err(problem) => faults.push(Fault { method: method.full_name().to_owned(), problem }),
            }
        }
    }
    if faults.is_empty() { Ok(routes) } else { Err(faults) }
}

fn method_routes(
    method: &MethodDescriptor,
    target: &Target,
    words: &Arc<Words>,
) -> Result<Vec<Route>, String> {
    let Some(rule) = contract::http_rule(method) else { return Ok(Vec::new()) };
    let rpc = Arc::new(Rpc::read(method, target.clone())?);
    let rules = Rules::compile(&method.input())
        .map_err(|unknown| format!("the rule {} of {} is not supported", unknown.rule, unknown.field))?;
    let rules = Arc::new(rules);
    let bindings = binding::read_all(&rule, method)?;
    let route = |binding: Binding| {
        let printer = Printer::compile(&method.output(), binding.response_body.as_ref())?;
        let request = RequestPlan {
            mask: RequestPlan::mask_field(&method.input(), &binding.verb, &binding.body),
            input: method.input(),
            path: binding.path,
            body: binding.body,
            accept_form: rpc.policy.accept_form,
            words: words.clone(),
            rules: rules.clone(),
        };
        let path = binding.template.text().to_owned();
        let (meter, pattern) = (Meter::new(&path), binding.template.pattern());
        Ok(Route { verb: binding.verb, path, meter, pattern, rpc: rpc.clone(), request, printer })
    };
    bindings.into_iter().map(route).collect()
}
