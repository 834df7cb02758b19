//! How phones name languages.

/// A language as phones know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Locale {
    /// Our tag, as in `ja-JP`.
    pub(crate) tag: &'static str,
    /// What enterprise phones call the language and the country.
    pub(crate) user: &'static str,
    /// What they call the network.
    pub(crate) network: &'static str,
    /// The code in files, as in `ja_JP`.
    pub(crate) code: &'static str,
    /// The characters of the first phones of the language.
    pub(crate) characters: &'static str,
}

/// The language of a tag; English when it is not known.
pub(crate) fn locale(tag: &str) -> &'static Locale {
    LOCALES
        .iter()
        .find(|row| row.tag.eq_ignore_ascii_case(tag))
        .or_else(|| LOCALES.iter().find(|row| row.tag.get(..2) == tag.get(..2)))
        .unwrap_or(&LOCALES[0])
}

const fn row(
    tag: &'static str,
    user: &'static str,
    network: &'static str,
    code: &'static str,
    characters: &'static str,
) -> Locale {
    Locale { tag, user, network, code, characters }
}

const LOCALES: [Locale; 14] = [
    row("en-US", "English_United_States", "United_States", "en_US", "iso-8859-1"),
    row("en-GB", "English_United_Kingdom", "United_Kingdom", "en_GB", "iso-8859-1"),
    row("ja-JP", "Japanese_Japan", "Japan", "ja_JP", "utf-8"),
    row("de-DE", "German_Germany", "Germany", "de_DE", "iso-8859-1"),
    row("fr-FR", "French_France", "France", "fr_FR", "iso-8859-1"),
    row("es-ES", "Spanish_Spain", "Spain", "es_ES", "iso-8859-1"),
    row("pt-PT", "Portuguese_Portugal", "Portugal", "pt_PT", "iso-8859-1"),
    row("pt-BR", "Portuguese_Brazil", "Brazil", "pt_BR", "iso-8859-1"),
    row("it-IT", "Italian_Italy", "Italy", "it_IT", "iso-8859-1"),
    row("nl-NL", "Dutch_Netherlands", "Netherlands", "nl_NL", "iso-8859-1"),
    row("sv-SE", "Swedish_Sweden", "Sweden", "sv_SE", "iso-8859-1"),
    row("zh-CN", "Chinese_China", "China", "zh_CN", "utf-8"),
    row("zh-TW", "Chinese_Taiwan", "Taiwan", "zh_TW", "utf-8"),
    row("ko-KR", "Korean_Korea_Republic", "Korea_Republic", "ko_KR", "utf-8"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_falls_back_to_its_language_and_then_to_english() {
        assert_eq!(locale("ja-JP").user, "Japanese_Japan");
        assert_eq!(locale("JA-jp").code, "ja_JP");
        assert_eq!(locale("de-CH").tag, "de-DE");
        for tag in ["", "x", "日本", "tlh"] {
            assert_eq!(locale(tag).tag, "en-US", "{tag}");
        }
    }
}
