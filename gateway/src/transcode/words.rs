//! The words of enum values in JSON, both ways, collected once per descriptor pool.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, EnumDescriptor};

use crate::contract::json_word;

/// The words of every enum of a pool.
#[derive(Debug, Default)]
pub struct Words {
    numbers: HashMap<String, HashMap<String, i32>>,
}

impl Words {
    /// Collects the words of a pool: the one the contract gives, and the declared name.
    pub fn of(pool: &DescriptorPool) -> Self {
        let numbers = pool
            .all_enums()
            .map(|kind| {
                let mut words = HashMap::new();
                for value in kind.values() {
                    words.insert(value.name().to_owned(), value.number());
                    words.extend(json_word(&value).map(|word| (word, value.number())));
                }
                (kind.full_name().to_owned(), words)
            })
            .collect();
        Self { numbers }
    }

    /// The number that a word or a declared name stands for.
    pub fn number(&self, kind: &EnumDescriptor, word: &str) -> Option<i32> {
        self.numbers.get(kind.full_name())?.get(word).copied()
    }
}

/// The word that is printed for each number of an enum: the contract's, else the declared name; of
/// several values with one number the first.
pub(super) fn printed(kind: &EnumDescriptor) -> Vec<(i32, String)> {
    let mut words: Vec<(i32, String)> = Vec::new();
    for value in kind.values() {
        if words.iter().all(|(number, _)| *number != value.number()) {
            words.push((value.number(), json_word(&value).unwrap_or_else(|| value.name().to_owned())));
        }
    }
    words
}
