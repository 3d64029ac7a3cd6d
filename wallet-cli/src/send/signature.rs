//! A function as a person writes it, `function stake(uint256 amount)`, and its arguments as a shell hands them
//! over, turned into the JSON that the server takes.

use serde_json::Value;

use crate::review::parameters;

/// The largest whole number that every reader of JSON takes exactly (RFC 8259 §6): 2^53 - 1.
const LARGEST_EXACT: u64 = (1 << 53) - 1;

/// Why a function or an argument is not understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureError {
    /// Not a signature.
    #[error("write the function as 'function stake(uint256 amount, address to)'")]
    Shape,
    /// Other arguments than parameters.
    #[error("the function takes {expected} arguments, and {given} are given")]
    Count {
        /// How many the function takes.
        expected: usize,
        /// How many there are.
        given: usize,
    },
    /// Not a JSON value of the kind that the type needs.
    #[error("argument {number} ({kind}): write {instead}")]
    Argument {
        /// Which one, from 1.
        number: usize,
        /// Its type.
        kind: String,
        /// How it is written.
        instead: &'static str,
    },
    /// A number in JSON that would lose digits.
    #[error("write large numbers as JSON strings, \"1000000000000000000\": as JSON numbers they lose digits")]
    InexactNumber,
}

/// A function with its parameters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// The whole signature, with `function` before it.
    pub(crate) signature: String,
    /// Its name.
    pub(crate) name: String,
    /// The types of its parameters.
    kinds: Vec<String>,
}

impl Function {
    /// Reads a signature, with or without `function` before it.
    ///
    /// Fails when there is no name or the parentheses do not match.
    pub(crate) fn parse(text: &str) -> Result<Self, SignatureError> {
        let text = text.trim();
        let bare = text.strip_prefix("function ").unwrap_or(text).trim_start();
        let (name, _) = bare.split_once('(').ok_or(SignatureError::Shape)?;
        let name = name.trim();
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_$".contains(&byte));
        let closing = closing_parenthesis(bare).filter(|_| is_name).ok_or(SignatureError::Shape)?;
        let parameters = parameters(&bare[..=closing]).ok_or(SignatureError::Shape)?;
        let kinds: Vec<String> = parameters.into_iter().map(kind).collect();
        if kinds.iter().any(String::is_empty) && kinds.len() > 1 {
            return Err(SignatureError::Shape);
        }
        let kinds = kinds.into_iter().filter(|kind| !kind.is_empty()).collect();
        Ok(Self { signature: format!("function {bare}"), name: name.to_owned(), kinds })
    }

    /// The arguments as JSON: `true` and `false` for a bool, JSON for arrays and tuples, and text for everything
    /// else, numbers too.
    ///
    /// Fails when there are too many or too few, or one cannot be of its type.
    pub(crate) fn arguments(&self, texts: &[String]) -> Result<Vec<Value>, SignatureError> {
        if texts.len() != self.kinds.len() {
            return Err(SignatureError::Count { expected: self.kinds.len(), given: texts.len() });
        }
        let pairs = self.kinds.iter().zip(texts).enumerate();
        pairs.map(|(index, (kind, text))| argument(index + 1, kind, text)).collect()
    }
}

/// One argument as JSON.
fn argument(number: usize, kind: &str, text: &str) -> Result<Value, SignatureError> {
    let wrong = |instead| SignatureError::Argument { number, kind: kind.to_owned(), instead };
    if kind.ends_with(']') || kind.ends_with(')') {
        let value: Value = serde_json::from_str(text).map_err(|_| wrong("it as JSON, like [\"1\", \"2\"]"))?;
        let is_nested = value.is_array() || value.is_object();
        return if is_nested { exact(value) } else { Err(wrong("it as JSON, like [\"1\", \"2\"]")) };
    }
    match (kind, text) {
        ("bool", "true") => Ok(Value::Bool(true)),
        ("bool", "false") => Ok(Value::Bool(false)),
        ("bool", _) => Err(wrong("true or false")),
        _ => Ok(Value::from(text)),
    }
}

/// Passes JSON on in which no number is larger than every reader takes exactly.
///
/// Fails when one is, or has a fraction.
pub(crate) fn exact(value: Value) -> Result<Value, SignatureError> {
    if is_exact(&value) { Ok(value) } else { Err(SignatureError::InexactNumber) }
}

fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_i64().is_some_and(|number| number.unsigned_abs() <= LARGEST_EXACT),
        Value::Array(items) => items.iter().all(is_exact),
        Value::Object(fields) => fields.values().all(is_exact),
        _ => true,
    }
}

/// Where the parameter list ends.
fn closing_parenthesis(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (position, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(position);
                }
            }
            _ => {}
        }
    }
    None
}

/// The type of a parameter such as `uint256 amount` or `tuple(address to, uint256 amount)[] payments`; of a tuple,
/// all up to its last bracket.
fn kind(parameter: &str) -> String {
    let parameter = parameter.trim();
    let end = match parameter.rfind([')', ']']) {
        Some(bracket) => bracket + 1,
        None => parameter.find(char::is_whitespace).unwrap_or(parameter.len()),
    };
    parameter[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_signature_says_what_the_arguments_are() {
        let text = "function pay(address to, uint256 amount, bool now, string memo, (uint8,bytes)[] parts) payable";
        let function = Function::parse(text).expect("a signature");
        assert_eq!((function.name.as_str(), function.signature.as_str()), ("pay", text));
        let given = texts(&["0x00", "1000000000000000000000", "true", "[1]", r#"[["1","0x"]]"#]);
        let expected = json!(["0x00", "1000000000000000000000", true, "[1]", [["1", "0x"]]]);
        assert_eq!(function.arguments(&given).map(Value::from), Ok(expected));
    }

    #[test]
    fn function_may_be_left_out_and_so_may_names() {
        let function = Function::parse("stake(uint256)").expect("a signature");
        assert_eq!(function.signature, "function stake(uint256)");
        let none = Function::parse("function pause() returns (bool, uint256)").expect("a signature");
        assert_eq!(none.arguments(&[]), Ok(vec![]));
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        for text in
            ["", "stake", "stake(", "(uint256)", "stake(uint256,)", "a b(uint256)", "stake)(", "st\u{202e}(bool)"]
        {
            assert_eq!(Function::parse(text), Err(SignatureError::Shape), "{text:?}");
        }
    }

    #[test]
    fn an_argument_that_cannot_be_of_its_type_is_named() {
        let function = Function::parse("f(bool a, uint256[] b)").expect("a signature");
        let failure = |given: &[&str]| function.arguments(&texts(given)).expect_err("refused").to_string();
        assert_eq!(failure(&["true"]), "the function takes 2 arguments, and 1 are given");
        assert_eq!(failure(&["yes", "[]"]), "argument 1 (bool): write true or false");
        assert!(failure(&["true", "7"]).starts_with("argument 2 (uint256[])"));
        assert_eq!(failure(&["true", "[1e18]"]), SignatureError::InexactNumber.to_string());
        assert_eq!(failure(&["true", "[9007199254740993]"]), SignatureError::InexactNumber.to_string());
        assert!(function.arguments(&texts(&["true", "[9007199254740991, -1]"])).is_ok());
    }
}
