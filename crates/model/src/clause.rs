//! Descriptions name clauses of the requirements, as in `(SP-43)`, for those who read the code.
//! Users read them without.

use serde_json::Value;

/// Takes the clauses out of every description in a schema.
pub(crate) fn take_out(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for (name, below) in fields {
                match below {
                    Value::String(text) if name == "description" => *text = without(text),
                    below => take_out(below),
                }
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(take_out),
        _ => {}
    }
}

fn without(text: &str) -> String {
    let (mut kept, mut rest) = (String::new(), text);
    while let Some(start) = [" (SP-", " (CTI-"].iter().filter_map(|one| rest.find(one)).min() {
        let Some(length) = rest[start..].find(')') else { break };
        kept.push_str(&rest[..start]);
        rest = &rest[start + length + 1..];
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn clauses_go_and_all_else_stays() {
        for (text, left) in [
            ("Calls at once (SP-16).", "Calls at once."),
            (
                "A device (CTI-35, SP-55). Its lines (up to 100) (CTI-37).",
                "A device. Its lines (up to 100).",
            ),
            ("(SP-1 begins, and (SP-2 ends", "(SP-1 begins, and (SP-2 ends"),
            ("", ""),
        ] {
            assert_eq!(without(text), left);
        }
    }
}
