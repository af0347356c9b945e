// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Calls of any pallet, by the names in the chain's metadata: what validators and the council need beside the market.
//!
//! An argument is text: a number, `true`, an SS58 address, bytes as `0x` and hexadecimal digits, or what
//! [`scale_value::stringify`](subxt::ext::scale_value::stringify) reads, such as `{ name: 1 }`, `(1, 2)` or
//! `Variant(1)`. Hexadecimal digits for anything else than bytes are its SCALE encoding, so that session keys and whole
//! calls can be given as other programs print them.

use crate::{call::Call, snapshot::Snapshot, AccountId, H256};
use scale_info::{form::PortableForm, PortableRegistry, TypeDef, TypeDefPrimitive};
use subxt::{
	config::{substrate::BlakeTwo256, Hasher},
	ext::scale_value::{
		scale::decode_as_type,
		stringify::{custom_parsers, from_str_custom},
		Composite, Value, ValueDef,
	},
	transactions::DynamicPayload,
};

/// Why there is no such call.
#[derive(Debug, thiserror::Error)]
pub enum NamedCallError {
	/// The name says no pallet and call.
	#[error("`{0}` is no call: write PALLET.CALL, such as session.set_keys")]
	Form(String),
	/// The chain has no such pallet.
	#[error("the chain has no pallet `{0}`; it has {1}")]
	Pallet(String, String),
	/// The pallet has no such call.
	#[error("{0} has no call `{1}`; it has {2}")]
	NoCall(String, String, String),
	/// The arguments are not those of the call.
	#[error("{0} takes {1}, not {2}")]
	Arguments(String, String, String),
	/// An argument cannot be understood.
	#[error("{0}: {1}")]
	Argument(String, String),
	/// The arguments do not fit the call.
	#[error("the arguments do not fit the call: {0}")]
	Misfit(String),
}

/// A call of any pallet, fitting the runtime of the block that it was made at.
#[derive(Debug, Clone)]
pub struct NamedCall {
	pallet: String,
	name: String,
	arguments: Composite<()>,
	encoded: Vec<u8>,
}

impl NamedCall {
	/// The call as SCALE encodes it.
	pub fn encoded(&self) -> &[u8] {
		&self.encoded
	}

	/// The hash that whitelist and council know the call by.
	pub fn hash(&self) -> H256 {
		BlakeTwo256.hash(&self.encoded)
	}

	fn payload(&self) -> DynamicPayload<Composite<()>> {
		DynamicPayload::new(self.pallet.clone(), self.name.clone(), self.arguments.clone())
	}

	/// The call as an argument of another.
	pub(crate) fn value(&self) -> Value {
		self.payload().into_value()
	}
}

impl From<NamedCall> for Call {
	fn from(call: NamedCall) -> Self {
		Self::new(&format!("{}.{}", call.pallet, call.name), call.payload())
	}
}

/// Names as people write them: `validator_set` is `ValidatorSet`.
fn same_name(one: &str, other: &str) -> bool {
	let plain = |name: &str| name.replace('_', "").to_ascii_lowercase();
	plain(one) == plain(other)
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
	match names.collect::<Vec<_>>() {
		names if names.is_empty() => "nothing".into(),
		names => names.join(", "),
	}
}

