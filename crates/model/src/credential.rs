//! What passwords, PINs and codes must be like, judged where their clear text still is.

use jackfield_vocabulary::{Code, ObjectId, Refusal, SecretText};

use crate::trivial::Trivial;
use crate::{ApplicationUser, CredentialKind, CredentialPolicy, Directory, EndUser};

/// Longest PIN and authentication code: they are keyed in.
const KEYPAD: usize = 20;

/// Longest password.
const PASSWORD: usize = 127;

impl Directory {
    /// Judges a new credential by the policy of its owner; for the code the owner is the
    /// self-provisioning settings.
    pub fn judge_new_credential(
        &self,
        owner: ObjectId,
        kind: CredentialKind,
        secret: &SecretText,
    ) -> Result<(), Refusal> {
        let policy = self.credential_policy_of(owner).and_then(|policy| self.get(policy));
        let default = CredentialPolicy::default();
        judge_new(policy.map_or(&default, |policy| policy), kind, secret, &self.names_of(owner))
    }

    /// The names and numbers by which an account is known.
    fn names_of(&self, account: ObjectId) -> Vec<&str> {
        if let Some(user) = self.typed::<ApplicationUser>(account) {
            return vec![&user.user_id];
        }
        let Some(user) = self.typed::<EndUser>(account) else { return Vec::new() };
        let number = user.primary_extension.and_then(|line| self.get(line));
        let names = [&user.user_id, &user.self_service_id, &user.first_name, &user.last_name];
        let names = names.into_iter().map(|name| &**name);
        let known = names.chain(number.map(|line| line.number.as_str()));
        known.filter(|name| !name.is_empty()).collect()
    }
}

/// Judges a new credential by a policy. `own` are the numbers and names of its owner, which make
/// poor secrets.
pub fn judge_new(
    policy: &CredentialPolicy,
    kind: CredentialKind,
    secret: &SecretText,
    own: &[&str],
) -> Result<(), Refusal> {
    let secret = secret.reveal();
    match kind {
        CredentialKind::Code => judge_code(secret),
        CredentialKind::Pin => judge_pin(policy, secret, own),
        CredentialKind::Password => judge_password(policy, secret, own),
    }
}

/// 1 to 20 decimal digits; leading zeros count (SP-04).
fn judge_code(code: &str) -> Result<(), Refusal> {
    if (1..=KEYPAD).contains(&code.len()) && is_digits(code) {
        return Ok(());
    }
    Err(Refusal::new(Code::InvalidAuthenticationCode).field("code"))
}

/// Is the authentication code shorter than PINs are by default, or one that everybody tries? It may be, and
/// then gives anybody anybody's phone.
pub fn is_guessable_code(code: &SecretText) -> bool {
    let shortest = usize::from(CredentialPolicy::default().minimum_pin_length);
    code.reveal().len() < shortest || Trivial::of_pin(code.reveal(), &[]).is_some()
}

fn judge_pin(policy: &CredentialPolicy, pin: &str, own: &[&str]) -> Result<(), Refusal> {
    let shortest = usize::from(policy.minimum_pin_length);
    let rule = |rule: &str| weak(policy, "pin", rule, shortest, KEYPAD);
    if !is_digits(pin) {
        return Err(rule("digits"));
    }
    if !(shortest..=KEYPAD).contains(&pin.len()) {
        return Err(rule("length"));
    }
    match Trivial::of_pin(pin, own).filter(|_| policy.refuse_trivial) {
        Some(why) => Err(rule(why.word())),
        None => Ok(()),
    }
}

fn judge_password(policy: &CredentialPolicy, secret: &str, own: &[&str]) -> Result<(), Refusal> {
    let shortest = usize::from(policy.minimum_password_length);
    let rule = |rule: &str| weak(policy, "password", rule, shortest, PASSWORD);
    if !(shortest..=PASSWORD).contains(&secret.chars().count()) {
        return Err(rule("length"));
    }
    match Trivial::of_password(secret, own).filter(|_| policy.refuse_trivial) {
        Some(why) => Err(rule(why.word())),
        None => Ok(()),
    }
}

fn weak(
    policy: &CredentialPolicy,
    field: &str,
    rule: &str,
    shortest: usize,
    longest: usize,
) -> Refusal {
    let refusal = Refusal::new(Code::CredentialTooWeak).field(field).value("rule", rule);
    let refusal = refusal.value("allowed", format!("{shortest}..{longest}"));
    match policy.name.is_empty() {
        // Nobody's policy: the rules that hold where there is none.
        true => refusal,
        false => refusal.object("credential-policy", &policy.name),
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(kind: CredentialKind, secret: &str) -> Result<(), Code> {
        let policy = CredentialPolicy::default();
        let judged = judge_new(&policy, kind, &SecretText::new(secret), &["72001", "tanaka-taro"]);
        judged.map_err(|refusal| refusal.code)
    }

    /// Proves SP-04.b.
    #[test]
    fn an_authentication_code_is_1_to_20_digits() {
        for code in ["0", "007", "12345678901234567890"] {
            assert_eq!(judge(CredentialKind::Code, code), Ok(()), "{code}");
        }
        for code in ["", "123456789012345678901", "12a", "１２", "-1", " 1"] {
            let refused = Err(Code::InvalidAuthenticationCode);
            assert_eq!(judge(CredentialKind::Code, code), refused, "{code}");
        }
    }

    #[test]
    fn a_short_or_common_authentication_code_is_guessable() {
        for (code, guessable) in
            [("1", true), ("4826", true), ("55555", true), ("123456", true), ("48261", false)]
        {
            assert_eq!(is_guessable_code(&SecretText::new(code)), guessable, "{code}");
        }
    }

    /// Proves SP-07.c: what is enough is for the policy to say, not for its defaults.
    #[test]
    fn the_policy_says_how_long_a_credential_is() {
        let policy = CredentialPolicy {
            minimum_pin_length: 7,
            minimum_password_length: 12,
            refuse_trivial: false,
            ..CredentialPolicy::default()
        };
        let judge = |kind, secret: &str| {
            let judged = judge_new(&policy, kind, &SecretText::new(secret), &["72001"]);
            judged.map_err(|refusal| refusal.code)
        };
        for (kind, short, enough) in [
            (CredentialKind::Pin, "482613", "4826137"),
            (CredentialKind::Pin, "111111", "1111111"),
            (CredentialKind::Password, "correct hor", "correct hors"),
        ] {
            assert_eq!(judge(kind, short), Err(Code::CredentialTooWeak), "{short}");
            assert_eq!(judge(kind, enough), Ok(()), "{enough}");
        }
    }

    #[test]
    fn a_pin_is_long_enough_and_not_trivial() {
        assert_eq!(judge(CredentialKind::Pin, "48261"), Ok(()));
        for pin in ["4826", "11111", "12345", "98765", "72001", "4826a", "482610000000000000001"] {
            let refused = Err(Code::CredentialTooWeak);
            assert_eq!(judge(CredentialKind::Pin, pin), refused, "{pin}");
        }
    }

    #[test]
    fn a_password_is_long_enough_and_not_the_own_name() {
        assert_eq!(judge(CredentialKind::Password, "correct horse"), Ok(()));
        for password in ["short", "aaaaaaaaaa", "Tanaka-Taro"] {
            let refused = Err(Code::CredentialTooWeak);
            assert_eq!(judge(CredentialKind::Password, password), refused, "{password}");
        }
    }
}
