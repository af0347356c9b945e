// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Hashes in JSON. The chain's records keep them as 32 bytes, which JSON would show as lists of numbers; people and
//! other programs know them in hexadecimal.

use serde::{de::DeserializeOwned, Serialize};
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use std::io::{Result, Write};

/// Bytes of a hash.
const LENGTH: usize = 32;
/// Fields of the chain's records that are a hash.
const FIELDS: [&str; 3] = ["base_layer", "job_hash", "result_hash"];

/// A value as JSON for people, hashes as `0x` and 64 digits.
///
/// # Errors
/// The value has keys that are no strings, or numbers that JSON has not.
pub fn to_json(value: &impl Serialize) -> serde_json::Result<String> {
	let mut text = Vec::new();
	let formatter = Hashes { pretty: PrettyFormatter::new(), held: None };
	value.serialize(&mut Serializer::with_formatter(&mut text, formatter))?;
	Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Reads what [`to_json`] has written.
///
/// # Errors
/// It is not of this type.
pub fn from_json<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
	let mut rest = text;
	let mut plain = String::with_capacity(text.len());
	// The next field that is a hash. Within a string a quotation mark has a backslash before it.
	while let Some((start, hash)) = FIELDS.iter().filter_map(|name| field(rest, name)).min() {
		let (before, after) = rest.split_at(start);
		plain.push_str(before);
		plain.push_str(&serde_json::to_string(&hash)?);
		rest = &after[LENGTH * 2 + "\"0x\"".len()..];
	}
	plain.push_str(rest);
	serde_json::from_str(&plain)
}

/// Where the first hash in a field of this name begins, and the hash.
fn field(text: &str, name: &str) -> Option<(usize, [u8; LENGTH])> {
	let name = format!("\"{name}\":");
	let mut from = 0;
	loop {
		let value = from + text[from..].find(&name)? + name.len();
		let start = text.len() - text[value..].trim_start().len();
		let digits = text[start..].strip_prefix("\"0x").and_then(|rest| rest.split_once('"'));
		let mut hash = [0; LENGTH];
		if digits.is_some_and(|(digits, _)| hex::decode_to_slice(digits, &mut hash).is_ok()) {
			return Some((start, hash));
		}
		from = value;
	}
}

/// Holds a list back for as long as it consists of bytes: it may be a hash.
struct Hashes {
	pretty: PrettyFormatter<'static>,
	held: Option<Vec<u8>>,
}

impl Hashes {
	/// The list is not a hash: writes what was held back of it. Returns whether it has entries so far.
	fn release<W: ?Sized + Write>(&mut self, to: &mut W) -> Result<Option<bool>> {
		let Some(held) = self.held.take() else { return Ok(None) };
		self.pretty.begin_array(to)?;
		for (index, byte) in held.iter().enumerate() {
			self.pretty.begin_array_value(to, index == 0)?;
			self.pretty.write_u8(to, *byte)?;
			self.pretty.end_array_value(to)?;
		}
		Ok(Some(!held.is_empty()))
	}

	/// What is not a byte follows.
	fn other<W: ?Sized + Write>(&mut self, to: &mut W) -> Result<()> {
		match self.release(to)? {
			Some(has_entries) => self.pretty.begin_array_value(to, !has_entries),
			None => Ok(()),
		}
	}
}

/// Methods before which what was held back is written.
macro_rules! others {
	($($name:ident($($value:ident: $type:ty)?);)*) => {
		$(fn $name<W: ?Sized + Write>(&mut self, to: &mut W $(, $value: $type)?) -> Result<()> {
			self.other(to)?;
			self.pretty.$name(to $(, $value)?)
		})*
	};
}

/// Methods that only pass on, unless something is held back.
macro_rules! passed_on {
	($($name:ident($($value:ident: $type:ty)?);)*) => {
		$(fn $name<W: ?Sized + Write>(&mut self, to: &mut W $(, $value: $type)?) -> Result<()> {
			if self.held.is_some() {
				return Ok(());
			}
			self.pretty.$name(to $(, $value)?)
		})*
	};
}

impl Formatter for Hashes {
	others! {
		write_null();
		write_bool(value: bool);
		write_i8(value: i8);
		write_i16(value: i16);
		write_i32(value: i32);
		write_i64(value: i64);
		write_i128(value: i128);
		write_u16(value: u16);
		write_u32(value: u32);
		write_u64(value: u64);
		write_u128(value: u128);
		write_f32(value: f32);
		write_f64(value: f64);
		write_number_str(value: &str);
		write_raw_fragment(fragment: &str);
		begin_string();
		begin_object();
	}

