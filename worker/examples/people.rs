//! Writes `examples/people.csv`: 5,000 people who do not exist, put together from lists, the same at every run.
//!
//! ```sh
//! cargo run -p worker --example people > examples/people.csv
//! ```
//!
//! The file has what real files have: postcodes with leading zeros, commas, doubled quotes and line breaks in quotes, empty
//! fields, and names in several scripts.

use std::io;

use chrono::{Days, NaiveDate, TimeDelta};

const PEOPLE: u64 = 5000;

const HEADER: [&str; 12] = [
    "id",
    "name",
    "kana",
    "email",
    "postal_code",
    "prefecture",
    "address",
    "birthday",
    "joined_at",
    "active",
    "balance",
    "note",
];

/// Family names, with their reading.
const FAMILY: &[(&str, &str, &str)] = &[
    ("佐藤", "サトウ", "sato"),
    ("鈴木", "スズキ", "suzuki"),
    ("高橋", "タカハシ", "takahashi"),
    ("田中", "タナカ", "tanaka"),
    ("伊藤", "イトウ", "ito"),
    ("渡邊", "ワタナベ", "watanabe"),
    ("山本", "ヤマモト", "yamamoto"),
    ("中村", "ナカムラ", "nakamura"),
    ("小林", "コバヤシ", "kobayashi"),
    ("加藤", "カトウ", "kato"),
    ("吉田", "ヨシダ", "yoshida"),
    ("髙田", "タカダ", "takada"),
    ("齋藤", "サイトウ", "saito"),
    ("清水", "シミズ", "shimizu"),
    ("森", "モリ", "mori"),
    ("池田", "イケダ", "ikeda"),
];

/// Given names, with their reading.
const GIVEN: &[(&str, &str, &str)] = &[
    ("陽菜", "ヒナ", "hina"),
    ("蓮", "レン", "ren"),
    ("結衣", "ユイ", "yui"),
    ("大翔", "ヒロト", "hiroto"),
    ("さくら", "サクラ", "sakura"),
    ("悠真", "ユウマ", "yuma"),
    ("美咲", "ミサキ", "misaki"),
    ("健一", "ケンイチ", "kenichi"),
    ("裕子", "ユウコ", "yuko"),
    ("翔太", "ショウタ", "shota"),
    ("直樹", "ナオキ", "naoki"),
    ("千尋", "チヒロ", "chihiro"),
    ("あおい", "アオイ", "aoi"),
    ("雄大", "ユウダイ", "yudai"),
];

/// People from elsewhere, with their reading.
const OTHERS: &[(&str, &str, &str)] = &[
    ("Zoë O'Brien", "ゾーイ オブライエン", "zoe.obrien"),
    ("François Lefèvre", "フランソワ ルフェーヴル", "francois.lefevre"),
    ("Jürgen Groß", "ユルゲン グロース", "juergen.gross"),
    ("Nguyễn Thị Hoa", "グエン ティ ホア", "nguyen.hoa"),
    ("김민준", "キム ミンジュン", "kim.minjun"),
    ("王小明", "オウ ショウメイ", "wang.xiaoming"),
    ("Анна Иванова", "アンナ イワノワ", "anna.ivanova"),
    ("William \"Bill\" Hart", "ウィリアム ハート", "bill.hart"),
];

/// Prefectures, a city of each, and how its postcodes begin.
const PLACES: &[(&str, &str, u64)] = &[
    ("北海道", "札幌市中央区", 6),
    ("青森県", "青森市", 30),
    ("宮城県", "仙台市青葉区", 980),
    ("東京都", "千代田区", 100),
    ("神奈川県", "横浜市西区", 220),
    ("愛知県", "名古屋市中区", 460),
    ("京都府", "京都市左京区", 606),
    ("大阪府", "大阪市北区", 530),
    ("広島県", "広島市中区", 730),
    ("福岡県", "福岡市博多区", 812),
    ("沖縄県", "那覇市", 900),
];

const STREETS: &[&str] = &["本町", "栄町", "桜ヶ丘", "緑町", "旭町", "中央", "泉", "若葉台"];

const BUILDINGS: &[&str] = &["コーポ若葉", "サンハイツ, 東館", "\"ひかり\"ビル", "メゾン・ド・桜"];

const NOTES: &[&str] = &[
    "電話は平日の午後のみ",
    "Prefers e-mail, never phone",
    "\"VIP\"",
    "転居予定:\n新住所は後日",
    "紹介者あり, 2名",
    "=1+1",
    "納品書は別送",
];

/// Numbers that look random and are the same at every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[usize::try_from(self.below(list.len() as u64)).unwrap_or(0)]
    }
}

fn main() -> Result<(), csv::Error> {
    let mut dice = Dice(2026);
    let mut writer = csv::Writer::from_writer(io::stdout().lock());
    writer.write_record(HEADER)?;
    for id in 1..=PEOPLE {
        writer.write_record(person(id, &mut dice))?;
    }
    Ok(writer.flush()?)
}

fn person(id: u64, dice: &mut Dice) -> [String; 12] {
    let (name, kana, login) = if dice.below(12) == 0 {
        let (name, kana, login) = dice.pick(OTHERS);
        ((*name).to_owned(), (*kana).to_owned(), (*login).to_owned())
    } else {
        let (family, given) = (dice.pick(FAMILY), dice.pick(GIVEN));
        (
            format!("{} {}", family.0, given.0),
            format!("{} {}", family.1, given.1),
            format!("{}.{}", given.2, family.2),
        )
    };
    let domain = dice.pick(&["example.com", "example.net", "example.org"]);
    let (prefecture, city, postal) = *dice.pick(PLACES);
    let postal_code = format!("{postal:03}-{:04}", dice.below(10_000));
    let mut address = format!(
        "{city}{}{}-{}-{}",
        dice.pick(STREETS),
        1 + dice.below(9),
        1 + dice.below(30),
        1 + dice.below(20)
    );
    match dice.below(10) {
        0 | 1 => address.push_str(&format!(" {} {}号室", dice.pick(BUILDINGS), 101 + dice.below(800))),
        2 => address.push_str(&format!("\n{}", dice.pick(BUILDINGS))),
        _ => {}
    }
    let birthday = NaiveDate::default() + Days::new(dice.below(14_000));
    let joined = NaiveDate::from_ymd_opt(2015, 4, 1).unwrap_or_default() + Days::new(dice.below(4_000));
    let joined_at = joined.and_time(chrono::NaiveTime::MIN) + TimeDelta::seconds(dice.below(86_400) as i64);
    let balance = dice.below(20_000_000) as i64 - 1_000_000;
    let sign = if balance < 0 { "-" } else { "" };
    [
        id.to_string(),
        name,
        kana,
        format!("{login}.{id}@{domain}"),
        postal_code,
        prefecture.to_owned(),
        address,
        birthday.to_string(),
        joined_at.format("%Y-%m-%d %H:%M:%S").to_string(),
        (dice.below(8) != 0).to_string(),
        format!("{sign}{}.{:02}", balance.abs() / 100, balance.abs() % 100),
        if dice.below(4) == 0 { (*dice.pick(NOTES)).to_owned() } else { String::new() },
    ]
}
