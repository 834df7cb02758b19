use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use jackfield_model::Language;

/// What a client prefers of our languages (RFC 9110, 12.5.4); English when it says nothing.
pub(crate) fn language_of(headers: &HeaderMap) -> Language {
    let wanted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    preferred(wanted.unwrap_or_default())
}

fn preferred(wanted: &str) -> Language {
    let mut best = (0, Language::English);
    for entry in wanted.split(',').take(32) {
        let (tag, quality) = entry.split_once(";q=").unwrap_or((entry, "1"));
        let tag = tag.trim().get(..2).unwrap_or_default().to_ascii_lowercase();
        if !matches!(&*tag, "en" | "ja") {
            continue;
        }
        let quality = quality.trim().parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0);
        let thousandths = (quality * 1000.0) as u32;
        if thousandths > best.0 {
            best = (thousandths, Language::of_tag(&tag));
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_s_favourite_of_the_two_wins() {
        for (wanted, language) in [
            ("", Language::English),
            ("ja", Language::Japanese),
            ("ja-JP,en;q=0.8", Language::Japanese),
            ("en-GB,ja;q=0.9", Language::English),
            ("de,ja;q=0.3,en;q=0.2", Language::Japanese),
            ("fr", Language::English),
            ("ja;q=x,en;q=0.1", Language::English),
            (";;;,,q=", Language::English),
        ] {
            assert_eq!(preferred(wanted), language, "{wanted}");
        }
    }
}
