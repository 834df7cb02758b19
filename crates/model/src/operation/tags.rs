//! The tags in the texts of templates (SP-40).

use jackfield_vocabulary::Mac;

use crate::{EndUser, Text};

/// What the tags of templates stand for.
pub(super) struct Tags<'a> {
    pub(super) user: Option<&'a EndUser>,
    pub(super) number: &'a str,
    pub(super) product: &'a str,
    pub(super) mac: Option<Mac>,
}

impl Tags<'_> {
    /// Puts values in place of tags and keeps at most so many characters. Unknown tags stay; a tag
    /// without a value goes, with what only parted it from its neighbours.
    pub(super) fn expand(&self, text: &str, most: usize) -> Text {
        let (mut filled, mut rest) = (Filled::default(), text);
        while let Some((before, after)) = rest.split_once('#') {
            filled.literal(before);
            let tag = after.split_once('#');
            match tag.and_then(|(name, after)| Some((self.value(name)?, after))) {
                Some((value, after)) => {
                    filled.value(&value);
                    rest = after;
                }
                None => {
                    filled.literal("#");
                    rest = after;
                }
            }
        }
        filled.literal(rest);
        filled.text.trim().chars().take(most).collect()
    }

    fn value(&self, tag: &str) -> Option<String> {
        let of_user = |field: fn(&EndUser) -> &str| self.user.map(field).unwrap_or_default().into();
        match tag.to_ascii_lowercase().as_str() {
            "firstname" => Some(of_user(|user| &user.first_name)),
            "lastname" => Some(of_user(|user| &user.last_name)),
            "userid" => Some(of_user(|user| &user.user_id)),
            "directorynumber" => Some(self.number.into()),
            "product" => Some(self.product.into()),
            "mac" => Some(self.mac.map(|mac| mac.to_string()).unwrap_or_default()),
            _ => None,
        }
    }
}

/// What looks like a tag in the text of a template and is none, so that it stays as it stands.
pub(crate) fn unknown_tags(text: &str) -> Vec<&str> {
    let nothing = Tags { user: None, number: "", product: "", mac: None };
    let (mut unknown, mut rest) = (Vec::new(), text);
    while let Some((_, after)) = rest.split_once('#') {
        rest = after;
        let Some((name, behind)) = after.split_once('#') else { break };
        let is_tag = nothing.value(name).is_some();
        let is_word = !name.is_empty() && name.chars().all(char::is_alphabetic);
        if is_tag || is_word {
            unknown.extend((!is_tag).then_some(name));
            rest = behind;
        }
    }
    unknown
}

/// A text on the way.
#[derive(Default)]
struct Filled {
    text: String,
    /// Where the last value ends: its characters part nothing.
    value_end: usize,
    /// What parts the text from what comes, on both sides of values that were empty.
    gap: Option<(String, String)>,
}

impl Filled {
    fn literal(&mut self, mut literal: &str) {
        if let Some((_, right)) = &mut self.gap {
            let start = literal.find(char::is_alphanumeric).unwrap_or(literal.len());
            right.push_str(&literal[..start]);
            literal = &literal[start..];
            if literal.is_empty() {
                return;
            }
            self.close_gap();
        }
        self.text.push_str(literal);
    }

    fn value(&mut self, value: &str) {
        if value.is_empty() {
            let left = match self.gap.take() {
                Some((left, right)) => parting(left, right),
                None => self.cut_parting(),
            };
            self.gap = Some((left, String::new()));
            return;
        }
        self.close_gap();
        self.text.push_str(value);
        self.value_end = self.text.len();
    }

    /// Takes off what parts the last word from what comes.
    fn cut_parting(&mut self) -> String {
        let own = &self.text[self.value_end..];
        let words = own.trim_end_matches(|letter: char| !letter.is_alphanumeric()).len();
        self.text.split_off(self.value_end + words)
    }

    fn close_gap(&mut self) {
        if let Some((left, right)) = self.gap.take().filter(|_| !self.text.is_empty()) {
            self.text.push_str(&parting(left, right));
        }
    }
}

/// Of what stood on both sides of nothing that which parts more; brackets around nothing go.
fn parting(mut left: String, mut right: String) -> String {
    const BRACKETS: &[(char, char)] = &[('(', ')'), ('[', ']'), ('<', '>'), ('（', '）')];
    let around = |pair: &&(char, char)| left.ends_with(pair.0) && right.starts_with(pair.1);
    if BRACKETS.iter().any(|pair| around(&pair)) {
        left.pop();
        right.remove(0);
    }
    let weight = |text: &str| (text.trim().chars().count(), text.chars().count());
    if weight(&right) > weight(&left) { right } else { left }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves SP-40.c.
    #[test]
    fn tags_expand_to_their_values_and_what_is_no_tag_stays() {
        let tags = Tags {
            user: None,
            number: "2001",
            product: "CP-7841",
            mac: "001122AABBCC".parse().ok(),
        };
        let expand = |text: &str| tags.expand(text, 40).to_string();
        assert_eq!(expand("#Product# #MAC# #DirectoryNumber#"), "CP-7841 001122AABBCC 2001");
        assert_eq!(expand("#FirstName# #LastName# x"), "x");
        assert_eq!(expand("room #5 # #Nothing# #"), "room #5 # #Nothing# #");
        assert_eq!(&*tags.expand("#DirectoryNumber#", 2), "20");
    }

    #[test]
    fn what_looks_like_a_tag_and_is_none_is_found() {
        for (text, unknown) in [
            ("#Firstname# #Surname#, #MAC#", &["Surname"][..]),
            ("#Nothing#UserID#Else#", &["Nothing", "Else"]),
            ("room #5 # #product# #1# ##", &[]),
        ] {
            assert_eq!(unknown_tags(text), unknown, "{text}");
        }
    }

    /// Proves SP-40.c.
    #[test]
    fn a_tag_without_a_value_takes_its_comma_along() {
        let tags = Tags { user: None, number: "2001", product: "A. Phone (x)", mac: None };
        for (text, expanded) in [
            ("#FirstName# #LastName#, #Product#", "A. Phone (x)"),
            ("#Product#, #FirstName# #LastName#", "A. Phone (x)"),
            ("#Product# (#UserID#), #DirectoryNumber#", "A. Phone (x), 2001"),
            ("#Product#, #FirstName# #DirectoryNumber#", "A. Phone (x), 2001"),
            ("#DirectoryNumber# #FirstName#, #Product#", "2001, A. Phone (x)"),
            ("#FirstName#, room 5 / #UserID# / desk 2", "room 5 / desk 2"),
            ("Phone of #FirstName#", "Phone of"),
            ("#FirstName# #LastName#", ""),
            ("- #Product# -", "- A. Phone (x) -"),
        ] {
            assert_eq!(&*tags.expand(text, 128), expanded, "{text}");
        }
    }
}
