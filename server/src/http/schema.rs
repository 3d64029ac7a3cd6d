//! How a type is described to the specification.

use poem_openapi::registry::MetaSchema;

/// Describes a type to the specification; it is always written out where it is used.
macro_rules! schema {
    ($type:ty, $name:literal, $schema:expr) => {
        impl Type for $type {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                $name.into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Inline(Box::new($schema))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::once(self))
            }
        }
    };
}
pub(super) use schema;

pub(super) fn text(description: &'static str, example: &'static str) -> MetaSchema {
    MetaSchema {
        description: Some(description),
        example: (!example.is_empty()).then(|| example.into()),
        ..MetaSchema::new("string")
    }
}

pub(super) fn pattern(description: &'static str, pattern: &'static str, example: &'static str) -> MetaSchema {
    MetaSchema { pattern: Some(pattern.to_owned()), ..text(description, example) }
}

pub(super) fn formatted(description: &'static str, format: &'static str, example: &'static str) -> MetaSchema {
    MetaSchema { format: Some(format), ..text(description, example) }
}

pub(super) fn sized(lengths: std::ops::RangeInclusive<usize>, schema: MetaSchema) -> MetaSchema {
    MetaSchema { min_length: Some(*lengths.start()), max_length: Some(*lengths.end()), ..schema }
}

pub(super) fn id(description: &'static str) -> MetaSchema {
    formatted(description, "uuid", "01938f5e-7c1a-7b3e-9d52-3f0a6c1b2d4e")
}

pub(super) fn hash(description: &'static str) -> MetaSchema {
    pattern(description, "^0x[0-9a-fA-F]{64}$", "0x9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
}

pub(super) fn integer(description: &'static str, minimum: u64, maximum: u64) -> MetaSchema {
    MetaSchema {
        description: Some(description),
        // Both bounds are at most 2^53, so a double holds them exactly.
        minimum: Some(minimum as f64),
        maximum: Some(maximum as f64),
        ..MetaSchema::new_with_format("integer", "int64")
    }
}
