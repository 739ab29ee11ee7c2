//! When two names are the same: to the letter, else after folding, where that leaves no doubt.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

/// The columns that stand before each row of a file of rejects.
pub(crate) const REJECTS_COLUMNS: [&str; 2] = ["baton_line", "baton_reason"];

/// The name without what people do not take for a difference: width (NFKC), case, and how much white space there is.
pub(crate) fn fold(name: &str) -> String {
    // Through the capitals, so that ß and SS are the same; letter by letter, so that no letter is folded by its place.
    let caseless = name.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    let folded: String = caseless.nfkc().collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The folded name without the white space beside Japanese letters. Words are not parted there: it is for the eye alone
/// (`氏　名`), while `zip code` is two words.
fn fold_japanese(name: &str) -> String {
    let folded = fold(name);
    let letters: Vec<char> = folded.chars().collect();
    let is_japanese = |place: Option<usize>| {
        place.and_then(|place| letters.get(place)).is_some_and(|&letter| is_japanese_letter(letter))
    };
    let is_for_the_eye = |place: usize| {
        letters.get(place) == Some(&' ')
            && (is_japanese(place.checked_sub(1)) || is_japanese(place.checked_add(1)))
    };
    let kept = letters.iter().enumerate().filter(|&(place, _)| !is_for_the_eye(place));
    kept.map(|(_, letter)| letter).collect()
}

fn is_japanese_letter(letter: char) -> bool {
    // Marks of repetition (々), kana with the mark that lengthens them, and kanji with their extensions.
    matches!(letter,
        '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether this is a column that only a file of rejects has.
pub(crate) fn is_of_rejects(name: &str) -> bool {
    name.len() < 100 && REJECTS_COLUMNS.contains(&fold(name).as_str())
}

/// Names that can be looked up.
pub(crate) struct Names<'a> {
    exact: HashMap<&'a str, Vec<usize>>,
    folded: HashMap<String, Vec<usize>>,
    japanese: HashMap<String, Vec<usize>>,
}

impl<'a> Names<'a> {
    /// Names by their places, from 0.
    pub(crate) fn of(names: impl Iterator<Item = &'a str>) -> Self {
        let (mut exact, mut folded, mut japanese) =
            (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for (place, name) in names.enumerate() {
            exact.entry(name).or_default().push(place);
            folded.entry(fold(name)).or_default().push(place);
            japanese.entry(fold_japanese(name)).or_default().push(place);
        }
        Self { exact, folded, japanese }
    }

    /// Where this name stands: to the letter, else folded.
    pub(crate) fn places(&self, name: &str) -> &[usize] {
        self.exact.get(name).or_else(|| self.folded.get(&fold(name))).map_or(&[], Vec::as_slice)
    }

    /// Where this name stands, if that is one place only.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        match self.places(name) {
            [place] => Some(*place),
            _ => None,
        }
    }

    /// Where this name stands if white space beside Japanese letters is no difference either, if that is one place only.
    pub(crate) fn find_japanese(&self, name: &str) -> Option<usize> {
        match self.japanese.get(&fold_japanese(name))?.as_slice() {
            [place] => Some(*place),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_case_and_white_space_make_no_difference() {
        for (name, other) in [
            (" Full  Name\t", "full name"),
            ("ＩＤ", "id"),
            ("ﾌﾘｶﾞﾅ", "フリガナ"),
            ("氏\u{3000}名", "氏 名"),
            ("STRASSE", "Straße"),
            ("ΟΔΟΣ", "οδος"),
            ("Cafe\u{301}", "CAFÉ"),
            ("㈱", "(株)"),
        ] {
            assert_eq!(fold(name), fold(other), "{name}");
        }
        for (name, other) in [("full_name", "full name"), ("full-name", "fullname"), ("ﾊﾊ", "ババ")] {
            assert_ne!(fold(name), fold(other), "{name}");
        }
    }

    #[test]
    fn white_space_beside_japanese_letters_is_for_the_eye() {
        for (name, other) in
            [("氏\u{3000}名", "氏名"), ("ﾌﾘ ｶﾞﾅ", "フリガナ"), ("ID 番号", "id番号"), ("コ ー ド", "コード")]
        {
            assert_eq!(fold_japanese(name), fold_japanese(other), "{name}");
        }
        for (name, other) in [("zip code", "zipcode"), ("顧客 zip code", "顧客zipcode")] {
            assert_ne!(fold_japanese(name), fold_japanese(other), "{name}");
        }
        let names = Names::of(["氏名", "氏 名", "住所"].into_iter());
        assert_eq!((names.find("氏\u{3000}名"), names.find_japanese("住 所")), (Some(1), Some(2)));
        assert_eq!((names.find("住 所"), names.find_japanese("氏 名 ")), (None, None));
    }

    #[test]
    fn of_names_that_are_alike_each_is_found_to_the_letter_only() {
        let names = Names::of(["Name", "name", "id"].into_iter());
        assert_eq!((names.find("Name"), names.find("name"), names.find("NAME")), (Some(0), Some(1), None));
        assert_eq!(names.find(" ID "), Some(2));
    }
}
