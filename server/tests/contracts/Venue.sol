// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

interface IAsset {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// Whatever function is called: takes an amount of one asset of its caller, and pays an amount of another to somebody. The
/// zero address is native currency as what it pays, and nothing as what it takes.
contract Venue {
    IAsset private immutable TAKEN;
    uint256 private immutable TAKES;
    IAsset private immutable PAID;
    uint256 private immutable PAYS;
    /// Whom it pays; nobody: its caller.
    address private immutable PAYEE;
    uint256 private calls;

    constructor(IAsset taken, uint256 takes, IAsset paid, uint256 pays, address payee) payable {
        (TAKEN, TAKES, PAID, PAYS, PAYEE) = (taken, takes, paid, pays, payee);
    }

    fallback(bytes calldata input) external payable returns (bytes memory) {
        require(!_asks(bytes4(input)), "no token");
        _act();
        return abi.encode(true);
    }

    receive() external payable {
        if (PAYS > 0 || TAKES > 0) _act();
    }

    /// What wallets ask to learn whether this is a token.
    function _asks(bytes4 selector) private pure returns (bool) {
        return selector == 0x70a08231 || selector == 0x313ce567 || selector == 0x95d89b41 || selector == 0x06fdde03
            || selector == 0x18160ddd || selector == 0x01ffc9a7;
    }

    function _act() private {
        calls += 1;
        address payee = PAYEE == address(0) ? msg.sender : PAYEE;
        if (address(TAKEN) != address(0)) TAKEN.transferFrom(msg.sender, address(this), TAKES);
        if (PAYS == 0) return;
        if (address(PAID) != address(0)) {
            PAID.transfer(payee, PAYS);
            return;
        }
        (bool done,) = payee.call{value: PAYS}("");
        require(done, "not paid");
    }
}
