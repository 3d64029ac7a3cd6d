//! Addresses: `0x` and 40 hex digits on the wire, [`Address`] in the program.

use alloy::primitives::{Address, hex};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Text that is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// Not `0x` and 40 hex digits.
    #[error("not an address: expected 0x and 40 hex digits")]
    Malformed,
    /// Upper and lower case are mixed in a way EIP-55 does not allow: most likely a typing error.
    #[error("the address fails its EIP-55 checksum")]
    Checksum,
}

/// Reads an address as the server does: `0x` and 40 hex digits, all lower, all upper, or mixed as
/// EIP-55 says.
///
/// Fails when the prefix or a digit is wrong, or the checksum in a mixed-case address.
/// [`Address`]'s own parser ignores both.
///
/// ```
/// assert!(agent_sdk::address::parse("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed").is_ok());
/// assert!(agent_sdk::address::parse("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD").is_err());
/// ```
pub fn parse(text: &str) -> Result<Address, InvalidAddress> {
    let digits = text.strip_prefix("0x").ok_or(InvalidAddress::Malformed)?;
    // The decoder would take a second prefix.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(InvalidAddress::Malformed);
    }
    let bytes: [u8; 20] = hex::FromHex::from_hex(digits).map_err(|_| InvalidAddress::Malformed)?;
    let address = Address::from(bytes);

    let lower = digits.bytes().any(|byte| byte.is_ascii_lowercase());
    let upper = digits.bytes().any(|byte| byte.is_ascii_uppercase());
    if lower && upper && address.to_checksum(None) != text {
        return Err(InvalidAddress::Checksum);
    }
    Ok(address)
}

/// An address in its wire form.
struct Checksummed(Address);

impl Serialize for Checksummed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_checksum(None))
    }
}

impl<'de> Deserialize<'de> for Checksummed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map(Self).map_err(de::Error::custom)
    }
}

pub(crate) fn serialize<S: Serializer>(address: &Address, serializer: S) -> Result<S::Ok, S::Error> {
    Checksummed(*address).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
    Checksummed::deserialize(deserializer).map(|Checksummed(address)| address)
}

pub(crate) mod optional {
    use super::{Address, Checksummed, Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(address: &Option<Address>, serializer: S) -> Result<S::Ok, S::Error> {
        address.map(Checksummed).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Address>, D::Error> {
        let address = Option::<Checksummed>::deserialize(deserializer)?;
        Ok(address.map(|Checksummed(address)| address))
    }
}

#[cfg(feature = "user")]
pub(crate) mod optional_list {
    use super::{Address, Checksummed, Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(addresses: &Option<Vec<Address>>, serializer: S) -> Result<S::Ok, S::Error> {
        let addresses = addresses.as_ref().map(|list| list.iter().copied().map(Checksummed));
        addresses.map(Vec::from_iter).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Address>>, D::Error> {
        let addresses = Option::<Vec<Checksummed>>::deserialize(deserializer)?;
        Ok(addresses.map(|list| list.into_iter().map(|Checksummed(address)| address).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EIP-55, test cases: "normal" addresses.
    const PUBLISHED: [&str; 4] = [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ];

    #[test]
    fn published_addresses_are_accepted_in_mixed_lower_and_upper_case() {
        for text in PUBLISHED {
            let address = parse(text).expect("published");
            assert_eq!(parse(&text.to_lowercase()), Ok(address));
            assert_eq!(parse(&format!("0x{}", text[2..].to_uppercase())), Ok(address));
            assert_eq!(address.to_checksum(None), text);
        }
    }

    #[test]
    fn a_wrong_case_is_a_checksum_error() {
        let wrong = PUBLISHED[0].replace("BeAed", "BeAeD");
        assert_eq!(parse(&wrong), Err(InvalidAddress::Checksum));
    }

    #[test]
    fn a_missing_prefix_or_digit_is_malformed() {
        let text = PUBLISHED[0];
        let double = format!("0x{text}");
        let upper_prefix = text.replace("0x", "0X");
        for text in ["", "0x", &text[2..], &text[..41], double.as_str(), upper_prefix.as_str()] {
            assert_eq!(parse(text), Err(InvalidAddress::Malformed), "{text}");
        }
    }
}