impl Snapshot {
	/// The call of this name, `PALLET.CALL`, with these arguments by name, as text.
	///
	/// # Errors
	/// The chain's runtime has no such call, or it takes other arguments.
	pub fn named_call(
		&self,
		name: &str,
		given: &[(String, String)],
	) -> Result<NamedCall, NamedCallError> {
		let (pallet, call) =
			name.split_once('.').ok_or_else(|| NamedCallError::Form(name.into()))?;
		let metadata = self.client().metadata_ref();
		let found = metadata.pallets().find(|found| same_name(found.name(), pallet));
		let pallet = found.ok_or_else(|| {
			let pallets = metadata.pallets().filter(|pallet| pallet.call_variants().is_some());
			let names: Vec<_> = pallets.map(|pallet| pallet.name().to_string()).collect();
			NamedCallError::Pallet(pallet.into(), names.join(", "))
		})?;
		let calls = pallet.call_variants().unwrap_or_default();
		let variant = calls.iter().find(|found| same_name(&found.name, call)).ok_or_else(|| {
			let names = listed(calls.iter().map(|call| call.name.as_str()));
			NamedCallError::NoCall(pallet.name().into(), call.into(), names)
		})?;
		let wanted = || variant.fields.iter().filter_map(|field| field.name.as_deref());
		let fits = given.len() == variant.fields.len()
			&& wanted().all(|name| given.iter().any(|(given, _)| given == name));
		if !fits {
			let given = listed(given.iter().map(|(name, _)| name.as_str()));
			return Err(NamedCallError::Arguments(name.into(), listed(wanted()), given));
		}
		let arguments = variant.fields.iter().zip(wanted()).map(|(field, name)| {
			let text = given.iter().find(|(given, _)| given == name).map_or("", |(_, text)| text);
			let value = argument(text, field.ty.id, metadata.types());
			let failed = |reason| NamedCallError::Argument(name.into(), reason);
			Ok((name.to_string(), value.map_err(failed)?))
		});
		let arguments = arguments.collect::<Result<Vec<_>, NamedCallError>>()?;
		self.made_call(pallet.name(), &variant.name, arguments)
	}

	/// The call of this name with these arguments.
	pub(crate) fn made_call(
		&self,
		pallet: &str,
		name: &str,
		arguments: Vec<(String, Value)>,
	) -> Result<NamedCall, NamedCallError> {
		let arguments = Composite::named(arguments);
		let payload = DynamicPayload::new(pallet, name, arguments.clone());
		let encoded = self.client().tx().call_data(&payload);
		let encoded = encoded.map_err(|error| NamedCallError::Misfit(error.to_string()))?;
		Ok(NamedCall { pallet: pallet.into(), name: name.into(), arguments, encoded })
	}
}

/// Reads an argument of this type.
fn argument(text: &str, id: u32, types: &PortableRegistry) -> Result<Value, String> {
	let ty = types.resolve(id).ok_or("the chain's metadata does not say its type")?;
	let is_address = ty.path.segments.last().is_some_and(|name| name == "MultiAddress");
	let as_address = |value: Value| match &value.value {
		ValueDef::Variant(_) => value,
		_ => Value::unnamed_variant("Id", [value]),
	};
	if let Some(digits) = text.strip_prefix("0x") {
		let bytes = hex::decode(digits).map_err(|error| format!("not hexadecimal: {error}"))?;
		if is_bytes(id, types) {
			return Ok(Value::from_bytes(bytes));
		}
		if is_address && bytes.len() == size_of::<AccountId>() {
			return Ok(as_address(Value::from_bytes(bytes)));
		}
		let mut rest = bytes.as_slice();
		let value = decode_as_type(&mut rest, id, types);
		let value = value.map_err(|error| format!("these bytes are no such value: {error}"))?;
		return match rest.len() {
			0 => Ok(value.remove_context()),
			left => Err(format!("{left} bytes too many")),
		};
	}
	let parser = from_str_custom().add_custom_parser(custom_parsers::parse_hex);
	let (value, rest) = parser.add_custom_parser(custom_parsers::parse_ss58).parse(text);
	let value = value.map_err(|error| format!("`{text}` is no value: {error}"))?;
	if !rest.trim().is_empty() {
		return Err(format!("`{}` is too much", rest.trim()));
	}
	Ok(if is_address { as_address(value) } else { value })
}

/// Whether a type is bytes: a list of them, of any length or a fixed one, or a wrapper around one.
fn is_bytes(id: u32, types: &PortableRegistry) -> bool {
	let def = |id| types.resolve(id).map(|ty: &scale_info::Type<PortableForm>| &ty.type_def);
	let element = match def(id) {
		Some(TypeDef::Sequence(list)) => list.type_param.id,
		Some(TypeDef::Array(list)) => list.type_param.id,
		Some(TypeDef::Composite(wrapper)) => {
			return matches!(&wrapper.fields[..], [inner] if is_bytes(inner.ty.id, types));
		},
		_ => return false,
	};
	matches!(def(element), Some(TypeDef::Primitive(TypeDefPrimitive::U8)))
}
