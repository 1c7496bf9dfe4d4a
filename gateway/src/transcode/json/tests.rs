//! The reader of JSON against what clients might send.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn tree(json: &Json<'_>) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(digits) => match digits.parse::<i64>() {
            Ok(whole) => Value::from(whole),
            Err(_) => Value::from(digits.parse::<f64>().unwrap()),
        },
        Json::Text(text) => Value::String(text.to_string()),
        Json::List(items) => items.iter().map(tree).collect(),
        Json::Object(members) => members.iter().map(|(key, value)| (key.to_string(), tree(value))).collect(),
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_another_library_writes_is_read_the_same(value in any_json(), pretty: bool) {
        let text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
        prop_assert_eq!(tree(&parse(&text).unwrap()), value);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn no_near_miss_is_read_where_another_library_refuses(text in "[\\[\\]{}\",:0-9.eE+\\\\u tfn-]{0,24}") {
        if parse(text.as_bytes()).is_ok() {
            prop_assert!(serde_json::from_str::<Value>(&text).is_ok() || text.contains(['e', 'E']));
        }
    }
}

#[test]
fn a_key_twice_is_refused_among_few_and_among_many() {
    assert_eq!(parse(br#"{"a":1,"b":2,"a":3}"#), Err(Malformed("a key twice")));
    assert_eq!(parse(br#"{"a":1,"\u0061":2}"#), Err(Malformed("a key twice")));
    let many: Vec<String> = (0..40).map(|index| format!("\"k{}\":1", index % 39)).collect();
    assert_eq!(parse(format!("{{{}}}", many.join(",")).as_bytes()), Err(Malformed("a key twice")));
}

#[test]
fn nesting_ends_at_its_limit() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
    assert_eq!(parse(nested(DEPTH_MAX + 1).as_bytes()), Err(Malformed("nested too deeply")));
    assert!(parse("[".repeat(1_000_000).as_bytes()).is_err());
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "NaN",
        "tru",
        "\"",
        "\"\\x\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\u12g4\"",
        "\"\u{1}\"",
        "1 2",
        "{}{}",
        "\u{feff}{}",
        "// c\n{}",
        "\"\\u00e\u{e9}\"",
    ] {
        assert!(parse(text.as_bytes()).is_err(), "{text:?}");
    }
    assert_eq!(parse(b"\"\xff\""), Err(Malformed("not UTF-8")));
}

#[test]
fn surrogate_pairs_become_one_letter() {
    assert_eq!(parse(br#""\ud83d\ude00!""#), Ok(Json::Text("\u{1f600}!".into())));
}
