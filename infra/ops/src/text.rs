//! Text that comes from files, databases and other people, made fit to be shown: what would move the cursor of a terminal,
//! change colours or turn the direction of writing is escaped, and widths are counted in columns, of which 漢 takes two.

use unicode_width::UnicodeWidthStr as _;
pub use worker::visible::visible;

/// As [`visible`], but lines stay lines.
pub fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// The columns that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text with spaces behind it, so that it takes so many columns.
pub fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text with spaces before it, as numbers stand under each other.
pub fn aligned_right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The beginning of the text that takes at most so many columns; `…` tells that there is more.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    for character in text.chars() {
        cut.push(character);
        // Of the whole, not the sum of its characters: some join.
        if width(&cut) >= columns {
            cut.pop();
            break;
        }
    }
    cut.push('…');
    cut
}

/// The lines of a table with a heading; columns as wide as their widest cell is seen to be. What a terminal would obey is
/// escaped.
pub fn table_lines<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let mut lines = vec![heading.map(str::to_owned)];
    lines.extend(rows.iter().map(|row| std::array::from_fn(|column| visible(&row[column]))));
    let width = |column: usize| lines.iter().map(|cells| width(&cells[column])).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let render = |cells: &[String; N]| {
        let padded: Vec<_> = cells.iter().zip(widths).map(|(cell, width)| padded(cell, width)).collect();
        padded.join("  ").trim_end().to_owned()
    };
    lines.iter().map(render).collect()
}

/// A fact with its label; lines after its first stand under it.
pub fn as_fact(label: &str, value: &str) -> String {
    format!("  {label:<9} {}", visible_lines(value).replace('\n', "\n            "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(visible("a\x1b[31mred\x07"), "a\\u{1b}[31mred\\u{7}");
        assert_eq!(visible("two\r\nlines\tand\0"), "two\\r\\nlines\\tand\\0");
        // The direction of writing: 1\u{202e}02 would be seen as 120.
        assert_eq!(visible("1\u{202e}02\u{2066}\u{200f}"), "1\\u{202e}02\\u{2066}\\u{200f}");
        assert_eq!(
            visible("\u{feff}a\u{200b}b\u{a0}\u{85}\u{2028}"),
            "\\u{feff}a\\u{200b}b\\u{a0}\\u{85}\\u{2028}"
        );
        // A byte that could not be decoded is seen as such.
        assert_eq!(visible("a\u{fffd}"), "a\u{fffd}");
    }

    #[test]
    fn what_people_write_stays_as_it_is() {
        for text in ["山田　太郎", "O'Brien \"Bob\" C:\\new", "か\u{3099}", "naïve", "ﾔﾏﾀﾞ", "Ⅲ㎝髙", "ไทย"]
        {
            assert_eq!(visible(text), text);
        }
        assert_eq!(visible("\u{301}a"), "\\u{301}a", "a mark with no letter before it");
        assert_eq!(visible_lines("a\x1b\nb"), "a\\u{1b}\nb");
    }

    #[test]
    fn columns_are_counted_as_they_are_seen() {
        assert_eq!([width("abc"), width("漢字"), width("ﾔﾏﾀﾞ"), width("か\u{3099}")], [3, 4, 4, 2]);
        assert_eq!(padded("漢", 4), "漢  ");
        assert_eq!(aligned_right("12", 4), "  12");
    }

    #[test]
    fn a_long_text_is_cut_within_its_columns() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("漢字漢字", 6), "漢字…");
        assert_eq!(cut("漢字漢字", 5), "漢字…");
        assert_eq!(width(&cut(&"漢".repeat(100), 40)), 39);
    }
}
