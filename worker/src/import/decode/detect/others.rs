//! How much bytes look like Chinese, Korean or Russian text. These encodings have characters for nearly the same bytes as
//! the Japanese ones, so that what tells them apart is how common the characters are that come out.

use encoding_rs::{BIG5, EUC_KR, GB18030};

use super::INVALID;
use super::japanese::character;

const SIMPLIFIED: &str = "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然\
    家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民\
    第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合\
    回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电\
    数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达\
    光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运\
    李刘陈杨赵黄周吴徐孙胡朱林郭罗梁宋郑谢韩唐冯董萧曹袁邓傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田姜范石姚谭廖邹熊\
    陆郝孔崔康毛邱秦江史顾侯邵孟龙段雷钱汤尹黎易武乔贺赖龚省县镇街号楼室京广州深圳杭都汉庆津限址姓别男邮编价额备注商订单客户称";

const TRADITIONAL: &str = "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所\
    然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十\
    民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話\
    合回特代內信表化老給世位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總\
    何電數安少報才結反受目太量再感建務做接必場件計管期市直德資命山金指克許統區保至隊形社便空決治展馬科司五基眼書非則聽白\
    卻界達光放強即像難且權思王象完設式色路記南品住告類求據程北邊死張該交規萬取拉格望覺術領共確傳師觀清今切院讓識候帶導爭運\
    李劉陳楊趙黃周吳徐孫胡朱林郭羅梁宋鄭謝韓唐馮董蕭曹袁鄧傅沈曾彭呂蘇盧蔣蔡賈丁魏薛葉閻余潘杜戴夏鐘汪田姜范石姚譚廖鄒熊\
    陸郝孔崔康毛邱秦江史顧侯邵孟龍段雷錢湯尹黎易武喬賀賴龔臺台縣鄉鎮街號樓室京限址姓別男郵遞價額備註商訂單客戶編稱";

const KOREAN: &str = "이가는을를의에서다고지기사리자시도하어나인대스정한아일수해로부전라주구장상보국과그동안제여성있세미무경원조관우신\
    선소방비민운유오치연만마공용김박최강윤임권황송류홍문손양배백허남심노곽차진엄채천현함변염추석설길위표명반왕금옥육맹모탁은편\
    군읍면번호름화회식울산광충북였습니까니입합계약량격품";

/// The weight of GB 18030.
pub(super) fn weigh_gb18030(ahead: &[u8], whole: bool) -> i64 {
    weigh(ahead, whole, GB18030, |lead, trail, c| match (lead, trail) {
        _ if SIMPLIFIED.contains(c) => 8,
        // Full-width punctuation.
        (0xA1 | 0xA3, _) => 6,
        // Kana, Greek and Cyrillic are no Chinese.
        (0xA4..=0xA9, _) => -6,
        // In the order of their pronunciation: the everyday ones.
        (0xB0..=0xD7, 0xA1..) => 3,
        (0xD8..=0xF7, 0xA1..) => 1,
        _ => -4,
    })
}

/// The weight of Big5.
pub(super) fn weigh_big5(ahead: &[u8], whole: bool) -> i64 {
    weigh(ahead, whole, BIG5, |lead, _, c| match lead {
        _ if TRADITIONAL.contains(c) => 8,
        0xA1..=0xA3 => 6,
        0xA4..=0xC5 => 3,
        0xC9..=0xF9 => 1,
        _ => -4,
    })
}

/// The weight of EUC-KR.
pub(super) fn weigh_euc_kr(ahead: &[u8], whole: bool) -> i64 {
    weigh(ahead, whole, EUC_KR, |lead, trail, c| match (lead, trail) {
        _ if KOREAN.contains(c) => 8,
        (0xB0..=0xC8, 0xA1..) => 3,
        (0xA1 | 0xA3, _) => 4,
        // Syllables that are rare, and Chinese characters.
        _ => -4,
    })
}

/// The weight of pairs of bytes, by what `of` says of each character.
fn weigh(
    ahead: &[u8],
    whole: bool,
    encoding: &'static encoding_rs::Encoding,
    of: impl Fn(u8, u8, char) -> i64,
) -> i64 {
    let (mut weight, mut rest) = (0, ahead);
    loop {
        (weight, rest) = match *rest {
            [] => return weight,
            [0..0x80, ref behind @ ..] => (weight, behind),
            // The look-ahead ends within a character.
            [_] if !whole => return weight,
            [lead, trail, ref behind @ ..] => match character(encoding, &[lead, trail]) {
                Some(c) if c >= '\u{80}' => (weight + of(lead, trail, c), behind),
                _ => (weight + INVALID, rest.get(1..).unwrap_or_default()),
            },
            [_] => return weight + INVALID,
        };
    }
}

/// The weight of Windows-1251: words of letters, small behind the first or all of them capitals.
pub(super) fn weigh_cyrillic(ahead: &[u8]) -> i64 {
    let is_letter = |byte: &u8| matches!(byte, 0xC0..|0xA8| 0xB8);
    let is_capital = |byte: &u8| matches!(byte, 0xC0..=0xDF | 0xA8);
    let mut weight = 0;
    for word in ahead.chunk_by(|one, other| is_letter(one) == is_letter(other)) {
        if !word.first().is_some_and(is_letter) {
            weight -= 4 * word.iter().filter(|byte| **byte >= 0x80).count() as i64;
            continue;
        }
        let behind = word.get(1..).unwrap_or_default();
        let capitals = behind.iter().filter(|byte| is_capital(byte)).count();
        let is_word = capitals == 0 || (capitals == behind.len() && word.first().is_some_and(is_capital));
        weight += match (is_word, word.len() as i64) {
            (true, 1) => 0,
            (true, letters) => 4 * letters,
            (false, letters) => -4 * letters,
        };
    }
    weight
}
