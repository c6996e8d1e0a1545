//! Writes the files of a card: data groups and the security object.

use std::collections::BTreeMap;

use wallet_base::crypto::{Curve, PublicKey, Signer, SoftwareKey, sha256};
use wallet_base::time::{Date, Timestamp};
use wallet_base::x509::{Certificate, der_signature};
use wallet_chip::access::VN_CCCD_CARD_ACCESS;
use wallet_chip::files::FileId;
use wallet_chip::lds::com::Com;
use wallet_chip::lds::dg13::{Dg13, FieldValue, field};
use wallet_chip::mrz::Td1Fields;
use wallet_chip::tlv::{encode, encode_all};

use crate::SimError;
use crate::holder::{CardHolder, sex_word};

/// The files of one card, as bytes.
pub type CardFiles = BTreeMap<FileId, Vec<u8>>;

/// ecdsa-plain-SHA256, 0.4.0.127.0.7.1.1.4.1.3.
const ECDSA_PLAIN_SHA256: [u8; 10] = [0x04, 0x00, 0x7F, 0x00, 0x07, 0x01, 0x01, 0x04, 0x01, 0x03];
const ECDSA_WITH_SHA256: [u8; 8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
const SHA256: [u8; 9] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SIGNED_DATA: [u8; 9] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];
const LDS_SECURITY_OBJECT: [u8; 6] = [0x67, 0x81, 0x08, 0x01, 0x01, 0x01];
const AA_PROTOCOL: [u8; 6] = [0x67, 0x81, 0x08, 0x01, 0x01, 0x05];
const ATTRIBUTE_CONTENT_TYPE: [u8; 9] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x03];
const ATTRIBUTE_MESSAGE_DIGEST: [u8; 9] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x04];
const ATTRIBUTE_SIGNING_TIME: [u8; 9] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x05];

fn yymmdd(date: Date) -> String {
    format!("{:02}{:02}{:02}", date.year() % 100, date.month(), date.day())
}

fn slashed(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.day(), date.month(), date.year())
}

/// DG1 in the Vietnamese form: last nine digits as document number, all twelve in optional data with their check digit.
pub(crate) fn dg1(holder: &CardHolder) -> Result<Vec<u8>, SimError> {
    let number = &holder.personal_number;
    let digit = wallet_chip::mrz::check_digit(number).ok_or(SimError::Holder)?;
    let mrz = Td1Fields {
        document_code: "ID",
        issuer: "VNM",
        document_number: number.get(3..).ok_or(SimError::Holder)?,
        optional_1: &format!("{number}<<{digit}"),
        birth: &yymmdd(holder.birth),
        sex: holder.sex,
        expiry: &yymmdd(holder.expiry),
        nationality: "VNM",
        optional_2: "",
        surname: &holder.surname,
        given: &holder.given,
    };
    let text = mrz.write().map_err(|_| SimError::Holder)?;
    Ok(encode(0x61, &encode(0x5F1F, text.as_bytes())))
}

/// DG2: one face, ISO/IEC 19794-5:2005 inside CBEFF (9303-10, 4.7.2).
pub(crate) fn dg2(image: &[u8]) -> Result<Vec<u8>, SimError> {
    let block = u32::try_from(20 + 12 + image.len()).map_err(|_| SimError::Holder)?;
    let mut record = b"FAC\x00010\x00".to_vec();
    record.extend((14 + block).to_be_bytes());
    record.extend([0, 1]);
    record.extend(block.to_be_bytes());
    record.extend([0; 16]); // No feature points; sex, eyes, hair, mask, expression and pose unspecified.
    record.extend([1, 0, 0, 156, 0, 208, 1, 2, 0, 0, 0, 0]); // Full frontal, sizes, sRGB, digital camera.
    record.extend_from_slice(image);
    // Patron header: type facial features, format owner JTC 1/SC 37, format type 8.
    let header = encode_all(0xA1, &[encode(0x81, &[0x02]), encode(0x87, &[0x01, 0x01]), encode(0x88, &[0x00, 0x08])]);
    let template = encode_all(0x7F60, &[header, encode(0x5F2E, &record)]);
    Ok(encode(0x75, &encode_all(0x7F61, &[encode(0x02, &[1]), template])))
}

/// DG13 in the Vietnamese form.
pub(crate) fn dg13(holder: &CardHolder) -> Vec<u8> {
    let text = |number: u32, text: &str| (number, FieldValue::Text(text.to_owned()));
    let mut fields = vec![
        text(field::PERSONAL_NUMBER, &holder.personal_number),
        text(field::FULL_NAME, &holder.full_name),
        text(field::BIRTH, &slashed(holder.birth)),
        text(field::SEX, sex_word(holder.sex)),
        text(field::NATIONALITY, "Việt Nam"),
    ];
    let optional = [
        (field::ETHNICITY, &holder.ethnicity),
        (field::RELIGION, &holder.religion),
        (field::HOMETOWN, &holder.hometown),
        (field::ADDRESS, &holder.address),
        (field::FEATURES, &holder.features),
    ];
    fields.extend(optional.into_iter().filter_map(|(number, value)| value.as_deref().map(|value| text(number, value))));
    fields.push(text(field::ISSUED, &slashed(holder.issued)));
    fields.push(text(field::EXPIRY, &slashed(holder.expiry)));
    if let Some((father, mother)) = &holder.parents {
        fields.push((field::PARENTS, FieldValue::Texts(vec![father.clone(), mother.clone()])));
    }
    if let Some(spouse) = &holder.spouse {
        fields.push((field::SPOUSE, FieldValue::Texts(vec![spouse.clone()])));
    }
    if let Some(old) = &holder.old_number {
        fields.push(text(field::OLD_NUMBER, old));
    }
    let serial = sha256(holder.personal_number.as_bytes()).iter().take(8).fold(String::new(), |mut text, byte| {
        text.extend(
            [byte >> 4, byte & 15]
                .into_iter()
                .filter_map(|half| char::from_digit(u32::from(half), 16))
                .map(|digit| digit.to_ascii_uppercase()),
        );
        text
    });
    fields.push(text(field::SERIAL, &serial));
    Dg13::encode(&fields)
}

