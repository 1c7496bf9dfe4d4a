//! What the processes of a world are told: where everything is, and what makes them cheap to test.

use super::{ADMIN_EMAIL, ADMIN_PASSWORD, Backends, PUBLIC_URL, World};

/// The settings of a world, those that its story has for it last.
pub(super) fn of(world: &World, own: &[(&str, &str)]) -> Vec<(String, String)> {
    let at = |port: u16| format!("{}:{port}", world.host);
    let (data, auth, notify) = (world.data_dir().display().to_string(), at(7101), at(7102));
    let (listen, ops) = ([at(8080), at(9080)], [at(9101), at(9102)]);
    let common = [
        ("PLATFORM_DATA_DIR", data.as_str()),
        ("GATEWAY_LISTEN", &listen[0]),
        ("GATEWAY_OPS_LISTEN", &listen[1]),
        ("AUTH_LISTEN", &auth),
        ("AUTH_OPS_LISTEN", &ops[0]),
        ("NOTIFY_LISTEN", &notify),
        ("NOTIFY_OPS_LISTEN", &ops[1]),
        ("AUTH_UPSTREAM", &auth),
        ("NOTIFY_UPSTREAM", &notify),
        ("PUBLIC_URL", PUBLIC_URL),
        ("ADMIN_EMAIL", ADMIN_EMAIL),
        ("ADMIN_PASSWORD", ADMIN_PASSWORD),
        // Hashing has to work here, not to cost.
        ("AUTH_HASH_MEMORY_KIB", "64"),
        ("AUTH_HASH_PASSES", "1"),
        // Whoever connects may say where they come from: every person has an address of their own.
        ("TRUSTED_PROXIES", "127.0.0.0/8"),
    ];
    let backends = world.backends.iter().flat_map(Backends::settings);
    let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    common.into_iter().map(pair).chain(backends).chain(own.iter().copied().map(pair)).collect()
}
