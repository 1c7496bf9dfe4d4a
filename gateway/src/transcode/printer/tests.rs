//! The printer against a message tree.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use prost_reflect::prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MapKey, ReflectMessage, Value};
use serde_json::{Value as Json, json};

use super::*;
use crate::transcode::words;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (tests, contracts) = (root.join("src/transcode/testdata"), root.join("../proto"));
    let mut compiler = protox::Compiler::new([tests, contracts.clone(), contracts.join("vendor")]).unwrap();
    compiler.include_imports(true).open_file("every_kind.proto").unwrap();
    DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap()
});

/// The oracle: the same JSON, by way of a message tree.
fn tree(message: &DynamicMessage) -> Json {
    let descriptor = message.descriptor();
    let documents = ["google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue"];
    if documents.contains(&descriptor.full_name()) {
        return as_written(serde_json::to_value(message).unwrap());
    }
    if descriptor.full_name().starts_with("google.protobuf.") {
        return serde_json::to_value(message).unwrap();
    }
    let shown = descriptor.fields().filter(|field| message.has_field(field) || !field.supports_presence());
    let members = shown.map(|field| {
        let value = message.get_field(&field);
        let kind = match field.kind() {
            Kind::Message(entry) if field.is_map() => entry.map_entry_value_field().kind(),
            kind => kind,
        };
        (field.json_name().to_owned(), tree_value(&kind, &value))
    });
    Json::Object(members.collect())
}

/// Whole numbers of a JSON document have no fraction.
fn as_written(json: Json) -> Json {
    match json {
        Json::Number(number) => match format!("{number}").strip_suffix(".0").map(str::parse::<i64>) {
            Some(Ok(whole)) => json!(whole),
            _ => Json::Number(number),
        },
        Json::Array(items) => items.into_iter().map(as_written).collect(),
        Json::Object(members) => members.into_iter().map(|(name, value)| (name, as_written(value))).collect(),
        other => other,
    }
}

fn tree_value(kind: &Kind, value: &Value) -> Json {
    match value {
        Value::Bool(truth) => json!(truth),
        Value::I32(number) => json!(number),
        Value::U32(number) => json!(number),
        Value::I64(number) => json!(number.to_string()),
        Value::U64(number) => json!(number.to_string()),
        // The shortest text that reads back as this single: as a double it is another number.
        Value::F32(number) => float(
            f64::from(*number),
            json!(serde_json::to_string(number).unwrap().parse::<f64>().unwrap_or_default()),
        ),
        Value::F64(number) => float(*number, json!(number)),
        Value::String(text) => json!(text),
        Value::Bytes(bytes) => {
            json!(base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes))
        }
        Value::EnumNumber(number) => {
            let words = words::printed(kind.as_enum().unwrap());
            words
                .into_iter()
                .find(|(known, _)| known == number)
                .map_or(json!(number), |(_, word)| json!(word))
        }
        Value::Message(message) => tree(message),
        Value::List(items) => items.iter().map(|item| tree_value(kind, item)).collect(),
        Value::Map(entries) => {
            let name = |key: &MapKey| match key {
                MapKey::Bool(truth) => truth.to_string(),
                MapKey::I32(number) => number.to_string(),
                MapKey::I64(number) => number.to_string(),
                MapKey::U32(number) => number.to_string(),
                MapKey::U64(number) => number.to_string(),
                MapKey::String(text) => text.clone(),
            };
            Json::Object(entries.iter().map(|(key, value)| (name(key), tree_value(kind, value))).collect())
        }
    }
}

fn float(number: f64, shown: Json) -> Json {
    match number {
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        number if number.is_nan() => json!("NaN"),
        _ => shown,
    }
}

fn tree_of(descriptor: &MessageDescriptor, wire: &[u8]) -> Json {
    tree(&DynamicMessage::decode(descriptor.clone(), wire).unwrap())
}

/// Any message of a type, encoded.
fn any_wire(descriptor: MessageDescriptor, depth: u32) -> impl Strategy<Value = Vec<u8>> {
    any_message(descriptor, depth).prop_map(|message| message.encode_to_vec())
}

/// Any message of a type; `depth` bounds how far messages nest.
fn any_message(descriptor: MessageDescriptor, depth: u32) -> BoxedStrategy<DynamicMessage> {
    let fields: Vec<BoxedStrategy<Option<(FieldDescriptor, Value)>>> = descriptor
        .fields()
        .filter(|field| depth > 0 || !matches!(field.kind(), Kind::Message(_)))
        .map(|field| {
            let value = any_field(&field, depth);
            prop::option::of(value).prop_map(move |value| Some((field.clone(), value?))).boxed()
        })
        .collect();
    fields
        .prop_map(move |fields| {
            let mut message = DynamicMessage::new(descriptor.clone());
            for (field, value) in fields.into_iter().flatten() {
                message.set_field(&field, value);
            }
            message
        })
        .boxed()
}

