//! Why a contract refused, in its own words.

use std::sync::LazyLock;

use alloy::{
    dyn_abi::DynSolType,
    json_abi::Error,
    primitives::{U256, hex},
};

use super::{Contract, contract::Entry, decode, text};

/// `Error(string)` (Solidity, "Control structures: revert").
const ERROR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
/// `Panic(uint256)`.
const PANIC: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];
/// The longest reason, in characters.
const LONGEST: usize = 280;

/// Errors of ERC-6093 and of OpenZeppelin's contracts, which most others are made of.
const TABLE: &[&str] = &[
    "error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
    "error ERC20InvalidSender(address sender)",
    "error ERC20InvalidReceiver(address receiver)",
    "error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
    "error ERC20InvalidApprover(address approver)",
    "error ERC20InvalidSpender(address spender)",
    "error ERC721InvalidOwner(address owner)",
    "error ERC721NonexistentToken(uint256 tokenId)",
    "error ERC721IncorrectOwner(address sender, uint256 tokenId, address owner)",
    "error ERC721InvalidSender(address sender)",
    "error ERC721InvalidReceiver(address receiver)",
    "error ERC721InsufficientApproval(address operator, uint256 tokenId)",
    "error ERC721InvalidApprover(address approver)",
    "error ERC721InvalidOperator(address operator)",
    "error ERC1155InsufficientBalance(address sender, uint256 balance, uint256 needed, uint256 tokenId)",
    "error ERC1155InvalidSender(address sender)",
    "error ERC1155InvalidReceiver(address receiver)",
    "error ERC1155MissingApprovalForAll(address operator, address owner)",
    "error ERC1155InvalidApprover(address approver)",
    "error ERC1155InvalidOperator(address operator)",
    "error ERC1155InvalidArrayLength(uint256 idsLength, uint256 valuesLength)",
    "error ERC2612ExpiredSignature(uint256 deadline)",
    "error ERC2612InvalidSigner(address signer, address owner)",
    "error OwnableUnauthorizedAccount(address account)",
    "error OwnableInvalidOwner(address owner)",
    "error AccessControlUnauthorizedAccount(address account, bytes32 neededRole)",
    "error SafeERC20FailedOperation(address token)",
    "error AddressEmptyCode(address target)",
    "error FailedCall()",
    "error FailedInnerCall()",
    "error EnforcedPause()",
    "error ExpectedPause()",
    "error ReentrancyGuardReentrantCall()",
    "error InvalidInitialization()",
    "error AllowanceExpired(uint256 deadline)",
    "error InsufficientAllowance(uint256 amount)",
];

static KNOWN: LazyLock<Vec<Entry<Error>>> =
    LazyLock::new(|| TABLE.iter().map(|signature| Contract::known_error(signature)).collect());

/// What revert data says, fit for humans: one line of at most 280 characters; nothing when there is none.
pub fn explain_revert(data: &[u8], given: Option<&Contract>) -> Option<String> {
    let (selector, rest) = data.split_first_chunk::<4>()?;
    let words = match *selector {
        ERROR => decode::decode(&[DynSolType::String], rest)
            .and_then(|values| values.first()?.as_str().map(text::clean))
            .filter(|text| !text.trim().is_empty()),
        PANIC => <&[u8; 32]>::try_from(rest).ok().map(|word| panic(U256::from_be_bytes(*word))),
        _ => custom(*selector, rest, given),
    };
    let words = words.unwrap_or_else(|| format!("custom error 0x{}", hex::encode(selector)));
    Some(words.chars().take(LONGEST).collect::<String>().trim().to_owned())
}

/// A standard's error, else one of the caller's ABI: `TooLittle(available: 3, required: 5)`.
fn custom(selector: [u8; 4], data: &[u8], given: Option<&Contract>) -> Option<String> {
    let mut errors = KNOWN.iter().chain(given.into_iter().flat_map(|contract| &contract.errors));
    errors.find_map(|Entry { item, types }| {
        if item.selector().0 != selector {
            return None;
        }
        let values = decode::decode(types, data)?;
        let arguments = item.inputs.iter().zip(&values).map(|(input, value)| match input.name.as_str() {
            "" => text::exact(value),
            name => format!("{name}: {}", text::exact(value)),
        });
        Some(format!("{}({})", item.name, arguments.collect::<Vec<_>>().join(", ")))
    })
}

/// Solidity, "Panic via assert and error via require".
fn panic(code: U256) -> String {
    let meaning = match u8::try_from(code).unwrap_or(u8::MAX) {
        0x01 => "an assertion failed",
        0x11 => "arithmetic overflow",
        0x12 => "division by zero",
        0x21 => "a number that is no member of an enum",
        0x22 => "storage bytes encoded wrongly",
        0x31 => "pop from an empty array",
        0x32 => "array index out of bounds",
        0x41 => "too much memory",
        0x51 => "call of an uninitialised function",
        _ => "unknown code",
    };
    format!("panic 0x{code:02x}: {meaning}")
}
