//! A refresh family driven through any order of uses, forgeries and waits.

use proptest::prelude::*;
use secrecy::SecretString;

use super::*;

fn sealer() -> Sealer {
    Sealer::new(&SecretString::from(base64::engine::general_purpose::STANDARD.encode([7; 32])), "test")
        .unwrap()
}

/// A family as the store keeps it, driven without one: the rows and the judgement are the product's.
struct Family {
    sealer: Sealer,
    rows: Vec<Generation>,
    alive: bool,
    now: DateTime<Utc>,
}

const LEEWAY: Duration = Duration::from_secs(10);

impl Family {
    fn begin() -> (Self, String) {
        let first = RefreshToken::first(&Ids::seeded(1));
        let mut family = Self { sealer: sealer(), rows: Vec::new(), alive: true, now: DateTime::UNIX_EPOCH };
        family.insert(&first, Uuid::nil());
        (family, first.expose())
    }

    fn insert(&mut self, token: &RefreshToken, jti: Uuid) {
        let number = u32::try_from(self.rows.len()).unwrap();
        self.rows.push(Generation {
            selector: token.selector.clone(),
            session_id: Uuid::nil(),
            verifier_hash: token.verifier_hash(),
            number,
            jti,
            access_expires_at: self.now,
            used_at: None,
        });
    }

    /// What the client gets: the successor, or nothing.
    fn present(&mut self, text: &str) -> Option<String> {
        let token = RefreshToken::parse(text)?;
        let index = self.rows.iter().position(|row| row.selector == token.selector)?;
        if !self.alive || !token.is_of(&self.rows[index]) {
            return None;
        }
        let successor_unused = self.rows.get(index + 1).is_some_and(|next| next.used_at.is_none());
        let (successor, jti) = token.successor(&self.sealer);
        match judge(&self.rows[index], successor_unused, LEEWAY, self.now) {
            Judgement::Rotate => {
                self.rows[index].used_at = Some(self.now);
                self.insert(&successor, jti);
            }
            Judgement::Repeat => {}
            Judgement::Reused => {
                self.alive = false;
                return None;
            }
        }
        Some(successor.expose())
    }
}

#[derive(Clone, Debug)]
enum Step {
    Present { generation: usize },
    Forge { generation: usize },
    Wait { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_usize..6).prop_map(|generation| Step::Present { generation }),
        1 => (0_usize..6).prop_map(|generation| Step::Forge { generation }),
        2 => (0_u64..15).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

proptest! {
    /// Whatever is presented in whatever order: a token has one successor, the family never forks,
    /// an honest repeat within the leeway never ends it, and a token two generations old always does.
    #[test]
    fn a_family_never_forks_and_dies_of_reuse_alone(steps in prop::collection::vec(step(), 1..40)) {
        let (mut family, first) = Family::begin();
        let mut tokens = vec![first];
        let mut used_at: Vec<DateTime<Utc>> = Vec::new();
        for step in steps {
            match step {
                Step::Wait { seconds } => family.now += Duration::from_secs(seconds),
                Step::Forge { generation } => {
                    let before = (family.alive, family.rows.clone());
                    let token = &tokens[generation.min(tokens.len() - 1)];
                    let forged = format!("{}.{}", token.split_once('.').unwrap().0, BASE64.encode([0; 32]));
                    prop_assert_eq!(family.present(&forged), None);
                    prop_assert_eq!(&before, &(family.alive, family.rows.clone()), "a wrong verifier changes nothing");
                }
                Step::Present { generation } => {
                    let index = generation.min(tokens.len() - 1);
                    let newest = tokens.len() - 1;
                    let repeats = index + 1 == newest && family.now < used_at[index] + LEEWAY;
                    let alive = family.alive;
                    match family.present(&tokens[index].clone()) {
                        Some(successor) if index == newest => {
                            prop_assert!(alive);
                            tokens.push(successor);
                            used_at.push(family.now);
                        }
                        Some(successor) => {
                            prop_assert!(alive && repeats);
                            prop_assert_eq!(&successor, &tokens[newest], "the very same successor");
                        }
                        None => prop_assert!(!alive || (index != newest && !repeats)),
                    }
                    prop_assert_eq!(family.alive, alive && (index == newest || repeats));
                }
            }
            prop_assert_eq!(family.rows.len(), tokens.len());
        }
    }

    #[test]
    fn what_is_no_token_is_refused(text in "\\PC{0,100}") {
        prop_assert!(RefreshToken::parse(&text).is_none_or(|token| token.expose() == text));
    }
}
