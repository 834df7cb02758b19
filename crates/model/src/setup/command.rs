//! How the names of objects are typed in commands.

/// As a shell takes it.
pub fn quoted(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    match !name.is_empty() && name.bytes().all(plain) {
        true => name.into(),
        false => format!("'{}'", name.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_name_is_one_word_for_a_shell() {
        assert_eq!(quoted("Default"), "Default");
        assert_eq!(quoted("Desk phones"), "'Desk phones'");
        assert_eq!(quoted("O'Neill; rm -rf"), r"'O'\''Neill; rm -rf'");
        assert_eq!(quoted(""), "''");
    }
}
