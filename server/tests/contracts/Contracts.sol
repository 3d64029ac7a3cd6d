// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

interface IToken {
    function allowance(address owner, address spender) external view returns (uint256);
    function balanceOf(address owner) external view returns (uint256);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// Something whose state can be seen to change.
contract Counter {
    uint256 public number;
    string public words;
    address public owner;

    event OwnershipTransferred(address indexed previous, address indexed current);

    constructor(address owner_) {
        owner = owner_;
        emit OwnershipTransferred(address(0), owner_);
    }

    function set(uint256 number_) external {
        number = number_;
    }

    function set(uint256 number_, string calldata words_) external {
        number = number_;
        words = words_;
    }

    function deposit() external payable {}

    function transferOwnership(address newOwner) external {
        require(msg.sender == owner, "not the owner");
        emit OwnershipTransferred(owner, newOwner);
        owner = newOwner;
    }
}

/// Code that its owner can replace (ERC-1967).
contract Proxy {
    bytes32 private constant IMPLEMENTATION = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
    bytes32 private constant OWNER = bytes32(uint256(keccak256("eip1967.proxy.admin")) - 1);

    event Upgraded(address indexed implementation);

    constructor(address owner) {
        bytes32 slot = OWNER;
        assembly {
            sstore(slot, owner)
        }
    }

    function upgradeTo(address newImplementation) external {
        (bytes32 slot, bytes32 code) = (OWNER, IMPLEMENTATION);
        address owner;
        assembly {
            owner := sload(slot)
        }
        require(msg.sender == owner, "not the owner");
        assembly {
            sstore(code, newImplementation)
        }
        emit Upgraded(newImplementation);
    }

    fallback() external {
        bytes32 slot = IMPLEMENTATION;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), sload(slot), 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch done
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}

/// Several calls in one: of others, and of itself.
contract Multicall {
    struct Call3 {
        address target;
        bool allowFailure;
        bytes callData;
    }

    struct Result {
        bool success;
        bytes returnData;
    }

    uint256 public touched;

    function aggregate3(Call3[] calldata calls) external payable returns (Result[] memory results) {
        results = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            (results[i].success, results[i].returnData) = calls[i].target.call(calls[i].callData);
            require(results[i].success || calls[i].allowFailure, "a call failed");
        }
    }

    function multicall(bytes[] calldata data) external returns (bytes[] memory results) {
        results = new bytes[](data.length);
        for (uint256 i = 0; i < data.length; i++) {
            (bool done, bytes memory result) = address(this).delegatecall(data[i]);
            require(done, "a call failed");
            results[i] = result;
        }
    }

    function touch() external {
        touched += 1;
    }
}

/// Refuses, in every way there is.
contract Reverter {
    bool public broken;
    uint256 public worked;

    error TooLittle(uint256 available, uint256 required);

    function breakIt() external {
        broken = true;
    }

    function work() external {
        require(!broken, "broken");
        worked += 1;
    }

    function withText() external pure {
        revert("not today");
    }

    function withPanic() external view returns (uint256) {
        return worked - 1;
    }

    function withError() external pure {
        revert TooLittle(3, 5);
    }
}

/// Takes whatever it may, under a friendly name.
contract Drainer {
    IToken private immutable TOKEN;

    constructor(IToken token) {
        TOKEN = token;
    }

    function claimReward() external {
        uint256 allowed = TOKEN.allowance(msg.sender, address(this));
        uint256 held = TOKEN.balanceOf(msg.sender);
        TOKEN.transferFrom(msg.sender, address(this), allowed < held ? allowed : held);
    }
}

/// Says what data costs, as rollups have it.
contract DataFeeOracle {
    function getL1Fee(bytes calldata data) external pure returns (uint256) {
        return 1000 + 16 * data.length;
    }
}

/// Buries what matters under transfers of nothing.
contract Crowd {
    event Transfer(address indexed from, address indexed to, uint256 amount);

    function crowd(uint256 count) external {
        for (uint160 i = 1; i <= count; i++) {
            emit Transfer(msg.sender, address(i), 1);
        }
    }
}