fn any_field(field: &FieldDescriptor, depth: u32) -> BoxedStrategy<Value> {
    if field.is_map() {
        let Kind::Message(entry) = field.kind() else { unreachable!() };
        let key =
            any_value(&entry.map_entry_key_field().kind(), depth).prop_map(|key| key.into_map_key().unwrap());
        let value = any_value(&entry.map_entry_value_field().kind(), depth);
        return prop::collection::hash_map(key, value, 0..3).prop_map(Value::Map).boxed();
    }
    let value = any_value(&field.kind(), depth);
    if field.is_list() { prop::collection::vec(value, 0..3).prop_map(Value::List).boxed() } else { value }
}

fn any_value(kind: &Kind, depth: u32) -> BoxedStrategy<Value> {
    match kind {
        Kind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => any::<i32>().prop_map(Value::I32).boxed(),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => any::<i64>().prop_map(Value::I64).boxed(),
        Kind::Uint32 | Kind::Fixed32 => any::<u32>().prop_map(Value::U32).boxed(),
        Kind::Uint64 | Kind::Fixed64 => any::<u64>().prop_map(Value::U64).boxed(),
        Kind::Float => any::<f32>().prop_map(Value::F32).boxed(),
        Kind::Double => any::<f64>().prop_map(Value::F64).boxed(),
        Kind::String => ".{0,12}".prop_map(Value::String).boxed(),
        Kind::Bytes => {
            prop::collection::vec(any::<u8>(), 0..12).prop_map(|bytes| Value::Bytes(bytes.into())).boxed()
        }
        Kind::Enum(kind) if kind.full_name() == "google.protobuf.NullValue" => {
            Just(Value::EnumNumber(0)).boxed()
        }
        Kind::Enum(_) => (-3..4).prop_map(Value::EnumNumber).boxed(),
        Kind::Message(message) => any_known(message)
            .unwrap_or_else(|| any_message(message.clone(), depth.saturating_sub(1)))
            .prop_map(Value::Message)
            .boxed(),
    }
}

/// Well-known types have values that are none of theirs; only good ones are made here.
fn any_known(message: &MessageDescriptor) -> Option<BoxedStrategy<DynamicMessage>> {
    let descriptor = message.clone();
    let filled = move |wire: Vec<u8>| DynamicMessage::decode(descriptor.clone(), wire.as_slice()).unwrap();
    let nanos = prop_oneof![Just(0), Just(500_000_000), Just(1_000), 0..1_000_000_000];
    Some(match message.full_name().strip_prefix("google.protobuf.")? {
        "Timestamp" => (-62_135_596_800_i64..253_402_300_800, nanos)
            .prop_map(move |(seconds, nanos)| {
                filled(prost_types::Timestamp { seconds, nanos }.encode_to_vec())
            })
            .boxed(),
        // Of one sign: parts of different signs would not merge into a duration.
        "Duration" => (0..315_576_000_000_i64, nanos)
            .prop_map(move |(seconds, nanos)| {
                filled(prost_types::Duration { seconds, nanos }.encode_to_vec())
            })
            .boxed(),
        "FieldMask" => prop::collection::vec("[a-z]{1,4}(_[a-z]{1,4}){0,2}", 0..3)
            .prop_map(move |paths| filled(prost_types::FieldMask { paths }.encode_to_vec()))
            .boxed(),
        "Struct" => any_struct().prop_map(move |object| filled(object.encode_to_vec())).boxed(),
        "Value" => any_json().prop_map(move |value| filled(value.encode_to_vec())).boxed(),
        "ListValue" => prop::collection::vec(any_json(), 0..3)
            .prop_map(move |values| filled(prost_types::ListValue { values }.encode_to_vec()))
            .boxed(),
        _ => return None,
    })
}

fn any_struct() -> impl Strategy<Value = prost_types::Struct> {
    prop::collection::btree_map(".{0,4}", any_json(), 0..3).prop_map(|fields| prost_types::Struct { fields })
}

fn any_json() -> BoxedStrategy<prost_types::Value> {
    use prost_types::value::Kind as Of;
    let leaf = prop_oneof![
        Just(Of::NullValue(0)),
        any::<bool>().prop_map(Of::BoolValue),
        (-1e12..1e12).prop_map(Of::NumberValue),
        any::<i32>().prop_map(|whole| Of::NumberValue(whole.into())),
        ".{0,6}".prop_map(Of::StringValue),
    ];
    let value = |kind: Of| prost_types::Value { kind: Some(kind) };
    leaf.prop_map(value)
        .prop_recursive(3, 12, 3, move |inner| {
            prop::collection::vec(inner, 0..3)
                .prop_map(move |values| value(Of::ListValue(prost_types::ListValue { values })))
        })
        .boxed()
}

fn printed(printer: &Printer, wire: &[u8]) -> Json {
    match printer.print(wire).unwrap() {
        Printed::Json(text) => serde_json::from_slice(&text).unwrap(),
        Printed::Raw(page) => panic!("a page: {page:?}"),
    }
}

