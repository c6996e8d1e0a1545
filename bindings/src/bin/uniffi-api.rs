//! Prints the exported surface of a built library: one line an item, sorted, in the words of the Rust side (`snake_case`, types as in Kotlin).
//! `bindings/api.txt` records it; `./test` fails when the two differ, so that no change of the border lands unseen.
//!
//! Usage: uniffi-api LIBRARY        (writes to standard output)
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use uniffi_bindgen::macro_metadata::extract_from_library;
use uniffi_meta::{
    DefaultValueMetadata, EnumMetadata, FieldMetadata, FnParamMetadata, LiteralMetadata, Metadata, ObjectMetadata, RecordMetadata, Type,
};

fn main() -> ExitCode {
    let Some(library) = std::env::args().nth(1) else {
        eprint_usage();
        return ExitCode::from(3);
    };
    match extract_from_library(library.as_str().into()) {
        Ok(items) => {
            let mut lines: Vec<String> = items.iter().filter_map(line).collect();
            lines.sort();
            lines.dedup();
            println!("{}", lines.join("\n"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("the metadata of {library} cannot be read: {error}");
            ExitCode::from(1)
        }
    }
}

fn eprint_usage() {
    println!("usage: uniffi-api LIBRARY");
}

fn line(item: &Metadata) -> Option<String> {
    Some(match item {
        Metadata::Func(f) => act(f.is_async, &f.name, &f.inputs, f.return_type.as_ref(), f.throws.as_ref()),
        Metadata::Constructor(c) => {
            let of = format!("{}.{}", c.self_name, c.name);
            let made = Type::Record { module_path: String::new(), name: c.self_name.clone() };
            format!("constructor {}", act(c.is_async, &of, &c.inputs, Some(&made), c.throws.as_ref()))
        }
        Metadata::Method(m) => {
            act(m.is_async, &format!("{}.{}", m.self_name, m.name), &m.inputs, m.return_type.as_ref(), m.throws.as_ref())
        }
        Metadata::TraitMethod(m) => {
            let of = format!("{}.{}", m.trait_name, m.name);
            format!("port {}", act(m.is_async, &of, &m.inputs, m.return_type.as_ref(), m.throws.as_ref()))
        }
        Metadata::Record(record) => of_record(record),
        Metadata::Enum(kind) => of_enum(kind),
        Metadata::Object(object) => of_object(object),
        _ => return None,
    })
}

fn act(is_async: bool, name: &str, inputs: &[FnParamMetadata], gives: Option<&Type>, throws: Option<&Type>) -> String {
    let inputs: Vec<String> = inputs.iter().map(|p| format!("{}: {}{}", p.name, named(&p.ty), default(p.default.as_ref()))).collect();
    let mut line = format!("{}fn {name}({})", if is_async { "async " } else { "" }, inputs.join(", "));
    if let Some(gives) = gives {
        line.push_str(" -> ");
        line.push_str(&named(gives));
    }
    if let Some(throws) = throws {
        line.push_str(" throws ");
        line.push_str(&named(throws));
    }
    line
}

fn of_record(record: &RecordMetadata) -> String {
    format!("record {} {{ {} }}", record.name, fields(&record.fields))
}

fn of_enum(kind: &EnumMetadata) -> String {
    let variant = |v: &uniffi_meta::VariantMetadata| match v.fields.is_empty() {
        true => v.name.clone(),
        false => format!("{} {{ {} }}", v.name, fields(&v.fields)),
    };
    let word = if kind.shape.is_error() { "error" } else { "enum" };
    format!("{word} {} {{ {} }}", kind.name, kind.variants.iter().map(variant).collect::<Vec<_>>().join(", "))
}

fn of_object(object: &ObjectMetadata) -> String {
    format!("{} {}", if object.imp.has_callback_interface() { "port" } else { "object" }, object.name)
}

fn fields(fields: &[FieldMetadata]) -> String {
    fields.iter().map(|f| format!("{}: {}{}", f.name, named(&f.ty), default(f.default.as_ref()))).collect::<Vec<_>>().join(", ")
}

fn default(value: Option<&DefaultValueMetadata>) -> &'static str {
    match value {
        None => "",
        Some(DefaultValueMetadata::Literal(LiteralMetadata::None)) => " = null",
        Some(_) => " = default",
    }
}

fn named(kind: &Type) -> String {
    match kind {
        Type::Bytes => "ByteArray".to_owned(),
        Type::Boolean => "Boolean".to_owned(),
        Type::String => "String".to_owned(),
        Type::UInt8 => "UByte".to_owned(),
        Type::UInt16 => "UShort".to_owned(),
        Type::UInt32 => "UInt".to_owned(),
        Type::UInt64 => "ULong".to_owned(),
        Type::Int8 => "Byte".to_owned(),
        Type::Int16 => "Short".to_owned(),
        Type::Int32 => "Int".to_owned(),
        Type::Int64 => "Long".to_owned(),
        Type::Optional { inner_type } => format!("{}?", named(inner_type)),
        Type::Sequence { inner_type } => format!("List<{}>", named(inner_type)),
        Type::Map { key_type, value_type } => format!("Map<{}, {}>", named(key_type), named(value_type)),
        Type::Box { inner_type } => named(inner_type),
        other => other.name().map_or_else(|| format!("{other:?}"), str::to_owned),
    }
}
