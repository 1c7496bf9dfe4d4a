//! Compiles the contracts with protox, so that a machine needs no protoc: the descriptor set with
//! every option, the generated modules, the error table, and the redacting `Debug`s.

use std::{env, error::Error, fmt::Write, fs, path::Path, path::PathBuf};

use prost_reflect::{DescriptorPool, EnumDescriptor, MessageDescriptor, Value};
use prost_types::FileDescriptorSet;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Contracts that are compiled into Rust; the options of `buf.validate` are only read.
const GENERATED: [&str; 4] = ["platform/", "google/api/", "google/rpc/", "google/protobuf/"];

fn main() -> Outcome<()> {
    let folder = |name| env::var_os(name).map(PathBuf::from).ok_or_else(|| format!("cargo sets {name}"));
    let (root, out) = (folder("CARGO_MANIFEST_DIR")?, folder("OUT_DIR")?);
    for folder in ["platform", "vendor"] {
        println!("cargo:rerun-if-changed={}", root.join(folder).display());
    }

    let mut files = Vec::new();
    list_contracts(&root.join("platform"), &mut files)?;
    files.sort();

    let mut compiler = protox::Compiler::new([root.clone(), root.join("vendor")])?;
    compiler.include_imports(true).include_source_info(true).open_files(files)?;
    // prost's own descriptor types drop custom options: the encoded set is the one that keeps them.
    let encoded = compiler.encode_file_descriptor_set();
    fs::write(out.join("descriptors.bin"), &encoded)?;

    let pool = DescriptorPool::decode(encoded.as_slice())?;
    fs::write(out.join("error_table.rs"), error_table(&pool)?)?;
    generate(compiler.file_descriptor_set(), &pool, &out)
}

fn list_contracts(folder: &Path, files: &mut Vec<PathBuf>) -> Outcome<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list_contracts(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}

fn generate(mut set: FileDescriptorSet, pool: &DescriptorPool, out: &Path) -> Outcome<()> {
    set.file.retain(|file| GENERATED.iter().any(|prefix| file.name().starts_with(prefix)));
    let secret: Vec<MessageDescriptor> = pool
        .all_messages()
        .filter(|message| message.full_name().starts_with("platform."))
        .filter(|message| message.fields().any(|field| is_redacted(&field)))
        .collect();
    tonic_prost_build::configure()
        .include_file("contracts.rs")
        .skip_debug(secret.iter().map(MessageDescriptor::full_name))
        .compile_fds(set)?;
    let impls: String = secret.iter().map(redacting_debug).collect();
    fs::write(out.join("redacting_debug.rs"), impls)?;
    Ok(())
}

fn is_redacted(field: &prost_reflect::FieldDescriptor) -> bool {
    field.options().get_field_by_name("debug_redact").is_some_and(|value| value.as_bool() == Some(true))
}

/// A `Debug` that prints everything but the fields marked `debug_redact`.
fn redacting_debug(message: &MessageDescriptor) -> String {
    let mut path = String::new();
    for part in message.package_name().split('.') {
        let _ = write!(path, "{part}::");
    }
    let name = message.name();
    let fields: String = message.fields().fold(String::new(), |mut text, field| {
        let field_name = field.name();
        let identifier = if field_name == "type" { "r#type" } else { field_name };
        let _ = if is_redacted(&field) {
            write!(text, ".field(\"{field_name}\", &format_args!(\"[redacted]\"))")
        } else {
            write!(text, ".field(\"{field_name}\", &self.{identifier})")
        };
        text
    });
    format!(
        "impl std::fmt::Debug for {path}{name} {{
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{
                f.debug_struct(\"{name}\"){fields}.finish()
            }}
        }}\n"
    )
}

/// The meaning of every error code, read off the options of the enum.
fn error_table(pool: &DescriptorPool) -> Outcome<String> {
    let codes: EnumDescriptor =
        pool.get_enum_by_name("platform.errors.v1.ErrorCode").ok_or("no ErrorCode in the contracts")?;
    let extension =
        pool.get_extension_by_name("platform.errors.v1.error").ok_or("no error option in the contracts")?;
    let mut table = String::from("const TABLE: &[Entry] = &[\n");
    for code in codes.values().filter(|value| value.number() != 0) {
        let options = code.options();
        if !options.has_extension(&extension) {
            return Err(format!("{} has no (error) option", code.name()).into());
        }
        let policy = options.get_extension(&extension).into_owned();
        let policy = policy.as_message().ok_or("the error option is no message")?;
        let number = |name: &str| match policy.get_field_by_name(name).as_deref() {
            Some(Value::I32(number) | Value::EnumNumber(number)) => *number,
            _ => 0,
        };
        let message = policy.get_field_by_name("message").and_then(|text| text.as_str().map(str::to_owned));
        let _ = writeln!(
            table,
            "Entry {{ number: {}, name: {:?}, http: {}, grpc: {}, ui: {}, message: {:?} }},",
            code.number(),
            code.name().trim_start_matches("ERROR_CODE_"),
            number("http_status"),
            number("grpc_code"),
            number("ui"),
            message.unwrap_or_default(),
        );
    }
    table.push_str("];\n");
    Ok(table)
}
