//! What is guessed first. The rule is small and exact, so that whoever is refused can be told why:
//! upper and lower case are the same, and a secret is judged in its stretches of digits or letters.

/// Why a secret is guessed first; the word stands in refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trivial {
    /// Its owner's name or number is in it.
    Own,
    /// The same again and again: `aaaaaaaa`, `katokato`, `12121`.
    Repeated,
    /// Signs in equal steps or of a row of the keyboard: `12345678`, `97531`, `112233`, `qwerty12`.
    Counted,
    /// One of the words that everybody tries: `password`.
    Common,
}

impl Trivial {
    /// The rule in refusals.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Repeated => "repeated",
            Self::Counted => "counted",
            Self::Common => "common",
        }
    }

    /// Judges a PIN; `own` are the numbers of its owner.
    pub(crate) fn of_pin(pin: &str, own: &[&str]) -> Option<Self> {
        let own =
            own.iter().any(|own| is_in(own, pin) || (own.len() > pin.len() && own.contains(pin)));
        let signs: Vec<char> = pin.chars().collect();
        if own { Some(Self::Own) } else { of_signs(&signs) }
    }

    /// Judges a password; `own` are the names and numbers of its owner.
    pub(crate) fn of_password(password: &str, own: &[&str]) -> Option<Self> {
        let password = password.to_lowercase();
        let own: Vec<String> = own.iter().map(|own| own.to_lowercase()).collect();
        if own.iter().any(|own| is_in(own, &password)) {
            return Some(Self::Own);
        }
        let signs: Vec<char> = password.chars().collect();
        let word = password.trim_matches(|sign: char| !sign.is_alphabetic());
        of_signs(&signs)
            .or_else(|| COMMON.contains(&word).then_some(Self::Common))
            .or_else(|| of_stretches(&password, &own))
    }
}

/// All stretches of three and more letters or digits are trivial, and there is one.
fn of_stretches(password: &str, own: &[String]) -> Option<Trivial> {
    let mut found = None;
    for stretch in stretches(password) {
        let text: String = stretch.iter().collect();
        found = Some(match of_signs(&stretch) {
            Some(why) => why,
            None if COMMON.contains(&&*text) => Trivial::Common,
            None if own.contains(&text) => Trivial::Own,
            None => return None,
        });
    }
    found
}

/// The stretches of letters and of digits that are three signs long or longer.
fn stretches(text: &str) -> impl Iterator<Item = Vec<char>> {
    let class = |sign: &char| (sign.is_alphabetic(), sign.is_numeric());
    let signs: Vec<char> = text.chars().collect();
    let all: Vec<Vec<char>> =
        signs.chunk_by(|one, next| class(one) == class(next)).map(<[char]>::to_vec).collect();
    all.into_iter().filter(|one| one.len() > 2 && one[0].is_alphanumeric())
}

/// Something of the owner's stands in it. What is shorter than four signs stands in too much by
/// chance, and counts only as the whole.
fn is_in(own: &str, secret: &str) -> bool {
    own == secret || (own.chars().count() > 3 && secret.contains(own))
}

fn of_signs(signs: &[char]) -> Option<Trivial> {
    if is_repeated(signs) {
        Some(Trivial::Repeated)
    } else if is_counted(signs) || is_row(signs) {
        Some(Trivial::Counted)
    } else {
        None
    }
}

/// A block of at most half the length comes again and again, the last time perhaps cut off.
fn is_repeated(signs: &[char]) -> bool {
    (1..=signs.len() / 2)
        .any(|block| signs.iter().zip(&signs[block..]).all(|(one, next)| one == next))
}

/// Equal steps from sign to sign, each sign once or several times.
fn is_counted(signs: &[char]) -> bool {
    let mut once = signs.to_vec();
    once.dedup();
    let step = |pair: &[char]| i64::from(u32::from(pair[1])) - i64::from(u32::from(pair[0]));
    once.len() > 2 && once.windows(2).all(|pair| step(pair) == step(&once[..2]))
}

/// A piece of a row of the keyboard, to the right or to the left.
fn is_row(signs: &[char]) -> bool {
    let forth: String = signs.iter().collect();
    let back: String = signs.iter().rev().collect();
    ROWS.iter().any(|row| row.contains(&forth) || row.contains(&back))
}

/// The rows of letters of the usual keyboards, and that of the digits with its end.
const ROWS: [&str; 7] =
    ["1234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm"];

/// The first words of every list with which passwords are tried, and ours.
const COMMON: [&str; 16] = [
    "password",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "pa55word",
    "passwort",
    "passwd",
    "welcome",
    "letmein",
    "changeme",
    "default",
    "secret",
    "administrator",
    "jackfield",
    "telephone",
    "telefon",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_that_are_guessed_first() {
        let judge = |pin| Trivial::of_pin(pin, &["3106", "12"]);
        for (why, pins) in [
            (Trivial::Repeated, &["11111", "12121", "123123", "4848484", "100100"][..]),
            (
                Trivial::Counted,
                &["12345", "98765", "13579", "97531", "112233", "55443", "34567890", "67890"],
            ),
            (Trivial::Own, &["31063", "03106", "3106", "106", "12"]),
        ] {
            for pin in pins {
                assert_eq!(judge(pin), Some(why), "{pin}");
            }
        }
        for pin in ["48261", "10203", "12122", "31126", "135791", "90125"] {
            assert_eq!(judge(pin), None, "{pin}");
        }
    }

    #[test]
    fn passwords_that_are_guessed_first() {
        let judge = |password| Trivial::of_password(password, &["kato", "3106", "bob"]);
        for (why, passwords) in [
            (Trivial::Repeated, &["aaaaaaaa", "xyzzyxyzzy", "abcabcab", "aaaa1111"][..]),
            (
                Trivial::Counted,
                &[
                    "12345678",
                    "abcdefgh",
                    "hgfedcba",
                    "abcd1234",
                    "Qwertyui",
                    "qwertz-123",
                    "poiuytre",
                ],
            ),
            (
                Trivial::Own,
                &[
                    "kato12345",
                    "katokato",
                    "KatoKato",
                    "my-KATO-phone",
                    "xx3106xx",
                    "123bob",
                    "12345!bob",
                ],
            ),
            (
                Trivial::Common,
                &[
                    "password",
                    "Password123!",
                    "P@ssw0rd",
                    "1password",
                    "welcome99",
                    "123456password",
                ],
            ),
        ] {
            for password in passwords {
                assert_eq!(judge(password), Some(why), "{password}");
            }
        }
        for password in [
            "correct horse",
            "x7k2m9q4",
            "abcd-Ruhrgebiet",
            "bobsleigh run",
            "passwordless login",
            "正しい馬の電池",
            "31-06-1987",
        ] {
            assert_eq!(judge(password), None, "{password}");
        }
    }
}
