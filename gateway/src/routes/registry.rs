//! The registry of routes (`RouteService/ListRoutes`), made once per table.

use http::Method as Verb;
use prost::Message;
use proto::edge::{Access, Idempotency, ListRoutesResponse, Route as Item};

use super::compile::Route;

/// The encoded answer of `ListRoutes`: the routes by path and verb.
pub(super) fn encode<'a>(routes: impl Iterator<Item = &'a Route>) -> Vec<u8> {
    let mut items: Vec<Item> = routes.map(item).collect();
    items.sort_by(|a, b| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
    ListRoutesResponse { items }.encode_to_vec()
}

fn item(route: &Route) -> Item {
    let policy = &route.rpc.policy;
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    let idempotency = match policy.idempotency() {
        Idempotency::Unspecified if route.verb == Verb::GET || route.rpc.access == Access::Public => {
            Idempotency::None
        }
        Idempotency::Unspecified => Idempotency::Optional,
        declared => declared,
    };
    Item {
        method: route.verb.to_string(),
        path: route.path.clone(),
        rpc: route.rpc.name.clone(),
        access: policy.access,
        permission: given(&policy.permission),
        api_key_group: given(&policy.api_key_group),
        rate_limits: policy.rate_limits.clone(),
        idempotency: idempotency.into(),
        upstream: route.rpc.target.name().to_owned(),
    }
}
