//! The table of routes: a path and a verb find their route, or what else the path could do.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method as Verb};

use super::compile::{Fault, Route};
use super::registry;
use super::template::split_path_verb;

/// Every route of the edge. A table never changes; plugging in makes a new one.
#[derive(Default)]
pub struct Table {
    router: matchit::Router<usize>,
    nodes: Vec<Node>,
    by_pattern: HashMap<String, usize>,
    has_path_verbs: bool,
    registry: Bytes,
}

/// The routes of one pattern, a verb each.
struct Node {
    /// Which segments of the path are bound to fields.
    bound: Vec<usize>,
    routes: Vec<Arc<Route>>,
}

/// What a path and a verb found.
pub enum Found<'p> {
    /// A route, and the raw segments of the path that its fields are bound to.
    Route(Arc<Route>, Vec<&'p str>),
    /// The path exists, the verb does not: those that do.
    OtherVerbs(HeaderValue),
    /// No such path.
    Nothing,
}

impl Table {
    /// A table of these routes below `prefix` (empty, or such as `/api`). Fails where two of them have
    /// the same place.
    pub fn build(routes: Vec<Arc<Route>>, prefix: &str) -> Result<Self, Vec<Fault>> {
        let mut table = Self::default();
        table.add(routes, prefix)?;
        Ok(table)
    }

    /// Adds routes, all or, where one has a place that is taken, none of them.
    pub fn add(&mut self, routes: Vec<Arc<Route>>, prefix: &str) -> Result<(), Vec<Fault>> {
        let faults = self.conflicts(&routes, prefix);
        if !faults.is_empty() {
            return Err(faults);
        }
        for route in routes {
            self.insert(route, prefix).map_err(|fault| vec![fault])?;
        }
        self.registry = registry::encode(self.routes().map(Arc::as_ref)).into();
        Ok(())
    }

    fn conflicts(&self, routes: &[Arc<Route>], prefix: &str) -> Vec<Fault> {
        let mut taken: HashMap<(String, Verb), String> = HashMap::new();
        for (pattern, node) in &self.by_pattern {
            let routes = self.nodes.get(*node).into_iter().flat_map(|node| &node.routes);
            taken.extend(routes.map(|route| ((pattern.clone(), route.verb.clone()), route.rpc.name.clone())));
        }
        let mut faults = Vec::new();
        for route in routes {
            let place = (format!("{prefix}{}", route.pattern), route.verb.clone());
            if let Some(holder) = taken.get(&place) {
                let problem = format!("{} {} is taken by {holder}", route.verb, route.path);
                faults.push(Fault { method: route.rpc.name.clone(), problem });
            } else {
                taken.insert(place, route.rpc.name.clone());
            }
        }
        faults
    }

    fn insert(&mut self, route: Arc<Route>, prefix: &str) -> Result<(), Fault> {
        let pattern = format!("{prefix}{}", route.pattern);
        self.has_path_verbs |= pattern.contains("/:");
        if let Some(node) = self.by_pattern.get(&pattern) {
            self.nodes[*node].routes.push(route);
            return Ok(());
        }
        // Fields go by position, so two patterns never disagree on a name; a prefix is checked before.
        self.router.insert(&pattern, self.nodes.len()).map_err(|error| Fault {
            method: route.rpc.name.clone(),
            problem: format!("{} cannot be matched: {error}", route.path),
        })?;
        let mut node = Node::of(&pattern);
        node.routes.push(route);
        self.by_pattern.insert(pattern, self.nodes.len());
        self.nodes.push(node);
        Ok(())
    }

    /// What answers a path and a verb. HEAD is answered by GET.
    pub fn find<'p>(&self, path: &'p str, verb: &Verb) -> Found<'p> {
        let Some((node, segments)) = self.lookup(path) else { return Found::Nothing };
        let answers = |wanted: &Verb| node.routes.iter().find(|route| route.verb == *wanted).cloned();
        let route = answers(verb).or_else(|| (*verb == Verb::HEAD).then(|| answers(&Verb::GET)).flatten());
        match route {
            Some(route) => Found::Route(route, segments),
            None => Found::OtherVerbs(allowed(&node.routes)),
        }
    }

    /// The node of a path, and the path's segments that its fields are bound to.
    fn lookup<'p>(&self, path: &'p str) -> Option<(&Node, Vec<&'p str>)> {
        if self.has_path_verbs
            && let Some((plain, rewritten)) = split_path_verb(path)
            && let Ok(matched) = self.router.at(&rewritten)
        {
            let node = self.nodes.get(*matched.value)?;
            return Some((node, node.pick(plain)?));
        }
        let node = self.nodes.get(*self.router.at(path).ok()?.value)?;
        Some((node, node.pick(path)?))
    }

    /// Every route.
    pub fn routes(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.nodes.iter().flat_map(|node| &node.routes)
    }

    /// The encoded answer of `RouteService/ListRoutes`.
    pub fn registry(&self) -> Bytes {
        self.registry.clone()
    }
}

impl Node {
    fn of(pattern: &str) -> Self {
        let bound = pattern.split('/').enumerate().filter(|(_, segment)| segment.starts_with('{'));
        Self { bound: bound.map(|(index, _)| index).collect(), routes: Vec::new() }
    }

    /// The bound segments of a path; `None` where one of them is empty, which no template means.
    fn pick<'p>(&self, path: &'p str) -> Option<Vec<&'p str>> {
        if self.bound.is_empty() {
            return Some(Vec::new());
        }
        let segments = path.split('/').enumerate().filter(|(index, _)| self.bound.contains(index));
        segments.map(|(_, segment)| (!segment.is_empty()).then_some(segment)).collect()
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.routes().map(|route| format!("{} {}", route.verb, route.path))).finish()
    }
}

fn allowed(routes: &[Arc<Route>]) -> HeaderValue {
    let mut verbs: Vec<&str> = routes.iter().map(|route| route.verb.as_str()).collect();
    if verbs.contains(&"GET") {
        verbs.push("HEAD");
    }
    verbs.sort_unstable();
    HeaderValue::try_from(verbs.join(", ")).unwrap_or(HeaderValue::from_static("GET"))
}
