//! Names and towns of many countries, in the encodings of their programs.

use super::*;

/// Rows of an ordinary file, five or six of each.
const FILES: &[(Encoding, &str)] = &[
    (
        Encoding::Windows1252,
        "1;Jürgen Müller;Köln\n2;Käthe Groß;Düsseldorf\n3;Zoë Weiß;Nürnberg\n4;Öslem Übel;Würzburg\n",
    ),
    (
        Encoding::Windows1252,
        "1;Hélène Lefèvre;Besançon\n2;François Noël;Nîmes\n3;Zoé Forêt;Orléans\n4;Léa Château;Angoulême\n",
    ),
    (
        Encoding::Windows1252,
        "1;José Núñez;Málaga\n2;Íñigo Peña;Logroño\n3;Begoña Ibáñez;Cádiz\n4;Ángel Muñoz;León\n",
    ),
    (
        Encoding::Windows1252,
        "1;Åsa Öberg;Malmö\n2;Göran Sjöström;Göteborg\n3;Bjørn Sæther;Tromsø\n4;Søren Ågård;Århus\n",
    ),
    (
        Encoding::Windows1250,
        "1;Łukasz Wójcik;Łódź\n2;Małgorzata Kościuszko;Kraków\n3;Święta Żółć;Gdańsk\n4;Paweł Dąbrowski;Poznań\n",
    ),
    (
        Encoding::Windows1250,
        "1;Jiří Dvořák;Plzeň\n2;Zdeněk Šťastný;České Budějovice\n3;Růžena Křížová;Třebíč\n4;Ondřej Žižka;Příbram\n",
    ),
    (
        Encoding::Iso8859_2,
        "1;Łukasz Wójcik;Łódź\n2;Małgorzata Kościuszko;Kraków\n3;Święta Żółć;Gdańsk\n4;Paweł Dąbrowski;Poznań\n",
    ),
    (
        Encoding::Windows1254,
        "1;Çağrı Öztürk;İstanbul\n2;Şükrü Yıldız;Eskişehir\n3;Ayşe Güneş;Beşiktaş\n4;Uğur Işık;Diyarbakır\n",
    ),
    (
        Encoding::Windows1253,
        "1;Γιώργος Παπαδόπουλος;Αθήνα\n2;Ελένη Γεωργίου;Θεσσαλονίκη\n3;Νίκος Αντωνίου;Πάτρα\n",
    ),
    (
        Encoding::Windows1251,
        "1;Иван Петров;Москва\n2;Анна Смирнова;Санкт-Петербург\n3;Юлия Щукина;Екатеринбург\n",
    ),
    (Encoding::Windows1251, "1;Олена Шевченко;Київ\n2;Їжакевич Іван;Львів\n3;Євген Ґонта;Чернівці\n"),
    (Encoding::Koi8U, "1;Иван Петров;Москва\n2;Анна Смирнова;Санкт-Петербург\n3;Юлия Щукина;Екатеринбург\n"),
    (Encoding::Cp866, "1;Иван Петров;Москва\n2;Анна Смирнова;Санкт-Петербург\n3;Юлия Щукина;Екатеринбург\n"),
    (Encoding::Windows1255, "1;משה כהן;ירושלים\n2;רחל לוי;חיפה\n3;דוד מזרחי;באר שבע\n4;שרה פרץ;אשדוד\n"),
    (
        Encoding::Windows1256,
        "1;محمد أحمد;القاهرة\n2;فاطمة علي;الإسكندرية\n3;يوسف حسن;الجيزة\n4;مريم خالد;طنطا\n",
    ),
    (Encoding::Windows874, "1;สมชาย ใจดี;กรุงเทพมหานคร\n2;สุดา แก้วมณี;เชียงใหม่\n3;วิชัย ทองคำ;ขอนแก่น\n"),
    (
        Encoding::Cp850,
        "1;Jürgen Müller;Köln\n2;Käthe Groß;Düsseldorf\n3;Zoë Weiß;Nürnberg\n4;Gülay Schäfer;Würzburg\n",
    ),
    (
        Encoding::Cp850,
        "1;Hélène Lefèvre;Besançon\n2;François Noël;Nîmes\n3;Zoé Forêt;Orléans\n4;Léa Château;Angoulême\n",
    ),
    (
        Encoding::Macintosh,
        "1;Jürgen Müller;Köln\n2;Käthe Groß;Düsseldorf\n3;Zoë Weiß;Nürnberg\n4;Gülay Schäfer;Würzburg\n",
    ),
    (Encoding::EucKr, "1;김민준;서울특별시 강남구\n2;이서연;부산광역시 해운대구\n3;박지호;대구광역시\n"),
    (Encoding::Gb18030, "1;张伟;北京市朝阳区建国路\n2;王芳;上海市浦东新区\n3;李娜;广州市天河区\n"),
    (Encoding::Big5, "1;陳怡君;臺北市中正區\n2;林志明;高雄市鳳山區\n3;黃淑芬;臺中市西屯區\n"),
    (Encoding::Cp932, "1;山田太郎;東京都港区\n2;鈴木花子;大阪市北区\n3;ﾀﾅｶ ｼﾞﾛｳ;名古屋市\n"),
    (Encoding::EucJp, "1;山田太郎;東京都港区\n2;鈴木花子;大阪市北区\n3;田中次郎;名古屋市\n"),
];

