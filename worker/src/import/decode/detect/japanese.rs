//! How much bytes look like Japanese text, as code page 932 and as EUC-JP. A character weighs by how often real text has it:
//! kana and everyday kanji much, rare kanji little, and single half-width kana within Latin words speak against it.

use encoding_rs::{EUC_JP, Encoding, SHIFT_JIS};

use super::INVALID;

/// Kanji of names, addresses and headers: where two readings are possible, the one that says something is right.
const EVERYDAY: &str = "一二三四五六七八九十百千万円年月日時分秒週前後上下左右中大小高低長短新旧内外東西南北\
    山川田村町市区県府都道国州郡島谷野原本木林森石水火土金銀花草竹松杉梅桜井池沢江海岸浜浦崎坂橋津港湾\
    佐藤鈴高髙渡辺邊伊斎齋齊加吉安近遠久保宮城阪岡福広京神奈良和歌愛知静岐阜富青秋形岩手宮群馬栃茨埼玉葉潟\
    梨長滋庫鳥取根媛徳香熊鹿児沖縄仙台札幌横浜戸名古屋河多摩丁目番地号室階館棟\
    氏姓名字男女性別生誕齢歳人者様殿会社株式有限業員役職部課係長店支営所属住居電話郵便番号携帯連絡先\
    商品価格数量単合計金額税込抜売買受注文発送納期在庫請求支払入出力済未予定日付曜備考欄内容種類項目区分\
    登録更新削除変更作成開始終了状態結果理由件名称説明表示非対象外同意可否不要必須任意顧客担当管理情報報告\
    正子太郎美和恵雄男夫裕健智明幸真由直樹義博史隆秀清次英洋二也介輔希菜結衣蓮翔陽大悠咲優莉央彩香奈代江里\
    型機構能動画像学校生先教育病院医薬食料理店駅線車鉄空港自主要求用使用者場合方法個体全毎回度以的私立公\
    小清水池吉山口井上木村林斉阿部石福嶋島丸若松竹内菊関酒服荒平東";

/// The weight of code page 932.
pub(super) fn weigh_cp932(context: &[u8], ahead: &[u8], whole: bool) -> i64 {
    let (mut weight, mut rest) = (0, ahead);
    let mut before = context.last().copied();
    loop {
        (weight, before, rest) = match *rest {
            [] => return weight,
            [0xA1..=0xDF, ..] => {
                let length = rest.iter().take_while(|byte| matches!(byte, 0xA1..=0xDF)).count();
                let (run, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
                (weight + weigh_half_width(before, run, behind.first().copied()), None, behind)
            }
            [0x80..=0xFF, ..] => {
                let (pair, behind) = rest.split_at_checked(2).unwrap_or((rest, &[]));
                match (pair, character(SHIFT_JIS, pair)) {
                    (&[lead, trail], Some(c)) => {
                        let is_in_word = trail.is_ascii_alphabetic()
                            && (before.is_some_and(|byte| byte.is_ascii_lowercase())
                                || behind.first().is_some_and(u8::is_ascii_lowercase));
                        // One kanji alone within a Latin word.
                        let is_enclosed = before.is_some_and(|byte| byte.is_ascii_alphabetic())
                            && behind.first().is_some_and(u8::is_ascii_lowercase);
                        let pair = weigh_pair(lead, c, is_in_word);
                        let is_sign = lead < 0x85 && !trail.is_ascii_alphabetic();
                        // "über" in a code page of DOS.
                        let is_beginning =
                            before.is_some() && lead < 0x85 && trail.is_ascii_lowercase() && is_in_word;
                        let pair = match () {
                            () if is_enclosed && !is_sign => pair.min(-2),
                            () if is_beginning => pair.min(2),
                            () => pair,
                        };
                        (weight + pair, None, behind)
                    }
                    // The look-ahead ends within a character.
                    ([_], _) if !whole && behind.is_empty() => return weight,
                    _ => (weight + INVALID, None, without_invalid(rest)),
                }
            }
            [ascii, ref behind @ ..] => (weight, Some(ascii), behind),
        };
    }
}

/// The weight of EUC-JP. Its half-width kana are kanji of code page 932 as well, which is by far the more likely.
pub(super) fn weigh_euc_jp(ahead: &[u8], whole: bool) -> i64 {
    let (mut weight, mut rest) = (0, ahead);
    loop {
        let length = match *rest {
            [] => return weight,
            [0..0x80, ref behind @ ..] => {
                rest = behind;
                continue;
            }
            [0x8F, ..] => 3,
            _ => 2,
        };
        let (sequence, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        (weight, rest) = match (sequence, character(EUC_JP, sequence)) {
            ([0x8E, ..], Some(_)) => (weight + 4, behind),
            ([0x8F, ..], Some(_)) => (weight, behind),
            ([0xA1..=0xA8, _], Some(_)) => (weight + 8, behind),
            ([0xAD, _], Some(_)) => (weight + 6, behind),
            (&[lead, _], Some(c)) => (weight + weigh_kanji(c, lead < 0xD0), behind),
            _ if !whole && sequence.len() < length => return weight,
            _ => (weight + INVALID, without_invalid(rest)),
        };
    }
}

/// The one character that a sequence stands for.
pub(super) fn character(encoding: &'static Encoding, sequence: &[u8]) -> Option<char> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(sequence)?;
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}

/// Behind an invalid sequence: a byte of ASCII in it stands for itself.
fn without_invalid(rest: &[u8]) -> &[u8] {
    match rest {
        [_, 0x80..=0xFF, behind @ ..] | [_, behind @ ..] => behind,
        [] => &[],
    }
}

/// A character of two bytes of code page 932. One whose second byte is a letter, within a word of such letters, is rather
/// an accented letter before another.
fn weigh_pair(lead: u8, c: char, is_in_word: bool) -> i64 {
    match lead {
        0x81..=0x84 => 8,
        0x87 => 6,
        0x88..=0x97 if is_in_word => 0,
        0x88..=0x97 => weigh_kanji(c, true),
        _ if is_in_word => -4,
        0x98..=0x9F | 0xE0..=0xEA | 0xED | 0xEE => weigh_kanji(c, false),
        0xFA..=0xFC => weigh_kanji(c, true),
        // Characters that everybody may define as he likes.
        _ => -2,
    }
}

fn weigh_kanji(c: char, is_of_level_1: bool) -> i64 {
    match (EVERYDAY.contains(c), is_of_level_1) {
        (true, _) => 8,
        (false, true) => 4,
        (false, false) => 2,
    }
}

/// A run of half-width kana between two bytes that are none.
fn weigh_half_width(before: Option<u8>, run: &[u8], behind: Option<u8>) -> i64 {
    let is_word = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    // A small kana, a mark of voice, a closing bracket: no word begins so.
    let is_beheaded = matches!(run, [0xA3 | 0xA7..=0xB0 | 0xDE | 0xDF, ..]);
    match (run, is_word(before), is_word(behind)) {
        ([_], false, false) => {
            if is_beheaded {
                -2
            } else {
                2
            }
        }
        ([_], ..) => -4,
        ([_, _], true, true) => -4,
        _ => {
            let mut weight = if is_beheaded { -4 } else { 0 };
            let mut last = 0;
            for &kana in run {
                weight += match kana {
                    0xA1..=0xA5 => -2,
                    // Only some kana have a voiced form.
                    0xDE if !matches!(last, 0xB3 | 0xB6..=0xC4 | 0xCA..=0xCE) => -6,
                    0xDF if !matches!(last, 0xCA..=0xCE) => -6,
                    _ => 3,
                };
                last = kana;
            }
            weight
        }
    }
}
