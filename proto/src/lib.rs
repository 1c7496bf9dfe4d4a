//! The contracts as Rust, and whatever both ends of a wire must agree on: error codes, metadata
//! names, the keys of the published access state, canonical spellings and validation rules. What
//! only one end needs to know lives with that end.

pub mod canonical;
mod code;
mod contracts;
mod error;
pub mod fanout;
pub mod kv;
pub mod metadata;
pub mod permission;
pub mod rules;

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

pub use contracts::google;
pub use contracts::platform::{
    auth::v1 as auth, edge::v1 as edge, errors::v1 as errors, notify::v1 as notify,
};
pub use error::{ServiceError, Violation, visible};
pub use errors::ErrorCode;

/// Every contract of the platform with its imports, options and comments, as an encoded
/// `google.protobuf.FileDescriptorSet`.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The descriptors of [`DESCRIPTOR_SET`], read once.
pub fn pool() -> &'static DescriptorPool {
    static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
        #[expect(clippy::expect_used, reason = "the build script decoded these very bytes")]
        DescriptorPool::decode(DESCRIPTOR_SET).expect("the descriptor set decodes")
    });
    &POOL
}