	passed_on! {
		begin_array_value(first: bool);
		end_array_value();
		end_object();
		begin_object_key(first: bool);
		end_object_key();
		begin_object_value();
		end_object_value();
	}

	fn write_u8<W: ?Sized + Write>(&mut self, to: &mut W, value: u8) -> Result<()> {
		match &mut self.held {
			Some(held) => {
				held.push(value);
				Ok(())
			},
			None => self.pretty.write_u8(to, value),
		}
	}

	fn begin_array<W: ?Sized + Write>(&mut self, to: &mut W) -> Result<()> {
		self.other(to)?;
		self.held = Some(Vec::new());
		Ok(())
	}

	fn end_array<W: ?Sized + Write>(&mut self, to: &mut W) -> Result<()> {
		match &self.held {
			Some(held) if held.len() == LENGTH => {
				write!(to, "\"0x{}\"", hex::encode(held))?;
				self.held = None;
				Ok(())
			},
			_ => {
				self.release(to)?;
				self.pretty.end_array(to)
			},
		}
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;
	use modicum_chain_client::{AccountId, Event, ResourceProvider};
	use modicum_primitives::{Architecture, ResultStatus, Run, Usage};
	use serde_json::{json, Value};

	#[test]
	fn hashes_are_hexadecimal_and_are_read_again() {
		let posted = |uri: &str, byte| Event::ResultPosted {
			match_id: 1,
			provider: AccountId([1; 32]),
			result: Run {
				status: ResultStatus::Completed,
				result_hash: [byte; LENGTH],
				usage: Usage { instructions: u64::MAX, bandwidth: 2 },
			},
			uri: uri.into(),
			reaction_deadline: u64::MAX,
		};
		let rich = Event::PaymentBurnt { payee: AccountId([1; 32]), amount: u128::MAX };
		let tricky = format!("\"result_hash\": \"0x{}\"", "cd".repeat(LENGTH));
		let events = [posted("somewhere", 0xab), posted(&tricky, 0), rich];
		let text = to_json(&events).unwrap();
		assert!(
			text.contains(&format!("\"result_hash\": \"0x{}\"", "ab".repeat(LENGTH))),
			"{text}"
		);
		assert_eq!(from_json::<Vec<Event>>(&text).unwrap(), events);
		// As it was written before.
		let plain = serde_json::to_string(&events).unwrap();
		assert_eq!(from_json::<Vec<Event>>(&plain).unwrap(), events);
	}

	#[test]
	fn lists_of_hashes_are_lists_of_strings() {
		let shown = |base_layers| {
			let provider = ResourceProvider {
				architecture: Architecture::Amd64,
				time_per_billion_instructions: 1,
				trusted_mediators: Vec::new(),
				trusted_directories: Vec::new(),
				base_layers,
				commitments: 0,
			};
			serde_json::from_str::<Value>(&to_json(&provider).unwrap()).unwrap()
		};
		let of = |byte: &str| format!("0x{}", byte.repeat(LENGTH));
		assert_eq!(shown(vec![[1; 32], [2; 32]])["base_layers"], json!([of("01"), of("02")]));
		assert_eq!(shown(Vec::new())["base_layers"], json!([]));
	}

	#[test]
	fn everything_else_is_as_ever() {
		let value = json!({
			"empty": [], "numbers": [1, 2, 300], "nested": [[1, 2], [], {}], "mixed": [1, "a", null, 2.5, true],
			"object": { "list": [{ "a": [-1] }] }, "text": "[1]",
		});
		assert_eq!(to_json(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap());
		let bytes: (u8, u8, &str, [u8; 3], u8) = (1, 2, "a", [1, 2, 3], 7);
		assert_eq!(to_json(&bytes).unwrap(), serde_json::to_string_pretty(&bytes).unwrap());
		assert_eq!(
			to_json(&[7_u8; 31]).unwrap(),
			serde_json::to_string_pretty(&[7_u8; 31]).unwrap()
		);
		let many = [7_u64; LENGTH];
		assert_eq!(to_json(&many).unwrap(), serde_json::to_string_pretty(&many).unwrap());
	}
}