/// DG14: the entries of EF.CardAccess, and the algorithm of Active Authentication.
pub(crate) fn dg14() -> Vec<u8> {
    let infos = VN_CCCD_CARD_ACCESS.get(2..).unwrap_or_default();
    let active = encode_all(0x30, &[encode(0x06, &AA_PROTOCOL), encode(0x02, &[1]), encode(0x06, &ECDSA_PLAIN_SHA256)]);
    encode(0x6E, &encode_all(0x31, &[infos.to_vec(), active]))
}

/// DG15: the public key of Active Authentication.
pub(crate) fn dg15(key: &PublicKey) -> Result<Vec<u8>, SimError> {
    Ok(encode(0x6F, &key.to_spki_der().map_err(|_| SimError::Crypto)?))
}

/// EF.COM for the data groups among the files, and DG3, which real cards list and refuse.
pub(crate) fn com(files: &CardFiles) -> Vec<u8> {
    let mut groups: Vec<FileId> = files.keys().copied().filter(|file| file.group().is_some()).collect();
    groups.sort_by_key(|file| file.group());
    let tags = groups.iter().filter_map(|file| u8::try_from(file.tag()).ok()).collect();
    Com { lds_version: "0107".to_owned(), unicode_version: "040000".to_owned(), tags }.encode()
}

/// EF.SOD over the data groups among the files, signed by a document signer (P-256): CMS SignedData with signed attributes.
pub(crate) fn sod(files: &CardFiles, signer: &Certificate, key: &SoftwareKey, at: Timestamp) -> Result<Vec<u8>, SimError> {
    if key.public_key().curve() != Curve::P256 {
        return Err(SimError::Crypto);
    }
    let sha256_algorithm = encode_all(0x30, &[encode(0x06, &SHA256)]);
    let mut groups: Vec<(u8, &Vec<u8>)> = files.iter().filter_map(|(file, bytes)| Some((file.group()?, bytes))).collect();
    groups.sort_by_key(|(number, _)| *number);
    let hashes: Vec<Vec<u8>> =
        groups.iter().map(|(number, bytes)| encode_all(0x30, &[encode(0x02, &[*number]), encode(0x04, &sha256(bytes))])).collect();
    let content = encode_all(0x30, &[encode(0x02, &[0]), sha256_algorithm.clone(), encode_all(0x30, &hashes)]);

    let attribute = |oid: &[u8], value: Vec<u8>| encode_all(0x30, &[encode(0x06, oid), encode(0x31, &value)]);
    let time: String = at.to_rfc3339().chars().filter(char::is_ascii_digit).take(14).collect();
    let utc_time = format!("{}Z", time.get(2..).ok_or(SimError::Crypto)?);
    let mut attributes = [
        attribute(&ATTRIBUTE_CONTENT_TYPE, encode(0x06, &LDS_SECURITY_OBJECT)),
        attribute(&ATTRIBUTE_MESSAGE_DIGEST, encode(0x04, &sha256(&content))),
        attribute(&ATTRIBUTE_SIGNING_TIME, encode(0x17, utc_time.as_bytes())),
    ];
    attributes.sort(); // DER: a SET OF is sorted by its encodings.
    let attributes = attributes.concat();
    let raw = key.sign(&encode(0x31, &attributes)).map_err(|_| SimError::Crypto)?;
    let signature = der_signature(&raw).map_err(|_| SimError::Crypto)?;

    let signer_id = encode_all(0x30, &[signer.issuer_der(), encode(0x02, signer.serial())]);
    let signer_info = encode_all(
        0x30,
        &[
            encode(0x02, &[1]),
            signer_id,
            sha256_algorithm.clone(),
            encode(0xA0, &attributes),
            encode_all(0x30, &[encode(0x06, &ECDSA_WITH_SHA256)]),
            encode(0x04, &signature),
        ],
    );
    let encapsulated = encode_all(0x30, &[encode(0x06, &LDS_SECURITY_OBJECT), encode(0xA0, &encode(0x04, &content))]);
    let signed = encode_all(
        0x30,
        &[encode(0x02, &[3]), encode(0x31, &sha256_algorithm), encapsulated, encode(0xA0, signer.der()), encode(0x31, &signer_info)],
    );
    Ok(encode(0x77, &encode_all(0x30, &[encode(0x06, &SIGNED_DATA), encode(0xA0, &signed)])))
}
