//! Plugs in services that came with nothing but their descriptors, their address and their identity. A
//! faulty one loses its own routes and is reported; the edge starts all the same.

use mesh::{Channel, Identity, Upstream};
use prost_reflect::{DescriptorPool, ServiceDescriptor};

use crate::config::{Config, UpstreamConfig};
use crate::routes::{self, Fault, Table, Target};
use crate::upstream::Upstreams;

/// Adds the routes and channels of every service that is plugged in.
pub(super) fn plug_in(
    config: &Config,
    mut table: Table,
    upstreams: &mut Upstreams,
    identity: &Identity,
) -> Table {
    for upstream in &config.upstreams {
        match add(upstream, &config.path_prefix, &mut table, identity) {
            Ok(channel) => upstreams.add(channel),
            Err(faults) => {
                metrics::counter!("platform_edge_upstreams_refused_total").increment(1);
                for fault in faults {
                    tracing::error!(upstream = upstream.name, %fault, "the service's routes are not served");
                }
            }
        }
    }
    table
}

fn add(
    upstream: &UpstreamConfig,
    path_prefix: &str,
    table: &mut Table,
    identity: &Identity,
) -> Result<Channel, Vec<Fault>> {
    let alone = |problem: String| vec![Fault { method: upstream.name.clone(), problem }];
    if upstream.path_prefix.len() < 2 || upstream.permission_prefix.is_empty() {
        return Err(alone("it has no prefix for its paths or for its permissions".to_owned()));
    }
    let taken = ["auth", "notify", "gateway"].contains(&upstream.name.as_str());
    if taken {
        return Err(alone("the name belongs to a service of the platform".to_owned()));
    }
    let id = upstream.identity.parse().map_err(|error| alone(format!("{error}")))?;
    // A pool of its own: a second, different file of the same name would otherwise be ignored.
    let pool = DescriptorPool::decode(upstream.descriptor.as_slice())
        .map_err(|error| alone(format!("its descriptors cannot be read: {error}")))?;
    let target = |service: &ServiceDescriptor| {
        let is_ours = service.full_name().starts_with("platform.");
        (!is_ours).then(|| Target::Service(upstream.name.as_str().into()))
    };
    let routes = routes::compile(&pool, target)?;
    let faults: Vec<Fault> = routes.iter().filter_map(|route| outside(route, upstream)).collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    table.add(routes, path_prefix)?;
    let addresses = upstream.addresses.clone();
    Ok(Channel::new(identity.clone(), Upstream { name: upstream.name.clone(), addresses, identity: id }))
}

/// What is wrong with a route that does not keep within its service's prefixes.
fn outside(route: &routes::Route, upstream: &UpstreamConfig) -> Option<Fault> {
    let fault = |problem: String| Some(Fault { method: route.rpc.name.clone(), problem });
    let below = |text: &str, prefix: &str, next: char| {
        text.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(next))
    };
    if !below(&route.path, &upstream.path_prefix, '/') {
        return fault(format!("{} does not lie below {}", route.path, upstream.path_prefix));
    }
    let permission = route.rpc.policy.permission.replace('.', ":");
    let prefix = &upstream.permission_prefix;
    if !permission.is_empty() && !below(&permission, prefix, ':') {
        return fault(format!("{permission} does not begin with {prefix}"));
    }
    None
}