fn every() -> MessageDescriptor {
    POOL.get_message_by_name("test.v1.Every").unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_kind_prints_as_its_tree_does(wire in any_wire(every(), 1)) {
        let printer = Printer::compile(&every(), None).unwrap();
        prop_assert_eq!(printed(&printer, &wire), tree_of(&every(), &wire));
    }

    #[test]
    fn parts_of_a_message_merge_and_the_last_value_wins(a in any_wire(every(), 1), b in any_wire(every(), 1)) {
        let printer = Printer::compile(&every(), None).unwrap();
        let wire = [a.clone(), b.clone()].concat();
        prop_assert_eq!(printed(&printer, &wire), tree_of(&every(), &wire));
        // The same, one level down: a message field in two parts.
        let part = |wire: &[u8]| {
            let mut outer = DynamicMessage::new(every());
            let inner = DynamicMessage::decode(every(), wire).unwrap();
            outer.set_field_by_name("nested", Value::Message(inner));
            outer.encode_to_vec()
        };
        let wire = [part(&a), part(&b)].concat();
        prop_assert_eq!(printed(&printer, &wire), tree_of(&every(), &wire));
    }

    #[test]
    fn no_bytes_make_it_panic_and_what_it_prints_is_json(wire in prop::collection::vec(any::<u8>(), 0..60)) {
        let printer = Printer::compile(&every(), None).unwrap();
        if let Ok(Printed::Json(text)) = printer.print(&wire) {
            prop_assert!(serde_json::from_slice::<Json>(&text).is_ok());
        }
    }
}

#[test]
fn every_answer_of_our_contracts_prints_as_its_tree_does() {
    let mut runner =
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20) });
    for service in proto::pool().services() {
        for method in service.methods().filter(|method| method.parent_service().name() != "PageService") {
            let printer = Printer::compile(&method.output(), None).unwrap();
            let outcome = runner.run(&any_wire(method.output(), 3), |wire| {
                prop_assert_eq!(printed(&printer, &wire), tree_of(&method.output(), &wire));
                Ok(())
            });
            outcome.unwrap_or_else(|failure| panic!("{}: {failure}", method.full_name()));
        }
    }
}

#[test]
fn one_field_can_be_the_answer() {
    let message = proto::pool().get_message_by_name("platform.auth.v1.ChangePasswordResponse").unwrap();
    let field = message.get_field_by_name("tokens").unwrap();
    let printer = Printer::compile(&message, Some(&field)).unwrap();
    let tokens = proto::auth::Tokens { access_token: "a".into(), expires_in: 900, ..Default::default() };
    let wire = proto::auth::ChangePasswordResponse { tokens: Some(tokens) }.encode_to_vec();
    insta::assert_snapshot!(printed(&printer, &wire), @r#"{"accessToken":"a","expiresIn":900,"tokenType":""}"#);
    insta::assert_snapshot!(printed(&printer, &[]), @r#"{"accessToken":"","expiresIn":0,"tokenType":""}"#);
}

#[test]
fn times_and_durations_are_printed_in_the_digits_they_need_or_not_at_all() {
    let printer = Printer::compile(&every(), None).unwrap();
    let duration = |seconds, nanos| {
        let wire = prost_types::Duration { seconds, nanos }.encode_to_vec();
        let mut message = DynamicMessage::new(every());
        let kind = POOL.get_message_by_name("google.protobuf.Duration").unwrap();
        let value = DynamicMessage::decode(kind, wire.as_slice()).unwrap();
        message.set_field_by_name("duration", Value::Message(value));
        let Ok(Printed::Json(text)) = printer.print(&message.encode_to_vec()) else { return None };
        Some(serde_json::from_slice::<Json>(&text).unwrap()["duration"].as_str().unwrap().to_owned())
    };
    for (seconds, nanos, expected) in [
        (1, 0, Some("1s")),
        (0, -500_000_000, Some("-0.500s")),
        (-3, -1_000, Some("-3.000001s")),
        (1, 1, Some("1.000000001s")),
        (1, -1, None),
        (i64::MIN, 0, None),
        (0, i32::MIN, None),
    ] {
        assert_eq!(duration(seconds, nanos).as_deref(), expected, "{seconds} {nanos}");
    }
}

#[test]
fn a_page_is_passed_through() {
    let message = proto::pool().get_message_by_name("platform.auth.v1.ShowVerifyEmailResponse").unwrap();
    let field = message.get_field_by_name("page").unwrap();
    let printer = Printer::compile(&message, Some(&field)).unwrap();
    let page = HttpBody { content_type: "text/html".into(), data: b"<p>".to_vec(), extensions: Vec::new() };
    let wire = proto::auth::ShowVerifyEmailResponse { page: Some(page.clone()) }.encode_to_vec();
    assert_eq!(printer.print(&wire), Ok(Printed::Raw(page)));
}

#[test]
fn what_is_no_message_of_the_type_is_a_fault() {
    let printer = Printer::compile(&every(), None).unwrap();
    for wire in [&[0x0a][..], &[0x0a, 5, 1], &[0x72, 1, 0xff], &[0x08, 1], &[0], &[0xff; 12]] {
        assert!(printer.print(wire).is_err(), "{wire:x?}");
    }
}
