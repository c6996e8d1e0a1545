//! Whom a simulated card belongs to. Invented people only.

use wallet_base::text::fold_name;
use wallet_base::time::Date;
use wallet_chip::mrz::Sex;
use wallet_chip::vietnam::PersonalNumber;

use crate::{SimError, portrait};

/// What a card is made of. Texts of DG13 that are `None` are absent on the card.
#[derive(Clone)]
pub struct CardHolder {
    /// Twelve digits; the last six are the CAN.
    pub personal_number: String,
    /// Full name with diacritics (DG13).
    pub full_name: String,
    /// Surname for the MRZ, A-Z.
    pub surname: String,
    /// Given names for the MRZ, A-Z and spaces.
    pub given: String,
    /// Birth.
    pub birth: Date,
    /// Sex.
    pub sex: Sex,
    /// Issue of the card.
    pub issued: Date,
    /// Expiry of the card.
    pub expiry: Date,
    /// The image file of DG2 (PNG, JPEG, JPEG 2000), taken as it is.
    pub face: Vec<u8>,
    /// Ethnicity.
    pub ethnicity: Option<String>,
    /// Religion.
    pub religion: Option<String>,
    /// Hometown.
    pub hometown: Option<String>,
    /// Permanent address.
    pub address: Option<String>,
    /// Identifying features.
    pub features: Option<String>,
    /// Father and mother.
    pub parents: Option<(String, String)>,
    /// Spouse.
    pub spouse: Option<String>,
    /// Old nine-digit number.
    pub old_number: Option<String>,
}

impl std::fmt::Debug for CardHolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardHolder(redacted)")
    }
}

impl CardHolder {
    /// A holder with a drawn portrait and everything optional absent. The first word of the name is the surname; the card was
    /// issued ten years before it expires.
    pub fn new(personal_number: &str, full_name: &str, birth: Date, sex: Sex, expiry: Date) -> Result<Self, SimError> {
        let number = PersonalNumber::parse(personal_number).ok_or(SimError::Holder)?;
        let folded = fold_name(full_name);
        let (surname, given) = folded.split_once(' ').unwrap_or((&folded, ""));
        let issued =
            Date::new(expiry.year() - 10, expiry.month(), expiry.day()).or_else(|| Date::new(expiry.year() - 10, expiry.month(), 28));
        Ok(Self {
            personal_number: number.as_str().to_owned(),
            full_name: full_name.to_owned(),
            surname: surname.to_owned(),
            given: given.to_owned(),
            birth,
            sex,
            issued: issued.ok_or(SimError::Holder)?,
            expiry,
            face: portrait::draw(personal_number)?,
            ethnicity: None,
            religion: None,
            hometown: None,
            address: None,
            features: None,
            parents: None,
            spouse: None,
            old_number: None,
        })
    }

    /// With another image in DG2.
    pub fn with_face(mut self, image: Vec<u8>) -> Self {
        self.face = image;
        self
    }

    /// The holder of the vectors' `vn_synthetic_card`: 001090000123, Nguyễn Văn An, born 1990-01-01, card until 2030-01-01.
    pub fn sample() -> Result<Self, SimError> {
        let day = |year, month, day| Date::new(year, month, day).ok_or(SimError::Holder);
        let mut holder = Self::new("001090000123", "Nguyễn Văn An", day(1990, 1, 1)?, Sex::Male, day(2030, 1, 1)?)?;
        holder.ethnicity = Some("Kinh".to_owned());
        holder.religion = Some("Không".to_owned());
        holder.hometown = Some("Phường Hàng Bạc, Quận Hoàn Kiếm, Hà Nội".to_owned());
        holder.address = Some("Số 12, Phố Mẫu, Phường Hàng Bạc, Quận Hoàn Kiếm, Hà Nội".to_owned());
        holder.features = Some("Nốt ruồi cách 1 cm trên sau mép phải".to_owned());
        holder.parents = Some(("Nguyễn Văn Bình".to_owned(), "Trần Thị Cúc".to_owned()));
        Ok(holder)
    }

    /// The text of the QR printed on the card.
    pub fn card_qr(&self) -> String {
        let day = |date: Date| format!("{:02}{:02}{:04}", date.day(), date.month(), date.year());
        [
            self.personal_number.as_str(),
            self.old_number.as_deref().unwrap_or(""),
            &self.full_name,
            &day(self.birth),
            sex_word(self.sex),
            self.address.as_deref().unwrap_or(""),
            &day(self.issued),
        ]
        .join("|")
    }
}

/// Nam or Nữ.
pub(crate) const fn sex_word(sex: Sex) -> &'static str {
    match sex {
        Sex::Male => "Nam",
        Sex::Female => "Nữ",
        Sex::Unspecified => "",
    }
}