/// Of its letters, only two are others in Windows-1252, and Portuguese has those.
const HUNGARIAN: (Encoding, &str) = (
    Encoding::Windows1250,
    "1;Győző Kovács;Székesfehérvár\n2;Erzsébet Szőke;Győr\n3;Tünde Hegedűs;Pécs\n4;Ödön Fűzfői;Kőszeg\n",
);

fn look_at(encoding: Encoding, text: &str) -> (Guess, Vec<u8>) {
    let bytes = written(encoding, &format!("id;name;city\n{text}"));
    let at = bytes.iter().position(|byte| *byte >= 0x80).unwrap();
    let (context, ahead) = bytes.split_at(at);
    (guess(context, ahead, true), bytes)
}

#[test]
fn a_few_rows_of_any_language_are_read_as_they_were_written() {
    let mut wrong = Vec::new();
    for (encoding, text) in FILES {
        for text in [(*text).to_owned(), text.repeat(50)] {
            let (found, bytes) = look_at(*encoding, &text);
            if !decoded(found.encoding, &bytes).ends_with(&text) {
                wrong.push(format!("{encoding}, {} bytes: {found:?}", bytes.len()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn hungarian_is_western_with_a_doubt() {
    let (encoding, text) = HUNGARIAN;
    for text in [text.to_owned(), text.repeat(50)] {
        let (found, _) = look_at(encoding, &text);
        assert!(found.encoding == encoding || found.others.contains(&encoding), "{found:?}");
    }
}

/// A row alone may be anything, but whoever looks at the note finds what it is, or that it is a guess.
#[test]
fn a_row_of_any_language_is_right_or_a_guess_that_says_so() {
    let (mut rows, mut unnamed) = (0, Vec::new());
    for (encoding, text) in FILES.iter().chain([&HUNGARIAN]) {
        for row in text.split_inclusive('\n').filter(|row| !row.is_ascii()) {
            rows += 1;
            let (found, bytes) = look_at(*encoding, row);
            let is_right = |encoding: &Encoding| decoded(*encoding, &bytes).ends_with(row);
            if is_right(&found.encoding) {
                continue;
            }
            assert!(!found.others.is_empty(), "{encoding}: {row:?} is {} without a doubt", found.encoding);
            if !found.others.iter().any(is_right) {
                unnamed.push(format!("{encoding}: {row:?} {found:?}"));
            }
        }
    }
    assert!(unnamed.len() * 50 <= rows, "{} of {rows}:\n{}", unnamed.len(), unnamed.join("\n"));
}
